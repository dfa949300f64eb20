"""The operators: one that repairs sequences after a load, and one that fails where some are not in sync."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from airflow_seqfix.options import NAME_OPTIONS
from airflow_seqfix.task.arguments import dictionary, read_all, refuse_early
from airflow_seqfix.task.sdk import AirflowFailException
from airflow_seqfix.task.two_sided import TwoSidedTask

if TYPE_CHECKING:
    from airflow_seqfix.core import Plan, Report
    from airflow_seqfix.task.sdk import Context


PLAN_OR_DRY_RUN = "dry_run and plan exclude each other: leave one out"


class PostgresSequenceResetOperator(TwoSidedTask):
    """Move every PostgreSQL sequence that is behind its data forward, and verify each.

    For the end of a load with explicit ids. It writes only to sequences that are behind, never moves one back,
    and a second run changes nothing. The arguments of `TwoSidedTask`, and:

    :param lock: Which ways of moving a sequence are allowed: "auto"; "none" (only nextval(), no DDL); "sequence" (only
        under a lock on the sequence); "guarded" (one setval() that compares first, not proven under concurrent writes).
    :param advance_up_to: With "auto", gaps of up to this many values are passed with nextval().
    :param retry_on_drift: Whether Airflow retries on drift and missing privileges. Off, the task
        fails at once. A lock that was not available, or a lost connection, is always retried.
    :param dry_run: Make a plan and change nothing. Drift then does not fail the task.
    :param plan: What an earlier task with `dry_run=True` returned (`plan=that_task.output`): only its moves are made,
        to its targets, and one whose sequence or data have changed since is refused. Takes the place of a selection. A
        plan of more than 50 moves does not fit into an XCom: that task needs a `report_path` that ends in .json, which
        then holds the plan, and is read back after its SHA-256 has been compared.
    :param plan_sha256: The `plan_sha256` of the plan that somebody has approved: another one is refused.

    :return: The report, with the sequences that were moved or need attention. With `dry_run=True` also the plan, and
        `move_count`, the number of its moves: 0 means that there is nothing to approve. The XCom `markdown` shows the
        plan to the approver. The XCom `sql` is the same for psql, if it has at most 200,000 characters.
    """

    template_fields: Sequence[str] = (*TwoSidedTask.template_fields, "lock", "dry_run_only", "plan", "plan_sha256")

    def __init__(
        self,
        *,
        lock: str = "auto",
        advance_up_to: int = 10_000,
        retry_on_drift: bool = False,
        dry_run: bool = False,
        plan: Any = None,
        plan_sha256: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.lock = lock
        self.advance_up_to = advance_up_to
        self.retry_on_drift = retry_on_drift
        # The name of a method of BaseOperator is taken.
        self.dry_run_only = dry_run
        self.plan = plan
        self.plan_sha256 = plan_sha256
        # A template that comes to nothing approves nothing.
        self._wants_approved = plan_sha256 is not None
        # A plan that comes to nothing when the task runs must not turn into a repair of everything.
        self._wants_plan = plan is not None
        self.refuse_early("lock", "advance_up_to", "retry_on_drift")
        refuse_early({"dry_run": dry_run}, ("dry_run",))
        if self._wants_approved and not self._wants_plan:
            raise ValueError("plan_sha256 belongs to a plan: give plan as well")
        if dry_run is True and self._wants_plan:
            raise ValueError(PLAN_OR_DRY_RUN)
        selected = [name for name in NAME_OPTIONS if getattr(self, name)]
        if selected and self._wants_plan:
            raise ValueError(f"plan and {selected[0]} exclude each other: a plan already says what to move")

    def execute(self, context: Context) -> dict[str, Any]:
        """Repair, log the table, push the report, and fail where something is left that needs a person."""
        from airflow_seqfix import core

        how = read_all({"lock": self.lock, "advance_up_to": self.advance_up_to})
        if read_all({"dry_run": self.dry_run_only})["dry_run"]:
            if self._wants_plan:
                raise AirflowFailException(PLAN_OR_DRY_RUN)
            return self._show(context, self.ask(context, core.plan, progress=self.log_progress, **how))
        stored = self._stored_plan() if self._wants_plan else None
        report = self.ask(context, core.fix, plan=stored, progress=self.log_progress, **how)
        return self.conclude(context, report, retry=self.retry_on_drift)

    def log_report(self, report: Report, *, is_plan: bool = False) -> None:
        """Write the whole table to the task's log, as a group that can be folded."""
        if self._wants_plan and not report.rows:
            self.log.info("The plan has no moves: nothing was changed")
            return
        super().log_report(report, is_plan=is_plan)

    def _show(self, context: Context, plan: Plan) -> dict[str, Any]:
        """Log a plan, push it for a person who approves it, and return what `plan=` takes."""
        from airflow_seqfix.core.repair.plan import fingerprint
        from airflow_seqfix.render.markdown import plan_markdown
        from airflow_seqfix.task.outcome import XCOM_ROWS, XCOM_SQL

        delivered = self.deliver(context, plan.report, plan)
        whole = plan.to_dict()
        moves = whole["moves"]
        left_out = max(0, len(moves) - XCOM_ROWS)
        shown, sql = plan_markdown(plan, sql=False), plan.to_sql()
        if moves and len(sql) <= XCOM_SQL:
            # A hundred lines a move are too many for a log, and for the page of whoever approves.
            context["ti"].xcom_push(key="sql", value=sql)
            shown += f"\nThe same as SQL for psql: XCom `sql` of task `{self.task_id}`.\n"
        context["ti"].xcom_push(key="markdown", value=shown)
        if left_out and not str(delivered.get("report_file", {}).get("path")).lower().endswith(".json"):
            self.log.warning(
                "%s of %s moves do not fit into the XCom, and plan= will refuse it: "
                "give a report_path that ends in .json, where the whole plan is kept",
                left_out,
                len(moves),
            )
        return delivered | {
            "plan_version": whole["plan_version"],
            "plan_sha256": fingerprint(whole),
            "options": whole["options"],
            "move_count": sum(move.way is not None for move in plan.moves),
            "moves": moves[:XCOM_ROWS],
            "moves_left_out": left_out,
        }

    def _stored_plan(self) -> Any:
        """Return the plan, from its file where the XCom does not hold all of it."""
        from airflow_seqfix.core.repair.plan import fingerprint
        from airflow_seqfix.task.errors import no_retry
        from airflow_seqfix.task.report_file import read_plan

        if not self.plan:
            raise AirflowFailException(
                "plan is empty: the task that makes it was skipped, or returned nothing; clear that one first"
            )
        stored = dictionary("plan", self.plan)
        if stored.get("moves_left_out"):
            with no_retry():
                stored = read_plan(stored.get("report_file"))
        found = fingerprint(stored)
        if self._wants_approved and found != self.plan_sha256:
            raise AirflowFailException(
                f"plan: its SHA-256 is {found}, and {self.plan_sha256} was approved: let it be approved again"
            )
        return stored


class PostgresSequenceCheckOperator(TwoSidedTask):
    """Fail where a PostgreSQL sequence is behind its data, exhausted or unknown.

    A gate that checks once, as Airflow's SQL check operators do; `PostgresSequenceDriftSensor` waits.
    Reads only. The arguments of `TwoSidedTask`, and:

    :param retry_on_drift: Whether Airflow retries on drift, because something else may repair. Off, the task fails
        at once. A lock that was not available, or a lost connection, is always retried.

    :return: The report, with the sequences that need attention.
    """

    def __init__(self, *, retry_on_drift: bool = False, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.retry_on_drift = retry_on_drift
        self.refuse_early("retry_on_drift")

    def execute(self, context: Context) -> dict[str, Any]:
        """Look, log the table, push the report, and fail."""
        from airflow_seqfix import core

        report = self.ask(context, core.check, progress=self.log_progress)
        return self.conclude(context, report, retry=self.retry_on_drift)
