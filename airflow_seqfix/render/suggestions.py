"""Suggestions as text, for a person to read and to take from."""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterator

from airflow_seqfix.core.errors import printable
from airflow_seqfix.core.suggest import Suggested, Suggestions
from airflow_seqfix.render.phrases import count, phrase

FORMATS = ("table", "json", "mapping")


def render(suggestions: Suggestions, form: str) -> str:
    """Return the suggestions in one of `FORMATS`: `mapping` is what the option of that name takes."""
    match form:
        case "json":
            return json.dumps(suggestions.to_dict(), indent=2)
        case "mapping":
            return json.dumps(suggestions.mapping, indent=2)
    return "\n".join(_lines(suggestions))


def _lines(suggestions: Suggestions) -> Iterator[str]:
    where = f"database {suggestions.server.where}"
    if not suggestions.items:
        yield f"no sequence in {where} that nothing is known to draw from"
        return
    for item in suggestions.items:
        yield from _item(item)
        yield ""
    yield f"{count(len(suggestions.items), 'sequence')} in {where} that nothing is known to draw from"
    if suggestions.mapping:
        yield "Nothing of this is taken unasked. What you know to be so:"
        mapped = (f"{sequence}={','.join(columns)}" for sequence, columns in suggestions.mapping.items())
        yield printable(f"  seqfix check {' '.join(f'--map {shlex.quote(one)}' for one in mapped)}")


def _item(item: Suggested) -> Iterator[str]:
    if item.finding is None:
        yield printable(f"{item.sequence}: no column was found that may draw from it")
    else:
        reason = f": {item.finding.reason}" if item.finding.reason else ""
        yield printable(f"{item.sequence}, if it feeds what follows: {phrase(item.finding.verdict)}{reason}")
    for candidate in item.suggestion.candidates:
        yield printable(f"  {candidate.column}: {candidate.evidence}")
    if item.suggestion.mentions and item.finding is None:
        yield printable(f"  its name stands in {', '.join(item.suggestion.mentions)}")
