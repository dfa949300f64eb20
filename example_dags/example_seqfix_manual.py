"""Check, plan or repair by hand, from a form.

Use it on call: trigger it, choose the connection and what to look at. `check` fails if anything is behind, `plan`
shows what a repair would do and also prints it as SQL, `repair` does it and verifies it.
The connections on the form are a list in this file: whoever may trigger it reaches those databases and no others.
"""

from __future__ import annotations

from airflow.sdk import DAG, Param, task

from airflow_seqfix.operators.postgres import PostgresSequenceResetOperator
from airflow_seqfix.sensors.postgres import PostgresSequenceDriftSensor

CONNECTIONS = ["postgres_default"]

WHAT = {
    "conn_id": "{{ params.conn_id }}",
    "schemas": "{{ params.schemas | tojson }}",
    "tables": "{{ params.tables | tojson }}",
}

with DAG(
    dag_id="example_seqfix_manual",
    description="Ad-hoc check, plan or repair of sequences",
    schedule=None,
    catchup=False,
    tags=["example", "seqfix"],
    doc_md=__doc__,
    params={
        "conn_id": Param(
            CONNECTIONS[0],
            enum=CONNECTIONS,
            title="Connection",
            description="The database to look at.",
        ),
        "mode": Param(
            "check",
            enum=["check", "plan", "repair"],
            title="Mode",
            description="check: fail if anything is behind. plan: show what a repair would do. repair: do it.",
        ),
        "schemas": Param(
            [],
            type="array",
            items={"type": "string"},
            title="Schemas",
            description="Names or patterns such as app_*, one a line. None: all.",
        ),
        "tables": Param(
            [],
            type="array",
            items={"type": "string"},
            title="Tables",
            description="Names or patterns, with or without a schema, one a line. None: all.",
        ),
    },
):

    @task.branch
    def choose(params: dict | None = None) -> str:
        """Go the way that the form says."""
        return params["mode"]

    check = PostgresSequenceDriftSensor(task_id="check", on_drift="fail", **WHAT)
    plan = PostgresSequenceResetOperator(task_id="plan", dry_run=True, **WHAT)
    repair = PostgresSequenceResetOperator(task_id="repair", **WHAT)

    choose() >> [check, plan, repair]
