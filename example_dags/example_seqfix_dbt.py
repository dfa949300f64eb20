"""Repair each schema that a dbt run has loaded, one mapped task a schema.

Use it behind `dbt build`, reverse ETL, or any tool that writes into tables which applications insert into as well.
The schemas are a list that a task returns, so that it may come from the tool's own manifest; a schema in which no
table has a sequence is in order (`allow_empty`), since dbt makes its own tables without.
"""

from __future__ import annotations

from airflow.providers.common.sql.operators.sql import SQLExecuteQueryOperator
from airflow.sdk import DAG, task

from airflow_seqfix.operators.postgres import PostgresSequenceResetOperator

with DAG(
    dag_id="example_seqfix_dbt",
    description="Reset the sequences of every schema that was loaded",
    schedule=None,
    catchup=False,
    tags=["example", "seqfix"],
    doc_md=__doc__,
):
    # In real life: BashOperator(task_id="dbt_build", bash_command="dbt build"). It does what dbt does: a table made
    # anew in one schema, and rows with their ids appended to another's.
    dbt_build = SQLExecuteQueryOperator(
        task_id="dbt_build",
        conn_id="postgres_default",
        sql=[
            "CREATE SCHEMA IF NOT EXISTS marts",
            "DROP TABLE IF EXISTS marts.best_customers",
            "CREATE TABLE marts.best_customers AS SELECT customer_id, sum(total) FROM shop.orders GROUP BY customer_id",
            "INSERT INTO shop.customers (id, name) SELECT max(id) + 1, 'From the lake' FROM shop.customers",
        ],
    )

    # [START dbt]
    @task
    def loaded_schemas() -> list[list[str]]:
        """Stand for a look into target/run_results.json."""
        return [["shop"], ["marts"]]

    reset = PostgresSequenceResetOperator.partial(
        task_id="reset",
        conn_id="postgres_default",
        allow_empty=True,
        map_index_template="{{ task.schemas | join(', ') }}",
    ).expand(schemas=loaded_schemas())
    # [END dbt]

    dbt_build >> reset
