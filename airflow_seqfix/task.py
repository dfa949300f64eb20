"""What the operator and the sensor share: arguments, the connection, the log, and when to fail."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar

from airflow.providers.common.compat.sdk import AirflowFailException, BaseOperator

from airflow_seqfix.arguments import BY_SEQUENCE, NAME_ARGUMENTS, read_all, refuse_early
from airflow_seqfix.connection import Slot
from airflow_seqfix.links import LINK_KEY, SequenceReportLink

if TYPE_CHECKING:
    from airflow.providers.common.compat.sdk import Context
    from airflow.providers.openlineage.extractors import OperatorLineage

    from airflow_seqfix.core import Options, Plan, Progress, Report
    from airflow_seqfix.reportfile import ReportFile

#: How wide the table in the log is.
LOG_WIDTH = 140
#: How often the log says how far a long move has come.
SECONDS_BETWEEN_LINES = 5.0

#: What says where to connect, and what becomes of the report.
HOOK_ARGUMENTS = ("conn_id", "database", "hook_params")
REPORT_ARGUMENTS = ("report_path", "report_url")
#: The options of `airflow_seqfix.core`.
OPTIONS = (
    *NAME_ARGUMENTS,
    *BY_SEQUENCE,
    "allow_empty",
    "allow_skipped",
    "margin",
    "max_jump",
    "accept_outlier",
    "interleaved",
    "foreign",
    "unknown",
    "fail_on",
    "warn_used_pct",
    "fail_used_pct",
    "min_remaining",
    "lock_timeout",
    "statement_timeout",
    "run_timeout",
    "wait_for_writers",
)

Names = str | Sequence[str]
T = TypeVar("T")


class SequenceTask(BaseOperator):
    """A task that looks at the sequences of one PostgreSQL database.

    :param conn_id: The PostgreSQL connection.
    :param database: Another database than the connection's.
    :param hook_params: More arguments for `PostgresHook`.
    :param schemas: Schemas of the sequences, or of the tables that they feed: names as written in SQL, or patterns
        such as `app_*`; a list, or a string with JSON or commas. Kinds narrow each other; empty means all.
    :param tables: Tables that the sequences feed.
    :param columns: Columns that the sequences feed.
    :param sequences: The sequences themselves.
    :param exclude: Sequences, tables or columns whose sequences are left alone and listed as skipped.
    :param mapping: Columns that a sequence feeds though no catalog says so (triggers, applications), such as
        `{"public.hibernate_sequence": ["public.orders.id"]}`; or a string with that as JSON.
    :param id_range: The lowest and highest value of a sequence's own where several writers share a column, such as
        `{"public.orders_id_seq": [1, 999999]}`; or a string with that as JSON.
    :param allow_empty: Whether a selection that matches no sequence is in order.
    :param allow_skipped: Whether a table, column or sequence that is named may turn out not to be checkable.
    :param margin: How many steps beyond the furthest value the next value must lie.
    :param max_jump: How far, in values, the furthest value may lie from the value before it without being taken for
        a stray, which is reported and not followed.
    :param accept_outlier: Whether to follow such a stray.
    :param interleaved: Whether only values on the sequence's own steps count (several writers with offsets).
    :param foreign: Whether foreign tables are read as well, on their own servers.
    :param unknown: Whether what could not be read fails the task ("fail") or is only listed ("warn").
    :param fail_on: The verdicts that fail the task, of "behind", "exhausted", "unknown" and "skipped", in place of
        `unknown`; an empty list: none does. A move that was refused or went wrong fails it always.
    :param warn_used_pct: From this share of used values on, in percent, a sequence is listed as exhausting.
    :param fail_used_pct: From this share on it fails the task, whatever its verdict; None: never.
    :param min_remaining: With fewer values left than this it fails the task, whatever its verdict; None: never.
    :param lock_timeout: How long to wait for a lock, in seconds; at most 1.
    :param statement_timeout: How long one statement may run, in seconds.
    :param run_timeout: How long the whole run may take, in seconds; what was not reached is reported as unknown.
    :param wait_for_writers: How long to wait, in seconds, for transactions that are writing to the tables: their rows
        cannot be seen yet. 0: they are reported only.
    :param report_path: A file for the whole report, on any store that Airflow's `ObjectStoragePath` reaches, such as
        `s3://aws_default@bucket/{{ run_id }}.html` or `file:///srv/reports/{{ run_id }}.json`. Its end says in which
        form: .html, .md or .json. It is written before the task fails. The XCom holds its path and SHA-256.
    :param report_url: Where a browser finds that file, for the button "Sequence report" in the task's page. Left out,
        the button leads to the console of Amazon S3 or Google Cloud Storage, and is not there for other stores:
        a browser follows no link from a page to a file.
    """

    template_fields: Sequence[str] = (*HOOK_ARGUMENTS, *NAME_ARGUMENTS, *BY_SEQUENCE, "margin", *REPORT_ARGUMENTS)
    template_fields_renderers: ClassVar[dict[str, str]] = {"hook_params": "json", "mapping": "json", "id_range": "json"}
    operator_extra_links = (SequenceReportLink(),)
    ui_color = "#d5e8d4"

    def __init__(
        self,
        *,
        conn_id: str = "postgres_default",
        database: str | None = None,
        hook_params: dict[str, Any] | None = None,
        schemas: Names = (),
        tables: Names = (),
        columns: Names = (),
        sequences: Names = (),
        exclude: Names = (),
        mapping: dict[str, Any] | str | None = None,
        id_range: dict[str, Any] | str | None = None,
        allow_empty: bool = False,
        allow_skipped: bool = False,
        margin: int | str = 0,
        max_jump: int = 10_000_000,
        accept_outlier: bool = False,
        interleaved: bool = False,
        foreign: bool = False,
        unknown: str = "fail",
        fail_on: Names | None = None,
        warn_used_pct: float = 75.0,
        fail_used_pct: float | None = None,
        min_remaining: int | None = None,
        lock_timeout: float = 0.1,
        statement_timeout: float = 60.0,
        run_timeout: float = 300.0,
        wait_for_writers: float = 0.0,
        report_path: str | None = None,
        report_url: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.conn_id = conn_id
        self.database = database
        self.hook_params = hook_params
        self.schemas = schemas
        self.tables = tables
        self.columns = columns
        self.sequences = sequences
        self.exclude = exclude
        self.mapping = mapping
        self.id_range = id_range
        self.allow_empty = allow_empty
        self.allow_skipped = allow_skipped
        self.margin = margin
        self.max_jump = max_jump
        self.accept_outlier = accept_outlier
        self.interleaved = interleaved
        self.foreign = foreign
        self.unknown = unknown
        self.fail_on = fail_on
        self.warn_used_pct = warn_used_pct
        self.fail_used_pct = fail_used_pct
        self.min_remaining = min_remaining
        self.lock_timeout = lock_timeout
        self.statement_timeout = statement_timeout
        self.run_timeout = run_timeout
        self.wait_for_writers = wait_for_writers
        self.report_path = report_path
        self.report_url = report_url
        #: What listeners read, as with Airflow's SQL check operators.
        self.check_results: list[Any] = []
        self._report: Report | None = None
        self._slot = Slot()
        self._last_line = time.monotonic()
        self.refuse_early(*HOOK_ARGUMENTS, *OPTIONS, *REPORT_ARGUMENTS)

    def refuse_early(self, *arguments: str) -> None:
        """Refuse arguments that cannot be meant, and that no template changes, while the DAG is parsed.

        :raises ValueError: that names one and says what to give.
        """
        refuse_early({name: getattr(self, name) for name in arguments}, self.template_fields)

    def options(self, context: Context) -> Options:
        """Return what the core is given.

        :raises AirflowFailException: when an argument cannot be meant.
        """
        options = read_all({name: getattr(self, name) for name in OPTIONS})
        instance = context.get("ti")
        if instance is not None:
            # Who is it, in pg_stat_activity.
            options["application_name"] = f"{instance.dag_id}.{instance.task_id} {instance.run_id}"
        return options  # type: ignore[return-value]

    def hook_arguments(self) -> dict[str, Any]:
        """Return what `open_connection` is given.

        :raises AirflowFailException: when an argument cannot be meant.
        """
        return read_all({name: getattr(self, name) for name in HOOK_ARGUMENTS})

    def ask(self, context: Context, work: Callable[..., T], **more: Any) -> T:
        """Call a function of the core on a connection, with the options of this task and `more`.

        The connection is at hand for `on_kill` while it is open.

        :raises AirflowFailException: when an argument cannot be meant, which no retry mends.
        :raises ConnectionFailedError: when there is no connection to be had; nothing of Airflow's: it is retried.
        """
        from airflow_seqfix.connection import heard_while_waiting, open_connection

        options: dict[str, Any] = {**self.options(context), **more}
        with no_retry():
            self.report_file()
            with (
                open_connection(**self.hook_arguments()) as connection,
                heard_while_waiting(connection),
                self._slot.hold(connection),
            ):
                return work(connection, **options)

    def report_file(self) -> ReportFile | None:
        """Return where the report goes, if anywhere.

        :raises ArgumentError: when nothing could be written there.
        """
        from airflow_seqfix.reportfile import ReportFile

        where = read_all({name: getattr(self, name) for name in REPORT_ARGUMENTS})
        return None if where["report_path"] is None else ReportFile.parse(**where)

    def on_kill(self) -> None:
        """Cancel the statement that is running, and see to it that no other follows."""
        self.log.warning("Told to stop: what runs on the server is cancelled")
        self._slot.cancel()

    def log_report(self, report: Report) -> None:
        """Write the whole table to the task's log, as a group that can be folded."""
        from airflow_seqfix.render.table import summary, table

        self.log.info("%s", summary(report))
        self.log_group(
            f"Sequences of database {report.server.database}, read as role {report.server.role}",
            table(report, width=LOG_WIDTH, all_rows=True),
        )

    def log_progress(self, progress: Progress) -> None:
        """Write a line every few seconds, no matter how much there is to read or to move."""
        from airflow_seqfix.core.errors import printable

        now = time.monotonic()
        if now - self._last_line > SECONDS_BETWEEN_LINES:
            self._last_line = now
            self.log.info("%s", printable(str(progress)))

    def log_group(self, title: str, text: str) -> None:
        """Write text to the task's log, line by line, as a group that can be folded."""
        from airflow_seqfix.core.errors import printable

        self.log.info("::group::%s", printable(title))
        for line in text.splitlines():
            self.log.info("%s", line)
        self.log.info("::endgroup::")

    def tell(self, context: Context, report: Report, plan: Plan | None = None) -> dict[str, Any]:
        """Log the report, write it to its file, and return its XCom.

        :param plan: What is written to the file in place of the report.
        :raises ReportError: when the file could not be written, and that is the worst that has happened.
        """
        from airflow_seqfix.outcome import xcom
        from airflow_seqfix.reportfile import ReportError

        self.log_report(report)
        self.publish(context, report)
        told = xcom(report)
        file = self.report_file()
        if file is None:
            return told
        try:
            told["report_file"] = file.write(plan or report)
        except ReportError as error:
            if plan is None and report.failing:
                # What the task has found is worse, and is what it fails with.
                self.log.error("%s", error)
                return told
            context["ti"].xcom_push(key="return_value", value=told)
            raise
        self.log.info("The report was written to %s", file.path)
        if file.link:
            context["ti"].xcom_push(key=LINK_KEY, value=file.link)
        return told

    def publish(self, context: Context, report: Report) -> None:
        """Hand the report to what listens: metrics, the events of outlets, lineage."""
        from airflow_seqfix import assets, lineage, metrics
        from airflow_seqfix.connection import make_hook

        if self._report is None:
            # Once, however often a sensor looks.
            lineage.send_hook_lineage(make_hook(**self.hook_arguments()), report)
        self._report = report
        self.check_results = lineage.check_results(report)
        metrics.emit(report, dag_id=self.dag_id, task_id=self.task_id)
        assets.annotate(context, self.outlets, report)

    def get_openlineage_facets_on_complete(self, task_instance: Any) -> OperatorLineage[Any, Any] | None:
        """Return what OpenLineage is told of the task: each table, with a data quality assertion for each sequence."""
        from airflow_seqfix.connection import make_hook
        from airflow_seqfix.lineage import operator_lineage

        if self._report is None:
            return None
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
        from airflow_seqfix.outcome import failure

        told = self.tell(context, report)
        if report.failing:
            context["ti"].xcom_push(key="return_value", value=told)
            raise failure(report, retry=retry)
        return told


@contextlib.contextmanager
def no_retry() -> Iterator[None]:
    """Turn what no retry mends into Airflow's exception for that."""
    from airflow_seqfix.core import ArgumentError, UnsupportedServerError
    from airflow_seqfix.core.errors import printable

    try:
        yield
    except (ArgumentError, UnsupportedServerError) as error:
        raise AirflowFailException(printable(str(error))) from None
