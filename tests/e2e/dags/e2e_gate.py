"""A gate that waits in the triggerer."""

from __future__ import annotations

from airflow.sdk import DAG

from airflow_seqfix.sensors.postgres import PostgresSequenceDriftSensor

with DAG(dag_id="e2e_gate", schedule=None, params={"schemas": ["shop"]}) as dag:
    PostgresSequenceDriftSensor(
        task_id="gate", schemas=dag.param("schemas"), deferrable=True, poke_interval=1, timeout=120
    )
