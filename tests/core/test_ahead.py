"""One connection that reads on while the client judges: one thread at a time uses it, and it comes back as it was."""

from __future__ import annotations

import contextlib
import contextvars
import threading
import time
from collections.abc import Callable
from typing import Any

import pytest

from airflow_seqfix import core
from airflow_seqfix.core.database.session import Session
from airflow_seqfix.core.database.sessions import Event, open_sessions
from airflow_seqfix.core.errors import ConnectionFailedError, LostBeforeError
from airflow_seqfix.core.measure.partitions import COLUMNS_AT_ONCE
from airflow_seqfix.core.policy import Limits
from tests.support.servers import Database
from tests.support.tables import make_tables
from tests.support.threads import DRIVERS, Interrupted, interrupted_when_asleep, no_thread_is_left
from tests.support.waiting import until
from tests.support.watched import Watched

Tell = Callable[[Event], None]


def connect(db: Database, driver: str) -> Any:
    return db.psycopg2() if driver == "psycopg2" else db.connect()


def is_as_it_was(conn: Any) -> bool:
    """Whether a connection that was borrowed takes statements, outside of a transaction."""
    with contextlib.closing(conn.cursor()) as cursor:
        assert conn.info.transaction_status == 0
        cursor.execute("SELECT pg_catalog.current_setting('statement_timeout')")
        return bool(cursor.fetchone() == ("0",))


@pytest.mark.parametrize("driver", DRIVERS)
def test_the_server_answers_the_next_while_the_caller_has_one(db: Database, driver: str) -> None:
    answered: list[int] = []

    def work(session: Session, item: int, tell: Tell) -> int:
        (row,) = session.rows_apart(f"SELECT {item}", item=int)
        answered.append(row[0])
        return int(row[0])

    with (
        no_thread_is_left(),
        contextlib.closing(connect(db, driver)) as conn,
        open_sessions(conn, Limits()) as sessions,
    ):
        results = sessions.map(work, range(20), only_reads=True)
        assert next(results) == 0
        until(lambda: 1 in answered, "the server has answered the next")
        assert list(results) == list(range(1, 20))


def test_a_check_reads_on_while_its_caller_is_told(db: Database) -> None:
    make_tables(db, 3 * COLUMNS_AT_ONCE, rows=1)
    watched = Watched(db.psycopg2())
    reads: list[int] = []

    def tell(progress: core.Progress) -> None:
        if progress.phase == "read" and progress.done and not reads:
            until(lambda: len(watched.reads) > 2, "another read than the first chunk's two")
            reads.append(progress.done)

    assert core.check(watched, progress=tell).summary["behind"] == 3 * COLUMNS_AT_ONCE
    assert reads == [COLUMNS_AT_ONCE]
    watched.close()


@pytest.mark.parametrize("driver", DRIVERS)
def test_one_thread_at_a_time_uses_the_connection(db: Database, driver: str) -> None:
    inside: set[int] = set()

    def work(session: Session, item: int, tell: Tell) -> set[int]:
        with session.transaction():
            inside.add(item)
            session.run("SELECT pg_sleep(0.01)")
            seen = set(inside)
            inside.remove(item)
        return seen

    with contextlib.closing(connect(db, driver)) as conn, open_sessions(conn, Limits()) as sessions:
        assert list(sessions.map(work, range(8), only_reads=True)) == [{item} for item in range(8)]


@pytest.mark.parametrize(("count", "starts"), [(COLUMNS_AT_ONCE, False), (COLUMNS_AT_ONCE + 1, True)])
def test_one_chunk_starts_no_thread(db: Database, count: int, starts: bool) -> None:
    make_tables(db, count)
    before = set(threading.enumerate())
    began: set[threading.Thread] = set()

    def tell(progress: core.Progress) -> None:
        began.update(set(threading.enumerate()) - before)

    with db.connect() as conn:
        assert core.check(conn, progress=tell).summary["in_sync"] == count
    assert any(thread.name.startswith("seqfix_") for thread in began) is starts


@pytest.mark.parametrize("driver", DRIVERS)
def test_an_interrupt_gives_a_borrowed_connection_back(db: Database, driver: str) -> None:
    def work(session: Session, item: int, tell: Tell) -> None:
        session.rows_apart("SELECT 1 FROM pg_sleep(60)", one=int)

    begun = time.monotonic()
    with contextlib.closing(connect(db, driver)) as conn:
        with (
            no_thread_is_left(),
            interrupted_when_asleep(db, sessions=1),
            pytest.raises(Interrupted),
            open_sessions(conn, Limits()) as sessions,
        ):
            list(sessions.map(work, range(4), only_reads=True))
        assert time.monotonic() - begun < 40
        assert is_as_it_was(conn)


@pytest.mark.parametrize("driver", DRIVERS)
def test_what_the_callback_raises_gives_a_borrowed_connection_back(db: Database, driver: str) -> None:
    make_tables(db, 6 * COLUMNS_AT_ONCE, rows=1)

    def tell(progress: core.Progress) -> None:
        if progress.phase == "read" and progress.done:
            raise ZeroDivisionError("of the caller's own")

    with contextlib.closing(connect(db, driver)) as conn:
        with no_thread_is_left(), pytest.raises(ZeroDivisionError, match="of the caller's own"):
            core.check(conn, progress=tell)
        assert is_as_it_was(conn)
        assert core.check(conn).summary["behind"] == 6 * COLUMNS_AT_ONCE


@pytest.mark.parametrize("driver", DRIVERS)
def test_what_waits_for_a_connection_that_is_lost_was_not_begun(db: Database, driver: str) -> None:
    """Else the tables that it reads would be suspected of code that ends connections."""

    def work(session: Session, item: int, tell: Tell) -> str:
        try:
            session.rows_apart("SELECT pg_terminate_backend(pg_backend_pid())", is_ended=bool)
        except LostBeforeError:
            return "before"
        except ConnectionFailedError:
            return "meanwhile"
        return "read"

    with contextlib.closing(connect(db, driver)) as conn, open_sessions(conn, Limits()) as sessions:
        assert list(sessions.map(work, range(4), only_reads=True)) == ["meanwhile", "before", "before", "before"]


def test_the_work_is_done_in_the_context_of_the_caller(db: Database) -> None:
    traced: contextvars.ContextVar[str] = contextvars.ContextVar("traced")
    traced.set("a span of the caller's")
    with db.connect() as conn, open_sessions(conn, Limits()) as sessions:
        found = sessions.map(lambda session, item, tell: traced.get("nothing"), range(3), only_reads=True)
        assert list(found) == ["a span of the caller's"] * 3
