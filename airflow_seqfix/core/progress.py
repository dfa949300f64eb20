"""The progress of a run."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Literal


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """The progress of a run. Moved sequences are read again, so "read" can follow "move".

    "discover", while the catalogs are read, comes first, and again where they have changed meanwhile.
    """

    phase: Literal["discover", "read", "move"]
    #: How many sequences are read, or moved.
    done: int = 0
    #: How many are to be read, or moved, in this phase; 0 while that is not known.
    total: int
    #: How many sequences read so far are behind, exhausted or unknown. Some are not done yet: what they need more is
    #: looked up in the end.
    found: int = 0
    #: The table being read, or the sequence being moved; None in between. Of several read together, it is
    #: the one that is likely to take longest.
    current: str | None = None
    #: How many values of a long advance have been passed.
    values_done: int = 0
    #: How many values the move of `current` passes; 0 while reading.
    values_total: int = 0

    def __str__(self) -> str:
        """Return it as one line, for a log."""
        if self.phase == "discover":
            return "reading the catalogs"
        if self.phase == "read":
            text = f"read {self.done:,} of {self.total:,} sequences, {self.found:,} not in sync"
            return f"{text}; reading {self.current}" if self.current else text
        text = f"moved {self.done:,} of {self.total:,} sequences"
        return f"{text}; {self.current}: {self.values_done:,} of {self.values_total:,} values" if self.current else text


#: Called in the thread that called `check()`, `plan()` or `fix()`. What it raises ends the run.
Watcher = Callable[[Progress], None]


class ProgressReporter:
    """Keeps count in one phase, and tells whoever watches."""

    def __init__(self, watcher: Watcher | None, state: Progress) -> None:
        self._watcher = watcher
        self.state = state

    def begin(self, current: str, *, values: int = 0) -> None:
        """Announce the current table or sequence."""
        self._report(replace(self.state, current=current, values_done=0, values_total=values))

    def passed(self, values: int) -> None:
        """Report the progress of a move."""
        self._report(replace(self.state, values_done=values))

    def find(self, found: int) -> None:
        """So many more are not in sync, and are not done yet."""
        if found:
            self._report(replace(self.state, found=self.state.found + found))

    def end(self, *, done: int, found: int = 0) -> None:
        """So many more are done, and so many of them are not in sync; where none is, there is nothing to tell."""
        if not done:
            return
        state = self.state
        self._report(
            replace(
                state, done=state.done + done, found=state.found + found, current=None, values_done=0, values_total=0
            )
        )

    def _report(self, state: Progress) -> None:
        self.state = state
        if self._watcher is not None:
            self._watcher(state)
