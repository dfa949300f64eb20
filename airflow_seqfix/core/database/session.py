"""One borrowed connection, used with care.

Nothing outlives a transaction: every setting is SET LOCAL, no statement is prepared, no cursor is WITH HOLD. That
is what PgBouncer's transaction pooling asks for, and what leaves a caller's connection as it was.
"""

from __future__ import annotations

import contextlib
import datetime
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, get_type_hints

from airflow_seqfix.core.database.answers import Kind, checked
from airflow_seqfix.core.database.bounded import BoundedConnection
from airflow_seqfix.core.database.clock import Clock
from airflow_seqfix.core.database.legible import legible, needs_replacing
from airflow_seqfix.core.database.opening import Opening
from airflow_seqfix.core.database.turn import Turn
from airflow_seqfix.core.database.typed_rows import Row, TypedRows
from airflow_seqfix.core.errors import (
    CancelledStatementError,
    ConnectionFailedError,
    DeadlineError,
    LostBeforeError,
    first_line,
    is_fatal,
    sqlstate,
)
from airflow_seqfix.core.policy import Limits

#: How many rows of the catalogs the client asks for at once.
ROWS_AT_ONCE = 5_000

#: How a transaction that reads ends: what code of a table's owner has set in it (set_config() in the function of an
#: index, say) goes with it, and does not wait in the session for a caller with more rights.
END_OF_READS = "ROLLBACK"


class Session:
    """Transactions on one connection, each with its own timeouts, and a deadline over all of them."""

    def __init__(
        self,
        connection: Any,
        limits: Limits,
        *,
        clock: Clock,
        application_name: str = "seqfix",
        deadline: float | None = None,
        foreign: bool = False,
    ) -> None:
        self._connection = BoundedConnection(connection, clock)
        #: Host and port that the connection goes to, as the driver knows them.
        self.endpoint: tuple[str, int] = (connection.info.host or "", int(connection.info.port))
        #: The database that it asked for.
        self.database: str = connection.info.dbname
        #: Whether bytes of names that are no text for the client are replaced.
        self.replaces_names = needs_replacing(connection)
        self._begins = Opening(
            limits=limits,
            server_version=connection.info.server_version,
            application_name=application_name,
            foreign=foreign,
        )
        #: What ended the connection.
        self.lost_error: ConnectionFailedError | None = None
        #: Whose turn it is, of several threads. A transaction takes it by itself.
        self.turn = Turn()
        self._opening = ""
        self._cursors = 0
        self.limits = limits
        self.started_at = datetime.datetime.now(datetime.UTC)
        self.deadline = time.monotonic() + limits.run_timeout if deadline is None else deadline

    @property
    def seconds_left(self) -> float:
        return self.deadline - time.monotonic()

    @property
    def is_lost(self) -> bool:
        """Whether the connection is unusable."""
        return self._connection.is_lost

    def close(self) -> None:
        """Let go of the connection, which stays open."""
        self._connection.release()

    @contextlib.contextmanager
    def transaction(self, *, read_only: bool = True, one_snapshot: bool = False) -> Iterator[None]:
        """Run the block in one transaction; commit it if it writes, and roll it back after reads, or on an exception.

        Transactions of several threads wait for each other.

        :param one_snapshot: Whether all statements see the rows of one moment.
        :raises DeadlineError: when `run_timeout` is over.
        :raises ConnectionFailedError: when the connection is lost.
        """
        with self.turn:
            self.check_deadline()
            if self.is_lost:
                raise LostBeforeError("the connection was lost before")
            # Sent with the first statement: one round trip less.
            seconds, begin = self._seconds_for(1), self._begins
            self._opening = begin.of_reads(seconds, one_snapshot=one_snapshot) if read_only else begin.of_moves(seconds)
            with self._explained():
                yield
                # A statement sent by `*_apart` has sent its own end.
                if self._connection.is_in_transaction:
                    self.run(END_OF_READS if read_only else "COMMIT")

    def fetch(self, statement: str, row_type: Callable[..., Row], kinds: Mapping[str, Kind] | None = None) -> list[Row]:
        """Run a query and return its rows as `row_type`, whose arguments are the query's column names.

        Through a cursor on the server, because what the drivers keep of a hundred thousand rows is as much again.

        :param kinds: The type of each column; None: as `row_type` is annotated.
        :raises UnexpectedAnswerError: when the server answers with something else.
        """
        self._cursors += 1
        kinds = get_type_hints(row_type) if kinds is None else kinds
        typed = TypedRows(row_type, kinds)
        if self.replaces_names:
            statement = legible(statement, kinds)
        fetch = f"FETCH {ROWS_AT_ONCE} FROM seqfix_{self._cursors}"
        step = f"SET LOCAL cursor_tuple_fraction = 1;\nDECLARE seqfix_{self._cursors} CURSOR FOR {statement};\n{fetch}"
        while True:
            with self._executed(step) as cursor:
                if typed.take(cursor) < ROWS_AT_ONCE:
                    return typed.rows
            step = fetch

    def rows(self, statement: str, **kinds: Kind) -> Sequence[Sequence[Any]]:
        """Run a statement and return its rows, whose columns are of these types, in order.

        :raises UnexpectedAnswerError: when the server answers with something else.
        """
        with self._executed(statement) as cursor:
            return checked(cursor.fetchall() if cursor.description else (), **kinds)

    def rows_alone(self, statement: str, **kinds: Kind) -> Sequence[Sequence[Any]]:
        """Run a statement as it is, with no transaction around it and no setting before it, and return its rows."""
        with self._explained():
            return self.rows(statement, **kinds)

    def rows_apart(self, statement: str, **kinds: Kind) -> Sequence[Sequence[Any]]:
        """Run a statement in a read-only transaction of its own, and return its rows as `rows()` does.

        With psycopg 3 that is one round trip, and no client, however slow, keeps the locks of what it has read.
        """
        rows: Sequence[Sequence[Any]] = []
        with self.transaction():
            is_one_message = self._connection.keeps_all_results
            with self._sent(f"{statement};\n{END_OF_READS}" if is_one_message else statement) as cursor:
                more: Any = True
                while more:
                    if cursor.description:
                        rows = cursor.fetchall()
                    more = is_one_message and cursor.nextset()
        return checked(rows, **kinds)

    def run(self, statement: str) -> None:
        """Run one statement, or several at once, without reading rows."""
        with self._sent(statement):
            pass

    def run_apart(self, statements: Iterable[str]) -> None:
        """Run each statement in a transaction of its own, all in one round trip.

        Each is committed before the client goes on: a slow or hanging client would keep everybody waiting in between.
        The first that fails ends it; those before it stay committed.
        """
        with self.transaction(read_only=False):
            # The first has its BEGIN from transaction().
            opening, moves = self._begins.of_another_move(self._seconds_for(1)), list(statements)
            with self._sent(f";\nCOMMIT;\n{opening}".join(moves) + ";\nCOMMIT", count=len(moves)):
                pass

    def await_standbys(self) -> bool:
        """Wait until all that was committed so far has reached the synchronous standbys, and return whether it has.

        At most `statement_timeout`, without a lock, and as `synchronous_commit` asks. A cancel ends the wait: the
        server then commits with a warning.
        """
        try:
            self.check_deadline()
            with self._connection.notices() as warned:
                # What is written makes COMMIT wait; an xid alone would not (RecordTransactionCommit() in xact.c).
                self.run(
                    "BEGIN; SET LOCAL client_min_messages = 'warning'; SET LOCAL search_path = pg_catalog, pg_temp;\n"
                    "SELECT pg_logical_emit_message(true, 'seqfix', '');\nCOMMIT"
                )
            return not warned
        except Exception:
            self._abandon()
            return False

    def pause(self, seconds: float) -> None:
        """Wait, unless the run is stopped.

        Inside a transaction that holds nothing: `idle_session_timeout` counts between transactions.
        """
        with self.transaction():
            until = time.monotonic() + seconds
            # Each statement begins `idle_in_transaction_session_timeout` anew.
            while not self._connection.is_stopped and (left := until - time.monotonic()) > 0:
                self.run("SET LOCAL jit = off")
                self._connection.wait(min(left, 1.0))

    def stop(self) -> None:
        """From another thread: end the statement that is running, and let no other begin. Waits for nothing."""
        self._connection.stop()

    @contextlib.contextmanager
    def overtime(self, seconds: float) -> Iterator[None]:
        """Let the block run for so much longer than the deadline, and no longer: not after a wait that was overdue."""
        deadline = self.deadline
        self.deadline = deadline + seconds
        try:
            yield
        finally:
            self.deadline = deadline

    def check_deadline(self) -> None:
        """Raise DeadlineError when `run_timeout` is over, StoppedError when the run was stopped."""
        self._connection.refuse_stopped()
        if self.seconds_left <= 0:
            raise self._deadline_error()

    def _deadline_error(self) -> DeadlineError:
        return DeadlineError(
            "the run was not done by then",
            option="run_timeout",
            value=self.limits.run_timeout,
            remedy="give a larger one",
        )

    def _seconds_for(self, statements: int) -> float:
        """Return the time that so many statements may take together."""
        return max(0.0, min(self.limits.statement_timeout * statements, self.seconds_left))

    @contextlib.contextmanager
    def _executed(self, statement: str) -> Iterator[Any]:
        """Run a statement, and yield a cursor on its rows, or on those of the last one if there are several."""
        with self._sent(statement) as cursor:
            while self._connection.keeps_all_results and cursor.nextset():
                pass
            yield cursor

    @contextlib.contextmanager
    def _sent(self, statement: str, *, count: int = 1) -> Iterator[Any]:
        """Run one statement or several, and yield a cursor on the first result that the driver has kept.

        :param count: How many of them may take `statement_timeout`.
        """
        opening, self._opening = self._opening, ""
        sent_at = time.monotonic()
        try:
            cursor = self._connection.execute(f"{opening}{statement}", self._seconds_for(count))
        except Exception as error:
            if sqlstate(error) == "57014" and time.monotonic() - sent_at < self.limits.statement_timeout:
                raise CancelledStatementError(first_line(error)) from error
            raise
        with contextlib.closing(cursor):
            yield cursor

    @contextlib.contextmanager
    def _explained(self) -> Iterator[None]:
        """After an exception end what is left of the transaction; raise an error as what it means for the run."""
        try:
            yield
        except Exception as error:
            self._abandon()
            explained = self._meaning(error)
            if isinstance(explained, ConnectionFailedError):
                self.lost_error = explained
            if explained is error:
                raise
            raise explained from error
        except BaseException:
            # Ctrl-C, or Airflow's timeout.
            self._abandon()
            raise

    def _meaning(self, error: Exception) -> Exception:
        if self._connection.was_cut:
            return ConnectionFailedError("the server did not answer in time, and the connection was cut: run again")
        if sqlstate(error) == "57014" and time.monotonic() + 0.1 > self.deadline:
            return self._deadline_error()
        if self._connection.is_closed or is_fatal(error):
            return ConnectionFailedError(
                f"the connection was lost ({first_line(error)}): run again, no sequence has gone back"
            )
        return error

    def _abandon(self) -> None:
        """Stop what is running, and roll back."""
        self._opening = ""
        self._connection.abandon()
