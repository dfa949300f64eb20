"""One borrowed connection, used with care.

Nothing outlives a transaction: every setting is SET LOCAL, no statement is prepared, no cursor is WITH HOLD. That
is what PgBouncer's transaction pooling asks for, and what leaves a caller's connection as it was.
"""

from __future__ import annotations

import contextlib
import datetime
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, TypeVar, get_type_hints

from airflow_seqfix.core.database.answers import Answer, Kind, checked
from airflow_seqfix.core.database.clock import CANCEL_AFTER, Clock, Line, Watch
from airflow_seqfix.core.database.drivers import ACTIVE, IDLE, is_psycopg3, notices, plain_cursor, read_to_the_end
from airflow_seqfix.core.database.opening import Opening
from airflow_seqfix.core.errors import (
    CancelledStatementError,
    ConnectionFailedError,
    DeadlineError,
    StoppedError,
    first_line,
    is_fatal,
    sqlstate,
)
from airflow_seqfix.core.policy import Limits

Row = TypeVar("Row")

#: How many rows of the catalogs the client asks for at once.
ROWS_AT_ONCE = 5_000
#: The size of the interning table of names and numbers.
VALUES_KEPT = 1_000

#: How a transaction that reads ends: what code of a table's owner has set in it (set_config() in the function of an
#: index, say) goes with it, and does not wait in the session for a caller with more rights.
END_OF_READS = "ROLLBACK"

#: How long a ROLLBACK may take, in seconds.
ROLLBACK_TIMEOUT = 0.5


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
        self._connection = connection
        #: Host and port that the connection goes to, as the driver knows them.
        self.endpoint: tuple[str, int] = (connection.info.host or "", int(connection.info.port))
        #: The database that it asked for.
        self.database: str = connection.info.dbname
        self._begins = Opening(
            limits=limits,
            server_version=connection.info.server_version,
            application_name=application_name,
            foreign=foreign,
        )
        self._clock = clock
        self._line = Line(connection)
        self._was_cut = False
        #: What ended the connection.
        self.lost_error: ConnectionFailedError | None = None
        self._stopped = threading.Event()
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
        return bool(self._connection.closed) or self._was_cut

    def close(self) -> None:
        """Let go of the connection, which stays open."""
        self._line.close()

    @contextlib.contextmanager
    def transaction(self, *, read_only: bool = True, one_snapshot: bool = False) -> Iterator[None]:
        """Run the block in one transaction; commit it if it writes, and roll it back after reads, or on an exception.

        :param one_snapshot: Whether all statements see the rows of one moment.
        :raises DeadlineError: when `run_timeout` is over.
        :raises ConnectionFailedError: when the connection is lost.
        """
        self.check_deadline()
        if self.is_lost:
            raise ConnectionFailedError("the connection was lost before")
        # Sent with the first statement: one round trip less.
        seconds, begins = self._seconds_for(1), self._begins
        self._opening = begins.of_reads(seconds, one_snapshot=one_snapshot) if read_only else begins.of_moves(seconds)
        try:
            yield
            # A statement sent by `*_apart` has sent its own end.
            if self._connection.info.transaction_status != IDLE:
                self.run(END_OF_READS if read_only else "COMMIT")
        except Exception as error:
            explained = self._explained(error)
            if explained is error:
                raise
            raise explained from error
        except BaseException:
            # Ctrl-C, or Airflow's timeout.
            self._abandon()
            raise

    def fetch(self, statement: str, row_type: Callable[..., Row], kinds: Mapping[str, Kind] | None = None) -> list[Row]:
        """Run a query and return its rows as `row_type`, whose arguments are the query's column names.

        :param kinds: The type of each column; None: as `row_type` is annotated.
        :raises UnexpectedAnswerError: when the server answers with something else.

        Through a cursor on the server, because what the drivers keep of a hundred thousand rows is as much again.
        """
        self._cursors += 1
        rows: list[Row] = []
        # Intern the few names, types and limits of thousands of rows. Keyed by type too: True is 1.
        known: dict[Any, Any] = {}
        answer = Answer(get_type_hints(row_type) if kinds is None else kinds)

        fetch = f"FETCH {ROWS_AT_ONCE} FROM seqfix_{self._cursors}"
        step = f"SET LOCAL cursor_tuple_fraction = 1;\nDECLARE seqfix_{self._cursors} CURSOR FOR {statement};\n{fetch}"
        while True:
            with self._executed(step) as cursor:
                names = [column[0] for column in cursor.description or ()]
                answer.expect(names)
                before = len(rows)
                for row in cursor:
                    answer.check(row)
                    if len(known) < VALUES_KEPT:
                        known.update((value, value) for value in row if type(value) in (str, int))
                    shared = [known.get(value, value) if type(value) in (str, int) else value for value in row]
                    rows.append(row_type(**dict(zip(names, shared, strict=True))))
            if len(rows) - before < ROWS_AT_ONCE:
                return rows
            step = fetch

    def rows(self, statement: str, **kinds: Kind) -> Sequence[Sequence[Any]]:
        """Run a statement and return its rows, whose columns are of these types, in order.

        :raises UnexpectedAnswerError: when the server answers with something else.
        """
        with self._executed(statement) as cursor:
            return checked(cursor.fetchall() if cursor.description else (), **kinds)

    def rows_alone(self, statement: str, **kinds: Kind) -> Sequence[Sequence[Any]]:
        """Run a statement as it is, with no transaction around it and no setting before it, and return its rows."""
        try:
            return self.rows(statement, **kinds)
        except Exception as error:
            explained = self._explained(error)
            if explained is error:
                raise
            raise explained from error

    def rows_apart(self, statement: str, **kinds: Kind) -> Sequence[Sequence[Any]]:
        """Run a statement in a read-only transaction of its own, and return its rows as `rows()` does.

        With psycopg 3 that is one round trip, and no client, however slow, keeps the locks of what it has read.
        """
        with self.transaction():
            if not is_psycopg3(self._connection):
                return self.rows(statement, **kinds)
            rows: Sequence[Sequence[Any]] = []
            with self._sent(f"{statement};\n{END_OF_READS}") as cursor:
                more: Any = True
                while more:
                    if cursor.description:
                        rows = cursor.fetchall()
                    more = cursor.nextset()
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
            with notices(self._connection) as warned:
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
            while not self._stopped.is_set() and (left := until - time.monotonic()) > 0:
                self.run("SET LOCAL jit = off")
                self._stopped.wait(min(left, 1.0))

    def stop(self) -> None:
        """From another thread: end the statement that is running, and let no other begin. Waits for nothing."""
        self._stopped.set()
        self._clock.hurry(self._line)

    @contextlib.contextmanager
    def overtime(self, seconds: float) -> Iterator[None]:
        """Leave at least so much time to the block."""
        deadline = self.deadline
        self.deadline = max(deadline, time.monotonic() + seconds)
        try:
            yield
        finally:
            self.deadline = deadline

    def check_deadline(self) -> None:
        """Raise DeadlineError when `run_timeout` is over, StoppedError when the run was stopped."""
        if self._stopped.is_set():
            raise StoppedError("the run was stopped")
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
            # psycopg2 keeps the last result only.
            while is_psycopg3(self._connection) and cursor.nextset():
                pass
            yield cursor

    @contextlib.contextmanager
    def _sent(self, statement: str, *, count: int = 1) -> Iterator[Any]:
        """Run one statement or several, and yield a cursor on the first result that the driver has kept.

        :param count: How many of them may take `statement_timeout`.
        """
        opening, self._opening = self._opening, ""
        with contextlib.closing(plain_cursor(self._connection)) as cursor:
            sent_at = time.monotonic()
            try:
                with self._bounded(self._seconds_for(count)):
                    # After the watch has begun: either it or this check sees a stop().
                    if self._stopped.is_set():
                        raise StoppedError("the run was stopped")
                    cursor.execute(f"{opening}{statement}")
            except Exception as error:
                if sqlstate(error) == "57014" and time.monotonic() - sent_at < self.limits.statement_timeout:
                    raise CancelledStatementError(first_line(error)) from error
                raise
            yield cursor

    @contextlib.contextmanager
    def _bounded(self, seconds: float) -> Iterator[Watch]:
        """Wait for the server no longer than this."""
        watch: Watch | None = None
        try:
            with self._clock.bounded(self._line, seconds) as watch:
                yield watch
        finally:
            self._was_cut |= watch is not None and watch.was_cut

    def _explained(self, error: Exception) -> Exception:
        """Return what an error means for the run, after what is left of the transaction has ended."""
        self._abandon()
        explained = self._meaning(error)
        if isinstance(explained, ConnectionFailedError):
            self.lost_error = explained
        return explained

    def _meaning(self, error: Exception) -> Exception:
        if self._was_cut:
            return ConnectionFailedError("the server did not answer in time, and the connection was cut: run again")
        if sqlstate(error) == "57014" and time.monotonic() + 0.1 > self.deadline:
            return self._deadline_error()
        if self._connection.closed or is_fatal(error):
            return ConnectionFailedError(
                f"the connection was lost ({first_line(error)}): run again, no sequence has gone back"
            )
        return error

    def _abandon(self) -> None:
        """Stop what is running and roll back; where that fails, close the connection: then the server does both."""
        self._opening = ""
        with contextlib.suppress(Exception):
            if self._connection.info.transaction_status == ACTIVE:
                # An exception from a signal handler left it running.
                with self._bounded(-CANCEL_AFTER):
                    read_to_the_end(self._connection)
            if self._connection.info.transaction_status != IDLE:
                with contextlib.closing(plain_cursor(self._connection)) as cursor, self._bounded(ROLLBACK_TIMEOUT):
                    cursor.execute("ROLLBACK")
            if not self._was_cut:
                return
        with contextlib.suppress(Exception):
            self._connection.close()
