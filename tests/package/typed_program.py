"""A program that uses the library, for the type checkers; what they have to refuse is marked `# refused`."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager

import psycopg
import psycopg_pool
from psycopg import sql

from airflow_seqfix import core


def watch(progress: core.Progress) -> None:
    print(progress.done, progress.total)


@contextmanager
def one() -> Generator[psycopg.Connection, None, None]:
    with psycopg.connect() as conn:
        yield conn


def check(conn: psycopg.Connection, pool: psycopg_pool.ConnectionPool) -> int:
    report = core.check(conn, schemas=["app"], tables="users", margin=1, fail_on=["behind"], progress=watch)
    core.check(psycopg.connect, jobs=4)
    core.check(lambda: psycopg.connect("dbname=shop"), tables=[("public", "Orders"), sql.Identifier("a", "b"), "c"])
    core.check(pool.getconn, tables=sql.Identifier("a"))
    core.check(pool.connection)
    core.check(one, id_range={"s": (1, 9)}, mapping={"s": ["t.c"]})
    names: list[str] = [row.sequence for row in report]
    gaps: list[int | None] = [row.gap for row in report.failing]
    report.raise_for_failing()
    return len(names) + len(gaps) if report.ok else len(report)


def repair(conn: psycopg.Connection) -> str:
    try:
        made = core.plan(conn, lock="none")
        repaired = core.fix(conn, plan=made)
        core.fix(conn, plan=made.to_dict(), lock=core.Lock.SEQUENCE)
        core.fix_sequence(conn, "users", column="id", margin=2, raises=False)
        core.fix_sequence(conn, ("app", "Users"), sequence=sql.Identifier("s"))
    except core.FailingError as error:
        return str(error)
    verdict: core.Verdict = repaired.rows[0].verdict
    return f"{verdict} {made.to_sql()} {[move.target for move in made]}"


def mistakes(conn: psycopg.Connection) -> None:
    core.check(5)  # refused
    core.check("dbname=shop")  # refused
    core.check(conn.cursor())  # refused
    core.check(conn, margn=1)  # refused
    core.check(conn, lock="all")  # refused
    core.check(conn, margin="1")  # refused
    core.check(conn, foreign="yes")  # refused
    core.check(conn, tables=5)  # refused
    core.check(conn, progress=5)  # refused
    core.fix_sequence(conn, "users", tables=["other"])  # refused
    core.fix_sequence(conn)  # refused
