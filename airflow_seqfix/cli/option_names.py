"""The core speaks of its arguments; a person in a shell knows them as options."""

from __future__ import annotations

import re

from airflow_seqfix.options import OPTIONS

_VALUE = re.compile(r'\b([a-z]+(?:_[a-z]+)*)=(?:True\b|"(\w+)")')
_PREFIX = re.compile(r"(schemas|tables|columns|sequences|exclude|mapping|id_range|plan): ")


def option(argument: str) -> str:
    """Return how the command spells an argument."""
    known = OPTIONS.get(argument)
    return known.flags[-1] if known and known.flags else f"--{argument.replace('_', '-')}"


def with_options(text: str) -> str:
    """Write `foreign=True` as `--foreign`, and `lock="none"` as `--lock none`; none of them gets longer."""
    return _VALUE.sub(lambda found: f"{option(found[1])}{f' {found[2]}' if found[2] else ''}", text)


def as_error(text: str) -> str:
    """Write what the core says of an argument as said of an option."""
    prefix = _PREFIX.match(text)
    if prefix is not None:
        # A table may have been named without its option, and is named by the rest.
        is_selection = prefix[1] in ("schemas", "tables", "columns", "sequences")
        text = ("" if is_selection else f"{option(prefix[1])}: ") + text[prefix.end() :]
    # A name of one word is a word like others, unless the text begins with its value.
    names = "|".join(name for name in OPTIONS if "_" in name)
    values = "|".join(name for name in OPTIONS if "_" not in name)
    return re.sub(rf"\b({names})\b|^({values})(?==)", lambda found: option(found[0]), with_options(text))
