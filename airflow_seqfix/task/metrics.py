"""What a task tells Airflow's metrics: a handful of figures, and never a series for each sequence."""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow_seqfix.task.sdk import Stats

if TYPE_CHECKING:
    from airflow_seqfix.core import Report

#: The counts of a report's summary that are told.
COUNTS = ("checked", "behind", "exhausted", "unknown", "fixed", "failed")


def emit(report: Report, *, dag_id: str, task_id: str) -> None:
    """Set the gauges `seqfix.<count>` and `seqfix.worst_used_ratio`, in the two forms in which Airflow tells its own.

    With the task in the name for StatsD, which knows no tags: one task's healthy figures must not cover another's. With
    the task as tags for those that do.
    """
    used = [row.finding.used_pct for row in report.rows if row.finding.used_pct is not None]
    figures = {name: float(report.summary[name]) for name in COUNTS}
    figures["worst_used_ratio"] = max(used, default=0.0) / 100
    for name, value in figures.items():
        Stats.gauge(f"seqfix.{name}.{dag_id}.{task_id}", value)
        Stats.gauge(f"seqfix.{name}", value, tags={"dag_id": dag_id, "task_id": task_id})
