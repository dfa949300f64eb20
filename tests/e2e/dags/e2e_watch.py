"""A watcher that looks every other second, and what its events start."""

from __future__ import annotations

from airflow.providers.standard.operators.trigger_dagrun import TriggerDagRunOperator
from airflow.sdk import DAG, Asset, AssetWatcher, task

from airflow_seqfix.triggers.watch import PostgresSequenceDriftTrigger

#: Not the shop, which other tests load and repair.
WATCHED = {"schemas": ["watched"], "allow_empty": True}
drift = Asset(
    "e2e_drift",
    watchers=[AssetWatcher(name="e2e", trigger=PostgresSequenceDriftTrigger(poke_interval=2, **WATCHED))],
)

with DAG(dag_id="e2e_watch", schedule=[drift]):

    @task.short_circuit
    def tell(triggering_asset_events=None) -> bool:
        """Go on where something is behind: the first event may be of a connection that is not there yet."""
        events = [event for of_one in triggering_asset_events.values() for event in of_one]
        return any(row["verdict"] == "behind" for event in events for row in event.extra["payload"]["new"])

    tell() >> TriggerDagRunOperator(
        task_id="repair", trigger_dag_id="example_seqfix_manual", conf={"mode": "repair", "schemas": ["watched"]}
    )
