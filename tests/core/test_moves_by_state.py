"""A move goes by where the sequence stands, and not by what nextval() returned: a session's own cache may be old."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest

from airflow_seqfix import core
from airflow_seqfix.sql import reset_sequences
from tests.support.psql import patient, psql
from tests.support.servers import Database
from tests.support.waiting import LOCK_AWAITED, until

FACES = ["library", "script", "plan"]
#: A session that has drawn waits here until somebody else has done something.
DRAW = "SELECT nextval('t_id_seq'); SELECT pg_advisory_lock(13);"


def behind(db: Database, *, cache: int, rows: str) -> None:
    db.execute(f"""
        CREATE TABLE t (id bigserial PRIMARY KEY); ALTER SEQUENCE t_id_seq CACHE {cache};
        INSERT INTO t SELECT generate_series({rows});
    """)


def repair(face: str, db: Database, lock: core.Lock, first: str = "") -> Callable[[], object]:
    """Return a repair by a session that does something else first."""
    if face == "plan":
        with db.connect() as conn:
            text = patient(core.plan(conn, lock=lock, outliers="follow").to_sql())
        return lambda: psql(db.dsn, script=f"{first}\n{text}")
    if face == "script":
        given = ["-v", f"lock={'none' if lock == 'none' else 'auto'}", "-v", "outliers=follow"]
        return lambda: psql(db.dsn, *given, script=f"{first}\n{patient(reset_sequences())}")

    def library() -> None:
        with db.connect() as conn:
            conn.execute(first or "SELECT 1")
            core.fix(conn, lock=lock, lock_timeout=0.99, outliers="follow")

    return library


def during(work: Callable[[], object], is_time: Callable[[], object], happening: Callable[[], object]) -> None:
    thread = threading.Thread(target=work)
    thread.start()
    try:
        until(lambda: is_time() or not thread.is_alive(), "the moment")
        happening()
    finally:
        thread.join()


@pytest.mark.parametrize("face", FACES)
def test_an_old_value_of_its_own_cache_is_not_written_over_the_sequence(face: str, db: Database) -> None:
    behind(db, cache=20, rows="1, 5000")
    work = repair(face, db, "sequence", "SELECT nextval('t_id_seq');")
    with db.connect() as writer, db.connect() as watcher:
        writer.execute("BEGIN; SELECT pg_sequence_last_value('t_id_seq'::regclass)")
        during(
            work,
            lambda: watcher.execute(LOCK_AWAITED).fetchall(),
            lambda: writer.execute("SELECT setval('t_id_seq', 90001, false); COMMIT"),
        )
    assert db.state("t_id_seq")[:2] == (90001, False)


@pytest.mark.parametrize("face", FACES)
def test_a_step_back_while_it_advances_ends_it(face: str, newest_db: Database) -> None:
    db = newest_db
    behind(db, cache=1, rows="999000, 1000000")
    with db.connect() as writer, db.connect() as watcher:
        during(
            repair(face, db, "none"),
            lambda: watcher.execute("SELECT FROM t_id_seq WHERE last_value > 25000").fetchall(),
            lambda: writer.execute("DELETE FROM t; SELECT setval('t_id_seq', 1, false)"),
        )
    assert db.state("t_id_seq")[0] <= 2, "what has been emptied and restarted meanwhile is left there"


@pytest.mark.parametrize(("step", "to"), [(1, 1), (1, 15_000), (-1, -15_000)])
def test_a_step_back_between_two_chunks_ends_it(step: int, to: int, db: Database) -> None:
    """Also one to where it was already beyond when it was read: it is held against where the chunk before has ended."""
    behind(db, cache=1, rows=f"{step * 49_000}, {step * 50_000}, {step}")
    if step < 0:
        db.execute("ALTER SEQUENCE t_id_seq INCREMENT -1 MINVALUE -100000 MAXVALUE -1 START -1 RESTART")

    def set_back(progress: core.Progress) -> None:
        if progress.values_done == 20_000:
            db.execute(f"DELETE FROM t; SELECT setval('t_id_seq', {to})")

    with db.connect() as conn:
        report = core.fix(conn, lock="none", outliers="follow", progress=set_back)
    assert db.state("t_id_seq")[:2] == (to, True)
    (row,) = report.rows
    assert (str(row.verdict), row.is_fixed) == ("in_sync", False), "what was set back on purpose was not due any more"


@pytest.mark.parametrize("stands_at", [200, 3], ids=["ahead of its cache", "behind its cache"])
@pytest.mark.parametrize("face", FACES)
def test_values_of_its_own_cache_do_not_tell_where_a_sequence_stands(face: str, stands_at: int, db: Database) -> None:
    behind(db, cache=20, rows=f"1, {stands_at + 10}")
    work = repair(face, db, "none", DRAW)
    with db.connect() as writer, db.connect() as watcher:
        writer.execute("SELECT pg_advisory_lock(13)")
        during(
            work,
            lambda: watcher.execute("SELECT FROM pg_locks WHERE locktype = 'advisory' AND NOT granted").fetchall(),
            lambda: writer.execute(f"SELECT setval('t_id_seq', {stands_at}); SELECT pg_advisory_unlock(13)"),
        )
    assert db.value("INSERT INTO t DEFAULT VALUES RETURNING id") > stands_at + 10


@pytest.mark.parametrize("lock", ["none", "sequence", "guarded"])
def test_a_sequence_that_was_restarted_past_the_data_loses_no_value(lock: core.Lock, db: Database) -> None:
    behind(db, cache=1, rows="1, 50")
    work = repair("plan", db, lock)
    db.execute("ALTER SEQUENCE t_id_seq RESTART WITH 100")
    work()
    assert db.state("t_id_seq")[:2] == (100, False)
