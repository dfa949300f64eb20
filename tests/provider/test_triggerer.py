"""Five hundred deferred sensors in one triggerer: few connections and threads, and no look that fails ends a wait."""

from __future__ import annotations

import asyncio
import threading
import time
from typing import Any

import psycopg
import pytest
from psycopg import conninfo

from airflow_seqfix.core import ConnectionFailedError
from benchmarks.triggerer import run_apart, uri
from tests.support.airflow import airflow_uri
from tests.support.network import network_to
from tests.support.servers import Database
from tests.support.tasks import DRIFT, Pushed, sensor

REPAIR = "SELECT setval('orders_id_seq', 100), setval('customers_id_seq', 7)"


def trigger(**arguments: Any) -> Any:
    from airflow_seqfix.triggers.postgres import PostgresSequenceTrigger

    given = {"conn_id": "shop", "database": None, "hook_params": None, "options": {}, "poke_interval": 0.2}
    return PostgresSequenceTrigger(**given | {"deadline": time.time() + 60} | arguments)


def event_of(one: Any) -> dict[str, Any]:
    async def first() -> Any:
        return await anext(aiter(one.run()))

    payload: dict[str, Any] = asyncio.run(first()).payload
    return payload


def test_five_hundred_sensors_share_a_few_connections(newest_db: Database) -> None:
    newest_db.execute(DRIFT)
    role = newest_db.role("CONNECTION LIMIT 20")
    newest_db.execute(f"GRANT SELECT ON ALL TABLES IN SCHEMA public TO {role}")
    newest_db.execute(f"GRANT SELECT ON ALL SEQUENCES IN SCHEMA public TO {role}")
    seen = run_apart(newest_db.dsn, uri(conninfo.make_conninfo(newest_db.dsn, user=role)), 500, 15, 5)
    assert seen["ends"] == {"timeout": 500}
    assert 0 < seen["connections"] <= 9, "eight, and one that is just being closed"
    assert seen["threads"] <= 2 * 8 + 4
    assert seen["looks"] > 100


def test_one_bad_look_does_not_end_the_wait(newest_db: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    newest_db.execute(DRIFT)
    part = conninfo.conninfo_to_dict(newest_db.dsn)
    with network_to(part["host"], int(part["port"])) as network:
        monkeypatch.setenv("AIRFLOW_CONN_SHOP", airflow_uri(newest_db, port=str(network.port)))
        network.strike("cut", at=3)

        def repair() -> None:
            time.sleep(1.5)
            newest_db.execute(REPAIR)

        thread = threading.Thread(target=repair)
        thread.start()
        assert event_of(trigger())["status"] == "in_sync"
        thread.join()
        assert network.messages > 3


def test_what_went_wrong_last_is_what_the_task_fails_with(newest_db: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    newest_db.execute(DRIFT)
    monkeypatch.setenv("AIRFLOW_CONN_SHOP", "postgres://postgres@127.0.0.1:1/gone")
    begun = time.monotonic()
    event = event_of(trigger(deadline=time.time() + 1.5))
    assert time.monotonic() - begun > 1
    assert (event["status"], event["class"]) == ("error", "ConnectionFailedError")
    with pytest.raises(ConnectionFailedError, match="port=1 dbname=gone"):
        sensor(deferrable=True).execute_complete({"ti": Pushed()}, event)


def test_a_connection_that_does_not_exist_yet_is_waited_for(
    newest_db: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    newest_db.execute(DRIFT + REPAIR)

    def define() -> None:
        time.sleep(1)
        monkeypatch.setenv("AIRFLOW_CONN_SHOP", airflow_uri(newest_db))

    thread = threading.Thread(target=define)
    thread.start()
    assert event_of(trigger())["status"] == "in_sync"
    thread.join()


def test_a_login_that_is_refused_is_tried_again(newest_db: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    newest_db.execute(DRIFT + REPAIR)
    role = newest_db.role("CONNECTION LIMIT 1")
    newest_db.execute(f"GRANT SELECT ON ALL TABLES IN SCHEMA public TO {role}")
    newest_db.execute(f"GRANT SELECT ON ALL SEQUENCES IN SCHEMA public TO {role}")
    monkeypatch.setenv("AIRFLOW_CONN_SHOP", airflow_uri(newest_db, user=role))
    holder = psycopg.connect(conninfo.make_conninfo(newest_db.dsn, user=role))
    threading.Timer(1.0, holder.close).start()
    assert event_of(trigger())["status"] == "in_sync"
