"""A plan as Markdown: for the person who approves it."""

from __future__ import annotations

import re

from airflow_seqfix.core.errors import printable
from airflow_seqfix.core.report import Plan

#: How many moves are listed; a plan that is applied from an XCom has no more of them.
LISTED = 50


def plan_markdown(plan: Plan) -> str:
    """Return the moves of a plan as a Markdown table."""
    report = plan.report
    where = _escape(report.server.database)
    if not plan.setvals:
        return f"Nothing to move in database {where}."
    lines = [
        f"{len(plan.setvals)} sequences of database {where} would be moved.",
        "",
        "| sequence | next value now | last value then | how | why |",
        "| --- | ---: | ---: | --- | --- |",
    ]
    moving = [row.finding for row in report.sorted_rows if row.finding.setval is not None]
    for finding in moving[:LISTED]:
        move = finding.setval
        assert move is not None
        way = str(move.way) if move.way else f"cannot be moved: {move.obstacle.reason if move.obstacle else ''}"
        cells = (finding.sequence.qualified_name, finding.measurement.next_value, move.target, way, finding.reason)
        lines.append(f"| {' | '.join(_escape(str(cell)) for cell in cells)} |")
    if len(moving) > LISTED:
        lines += ["", f"and {len(moving) - LISTED} more"]
    return "\n".join(lines)


def _escape(text: str) -> str:
    return re.sub(r"([\\`*_{}\[\]<>()#+\-!|~&])", r"\\\1", printable(text))
