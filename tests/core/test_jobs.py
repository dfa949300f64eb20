"""Several connections that share the work: the same answer, no hang, and nothing left behind."""

from __future__ import annotations

import contextlib
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from airflow_seqfix import core
from airflow_seqfix.core import queries
from airflow_seqfix.core.database import sessions as sessions
from airflow_seqfix.core.database.session import Session
from airflow_seqfix.core.database.sessions import open_sessions
from airflow_seqfix.core.measure.partitions import COLUMNS_AT_ONCE, RELATIONS_AT_ONCE
from airflow_seqfix.core.policy import Limits
from airflow_seqfix.options import MOST_JOBS
from tests.support.servers import Database, another_like
from tests.support.threads import DRIVERS, Interrupted, interrupted_when_asleep, no_thread_is_left
from tests.support.waiting import PATIENCE, until
from tests.support.watched import reads_a_table

#: Four chunks and a bit.
COUNT = 4 * COLUMNS_AT_ONCE + 10


@pytest.fixture
def many(db: Database) -> Database:
    """Tables of which every third is behind, every second of these by more than is passed with nextval()."""
    db.execute(f"""
        DO $$ BEGIN
            FOR i IN 1..{COUNT} LOOP
                EXECUTE format('CREATE TABLE t%s (id serial PRIMARY KEY)', i);
                IF i % 3 = 0 THEN
                    EXECUTE format('INSERT INTO t%s VALUES (%s)', i, CASE i % 2 WHEN 0 THEN 100 ELSE 20000 END);
                END IF;
            END LOOP;
        END $$
    """)
    return db


def connector(db: Database, driver: str, opened: list[Any]) -> Callable[[], Any]:
    def connect() -> Any:
        opened.append(db.psycopg2() if driver == "psycopg2" else db.connect())
        return opened[-1]

    return connect


def sessions_left(db: Database) -> list[tuple[Any, ...]]:
    """Return what the server still knows of others, when it has had time to see that they have gone."""
    look = """
        SELECT pid, state, wait_event, clock_timestamp() - query_start, query
          FROM pg_stat_activity
         WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend'
    """
    # One that is still busy with a statement is for its minute.
    deadline = time.monotonic() + 20
    while (left := db.rows(look)) and time.monotonic() < deadline:
        time.sleep(0.05)
    return left


@pytest.mark.parametrize("driver", DRIVERS)
@pytest.mark.long
def test_more_connections_come_to_the_same(many: Database, driver: str) -> None:
    def run(jobs: int, work: Callable[..., Any], **options: Any) -> tuple[Any, list[core.Progress], int]:
        opened: list[Any] = []
        told: list[core.Progress] = []
        with no_thread_is_left():
            done = work(connector(many, driver, opened), jobs=jobs, progress=told.append, **options)
        assert all(conn.closed for conn in opened)
        return done, told, len(opened)

    alone, told_alone, one = run(1, core.check)
    shared, told, three = run(3, core.check)
    assert (one, three) == (1, 3)
    assert shared.rows == alone.rows
    assert told == told_alone
    assert alone.summary["behind"] == COUNT // 3

    planned = core.plan(connector(many, driver, []), jobs=3)
    assert planned.moves == core.plan(connector(many, driver, [])).moves
    fixed, told, _ = run(3, core.fix, plan=planned)
    assert (fixed.summary["fixed"], fixed.summary["failed"]) == (COUNT // 3, 0)
    assert [row.finding.sequence.oid for row in fixed.rows] == [move.sequence.oid for move in planned.moves]
    counts = [progress.done for progress in told if progress.phase == "move"]
    assert counts == sorted(counts)
    assert counts[-1] == COUNT // 3
    assert core.check(connector(many, driver, []), jobs=3).summary["behind"] == 0
    assert many.value("INSERT INTO t9 DEFAULT VALUES RETURNING id") == 20001


def test_a_long_advance_is_told_of_as_it_is_by_one_connection(many: Database) -> None:
    many.execute("SELECT setval('t3_id_seq', 1, false), setval('t9_id_seq', 1, false)")
    told: list[core.Progress] = []
    core.fix(many.connect, jobs=2, tables=["t3", "t9"], lock="none", progress=told.append)
    moves = [(p.current, p.values_done, p.done) for p in told if p.phase == "move"]
    assert moves == [
        *(("public.t3_id_seq", values, 0) for values in (0, 10000, 20000)),
        (None, 0, 1),
        *(("public.t9_id_seq", values, 1) for values in (0, 10000, 20000)),
        (None, 0, 2),
    ]


def test_a_connection_keeps_to_the_work_that_it_has_done_before(db: Database) -> None:
    """What a server process has opened once it need not open again."""
    together = threading.Barrier(3)

    def who(session: Session, item: int, tell: Callable[[sessions.Event], None]) -> int:
        together.wait(PATIENCE)
        if item == 0:
            # The others look for more work first.
            time.sleep(0.2)
        return id(session)

    with open_sessions(db.connect, Limits(), jobs=3) as workers:
        once, again = (list(workers.map(who, range(6))) for _ in range(2))
    assert len(set(once)) == 3
    assert again == once
    assert once[3:] == once[:3]


def test_a_connection_without_work_of_its_own_does_another_s(db: Database) -> None:
    done: list[int] = []

    def work(session: Session, item: int, tell: Callable[[sessions.Event], None]) -> int:
        if item == 0:
            until(lambda: len(done) == 5, "the others are done by the other connection")
        done.append(item)
        return item

    with open_sessions(db.connect, Limits(), jobs=2) as workers:
        assert list(workers.map(work, range(6))) == list(range(6))
    assert done[-1] == 0


def test_no_more_connections_than_there_is_work_for(db: Database) -> None:
    db.execute("CREATE TABLE t (id serial PRIMARY KEY); INSERT INTO t VALUES (1)")
    opened: list[Any] = []
    assert core.fix(connector(db, "psycopg", opened), jobs=4).summary["fixed"] == 1
    assert len(opened) == 1


def test_each_connection_keeps_within_the_lock_budget(many: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    rows, rows_apart, held = Session.rows, Session.rows_apart, []

    def watched(session: Session, statement: str, **kinds: Any) -> Any:
        if not reads_a_table(statement):
            return rows_apart(session, statement, **kinds)
        with session.transaction():
            found = rows(session, statement, **kinds)
            locks = "SELECT pid, count(*) FROM pg_locks WHERE locktype = 'relation' AND relation >= 16384 GROUP BY pid"
            held.extend(rows(session, locks, pid=int, count=int))
        return found

    monkeypatch.setattr(Session, "rows_apart", watched)
    core.check(many.connect, jobs=3)
    assert len({pid for pid, _ in held}) == 3
    # Of a table, its index and its sequence each.
    assert max(count for _, count in held) <= min(RELATIONS_AT_ONCE, 3 * COLUMNS_AT_ONCE)


def test_what_cannot_be_meant_is_refused_before_anything_is_opened(many: Database) -> None:
    opened: list[Any] = []
    connect = connector(many, "psycopg", opened)
    for jobs in (0, -1, MOST_JOBS + 1, True, 2.0, "2"):
        with pytest.raises(
            core.ArgumentError, match=f"^jobs={jobs!r}: give an integer from 1 to {MOST_JOBS}, or auto$"
        ):
            core.check(connect, jobs=jobs)
    with many.connect() as conn:
        with pytest.raises(core.ArgumentError, match="jobs=2 opens 2 connections: pass a callable that opens one"):
            core.check(conn, jobs=2)
        assert core.check(conn, jobs=1).summary["behind"] == COUNT // 3
    assert opened == []


def test_a_callable_that_opens_nothing_new_is_refused(many: Database) -> None:
    with (
        many.connect() as conn,
        no_thread_is_left(),
        pytest.raises(core.ArgumentError, match="jobs=2: the callable has returned the same connection twice"),
    ):
        core.check(lambda: conn, jobs=2)


def test_connections_that_are_not_to_be_had(many: Database) -> None:
    role = many.role("CONNECTION LIMIT 2")
    for kind in ("TABLES", "SEQUENCES"):
        many.execute(f"GRANT SELECT ON ALL {kind} IN SCHEMA public TO {role}")
    with (
        no_thread_is_left(),
        pytest.raises(core.ConnectionFailedError, match=f'too many connections for role "{role}"'),
    ):
        core.check(lambda: many.connect(user=role), jobs=3)
    assert sessions_left(many) == []


@pytest.mark.parametrize("as_block", [False, True])
@pytest.mark.parametrize("driver", DRIVERS)
@pytest.mark.long
def test_connections_that_do_not_open_are_not_waited_for_beyond_run_timeout(
    many: Database, driver: str, as_block: bool
) -> None:
    """One is open, and the others hang, as where a firewall drops what would open them; then they come after all."""
    opened: list[Any] = []
    is_over = threading.Event()

    def connect() -> Any:
        if opened:
            is_over.wait(60)
        opened.append(many.psycopg2() if driver == "psycopg2" else many.connect())
        return opened[-1]

    @contextlib.contextmanager
    def block() -> Iterator[Any]:
        with contextlib.closing(connect()) as connection:
            yield connection

    began = time.monotonic()
    try:
        report = core.check(block if as_block else connect, jobs=4, run_timeout=2)
        assert time.monotonic() - began < 20
    finally:
        is_over.set()
    assert report.summary["unknown"] == COUNT
    assert {row.to_dict()["cure"] for row in report.rows} == {"a larger run_timeout"}
    assert sessions_left(many) == []
    until(lambda: len(opened) == 2 and all(connection.closed for connection in opened), "what came too late is closed")


@pytest.mark.parametrize("driver", DRIVERS)
@pytest.mark.parametrize("lost", [0, 1, 2])
def test_one_lost_connection_costs_nothing_but_its_own(
    many: Database, driver: str, lost: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[Any] = []
    rows_apart, lock, seen = Session.rows_apart, threading.Lock(), []

    def watched(session: Session, statement: str, **kinds: Any) -> Any:
        if reads_a_table(statement):
            with lock:
                seen.append(session)
                if len(seen) == 3:
                    many.execute(f"SELECT pg_terminate_backend({opened[lost].info.backend_pid})")
        return rows_apart(session, statement, **kinds)

    expected = core.check(many.connect).to_dict()["sequences"]
    monkeypatch.setattr(Session, "rows_apart", watched)
    with no_thread_is_left():
        report = core.check(connector(many, driver, opened), jobs=3)
    assert report.to_dict()["sequences"] == expected
    assert len(opened) in (3, 4), "another one is opened where it was still needed"
    assert all(conn.closed for conn in opened)


def sleep(session: Session, seconds: int, tell: Callable[..., None]) -> None:
    with session.transaction():
        session.run(f"SELECT pg_sleep({seconds})")


@pytest.mark.parametrize("begun", [False, True], ids=["before the first statement", "between two statements"])
@pytest.mark.parametrize("driver", DRIVERS)
def test_a_failure_ends_a_statement_that_begins_after_the_cancel(
    db: Database, driver: str, begun: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    stop, ready, cancelled = Session.stop, threading.Event(), threading.Event()

    def watched(session: Session, **options: Any) -> None:
        stop(session, **options)
        if session in late:
            cancelled.set()

    def work(session: Session, fails: bool, tell: Callable[..., None]) -> None:
        if fails:
            assert ready.wait(PATIENCE)
            raise ZeroDivisionError("the first failure")
        with session.transaction():
            if begun:
                session.run("SELECT 1")
            late.append(session)
            ready.set()
            assert cancelled.wait(PATIENCE)
            session.run("SELECT pg_sleep(50)")

    late: list[Session] = []
    opened: list[Any] = []
    monkeypatch.setattr(Session, "stop", watched)
    started = time.monotonic()
    with (
        no_thread_is_left(),
        # Not what the server says of the statement that it cancelled, which is waited for first.
        pytest.raises(ZeroDivisionError, match="the first failure"),
        open_sessions(connector(db, driver, opened), Limits(), jobs=2) as workers,
    ):
        list(workers.map(work, [False, True]))
    assert time.monotonic() - started < 25
    assert all(conn.closed for conn in opened)
    assert sessions_left(db) == []


@pytest.mark.parametrize("driver", DRIVERS)
def test_an_interrupt_ends_all(db: Database, driver: str) -> None:
    opened: list[Any] = []
    begun = time.monotonic()
    with (
        no_thread_is_left(),
        interrupted_when_asleep(db, sessions=3),
        pytest.raises(Interrupted),
        open_sessions(connector(db, driver, opened), Limits(), jobs=3) as workers,
    ):
        list(workers.map(sleep, [60] * 9))
    assert time.monotonic() - begun < 40
    assert len(opened) == 3
    assert all(conn.closed for conn in opened)
    assert sessions_left(db) == []


def test_an_interrupt_while_the_work_is_given_out_ends_all(
    newest_db: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    submit, given_out = sessions.ThreadPoolExecutor.submit, []

    def slow(*args: Any) -> Any:
        given_out.append(args)
        if len(given_out) == 4:
            time.sleep(40)
        return submit(*args)

    monkeypatch.setattr(sessions.ThreadPoolExecutor, "submit", slow)
    begun = time.monotonic()
    with (
        no_thread_is_left(),
        interrupted_when_asleep(newest_db, sessions=3),
        pytest.raises(Interrupted),
        open_sessions(newest_db.connect, Limits(), jobs=3) as workers,
    ):
        list(workers.map(sleep, [60] * 9))
    assert time.monotonic() - begun < 30
    assert sessions_left(newest_db) == []


@pytest.mark.parametrize("driver", DRIVERS)
def test_an_interrupt_does_not_wait_for_a_server_that_is_silent(wheel_db: Database, driver: str) -> None:
    opened: list[Any] = []
    silent: list[int] = []

    def work(session: Session, seconds: int, tell: Callable[..., None]) -> None:
        if not silent:
            silent.append(opened[-1].info.backend_pid)
            os.kill(silent[0], signal.SIGSTOP)
        sleep(session, seconds, tell)

    try:
        begun = time.monotonic()
        with (
            no_thread_is_left(),
            # The one that is silent has not begun to sleep.
            interrupted_when_asleep(wheel_db, sessions=1),
            pytest.raises(Interrupted),
            open_sessions(connector(wheel_db, driver, opened), Limits(), jobs=2) as workers,
        ):
            list(workers.map(work, [60] * 4))
        assert time.monotonic() - begun < 40
    finally:
        os.kill(silent[0], signal.SIGCONT)


def test_what_the_callback_raises_ends_all(many: Database) -> None:
    def tell(progress: core.Progress) -> None:
        if progress.phase == "move" and progress.done >= 3:
            raise ZeroDivisionError("of the caller's own")

    opened: list[Any] = []
    with no_thread_is_left(), pytest.raises(ZeroDivisionError, match="of the caller's own"):
        core.fix(connector(many, "psycopg", opened), jobs=3, progress=tell)
    assert all(conn.closed for conn in opened)
    assert core.fix(many.connect, jobs=2).failing == ()


@pytest.mark.long
def test_run_timeout_is_one_for_all(many: Database) -> None:
    many.execute("UPDATE t3 SET id = 90000000; UPDATE t6 SET id = 90000000")
    with no_thread_is_left():
        report = core.fix(many.connect, jobs=2, tables=["t3", "t6"], lock="none", run_timeout=3, max_jump=10**9)
    assert {row.to_dict()["error"]["cure"] for row in report.rows} == {"a larger run_timeout"}
    assert report.summary["failed"] == 2


@pytest.mark.long
def test_a_busy_sequence_holds_up_nobody_else(many: Database) -> None:
    with many.connect() as writer:
        writer.execute("BEGIN; SELECT nextval('t3_id_seq')")
        report = core.fix(many.connect, jobs=2, lock="sequence")
        writer.execute("ROLLBACK")
    failed = [row for row in report.rows if row.outcome and row.outcome.error]
    assert [row.finding.sequence.sequence_name for row in failed] == ["t3_id_seq"]
    assert report.summary["fixed"] == COUNT // 3 - 1


def work_of_nobody(session: Session, item: int, tell: Callable[[sessions.Event], None]) -> int:
    return item


@pytest.mark.parametrize(("pieces", "opened"), [(1, 1), (39, 1), (40, 2), (79, 3), (80, 4), (400, 4)])
def test_as_many_as_there_is_work_for(db: Database, pieces: int, opened: int) -> None:
    connections: list[Any] = []
    with open_sessions(connector(db, "psycopg", connections), Limits(), jobs="auto") as workers:
        for _ in range(2):
            assert list(workers.map(work_of_nobody, range(pieces))) == list(range(pieces))
    assert len(connections) == opened


@pytest.mark.parametrize(("free", "opened"), [(9, 1), (10, 2), (29, 3), (90, 4)])
def test_most_of_the_room_on_the_server_is_left(newest_db: Database, free: int, opened: int) -> None:
    with another_like(newest_db.server, {"max_connections": "100"}) as server, contextlib.ExitStack() as stack:
        taken = server.cluster.connect if server.cluster else newest_db.connect
        # The first of the run is among those that are there when it looks.
        while stack.enter_context(taken()).execute(queries.get("room")).fetchone()[0] > free + 1:
            pass
        connections: list[Any] = []
        with open_sessions(
            connector(Database(server, "postgres"), "psycopg", connections), Limits(), jobs="auto"
        ) as of:
            assert list(of.map(work_of_nobody, range(400))) == list(range(400))
        assert len(connections) == opened


def test_a_role_with_a_limit_of_its_own(newest_db: Database) -> None:
    role = newest_db.role("CONNECTION LIMIT 2")
    connections: list[Any] = []

    def connect() -> Any:
        connections.append(newest_db.connect(user=role))
        return connections[-1]

    with open_sessions(connect, Limits(), jobs="auto") as workers:
        for _ in range(2):
            assert list(workers.map(work_of_nobody, range(400))) == list(range(400))
    assert len(connections) == 2


def test_a_callable_that_has_one_connection(newest_db: Database) -> None:
    with newest_db.connect() as conn, open_sessions(lambda: conn, Limits(), jobs="auto") as workers:
        assert list(workers.map(work_of_nobody, range(400))) == list(range(400))


def test_an_open_connection_is_the_only_one(newest_db: Database) -> None:
    with newest_db.connect() as conn:
        assert core.check(conn, jobs="auto", allow_empty=True).rows == ()
        with open_sessions(conn, Limits(), jobs="auto") as workers:
            assert list(workers.map(work_of_nobody, range(400))) == list(range(400))
