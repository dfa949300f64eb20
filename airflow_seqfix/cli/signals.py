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
import time
from collections.abc import Iterator
from types import FrameType

ENDING = tuple(getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name))

#: Seconds after which it is looked at whether a signal's exception was lost.
AGAIN = 0.5
#: Seconds in which a run can end in order: a cancel, a ROLLBACK, and the threads of several sessions.
GRACE = 15.0


class Interrupted(BaseException):
    """A signal has come.

    No KeyboardInterrupt: psycopg 3 would then itself wait for a server that may be silent.
    """


@contextlib.contextmanager
def as_exceptions() -> Iterator[list[int]]:
    """Turn the signals that end a process into `Interrupted`; yield a list of those that came.

    It is raised again where it was lost: Python ignores what is raised in a destructor or in a weak reference's
    callback (`sys.unraisablehook`), and whoever handles each object's errors may take an error that follows from it for
    one of these.
    """
    received: list[int] = []
    ends_at = float("inf")

    def interrupt(signum: int, frame: FrameType | None) -> None:
        nonlocal ends_at
        received.append(signum)
        # Who asks a second time does not want to wait.
        signal.signal(signum, signal.SIG_DFL)
        ends_at = min(ends_at, time.monotonic() + GRACE)
        if hasattr(signal, "setitimer"):
            signal.signal(signal.SIGALRM, insist)
            signal.setitimer(signal.ITIMER_REAL, AGAIN, AGAIN)
        raise Interrupted

    def insist(signum: int, frame: FrameType | None) -> None:
        if not _is_on_its_way() or time.monotonic() > ends_at:
            raise Interrupted

    def unraisable(lost: sys.UnraisableHookArgs) -> None:
        if not isinstance(lost.exc_value, Interrupted):
            hook(lost)

    hook, sys.unraisablehook = sys.unraisablehook, unraisable
    before = {}
    for signum in ENDING:
        # What runs under nohup, or in the background of a script, ignores some of them.
        if signal.getsignal(signum) is not signal.SIG_IGN:
            before[signum] = signal.signal(signum, interrupt)
    try:
        yield received
    finally:
        if received and hasattr(signal, "setitimer"):
            signal.setitimer(signal.ITIMER_REAL, 0)
            signal.signal(signal.SIGALRM, signal.SIG_DFL)
        for signum, handler in before.items():
            signal.signal(signum, handler)
        sys.unraisablehook = hook


def _is_on_its_way() -> bool:
    """Whether what has been raised is being handled: by a block that cleans up, say."""
    error = sys.exception()
    while error is not None and not isinstance(error, Interrupted):
        error = error.__context__
    return error is not None


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
