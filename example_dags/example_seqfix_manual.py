"""Check, plan or repair by hand, from a form, with an approval before anything is written.

Use it on call: trigger it from the page, by REST, or with `airflow dags trigger example_seqfix_manual --conf '{…}'`.
`check` fails if anything is behind, `plan` shows what a repair would do, `repair` shows it to a person, applies
exactly what that person has approved, and verifies. Copy this file and set the constants at its top.
"""

from __future__ import annotations

import datetime

from airflow.providers.common.compat.sdk import DAG, AirflowFailException, Param, task

from airflow_seqfix.operators.postgres import PostgresSequenceCheckOperator, PostgresSequenceResetOperator
from airflow_seqfix.options import OPTIONS

try:
    from airflow.providers.standard.operators.hitl import ApprovalOperator
except Exception:  # before Airflow 3.1 the module is not there, or refuses
    ApprovalOperator = None

#: Whoever may trigger this DAG reaches these databases, and no others.
CONNECTIONS = ["postgres_default"]
#: Other databases of the same connections that the form offers.
DATABASES: list[str] = []
#: Who may approve, such as [{"id": "ada", "name": "Ada"}]; empty: everybody who may answer a required action.
APPROVERS: list[dict[str, str]] = []
#: Whether whoever triggers may leave the approval out.
MAY_SKIP_APPROVAL = False
#: Where reports are kept, such as "s3://aws_default@bucket/seqfix": a plan of more than 50 moves is applied from there.
REPORTS: str | None = None
#: Where a browser finds the same, for a button in the task's page.
REPORTS_URL: str | None = None

NAMES = {"type": "array", "items": {"type": "string", "minLength": 1}}

FORM = {
    "mode": Param(
        "check",
        type="string",
        enum=["check", "plan", "repair"],
        title="What to do",
        description="check: fail if anything is behind. plan: show what a repair would do. repair: do it.",
    ),
    "conn_id": Param(CONNECTIONS[0], type="string", enum=CONNECTIONS, title="Connection"),
    "database": Param(
        None,
        type=["null", "string"],
        enum=[None, *DATABASES],
        values_display={"null": "the one that the connection names"},
        title="Database",
    ),
    "schemas": Param(
        ["*"],
        **NAMES,
        title="Schemas",
        description=f"{OPTIONS['schemas'].help} One a line, as in SQL, or patterns such as app_*. *: all.",
        section="Which sequences",
    ),
    "tables": Param(
        ["*"],
        **NAMES,
        title="Tables",
        description=f"{OPTIONS['tables'].help} With or without a schema, one a line. *: all.",
        section="Which sequences",
    ),
    "exclude": Param(
        [],
        **NAMES,
        title="Leave alone",
        description=f"{OPTIONS['exclude'].help} One a line.",
        section="Which sequences",
    ),
    "lock": Param(
        OPTIONS["lock"].default,
        type="string",
        enum=["auto", "none", "sequence"],
        title="Lock",
        description=f"{OPTIONS['lock'].help} auto: a lock of less than a millisecond where the gap is large. none: "
        "only nextval(), no DDL. sequence: always under a lock.",
        section="How to repair",
    ),
    "margin": Param(
        OPTIONS["margin"].default,
        type="integer",
        minimum=0,
        maximum=1_000_000,
        title="Margin",
        description=f"{OPTIONS['margin'].help} For rows that are still on their way.",
        section="How to repair",
    ),
    "approval": Param(
        True,
        type="boolean",
        enum=[True, False] if MAY_SKIP_APPROVAL else [True],
        title="Ask for approval",
        description="Whether a person sees the plan before it is applied.",
        section="How to repair",
    ),
}


def report(name: str) -> dict[str, str]:
    """Say where a task keeps its report."""
    places = {"report_path": REPORTS, "report_url": REPORTS_URL}
    return {argument: f"{place}/{{{{ run_id }}}}-{name}" for argument, place in places.items() if REPORTS and place}


with DAG(
    dag_id="example_seqfix_manual",
    description="Ad-hoc check, plan or repair of sequences",
    schedule=None,
    catchup=False,
    tags=["example", "seqfix"],
    doc_md=__doc__,
    params=FORM,
) as dag:
    # dag.param() hands over what the form says as it is: no template ever sees it. Without a default, Airflow stores it
    # from 3.2 on only.
    form = {name: dag.param(name, field.value) for name, field in FORM.items()}
    where = {name: form[name] for name in ("conn_id", "database")}
    which = {name: form[name] for name in ("schemas", "tables", "exclude")}
    how = {name: form[name] for name in ("lock", "margin")}

    @task.branch
    def choose(params: dict | None = None, dag_run=None) -> str:
        """Refuse what the form has no field for: a misspelt selection would otherwise mean everything."""
        unknown = sorted(set(dag_run.conf or {}) - set(FORM))
        if unknown:
            raise AirflowFailException(f"conf has {', '.join(unknown)}; the form has {', '.join(FORM)}")
        return "check" if params["mode"] == "check" else "plan"

    check = PostgresSequenceCheckOperator(
        task_id="check", margin=how["margin"], **where, **which, **report("check.html")
    )
    plan = PostgresSequenceResetOperator(task_id="plan", dry_run=True, **where, **which, **how, **report("plan.json"))

    @task.branch
    def decide(planned: dict, params: dict | None = None, ti=None) -> str:
        """Ask only where there is something to approve, and note what is shown: no other plan will be applied."""
        ti.xcom_push(key="plan_sha256", value=planned["plan_sha256"])
        if params["mode"] == "plan":
            return "summary"
        if not planned["move_count"]:
            return "verify"
        return "repair" if MAY_SKIP_APPROVAL and not params["approval"] else "approve"

    if ApprovalOperator is not None:
        approve = ApprovalOperator(
            task_id="approve",
            subject="Repair sequences through {{ params.conn_id }}?",
            body="{{ ti.xcom_pull(task_ids='plan', key='markdown') }}\n\n"
            "SHA-256 of this plan: `{{ ti.xcom_pull(task_ids='decide', key='plan_sha256') }}`. No other is applied.",
            assigned_users=APPROVERS or None,
            response_timeout=datetime.timedelta(hours=1),
        )
    else:

        @task(task_id="approve")
        def ask() -> None:
            """Wait for a person to mark this task as success, after which the same run goes on with the same plan."""
            raise AirflowFailException(
                "read the plan in the log of task plan; to approve it, mark this task as success"
            )

        approve = ask()

    # A branch skips what it does not choose, and so does a rejection: then neither of these two runs.
    repair = PostgresSequenceResetOperator(
        task_id="repair",
        plan=plan.output,
        plan_sha256="{{ ti.xcom_pull(task_ids='decide', key='plan_sha256') }}",
        trigger_rule="none_failed_min_one_success",
        **where,
        **how,
        **report("repair.html"),
    )
    # Without the margin, which live traffic uses up.
    verify = PostgresSequenceCheckOperator(
        task_id="verify", trigger_rule="none_failed_min_one_success", **where, **which
    )

    @task(trigger_rule="none_failed")
    def summary(params: dict | None = None, ti=None) -> list[str]:
        """Say what was found, who decided, and what was done."""
        found = ti.xcom_pull(task_ids="check") or ti.xcom_pull(task_ids="plan")
        answer, repaired = ti.xcom_pull(task_ids="approve"), ti.xcom_pull(task_ids="repair")
        counts = found["summary"]
        lines = [f"database {found['database']}: {counts['checked']} sequences checked, {counts['behind']} behind"]
        if answer:
            lines.append(f"approved by {answer['responded_by_user']['name']}")
        elif params["mode"] == "repair" and found["move_count"] and not repaired:
            lines.append("the plan was rejected")
        moved = [row for row in repaired["sequences"] if row.get("way")] if repaired else []
        for row in moved:
            now, was = row["after"]["next_value"], row["before"]["next_value"]
            lines += [f"{row['sequence']}: next value {now:,}, was {was:,}"]
        return lines if moved else [*lines, "nothing was changed"]

    choose() >> [check, plan]
    decide(plan.output) >> [approve, repair, verify, (said := summary())]
    approve >> [repair, verify]
    check >> said
    repair >> verify >> said
