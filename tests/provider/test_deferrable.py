"""The sensor that waits in the triggerer."""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import socket
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from psycopg import conninfo

from airflow_seqfix.core import ConnectionFailedError
from tests.support.airflow import airflow_uri
from tests.support.servers import Database
from tests.support.tasks import DRIFT, MANY, Pushed, flat, sensor
from tests.support.waiting import until

REPAIR = "SELECT setval('orders_id_seq', 100), setval('customers_id_seq', 7)"


def deferral(**arguments: Any) -> Any:
    from tests.support.sdk import TaskDeferred

    with pytest.raises(TaskDeferred) as deferred:
        sensor(deferrable=True, **arguments).execute({"ti": Pushed()})
    return deferred.value


def events(trigger: Any) -> list[dict[str, Any]]:
    async def collect() -> list[dict[str, Any]]:
        return [event.payload async for event in trigger.run()]

    return asyncio.run(collect())


def test_what_is_in_sync_is_never_deferred(shop: Database) -> None:
    shop.execute(DRIFT + REPAIR)
    summary = sensor(deferrable=True).execute({"ti": Pushed()})["summary"]
    assert summary["checked"] == summary["in_sync"] == 3


def test_nothing_to_check_is_never_deferred(shop: Database) -> None:
    from tests.support.sdk import AirflowFailException

    assert sensor(deferrable=True, allow_empty=True).execute({"ti": Pushed()})["summary"]["checked"] == 0
    with pytest.raises(AirflowFailException, match=r"nothing was checked: database .* has no sequence"):
        sensor(deferrable=True).execute({"ti": Pushed()})


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
    # Airflow's own timeout must not come before the trigger has had its say: 300 s are `run_timeout`.
    assert timedelta(seconds=120 + 300) < deferred.timeout <= timedelta(seconds=120 + 300 + 60)


#: What a task stored that version 1 deferred. It is never changed: such tasks are waiting somewhere.
VERSION_1 = {
    "conn_id": "shop",
    "database": None,
    "hook_params": None,
    "options": {
        "schemas": ["public"],
        "margin": 0,
        "fail_on": ["behind", "exhausted", "unknown"],
        "application_name": "dag.gate run",
    },
    "poke_interval": 0.1,
    "deadline": 0.0,
    "version": 1,
}


def test_arguments_of_version_1_still_work(shop: Database) -> None:
    from airflow_seqfix.triggers.postgres import PostgresSequenceTrigger

    shop.execute("CREATE TABLE orders (id serial)")
    (event,) = events(PostgresSequenceTrigger(**VERSION_1 | {"deadline": time.time() + 20}))
    assert event["status"] == "in_sync"
    (event,) = events(PostgresSequenceTrigger(**VERSION_1))
    assert event == {"status": "timeout", "deadline": 0.0}


def test_a_newer_version_is_refused_with_a_sentence(shop: Database) -> None:
    from airflow_seqfix.core import SeqfixError
    from airflow_seqfix.triggers.postgres import PostgresSequenceTrigger

    newer = VERSION_1 | {"version": 2, "something": [1], "deadline": time.time() + 20}
    trigger = PostgresSequenceTrigger(**newer)
    assert trigger.serialize()[1] == newer
    (event,) = events(trigger)
    with pytest.raises(
        SeqfixError,
        match=r"^a newer airflow-seqfix deferred the task: its trigger is of version 2, and this triggerer knows 1; in",
    ):
        sensor(deferrable=True).execute_complete({"ti": Pushed()}, event)
    with pytest.raises(TypeError, match="version 1 of this trigger has no something"):
        PostgresSequenceTrigger(**VERSION_1, something=[1])


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


def test_each_look_says_only_what_is_new(shop: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    shop.execute(DRIFT)
    trigger = deferral(poke_interval=0.2).trigger
    # Airflow's own does not pass through logging.
    lines: list[str] = []
    logger = logging.Logger("looks", logging.INFO)
    handler = logging.Handler()
    handler.emit = lambda record: lines.append(record.getMessage())  # type: ignore[method-assign]
    logger.addHandler(handler)
    monkeypatch.setattr(type(trigger), "log", logger)

    def change() -> None:
        for statement in ("SELECT setval('orders_id_seq', 100)", REPAIR):
            time.sleep(2)
            shop.execute(statement)

    thread = threading.Thread(target=change)
    thread.start()
    events(trigger)
    thread.join()
    said = [line for line in lines if "not in sync" in line]
    assert len([text for text in said if "Remedy" in text]) == 2
    assert (
        len([text for text in said if "Remedy" not in text and text.startswith("As at the last look: ")])
        == len(said) - 2
        > 2
    )


def test_drift_that_comes_back_is_waited_for_again(shop: Database) -> None:
    from tests.support.sdk import TaskDeferred

    shop.execute(DRIFT)
    deadline = time.time() + 30
    with pytest.raises(TaskDeferred) as again:
        sensor(deferrable=True).execute_complete({"ti": Pushed()}, {"status": "in_sync", "deadline": deadline})
    assert again.value.trigger.deadline == deadline


def test_a_timeout_says_what_is_still_behind(shop: Database) -> None:
    from tests.support.sdk import AirflowSensorTimeout

    shop.execute(DRIFT)
    (event,) = events(deferral(poke_interval=0.2, timeout=2).trigger)
    with pytest.raises(AirflowSensorTimeout) as failure:
        sensor(deferrable=True).execute_complete({"ti": Pushed()}, event)
    assert "public.orders_id_seq (public.orders.id): behind: the next value is 1" in flat(str(failure.value))


def test_never_fail_leaves_a_timeout_alone_as_it_does_in_the_worker(shop: Database) -> None:
    from tests.support.sdk import AirflowSensorTimeout

    shop.execute(DRIFT)
    event = {"status": "timeout", "deadline": time.time()}
    with pytest.raises(AirflowSensorTimeout):
        sensor(never_fail=True, poke_interval=0.2, timeout=0.1).execute({"ti": Pushed()})
    with pytest.raises(AirflowSensorTimeout):
        sensor(never_fail=True, deferrable=True).resume_execution(
            "execute_complete", {"event": event}, {"ti": Pushed()}
        )


def test_a_timeout_in_the_worker_says_it_too(shop: Database) -> None:
    from tests.support.sdk import AirflowSensorTimeout

    shop.execute(DRIFT)
    with pytest.raises(AirflowSensorTimeout) as failure:
        sensor(poke_interval=0.2, timeout=0.1).execute({"ti": Pushed()})
    assert "public.orders_id_seq (public.orders.id): behind: the next value is 1" in flat(str(failure.value))


def test_a_database_that_goes_away_is_worth_a_retry(shop: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    shop.execute(DRIFT)
    trigger = deferral(poke_interval=0.1, timeout=2).trigger
    monkeypatch.setenv("AIRFLOW_CONN_SHOP", "postgres://postgres@127.0.0.1:1/gone")
    (event,) = events(trigger)
    assert (event["status"], event["class"]) == ("error", "ConnectionFailedError")
    with pytest.raises(ConnectionFailedError, match="port=1 dbname=gone"):
        sensor(deferrable=True).execute_complete({"ti": Pushed()}, event)


def test_a_connection_that_is_deleted_meanwhile_is_the_same_as_in_the_worker(
    shop: Database, monkeypatch: pytest.MonkeyPatch, airflow_home: Any
) -> None:
    shop.execute(DRIFT)
    trigger = deferral(poke_interval=0.1, timeout=1.5).trigger
    monkeypatch.delenv("AIRFLOW_CONN_SHOP")
    (event,) = events(trigger)
    with pytest.raises(ConnectionFailedError) as in_the_triggerer:
        sensor(deferrable=True).execute_complete({"ti": Pushed()}, event)
    with pytest.raises(ConnectionFailedError) as in_the_worker:
        sensor(deferrable=True).execute({"ti": Pushed()})
    assert str(in_the_triggerer.value) == str(in_the_worker.value)
    assert "conn_id='shop' is not defined: add it with" in str(in_the_worker.value)


def test_a_table_that_goes_away_is_not(shop: Database) -> None:
    from tests.support.sdk import AirflowFailException

    shop.execute(DRIFT)
    trigger = deferral(tables=["orders"], poke_interval=0.1).trigger
    shop.execute("DROP TABLE orders")
    (event,) = events(trigger)
    with pytest.raises(AirflowFailException, match="there is no table orders"):
        sensor(deferrable=True).execute_complete({"ti": Pushed()}, event)


async def cancelled(trigger: Any, when: Callable[[], Any]) -> None:
    """Run a trigger, and cancel it as soon as `when` says so."""
    task = asyncio.ensure_future(anext(aiter(trigger.run())))
    while not await asyncio.to_thread(when):
        await asyncio.sleep(0.01)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


def test_a_cancelled_trigger_leaves_nothing_on_the_server(shop: Database) -> None:
    shop.execute(MANY)
    trigger = deferral(tables=["t*"], poke_interval=0.1, lock_timeout=1).trigger
    mine = "FROM pg_stat_activity WHERE datname = current_database() AND application_name LIKE 'dag.task%'"
    with shop.connect() as other:
        # Sixty tables, each of which is waited for by itself for a second: far longer than the test looks on.
        other.execute(f"BEGIN; LOCK TABLE {', '.join(f't{n}' for n in range(1, 61))}")
        waits = f"SELECT count(*) {mine} AND wait_event_type = 'Lock'"
        asyncio.run(cancelled(trigger, lambda: shop.value(waits)))
        until(lambda: shop.value(f"SELECT count(*) {mine}") == 0, "the session has gone", seconds=30)


def test_a_trigger_that_is_cancelled_while_it_connects_asks_nothing(
    shop: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A gate in front of the server holds the connection back until the trigger has been cancelled."""
    shop.execute(DRIFT)
    trigger = deferral(poke_interval=0.1).trigger
    sent: list[bytes] = []
    knocked, opened = threading.Event(), threading.Event()
    part = conninfo.conninfo_to_dict(shop.dsn)
    with socket.create_server(("127.0.0.1", 0)) as front, ThreadPoolExecutor() as threads:

        def forward(source: socket.socket, target: socket.socket, keep: list[bytes]) -> None:
            with contextlib.suppress(OSError):
                while data := source.recv(65536):
                    keep.append(data)
                    target.sendall(data)
            target.close()

        def serve() -> None:
            client, _ = front.accept()
            knocked.set()
            opened.wait()
            server = socket.create_connection((part["host"], int(part["port"])))
            threads.submit(forward, server, client, [])
            forward(client, server, sent)

        served = threads.submit(serve)
        monkeypatch.setenv("AIRFLOW_CONN_SHOP", airflow_uri(shop, port=str(front.getsockname()[1])))
        asyncio.run(cancelled(trigger, knocked.is_set))
        opened.set()
        served.result(timeout=20)
    said = b"".join(sent)
    assert b"dbname" in said or b"database" in said, "it did connect"
    assert b"SELECT" not in said
    assert b"pg_class" not in said


def test_in_a_dag(shop: Database, run_dag: Callable[..., Any]) -> None:
    from airflow_seqfix.sensors.postgres import PostgresSequenceDriftSensor
    from tests.support.sdk import DAG

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
    from tests.support.sdk import AirflowSkipException

    shop.execute(DRIFT)
    with pytest.raises(AirflowSkipException):
        sensor(on_drift="fail", soft_fail=True, deferrable=deferrable).execute({"ti": Pushed()})
