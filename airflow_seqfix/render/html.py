"""A report as one HTML file that needs nothing else, and that nothing in it can make do anything else."""

from __future__ import annotations

import base64
import functools
import hashlib
import itertools
import math
import re
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup, escape

from airflow_seqfix import __version__
from airflow_seqfix.core.errors import printable
from airflow_seqfix.core.judge.remedies import widen
from airflow_seqfix.core.model import SequenceWarning, Verdict
from airflow_seqfix.core.report import ORDER, Plan, Report
from airflow_seqfix.core.row import Row
from airflow_seqfix.render import phrases
from airflow_seqfix.render.alike import by_way, names
from airflow_seqfix.render.numberline import number_line
from airflow_seqfix.render.timeline import timeline

#: How many sequences are drawn; the table has all of them.
DRAWN = 100
#: Of how many the use over time is drawn: first of those that have a card, then of those that last shortest.
WITH_PAST = 25
#: How many characters of a name fit on one line wherever it stands.
UNBROKEN = 20
#: How many rows a browser lays out before the script takes over; without scripts all of them are shown.
AT_FIRST = 250


def html(content: Report | Plan, *, spell: Callable[[str], str] = str) -> str:
    """Return the page; of a plan, one that says where each sequence would go.

    :param spell: Writes the options in a sentence as the reader does.
    """
    return "".join(pieces(content, spell=spell))


def pieces(content: Report | Plan, *, spell: Callable[[str], str] = str) -> Iterator[str]:
    """Yield the same, piece by piece."""
    is_plan = isinstance(content, Plan)
    report = content.report if isinstance(content, Plan) else content
    columns = _columns(is_repair=any(row.outcome for row in report.rows), is_plan=is_plan)
    script = _environment().get_template("report.js").render()
    yield from page(
        "report.html",
        headings=[heading for heading, _ in columns],
        script=script,
        report=report,
        rows=report.sorted_rows,
        **_cards(report),
        is_ending=_is_ending,
        is_plan=is_plan,
        ways=by_way(report.sorted_rows) if is_plan else [],
        names=names,
        title=phrases.plan_headline(report) if is_plan else phrases.headline(report),
        columns=columns,
        tiles=_tiles(report),
        drawn=DRAWN,
        at_first=AT_FIRST,
        version=__version__,
        phrases=phrases,
        spell=spell,
        widen=widen,
        number_line=number_line,
    )


def page(
    template: str,
    *,
    headings: Sequence[str],
    of_databases: Sequence[str] = (),
    script: str | None = None,
    **content: Any,
) -> Iterator[str]:
    """Yield a page that needs nothing else: with our style sheet and script, and no other, as its policy says.

    :param headings: Those of the figures of a sequence, for narrow screens.
    :param of_databases: Those of the figures of a database.
    """
    environment = _environment()
    style = environment.get_template("report.css").render(headings=headings, of_databases=of_databases)
    scripts = "" if script is None else f"script-src '{_hash(script)}'; "
    yield from environment.get_template(template).generate(
        **content,
        style=_as_it_is(style),
        script=_as_it_is(script or ""),
        policy=f"default-src 'none'; style-src '{_hash(style)}'; {scripts}base-uri 'none'; form-action 'none'",
    )


def _columns(*, is_repair: bool, is_plan: bool) -> list[tuple[str, Callable[[Row], str]]]:
    """Return what stands in the table beside verdict, sequence and column: figures, each with its heading."""
    found = {
        "next value": lambda row: phrases.number(row.next_value),
        "furthest value": lambda row: phrases.number(row.furthest_value),
        "gap": phrases.gap,
        "inserts until collision": phrases.inserts_left,
        "used": phrases.used,
    }
    if is_repair:
        found = {"next was": lambda row: phrases.number(phrases.next_was(row))} | found
    if is_plan:
        found |= {"next value then": lambda row: phrases.number(phrases.next_then(row))}
    return list(found.items())


def _is_ending(row: Row) -> bool:
    """Whether it is in order, and most of its values are used."""
    return row.verdict is Verdict.IN_SYNC and SequenceWarning.EXHAUSTING in row.finding.warnings


def _cards(report: Report) -> dict[str, Any]:
    """Return which sequences have a card, each in one section, and what is drawn of the past, by name."""
    others = [row for row in report.sorted_rows if not row.fails(report.policy)]
    sections = {
        "not_in_sync": report.failing,
        "fixed": [row for row in others if row.is_fixed],
        "ending": [row for row in others if _is_ending(row) and not row.is_fixed],
    }
    carded = {row.sequence: row for rows in sections.values() for row in rows[:DRAWN]}
    with_past = (row for row in report.rows if row.finding.use.past)
    by_end = {row.sequence: row for row in sorted(with_past, key=_end)}
    drawn = ((name, past) for name, row in (carded | by_end).items() if (past := timeline(row)) is not None)
    pasts = dict(itertools.islice(drawn, WITH_PAST))
    lasting = [row for name, row in by_end.items() if name in pasts.keys() - carded.keys()]
    return {**sections, "lasting": lasting, "pasts": pasts, "with_past": WITH_PAST}


def _end(row: Row) -> tuple[float, float]:
    """Return what sorts the sequence that lasts shortest first."""
    days_left = row.finding.use.days_left
    return math.inf if days_left is None else days_left, -(row.finding.used_pct or 0)


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
    environment = Environment(
        loader=PackageLoader("airflow_seqfix.render"),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_shown,
        keep_trailing_newline=True,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["breakable"] = _breakable
    return environment


def _shown(value: Any) -> Any:
    if value is None:
        return "-"
    return value if isinstance(value, Markup) else printable(str(value))


def _breakable(name: str) -> Markup | str:
    """Let a long name break between its words, and not wherever a line ends; it is searched and copied as before."""
    if len(name) <= UNBROKEN:
        return name
    return Markup("<wbr>").join(escape(printable(part)) for part in re.split(r"(?<=[._])", name))


def _as_it_is(text: str) -> Markup:
    return Markup(text)  # noqa: S704 - our own style sheet and script


def _hash(text: str) -> str:
    """Return what a content security policy calls an inline element whose text this is."""
    return f"sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}"
