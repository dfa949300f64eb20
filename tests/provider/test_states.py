"""How a sensor ends: every combination of its options, run by Airflow; the table in docs/howto/when-a-task-fails.md."""

from __future__ import annotations

import asyncio
import datetime
import itertools
import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.support.airflow import airflow_uri
from tests.support.pages import read
from tests.support.servers import Database, Server, database_on, wheel_label
from tests.support.tasks import DRIFT, Pushed

ON_DRIFT = ("wait", "fail", "skip")
OPTIONS = ("default", "soft_fail", "never_fail", "silent_fail")
MODES = ("poke", "reschedule", "deferrable")
#: What happens, and through which connection.
EVENTS = {"drift": "drifted", "timeout": "drifted", "no connection": "nowhere", "unexpected error": "strange"}

Cell = tuple[str, str, str, str]

CELLS: list[Cell] = [
    cell
    for cell in itertools.product(ON_DRIFT, OPTIONS, MODES, EVENTS)
    # Drift that is waited for ends as a timeout, and only what is waited for does.
    if (cell[0] == "wait") is (cell[3] == "timeout") or cell[3] not in ("drift", "timeout")
]

#: What Airflow makes of a task with one retry, by its state and its last try.
WORDS = {
    ("failed", 1): "failed",
    ("failed", 2): "retried, then failed",
    ("skipped", 1): "skipped",
    ("success", 1): "success",
}


def gate(cell: Cell, **arguments: Any) -> Any:
    from airflow_seqfix.sensors.postgres import PostgresSequenceDriftSensor

    on_drift, option, mode, event = cell
    return PostgresSequenceDriftSensor(
        task_id="__".join(cell).replace(" ", "_"),
        conn_id=EVENTS[event],
        on_drift=on_drift,
        poke_interval=0.1,
        timeout=0.3,
        deferrable=mode == "deferrable",
        retries=1,
        retry_delay=datetime.timedelta(0),
        **({"mode": mode} if mode != "deferrable" else {}),
        **({} if option == "default" else {option: True}),
        **arguments,
    )


@pytest.fixture(scope="module")
def drifted(start_server: Callable[[str], Server]) -> Iterator[Database]:
    """A database with drift behind three connections: one works, one leads nowhere, one may not read the catalogs."""
    with database_on(start_server(wheel_label())) as database, pytest.MonkeyPatch.context() as patch:
        database.execute(DRIFT)
        role = database.role()
        database.execute("REVOKE SELECT ON pg_catalog.pg_sequence FROM PUBLIC")
        patch.setenv("AIRFLOW_CONN_DRIFTED", airflow_uri(database))
        patch.setenv("AIRFLOW_CONN_NOWHERE", airflow_uri(database, port="1"))
        patch.setenv("AIRFLOW_CONN_STRANGE", airflow_uri(database, user=role))
        yield database


@pytest.fixture(scope="module")
def outcomes(drifted: Database, airflow_home: Any) -> dict[Cell, str]:
    """Run every cell as a task of one DAG."""
    from tests.support.airflow import run_serialized
    from tests.support.sdk import DAG

    with DAG(dag_id="states", schedule=None) as dag:
        cells = {gate(cell).task_id: cell for cell in CELLS}
    run = run_serialized(dag)
    return {cells[ti.task_id]: WORDS[str(ti.state), ti.try_number] for ti in run.get_task_instances()}


def later(cell: Cell, monkeypatch: pytest.MonkeyPatch) -> str:
    """Say how a sensor ends for which things go wrong only when the trigger looks."""
    from tests.support.sdk import (
        AirflowFailException,
        AirflowSensorTimeout,
        AirflowSkipException,
        TaskDeferred,
    )

    task = gate((*cell[:3], "drift"))
    with pytest.raises(TaskDeferred) as deferred:
        task.timeout = 3.0
        task.execute({"ti": Pushed()})
    trigger = deferred.value.trigger
    trigger.conn_id = EVENTS[cell[3]]

    async def first() -> Any:
        return await anext(aiter(trigger.run()))

    event = asyncio.run(first()).payload
    assert event["status"] == "error"
    try:
        task.resume_execution("execute_complete", {"event": event}, {"ti": Pushed()})
    except AirflowSkipException:
        return "skipped"
    except AirflowFailException:
        return "failed"
    except AirflowSensorTimeout:
        return "timed out"
    except Exception:
        return "retried, then failed"
    raise AssertionError("the gate opened")


@pytest.mark.parametrize("event", ["no connection", "unexpected error"])
@pytest.mark.parametrize("option", ["default", "soft_fail", "never_fail"])
def test_what_goes_wrong_in_the_triggerer_ends_as_in_the_worker(
    option: str, event: str, drifted: Database, outcomes: dict[Cell, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    cell = ("wait", option, "deferrable", event)
    assert later(cell, monkeypatch) == outcomes[cell]


@pytest.mark.parametrize("event", ["no connection", "unexpected error"])
def test_silent_fail_waits_on_in_the_triggerer_until_the_timeout(
    event: str, drifted: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert later(("wait", "silent_fail", "deferrable", event), monkeypatch) == "timed out"


@pytest.mark.parametrize("option", ["default", "soft_fail"])
def test_the_modes_differ_in_nothing(option: str, outcomes: dict[Cell, str]) -> None:
    for on_drift, event in itertools.product(ON_DRIFT, EVENTS):
        ends = {outcomes[cell] for mode in MODES if (cell := (on_drift, option, mode, event)) in outcomes}
        assert len(ends) <= 1, (on_drift, event, ends)


def test_drift_fails_at_once_and_trouble_is_retried(outcomes: dict[Cell, str]) -> None:
    for mode in MODES:
        assert outcomes["fail", "default", mode, "drift"] == "failed"
        assert outcomes["fail", "soft_fail", mode, "drift"] == "skipped"
        assert outcomes["skip", "default", mode, "drift"] == "skipped"
        assert outcomes["wait", "default", mode, "timeout"] == "failed"
        assert outcomes["wait", "soft_fail", mode, "timeout"] == "skipped"
        for event in ("no connection", "unexpected error"):
            # soft_fail is about drift: what could not be looked at must not pass for skipped.
            assert outcomes["wait", "soft_fail", mode, event] == "retried, then failed"


def table(outcomes: dict[Cell, str]) -> str:
    """Return the cells as Markdown; a mode is named only where it differs."""

    def words(on_drift: str, option: str, event: str) -> str:
        ends = {mode: outcomes.get((on_drift, option, mode, event), "") for mode in MODES}
        if set(ends.values()) == {""}:
            return "waits" if event == "drift" else "-"
        usual = max(ends.values(), key=list(ends.values()).count)
        odd = [f"{end} ({mode})" for mode, end in ends.items() if end != usual]
        return "; ".join([usual, *odd])

    rows = [["`on_drift`", "option", *EVENTS], ["---"] * (2 + len(EVENTS))]
    for on_drift, option in itertools.product(ON_DRIFT, OPTIONS):
        name = "-" if option == "default" else f"`{option}`"
        rows.append([f"`{on_drift}`", name, *(words(on_drift, option, event) for event in EVENTS)])
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def test_the_page_has_the_table(outcomes: dict[Cell, str]) -> None:
    made = table(outcomes)
    (shown,) = re.findall(r"(?m)^\| `on_drift` \|(?:.*\n)+?(?=\n)", read("docs/howto/when-a-task-fails.md"))
    assert shown.strip() == made, f"docs/howto/when-a-task-fails.md shall show:\n{made}"
