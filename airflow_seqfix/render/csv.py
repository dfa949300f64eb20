"""A report as CSV, for spreadsheets: one line a sequence, the worst first; of a plan also where each would go."""

from __future__ import annotations

import csv as writer
from collections.abc import Callable, Iterator

from airflow_seqfix.core.errors import printable
from airflow_seqfix.core.report import Plan, Report
from airflow_seqfix.core.row import Row, rounded
from airflow_seqfix.render.phrases import move, next_then, next_there, next_was, remedy

#: Where it was, so that the lines of two reports can stand below each other.
_WHERE: dict[str, Callable[[Report], object]] = {
    "host": lambda report: report.server.host,
    "port": lambda report: report.server.port,
    "database": lambda report: report.server.database,
    "role": lambda report: report.server.role,
    "in_recovery": lambda report: str(report.server.in_recovery).lower(),
    "source": lambda report: report.source.place if report.source else None,
}
_COLUMNS: dict[str, Callable[[Row], object]] = {
    "sequence": lambda row: row.sequence,
    "columns": lambda row: ", ".join(c.qualified_name for c in row.finding.sequence.counted if not c.is_covered),
    "verdict": lambda row: row.verdict,
    "next_value": lambda row: row.next_value,
    "source_next_value": next_there,
    "furthest_value": lambda row: row.furthest_value,
    "gap": lambda row: row.gap,
    "inserts_until_collision": lambda row: row.finding.inserts_until_collision,
    "inserts_until_collision_is_at_least": lambda row: str(row.finding.is_at_least).lower(),
    "used_pct": lambda row: row.finding.used_pct,
    "remaining": lambda row: row.finding.remaining,
    "used_per_day": lambda row: rounded(row.finding.use.used_per_day),
    "days_left": lambda row: rounded(row.finding.use.days_left),
    "warnings": lambda row: ", ".join(map(str, row.finding.warnings)),
    "reason": lambda row: row.reason,
    "cure": remedy,
}
_OF_A_REPAIR: dict[str, Callable[[Row], object]] = {
    "next_value_before": next_was,
    "way": lambda row: row.outcome.way if row.outcome else None,
    "verified": lambda row: str(row.outcome.verified).lower() if row.outcome else None,
}
_OF_A_PLAN: dict[str, Callable[[Row], object]] = {
    "next_value_then": next_then,
    "way": lambda row: found.way if (found := move(row)) else None,
    "why": lambda row: found.why if (found := move(row)) else None,
}


def csv(content: Report | Plan, *, spell: Callable[[str], str] = str) -> str:
    """Return the lines, the names of the keys of a report as JSON first.

    :param spell: Writes the options in a sentence as the reader does.
    """
    return "".join(pieces(content, spell=spell))


def pieces(content: Report | Plan, *, spell: Callable[[str], str] = str) -> Iterator[str]:
    """Yield the same, line by line."""
    report = content.report if isinstance(content, Plan) else content
    columns = dict(_COLUMNS)
    if isinstance(content, Plan):
        columns |= _OF_A_PLAN
    elif any(row.outcome for row in report.rows):
        columns |= _OF_A_REPAIR
    line = writer.writer(_Line(), lineterminator="\n").writerow
    yield line([*columns, *_WHERE])
    where = [value(report) for value in _WHERE.values()]
    for row in report.sorted_rows:
        cells = {name: value(row) for name, value in columns.items()} | {"cure": remedy(row, spell)}
        for name in cells.keys() & {"reason", "why"}:
            cells[name] = spell(str(cells[name] or ""))
        yield line(map(_cell, [*cells.values(), *where]))


class _Line:
    """A file for csv's writer, which returns what the file's write() has returned: the line itself."""

    def write(self, line: str) -> str:
        return line


def _cell(value: object) -> object:
    """Return a text that no spreadsheet takes for a formula; figures stay as they are."""
    if value is None or isinstance(value, int | float):
        return value
    text = printable(str(value))
    return f"'{text}" if text.startswith(("=", "+", "-", "@")) else text
