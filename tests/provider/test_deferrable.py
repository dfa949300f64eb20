"""The sensor that waits in the triggerer."""

from __future__ import annotations

import asyncio
import json
import threading
import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from airflow_seqfix.core import ConnectionFailedError
from tests.conftest import Database
from tests.provider.test_operator import DRIFT, Pushed
from tests.provider.test_sensor import sensor

REPAIR = "SELECT setval('orders_id_seq', 100), setval('customers_id_seq', 7)"


def deferral(**arguments: Any) -> Any:
    from airflow.providers.common.compat.sdk import TaskDeferred

    with pytest.raises(TaskDeferred) as deferred:
        sensor(deferrable=True, **arguments).execute({"ti": Pushed()})
    return deferred.value


def events(trigger: Any) -> list[dict[str, Any]]:
    async def collect() -> list[dict[str, Any]]:
        return [event.payload async for event in trigger.run()]

    return asyncio.run(collect())


def test_what_is_in_sync_is_never_deferred(shop: Database) -> None:
    assert sensor(deferrable=True).execute({"ti": Pushed()})["summary"]["checked"] == 0


def test_the_trigger_survives_storage(shop: Database) -> None:
    from airflow_seqfix.triggers.postgres import PostgresSequenceTrigger

    shop.execute(DRIFT)
    deferred = deferral(schemas=["public"], margin=2, timeout=120, poke_interval=7)
    path, arguments = deferred.trigger.serialize()
    assert path == f"{PostgresSequenceTrigger.__module__}.PostgresSequenceTrigger"
    stored = json.loads(json.dumps(arguments))
    assert stored == arguments
    assert PostgresSequenceTrigger(**stored).serialize() == (path, arguments)
    assert (stored["version"], stored["poke_interval"], stored["options"]["margin"]) == (1, 7, 2)
    assert stored["options"]["schemas"] == ["public"]
    assert timedelta(seconds=120) < deferred.timeout <= timedelta(seconds=180)


def test_waits_until_another_session_repairs(shop: Database) -> None:
    shop.execute(DRIFT)
    trigger = deferral(poke_interval=0.2).trigger

    def repair() -> None:
        time.sleep(1)
        shop.execute(REPAIR)

    thread = threading.Thread(target=repair)
    thread.start()
    (event,) = events(trigger)
    thread.join()
    assert event["status"] == "in_sync"
    report = sensor(deferrable=True).execute_complete({"ti": Pushed()}, event)
    assert report["summary"]["in_sync"] == 3


def test_drift_that_comes_back_is_waited_for_again(shop: Database) -> None:
    from airflow.providers.common.compat.sdk import TaskDeferred

    shop.execute(DRIFT)
    deadline = time.time() + 30
    with pytest.raises(TaskDeferred) as again:
        sensor(deferrable=True).execute_complete({"ti": Pushed()}, {"status": "in_sync", "deadline": deadline})
    assert again.value.trigger.deadline == deadline


def test_a_timeout_says_what_is_still_behind(shop: Database) -> None:
    from airflow.providers.common.compat.sdk import AirflowSensorTimeout

    shop.execute(DRIFT)
    (event,) = events(deferral(poke_interval=0.2, timeout=0.5).trigger)
    with pytest.raises(AirflowSensorTimeout) as failure:
        sensor(deferrable=True).execute_complete({"ti": Pushed()}, event)
    assert "public.orders_id_seq (public.orders.id): behind: the next value is 1" in str(failure.value)


def test_a_timeout_in_the_worker_says_it_too(shop: Database) -> None:
    from airflow.providers.common.compat.sdk import AirflowSensorTimeout

    shop.execute(DRIFT)
    with pytest.raises(AirflowSensorTimeout) as failure:
        sensor(poke_interval=0.2, timeout=0.1).execute({"ti": Pushed()})
    assert "public.orders_id_seq (public.orders.id): behind: the next value is 1" in str(failure.value)


def test_a_database_that_goes_away_is_worth_a_retry(shop: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    shop.execute(DRIFT)
    trigger = deferral().trigger
    monkeypatch.setenv("AIRFLOW_CONN_SHOP", "postgres://postgres@127.0.0.1:1/gone")
    (event,) = events(trigger)
    assert (event["status"], event["class"]) == ("error", "ConnectionFailedError")
    with pytest.raises(ConnectionFailedError, match="port=1 dbname=gone"):
        sensor(deferrable=True).execute_complete({"ti": Pushed()}, event)


def test_a_table_that_goes_away_is_not(shop: Database) -> None:
    from airflow.providers.common.compat.sdk import AirflowFailException

    shop.execute(DRIFT)
    trigger = deferral(tables=["orders"]).trigger
    shop.execute("DROP TABLE orders")
    (event,) = events(trigger)
    with pytest.raises(AirflowFailException, match="there is no table orders"):
        sensor(deferrable=True).execute_complete({"ti": Pushed()}, event)


def test_a_cancelled_trigger_leaves_no_statement_on_the_server(shop: Database) -> None:
    shop.execute(DRIFT)
    # A view that takes its time stands in for a table without an index.
    shop.execute("CREATE TABLE slow (id serial); INSERT INTO slow (id) SELECT generate_series(1, 3000000)")
    trigger = deferral(tables=["orders"]).trigger
    trigger.options["tables"] = ["slow"]
    query = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND query ~ 'public.slow'"

    async def cancel_midway() -> None:
        task = asyncio.ensure_future(anext(aiter(trigger.run())))
        for _ in range(200):
            await asyncio.sleep(0.01)
            if shop.value(f"{query} AND state = 'active' AND pid <> pg_backend_pid()"):
                break
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(cancel_midway())
    assert shop.value(f"{query} AND state = 'active' AND pid <> pg_backend_pid()") == 0


def test_in_a_dag(shop: Database, run_dag: Callable[..., Any]) -> None:
    from airflow.sdk import DAG

    from airflow_seqfix.sensors.postgres import PostgresSequenceDriftSensor

    shop.execute(DRIFT)
    with DAG(dag_id="deferred_gate", schedule=None) as dag:
        PostgresSequenceDriftSensor(task_id="gate", conn_id="shop", deferrable=True, poke_interval=0.5, timeout=60)

    def repair() -> None:
        time.sleep(3)
        shop.execute(REPAIR)

    thread = threading.Thread(target=repair)
    thread.start()
    run = run_dag(dag)
    thread.join()
    (instance,) = run.get_task_instances()
    assert (run.state, instance.state) == ("success", "success")
    assert instance.xcom_pull(task_ids="gate")["summary"]["in_sync"] == 3


@pytest.mark.parametrize("deferrable", [True, False])
def test_soft_fail_is_the_same_in_both_modes(deferrable: bool, shop: Database) -> None:
    from airflow.providers.common.compat.sdk import AirflowSkipException

    shop.execute(DRIFT)
    with pytest.raises(AirflowSkipException):
        sensor(on_drift="fail", soft_fail=True, deferrable=deferrable).execute({"ti": Pushed()})
