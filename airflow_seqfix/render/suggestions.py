"""Suggestions as text, for a person to read and to take from."""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterator

from airflow_seqfix.core.errors import printable
from airflow_seqfix.core.suggest import Suggested, Suggestions
from airflow_seqfix.render.layout import wrap
from airflow_seqfix.render.phrases import count, phrase

FORMATS = ("table", "json", "mapping")


def render(suggestions: Suggestions, form: str, *, width: int | None = None) -> str:
    """Return the suggestions in one of `FORMATS`: `mapping` is what the option of that name takes.

    :param width: Where the lines of a table end, but for what can be pasted; None: nowhere.
    """
    match form:
        case "json":
            return json.dumps(suggestions.to_dict(), indent=2)
        case "mapping":
            return json.dumps(suggestions.mapping, indent=2)
    return "\n".join(_lines(suggestions, width))


def _lines(suggestions: Suggestions, width: int | None) -> Iterator[str]:
    where = f"database {suggestions.server.where}"
    if not suggestions.items:
        yield from wrap(f"no sequence in {where} that nothing is known to draw from", width)
        return
    for item in suggestions.items:
        for line in _item(item):
            yield from wrap(line, width, indent="    ")
        yield ""
    yield from wrap(f"{count(len(suggestions.items), 'sequence')} in {where} that nothing is known to draw from", width)
    if suggestions.mapping:
        yield from wrap("Nothing of this is taken unasked. What you know to be so:", width)
        yield printable(f"  seqfix check {shlex.join(_options(suggestions))}")


def _options(suggestions: Suggestions) -> Iterator[str]:
    """Yield options that map what is suggested: only JSON says of a column how its ids are made."""
    described = {}
    for sequence, columns in suggestions.mapping.items():
        plain = [column for column in columns if isinstance(column, str)]
        if len(plain) == len(columns):
            yield from ("--map", f"{sequence}={','.join(plain)}")
        else:
            described[sequence] = columns
    if described:
        yield from ("--mapping", json.dumps(described))


def _item(item: Suggested) -> Iterator[str]:
    if item.finding is None:
        yield f"{item.sequence}: no column was found that may draw from it"
    else:
        reason = f": {item.finding.reason}" if item.finding.reason else ""
        yield f"{item.sequence}, if it feeds what follows: {phrase(item.finding.verdict)}{reason}"
    for candidate in item.suggestion.candidates:
        yield f"  {candidate.column}: {candidate.evidence}"
    if item.suggestion.mentions and item.finding is None:
        yield f"  its name stands in {', '.join(item.suggestion.mentions)}"
