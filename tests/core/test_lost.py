"""A lost connection, or a server that is silent, loses no report and no time."""

from __future__ import annotations

import contextlib
import json
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import psycopg
import psycopg2
import pytest
from psycopg import conninfo

from airflow_seqfix import core
from tests.support.faults import BEHIND, DRIVERS
from tests.support.network import Network, network_to
from tests.support.schema import validate
from tests.support.servers import Database
from tests.support.waiting import until
from tests.support.watched import Watched, reads_a_table

#: What a run may take beyond its `run_timeout`, and a busy machine beyond that, in seconds.
GRACE, SLACK = 2.0, 2.0
COUNT = 120
MANY = "".join(
    f"CREATE TABLE t{n} (id serial PRIMARY KEY); INSERT INTO t{n} SELECT generate_series(1, 10);" for n in range(COUNT)
)
#: The sessions of others in this database.
OTHERS = """
    FROM pg_stat_activity
    WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend'
"""


@pytest.fixture
def network(db: Database) -> Iterator[Network]:
    part = conninfo.conninfo_to_dict(db.dsn)
    with network_to(part["host"], int(part["port"])) as between:
        yield between


def connector(db: Database, driver: str, network: Network | None = None, **options: Any) -> Callable[[], Any]:
    """Return what opens a connection, through the network if there is one."""
    dsn = conninfo.make_conninfo(db.dsn, **({"host": "127.0.0.1", "port": network.port} if network else {}), **options)

    def connect() -> Any:
        if driver == "psycopg2":
            conn = psycopg2.connect(dsn)
            conn.autocommit = True
            return conn
        return psycopg.connect(dsn, autocommit=True)

    return connect


@contextlib.contextmanager
def takes_at_most(seconds: float) -> Iterator[None]:
    begun = time.monotonic()
    yield
    assert time.monotonic() - begun < seconds + GRACE + SLACK


def kill_at(db: Database, moved: int) -> Callable[[core.Progress], None]:
    """End the sessions of a run as soon as so many were moved."""
    done = threading.Event()

    def tell(progress: core.Progress) -> None:
        if progress.phase == "move" and progress.done >= moved and not done.is_set():
            done.set()
            db.execute(f"SELECT pg_terminate_backend(pid) {OTHERS}")
            until(lambda: not db.value(f"SELECT count(*) {OTHERS}"), "its sessions have gone")

    return tell


@pytest.mark.parametrize("driver", DRIVERS)
def test_a_connection_that_is_lost_in_the_middle_of_the_moves_loses_no_report(db: Database, driver: str) -> None:
    db.execute(MANY)
    with contextlib.closing(connector(db, driver)()) as conn, pytest.raises(core.ConnectionFailedError) as failure:
        core.fix(conn, progress=kill_at(db, 50))
    report = failure.value.report
    assert len(report.rows) == COUNT
    validate("report", report.to_dict())
    said = [row.obstacle.reason for row in report.rows]
    assert set(said) == {
        "it was moved, and the connection was lost before it was read again",
        "the connection was lost while it was moved, and it is not known whether it was moved",
        "the connection was lost before it was moved",
    }
    true = {row["sequence"]: row["verdict"] for row in core.check(db.connect).to_dict()["sequences"]}
    for row in report.rows:
        moved = true[row.finding.sequence.qualified_name] == "in_sync"
        assert moved or not row.obstacle.reason.startswith("it was moved")
        assert not moved or row.obstacle.reason != "the connection was lost before it was moved"
    assert str(failure.value).startswith("the connection was lost (")
    assert f"of {COUNT} sequences 0 were moved and verified, {COUNT} were not (database " in str(failure.value)


@pytest.mark.parametrize("driver", DRIVERS)
def test_what_was_in_flight_is_looked_up_over_a_new_connection(db: Database, driver: str) -> None:
    db.execute(MANY)
    with pytest.raises(core.ConnectionFailedError) as failure:
        core.fix(connector(db, driver), progress=kill_at(db, 50))
    report = failure.value.report
    true = {row["sequence"]: row["verdict"] for row in core.check(db.connect).to_dict()["sequences"]}
    assert {row.finding.sequence.qualified_name: str(row.verdict) for row in report.rows} == true
    assert report.summary["verified"] == list(true.values()).count("in_sync") > 0
    left = {row.obstacle.reason for row in report.rows if row.obstacle}
    assert left == {"the connection was lost before it was moved"}


@pytest.mark.parametrize("driver", DRIVERS)
def test_a_check_goes_on_over_a_new_connection(db: Database, driver: str) -> None:
    db.execute(MANY)
    struck: list[int] = []

    def tell(progress: core.Progress) -> None:
        if progress.phase == "read" and progress.done and not struck:
            struck.append(progress.done)
            db.execute(f"SELECT pg_terminate_backend(pid) {OTHERS}")

    report = core.check(connector(db, driver), progress=tell)
    assert 0 < struck[0] < COUNT
    assert report.summary["behind"] == COUNT
    struck.clear()
    with (
        contextlib.closing(connector(db, driver)()) as conn,
        pytest.raises(core.ConnectionFailedError, match="the connection was lost") as failure,
    ):
        core.check(conn, progress=tell)
    summary = failure.value.report.summary
    # What was read before cannot be confirmed any more.
    assert (summary["unknown"], summary["checked"]) == (COUNT, COUNT)


def test_a_connection_that_is_lost_between_the_versions_and_the_catalogs_confirms_nothing(db: Database) -> None:
    db.execute("CREATE TABLE t (id serial PRIMARY KEY); CREATE TABLE u (id int); INSERT INTO u VALUES (1000)")
    opened: list[Watched] = []

    def connect() -> Any:
        watched = Watched(db.psycopg2())
        opened.append(watched)
        if len(opened) == 1:
            watched.before = strike
        return watched

    def strike(statement: str) -> None:
        if reads_a_table(statement):
            db.execute("ALTER TABLE u ALTER id SET DEFAULT nextval('t_id_seq')")
        elif opened[0].reads and "Every column that is tied to a sequence" in statement:
            db.execute(f"SELECT pg_terminate_backend(pid) {OTHERS}")

    (row,) = core.check(connect).rows
    assert len(opened) == 2
    assert (str(row.verdict), row.finding.measurement.furthest_value) == ("behind", 1000)


def test_catalogs_that_cannot_be_read_again_lose_no_report(db: Database) -> None:
    db.execute("CREATE TABLE t (id serial PRIMARY KEY); INSERT INTO t VALUES (1000)")
    role = db.role()
    db.execute(f"GRANT SELECT ON ALL TABLES IN SCHEMA public TO {role}")
    db.execute(f"GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA public TO {role}")
    watched = Watched(db.psycopg2(user=role))

    def shut(statement: str) -> None:
        if reads_a_table(statement):
            db.execute("REVOKE SELECT ON pg_catalog.pg_inherits FROM PUBLIC")

    watched.before = shut
    with contextlib.closing(watched):
        (row,) = core.fix(watched, lock="none").rows
    assert (str(row.verdict), row.outcome) == ("unknown", None)
    assert row.obstacle is not None
    assert row.obstacle.reason.startswith(
        "it is not known whether it changed while it was read: the catalogs could not"
    )


@pytest.mark.parametrize("jobs", [1, 4])
@pytest.mark.parametrize("driver", DRIVERS)
@pytest.mark.long
def test_a_network_that_drops_everything_takes_no_more_than_run_timeout(
    db: Database, network: Network, driver: str, jobs: int
) -> None:
    db.execute(MANY)

    def tell(progress: core.Progress) -> None:
        if progress.phase == "move":
            network.strike("drop")

    with takes_at_most(3), pytest.raises(core.ConnectionFailedError) as failure:
        core.fix(connector(db, driver, network, connect_timeout=2), jobs=jobs, run_timeout=3, progress=tell)
    assert "the server did not answer in time, and the connection was cut" in str(failure.value)
    assert len(failure.value.report.rows) == COUNT
    locks = "SELECT count(*) FROM pg_locks WHERE relation >= 16384 AND pid <> pg_backend_pid()"
    assert db.value(locks) == 0


def command(db: Database, network: Network, *arguments: str) -> subprocess.Popen[str]:
    dsn = conninfo.make_conninfo(db.dsn, host="127.0.0.1", port=network.port, connect_timeout=2)
    return subprocess.Popen(
        [sys.executable, "-m", "airflow_seqfix", *arguments, dsn, "--quiet"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_the_command_writes_the_report_of_a_run_that_was_cut_short(newest_db: Database, tmp_path: Any) -> None:
    newest_db.execute(BEHIND)
    part = conninfo.conninfo_to_dict(newest_db.dsn)
    with newest_db.connect() as other, network_to(part["host"], int(part["port"])) as network:
        other.execute("BEGIN; SELECT nextval('large_id_seq')")
        with command(newest_db, network, "fix", "--yes", "-o", str(tmp_path / "report.json")) as process:
            waits = "SELECT count(*) FROM pg_locks WHERE NOT granted"
            until(lambda: newest_db.value(waits), "it waits for the lock")
            network.strike("cut")
            said = process.communicate()[1]
    assert process.returncode == 2
    assert "the connection was lost" in said
    report = json.loads((tmp_path / "report.json").read_text(encoding="utf-8"))
    assert len(report["sequences"]) == 3


@pytest.mark.long
def test_a_signal_is_not_held_up_by_a_network_that_is_silent(newest_db: Database) -> None:
    newest_db.execute(BEHIND)
    part = conninfo.conninfo_to_dict(newest_db.dsn)
    with newest_db.connect() as other, network_to(part["host"], int(part["port"])) as network:
        other.execute("BEGIN; LOCK TABLE small")
        with command(newest_db, network, "check", "--lock-timeout", "1") as process:
            until(lambda: newest_db.value("SELECT count(*) FROM pg_locks WHERE NOT granted"), "it waits for the lock")
            network.strike("drop")
            time.sleep(1.2)
            begun = time.monotonic()
            process.send_signal(signal.SIGTERM)
            process.communicate()
            assert time.monotonic() - begun < 3 + SLACK
    assert process.returncode == -signal.SIGTERM
