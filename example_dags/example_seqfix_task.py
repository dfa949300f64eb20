"""Repair inside a task of one's own, with the library.

Use it where a task already has a connection and loads rows itself: seeds, tenants made on the fly, tests.
`airflow_seqfix.core` takes any connection of psycopg 3 or psycopg2 that is outside a transaction, and returns what it
has found and done. `fix_sequence()` raises if the sequence is not in sync afterwards; after `check()` and `fix()`
`report.raise_for_failing()` does that.
"""

from __future__ import annotations

from contextlib import closing

from airflow.sdk import DAG, task

with DAG(
    dag_id="example_seqfix_task",
    description="The library inside a @task",
    schedule=None,
    catchup=False,
    tags=["example", "seqfix"],
    doc_md=__doc__,
):
    # [START task]
    @task
    def seed() -> dict:
        """Insert a customer with a fixed id, and move the sequence of that table past it."""
        from airflow.providers.postgres.hooks.postgres import PostgresHook

        from airflow_seqfix import core

        with closing(PostgresHook(postgres_conn_id="postgres_default").get_conn()) as conn:
            with conn.cursor() as cursor:
                cursor.execute("INSERT INTO shop.customers (id, name) VALUES (500, 'Seed') ON CONFLICT DO NOTHING")
            conn.commit()
            report = core.fix_sequence(conn, "shop.customers")
        return report.to_dict()["summary"]

    # [END task]

    seed()
