"""The operator that repairs sequences after a load."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow.providers.common.compat.sdk import AirflowFailException

from airflow_seqfix.task import SequenceTask, xcom

if TYPE_CHECKING:
    from airflow.providers.common.compat.sdk import Context


class PostgresSequenceResetOperator(SequenceTask):
    """Move every PostgreSQL sequence that is behind its data forward, and verify each.

    For the end of a load that brought explicit ids. A sequence that is in sync is not written, none ever goes back,
    and a second run changes nothing. The arguments of `SequenceTask`, and:

    :param lock: Which ways of moving a sequence are allowed: "auto"; "none" (only nextval(), no DDL); "sequence" (only
        under a lock on the sequence); "guarded" (one setval() that looks first, not proven under concurrent writes).
    :param advance_up_to: With "auto", gaps of up to this many values are passed with nextval().
    :param dry_run: Whether to report only what would be done. Drift then does not fail the task.

    :return: The report, with the sequences that were moved or that somebody has to look at.
    """

    def __init__(
        self, *, lock: str = "auto", advance_up_to: int = 10_000, dry_run: bool = False, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self.lock = lock
        self.advance_up_to = advance_up_to
        self.dry_run_only = dry_run

    def execute(self, context: Context) -> dict[str, Any]:
        """Repair, log the table, push the report, and fail where something is left that needs a person."""
        from airflow_seqfix import core

        options = self.options(context)
        options |= {"lock": self.lock, "advance_up_to": self.advance_up_to}  # type: ignore[typeddict-item]
        try:
            with self.connection() as connection:
                if self.dry_run_only:
                    plan = core.plan(connection, **options)
                    report = plan.report
                else:
                    plan = None
                    report = core.fix(connection, progress=self.log_progress, **options)
        except (core.ArgumentError, core.UnsupportedServerError) as error:
            raise AirflowFailException(str(error)) from None
        self.log_report(report)
        if plan is not None:
            self.log_group("The same as SQL", plan.to_sql())
        elif report.failing:
            self.fail(context, report)
        return xcom(report)
