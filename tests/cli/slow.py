"""A table that takes its time."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator

from psycopg import conninfo

from tests.support.servers import Database


def slow_table(database: Database, *, seconds: float) -> None:
    """Make a table whose furthest value is known only after a while."""
    _slow_table(database, f"pg_sleep({seconds})")


@contextlib.contextmanager
def held_table(database: Database) -> Iterator[Callable[[], object]]:
    """Make a table whose furthest value is known only when what is yielded has been called."""
    _slow_table(database, "pg_advisory_lock_shared(1)")
    with database.connect() as holder:
        holder.execute("SELECT pg_advisory_lock(1)")
        yield lambda: holder.execute("SELECT pg_advisory_unlock(1)")


def _slow_table(database: Database, call: str) -> None:
    """Make a foreign table, over a view that makes a call first."""
    there = conninfo.conninfo_to_dict(database.dsn)
    database.execute(
        f"""
        CREATE EXTENSION postgres_fdw;
        CREATE SERVER itself FOREIGN DATA WRAPPER postgres_fdw
            OPTIONS (host '{there["host"]}', port '{there["port"]}', dbname '{database.name}');
        CREATE USER MAPPING FOR CURRENT_USER SERVER itself OPTIONS (user '{there["user"]}');
        CREATE VIEW sleeper AS SELECT 5 AS id FROM {call};
        CREATE SEQUENCE slow_id_seq;
        CREATE FOREIGN TABLE slow (id int DEFAULT nextval('slow_id_seq')) SERVER itself OPTIONS (table_name 'sleeper');
        """
    )
