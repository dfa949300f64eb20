"""A few strikes of each kind; `python -m tests.stress.network` has one at each message."""

from __future__ import annotations

import contextlib

import pytest

from tests.stress.network import DRIVERS, JOBS, Strikes, strike_standby
from tests.support.cluster import running, wheel_binaries
from tests.support.network import FAULTS
from tests.support.servers import WHEELS, Database, Server, database_on


@pytest.mark.parametrize("jobs", JOBS)
@pytest.mark.parametrize("driver", DRIVERS)
def test_a_network_that_is_struck(newest_db: Database, driver: str, jobs: int) -> None:
    with contextlib.closing(Strikes(newest_db)) as strikes:
        count = strikes.messages(driver, jobs, "auto")
        for number, fault in enumerate(FAULTS):
            for at in range(3 + number, count, count // 2):
                strikes.strike(fault, driver, jobs, at, "auto")
    assert strikes.count.total() >= len(FAULTS)


def test_a_standby_that_goes_away() -> None:
    with running(wheel_binaries(WHEELS["pg18"])) as cluster, cluster.connect() as conn:
        server = Server(cluster.dsn, conn.info.server_version, cluster)
        with database_on(server) as db:
            count, _ = strike_standby(cluster, db, 8)
    assert count >= 4
