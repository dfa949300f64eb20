"""What is said to a person, on stderr."""

from __future__ import annotations

import shutil
import sys
import textwrap
from dataclasses import dataclass
from typing import IO

import click

#: The narrowest that a line gets.
NARROWEST = 40


def is_terminal(stream: IO[str] | None) -> bool:
    """Whether a person is at the other end; a stream that is closed is None."""
    return stream is not None and stream.isatty()


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
    click.echo(said, err=True)
