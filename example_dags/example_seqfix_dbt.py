"""Repair each schema that a dbt run has loaded, one mapped task a schema.

Use it behind `dbt build`, reverse ETL, or any tool that writes into tables which applications insert into as well.
A task returns the schemas, here two of the example's own, as it could from the tool's manifest; one in which no table
has a sequence is in order (`allow_empty`), since dbt makes its own tables without.
"""

from __future__ import annotations

from pathlib import Path

from airflow.providers.common.sql.operators.sql import SQLExecuteQueryOperator
from airflow.sdk import DAG, task

from airflow_seqfix.operators.postgres import PostgresSequenceResetOperator

SHOP = Path(__file__).parent / "shop"

with DAG(
    dag_id="example_seqfix_dbt",
    description="Reset the sequences of every schema that was loaded",
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
    # In real life: BashOperator(task_id="dbt_build", bash_command="dbt build"). It does what dbt does: a table made
    # anew in one schema, and rows with their ids appended to another's.
    dbt_build = SQLExecuteQueryOperator(
        task_id="dbt_build",
        conn_id="postgres_default",
        sql="""
            CREATE SCHEMA IF NOT EXISTS seqfix_example_marts;
            DROP TABLE IF EXISTS seqfix_example_marts.best_customers;
            CREATE TABLE seqfix_example_marts.best_customers AS
                SELECT customer_id, sum(total) FROM seqfix_example.orders GROUP BY customer_id;
            INSERT INTO seqfix_example.customers (id, name)
                SELECT coalesce(max(id), 0) + 1, 'From the lake' FROM seqfix_example.customers
        """,
        split_statements=True,
    )

    # [START dbt]
    @task
    def loaded_schemas() -> list[list[str]]:
        """Stand for a look into target/run_results.json."""
        return [["seqfix_example"], ["seqfix_example_marts"]]

    reset = PostgresSequenceResetOperator.partial(
        task_id="reset",
        conn_id="postgres_default",
        allow_empty=True,
        map_index_template="{{ task.schemas | join(', ') }}",
    ).expand(schemas=loaded_schemas())
    # [END dbt]

    create_tables >> dbt_build >> reset
