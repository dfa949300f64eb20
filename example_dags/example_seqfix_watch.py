"""Repair when drift appears, without a schedule: a watcher looks, and an event starts the repair with its approval.

Use it where loads come at any time, from anywhere: the triggerer looks every five minutes, and reads only. Each
sequence of schema `seqfix_example` that is newly out of order makes one event, which starts `example_seqfix_manual`: a
plan that a person approves. It needs Airflow 3.0, and 3.3 to know after a restart of the triggerer what it has told.
"""

from __future__ import annotations

import logging

from airflow.providers.standard.operators.trigger_dagrun import TriggerDagRunOperator
from airflow.sdk import DAG, Asset, AssetWatcher, task

from airflow_seqfix.triggers.watch import PostgresSequenceDriftTrigger

log = logging.getLogger("airflow.task")

# [START watch]
drift = Asset(
    "seqfix_example_drift",
    watchers=[
        AssetWatcher(
            name="seqfix_example",
            trigger=PostgresSequenceDriftTrigger(
                conn_id="postgres_default", schemas=["seqfix_example"], allow_empty=True, poke_interval=300
            ),
        )
    ],
)
# [END watch]

with DAG(
    dag_id="example_seqfix_watch",
    description="Drift makes an event, and the event a repair",
    schedule=[drift],
    catchup=False,
    max_active_runs=1,
    tags=["example", "seqfix"],
    doc_md=__doc__,
):
    # [START repair]
    @task.short_circuit
    def tell(triggering_asset_events: dict | None = None) -> bool:
        """Log what is new, and go on where there is something that a repair may mend."""
        events = [event for of_one in (triggering_asset_events or {}).values() for event in of_one]
        new = [row for event in events for row in event.extra.get("payload", {}).get("new", [])]
        for row in new:
            log.info("%s: %s: %s", row["sequence"] or "the database", row["verdict"], row["reason"])
        return any(row["verdict"] == "behind" for row in new)

    repair = TriggerDagRunOperator(
        task_id="repair",
        trigger_dag_id="example_seqfix_manual",
        conf={"mode": "repair", "schemas": ["seqfix_example"]},
    )
    # [END repair]

    tell() >> repair
