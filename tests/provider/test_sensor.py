"""The sensor as a gate: what opens it, what keeps it shut, and how it fails."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.support.servers import Database
from tests.support.tasks import DRIFT, Pushed, flat, sensor


def test_waits_for_the_repair(shop: Database) -> None:
    shop.execute(DRIFT)
    first = sensor().poke({"ti": Pushed()})
    assert not first.is_done
    assert first.xcom_value["summary"]["behind"] == 2
    shop.execute("SELECT setval('orders_id_seq', 100), setval('customers_id_seq', 7)")
    second = sensor().poke({"ti": Pushed()})
    assert second.is_done
    assert second.xcom_value["sequences"] == []


def test_fails_at_once_and_says_everything(shop: Database) -> None:
    from tests.support.sdk import AirflowFailException

    shop.execute(DRIFT)
    ti = Pushed()
    with pytest.raises(AirflowFailException) as failure:
        sensor(on_drift="fail", tables=["orders"]).poke({"ti": ti})
    said = str(failure.value)
    assert flat(said) == (
        f"1 of 1 sequence in database {shop.where} is not in sync "
        "public.orders_id_seq (public.orders.id): behind: the next value is 1, and public.orders.id has reached 100. "
        "Remedy: WITH RECURSIVE r(v) AS (SELECT pg_catalog.nextval('public.orders_id_seq') FROM public.orders_id_seq"
        " WHERE (last_value, is_called) < (100, true)"
        " UNION ALL SELECT pg_catalog.nextval('public.orders_id_seq') FROM r WHERE v < 100)"
        " SELECT pg_catalog.max(v) FROM r;"
    )
    assert ti.xcoms["return_value"]["summary"]["behind"] == 1
    # The remedy is a statement: it remedies.
    shop.execute(said.split("Remedy: ")[1])
    assert sensor(on_drift="fail", tables=["orders"]).poke({"ti": ti}).is_done


def test_skips(shop: Database) -> None:
    from tests.support.sdk import AirflowSkipException

    shop.execute(DRIFT)
    with pytest.raises(AirflowSkipException, match=r"public\.orders_id_seq"):
        sensor(on_drift="skip").poke({"ti": Pushed()})


def test_what_cannot_be_read_keeps_the_gate_shut(shop: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    from tests.support.airflow import airflow_uri

    shop.execute(DRIFT)
    shop.execute("SELECT setval('orders_id_seq', 100), setval('customers_id_seq', 7)")
    role = shop.role()
    monkeypatch.setenv("AIRFLOW_CONN_SHOP", airflow_uri(shop, user=role))
    poke = sensor().poke({"ti": Pushed()})
    assert not poke.is_done
    assert poke.xcom_value["summary"]["unknown"] == 3
    assert f"GRANT SELECT ON SEQUENCE public.orders_id_seq TO {role};" in poke.xcom_value["sequences"][0]["cure"] + str(
        poke.xcom_value
    )
    assert sensor(fail_on=["behind", "exhausted"]).poke({"ti": Pushed()}).is_done
    shop.execute(f"DROP OWNED BY {role}")


def test_empty_database_is_in_sync(shop: Database) -> None:
    from tests.support.sdk import AirflowFailException

    poke = sensor(allow_empty=True).poke({"ti": Pushed()})
    assert poke.is_done
    assert poke.xcom_value["summary"]["checked"] == 0
    with pytest.raises(AirflowFailException, match="nothing was checked"):
        sensor().poke({"ti": Pushed()})


def test_wrong_on_drift_is_refused_when_the_dag_is_parsed() -> None:
    with pytest.raises(ValueError, match="on_drift='ignore': give one of wait, fail, skip"):
        sensor(on_drift="ignore")


def test_a_failing_gate_in_a_dag_is_not_retried(shop: Database, run_dag: Callable[..., Any]) -> None:
    from airflow_seqfix.sensors.postgres import PostgresSequenceDriftSensor
    from tests.support.sdk import DAG

    shop.execute(DRIFT)
    with DAG(dag_id="gate", schedule=None) as dag:
        PostgresSequenceDriftSensor(task_id="gate", conn_id="shop", on_drift="fail", retries=3)
    run = run_dag(dag)
    (instance,) = run.get_task_instances()
    assert (run.state, instance.state, instance.try_number) == ("failed", "failed", 1)
    assert instance.xcom_pull(task_ids="gate")["summary"]["behind"] == 2


@pytest.mark.parametrize("mode", ["poke", "deferrable"])
def test_no_session_is_held_between_two_looks(mode: str, shop: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    """The server is asked while the sensor waits, in the worker and in the triggerer."""
    import asyncio
    import time

    from tests.support.sdk import TaskDeferred

    shop.execute(DRIFT)
    sleep = time.sleep
    others = "datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend'"
    held: list[int] = []

    def look_around(seconds: float) -> None:
        if not seconds:
            # Another thread's turn, and no pause between two looks.
            sleep(0)
            return
        # A session that was closed is gone a moment later.
        deadline = time.monotonic() + 20
        count = f"SELECT count(*) FROM pg_stat_activity WHERE {others}"
        while (seen := shop.value(count)) and time.monotonic() < deadline:
            sleep(0.01)
        held.append(seen)
        if len(held) == 3:
            shop.execute("SELECT setval('orders_id_seq', 100), setval('customers_id_seq', 7)")

    waiting = sensor(poke_interval=0.1, deferrable=mode == "deferrable")
    if mode == "poke":
        monkeypatch.setattr(time, "sleep", look_around)
        waiting.execute({"ti": Pushed()})
    else:
        with pytest.raises(TaskDeferred) as deferred:
            waiting.execute({"ti": Pushed()})

        async def run() -> list[object]:
            return [event async for event in deferred.value.trigger.run()]

        async def look_around_too(seconds: float) -> None:
            await asyncio.to_thread(look_around, seconds)

        monkeypatch.setattr(asyncio, "sleep", look_around_too)
        asyncio.run(run())
    assert held == [0, 0, 0]
