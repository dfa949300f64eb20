"""Runs that are interrupted, and the threads that they leave."""

from __future__ import annotations

import contextlib
import os
import signal
import threading
from collections.abc import Iterator

from tests.support.servers import Database
from tests.support.waiting import until

DRIVERS = ("psycopg", "psycopg2")


@contextlib.contextmanager
def no_thread_is_left() -> Iterator[None]:
    before = set(threading.enumerate())
    yield
    assert {thread.name for thread in set(threading.enumerate()) - before} == set()


class Interrupted(BaseException):
    """As Ctrl-C and Airflow's time limit, no Exception."""


@contextlib.contextmanager
def interrupted_when_asleep(db: Database, sessions: int) -> Iterator[None]:
    """Interrupt what is inside as soon as so many sessions sleep."""

    def interrupt(*_: object) -> None:
        raise Interrupted

    def wait() -> None:
        asleep = "datname = current_database() AND wait_event = 'PgSleep'"
        try:
            until(lambda: db.value(f"SELECT count(*) FROM pg_stat_activity WHERE {asleep}") == sessions, "sleepers")
        finally:
            os.kill(os.getpid(), signal.SIGUSR1)

    before = signal.signal(signal.SIGUSR1, interrupt)
    thread = threading.Thread(target=wait)
    thread.start()
    try:
        yield
    finally:
        thread.join()
        signal.signal(signal.SIGUSR1, before)
