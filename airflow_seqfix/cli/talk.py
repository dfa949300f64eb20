"""What is said to a person, on stderr."""

from __future__ import annotations

from dataclasses import dataclass

import click


@dataclass(frozen=True, slots=True, kw_only=True)
class Talk:
    """How much is said."""

    quiet: bool = False
    verbose: bool = False

    def say(self, text: str) -> None:
        """Say what a person should know."""
        if not self.quiet:
            tell(text)

    def detail(self, text: str) -> None:
        """Say what a person wants to know who asks for more."""
        if self.verbose:
            tell(text)


def tell(text: str) -> None:
    from airflow_seqfix.core.errors import printable

    click.echo(f"seqfix: {printable(text)}", err=True)
