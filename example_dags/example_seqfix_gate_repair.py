"""Look with a role that can only read, and repair with another one, where there is something to repair.

Use it where the role that looks must not write, or where a repair is worth a task of its own to be told about.
The branch goes through `repair` when the dry run has found a sequence to move; `PostgresSequenceResetOperator` alone
does the same where that does not matter. The tables here are the example's own, in schema `seqfix_example`.
"""

from __future__ import annotations

from pathlib import Path

from airflow.providers.common.sql.operators.sql import SQLExecuteQueryOperator
from airflow.sdk import DAG, task

from airflow_seqfix.operators.postgres import PostgresSequenceResetOperator

#: A role with SELECT, and the owner of the sequences: two connections in real life.
READER = "postgres_default"
OWNER = "postgres_default"
SHOP = Path(__file__).parent / "shop"

with DAG(
    dag_id="example_seqfix_gate_repair",
    description="A gate that branches into a repair",
    schedule=None,
    catchup=False,
    tags=["example", "seqfix"],
    doc_md=__doc__,
):
    create_tables = SQLExecuteQueryOperator(
        task_id="create_tables",
        conn_id=OWNER,
        sql=(SHOP / "tables.sql").read_text(encoding="utf-8"),
        split_statements=True,
    )

    # [START branch]
    look = PostgresSequenceResetOperator(task_id="look", conn_id=READER, schemas=["seqfix_example"], dry_run=True)

    @task.branch
    def is_behind(plan: dict) -> str:
        """Go through the repair where the plan has moves."""
        return "repair" if plan["move_count"] else "consume"

    repair = PostgresSequenceResetOperator(task_id="repair", conn_id=OWNER, plan=look.output)
    # [END branch]

    @task(trigger_rule="none_failed_min_one_success")
    def consume() -> None:
        """Stand for whatever inserts."""

    consumer = consume()
    create_tables >> look
    is_behind(look.output) >> [repair, consumer]
    repair >> consumer
