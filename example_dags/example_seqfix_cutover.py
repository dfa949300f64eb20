"""Move the writers from one server to another, without an id that both have handed out.

Use it for a blue-green switch or the end of a migration by logical replication: rows arrive with their ids, and
sequences do not. The resets pass the rows, and what the old server has handed out: name its connection in the variable
SEQFIX_EXAMPLE_SOURCE_CONN_ID, or the rows decide alone. The tables are the example's own, in schema `seqfix_example`.
"""

from __future__ import annotations

import os
from pathlib import Path

from airflow.providers.common.sql.operators.sql import SQLExecuteQueryOperator
from airflow.sdk import DAG, task

from airflow_seqfix.operators.postgres import PostgresSequenceCheckOperator, PostgresSequenceResetOperator

#: The connections of the new server, and of the old one.
GREEN = "postgres_default"
BLUE = os.environ.get("SEQFIX_EXAMPLE_SOURCE_CONN_ID")
SHOP = Path(__file__).parent / "shop"

with DAG(
    dag_id="example_seqfix_cutover",
    description="Reset past both sides, switch, verify",
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
    sides = {"conn_id": GREEN, "source_conn_id": BLUE, "schemas": ["seqfix_example"]}

    # While the old server writes: most of the way.
    ahead = PostgresSequenceResetOperator(task_id="ahead", margin=1_000, **sides)

    @task
    def stop_writers() -> None:
        """Stand for the end of writes to the old server, and the wait until the new one has its last row."""

    # Nothing moves any more: all that the old server has handed out is passed.
    reset = PostgresSequenceResetOperator(task_id="reset", **sides)

    verify = PostgresSequenceCheckOperator(task_id="verify", **sides)

    @task
    def start_writers() -> None:
        """Stand for the change of a DNS entry, a service, or the configuration of PgBouncer."""

    # [END cutover]

    create_tables >> ahead >> stop_writers() >> reset >> verify >> start_writers()
