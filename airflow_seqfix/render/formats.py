"""The forms in which a report is written to a file. What makes one is imported for it alone."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import PurePath

from airflow_seqfix.core.errors import ArgumentError
from airflow_seqfix.core.report import Plan, Report

FORMATS = ("json", "markdown", "html", "csv")

#: What the end of a file's name says.
EXTENSIONS = {
    ".json": "json",
    ".md": "markdown",
    ".markdown": "markdown",
    ".html": "html",
    ".htm": "html",
    ".csv": "csv",
}


def form_of(path: str) -> str:
    """Return the form that a file's name asks for.

    :raises ArgumentError: when it asks for none that there is.
    """
    form = EXTENSIONS.get(PurePath(path).suffix.lower())
    if form is None:
        *others, last = EXTENSIONS
        raise ArgumentError(
            f"{path!r} does not say in which form the report is written",
            remedy=f"end it with {', '.join(others)} or {last}",
        )
    return form


def render(content: Report | Plan, form: str, *, spell: Callable[[str], str] = str) -> str:
    """Return the whole report as text in one of `FORMATS`; parameters and errors as `pieces()`."""
    return "".join(pieces(content, form, spell=spell))


def pieces(content: Report | Plan, form: str, *, spell: Callable[[str], str] = str) -> Iterator[str]:
    """Return the report as text in one of `FORMATS`, piece by piece; of a plan, also where each sequence would go.

    :param spell: Writes the options in a sentence as the reader does; JSON has them as the library does.
    :raises ArgumentError: when it is none of them.
    """
    match form:
        case "json":
            from airflow_seqfix.render import json

            return json.pieces(content)
        case "markdown":
            from airflow_seqfix.render.markdown import markdown, plan_markdown

            if isinstance(content, Plan):
                return iter([plan_markdown(content, spell=spell)])
            return iter([markdown(content, spell=spell)])
        case "html":
            from airflow_seqfix.render import html

            return html.pieces(content, spell=spell)
        case "csv":
            from airflow_seqfix.render import csv

            return csv.pieces(content, spell=spell)
    raise ArgumentError(f"a report cannot be written as {form!r}", remedy=f"give one of {', '.join(FORMATS)}")
