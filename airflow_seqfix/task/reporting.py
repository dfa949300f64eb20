"""Logs, writes and publishes a task's report, and fails with it."""

from __future__ import annotations

import time
from collections.abc import Collection, Iterable
from typing import TYPE_CHECKING, Any

from airflow_seqfix.task import history
from airflow_seqfix.task.arguments import read_all
from airflow_seqfix.task.links import LINK_KEY, SequenceReportLink
from airflow_seqfix.task.sdk import BaseOperator, BaseOperatorLink

if TYPE_CHECKING:
    from airflow.providers.openlineage.extractors import OperatorLineage

    from airflow_seqfix.core import Plan, Progress, Report
    from airflow_seqfix.task.report_file import ReportFile
    from airflow_seqfix.task.sdk import Context

#: How wide the table in the log is: Airflow's page, 1440 pixels wide, shows as much beside the grid.
LOG_WIDTH = 104
#: How often the log says how far a long move has come.
SECONDS_BETWEEN_LINES = 5.0

#: What becomes of the report.
REPORT_ARGUMENTS = ("report_path", "report_url")


class ReportingTask(BaseOperator):
    """A task that makes a report.

    :param report_path: A file for the whole report, on any store that Airflow's `ObjectStoragePath` reaches, such as
        `s3://aws_default@bucket/{{ run_id }}.html` or `file:///srv/reports/{{ run_id }}.json`. Its extension sets the
        format: .html, .md, .csv or .json. It is written before the task fails. The XCom holds its path and SHA-256.
    :param report_url: Where a browser finds that file, for the button "Sequence report" in the task's page. Without it
        the button leads to the console of Amazon S3 or Google Cloud Storage; for other stores there is no button,
        because a browser does not open a file from a page.
    """

    operator_extra_links: Collection[BaseOperatorLink] = (SequenceReportLink(),)

    def __init__(self, *, report_path: str | None = None, report_url: str | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.report_path = report_path
        self.report_url = report_url
        #: Where a browser finds the report; empty: nowhere.
        self.report_link = ""
        if report_path is None:
            # Neither a button nor a look for its address.
            self.operator_extra_links = ()
        #: What listeners read, as with Airflow's SQL check operators.
        self.check_results: list[Any] = []
        self._report: Report | None = None
        self._advised = False
        #: What earlier runs have found, where it matters.
        self.earlier: list[dict[str, Any]] | None = None
        self._last_line: float | None = None

    def hook_arguments(self) -> dict[str, Any]:
        """Return what `make_hook` and `open_connection` are given."""
        raise NotImplementedError

    def report_file(self) -> ReportFile | None:
        """Return where the report goes, if anywhere.

        :raises ArgumentError: when nothing could be written there.
        """
        from airflow_seqfix.task.report_file import ReportFile

        where = read_all({name: getattr(self, name) for name in REPORT_ARGUMENTS})
        return None if where["report_path"] is None else ReportFile.parse(**where)

    def log_report(self, report: Report, *, is_plan: bool = False) -> None:
        """Write the table to the task's log, as a group that can be folded."""
        from airflow_seqfix.core.message import folded
        from airflow_seqfix.render.table import MOST, summary, table

        self._last_line = None
        self.log.info("%s", summary(report))
        for advice in () if self._advised else report.server.advice:
            self._advised = True
            self.log.info("%s", advice)
        lines: list[str] = []
        more = self._more_in
        text = table(report, width=LOG_WIDTH, all_rows=True, is_plan=is_plan, more_in=more, most=MOST, listed_in=more)
        for line in text.splitlines():
            # A remedy, which the table leaves on one line.
            is_long = line.startswith("  ") and len(line) > LOG_WIDTH
            lines += [f"  {part}" for part in folded(line, indent=2, width=LOG_WIDTH - 2)] if is_long else [line]
        self.log_group(f"Sequences of database {report.server.where}", lines)

    @property
    def _more_in(self) -> str:
        """Where the sequences stand that the log does not explain."""
        return "the report" if self.report_path else "a report: give report_path"

    def log_progress(self, progress: Progress) -> None:
        """Write a line every few seconds, no matter how much there is to read or to move."""
        from airflow_seqfix.core.errors import printable

        now = time.monotonic()
        if self._last_line is None:
            # What is done at once needs no line.
            self._last_line = now
        if now - self._last_line > SECONDS_BETWEEN_LINES:
            self._last_line = now
            self.log.info("%s", printable(str(progress)))

    def log_group(self, title: str, lines: Iterable[str]) -> None:
        """Write lines to the task's log as a group that can be folded."""
        from airflow_seqfix.core.errors import printable

        self.log.info("::group::%s", printable(title))
        for line in lines:
            self.log.info("%s", line)
        self.log.info("::endgroup::")

    def deliver(self, context: Context, report: Report, plan: Plan | None = None) -> dict[str, Any]:
        """Log the report, write it to its file, and return its XCom.

        :param plan: What is written to the file in place of the report.
        :raises ReportError: when the file could not be written, and that is the worst that has happened.
        """
        from airflow_seqfix.task.outcome import xcom
        from airflow_seqfix.task.report_file import ReportError

        self.log_report(report, is_plan=plan is not None)
        self.publish(context, report)
        if self.earlier is not None:
            context["ti"].xcom_push(key=history.KEY, value=history.with_report(self.earlier, report))
        delivered = xcom(report)
        file = self.report_file()
        if file is None:
            return delivered
        try:
            delivered["report_file"] = file.write(report if plan is None else plan)
        except ReportError as error:
            if plan is None and not report.ok:
                # What the task has found is worse, and is what it fails with.
                self.log.error("%s", error)
                return delivered
            context["ti"].xcom_push(key="return_value", value=delivered)
            raise
        self.log.info("The report was written to %s", file.path)
        if file.link:
            self.report_link = file.link
            context["ti"].xcom_push(key=LINK_KEY, value=file.link)
        return delivered

    def publish(self, context: Context, report: Report) -> None:
        """Hand the report to what listens: metrics, the events of outlets, lineage."""
        from airflow_seqfix.task import assets, lineage, metrics
        from airflow_seqfix.task.connection import make_hook

        if self._report is None:
            # Once, however often a sensor looks.
            lineage.send_hook_lineage(make_hook(**self.hook_arguments()), report)
        self._report = report
        self.check_results = lineage.check_results(report)
        metrics.emit(report, dag_id=self.dag_id, task_id=self.task_id)
        assets.annotate(context, self.outlets, report)

    def get_openlineage_facets_on_complete(self, task_instance: Any) -> OperatorLineage[Any, Any] | None:
        """Return what OpenLineage is told of the task: each table, with a data quality assertion for each sequence."""
        from airflow_seqfix.task.connection import make_hook
        from airflow_seqfix.task.lineage import nothing, operator_lineage

        if self._report is None:
            return nothing()
        return operator_lineage(make_hook(**self.hook_arguments()), self._report)

    def get_openlineage_facets_on_failure(self, task_instance: Any) -> OperatorLineage[Any, Any] | None:
        """Return the same for a task that has failed, where it came to a report."""
        return self.get_openlineage_facets_on_complete(task_instance)

    def conclude(self, context: Context, report: Report, *, retry: bool = False) -> dict[str, Any]:
        """Tell the report, and return its XCom, or push it and fail in the way that the worst of it asks for.

        :raises LockTimeoutError: when a lock could not be had: trying again may help.
        :raises PrivilegeError: when a privilege is missing for all that fails, and `retry`.
        :raises DriftError: when it is something else, and `retry`.
        :raises AirflowFailException: without `retry`.
        """
        from airflow_seqfix.task.outcome import failure

        delivered = self.deliver(context, report)
        if not report.ok:
            context["ti"].xcom_push(key="return_value", value=delivered)
            raise failure(report, retry=retry)
        return delivered
