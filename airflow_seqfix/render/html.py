"""A report as one HTML file that needs nothing else, and that nothing in it can make do anything else."""

from __future__ import annotations

import base64
import functools
import hashlib
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from airflow_seqfix import __version__
from airflow_seqfix.core.errors import printable
from airflow_seqfix.core.report import ORDER, Report
from airflow_seqfix.render import phrases
from airflow_seqfix.render.numberline import number_line

#: How many sequences are drawn; the table has all of them.
DRAWN = 100
#: How many rows a browser lays out before the script takes over; without scripts all of them are shown.
AT_FIRST = 250


def html(report: Report) -> str:
    """Return the page."""
    environment = _environment()
    style, script = (environment.get_template(name).render() for name in ("report.css", "report.js"))
    return environment.get_template("report.html").render(
        report=report,
        rows=report.sorted_rows,
        not_in_sync=report.failing,
        fixed=[row for row in report.sorted_rows if row.is_fixed],
        is_repair=any(row.outcome for row in report.rows),
        tiles=_tiles(report),
        drawn=DRAWN,
        at_first=AT_FIRST,
        version=__version__,
        phrases=phrases,
        number_line=number_line,
        style=_as_it_is(style),
        script=_as_it_is(script),
        policy=f"default-src 'none'; style-src '{_hash(style)}'; script-src '{_hash(script)}'; "
        "base-uri 'none'; form-action 'none'",
    )


def _tiles(report: Report) -> list[tuple[str, str, int]]:
    """Return what is counted above all: a name for the style sheet, a label, and how many."""
    counts = report.summary
    tiles = [(str(verdict), phrases.phrase(verdict), counts[str(verdict)]) for verdict in ORDER]
    if any(row.outcome for row in report.rows):
        tiles += [("fixed", "fixed and verified", counts["fixed"]), ("failed", "not fixed", counts["failed"])]
    return tiles


@functools.cache
def _environment() -> Environment:
    """Everything that a template prints is escaped, and stays on its line; only our own files are taken as they are."""
    return Environment(
        loader=PackageLoader("airflow_seqfix.render"),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_shown,
        keep_trailing_newline=True,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def _shown(value: Any) -> Any:
    if value is None:
        return "-"
    return value if isinstance(value, Markup) else printable(str(value))


def _as_it_is(text: str) -> Markup:
    return Markup(text)  # noqa: S704 - our own style sheet and script


def _hash(text: str) -> str:
    """Return what a content security policy calls an inline element whose text this is."""
    return f"sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}"
