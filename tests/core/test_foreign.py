"""Sequences that feed foreign tables: their rows are on another server."""

from __future__ import annotations

from collections.abc import Callable

from psycopg import conninfo

from airflow_seqfix import core
from tests.support.servers import Database, Server, database_on, wheel_label

#: A wrapper without a handler: the catalogs are all there, and reading would fail.
NOWHERE = """
    CREATE FOREIGN DATA WRAPPER nowhere;
    CREATE SERVER elsewhere FOREIGN DATA WRAPPER nowhere;
"""


def verdicts(db: Database, **options) -> dict[str, tuple[str, str | None]]:
    with db.connect() as conn:
        rows = core.check(conn, allow_empty=True, **options).rows
    return {row.finding.sequence.sequence_name: (str(row.verdict), row.finding.reason) for row in rows}


def test_a_foreign_table_is_listed_and_not_read(db: Database) -> None:
    db.execute(NOWHERE + "CREATE FOREIGN TABLE remote (id serial) SERVER elsewhere")
    reason = "public.remote is a foreign table, read only with foreign=True"
    assert verdicts(db) == {"remote_id_seq": ("skipped", reason)}


def test_a_foreign_partition_makes_its_table_unknown(db: Database) -> None:
    db.execute(NOWHERE)
    db.execute("""
        CREATE TABLE events (id serial, day int) PARTITION BY RANGE (day);
        CREATE FOREIGN TABLE events_old PARTITION OF events FOR VALUES FROM (0) TO (10) SERVER elsewhere;
    """)
    reason = "public.events has a partition that is a foreign table"
    assert verdicts(db) == {"events_id_seq": ("unknown", reason)}


def test_asked_for_it_is_read_on_its_own_server(start_server: Callable[[str], Server]) -> None:
    server = start_server(wheel_label())
    with database_on(server) as there, database_on(server) as here:
        there.execute("CREATE TABLE remote (id int PRIMARY KEY); INSERT INTO remote VALUES (77)")
        address = conninfo.conninfo_to_dict(there.dsn)
        here.execute(f"""
            CREATE EXTENSION postgres_fdw;
            CREATE SERVER elsewhere FOREIGN DATA WRAPPER postgres_fdw
                OPTIONS (host '{address["host"]}', port '{address["port"]}', dbname '{there.name}');
            CREATE USER MAPPING FOR CURRENT_USER SERVER elsewhere OPTIONS (user 'postgres');
            CREATE FOREIGN TABLE remote (id serial) SERVER elsewhere;
        """)
        with here.connect() as conn:
            (row,) = core.fix(conn, foreign=True).rows
        assert row.to_dict()["verified"]
        assert here.value("SELECT nextval('remote_id_seq')") == 78
