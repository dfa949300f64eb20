"""Let consumers go on only when every sequence is ahead of its data.

Use it before tasks that insert into tables which somebody else loads. `PostgresSequenceDriftSensor` only reads; with
`on_drift="wait"` it waits for the repair, with `on_drift="fail"` it fails at once and says what to run.
What it could not read is not in sync either.
"""

from __future__ import annotations

import datetime

from airflow.sdk import DAG, task

from airflow_seqfix.sensors.postgres import PostgresSequenceDriftSensor

with DAG(
    dag_id="example_seqfix_gate",
    description="A data-quality gate before tasks that insert",
    schedule=None,
    catchup=False,
    tags=["example", "seqfix"],
    doc_md=__doc__,
):
    # [START gate]
    sequences_in_sync = PostgresSequenceDriftSensor(
        task_id="sequences_in_sync",
        conn_id="postgres_default",
        schemas=["seqfix_example"],
        allow_empty=True,
        on_drift="wait",
        mode="reschedule",
        poke_interval=30,
        timeout=datetime.timedelta(minutes=10),
    )
    # [END gate]

    @task
    def consume(report: dict) -> str:
        """Stand for whatever inserts."""
        return f"{report['summary']['checked']} sequences checked"

    consume(sequences_in_sync.output)
