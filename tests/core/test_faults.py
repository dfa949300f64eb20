"""Bounded in every fault: a standby that is away, a network that is silent, a database with time limits of its own."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from airflow_seqfix import core
from tests.support.cluster import Cluster, running, wheel_binaries
from tests.support.faults import BEHIND, DRIVERS, connect
from tests.support.psql import reset
from tests.support.servers import WHEELS, Database, Server, database_on
from tests.support.waiting import until

pytestmark = pytest.mark.long

#: What a run may take beyond its `run_timeout`, in seconds; see database/clock.py.
GRACE = 2.0
#: What a busy machine may take beyond that.
SLACK = 2.0


@contextlib.contextmanager
def takes_at_most(seconds: float) -> Iterator[None]:
    begun = time.monotonic()
    yield
    assert time.monotonic() - begun < seconds + GRACE + SLACK


@pytest.fixture(scope="module", params=list(WHEELS))
def waiting_cluster(request: pytest.FixtureRequest) -> Iterator[Cluster]:
    """A server of its own, whose settings may be changed."""
    with running(wheel_binaries(WHEELS[request.param])) as cluster:
        yield cluster


@pytest.fixture
def orphan(waiting_cluster: Cluster) -> Iterator[Database]:
    """A database whose commits wait for a standby that does not come."""
    with waiting_cluster.connect() as conn:
        server = Server(waiting_cluster.dsn, conn.info.server_version, waiting_cluster)
        with database_on(server) as db:
            db.execute(BEHIND)
            conn.execute("ALTER SYSTEM SET synchronous_standby_names = 'nobody'")
            conn.execute("SELECT pg_reload_conf()")
            until(lambda: db.value("SHOW synchronous_standby_names") == "nobody", "the server has read it")
            try:
                yield db
            finally:
                conn.execute("ALTER SYSTEM RESET synchronous_standby_names")
                conn.execute("SELECT pg_reload_conf()")
                until(lambda: db.value("SHOW synchronous_standby_names") == "", "the server has read it")


@pytest.mark.parametrize("lock", ["auto", "none", "sequence", "guarded"])
@pytest.mark.parametrize("driver", DRIVERS)
def test_a_standby_that_is_away_is_waited_for_once_and_without_a_lock(orphan: Database, driver: str, lock: str) -> None:
    waits: list[float] = []
    stopped = threading.Event()

    def insert() -> None:
        # Someone who does not wait for standbys is not made to.
        with orphan.connect(options="-c synchronous_commit=local") as app:
            while not stopped.is_set():
                begun = time.monotonic()
                app.execute("SELECT nextval('large_id_seq')")
                waits.append(time.monotonic() - begun)
                time.sleep(0.01)

    application = threading.Thread(target=insert)
    application.start()
    conn = connect(orphan, driver)
    try:
        with takes_at_most(3):
            report = core.fix(conn, lock=lock, run_timeout=3)
    finally:
        stopped.set()
        application.join()
    assert report.failing == ()
    assert report.summary["verified"] == 3
    assert report.to_dict()["standbys_confirmed"] is False
    assert max(waits) < 1.0
    cursor = conn.cursor()
    cursor.execute("SELECT 1")
    assert cursor.fetchall() == [(1,)], "the connection is as good as before"
    conn.close()
    assert core.check(orphan.connect).summary["in_sync"] == 3


@pytest.mark.parametrize("setting", ["off", "local"])
def test_who_does_not_wait_for_standbys_is_not_made_to(orphan: Database, setting: str) -> None:
    begun = time.monotonic()
    report = core.fix(lambda: orphan.connect(options=f"-c synchronous_commit={setting}"), run_timeout=30)
    assert time.monotonic() - begun < 5
    assert (report.summary["verified"], report.standbys_confirmed) == (3, None)


def test_a_standby_that_is_there_confirms(waiting_cluster: Cluster) -> None:
    with waiting_cluster.connect() as conn:
        server = Server(waiting_cluster.dsn, conn.info.server_version, waiting_cluster)
        standby = waiting_cluster.standby(Path(f"{waiting_cluster.base}-standby"))
        standby.start()
        try:
            with database_on(server) as db:
                db.execute(BEHIND)
                conn.execute("ALTER SYSTEM SET synchronous_standby_names = '*'")
                conn.execute("SELECT pg_reload_conf()")
                until(lambda: db.value("SHOW synchronous_standby_names") == "*", "the server has read it")
                assert core.fix(db.connect).standbys_confirmed is True
                assert core.fix(db.connect).standbys_confirmed is None, "nothing was moved"
                with standby.connect(db.name) as reader:
                    assert reader.execute("SELECT last_value >= 20000 FROM large_id_seq").fetchone() == (True,)
                conn.execute("ALTER SYSTEM RESET synchronous_standby_names")
                conn.execute("SELECT pg_reload_conf()")
        finally:
            standby.remove()


def test_without_plpgsql_only_nextval_moves(db: Database) -> None:
    db.execute(BEHIND)
    role = db.role()
    db.execute(f"REVOKE USAGE ON LANGUAGE plpgsql FROM PUBLIC; ALTER TABLE small OWNER TO {role}")
    db.execute(f"ALTER TABLE large OWNER TO {role}; ALTER TABLE cached OWNER TO {role}")
    with db.connect(user=role) as conn:
        (refused,) = core.fix(conn, tables=["large"], lock="sequence").rows
        assert refused.obstacle is not None
        assert refused.obstacle.remedy == f'GRANT USAGE ON LANGUAGE plpgsql TO {role}; -- or lock="none"'
        report = core.fix(conn)
        assert (report.failing, report.summary["verified"]) == ((), 3)


@pytest.mark.parametrize("increment", [-(2**63), 2**63 - 1])
def test_an_increment_at_the_end_of_bigint_stops_nobody_else(db: Database, increment: int) -> None:
    db.execute(BEHIND)
    db.execute(f"CREATE SEQUENCE s INCREMENT {increment}; CREATE TABLE huge (id bigint DEFAULT nextval('s'))")
    db.execute("INSERT INTO huge VALUES (1)")
    run = reset(db.dsn)
    assert run.summary["repaired"] == "3"
