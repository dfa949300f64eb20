"""Reading sequences while others rewrite them."""

from __future__ import annotations

import threading

import pytest

from airflow_seqfix import core
from airflow_seqfix.core.obstacles import restless
from tests.support.servers import Database

pytestmark = pytest.mark.long


def test_a_sequence_that_is_restarted_all_the_time_is_no_error(newest_db: Database) -> None:
    newest_db.execute("CREATE TABLE t (id bigserial PRIMARY KEY); INSERT INTO t DEFAULT VALUES")
    stop, restarts = threading.Event(), 0

    def restart() -> None:
        nonlocal restarts
        with newest_db.connect() as conn:
            while not stop.is_set():
                restarts += 1
                conn.execute(f"ALTER SEQUENCE t_id_seq RESTART WITH {restarts + 1}")

    thread = threading.Thread(target=restart)
    thread.start()
    try:
        with newest_db.connect() as conn:
            rows = []
            while len(rows) < 40 or restarts < 400:
                rows.append(core.check(conn).rows[0])
            stop.set()
            thread.join()
            after = core.check(conn).rows[0]
    finally:
        stop.set()
        thread.join()
    said = {(str(row.verdict), row.finding.reason) for row in rows}
    # An ALTER that only restarts it looks in the catalogs like any other.
    assert said <= {("in_sync", None), ("unknown", restless().reason)}
    assert (str(after.verdict), after.finding.reason) == ("in_sync", None)
