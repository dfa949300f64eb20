"""Move the writers from one server to another, without an id that both have handed out.

Use it for a blue-green switch or the end of a migration by logical replication: rows arrive with their ids, and
sequences are not replicated. The reset goes a margin beyond the rows that have arrived: choose one that is larger than
what the old server can insert until the switch. The tables here are the example's own, in schema `seqfix_example`.
"""

from __future__ import annotations

from pathlib import Path

from airflow.providers.common.sql.operators.sql import SQLExecuteQueryOperator
from airflow.sdk import DAG, task

from airflow_seqfix.operators.postgres import PostgresSequenceCheckOperator, PostgresSequenceResetOperator

#: The connection of the new server.
GREEN = "postgres_default"
SHOP = Path(__file__).parent / "shop"

with DAG(
    dag_id="example_seqfix_cutover",
    description="Reset with a margin, switch, verify",
    schedule=None,
    catchup=False,
    tags=["example", "seqfix"],
    doc_md=__doc__,
):
    create_tables = SQLExecuteQueryOperator(
        task_id="create_tables",
        conn_id=GREEN,
        sql=(SHOP / "tables.sql").read_text(encoding="utf-8"),
        split_statements=True,
    )

    # [START cutover]
    reset = PostgresSequenceResetOperator(task_id="reset", conn_id=GREEN, schemas=["seqfix_example"], margin=1_000)

    @task
    def switch_writers() -> None:
        """Stand for the change of a DNS entry, a service, or the configuration of PgBouncer."""

    # Without the margin, of which the last rows have taken their part.
    verify = PostgresSequenceCheckOperator(task_id="verify", conn_id=GREEN, schemas=["seqfix_example"])
    # [END cutover]

    create_tables >> reset >> switch_writers() >> verify
