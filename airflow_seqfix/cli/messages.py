"""What is said to a person, on stderr."""

from __future__ import annotations

import contextlib
import os
import shutil
import sys
import textwrap
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from rich.console import Console

#: The narrowest that a line gets.
NARROWEST = 40


def is_terminal(stream: IO[str] | None) -> bool:
    """Whether a person is at the other end; a stream that is closed is None."""
    return stream is not None and stream.isatty()


def is_plain() -> bool:
    """Whether nothing is to be coloured or made bold: NO_COLOR says so, or the terminal cannot."""
    return bool(os.environ.get("NO_COLOR")) or os.environ.get("TERM") == "dumb"


def console(**settings: Any) -> Console:
    """Return a console of rich for stderr."""
    from rich.console import Console

    # Without a colour system it writes no escape sequence at all; with NO_COLOR alone it would still write bold ones.
    return Console(stderr=True, highlight=False, color_system=None if is_plain() else "auto", **settings)


@dataclass(frozen=True, slots=True, kw_only=True)
class Messages:
    """How much is said."""

    quiet: bool = False
    verbose: bool = False

    def say(self, text: str) -> None:
        """Say what a person should know."""
        if not self.quiet:
            announce(text)

    def detail(self, text: str) -> None:
        """Say what a person wants to know who asks for more."""
        if self.verbose:
            announce(text)


def announce(text: str) -> None:
    """Say one thing: on a terminal in lines that end between words, elsewhere in one line."""
    from airflow_seqfix.core.errors import printable

    said = f"seqfix: {printable(text)}"
    if is_terminal(sys.stderr):
        width = max(NARROWEST, shutil.get_terminal_size().columns)
        said = textwrap.fill(said, width, break_long_words=False, break_on_hyphens=False)
    say(said)


def say(text: str, *, nl: bool = True) -> None:
    """Write to stderr as it is; where it takes nothing, the exit status alone has to do."""
    with contextlib.suppress(OSError):
        click.echo(text, nl=nl, err=True)
