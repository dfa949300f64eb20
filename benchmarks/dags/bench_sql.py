"""Two tasks of Airflow's own, beside ours."""

from airflow.providers.common.sql.operators.sql import SQLExecuteQueryOperator
from airflow.sdk import DAG

with DAG(dag_id="bench_sql", schedule=None):
    select = SQLExecuteQueryOperator(task_id="select", conn_id="bench", sql="SELECT 1")
    select_again = SQLExecuteQueryOperator(task_id="select_again", conn_id="bench", sql="SELECT 1")
    select >> select_again
