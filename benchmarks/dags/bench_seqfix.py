"""Two tasks of ours, for what they cost Airflow."""

from airflow.sdk import DAG

from airflow_seqfix.operators.postgres import PostgresSequenceResetOperator
from airflow_seqfix.sensors.postgres import PostgresSequenceDriftSensor

with DAG(dag_id="bench_seqfix", schedule=None):
    reset = PostgresSequenceResetOperator(task_id="reset", conn_id="bench")
    gate = PostgresSequenceDriftSensor(task_id="gate", conn_id="bench")
    reset >> gate
