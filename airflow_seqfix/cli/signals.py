"""Ctrl-C, a job that is terminated, and a reader that goes away.

Python's own answer to SIGTERM and SIGHUP is to die at once, and a statement would go on in the server without anybody
who waits for it. Here each of them ends the run as Ctrl-C does: the statement is cancelled, the transaction is rolled
back. Then the process dies of the signal, so that a shell's loop ends as well.
"""

from __future__ import annotations

import contextlib
import os
import signal
import sys
from collections.abc import Iterator
from types import FrameType

ENDING = tuple(getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name))


class Interrupted(BaseException):
    """A signal has come.

    No KeyboardInterrupt: psycopg 3 would then itself wait for a server that may be silent.
    """


@contextlib.contextmanager
def as_exceptions() -> Iterator[list[int]]:
    """Turn the signals that end a process into `Interrupted`; yield a list of those that came."""
    received: list[int] = []

    def interrupt(signum: int, frame: FrameType | None) -> None:
        received.append(signum)
        # Who asks a second time does not want to wait.
        signal.signal(signum, signal.SIG_DFL)
        raise Interrupted

    before = {}
    for signum in ENDING:
        # What runs under nohup, or in the background of a script, ignores some of them.
        if signal.getsignal(signum) is not signal.SIG_IGN:
            before[signum] = signal.signal(signum, interrupt)
    try:
        yield received
    finally:
        for signum, handler in before.items():
            signal.signal(signum, handler)


def end_by(signum: int) -> None:
    """End the process as the signal would have."""
    with contextlib.suppress(AttributeError, OSError):
        # It is None where it was closed.
        sys.stdout.flush()
    signal.signal(signum, signal.SIG_DFL)
    signal.raise_signal(signum)


def drop_output() -> None:
    """Write no more to stdout: nobody reads it."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
