"""A task that is ended in the middle of a statement leaves nothing on the server: neither the statement nor a lock.

Every task here is run by an Airflow that runs, as users run theirs, and is ended in one of the ways in which tasks are
ended. What it reads is a table on another server that answers after ten minutes. What is left is asked of
`pg_stat_activity` and `pg_locks`. `SEQFIX_CANCELLING_OUT` names a file for the seconds that it took.
"""

from __future__ import annotations

import asyncio
import os
import signal
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

import psutil
import pytest
from psycopg import conninfo

from tests.support.airflow import airflow_uri
from tests.support.servers import Database, Server, database_on, server_labels
from tests.support.standalone import Standalone, standalone

pytestmark = pytest.mark.long

#: The table `slow` is read over the wire from a view that sleeps for as long as `pause` says.
FAR = """
    CREATE TABLE ids (id int);
    INSERT INTO ids SELECT generate_series(1, 100);
    CREATE TABLE pause (seconds float);
    INSERT INTO pause VALUES (600);
    CREATE VIEW slow AS SELECT id FROM ids, LATERAL (SELECT pg_sleep(seconds) FROM pause LIMIT 1) AS p;
"""
NEAR = """
    CREATE EXTENSION postgres_fdw;
    CREATE SERVER far FOREIGN DATA WRAPPER postgres_fdw OPTIONS (host '{host}', port '{port}', dbname '{dbname}');
    CREATE USER MAPPING FOR CURRENT_USER SERVER far OPTIONS (user 'postgres');
    CREATE FOREIGN TABLE slow (id serial) SERVER far;
    CREATE TABLE afterwards (id serial);
    INSERT INTO afterwards (id) VALUES (5);
    CREATE TABLE distant (id bigserial);
    INSERT INTO distant (id) VALUES (300000000);
"""

#: How long a signal may take to have its effect, and what Airflow tells a task at its next heartbeat, in seconds.
PROMPT, NEXT_HEARTBEAT = 20, 60

#: The sessions of tasks, by the name that they give themselves.
SESSIONS = """
    SELECT pid, state,
           -- The text of a statement is cut off before it comes to the table.
           EXISTS (SELECT FROM pg_locks l WHERE l.pid = a.pid AND l.relation = 'public.slow'::regclass),
           (SELECT count(*) FROM pg_locks l WHERE l.pid = a.pid AND l.relation >= 16384)
      FROM pg_stat_activity AS a
     WHERE datname = current_database() AND application_name ~ '^{dag_id}\\.' AND pid <> pg_backend_pid()
"""

FAR_READERS = """
    SELECT count(*) FROM pg_stat_activity
     WHERE datname = current_database() AND state = 'active' AND query ~ 'slow' AND pid <> pg_backend_pid()
"""

DAGS = """
import datetime

from airflow import DAG
from airflow.providers.postgres.hooks import postgres

from airflow_seqfix.operators.postgres import PostgresSequenceCheckOperator, PostgresSequenceResetOperator
from airflow_seqfix.sensors.postgres import PostgresSequenceDriftSensor

postgres.USE_PSYCOPG3 = {psycopg3}
READING = dict(
    task_id="task", conn_id="near", foreign=True, tables=["slow", "afterwards"], statement_timeout=500, run_timeout=550
)

with DAG("{driver}_marked_failed", schedule=None):
    PostgresSequenceResetOperator(**READING)
with DAG("{driver}_cleared", schedule=None):
    PostgresSequenceCheckOperator(**READING)
with DAG("{driver}_execution_timeout", schedule=None):
    PostgresSequenceResetOperator(**READING, execution_timeout=datetime.timedelta(seconds=4))
with DAG("{driver}_sigterm_task", schedule=None):
    PostgresSequenceDriftSensor(**READING)
with DAG("{driver}_sigterm_worker", schedule=None):
    PostgresSequenceResetOperator(**READING)
with DAG("{driver}_sigkill_task", schedule=None):
    PostgresSequenceResetOperator(**READING)
with DAG("{driver}_deferred", schedule=None):
    PostgresSequenceDriftSensor(**READING, deferrable=True, poke_interval=1, timeout=500)
with DAG("{driver}_moving", schedule=None):
    PostgresSequenceResetOperator(
        task_id="task", conn_id="near", sequences=["distant_id_seq"], lock="none", outliers="follow"
    )
"""


def drivers() -> list[str]:
    """Return the drivers that Airflow's hook can be made to use here, the one that it chooses by itself first."""
    from airflow.providers.postgres.hooks import postgres

    # Without SQLAlchemy 2 it has never imported psycopg 3.
    return ["psycopg", "psycopg2"] if getattr(postgres, "USE_PSYCOPG3", False) else ["psycopg2"]


@dataclass
class Setting:
    """An Airflow, and the databases that its tasks read."""

    airflow: Standalone
    near: Database
    far: Database

    def sessions(self, dag_id: str) -> list[tuple[int, str, bool, int]]:
        return self.near.rows(SESSIONS.format(dag_id=dag_id))

    def wait_until_reading(self, dag_id: str, but: int | None = None) -> int:
        """Return the server process of a task that is in the middle of reading, with its locks."""

        def reading() -> int | None:
            for pid, state, reads_slow, locks in self.sessions(dag_id):
                if pid != but and state == "active" and reads_slow and locks:
                    return pid
            return None

        return int(self.airflow.wait(reading, pause=0.1))

    def seconds_until_gone(self, pid: int, within: float = PROMPT) -> float:
        """Measure until a session has ended with all its locks, and nobody on the far server reads for it."""
        started = time.monotonic()
        while time.monotonic() - started < within:
            here = self.near.value(f"""
                SELECT (SELECT count(*) FROM pg_stat_activity WHERE pid = {pid})
                     + (SELECT count(*) FROM pg_locks WHERE pid = {pid})
            """)
            if not here and not self.far.value(FAR_READERS):
                return time.monotonic() - started
            time.sleep(0.02)
        left = self.near.rows(f"SELECT state, wait_event, query FROM pg_stat_activity WHERE pid = {pid}")
        raise AssertionError(f"after {within:g} s still on the server: {left}")


#: What was measured: event → driver → seconds until the server had let go.
MEASURED: dict[str, dict[str, float]] = {}


@pytest.fixture(scope="module")
def setting(start_server: Callable[[str], Server]) -> Iterator[Setting]:
    server = start_server(server_labels()[0])
    with database_on(server) as far, database_on(server) as near:
        far.execute(FAR)
        address = conninfo.conninfo_to_dict(near.dsn)
        near.execute(NEAR.format(host=address["host"], port=address["port"], dbname=far.name))
        with standalone() as airflow:
            for driver in drivers():
                text = DAGS.format(driver=driver, psycopg3=driver == "psycopg")
                (airflow.dags / f"{driver}.py").write_text(text)
            airflow.connection(
                "near", host=address["host"], port=int(address["port"]), login=address["user"], schema=near.name
            )
            yield Setting(airflow, near, far)
        if os.environ.get("SEQFIX_CANCELLING_OUT"):
            Path(os.environ["SEQFIX_CANCELLING_OUT"]).write_text(page(server), encoding="utf-8")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "driver" in metafunc.fixturenames:
        metafunc.parametrize("driver", drivers())


def start(setting: Setting, dag_id: str) -> tuple[str, int]:
    """Start a task, and return the id of its run and its server process once it reads."""
    run_id = setting.airflow.trigger(dag_id)
    return run_id, setting.wait_until_reading(dag_id)


def measure(setting: Setting, event: str, driver: str, pid: int, within: float = PROMPT) -> None:
    """Wait until the server has let go, and see that the task has not gone on to its next sequence."""
    MEASURED.setdefault(event, {})[driver] = setting.seconds_until_gone(pid, within)
    assert setting.near.state("afterwards_id_seq")[:2] == (1, False)


def process_of(setting: Setting, dag_id: str, run_id: str) -> psutil.Process:
    return psutil.Process(setting.airflow.task(dag_id, run_id, "task")["pid"])


def test_marked_failed(setting: Setting, driver: str) -> None:
    dag_id = f"{driver}_marked_failed"
    run_id, pid = start(setting, dag_id)
    setting.airflow.mark(dag_id, run_id, "task", "failed")
    measure(setting, "marked as failed", driver, pid, NEXT_HEARTBEAT)
    assert setting.airflow.task(dag_id, run_id, "task")["state"] == "failed"
    assert "Told to stop: what runs on the server is cancelled" in setting.airflow.task_log(dag_id, run_id, "task")


def test_cleared(setting: Setting, driver: str) -> None:
    dag_id = f"{driver}_cleared"
    run_id, pid = start(setting, dag_id)
    setting.airflow.clear(dag_id, run_id, "task")
    measure(setting, "cleared", driver, pid, NEXT_HEARTBEAT)
    # It starts anew, in another session.
    again = setting.wait_until_reading(dag_id, but=pid)
    setting.airflow.mark(dag_id, run_id, "task", "failed")
    setting.seconds_until_gone(again, NEXT_HEARTBEAT)


def test_execution_timeout(setting: Setting, driver: str) -> None:
    dag_id = f"{driver}_execution_timeout"
    run_id, pid = start(setting, dag_id)
    # The four seconds have begun before the first statement.
    measure(setting, "`execution_timeout` (4 s)", driver, pid, 4 + PROMPT)
    task = setting.airflow.wait_for_state(dag_id, run_id, "task", "failed")
    assert task["duration"] < 120


def test_the_task_is_sent_sigterm(setting: Setting, driver: str) -> None:
    dag_id = f"{driver}_sigterm_task"
    run_id, pid = start(setting, dag_id)
    process_of(setting, dag_id, run_id).send_signal(signal.SIGTERM)
    measure(setting, "SIGTERM to the task's process", driver, pid)
    setting.airflow.wait_for_state(dag_id, run_id, "task", "failed")


def test_the_worker_is_sent_sigterm(setting: Setting, driver: str) -> None:
    dag_id = f"{driver}_sigterm_worker"
    run_id, pid = start(setting, dag_id)
    process_of(setting, dag_id, run_id).parent().send_signal(signal.SIGTERM)
    measure(setting, "SIGTERM to the worker", driver, pid)


def test_a_task_that_is_killed_outright(setting: Setting, driver: str) -> None:
    dag_id = f"{driver}_sigkill_task"
    run_id, pid = start(setting, dag_id)
    process_of(setting, dag_id, run_id).kill()
    measure(setting, "SIGKILL to the task's process", driver, pid)


def test_deferred_and_marked_failed(setting: Setting) -> None:
    # No DAG file is read in the triggerer: there the hook chooses its driver by itself.
    driver = drivers()[0]
    dag_id = f"{driver}_deferred"
    setting.far.execute("UPDATE pause SET seconds = 0")
    try:
        run_id = setting.airflow.trigger(dag_id)
        setting.airflow.wait_for_state(dag_id, run_id, "task", "deferred")
    finally:
        setting.far.execute("UPDATE pause SET seconds = 600")
    pid = setting.wait_until_reading(dag_id)
    setting.airflow.mark(dag_id, run_id, "task", "failed")
    measure(setting, "deferred, marked as failed", driver, pid, NEXT_HEARTBEAT)


def test_a_cancelled_trigger(setting: Setting, driver: str, monkeypatch: pytest.MonkeyPatch) -> None:
    from airflow.providers.postgres.hooks import postgres

    from airflow_seqfix.triggers.postgres import PostgresSequenceTrigger

    monkeypatch.setattr(postgres, "USE_PSYCOPG3", driver == "psycopg")
    monkeypatch.setenv("AIRFLOW_CONN_NEAR", airflow_uri(setting.near))
    name = f"{driver}_trigger"
    trigger = PostgresSequenceTrigger(
        conn_id="near",
        database=None,
        hook_params=None,
        options={
            "tables": ["slow", "afterwards"],
            "foreign": True,
            "statement_timeout": 500,
            "run_timeout": 550,
            "application_name": f"{name}.task",
        },
        poke_interval=1,
        deadline=time.time() + 500,
    )

    async def cancel_midway() -> None:
        look = asyncio.ensure_future(anext(aiter(trigger.run())))
        pid = await asyncio.to_thread(setting.wait_until_reading, name)
        look.cancel()
        with pytest.raises(asyncio.CancelledError):
            await look
        await asyncio.to_thread(measure, setting, "a trigger that is cancelled", driver, pid)

    asyncio.run(cancel_midway())


def test_in_the_middle_of_a_long_move(setting: Setting, driver: str) -> None:
    dag_id = f"{driver}_moving"
    before = setting.near.state("distant_id_seq")[0]
    run_id = setting.airflow.trigger(dag_id)
    setting.airflow.wait(lambda: setting.near.state("distant_id_seq")[0] > before)
    # Between two of its many transactions a session does not bear the task's name.
    ((pid, *_),) = setting.airflow.wait(lambda: setting.sessions(dag_id), pause=0.01)
    setting.airflow.mark(dag_id, run_id, "task", "failed")
    measure(setting, "in the middle of a long move, marked as failed", driver, pid, NEXT_HEARTBEAT)
    reached = setting.near.state("distant_id_seq")[0]
    time.sleep(0.5)
    assert setting.near.state("distant_id_seq")[0] == reached < 300_000_000


PAGE = """\
# Cancelled tasks

A task that is ended while it waits for the database leaves no statement, no session and no lock there.
[What ends them, in each case](../howto/when-a-task-fails.md#what-a-cancelled-task-leaves-behind).

Measured with `make cancelling` on Airflow {airflow}, psycopg {psycopg}, psycopg2 {psycopg2} and PostgreSQL {server}, by
tasks that read a table whose server answers after ten minutes. Seconds run from the event until `pg_stat_activity` and
`pg_locks` no longer show the session, on both servers; those of `execution_timeout` include the timeout.

| event | psycopg 3 | psycopg2 |
|---|---:|---:|
{rows}
"""


def page(server: Server) -> str:
    rows = [
        f"| {event} | "
        + " | ".join(f"{seconds[d]:.1f}" if d in seconds else "" for d in ("psycopg", "psycopg2"))
        + " |"
        for event, seconds in MEASURED.items()
    ]
    return PAGE.format(
        airflow=version("apache-airflow"),
        psycopg=version("psycopg"),
        psycopg2=version("psycopg2-binary"),
        server=".".join(map(str, divmod(server.version_num, 10000))),
        rows="\n".join(rows),
    )
