"""Several threads on one connection, one after the other."""

from __future__ import annotations

import threading
import time


class Turn:
    """Lets one thread at a time use a connection; whoever has it may take it again."""

    def __init__(self) -> None:
        self._lock = threading.RLock()

    def __enter__(self) -> None:
        self._lock.acquire()

    def __exit__(self, *error: object) -> None:
        self._lock.release()
        # A thread that waits sends its statement before this one takes its rows apart: by itself Python would let this
        # one go on, with an idle server, for up to 5 ms (sys.getswitchinterval()).
        time.sleep(0)
