"""A connection on which no wait lasts longer than it may, and which another thread can stop."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager
from typing import Any

from airflow_seqfix.core.database.clock import CANCEL_AFTER, Clock, Line, Watch
from airflow_seqfix.core.database.drivers import ACTIVE, IDLE, is_psycopg3, notices, plain_cursor, read_to_the_end
from airflow_seqfix.core.errors import StoppedError

#: How long a ROLLBACK may take, in seconds.
ROLLBACK_TIMEOUT = 0.5


class BoundedConnection:
    """A connection of either driver, and the clock that ends what takes too long on it."""

    def __init__(self, connection: Any, clock: Clock) -> None:
        self._connection = connection
        self._clock = clock
        self._line = Line(connection)
        self._stopped = threading.Event()
        #: Whether the line was cut, because the server did not answer in time.
        self.was_cut = False

    @property
    def is_closed(self) -> bool:
        return bool(self._connection.closed)

    @property
    def is_lost(self) -> bool:
        """Whether it is unusable."""
        return self.is_closed or self.was_cut

    @property
    def is_in_transaction(self) -> bool:
        return bool(self._connection.info.transaction_status != IDLE)

    @property
    def keeps_all_results(self) -> bool:
        """Whether each statement of a message leaves its result, as with psycopg 3; else only the last one does."""
        return is_psycopg3(self._connection)

    @property
    def is_stopped(self) -> bool:
        return self._stopped.is_set()

    def execute(self, statement: str, seconds: float) -> Any:
        """Run a statement, or several, within so many seconds.

        :return: An open cursor on the first result that the driver has kept.
        :raises StoppedError: when it was stopped before.
        """
        with contextlib.ExitStack() as stack:
            cursor = stack.enter_context(contextlib.closing(plain_cursor(self._connection)))
            with self._bounded(seconds):
                # After the watch has begun: either it or this check sees a stop().
                self.refuse_stopped()
                cursor.execute(statement)
            stack.pop_all()
        return cursor

    def notices(self) -> AbstractContextManager[list[Any]]:
        """Put the server's notices into a list, as long as the block runs."""
        return notices(self._connection)

    def abandon(self) -> None:
        """Stop what is running and roll back; where that fails, close the connection: then the server does both."""
        with contextlib.suppress(Exception):
            if self._connection.info.transaction_status == ACTIVE:
                # An exception from a signal handler left it running.
                with self._bounded(-CANCEL_AFTER):
                    read_to_the_end(self._connection)
            if self.is_in_transaction:
                with contextlib.closing(plain_cursor(self._connection)) as cursor, self._bounded(ROLLBACK_TIMEOUT):
                    cursor.execute("ROLLBACK")
            if not self.was_cut:
                return
        with contextlib.suppress(Exception):
            self._connection.close()

    def stop(self) -> None:
        """From another thread: end the statement that is running, and let no other begin. Waits for nothing."""
        self._stopped.set()
        self._clock.hurry(self._line)

    def wait(self, seconds: float) -> None:
        """Wait, unless it is stopped."""
        self._stopped.wait(seconds)

    def refuse_stopped(self) -> None:
        """Raise StoppedError when it was stopped."""
        if self.is_stopped:
            raise StoppedError("the run was stopped")

    def release(self) -> None:
        """Let go of the connection, which stays open."""
        self._line.close()

    @contextlib.contextmanager
    def _bounded(self, seconds: float) -> Iterator[Watch]:
        """Wait for the server no longer than this."""
        watch: Watch | None = None
        try:
            with self._clock.bounded(self._line, seconds) as watch:
                yield watch
        finally:
            self.was_cut |= watch is not None and watch.was_cut
