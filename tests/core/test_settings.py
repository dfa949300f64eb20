"""Whatever a role or a database is set to, a run sees and does the same, and its limits are its own."""

from __future__ import annotations

import time
from typing import Any

import psycopg
import pytest

from airflow_seqfix import core
from airflow_seqfix.core.database.server_settings import OVERRIDDEN, RESPECTED
from tests.support.faults import BEHIND, DRIVERS, connect
from tests.support.pages import ROOT
from tests.support.psql import psql, reset
from tests.support.servers import Database
from tests.support.settings_page import overridden, respected

#: What each may be set to that does the most harm. In milliseconds where it is a time.
HOSTILE = {
    "search_path": "pg_temp, nobody",
    "quote_all_identifiers": "on",
    "lock_timeout": "1h",
    "statement_timeout": "100",
    "transaction_timeout": "300",
    "idle_in_transaction_session_timeout": "100",
    "idle_session_timeout": "500",
    "application_name": "somebody",
    "synchronous_commit": "off",
    "row_security": "on",
    "jit": "on",
    "enable_indexscan": "off",
    "enable_indexonlyscan": "off",
    "enable_seqscan": "off",
    "default_transaction_isolation": "serializable",
    "default_transaction_deferrable": "on",
    "deadlock_timeout": "1",
    "client_min_messages": "debug5",
    "client_connection_check_interval": "0",
    "plan_cache_mode": "force_generic_plan",
    "work_mem": "64kB",
    "session_replication_role": "replica",
}


def test_each_setting_of_the_table_is_tried() -> None:
    named = {override.name for override in OVERRIDDEN} | set(RESPECTED)
    # Of its own test: a session that is read-only stays so.
    assert set(HOSTILE) == named - {"default_transaction_read_only"}


def test_the_page_has_the_table() -> None:
    page = (ROOT / "docs/reference/settings.md").read_text(encoding="utf-8").splitlines()
    missing = [line for line in (*overridden(), *respected()) if line not in page]
    assert not missing


def make_hostile(db: Database, setting: str) -> None:
    try:
        db.execute(f"ALTER DATABASE {db.name} SET {setting} = '{HOSTILE[setting]}'")
    except psycopg.errors.UndefinedObject:
        since = {
            "transaction_timeout": 170000,
            "idle_session_timeout": 140000,
            "client_connection_check_interval": 140000,
        }
        assert db.server.version_num < since[setting]


@pytest.mark.parametrize("setting", HOSTILE)
def test_a_hostile_setting_makes_no_difference(db: Database, setting: str) -> None:
    db.execute(BEHIND)
    make_hostile(db, setting)
    for driver in DRIVERS:
        for lock in ("none", "sequence", "guarded"):
            db.execute("SET statement_timeout = 0; INSERT INTO public.small SELECT max(id) + 50 FROM public.small")
            conn = connect(db, driver)
            report = core.fix(conn, lock=lock)
            conn.close()
            assert (report.summary["in_sync"], report.summary["failed"]) == (3, 0)
    db.execute("SET statement_timeout = 0; INSERT INTO public.small SELECT max(id) + 50 FROM public.small")
    assert reset(db.dsn).summary["repaired"] == "1"


#: Indexed by a function that sleeps whenever the table is planned for.
SLOW = """;
    CREATE FUNCTION slowly(int) RETURNS int IMMUTABLE LANGUAGE plpgsql AS
        'BEGIN PERFORM pg_sleep(0.6); RETURN 1; END';
    CREATE INDEX ON large ((slowly(1)));
"""


@pytest.mark.parametrize("lock", ["none", "sequence", "guarded"])
@pytest.mark.long
def test_a_slow_look_does_not_end_a_plan_as_sql(db: Database, lock: core.Lock) -> None:
    db.execute(BEHIND + SLOW)
    with db.connect() as conn:
        script = core.plan(conn, lock=lock).to_sql()
    make_hostile(db, "transaction_timeout")
    done = psql(db.dsn, "-f", "-", script=script)
    assert (done.returncode, done.stderr) == (0, "")
    with db.connect(options="-c transaction_timeout=0" if db.server.version_num >= 170000 else "") as conn:
        assert core.check(conn).ok


@pytest.mark.parametrize("driver", DRIVERS)
@pytest.mark.long
def test_one_slow_read_does_not_end_the_run(db: Database, driver: str) -> None:
    """Under a `transaction_timeout` that is shorter than a read, and an `idle_session_timeout` than a pause."""
    db.execute(BEHIND + SLOW)
    make_hostile(db, "transaction_timeout")
    make_hostile(db, "idle_session_timeout")
    writer = db.connect()
    writer.execute("SET idle_session_timeout = 0" if db.server.version_num >= 140000 else "SELECT 1")
    conn = connect(db, driver)
    with db.connect(options="-c transaction_timeout=0" if db.server.version_num >= 170000 else "") as busy:
        busy.execute("BEGIN; SELECT nextval('small_id_seq')")
        begun = time.monotonic()
        report = core.fix(conn, lock="sequence")
        assert time.monotonic() - begun > 2, "it paused between the attempts"
    conn.close()
    states: dict[str, Any] = {row["sequence"]: row["error"] for row in report.to_dict()["sequences"]}
    assert states.pop("public.small_id_seq")["sqlstate"] == "55P03"
    assert set(states.values()) == {None}
