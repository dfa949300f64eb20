"""Reports to render: of a database with every verdict, and of one whose names are as bad as names can be."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from psycopg import sql

from airflow_seqfix import core
from tests.support.servers import Database, Server, database_on, server_labels
from tests.support.tables import EVERY_VERDICT

#: Names of tables that try to be something else.
HOSTILE = (
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "javascript:alert(1)",
    "[click](https://example.com/x)",
    "https://example.com/y",
    "a|b|c",
    "tick`tick``tick",
    "```\nend of fence",
    "two\nlines\r\n# heading",
    "-- comment */ ; DROP TABLE x",
    "**bold** _em_ ~~gone~~ @team #1 <!channel>",
    "{{ 7 * 7 }}{% raw %}",
    "\u202egnp.exe",
    "\x1b[31mred\x1b]0;title\x07",
    "trailing\\",
    "注文明細テーブル🧾 für Größe",
    "x" * 55,
    "&lt;b&gt; &amp; </textarea>",
)


@pytest.fixture(scope="session")
def every_verdict(start_server: Callable[[str], Server]) -> Iterator[Database]:
    """A database with every verdict; nobody changes it."""
    with database_on(start_server(server_labels()[0])) as database:
        database.execute(EVERY_VERDICT)
        yield database


@pytest.fixture(scope="session")
def report(every_verdict: Database) -> core.Report:
    with every_verdict.connect() as conn:
        return core.check(conn)


@pytest.fixture(scope="session")
def plan(every_verdict: Database) -> core.Plan:
    with every_verdict.connect() as conn:
        return core.plan(conn)


@pytest.fixture(scope="session")
def repaired(start_server: Callable[[str], Server]) -> Iterator[core.Report]:
    """The report of a repair of the same database."""
    with database_on(start_server(server_labels()[0])) as database:
        database.execute(EVERY_VERDICT)
        with database.connect() as conn:
            yield core.fix(conn)


@pytest.fixture(scope="session")
def hostile(start_server: Callable[[str], Server]) -> Iterator[core.Plan]:
    """The plan for tables with hostile names, each of them behind."""
    with database_on(start_server(server_labels()[0])) as database, database.connect() as conn:
        for name in HOSTILE:
            table = sql.Identifier(name)
            conn.execute(sql.SQL("CREATE TABLE {} (id serial PRIMARY KEY)").format(table))
            conn.execute(sql.SQL("INSERT INTO {} VALUES (1), (2)").format(table))
        yield core.plan(conn)
