"""Waiting for what comes in its own time, such as a server process that goes after its client has."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")

#: Long enough for the busiest machine, in seconds: who waits in vain waits for a failure.
PATIENCE = 60.0

#: Has a row while somebody waits for the lock of a table or a sequence.
LOCK_AWAITED = "SELECT FROM pg_locks WHERE locktype = 'relation' AND NOT granted"


def until(condition: Callable[[], T], what: str, *, seconds: float = PATIENCE, pause: float = 0.02) -> T:
    """Return what a condition comes to, once that is something.

    :param what: What is waited for, to be told where it does not come.
    """
    deadline = time.monotonic() + seconds
    while not (value := condition()):
        assert time.monotonic() < deadline, f"not within {seconds:g} s: {what}"
        time.sleep(pause)
    return value
