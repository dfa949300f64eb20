"""The button in a task's page. Airflow imports it with the DAG: nothing heavy here."""

from __future__ import annotations

from typing import Any

from airflow_seqfix.task.sdk import BaseOperatorLink

#: The XCom that holds the address.
LINK_KEY = "sequence_report_link"


class SequenceReportLink(BaseOperatorLink):
    """Where a browser finds the file that `report_path` named."""

    name = "Sequence report"

    def get_link(self, operator: Any, *, ti_key: Any) -> str:
        """Return the address that the task has checked and pushed; empty where there is none."""
        if hasattr(operator, "report_link"):
            # In the worker, which would log an error for an XCom that is not there.
            return str(operator.report_link)
        from airflow_seqfix.task.sdk import XCom

        return XCom.get_value(ti_key=ti_key, key=LINK_KEY) or ""
