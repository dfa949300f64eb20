"""What Airflow and its neighbours are told by a run: lineage, metrics, the events of assets, callbacks.

One run of five tasks, with OpenLineage's own listener and a StatsD server, and everything that they were told.
"""

from __future__ import annotations

import contextlib
import json
import socket
import sqlite3
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any

import pytest

from tests.support.airflow import HOME, airflow_uri, airflow_version
from tests.support.servers import Server, database_on, server_labels
from tests.support.tasks import DRIFT, flat, operator

DAG_FILE = """
import json
import os

from airflow import DAG

from airflow_seqfix.operators.postgres import PostgresSequenceCheckOperator, PostgresSequenceResetOperator
from airflow_seqfix.sensors.postgres import PostgresSequenceDriftSensor
from airflow_seqfix.task.sdk import Asset


def forward(context):
    with open(os.environ["FORWARDED"], "a") as file:
        print(json.dumps([context["ti"].task_id, str(context["exception"])]), file=file)


DEFAULTS = {"conn_id": "shop", "trigger_rule": "all_done", "on_failure_callback": forward}
DEFAULTS["tables"] = ["public.orders", "public.fine"]
with DAG("task_behaviour", schedule=None, default_args=DEFAULTS):
    (
        PostgresSequenceCheckOperator(task_id="before", outlets=[Asset("never_updated")])
        >> PostgresSequenceResetOperator(task_id="reset", outlets=[Asset("orders_loaded")])
        >> PostgresSequenceDriftSensor(task_id="gate", outlets=[Asset("orders_checked")])
        >> PostgresSequenceCheckOperator(task_id="unnamed", tables=["odrers"])
        >> PostgresSequenceCheckOperator(task_id="gone", conn_id="gone")
    )
"""

PASSWORD = "secret-of-the-shop"


@dataclass
class Told:
    """What was heard of the run."""

    database: str
    port: int
    lineage: list[dict[str, Any]] = field(default_factory=list)
    metrics: dict[str, str] = field(default_factory=dict)
    messages: dict[str, str] = field(default_factory=dict)
    assets: dict[str, dict[str, Any]] = field(default_factory=dict)

    @property
    def where(self) -> str:
        return f"{self.database} on 127.0.0.1:{self.port} (primary, as postgres)"

    def event(self, job: str, kind: str) -> dict[str, Any]:
        (found,) = [event for event in self.lineage if event["job"]["name"] == job and event["eventType"] == kind]
        return found


@contextlib.contextmanager
def statsd(heard: dict[str, str]) -> Iterator[int]:
    """Listen as a StatsD server does; the last value of each name stays."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        server.bind(("127.0.0.1", 0))
        port = server.getsockname()[1]

        def listen() -> None:
            while text := server.recv(65536).decode():
                for line in text.splitlines():
                    name, _, value = line.partition(":")
                    heard[name] = value

        listener = threading.Thread(target=listen)
        listener.start()
        try:
            yield port
        finally:
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as last:
                last.sendto(b"", ("127.0.0.1", port))
            listener.join()


def lines(path: Path) -> list[Any]:
    return [json.loads(line) for line in path.read_text().splitlines()]


@pytest.fixture(scope="module")
def told(
    start_server: Callable[[str], Server],
    airflow: Callable[..., CompletedProcess[str]],
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Told]:
    folder = tmp_path_factory.mktemp("task_behaviour")
    dags, events, forwarded = folder / "dags", folder / "events.jsonl", folder / "forwarded.jsonl"
    dags.mkdir()
    (dags / "task_behaviour.py").write_text(DAG_FILE)
    with database_on(start_server(server_labels()[0])) as shop:
        shop.execute(DRIFT)
        shop.execute("SELECT setval('fine_id_seq', 1717986918)")
        heard = Told(database=shop.name, port=shop.connect().info.port)
        with statsd(heard.metrics) as port:
            done = airflow(
                *("dags", "test", "task_behaviour"),
                AIRFLOW__CORE__DAGS_FOLDER=str(dags),
                AIRFLOW__METRICS__STATSD_ON="True",
                AIRFLOW__METRICS__STATSD_HOST="127.0.0.1",
                AIRFLOW__METRICS__STATSD_PORT=str(port),
                AIRFLOW__OPENLINEAGE__NAMESPACE="tests",
                AIRFLOW__OPENLINEAGE__TRANSPORT=json.dumps(
                    {"type": "file", "log_file_path": str(events), "append": True}
                ),
                AIRFLOW_CONN_SHOP=airflow_uri(shop, password=PASSWORD),
                AIRFLOW_CONN_GONE=f"postgres://somebody:{PASSWORD}@127.0.0.1:1/gone",
                FORWARDED=str(forwarded),
            )
        assert events.exists() and forwarded.exists(), done.stdout + done.stderr
        for text in (events.read_text(), forwarded.read_text(), done.stdout, done.stderr):
            assert PASSWORD not in text
        heard.lineage = lines(events)
        heard.messages = dict(lines(forwarded))
        with contextlib.closing(sqlite3.connect(HOME / "airflow.db")) as metadata:
            kind = "asset" if airflow_version() >= (3,) else "dataset"
            rows = metadata.execute(f"SELECT uri, e.extra FROM {kind}_event e JOIN {kind} a ON a.id = e.{kind}_id")
            heard.assets = {name: json.loads(extra) for name, extra in rows}
        yield heard


def assertions(event: dict[str, Any]) -> dict[tuple[str, str], dict[str, Any]]:
    """Return the assertions of an event by dataset, without what OpenLineage's client adds."""
    found = {}
    for table in event["inputs"]:
        facet = table["inputFacets"]["dataQualityAssertions"]
        assert "DataQualityAssertionsDatasetFacet" in facet["_schemaURL"]
        (found[table["namespace"], table["name"]],) = facet["assertions"]
    return found


def test_lineage_of_a_task_that_fails(told: Told) -> None:
    event = told.event("task_behaviour.before", "FAIL")
    namespace = f"postgres://127.0.0.1:{told.port}"
    assert assertions(event) == {
        (namespace, f"{told.database}.public.orders"): {
            "assertion": "sequence_ahead_of_data",
            "name": "public.orders_id_seq is ahead of public.orders.id",
            "column": "id",
            "success": False,
            "severity": "error",
            "expected": "100 < next value <= 2147483647",
            "actual": "next value 1",
            "description": "the next value is 1, and public.orders.id has reached 100",
            "params": {"sequence": "public.orders_id_seq", "verdict": "behind"},
        },
        (namespace, f"{told.database}.public.fine"): {
            "assertion": "sequence_ahead_of_data",
            "name": "public.fine_id_seq is ahead of public.fine.id",
            "column": "id",
            "success": True,
            "severity": "error",
            "expected": "next value <= 2147483647",
            "actual": "next value 1717986919",
            "params": {"sequence": "public.fine_id_seq", "verdict": "in_sync"},
        },
    }
    assert event["run"]["facets"]["errorMessage"]["message"].startswith(
        f"1 of 2 sequences in database {told.where} is not in sync\n"
    )


@pytest.mark.parametrize("task_id", ["reset", "gate"])
def test_lineage_of_a_task_that_succeeds(task_id: str, told: Told) -> None:
    found = assertions(told.event(f"task_behaviour.{task_id}", "COMPLETE"))
    orders = found[f"postgres://127.0.0.1:{told.port}", f"{told.database}.public.orders"]
    assert (orders["success"], orders["expected"], orders["actual"]) == (
        True,
        "100 < next value <= 2147483647",
        "next value 101",
    )
    assert all(assertion["success"] for assertion in found.values())


def test_lineage_of_a_task_that_starts(told: Told) -> None:
    """The tables are named with their schema: so they are known before anything is read."""
    event = told.event("task_behaviour.before", "START")
    namespace = f"postgres://127.0.0.1:{told.port}"
    assert {(table["namespace"], table["name"]) for table in event["inputs"]} == {
        (namespace, f"{told.database}.public.{name}") for name in ("orders", "fine")
    }
    # Without a schema nobody knows which table is meant.
    assert told.event("task_behaviour.unnamed", "START")["inputs"] == []


def test_lineage_of_a_task_that_found_out_nothing(told: Told) -> None:
    assert told.event("task_behaviour.unnamed", "FAIL")["inputs"] == []
    assert told.event("task_behaviour.gone", "FAIL")["inputs"] == []


def test_the_reads_are_told_as_hooks_tell_theirs(told: Told) -> None:
    """OpenLineage parses the statements, and makes a job of them where a task tells no inputs of its own.

    `dags test` runs all tasks in one process: these are the reads of the first, told when the fourth begins.
    """
    event = told.event("task_behaviour.unnamed.query.1", "COMPLETE")
    assert {table["name"] for table in event["inputs"]} == {
        f"{told.database}.public.{name}" for name in ("orders", "fine")
    }
    assert event["outputs"] == []


def test_metrics_bear_the_task_and_no_sequence(told: Told) -> None:
    mine = {name: value for name, value in told.metrics.items() if name.startswith("airflow.seqfix.")}
    by_task = {name: value for name, value in mine.items() if ".task_behaviour." in name}
    assert by_task == {
        f"airflow.seqfix.{name}.task_behaviour.{task_id}": f"{value}|g"
        for task_id, figures in {
            "before": {"checked": 2.0, "behind": 1.0, "fixed": 0.0, "worst_used_ratio": 0.8},
            "reset": {"checked": 2.0, "behind": 0.0, "fixed": 1.0, "worst_used_ratio": 0.8},
            "gate": {"checked": 2.0, "behind": 0.0, "fixed": 0.0, "worst_used_ratio": 0.8},
        }.items()
        for name, value in {"exhausted": 0.0, "unknown": 0.0, "failed": 0.0, **figures}.items()
    }
    # The same with tags, which plain StatsD leaves out.
    assert len(mine) == len(by_task) + 7


def test_the_events_of_outlets_say_what_was_found(told: Told) -> None:
    common = {
        "host": "127.0.0.1",
        "port": told.port,
        "database": told.database,
        "checked": 2,
        "behind": 0,
        "exhausted": 0,
        "unknown": 0,
    }
    expected = {
        "orders_loaded": {**common, "fixed": 1, "days_left": None, "worst_gap": 100},
        "orders_checked": {**common, "fixed": 0, "days_left": None, "worst_gap": 0},
    }
    # Other tests have other assets in the same metadata database.
    assert {name: extra for name, extra in told.assets.items() if name.startswith("orders_")} == expected


def test_callbacks_get_a_message_that_is_worth_forwarding(told: Told) -> None:
    assert flat(told.messages["before"]) == (
        f"1 of 2 sequences in database {told.where} is not in sync "
        "public.orders_id_seq (public.orders.id): behind: the next value is 1, and public.orders.id has reached 100. "
        "Remedy: WITH RECURSIVE r(v) AS (SELECT pg_catalog.nextval('public.orders_id_seq') FROM public.orders_id_seq"
        " WHERE (last_value, is_called) < (100, true)"
        " UNION ALL SELECT pg_catalog.nextval('public.orders_id_seq') FROM r WHERE v < 100)"
        " SELECT pg_catalog.max(v) FROM r;"
    )
    failed = told.event("task_behaviour.before", "FAIL")
    assert failed["run"]["facets"]["errorMessage"]["message"] == told.messages["before"]
    assert told.messages["unnamed"].startswith("tables: there is no table odrers; did you mean public.orders?")
    assert told.messages["gone"].startswith(
        "conn_id='gone' does not connect (host=127.0.0.1 port=1 dbname=gone user=somebody): "
    )
    assert set(told.messages) == {"before", "unnamed", "gone"}


def test_a_task_without_a_report_has_nothing_to_tell() -> None:
    """Airflow warns of None."""
    from airflow.providers.openlineage.extractors import OperatorLineage

    assert operator().get_openlineage_facets_on_failure(None) == OperatorLineage()
