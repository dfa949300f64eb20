"""Check the sequences of many databases, show one report over all, and repair after one approval.

Use it for tenants in databases of their own: found on the server of one connection, or named in the form. Each has a
mapped task, so that one that fails does not stop the others; the report says which. Nothing is written before a
person has approved, and then exactly what that person saw. Copy this file and set the constants at its top.
"""

from __future__ import annotations

import datetime
import logging
from typing import Any

from airflow.providers.common.compat.sdk import DAG, AirflowFailException, Param, task

from airflow_seqfix.operators.postgres import PostgresSequenceResetOperator

try:
    from airflow.providers.standard.operators.hitl import ApprovalOperator
except Exception:  # before Airflow 3.1 the module is not there, or refuses
    ApprovalOperator = None

#: Whose server the databases are on.
CONNECTION = "postgres_default"
#: Whose sequences are looked at. A pattern, because not every database has to have the schema.
SCHEMAS = ["seqfix_example*"]
#: How many databases are looked at, and repaired, at once.
AT_ONCE = 8
#: Whether a person is asked. Without, every plan is applied.
ASKS = True
#: Where the page over all databases is kept, such as "s3://aws_default@bucket/seqfix/{run_id}.html".
PAGE: str | None = None

log = logging.getLogger(__name__)

COMMON: dict[str, Any] = {
    "conn_id": CONNECTION,
    "max_active_tis_per_dagrun": AT_ONCE,
    "map_index_template": "{{ task.database }}",
}


def read(databases: list[str], planned: Any) -> Any:
    """Put the reports of all databases together; one without a report has failed."""
    from airflow_seqfix.core.fleet import DatabaseResult, Fleet

    reports = {report["database"]: report for report in planned if report}
    nothing = "its task came to no report: see its log"
    return Fleet.of(
        DatabaseResult(database=name, report=reports.get(name), error=None if name in reports else nothing)
        for name in databases
    )


with DAG(
    dag_id="example_seqfix_fleet",
    description="Many databases, one report, one approval",
    schedule=None,
    catchup=False,
    tags=["example", "seqfix"],
    doc_md=__doc__,
    params={
        "databases": Param(
            [],
            type="array",
            items={"type": "string", "minLength": 1},
            title="Databases",
            description="One a line; none: all of the server that take connections and are no templates.",
        )
    },
):

    @task
    def find(params: dict | None = None) -> list[str]:
        """Return the databases of the form, or all of the server."""
        from airflow.providers.postgres.hooks.postgres import PostgresHook

        if params["databases"]:
            return params["databases"]
        # What a failed DROP DATABASE has left has the limit -2.
        listed = "SELECT datname FROM pg_database WHERE datallowconn AND NOT datistemplate AND datconnlimit <> -2"
        return sorted(name for (name,) in PostgresHook(CONNECTION).get_records(listed))

    databases = find()
    # [START fleet]
    plan = PostgresSequenceResetOperator.partial(
        task_id="plan", schemas=SCHEMAS, allow_empty=True, dry_run=True, **COMMON
    ).expand(database=databases)

    @task(trigger_rule="all_done")
    def join(databases: list[str], planned: Any, run_id: str | None = None, ti=None) -> dict[str, int]:
        """Log one table over all, push it for the approval, and write the page."""
        from airflow.providers.common.compat.sdk import ObjectStoragePath

        from airflow_seqfix.render import fleet as rendered

        fleet = read(databases, planned)
        log.info("%s", rendered.table(fleet, width=120))
        ti.xcom_push(key="markdown", value=rendered.markdown(fleet))
        if PAGE is not None:
            ObjectStoragePath(PAGE.format(run_id=run_id)).write_text(rendered.html(fleet))
        return fleet.summary

    @task.short_circuit(trigger_rule="all_done")
    def decide(planned: Any, summary: dict[str, int]) -> list[dict[str, Any]]:
        """Return the plans that move something; without one there is nothing to approve."""
        return [
            {"database": report["database"], "plan": report, "plan_sha256": report["plan_sha256"]}
            for report in planned
            if report and report["move_count"]
        ]

    @task(trigger_rule="all_done")
    def left(databases: list[str], planned: Any, summary: dict[str, int]) -> None:
        """Fail where a database could not be checked, or is not in order and has no move: a person has to look."""
        movable = {report["database"] for report in planned if report and report["move_count"]}
        bad = [one for one in read(databases, planned).databases if one.state in ("error", "failing")]
        names = [one.database for one in bad if one.database not in movable]
        if names:
            raise AirflowFailException(
                f"{len(names)} of {len(databases)} databases need a person, and the log of task join says why: "
                f"{', '.join(names)}"
            )

    joined = join(databases, plan.output)
    decided = decide(plan.output, joined)
    repair = PostgresSequenceResetOperator.partial(task_id="repair", **COMMON).expand_kwargs(decided)
    # [END fleet]

    left(databases, plan.output, joined)
    if ASKS and ApprovalOperator is not None:
        approve = ApprovalOperator(
            task_id="approve",
            subject="Repair the sequences of these databases?",
            body="{{ ti.xcom_pull(task_ids='join', key='markdown') }}",
            response_timeout=datetime.timedelta(hours=1),
        )
        decided >> approve >> repair
    elif ASKS:

        @task(task_id="approve")
        def ask() -> None:
            """Wait for a person to mark this task as success, after which the same run goes on."""
            raise AirflowFailException("read the table in the log of task join; to approve, mark this task as success")

        decided >> ask() >> repair
