"""Arguments as callers, forms and templates yield them."""

from __future__ import annotations

import ast
import contextlib
import json
import re
from collections.abc import Iterable, Mapping
from typing import Any

from airflow.providers.common.compat.sdk import AirflowFailException

#: A name in a comma-separated list: quoted parts may hold commas.
_LISTED = re.compile(r'(?:"(?:[^"]|"")*"|[^",])+')


def names(argument: str, value: Any) -> list[str]:
    """Return a list of names from what a caller, a form or a template yields: a list, JSON, or names with commas.

    :raises AirflowFailException: when it is nothing of the kind.
    """
    if isinstance(value, str):
        if not value.strip() or value.strip() == "None":
            raise AirflowFailException(f"{argument} is {value!r}, perhaps from a template: give names, or leave it out")
        if value.lstrip().startswith("["):
            for read in (json.loads, ast.literal_eval):
                with contextlib.suppress(ValueError, SyntaxError):
                    return names(argument, read(value))
            raise AirflowFailException(f"{argument} is {value!r}, which is no list")
        return [name.strip() for name in _LISTED.findall(value) if name.strip()]
    if value is None:
        return []
    if isinstance(value, Iterable) and not isinstance(value, Mapping | bytes):
        given = list(value)
        if all(isinstance(name, str) for name in given):
            return given
    raise AirflowFailException(f"{argument} is {value!r}: give a list of names")


def dictionary(argument: str, value: Any) -> dict[str, Any]:
    """Return a dictionary from what a caller, a form or a template yields."""
    if isinstance(value, str):
        for read in (json.loads, ast.literal_eval):
            with contextlib.suppress(ValueError, SyntaxError):
                return dictionary(argument, read(value))
        raise AirflowFailException(f"{argument} is {value!r}, which is no JSON")
    if value is not None and not isinstance(value, dict):
        raise AirflowFailException(f"{argument} is {value!r}: give a dictionary by sequence")
    return value or {}


def integer(argument: str, value: Any) -> Any:
    """Return an integer where a template has made a string of it. The core judges the value."""
    if not isinstance(value, str):
        return value
    try:
        return int(value)
    except ValueError:
        raise AirflowFailException(f"{argument} is {value!r}, perhaps from a template: give an integer") from None
