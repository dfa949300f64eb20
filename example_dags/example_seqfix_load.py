"""Load rows that carry their ids, then repair the sequences that did not notice.

Use it after any load with explicit ids: COPY, a restore, a migration, reverse ETL, seeds. Put one
`PostgresSequenceResetOperator` behind the last load task. Without it the last task here fails with
`duplicate key value violates unique constraint`. Everything is in a schema of its own, `seqfix_example`.
"""

from __future__ import annotations

from pathlib import Path

from airflow.providers.common.sql.operators.sql import SQLExecuteQueryOperator
from airflow.sdk import DAG, task

from airflow_seqfix.operators.postgres import PostgresSequenceResetOperator

SHOP = Path(__file__).parent / "shop"
TABLES = ["customers", "orders", "invoices", "credit_notes", "page_views"]

with DAG(
    dag_id="example_seqfix_load",
    description="COPY with explicit ids, reset the sequences, insert without an id",
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
    # For another run.
    empty_tables = SQLExecuteQueryOperator(
        task_id="empty_tables",
        conn_id="postgres_default",
        sql=f"TRUNCATE {', '.join(f'seqfix_example.{table}' for table in TABLES)} RESTART IDENTITY",
    )

    @task
    def load_csv(tables: list[str]) -> None:
        """COPY each file into its table, ids included."""
        from airflow.providers.postgres.hooks.postgres import PostgresHook

        hook = PostgresHook(postgres_conn_id="postgres_default")
        for table in tables:
            path = SHOP / f"{table}.csv"
            header = path.read_text(encoding="utf-8").split("\n", 1)[0]
            hook.copy_expert(f"COPY seqfix_example.{table} ({header}) FROM STDIN WITH (FORMAT csv, HEADER)", str(path))

    # [START reset]
    reset_sequences = PostgresSequenceResetOperator(
        task_id="reset_sequences",
        conn_id="postgres_default",
        schemas=["seqfix_example"],
    )
    # [END reset]

    @task
    def insert_without_id() -> dict[str, int]:
        """Insert the way an application does: the database gives the ids."""
        from airflow.providers.postgres.hooks.postgres import PostgresHook

        hook = PostgresHook(postgres_conn_id="postgres_default")
        customer = "INSERT INTO seqfix_example.customers (name) VALUES ('New Reader') RETURNING id"
        order = "INSERT INTO seqfix_example.orders (customer_id, placed_on, total) VALUES (1, now(), 20) RETURNING id"
        invoice = "INSERT INTO seqfix_example.invoices (order_id) VALUES (1) RETURNING number"
        view = "INSERT INTO seqfix_example.page_views (viewed_at, path) VALUES ('2026-11-02', '/') RETURNING id"
        statements = {"customer": customer, "order": order, "invoice": invoice, "page_view": view}
        return {name: hook.run(sql, handler=lambda cursor: cursor.fetchone()[0]) for name, sql in statements.items()}

    create_tables >> empty_tables >> load_csv(TABLES) >> reset_sequences >> insert_without_id()
