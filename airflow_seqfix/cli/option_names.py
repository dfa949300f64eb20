"""The core speaks of its options as of arguments; a person in a shell knows them with dashes."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from airflow_seqfix.options import NAME_OPTIONS, OPTIONS
from airflow_seqfix.rules import Choice, Flag

#: The arguments that sentences name, none of which is a word of theirs.
_ARGUMENT = re.compile(
    rf"""(?<![\w."-])({"|".join(name for name in OPTIONS if "_" in name)}|margin(?==))(?![\w."])(=?)"""
)

if TYPE_CHECKING:
    from airflow_seqfix.core import SeqfixError


def option(argument: str) -> str:
    """Return how the command spells an argument."""
    known = OPTIONS.get(argument)
    return known.flags[-1] if known and known.flags else f"--{argument.replace('_', '-')}"


def as_error(error: SeqfixError) -> str:
    """Return an error as said of options."""
    # A table may have been named without its option, and is named by the rest.
    is_named = error.option in NAME_OPTIONS and error.option != "exclude"
    return error.spelled(lambda name: "" if is_named and name == error.option else option(name))


def _in_a_shell() -> dict[str, str]:
    """Return what remedies say of options, in Python and for a shell."""
    said = {}
    for name, known in OPTIONS.items():
        if isinstance(known.rule, Flag):
            said[f"{name}=True"] = option(name)
        if isinstance(known.rule, Choice):
            said |= {f'{name}="{value}"': f"{option(name)} {value}" for value in known.rule.values}
    return said


def with_options(text: str) -> str:
    """Write `foreign=True` as `--foreign`, `lock="none"` as `--lock none`, and `max_jump` as `--max-jump`."""
    for python, shell in _in_a_shell().items():
        text = text.replace(python, shell)
    # No part of a name, nor of one with dots or in quotes.
    return _ARGUMENT.sub(lambda found: option(found[1]) + (" " if found[2] else ""), text)
