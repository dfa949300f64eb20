"""What stays behind of five thousand sequences that are behind at once, for docs/proof/behaviours.md."""

from __future__ import annotations

from collections.abc import Callable

import psycopg

from airflow_seqfix import core
from tests.support.behaviours import tools
from tests.support.servers import Server, database_on

TABLES = 5_000
#: As many in one statement as the server's lock table bears.
CHUNK = 500

_MAKE = """
DO $$
BEGIN
    FOR n IN {first} .. {last} LOOP
        EXECUTE format('CREATE TABLE t%s (id serial PRIMARY KEY)', n);
        EXECUTE format('INSERT INTO t%s VALUES (1), (2), (3)', n);
    END LOOP;
END $$"""


def one_transaction(dsn: str) -> None:
    with tools.connected(dsn) as conn, conn.transaction():
        for n in range(1, TABLES + 1):
            conn.execute(f"SELECT setval('t{n}_id_seq', coalesce(max(id), 1)) FROM t{n}")


def django_as_printed(dsn: str) -> None:
    with tools.connected(dsn) as conn:
        conn.execute(tools.sqlsequencereset([(f"t{n}", "id") for n in range(1, TABLES + 1)]))


def ours(dsn: str) -> None:
    with tools.connected(dsn) as conn:
        core.fix(conn)


#: By what the page calls them.
RUNS: dict[str, Callable[[str], None]] = {
    "`setval(…, max(…))` for each, in one transaction": one_transaction,
    "Django, as `sqlsequencereset` prints it: in one transaction": django_as_printed,
    "ActiveRecord": tools.active_record_reset,
    "`fix()`": ours,
}


def run(server: Server, repair: Callable[[str], None]) -> tuple[int, str]:
    """Return how many sequences stayed behind, and the error that ended the repair."""
    error = ""
    with database_on(server) as db:
        chunks = [(first, min(first + CHUNK - 1, TABLES)) for first in range(1, TABLES + 1, CHUNK)]
        for first, last in chunks:
            db.execute(_MAKE.format(first=first, last=last))
        try:
            repair(db.dsn)
        except psycopg.Error as caught:
            error = caught.diag.message_primary or str(caught)
        behind = 0
        for first, last in chunks:
            states = " UNION ALL ".join(f"SELECT last_value FROM t{n}_id_seq" for n in range(first, last + 1))
            behind += db.value(f"SELECT count(*) FROM ({states}) AS states WHERE last_value < 3")
    return behind, error
