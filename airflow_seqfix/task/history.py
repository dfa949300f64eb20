"""What a task keeps of its reports for the next run: where the fullest sequences stood, in an XCom that goes on."""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from airflow_seqfix.core import Report
    from airflow_seqfix.task.sdk import Context

#: The XCom that holds it.
KEY = "earlier"
#: How many sequences of a report are kept, those that are used up most, and how many reports.
SEQUENCES, REPORTS = 25, 40
#: What is kept of each sequence.
KEPT = ("sequence", "oid", "increment_by", "next_value", "remaining")
#: Reports that lie closer together say nothing of their own, unless something was moved; in days.
APART = 0.9


def earlier(context: Context) -> list[dict[str, Any]]:
    """Return what the run before this one has kept, oldest first."""
    instance = context["ti"]
    kept = instance.xcom_pull(
        task_ids=instance.task_id, key=KEY, map_indexes=instance.map_index, include_prior_dates=True
    )
    return list(kept) if isinstance(kept, list) else []


def with_report(kept: Sequence[dict[str, Any]], report: Report) -> list[dict[str, Any]]:
    """Return what to keep for the next run: nothing of a later moment, which a clock that was ahead has left."""
    thinned: list[dict[str, Any]] = []
    now = _reduced(report)
    for one in (*(past for past in kept if _days_between(past, now) >= 0), now):
        if len(thinned) > 1 and not _has_moved(thinned[-1]) and _days_between(thinned[-2], one) < APART:
            thinned.pop()
        thinned.append(one)
    return thinned[-REPORTS:]


def _reduced(report: Report) -> dict[str, Any]:
    """Return a report as `check(since=…)` reads it, and no more of it."""
    whole = report.to_dict()
    read = [row for row in whole["sequences"] if row["next_value"] is not None and row["remaining"] is not None]
    fullest = sorted(read, key=lambda row: -(row["used_pct"] or 0))[:SEQUENCES]
    rows = [{name: row[name] for name in KEPT} | _moved(row) for row in fullest]
    return {"database": whole["database"], "started_at": whole["started_at"], "sequences": rows}


def _moved(row: dict[str, Any]) -> dict[str, Any]:
    before = row.get("before")
    if before is None or before["next_value"] == row["next_value"]:
        return {}
    return {"before": {"next_value": before["next_value"]}}


def _has_moved(report: dict[str, Any]) -> bool:
    return any("before" in row for row in report["sequences"])


def _days_between(report: dict[str, Any], later: dict[str, Any]) -> float:
    begun, ended = (datetime.datetime.fromisoformat(one["started_at"]) for one in (report, later))
    return (ended - begun).total_seconds() / 86_400
