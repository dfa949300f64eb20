"""A report as a table of fixed-width text: the terminal's and the task log's."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import groupby
from typing import Any

from airflow_seqfix.core.errors import printable
from airflow_seqfix.core.model import Verdict
from airflow_seqfix.core.report import Report
from airflow_seqfix.core.row import Row
from airflow_seqfix.render.alike import alike, by_way, fold, names
from airflow_seqfix.render.layout import GUTTER, Column, elide, flow, lay_out, wrap
from airflow_seqfix.render.phrases import (
    NOT_ON_STANDBYS,
    count,
    fed_column,
    gap,
    inserts_left,
    is_mended,
    move,
    next_then,
    next_was,
    number,
    phrase,
    remedy,
    source_of,
    state,
    used,
)
from airflow_seqfix.render.warnings import NAMED, warned

__all__ = ["elide", "lines", "summary", "table"]

#: The parameters of the escape sequence, by the words of a style.
SGR = {"bold": 1, "dim": 2, "red": 31, "green": 32, "yellow": 33, "cyan": 36}

STYLES = {
    Verdict.BEHIND: "bold red",
    Verdict.EXHAUSTED: "bold red",
    Verdict.UNKNOWN: "bold yellow",
    Verdict.IN_SYNC: "green",
    Verdict.SKIPPED: "dim",
}

#: How many reasons of each verdict are explained below the table, where it has to fit somewhere.
EXPLAINED = 10
#: The longest table that somebody scrolls through.
MOST = 200
#: From this width on there is room for columns; below it each sequence has lines of its own.
NARROW = 60


Paint = Callable[[str, str], str]
Spell = Callable[[str], str]


def table(report: Report, **how: Any) -> str:
    """Return the same as `lines()`, which takes the parameters, as one text."""
    return "".join(f"{line}\n" for line in lines(report, **how))


def lines(
    report: Report,
    *,
    width: int | None,
    color: bool = False,
    all_rows: bool = False,
    is_plan: bool = False,
    more_in: str = "a report as JSON",
    most: int | None = None,
    listed_in: str = "a report as CSV",
    spell: Spell = str,
) -> Iterator[str]:
    """Yield the report's rows as lines of at most `width` characters, and after them what explains them.

    What can be pasted stays on one line, however long it is.

    :param width: None: lines have no end, and nothing is shortened.
    :param color: Whether to add terminal colours.
    :param all_rows: Whether to list what is in sync and what was skipped as well.
    :param is_plan: Whether to say where each sequence would go, instead of how to move it there.
    :param more_in: Where the sequences stand that are not explained.
    :param most: The longest table; None: one line for each sequence, though many that were not read for the same reason
        are one line where not all rows are asked for.
    :param listed_in: Where the sequences stand that are not listed.
    :param spell: Writes the options in a sentence as the reader does.
    """
    rows = [row for row in report.sorted_rows if all_rows or row.outcome or row.fails(report.policy)]
    paint = _paint if color else _leave_plain
    if rows:
        listed, left_out = (rows, 0) if all_rows and most is None else fold(rows, most)
        yield from _table(listed, _columns(any(row.outcome for row in rows), is_plan), width, paint)
        yield from wrap(f"… and {left_out:,} more, see {listed_in}.", width) if left_out else []
    if is_plan:
        yield from _ways([row for row in rows if move(row)], width, spell, more_in)
    explained = [row for row in rows if row.reason is not None and not (is_plan and is_mended(row))]
    yield from _explanations(explained, width, paint, spell, more_in)
    warnings = [line for warning in _warnings(report) for line in wrap(warning, width)]
    if warnings:
        yield from ("", *(paint(line, "yellow") for line in warnings))
    if report.source is not None:
        yield from ("", *wrap(source_of(report), width))


def summary(report: Report) -> str:
    """Return the counts as one sentence."""
    counts = report.summary
    total = len(report.rows)
    parts = [f"{counts[str(verdict)]:,} {phrase(verdict)}" for verdict in Verdict if counts[str(verdict)]]
    if counts["fixed"]:
        parts[0] += f" ({counts['fixed']:,} fixed and verified)"
    if counts["failed"]:
        parts.append(f"{counts['failed']:,} could not be fixed")
    if counts["undrawn"]:
        parts[-1] += f"; {count(counts['undrawn'], 'sequence')} that nothing is known to draw from: seqfix suggest"
    where = f"database {report.server.where}"
    return (
        f"{count(total, 'sequence')} in {where}: {', '.join(parts)}" if total else f"no sequences to look at in {where}"
    )


def _table(rows: list[Row], columns: list[Column[Row]], width: int | None, paint: Paint) -> Iterator[str]:
    if width is not None and width < NARROW:
        yield from _stacked(rows, columns, width, paint)
        return
    laid_out = lay_out(columns, rows, width)
    heading = [next(laid_out), next(laid_out)]
    for cells in heading:
        yield paint(GUTTER.join(cells).rstrip(), "bold")
    for row, (verdict, *cells) in zip(rows, laid_out, strict=True):
        yield GUTTER.join([paint(verdict, _style(row)), *cells]).rstrip()


def _style(row: Row) -> str:
    return "bold green" if row.is_fixed else STYLES[row.verdict]


def _stacked(rows: list[Row], columns: list[Column[Row]], width: int, paint: Paint) -> Iterator[str]:
    """Give each sequence lines of its own: its name, and below it what the columns would say."""
    first, name, *others = columns
    for row in rows:
        state = first.value(row)
        yield f"{paint(state, _style(row))} {elide(printable(name.value(row)), width - len(state) - 1)}"
        said = [(" ".join(column.heading.split()), printable(column.value(row)), column.is_name) for column in others]
        pieces = [
            f"{heading} {elide(text, width - 4 - len(heading)) if is_name else text}"
            for heading, text, is_name in said
            if text != "-"
        ]
        for line in flow(pieces, width - 2, separator=", "):
            yield f"  {line}"


def _columns(is_repair: bool, is_plan: bool) -> list[Column[Row]]:
    first: list[Column[Row]] = [
        Column("", state, kind="word"),
        Column("sequence", lambda row: row.finding.sequence.qualified_name, kind="name"),
        Column("column", fed_column, kind="name", dispensable=4),
    ]
    if is_repair:
        return [
            *first,
            Column("next value\nbefore", lambda row: number(next_was(row))),
            Column("next value\nnow", lambda row: number(row.finding.measurement.next_value)),
            Column("furthest\nvalue", lambda row: number(row.furthest_value), dispensable=3),
            Column(
                "\nway", lambda row: str(row.outcome.way or "-") if row.outcome else "-", kind="word", dispensable=5
            ),
        ]
    if is_plan:
        return [
            *first,
            Column("next value\nnow", lambda row: number(row.finding.measurement.next_value)),
            Column("furthest\nvalue", lambda row: number(row.furthest_value), dispensable=3),
            Column("inserts until\ncollision", inserts_left, dispensable=5),
            Column("next value\nthen", lambda row: number(next_then(row))),
            Column("\nway", lambda row: str(found.way) if (found := move(row)) else "-", kind="word", dispensable=2),
        ]
    return [
        *first,
        Column("next\nvalue", lambda row: number(row.finding.measurement.next_value)),
        Column("furthest\nvalue", lambda row: number(row.furthest_value)),
        Column("\ngap", gap, dispensable=3),
        Column("inserts until\ncollision", inserts_left, dispensable=2),
        Column("\nused", used, dispensable=5),
    ]


def _ways(rows: list[Row], width: int | None, spell: Spell, more_in: str) -> Iterator[str]:
    """Say why moves are made in the way that they are: each reason once, and of which moves it is one of several."""
    ways = by_way(rows)
    if ways:
        yield ""
    shown = ways if width is None else ways[:EXPLAINED]
    for found, group in shown:
        of_which = f"{names(group)}: " if len(ways) > 1 else ""
        yield from wrap(f"{of_which}{found.way}: {spell(found.why)}.", width)
    yield from _left_out(sum(len(group) for _, group in ways[len(shown) :]), width, more_in)


def _explanations(rows: list[Row], width: int | None, paint: Paint, spell: Spell, more_in: str) -> Iterator[str]:
    """Say why rows stand where they stand, and what helps: of each verdict the first few reasons."""
    left_out = 0
    for _, group in groupby(rows, key=state):
        causes, more = alike(group, None if width is None else EXPLAINED)
        left_out += more
        for row, *others in causes:
            yield ""
            yield from wrap(f"{names([row, *others])}: {spell(row.reason or '')}.", width)
            if row.remedy:
                yield paint(f"  {remedy(row, spell)}", "cyan")
    if left_out:
        yield ""
    yield from _left_out(left_out, width, more_in)


def _left_out(number: int, width: int | None, more_in: str) -> Iterator[str]:
    if number:
        yield from wrap(f"{number:,} more {'is' if number == 1 else 'are'} explained in {more_in}.", width)


def _warnings(report: Report) -> Iterator[str]:
    """Say what to know beside the verdicts, a line for each kind."""
    if report.standbys_confirmed is False:
        yield NOT_ON_STANDBYS
    for found in warned(report):
        names = [f"{name} ({figure})" if figure else name for name, figure in found.sequences[:NAMED]]
        yield f"{found.warning}: {', '.join(names)}{found.more}: {found.meaning}"


def _paint(text: str, style: str) -> str:
    return f"\x1b[{';'.join(str(SGR[word]) for word in style.split())}m{text}\x1b[0m" if text else text


def _leave_plain(text: str, style: str) -> str:
    return text
