"""A repair that goes on for minutes, unless somebody ends it."""

from __future__ import annotations

from airflow.sdk import DAG

from airflow_seqfix.operators.postgres import PostgresSequenceResetOperator

with DAG(dag_id="e2e_long_move", schedule=None):
    PostgresSequenceResetOperator(task_id="reset", tables=["shop.far"], lock="none", outliers="follow", run_timeout=900)
