"""One borrowed connection, used with care.

Nothing outlives a transaction here: every setting is SET LOCAL, no statement is prepared, no cursor is WITH HOLD. That
is what PgBouncer's transaction pooling asks for, and what leaves a caller's connection as it was.
"""

from __future__ import annotations

import contextlib
import datetime
import os
import re
import socket
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, TypeVar

from airflow_seqfix.core.database.connection import ACTIVE, IDLE, is_psycopg3, plain_cursor
from airflow_seqfix.core.errors import (
    CancelledStatementError,
    ConnectionFailedError,
    DeadlineError,
    StoppedError,
    first_line,
    sqlstate,
)
from airflow_seqfix.core.policy import Limits

Row = TypeVar("Row")

#: What an application_name may not hold, because it is written into a statement.
_NOT_PLAIN = re.compile(r"[^\w .:+=@/-]", re.ASCII)


#: The server looks every second whether its client is still there, and otherwise ends the statement: that of a killed
#: process would go on until `statement_timeout`. Where the operating system cannot tell, the setting is refused.
_WATCH_CLIENT = """
    SELECT set_config('client_connection_check_interval', '1000', true) WHERE version() ~ 'linux'
"""
_WATCHES_CLIENTS = 140000

#: How many rows of the catalogs the client asks for at once.
ROWS_AT_ONCE = 5_000
#: How many names and numbers are looked out for in later rows.
VALUES_KEPT = 1_000

#: The settings of a move that is sent with others: it looks at no rows, and begins and ends while nobody waits.
MOVE_SETTINGS = ("search_path", "lock_timeout", "statement_timeout", "application_name")

#: How long the server may take to answer a request to cancel, in seconds.
CANCEL_TIMEOUT = 5.0


class Session:
    """Transactions on one connection, each with its own timeouts, and a deadline over all of them."""

    def __init__(
        self, connection: Any, limits: Limits, *, application_name: str = "seqfix", deadline: float | None = None
    ) -> None:
        self._connection = connection
        self._stopped = threading.Event()
        self._opening = ""
        self._cursors = 0
        self.limits = limits
        self.started_at = datetime.datetime.now(datetime.UTC)
        self.deadline = time.monotonic() + limits.run_timeout if deadline is None else deadline
        self._settings = {
            # Nothing that a user created can stand in for a built-in function or operator.
            "search_path": "pg_catalog, pg_temp",
            # A policy that would hide rows becomes an error instead of a wrong maximum.
            "row_security": "off",
            # Compiling a catalog query takes longer than running it.
            "jit": "off",
            "lock_timeout": milliseconds(limits.lock_timeout),
            "statement_timeout": milliseconds(limits.statement_timeout),
            # A killed client leaves nothing behind for longer than this.
            "idle_in_transaction_session_timeout": "10000",
            "application_name": _NOT_PLAIN.sub("?", application_name)[:63],
        }

    @property
    def seconds_left(self) -> float:
        return self.deadline - time.monotonic()

    @contextlib.contextmanager
    def transaction(self, *, read_only: bool = True, one_snapshot: bool = False) -> Iterator[None]:
        """Run what is inside in one transaction; commit it, or roll it back if an exception leaves.

        :param one_snapshot: Whether all statements see the rows of one moment.
        :raises DeadlineError: when `run_timeout` is over.
        :raises ConnectionFailedError: when the connection is lost.
        """
        self.check_deadline()
        # Sent with the first statement: one round trip less.
        watch = f"{_WATCH_CLIENT};\n" if self._connection.info.server_version >= _WATCHES_CLIENTS else ""
        self._opening = self._begin(read_only, one_snapshot) + watch
        try:
            yield
            # A statement that takes a lock has brought its own.
            if self._connection.info.transaction_status != IDLE:
                self.run("COMMIT")
        except Exception as error:
            self._abandon()
            if sqlstate(error) == "57014" and time.monotonic() + 0.1 > self.deadline:
                raise self._deadline_error() from error
            if self._is_lost(error):
                raise ConnectionFailedError(
                    f"the connection was lost ({first_line(error)}): run again, no sequence has gone back"
                ) from error
            raise
        except BaseException:
            # Ctrl-C, or Airflow's timeout.
            self._abandon()
            raise

    def fetch(self, statement: str, row_type: Callable[..., Row]) -> list[Row]:
        """Run a query and return its rows as `row_type`, whose arguments are the query's column names.

        Through a cursor on the server, because what the drivers keep of a hundred thousand rows is as much again.
        """
        self._cursors += 1
        rows: list[Row] = []
        # The same few names, types and limits of thousands of rows are kept once. By the very type: True is 1.
        known: dict[Any, Any] = {}

        fetch = f"FETCH {ROWS_AT_ONCE} FROM seqfix_{self._cursors}"
        step = f"SET LOCAL cursor_tuple_fraction = 1;\nDECLARE seqfix_{self._cursors} CURSOR FOR {statement};\n{fetch}"
        while True:
            with self._executed(step) as cursor:
                names = [column[0] for column in cursor.description]
                before = len(rows)
                for row in cursor:
                    if len(known) < VALUES_KEPT:
                        known.update((value, value) for value in row if type(value) in (str, int))
                    shared = [known.get(value, value) if type(value) in (str, int) else value for value in row]
                    rows.append(row_type(**dict(zip(names, shared, strict=True))))
            if len(rows) - before < ROWS_AT_ONCE:
                return rows
            step = fetch

    def rows(self, statement: str) -> Sequence[tuple[Any, ...]]:
        """Run a statement and return its rows as tuples."""
        with self._executed(statement) as cursor:
            return list(cursor.fetchall())

    def rows_apart(self, statement: str) -> Sequence[tuple[Any, ...]]:
        """Run a statement in a read-only transaction of its own, and return its rows as tuples.

        With psycopg 3 that is one round trip, and no client, however slow, keeps the locks of what it has read.
        """
        with self.transaction():
            if not is_psycopg3(self._connection):
                return self.rows(statement)
            rows: Sequence[tuple[Any, ...]] = []
            with self._sent(f"{statement};\nCOMMIT") as cursor:
                more: Any = True
                while more:
                    if cursor.description:
                        rows = cursor.fetchall()
                    more = cursor.nextset()
            return rows

    def run(self, statement: str) -> None:
        """Run one statement, or several at once, for what they do."""
        with self._sent(statement):
            pass

    def run_apart(self, statements: Iterable[str]) -> None:
        """Run each statement in a transaction of its own, all in one round trip.

        Each is committed before the client goes on: a slow or hanging client would keep everybody waiting in between.
        The first that fails ends it; those before it stay committed.
        """
        with self.transaction(read_only=False):
            # The first has its BEGIN from transaction().
            opening = self._begin(settings=MOVE_SETTINGS)
            self.run(f";\nCOMMIT;\n{opening}".join(statements) + ";\nCOMMIT")

    def pause(self, seconds: float) -> None:
        """Wait, unless the run is stopped."""
        self._stopped.wait(seconds)

    def stop(self, *, cut: bool = False) -> None:
        """From another thread: end the statement that is running, and let no other transaction begin.

        :param cut: Whether to cut the connection, because nothing is heard from the server.
        """
        self._stopped.set()
        with contextlib.suppress(Exception):
            if cut:
                with socket.socket(fileno=os.dup(self._connection.fileno())) as line:
                    line.shutdown(socket.SHUT_RDWR)
            elif self._connection.info.transaction_status == ACTIVE:
                self._cancel()

    def check_deadline(self) -> None:
        """Raise DeadlineError when `run_timeout` is over, StoppedError when the run was stopped."""
        if self._stopped.is_set():
            raise StoppedError("the run was stopped")
        if self.seconds_left <= 0:
            raise self._deadline_error()

    def _deadline_error(self) -> DeadlineError:
        return DeadlineError(f"run_timeout of {self.limits.run_timeout:g} s is over: give a larger one")

    def _begin(self, read_only: bool = False, one_snapshot: bool = False, settings: Iterable[str] | None = None) -> str:
        isolation = "REPEATABLE READ" if one_snapshot else "READ COMMITTED"
        # Without a word for moves: a session that was made read-only stays so.
        access = "READ ONLY" if read_only else ""
        values = {name: self._settings[name] for name in settings or self._settings}
        remaining = max(1, int(self.seconds_left * 1000))
        values["statement_timeout"] = str(min(int(values["statement_timeout"]), remaining))
        local = "; ".join(
            f"SET LOCAL {name} = {value}" if name == "search_path" else f"SET LOCAL {name} = '{value}'"
            for name, value in values.items()
        )
        return f"BEGIN ISOLATION LEVEL {isolation} {access};\n{local};\n"

    @contextlib.contextmanager
    def _executed(self, statement: str) -> Iterator[Any]:
        """Run a statement, and yield a cursor on its rows, or on those of the last one if there are several."""
        with self._sent(statement) as cursor:
            # psycopg2 keeps the last result only.
            while is_psycopg3(self._connection) and cursor.nextset():
                pass
            yield cursor

    @contextlib.contextmanager
    def _sent(self, statement: str) -> Iterator[Any]:
        """Run one statement or several, and yield a cursor on the first result that the driver has kept."""
        opening, self._opening = self._opening, ""
        with contextlib.closing(plain_cursor(self._connection)) as cursor:
            sent_at = time.monotonic()
            try:
                cursor.execute(f"{opening}{statement}")
            except Exception as error:
                if sqlstate(error) == "57014" and time.monotonic() - sent_at < self.limits.statement_timeout:
                    raise CancelledStatementError(first_line(error)) from error
                raise
            yield cursor

    def _is_lost(self, error: Exception) -> bool:
        # 57P01 to 57P03: the server shuts down; class 08: connection exception.
        state = sqlstate(error) or ""
        return bool(self._connection.closed) or state.startswith("08") or state in ("57P01", "57P02", "57P03")

    def _cancel(self) -> None:
        if hasattr(self._connection, "cancel_safe"):
            self._connection.cancel_safe(timeout=CANCEL_TIMEOUT)
        else:
            self._connection.cancel()

    def _abandon(self) -> None:
        """Stop what is running and roll back; where that fails, close the connection: then the server does both."""
        self._opening = ""
        # Twice: a cancel that arrives late hits the first ROLLBACK.
        for _ in range(2):
            with contextlib.suppress(Exception):
                if self._connection.info.transaction_status == ACTIVE:
                    self._stop_statement()
                if self._connection.info.transaction_status != IDLE:
                    self.run("ROLLBACK")
                return
        with contextlib.suppress(Exception):
            self._connection.close()

    def _stop_statement(self) -> None:
        """End a statement that an exception from a signal handler has left running."""
        self._cancel()
        # psycopg 3 takes no other statement before the result has been read.
        while self._connection.pgconn.get_result() is not None:
            pass


def milliseconds(seconds: float) -> str:
    """Return a timeout as PostgreSQL takes it."""
    # 0 would mean: wait for ever.
    return str(max(1, round(seconds * 1000)))
