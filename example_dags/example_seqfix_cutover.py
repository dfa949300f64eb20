"""Move the writers from one server to another, without an id that both have handed out.

Use it for a blue-green switch or the end of a migration by logical replication: rows arrive with their ids, and
sequences are not replicated. The reset on the new server goes a margin beyond the rows that have arrived, for those
that are still on their way; choose one that is larger than what the old server can insert until the switch.
"""

from __future__ import annotations

from airflow.sdk import DAG, task

from airflow_seqfix.operators.postgres import PostgresSequenceCheckOperator, PostgresSequenceResetOperator

#: The connection of the new server.
GREEN = "postgres_default"

with DAG(
    dag_id="example_seqfix_cutover",
    description="Reset with a margin, switch, verify",
    schedule=None,
    catchup=False,
    tags=["example", "seqfix"],
    doc_md=__doc__,
):
    # [START cutover]
    reset = PostgresSequenceResetOperator(task_id="reset", conn_id=GREEN, schemas=["shop"], margin=1_000)

    @task
    def switch_writers() -> None:
        """Stand for the change of a DNS entry, a service, or the configuration of PgBouncer."""

    # Without the margin, of which the last rows have taken their part.
    verify = PostgresSequenceCheckOperator(task_id="verify", conn_id=GREEN, schemas=["shop"])
    # [END cutover]

    reset >> switch_writers() >> verify
