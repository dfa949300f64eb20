"""Two tasks that do nothing: what every file costs."""

from airflow.providers.standard.operators.empty import EmptyOperator
from airflow.sdk import DAG

with DAG(dag_id="bench_empty", schedule=None):
    nothing = EmptyOperator(task_id="nothing")
    nothing_again = EmptyOperator(task_id="nothing_again")
    nothing >> nothing_again
