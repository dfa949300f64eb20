"""JSON as people write it. Light: a DAG file reads it when it is parsed."""

from __future__ import annotations

import json
from typing import Any


class RepeatedKeyError(ValueError):
    """An object has a key twice."""


def read(text: str) -> Any:
    """Return what a text holds.

    :raises RepeatedKeyError: when an object has a key twice, of which the last would win without a word.
    :raises ValueError: when it is no JSON.
    """
    return json.loads(text, object_pairs_hook=_with_each_key_once)


def _with_each_key_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        keys = [key for key, _ in pairs]
        raise RepeatedKeyError(f"{next(key for key in keys if keys.count(key) > 1)!r} is in an object twice")
    return found
