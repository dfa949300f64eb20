"""A fleet of databases over several workers: mapped repairs, deferred sensors, a retry, a task that is cancelled."""

from __future__ import annotations

import itertools
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from psycopg import conninfo

from tests.support.celery import WithCelery
from tests.support.cluster import running, wheel_binaries
from tests.support.servers import WHEELS, Database, Server
from tests.support.standalone import BUSY, Standalone, metadata_in

pytestmark = [pytest.mark.system, pytest.mark.timeout(900)]

DATABASES = [f"tenant_{number:02}" for number in range(1, 21)]
WAITED_FOR = DATABASES[:3]
DAGS = f"""
import datetime

from airflow.sdk import DAG

from airflow_seqfix.operators.postgres import PostgresSequenceResetOperator
from airflow_seqfix.sensors.postgres import PostgresSequenceDriftSensor

with DAG("gates", schedule=None):
    PostgresSequenceDriftSensor.partial(
        task_id="gate", conn_id="tenants", deferrable=True, poke_interval=2
    ).expand(database={WAITED_FOR})

with DAG("fleet", schedule=None):
    PostgresSequenceResetOperator.partial(
        task_id="reset", conn_id="tenants", lock_timeout=1, retries=20, retry_delay=datetime.timedelta(seconds=1)
    ).expand(database={DATABASES})

with DAG("far", schedule=None):
    PostgresSequenceResetOperator(
        task_id="reset",
        conn_id="tenants",
        database="tenant_01",
        tables=["far"],
        lock="none",
        outliers="follow",
        run_timeout=900,
    )
"""
ORDERS = """
    CREATE TABLE orders (id serial PRIMARY KEY, note text);
    INSERT INTO orders (id) SELECT generate_series(1, 40)
"""
SESSIONS = "SELECT count(*) FROM pg_stat_activity WHERE datname LIKE 'tenant%' AND pid <> pg_backend_pid()"


@pytest.fixture(scope="module")
def tenants() -> Iterator[Server]:
    """Twenty databases, all of them just loaded, and none of anybody else."""
    with running(wheel_binaries(WHEELS["pg18"])) as cluster, cluster.connect() as conn:
        yield Server(cluster.dsn, conn.info.server_version, cluster)


@pytest.fixture(params=["local", "celery"])
def airflow(tenants: Server, request: pytest.FixtureRequest) -> Iterator[Standalone]:
    postgres = Database(tenants, "postgres")
    for name in ("airflow", *DATABASES):
        postgres.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
    postgres.execute("CREATE DATABASE airflow")
    postgres.execute(f"CREATE DATABASE {DATABASES[0]}")
    Database(tenants, DATABASES[0]).execute(ORDERS)
    for name in DATABASES[1:]:
        postgres.execute(f"CREATE DATABASE {name} TEMPLATE {DATABASES[0]}")
    part = conninfo.conninfo_to_dict(tenants.dsn)
    assert tenants.cluster is not None
    metadata = metadata_in(tenants.cluster, "airflow")
    home = Path(tempfile.mkdtemp(prefix="seqfix-executor-"))
    executor = WithCelery(home, metadata) if request.param == "celery" else Standalone(home, metadata, BUSY)
    (executor.dags / "fleet.py").write_text(DAGS)
    try:
        executor.start()
        executor.connection("tenants", host=part["host"], port=int(part["port"]), login=part["user"], schema="postgres")
        yield executor
    finally:
        executor.stop()
        shutil.rmtree(home, ignore_errors=True)


def test_a_fleet_is_spread_over_workers(airflow: Standalone, tenants: Server) -> None:
    gates = airflow.trigger("gates")
    wait_for(airflow, "deferred", "gates", gates, "gate")
    locked = Database(tenants, DATABASES[-1])
    with locked.connect() as conn, conn.transaction():
        conn.execute("LOCK TABLE orders IN ACCESS EXCLUSIVE MODE")
        fleet = airflow.trigger("fleet")
        airflow.wait(lambda: has_failed_once(airflow.mapped("fleet", fleet, "reset")[-1:]), pause=1)
    wait_for(airflow, "success", "fleet", fleet, "reset")
    wait_for(airflow, "success", "gates", gates, "gate")

    tasks = airflow.mapped("fleet", fleet, "reset")
    assert [task["try_number"] > 1 for task in tasks] == [False] * 19 + [True]
    for name in DATABASES:
        assert Database(tenants, name).value("INSERT INTO orders DEFAULT VALUES RETURNING id") == 41, name
    assert any(overlap(one, other) for one, other in itertools.combinations(tasks, 2))
    if isinstance(airflow, WithCelery):
        assert all("received" in log.read_text() for log in airflow.workers.values())

    assert_cancelling_ends_it_on_the_server(airflow, Database(tenants, DATABASES[0]))


def assert_cancelling_ends_it_on_the_server(airflow: Standalone, tenant: Database) -> None:
    tenant.execute("CREATE TABLE far (id bigserial PRIMARY KEY); INSERT INTO far VALUES (400000000)")
    run = airflow.trigger("far")
    airflow.wait(lambda: reached(tenant) > 10_000)
    airflow.mark("far", run, "reset", "failed")
    airflow.wait(lambda: tenant.value(SESSIONS) == 0)
    assert reached(tenant) < 400_000_000
    assert airflow.task("far", run, "reset")["state"] == "failed"


def reached(tenant: Database) -> int:
    return int(tenant.value("SELECT last_value FROM far_id_seq"))


def wait_for(airflow: Standalone, state: str, *task: str) -> None:
    """Wait until all instances of a mapped task are in a state."""
    states: list[Any] = []

    def arrived() -> bool:
        states[:] = [instance["state"] for instance in airflow.mapped(*task)]
        return set(states) == {state}

    try:
        airflow.wait(arrived, pause=1)
    except AssertionError as error:
        raise AssertionError(f"{task} are {states}, not {state}: {error}") from None


def has_failed_once(tasks: list[dict[str, Any]]) -> bool:
    return any(task["state"] == "up_for_retry" or task["try_number"] > 1 for task in tasks)


def overlap(one: dict[str, Any], other: dict[str, Any]) -> bool:
    """Return whether two tasks ran at the same time. The API writes times so that they compare as text."""
    return bool(one["start_date"] < other["end_date"] and other["start_date"] < one["end_date"])
