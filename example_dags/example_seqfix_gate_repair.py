"""Look with a role that can only read, and repair with another one, where there is something to repair.

Use it where the role that looks must not write, or where a repair is worth a task of its own to be told about.
The dry run reads only; the branch goes through `repair` when the dry run has found a sequence to move. Where that
does not matter, `PostgresSequenceResetOperator` alone does the same: it writes nothing where all is in sync.
"""

from __future__ import annotations

from airflow.sdk import DAG, task

from airflow_seqfix.operators.postgres import PostgresSequenceResetOperator

#: A role with SELECT, and the owner of the sequences: two connections in real life.
READER = "postgres_default"
OWNER = "postgres_default"

with DAG(
    dag_id="example_seqfix_gate_repair",
    description="A gate that branches into a repair",
    schedule=None,
    catchup=False,
    tags=["example", "seqfix"],
    doc_md=__doc__,
):
    # [START branch]
    look = PostgresSequenceResetOperator(task_id="look", conn_id=READER, schemas=["shop"], dry_run=True)

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
    is_behind(look.output) >> [repair, consumer]
    repair >> consumer
