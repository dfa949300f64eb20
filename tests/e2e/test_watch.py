"""A watcher in a running Airflow: drift, event, repair with approval, and a triggerer that is killed in between."""

from __future__ import annotations

import time
from typing import Any

import httpx
from playwright.sync_api import Page, expect

from tests.e2e.airflow import Airflow, Run
from tests.e2e.screenshots import shot
from tests.support.servers import Database

MANUAL = "example_seqfix_manual"
TABLES = """
    DROP SCHEMA IF EXISTS watched CASCADE; CREATE SCHEMA watched;
    CREATE TABLE watched.orders (id serial PRIMARY KEY);
    CREATE TABLE watched.customers (id serial PRIMARY KEY)
"""
NEXT_ORDER = "INSERT INTO watched.orders DEFAULT VALUES RETURNING id"


def events(api: httpx.Client) -> list[dict[str, Any]]:
    """Return what the events of the watched asset say of sequences, oldest first.

    Before the connection is made, there may be one that says that it is not there.
    """
    answer = api.get("assets/events", params={"order_by": "timestamp", "limit": 100})
    answer.raise_for_status()
    mine = [event for event in answer.json()["asset_events"] if event["name"] == "e2e_drift"]
    told = [event["extra"]["payload"] for event in mine]
    return [payload for payload in told if names(payload) != {None}]


def names(payload: dict[str, Any]) -> set[str]:
    return {row["sequence"] for row in payload["new"]}


def test_drift_becomes_an_event_and_the_event_a_repair(
    shop: Database, airflow: Airflow, api: httpx.Client, page: Page
) -> None:
    shop.execute(TABLES)
    shop.execute("INSERT INTO watched.orders VALUES (40)")
    drifted = time.monotonic()
    airflow.wait(lambda: events(api))
    seen = time.monotonic()
    assert [names(payload) for payload in events(api)] == [{"watched.orders_id_seq"}]

    def repairs() -> list[str]:
        runs = api.get(f"dags/{MANUAL}/dagRuns", params={"limit": 100}).json()["dag_runs"]
        return [run["dag_run_id"] for run in runs if run["conf"].get("schemas") == ["watched"]]

    airflow.wait(repairs)
    run = Run(airflow, api, MANUAL, repairs()[0])
    assert "watched.orders_id_seq" in run.question()
    print(f"drift to event {seen - drifted:.1f} s, to the question {time.monotonic() - drifted:.1f} s")

    (asset,) = api.get("assets", params={"name_pattern": "e2e_drift"}).json()["assets"]
    page.goto(f"{airflow.url}/assets/{asset['id']}")
    # The event's payload; an editor that draws the lines that it shows.
    expect(page.get_by_role("textbox", name="Editor content").first).to_be_visible()
    shot(page, "watch-event")
    page.goto(f"{airflow.url}/dags/{MANUAL}/runs/{run.run_id}/tasks/approve/required_actions")
    expect(page.get_by_text("watched.orders_id_seq").first).to_be_visible()
    shot(page, "watch-approval")

    # Nobody has answered yet, and the triggerer is killed: the same drift is no second event.
    airflow.restart_triggerer()
    shop.execute("INSERT INTO watched.customers VALUES (7)")
    airflow.wait(lambda: len(events(api)) > 1)
    run.answer("Approve").raise_for_status()
    # `verify` sees what has drifted since.
    assert run.finish() == "failed"
    assert shop.value(NEXT_ORDER) == 41
    assert [names(payload) for payload in events(api)] == [{"watched.orders_id_seq"}, {"watched.customers_id_seq"}]

    # Repaired and drifted again is one again.
    time.sleep(10)
    shop.execute("INSERT INTO watched.orders VALUES (90)")
    airflow.wait(lambda: len(events(api)) > 2)
    assert names(events(api)[-1]) == {"watched.orders_id_seq"}
    shop.execute("DROP SCHEMA watched CASCADE")
