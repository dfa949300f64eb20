"""How far a run has come: a live line with a bar on a terminal, a plain line now and then elsewhere."""

from __future__ import annotations

import contextlib
import sys
import threading
import time
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from airflow_seqfix.cli.messages import announce, console, is_terminal

if TYPE_CHECKING:
    from rich.console import RenderableType

    from airflow_seqfix.core.progress import Progress, Watcher

#: After how many seconds something is shown: who is answered at once needs no bar.
PATIENCE = 1.0
#: After how many seconds a table or sequence that takes long is named.
SLOW = 2.0
#: How many seconds lie between two lines where there is no terminal.
PAUSE = 5.0
#: What is read first.
CATALOGS = "the catalogs"
#: How wide the bar is where there is room, and at least where all figures are to stand beside it.
BAR, LEAST_BAR = 24, 6


class Clock:
    """The latest progress, and since when."""

    def __init__(self) -> None:
        self.state: Progress | None = None
        self._phase_begun = self._current_since = time.monotonic()

    def __call__(self, state: Progress) -> None:
        now = time.monotonic()
        before, self.state = self.state, state
        if before is None or (before.phase, before.total) != (state.phase, state.total):
            self._phase_begun = now
        if before is None or (before.phase, before.current) != (state.phase, state.current):
            self._current_since = now

    @property
    def rate(self) -> float:
        """Sequences a second in this phase."""
        seconds = time.monotonic() - self._phase_begun
        return self.state.done / seconds if self.state and seconds else 0.0

    @property
    def slow(self) -> str | None:
        """What is being read or moved and takes long, and for how long."""
        seconds = time.monotonic() - self._current_since
        current = self.state and (CATALOGS if self.state.phase == "discover" else self.state.current)
        return None if current is None or seconds < SLOW else f"{current}, {seconds:.0f} s"


@contextlib.contextmanager
def shown_progress(*, quiet: bool) -> Iterator[Watcher | None]:
    """Show how far the run inside has come."""
    if quiet:
        yield None
        return
    clock = Clock()
    with _alongside(_show_bar if is_terminal(sys.stderr) else _say_lines, clock):
        yield clock


@contextlib.contextmanager
def _alongside(show: Callable[[Clock, threading.Event], None], clock: Clock) -> Iterator[None]:
    """Show the progress in a thread, until what is inside has ended."""
    ended = threading.Event()
    thread = threading.Thread(target=show, args=(clock, ended), daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


def _say_lines(clock: Clock, ended: threading.Event) -> None:
    while not ended.wait(PAUSE):
        if clock.state is not None:
            slow = f" for {clock.slow.rpartition(', ')[2]}" if clock.slow else ""
            announce(f"{clock.state}{slow}")


def _show_bar(clock: Clock, ended: threading.Event) -> None:
    if ended.wait(PATIENCE):
        return
    from rich.live import Live

    screen = console()
    with Live(console=screen, transient=True, refresh_per_second=8, get_renderable=lambda: _bar(clock, screen.width)):
        ended.wait()


def _bar(clock: Clock, width: int) -> RenderableType:
    from rich.console import Group
    from rich.progress_bar import ProgressBar
    from rich.table import Table
    from rich.text import Text

    from airflow_seqfix.core.errors import printable
    from airflow_seqfix.render.layout import elide, flow

    state = clock.state
    if state is None:
        return Group()
    if state.phase == "discover":
        return Text(f"reading {clock.slow or CATALOGS}")
    word = "reading" if state.phase == "read" else "moving"
    beside, below = _figures(clock, state), []
    room = width - len("  ".join([word, *beside]))
    if room < LEAST_BAR:
        beside, below = beside[:1], beside[1:]
        room = width - len("  ".join([word, *beside]))
    # What is moved in long strides fills its own bar.
    done, total = (state.values_done, state.values_total) if state.values_total else (state.done, state.total)
    bar = ProgressBar(total=max(total, 1), completed=done, width=max(1, min(BAR, room)))
    line = Table.grid(padding=(0, 1))
    line.add_row(word, bar, "  ".join(beside))
    lines = [Text(f"  {text}") for text in flow(below, width - 2, separator="  ")]
    if clock.slow:
        name, _, seconds = clock.slow.rpartition(", ")
        lines.append(Text(f"  {elide(printable(name), width - len(seconds) - 4)}, {seconds}", style="dim"))
    return Group(line, *lines)


def _figures(clock: Clock, state: Progress) -> list[str]:
    """Return what is told beside the bar, the most important first."""
    figures = [f"{state.done:,}/{state.total:,}"]
    if state.values_total:
        figures.append(f"{state.values_done:,} of {state.values_total:,} values")
    elif state.phase == "read":
        figures.append(f"{state.found:,} not in sync")
        if state.done:
            figures.append(f"{clock.rate:,.0f}/s")
    return figures
