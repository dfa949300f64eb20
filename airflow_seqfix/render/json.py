"""A report as JSON, one sequence after the other: the text of a hundred thousand is a hundred megabytes."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from airflow_seqfix.core.report import Plan, Report

INDENT = 2


def pieces(content: Report | Plan) -> Iterator[str]:
    """Yield the text of `content.to_dict()`, as `json.dumps()` with an indent writes it."""
    opening = "{"
    for name, value in content.members().items():
        yield f"{opening}\n{' ' * INDENT}{json.dumps(name)}: "
        if isinstance(value, Iterator):
            yield from _array(value)
        else:
            yield _indented(value, 1)
        opening = ","
    yield "\n}\n"


def _array(items: Iterator[Any]) -> Iterator[str]:
    opening = "["
    for item in items:
        yield f"{opening}\n{' ' * (2 * INDENT)}{_indented(item, 2)}"
        opening = ","
    yield "[]" if opening == "[" else f"\n{' ' * INDENT}]"


def _indented(value: Any, depth: int) -> str:
    # No string in JSON has a line break.
    return json.dumps(value, indent=INDENT).replace("\n", f"\n{' ' * (depth * INDENT)}")
