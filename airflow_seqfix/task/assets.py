"""What the events of a task's outlets say: only of assets that the DAG's author has named, never of our own."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from airflow_seqfix.task.sdk import Asset

if TYPE_CHECKING:
    from airflow_seqfix.core import Report
    from airflow_seqfix.task.sdk import Context


def annotate(context: Context, outlets: Iterable[Any], report: Report) -> None:
    """Add what was found to the events that Airflow makes of a task's outlets when it succeeds."""
    events = context.get("outlet_events")
    if events is None:
        return
    for outlet in outlets:
        if isinstance(outlet, Asset):
            events[outlet].extra.update(found(report))


def found(report: Report) -> dict[str, Any]:
    """Return the few figures of a report that somebody downstream may want to decide by."""
    summary = report.summary
    gaps = [row.outcome.before.gap if row.outcome else row.finding.gap for row in report.rows]
    left = [row.finding.use.days_left for row in report.rows]
    return {
        "host": report.server.host,
        "port": report.server.port,
        "database": report.server.database,
        "checked": summary["checked"],
        "behind": summary["behind"],
        "exhausted": summary["exhausted"],
        "unknown": summary["unknown"],
        "fixed": summary["fixed"],
        "days_left": min((days for days in left if days is not None), default=None),
        "worst_gap": max((gap for gap in gaps if gap), default=0),
    }
