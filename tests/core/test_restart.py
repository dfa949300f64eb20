"""A server that restarts in the middle of a repair."""

from __future__ import annotations

import threading

import pytest

from airflow_seqfix import core
from airflow_seqfix.core.repair.apply import CALLS_AT_ONCE
from tests.support.servers import Database, Server, another_like
from tests.support.waiting import until

pytestmark = pytest.mark.long


@pytest.mark.parametrize("mode", ["fast", "immediate"])
def test_nothing_goes_back_and_running_again_finishes_the_work(mode: str, newest_server: Server) -> None:
    with another_like(newest_server) as server:
        db, cluster = Database(server, "postgres"), server.cluster
        assert cluster is not None
        db.execute("CREATE TABLE t (id serial PRIMARY KEY, note text); INSERT INTO t (id) VALUES (90000000)")
        failures: list[Exception] = []

        def repair() -> None:
            with db.connect() as conn:
                try:
                    core.fix(conn, lock="none", max_jump=10**9)
                except core.ConnectionFailedError as error:
                    failures.append(error)

        thread = threading.Thread(target=repair)
        thread.start()
        reached = until(lambda: (last := db.state("t_id_seq")[0]) > 100_000 and last, "a repair that is on its way")
        cluster.stop(mode)
        cluster.start()
        thread.join()
        assert failures
        # What a crash cuts off inside a statement was not committed, so nobody has been given those values.
        unfinished = CALLS_AT_ONCE if mode == "immediate" else 0
        assert 1 < reached - unfinished <= db.state("t_id_seq")[0] < 90_000_000
        with db.connect() as conn:
            assert core.fix(conn, max_jump=10**9).summary["fixed"] == 1
        assert db.value("INSERT INTO t (note) VALUES ('') RETURNING id") == 90_000_001
