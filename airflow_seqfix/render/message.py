"""A report as one message: for exceptions, callbacks and chat."""

from __future__ import annotations

from airflow_seqfix.core.errors import printable
from airflow_seqfix.core.report import Report, Row
from airflow_seqfix.render.phrases import words

#: How many sequences a message names.
NAMED = 10


def message(report: Report) -> str:
    """Say which sequences keep the gate shut, why, and what helps."""
    failing = report.failing
    total = len(report.rows)
    noun = "sequence" if total == 1 else "sequences"
    verb = "is" if len(failing) == 1 else "are"
    lines = [f"{len(failing)} of {total} {noun} in database {printable(report.server.database)} {verb} not in sync"]
    lines += [_line(row) for row in failing[:NAMED]]
    if len(failing) > NAMED:
        lines.append(f"and {len(failing) - NAMED} more, see the log and the report")
    return "\n".join(lines)


def _line(row: Row) -> str:
    column = row.finding.measurement.furthest_column
    name = row.finding.sequence.qualified_name + (f" ({column.qualified_name})" if column else "")
    remedy = f" Remedy: {row.remedy}" if row.remedy else ""
    return printable(f"{name}: {words(row.verdict)}: {row.reason}.{remedy}")
