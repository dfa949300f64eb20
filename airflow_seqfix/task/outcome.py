"""A report as XCom, and as the exception that fails the task."""

from __future__ import annotations

from typing import Any

from airflow_seqfix.core import Report, Row
from airflow_seqfix.task.sdk import AirflowFailException

#: How many sequences, or moves of a plan, an XCom lists.
XCOM_ROWS = 50
#: How many characters of SQL an XCom holds: about twenty moves.
XCOM_SQL = 200_000


def xcom(report: Report) -> dict[str, Any]:
    """Return the report with the rows that somebody has to know of, and no more than `XCOM_ROWS` of them."""
    listed = [row for row in report.sorted_rows if _is_listed(row, report)]
    return report.to_dict(listed[:XCOM_ROWS]) | {"truncated": max(0, len(listed) - XCOM_ROWS)}


def failure(report: Report, *, retry: bool) -> Exception:
    """Return the exception that the worst of a report asks for.

    :param retry: Whether to leave the choice to Airflow's retries also where trying again does not help by itself.
    """
    error = report.failure
    return error if retry or error.retryable else AirflowFailException(str(error))


def _is_listed(row: Row, report: Report) -> bool:
    warned = {"exhausting", "outlier"} & {str(warning) for warning in row.finding.warnings}
    return bool(row.outcome or row.finding.is_not_in_sync or row.fails(report.policy) or warned)
