"""Repair inside a task of one's own, with the library.

Use it where a task already has a connection and loads rows itself: seeds, tenants made on the fly, tests.
`fix_sequence()` raises if the sequence is not in sync afterwards; `report.raise_for_failing()` does the same for what
`check()` and `fix()` return. The tables here are the example's own, in schema `seqfix_example`.
"""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

from airflow.providers.common.sql.operators.sql import SQLExecuteQueryOperator
from airflow.sdk import DAG, task

SHOP = Path(__file__).parent / "shop"

with DAG(
    dag_id="example_seqfix_task",
    description="The library inside a @task",
    schedule=None,
    catchup=False,
    tags=["example", "seqfix"],
    doc_md=__doc__,
):
    create_tables = SQLExecuteQueryOperator(
        task_id="create_tables",
        conn_id="postgres_default",
        sql=(SHOP / "tables.sql").read_text(encoding="utf-8"),
        split_statements=True,
    )

    # [START task]
    @task
    def seed() -> dict:
        """Insert a customer with a fixed id, and move the sequence of that table past it."""
        from airflow.providers.postgres.hooks.postgres import PostgresHook

        from airflow_seqfix import core

        with closing(PostgresHook(postgres_conn_id="postgres_default").get_conn()) as conn:
            with conn.cursor() as cursor:
                cursor.execute(
                    "INSERT INTO seqfix_example.customers (id, name) VALUES (500, 'Seed') ON CONFLICT DO NOTHING"
                )
            conn.commit()
            report = core.fix_sequence(conn, "seqfix_example.customers")
        return report.to_dict()["summary"]

    # [END task]

    create_tables >> seed()
