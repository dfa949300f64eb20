"""A table that takes its time."""

from __future__ import annotations

from psycopg import conninfo

from tests.conftest import Database


def slow_table(database: Database, *, seconds: float) -> None:
    """Make a table whose furthest value is known only after a while: a foreign one, over a view that sleeps."""
    there = conninfo.conninfo_to_dict(database.dsn)
    database.execute(
        f"""
        CREATE EXTENSION postgres_fdw;
        CREATE SERVER itself FOREIGN DATA WRAPPER postgres_fdw
            OPTIONS (host '{there["host"]}', port '{there["port"]}', dbname '{database.name}');
        CREATE USER MAPPING FOR CURRENT_USER SERVER itself OPTIONS (user '{there["user"]}');
        CREATE VIEW sleeper AS SELECT 5 AS id FROM pg_sleep({seconds});
        CREATE SEQUENCE slow_id_seq;
        CREATE FOREIGN TABLE slow (id int DEFAULT nextval('slow_id_seq')) SERVER itself OPTIONS (table_name 'sleeper');
        """
    )
