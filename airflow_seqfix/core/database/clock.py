"""The client's clock: it ends a wait for a server that does not keep its timeouts.

`statement_timeout` and `lock_timeout` are kept by the server, and only while it runs a statement: not in a COMMIT that
waits for a standby, nor by a server or a network that hangs. An overdue wait is cancelled, repeatedly,
because a cancel that arrives before its statement is lost; if that does not help, the line is cut.
"""

from __future__ import annotations

import contextlib
import os
import socket
import threading
import time
from collections.abc import Iterator
from typing import Any

#: Seconds after its time at which a wait is cancelled: the server's timeout comes first.
CANCEL_AFTER = 0.5
#: Seconds after its time at which the line is cut. No wait is longer.
CUT_AFTER = 1.5
#: How often to cancel, in seconds.
AGAIN = 0.25
#: How long the server may take to answer a knock, or a request to cancel, in seconds.
ANSWER = 1.0

#: The message that asks whether a server speaks TLS. It answers without a process for the connection, or a password.
_KNOCK = (8).to_bytes(4, "big") + (80877103).to_bytes(4, "big")


class Line:
    """The line of one connection, for threads that end what another one waits for."""

    def __init__(self, connection: Any) -> None:
        self._connection = connection
        # A descriptor of its own: libpq closes its own when the line is lost, and its number is soon another file's.
        self._socket = socket.socket(fileno=os.dup(connection.fileno()))

    def cancel(self) -> None:
        """Ask the server to end the statement that is running. It takes two seconds at most."""
        with contextlib.suppress(Exception):
            if self._is_answered():
                if hasattr(self._connection, "cancel_safe"):
                    self._connection.cancel_safe(timeout=ANSWER)
                else:
                    self._connection.cancel()

    def cut(self) -> None:
        """End the line: whoever waits for an answer gets an error. The connection is closed by who uses it."""
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        """Let go of the line, which stays the connection's."""
        self._socket.close()

    def _is_answered(self) -> bool:
        """Whether the server answers at all.

        While psycopg2 asks a silent server to cancel, and psycopg 3 with a libpq before 17, no thread of the process
        gets a turn.
        """
        with socket.socket(self._socket.family, socket.SOCK_STREAM) as knock:
            knock.settimeout(ANSWER)
            knock.connect(self._socket.getpeername())
            knock.sendall(_KNOCK)
            return knock.recv(1) != b""


class Watch:
    """One wait for a server."""

    def __init__(self, line: Line, due: float) -> None:
        self.line = line
        self.was_cut = False
        self._due = due
        self._canceller: threading.Thread | None = None
        #: When to do something next, by `time.monotonic()`.
        self.next = due + CANCEL_AFTER

    def hurry(self) -> None:
        """Make it due now, without waiting for the server's timeout."""
        self._due = min(self._due, time.monotonic() - CANCEL_AFTER)
        self.next = min(self.next, self._due + CANCEL_AFTER)

    def act(self, now: float) -> None:
        """Do what is due."""
        if now < self.next:
            return
        if now >= self._due + CUT_AFTER:
            self.was_cut = True
            self.line.cut()
            self.next = float("inf")
            return
        if self._canceller is None or not self._canceller.is_alive():
            # By a thread of its own, because it has to wait for an answer itself.
            self._canceller = threading.Thread(target=self.line.cancel, name="seqfix-cancel", daemon=True)
            self._canceller.start()
        self.next = min(now + AGAIN, self._due + CUT_AFTER)

    def settle(self) -> None:
        """Make sure that no request to cancel is on its way, which would end a statement that comes later."""
        if self._canceller is not None:
            self._canceller.join(0.0 if self.was_cut else 2 * ANSWER)
            if self._canceller.is_alive():
                self.was_cut = True
                self.line.cut()


class Clock:
    """Watches all waits of a run, from a thread that begins with the first of them."""

    def __init__(self) -> None:
        self._watches: set[Watch] = set()
        # Entered by itself: an exception from a signal handler could leave it locked in Condition.__enter__(), which is
        # written in Python.
        self._lock = threading.RLock()
        self._changed = threading.Condition(self._lock)
        self._thread: threading.Thread | None = None
        self._wakes_at = float("inf")
        self._is_closed = False

    @contextlib.contextmanager
    def bounded(self, line: Line, seconds: float) -> Iterator[Watch]:
        """End the wait that is inside, on `line`, when `seconds` and `CUT_AFTER` are over."""
        watch = Watch(line, time.monotonic() + seconds)
        try:
            with self._lock:
                self._watches.add(watch)
                if self._thread is None:
                    thread = threading.Thread(target=self._run, name="seqfix-clock", daemon=True)
                    thread.start()
                    self._thread = thread
                elif watch.next < self._wakes_at:
                    self._changed.notify()
            yield watch
        finally:
            with self._lock:
                self._watches.discard(watch)
            watch.settle()

    def hurry(self, line: Line | None = None) -> None:
        """From any thread: end what is waited for on this line, or on all."""
        with self._lock:
            for watch in self._watches:
                if line is None or watch.line is line:
                    watch.hurry()
            self._changed.notify()

    def close(self) -> None:
        with self._lock:
            self._is_closed = True
            self._changed.notify_all()
        if self._thread is not None:
            self._thread.join()

    def _run(self) -> None:
        with self._lock:
            while not self._is_closed:
                now = time.monotonic()
                for watch in self._watches:
                    watch.act(now)
                self._wakes_at = min((watch.next for watch in self._watches), default=float("inf"))
                left = self._wakes_at - time.monotonic()
                self._changed.wait(max(0.0, left) if left < threading.TIMEOUT_MAX else None)
