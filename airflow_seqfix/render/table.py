"""A report as a table of fixed-width text: the terminal's and the task log's."""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import dataclass

from rich.console import Console
from rich.table import Table
from rich.text import Text

from airflow_seqfix.core.cautions import Caution
from airflow_seqfix.core.errors import printable
from airflow_seqfix.core.judge import Verdict
from airflow_seqfix.core.report import Report, Row
from airflow_seqfix.render.words import fed_column, inserts_left, next_was, number, state, used, words

STYLES = {
    Verdict.BEHIND: "bold red",
    Verdict.EXHAUSTED: "bold red",
    Verdict.UNKNOWN: "bold yellow",
    Verdict.IN_SYNC: "green",
    Verdict.SKIPPED: "dim",
}

#: How many rows are explained below the table.
EXPLAINED = 20
#: How many names a warning lists.
NAMED = 5
#: The warnings that are told to a person, and what they mean; the report has all of them.
TOLD = {
    Caution.EXHAUSTING: "most values are used",
    Caution.OPEN_WRITERS: "transactions were writing whose rows could not be seen yet",
    Caution.CACHED: "open sessions may hand out values that they have cached",
    Caution.NOT_COMPARED: "also feeds a column whose values cannot be compared",
    Caution.STANDBY: "a standby reads sequences ahead of the primary",
}
#: How narrow a name may get before its column is left out.
NARROWEST_NAME = 18


@dataclass(frozen=True, slots=True, eq=False)
class Column:
    """A column of the table: a heading, what stands in it, and whether it is a name that may be shortened."""

    heading: str
    value: Callable[[Row], str]
    is_name: bool = False
    #: Those with the highest number go first where room is short.
    dispensable: int = 0


def table(report: Report, *, width: int, color: bool = False, all_rows: bool = False) -> str:
    """Return the report's rows as lines of at most `width` characters, and below them what explains them.

    :param width: At least 60.
    :param color: Whether to add terminal colours.
    :param all_rows: Whether to list what is in sync and what was skipped as well.
    """
    out = io.StringIO()
    console = Console(
        file=out, width=width, force_terminal=color, color_system="standard" if color else None, highlight=False
    )
    rows = [row for row in report.sorted_rows if all_rows or row.outcome or row.fails(report.policy)]
    if rows:
        console.print(_table(rows, width))
    explained = [row for row in rows if _explanation(row)]
    for row in explained[:EXPLAINED]:
        console.print(*_explanation(row), sep="\n", soft_wrap=True)
    if len(explained) > EXPLAINED:
        console.print(Text(f"\n{len(explained) - EXPLAINED} more are explained in the report as JSON."), soft_wrap=True)
    warnings = _warnings(report)
    if warnings:
        console.print("", *(Text(warning, style="yellow") for warning in warnings), sep="\n", soft_wrap=True)
    return out.getvalue()


def summary(report: Report) -> str:
    """Return the counts as one sentence."""
    counts = report.summary
    total = len(report.rows)
    parts = [f"{counts[str(verdict)]} {words(verdict)}" for verdict in Verdict if counts[str(verdict)]]
    if counts["fixed"]:
        parts[0] += f" ({counts['fixed']} fixed and verified)"
    if counts["failed"]:
        parts.append(f"{counts['failed']} could not be fixed")
    noun = "sequence" if total == 1 else "sequences"
    where = f"database {printable(report.server.database)}"
    return f"{total} {noun} in {where}: {', '.join(parts)}" if total else f"no sequences to look at in {where}"


def _table(rows: list[Row], width: int) -> Table:
    columns = _fit(_columns(any(row.outcome for row in rows)), rows, width)
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), show_edge=False)
    for column, size in columns:
        table.add_column(
            Text(column.heading, style="bold"),
            width=size,
            justify="left" if column.is_name or column.heading == "" else "right",
            no_wrap=True,
        )
    for row in rows:
        cells = [Text(elide(printable(column.value(row)), size)) for column, size in columns]
        cells[0].stylize("bold green" if row.is_fixed else STYLES[row.verdict])
        table.add_row(*cells)
    return table


def _columns(is_repair: bool) -> list[Column]:
    first = [
        Column("", state),
        Column("sequence", lambda row: row.finding.sequence.qualified_name, is_name=True),
        Column("column", fed_column, is_name=True, dispensable=2),
    ]
    if is_repair:
        return [
            *first,
            Column("next was", lambda row: number(next_was(row))),
            Column("next is", lambda row: number(row.finding.measurement.next_value)),
            Column("furthest", lambda row: number(row.finding.measurement.furthest_value)),
            Column("way", lambda row: str(row.outcome.way or "-") if row.outcome else "-", dispensable=3),
        ]
    return [
        *first,
        Column("next", lambda row: number(row.finding.measurement.next_value)),
        Column("furthest", lambda row: number(row.finding.measurement.furthest_value)),
        Column("gap", lambda row: number(row.finding.gap)),
        Column("inserts left", inserts_left, dispensable=1),
        Column("used", used, dispensable=3),
    ]


def _fit(columns: list[Column], rows: list[Row], width: int) -> list[tuple[Column, int]]:
    """Return the columns that fit and their sizes: figures in full, names as long as room is left."""
    natural = {c: max(len(c.heading), *(len(printable(c.value(row))) for row in rows)) for c in columns}
    while True:
        names = [column for column in columns if column.is_name]
        room = width - 2 * len(columns) - sum(natural[c] for c in columns if not c.is_name)
        sizes = _shares([natural[column] for column in names], room)
        cramped = any(size < min(NARROWEST_NAME, natural[c]) for c, size in zip(names, sizes, strict=True))
        least = max(columns, key=lambda column: column.dispensable)
        if not cramped or not least.dispensable:
            fitted = natural | dict(zip(names, sizes, strict=True))
            return [(column, fitted[column]) for column in columns]
        columns = [column for column in columns if column is not least]


def _shares(wanted: list[int], room: int) -> list[int]:
    """Divide `room`: who wants less than a fair share leaves the rest to the others."""
    shares = dict.fromkeys(range(len(wanted)), 0)
    for left, index in enumerate(sorted(shares, key=lambda index: wanted[index])):
        shares[index] = max(8, min(wanted[index], room // (len(wanted) - left)))
        room -= shares[index]
    return list(shares.values())


def _explanation(row: Row) -> list[Text]:
    """Say why a row stands where it stands, and what helps."""
    if row.reason is None:
        return []
    said = [Text(f"\n{printable(row.finding.sequence.qualified_name)}: {printable(row.reason)}.")]
    return [*said, Text(f"  {printable(row.cure)}", style="cyan")] if row.cure else said


def _warnings(report: Report) -> list[str]:
    """Say what to know beside the verdicts, a line for each kind."""
    said = []
    for caution, meaning in TOLD.items():
        names = [
            printable(row.finding.sequence.qualified_name) for row in report.rows if caution in row.finding.warnings
        ]
        if names:
            more = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
            said.append(f"{caution}: {', '.join(names[:NAMED])}{more}: {meaning}")
    return said


def elide(text: str, width: int) -> str:
    """Shorten a name in its middle: both ends tell names apart."""
    if len(text) <= width:
        return text
    head = (width - 1) // 2
    return f"{text[:head]}…{text[len(text) - (width - 1 - head) :]}"
