"""How sequences are moved: each way, and what happens to it in the middle of other people's work."""

from __future__ import annotations

import contextlib
import os
import signal
import threading
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest

from airflow_seqfix import core
from airflow_seqfix.core.database.session import Session
from airflow_seqfix.core.database.sessions import open_sessions
from airflow_seqfix.core.model import Outcome
from airflow_seqfix.core.policy import Limits
from airflow_seqfix.core.repair.apply import ROUNDS, apply
from airflow_seqfix.core.run import Examination
from airflow_seqfix.core.settings import Settings
from tests.support.scenario import Scenario
from tests.support.servers import Database, Server, database_on
from tests.support.tables import INSERT, TABLE
from tests.support.waiting import until


@pytest.fixture
def orders(db: Database) -> Database:
    db.execute(TABLE)
    return db


@pytest.fixture
def two(newest_server: Server) -> Iterator[Database]:
    """Two tables that are behind, for what happens to one of them."""
    with database_on(newest_server) as database:
        database.execute(TABLE)
        database.execute(TABLE.replace("orders", "customers"))
        yield database


@pytest.mark.parametrize(
    ("options", "way"),
    [
        ({}, "advance"),
        ({"lock": "none"}, "advance"),
        ({"advance_up_to": 99}, "locked"),
        ({"lock": "sequence"}, "locked"),
        ({"lock": "guarded"}, "guarded"),
    ],
)
def test_each_way_leads_to_the_same_place(options: core.Options, way: str, orders: Database) -> None:
    with orders.connect() as conn:
        (row,) = core.fix(conn, **options).rows
    assert row.outcome is not None
    told = row.to_dict()
    assert (told["way"], told["verified"], told["error"]) == (way, True, None)
    assert told["proven"] is (way != "guarded")
    assert told["before"] == {"last_value": 1, "is_called": False, "next_value": 1, "gap": 100}
    assert told["after"] == {"last_value": 100, "is_called": True, "next_value": 101, "gap": 0}
    assert orders.value(INSERT) == 101


#: The shapes that a second repair has to leave alone to the last byte of the log.
SHAPES = (
    "serial",
    "identity_always",
    "identity_by_default",
    "unowned_default",
    "shared_nonowner_larger",
    "shared_unowned",
    "part_serial",
    "part_identity",
    "mixed_case",
    "quote_names",
    "other_schema",
    "is_called_false_row1",
    "empty_fresh",
    "ahead_of_data",
    "descending",
    "increment10_offgrid",
    "cache20",
)


@pytest.mark.parametrize("lock", ["auto", "sequence"])
@pytest.mark.parametrize("name", SHAPES)
def test_a_healthy_database_gets_no_sequence_record(name: str, lock: str, wheel_db: Database) -> None:
    def lsn() -> str:
        # A record with a commit behind it: what lies before it is on disk, and the range ends on a record.
        wheel_db.execute("SELECT pg_logical_emit_message(true, '', '')")
        return str(wheel_db.value("SELECT pg_current_wal_flush_lsn()"))

    scenario = Scenario.load(name)
    wheel_db.execute(scenario.sql)
    with wheel_db.connect() as conn:
        start = lsn()
        core.fix(conn, lock=lock)
        middle = lsn()
        core.fix(conn, lock=lock)
    cluster = wheel_db.server.cluster
    assert cluster is not None
    written = cluster.sequence_records(start, middle)
    assert bool(written) is bool(scenario.behind), "what the repair writes is in the log, or this test sees nothing"
    assert cluster.sequence_records(middle, lsn()) == []


def test_values_that_other_sessions_have_cached(orders: Database) -> None:
    orders.execute("ALTER SEQUENCE orders_id_seq CACHE 20; TRUNCATE orders")

    def drift(session: psycopg.Connection) -> None:
        session.execute("TRUNCATE orders; ALTER SEQUENCE orders_id_seq RESTART")
        assert session.execute(INSERT).fetchone() == (1,)
        session.execute("INSERT INTO orders (id) SELECT generate_series(2, 100)")

    with orders.connect() as session, orders.connect() as repairer:
        drift(session)
        repairer.execute("SELECT setval('orders_id_seq', 100)")
        with pytest.raises(psycopg.errors.UniqueViolation):
            session.execute(INSERT)

    with orders.connect() as session, orders.connect() as repairer:
        drift(session)
        (row,) = core.fix(repairer).rows
        assert row.to_dict()["way"] == "locked"
        assert session.execute(INSERT).fetchone() == (101,)

    with orders.connect() as session, orders.connect() as repairer:
        drift(session)
        (row,) = core.fix(repairer, lock="none").rows
        assert row.to_dict()["warnings"] == ["cached"]
        with pytest.raises(psycopg.errors.UniqueViolation):
            session.execute(INSERT)


@pytest.mark.parametrize("lock", ["none", "sequence", "guarded"])
def test_a_sequence_that_has_moved_on_stays_where_it_is(lock: str, two: Database) -> None:
    with two.connect() as conn, two.connect() as other:
        findings = checked(conn, lock)
        other.execute("SELECT setval('orders_id_seq', 5000)")
        outcomes = applied(conn, findings)
    assert [outcome.verified for outcome in outcomes] == [True, True]
    # nextval() steps on by one before it sees where it is.
    assert two.state("orders_id_seq")[0] in ((5000, 5001, 5100) if lock == "none" else (5000,))
    assert two.state("customers_id_seq")[:2] == (100, True)


@pytest.mark.parametrize("lock", ["none", "sequence", "guarded"])
@pytest.mark.parametrize("happening", ["DROP TABLE orders", "ALTER SEQUENCE orders_id_seq CYCLE"])
def test_one_that_has_changed_is_left_and_the_other_is_done(happening: str, lock: core.Lock, two: Database) -> None:
    with two.connect() as conn, two.connect() as other:
        findings = checked(conn, lock)
        other.execute(happening)
        by_name = {o.before.sequence.sequence_name: o for o in applied(conn, findings)}
    assert by_name["customers_id_seq"].verified
    changed = by_name["orders_id_seq"]
    assert changed.error is not None
    assert changed.error.sqlstate in ("42P01", "55000")
    assert not changed.verified
    if "DROP" not in happening:
        assert two.state("orders_id_seq")[:2] == (1, False)


@pytest.mark.parametrize("lock", ["none", "sequence", "guarded"])
def test_one_that_has_changed_and_is_still_behind_is_measured_again(lock: core.Lock, two: Database) -> None:
    with two.connect() as conn, two.connect() as other:
        findings = checked(conn, lock)
        other.execute("ALTER SEQUENCE orders_id_seq INCREMENT 7")
        assert all(outcome.verified for outcome in applied(conn, findings))
    assert two.state("orders_id_seq")[:2] == (106, True), "the first of its own steps from 1 on that is past 100 - 7"


def test_several_that_have_changed_are_each_told_of(two: Database) -> None:
    with two.connect() as conn, two.connect() as other:
        findings = checked(conn, "none")
        other.execute("ALTER SEQUENCE orders_id_seq INCREMENT 7; ALTER SEQUENCE customers_id_seq CYCLE")
        errors = [outcome.error for outcome in applied(conn, findings, rounds=1)]
    assert [(error.reason, error.sqlstate) for error in errors if error] == [
        (f"public.{name}_id_seq or what it feeds has changed since it was read, and it was not moved", "55000")
        for name in ("customers", "orders")
    ]


def test_what_cannot_be_moved_is_looked_at_for_its_first_collision(two: Database) -> None:
    role = two.role()
    two.execute(f"""
        DELETE FROM orders WHERE id < 8;
        GRANT SELECT ON ALL TABLES IN SCHEMA public TO {role};
        GRANT SELECT ON ALL SEQUENCES IN SCHEMA public TO {role};
        GRANT USAGE ON SEQUENCE customers_id_seq TO {role};
    """)
    with two.connect() as conn:
        conn.autocommit = True
        conn.execute(f"SET ROLE {role}")
        customers, orders = (row.to_dict() for row in core.fix(conn).rows)
    assert (customers["verdict"], customers["inserts_until_collision"]) == ("in_sync", None)
    assert (orders["verdict"], orders["inserts_until_collision"]) == ("behind", 7)
    assert orders["error"]["cure"] == f"GRANT USAGE ON SEQUENCE public.orders_id_seq TO {role};"


def test_an_owner_that_has_changed_while_the_lock_was_waited_for(two: Database) -> None:
    role = two.role()
    with two.connect() as other, two.connect() as conn, two.connect() as watcher:
        other.execute(f"BEGIN; ALTER TABLE orders OWNER TO {role}")
        result: list[core.Report] = []
        thread = threading.Thread(
            target=lambda: result.append(core.fix(conn, lock="sequence", sequences=["orders_id_seq"], lock_timeout=1))
        )
        # It reads the table only once that lock is gone, so it measures the sequence alone here.
        thread.start()
        waiting = "SELECT FROM pg_locks WHERE NOT granted"
        until(lambda: watcher.execute(waiting).fetchall() or not thread.is_alive(), "somebody who waits for the lock")
        other.execute("COMMIT")
        thread.join()
    owner = two.value("SELECT pg_get_userbyid(relowner) FROM pg_class WHERE relname = 'orders_id_seq'")
    assert owner == role
    two.execute(f"REASSIGN OWNED BY {role} TO postgres")


@pytest.mark.long
def test_a_busy_sequence_is_asked_for_a_few_times_and_then_reported(two: Database) -> None:
    with two.connect() as writer, two.connect() as conn:
        writer.execute("BEGIN; SELECT nextval('orders_id_seq')")
        report = core.fix(conn, lock="sequence")
        writer.execute("ROLLBACK")
    rows = {row.finding.sequence.sequence_name: row.to_dict() for row in report.rows}
    assert rows["customers_id_seq"]["verified"]
    assert rows["orders_id_seq"]["error"] == {
        "sqlstate": "55P03",
        "reason": "transactions that use public.orders_id_seq did not end within lock_timeout (0.1 s)",
        "cure": 'run again later, or lock="none", which waits for nobody',
    }
    assert report.summary["failed"] == 1
    assert report.failing


@pytest.mark.parametrize("driver", ["psycopg", "psycopg2"])
def test_a_lock_is_free_again_before_the_client_goes_on(
    driver: str, two: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    send, statements, held = Session._sent, 0, []
    conn = two.psycopg2() if driver == "psycopg2" else two.connect()
    with contextlib.closing(conn), two.connect() as watcher:

        @contextlib.contextmanager
        def watched(session: Session, statement: str, *, count: int = 1) -> Iterator[Any]:
            nonlocal statements
            with send(session, statement, count=count) as cursor:
                statements += "OWNER TO" in statement
                held.extend(
                    watcher.execute(
                        "SELECT l.relation::regclass FROM pg_locks l JOIN pg_sequence q ON q.seqrelid = l.relation"
                        " WHERE l.mode = 'AccessExclusiveLock'"
                    ).fetchall()
                )
                yield cursor

        monkeypatch.setattr(Session, "_sent", watched)
        assert core.fix(conn, lock="sequence").summary["fixed"] == 2
    assert statements == 1, "both were sent at once, and this is the one to look after"
    assert held == []


@pytest.mark.long
def test_run_timeout_ends_the_run_and_loses_nothing(two: Database) -> None:
    two.execute("INSERT INTO orders (id) VALUES (90000000)")
    with two.connect() as conn:
        report = core.fix(conn, lock="none", tables=["orders"], run_timeout=3, max_jump=10**9)
    (row,) = report.rows
    told = row.to_dict()
    assert told["verdict"] in ("behind", "unknown")
    assert told["error"]["cure"] == "a larger run_timeout"
    advanced = two.state("orders_id_seq")[0]
    assert 1 < advanced < 90_000_000
    with two.connect() as conn:
        assert core.fix(conn, lock="sequence", max_jump=10**9).summary["fixed"] == 2
    assert two.value(INSERT) == 90_000_001


@pytest.mark.long
def test_a_far_goal_leaves_the_others_time_to_be_verified(two: Database) -> None:
    two.execute("INSERT INTO customers (id) VALUES (90000000)")
    with two.connect() as conn:
        report = core.fix(conn, lock="none", run_timeout=3, max_jump=10**9)
    rows = {row.sequence: row for row in report.rows}
    assert rows["public.orders_id_seq"].is_fixed
    assert rows["public.customers_id_seq"].to_dict()["error"]["cure"] == "a larger run_timeout"


def test_rows_that_arrive_meanwhile_are_followed(two: Database) -> None:
    with two.connect() as conn, two.connect() as loader:
        findings = checked(conn, "sequence")
        loader.execute("INSERT INTO orders (id) SELECT generate_series(101, 200)")
        outcomes = applied(conn, findings)
    assert all(outcome.verified for outcome in outcomes)
    assert two.value(INSERT) == 201


def test_ctrl_c_leaves_no_statement_and_no_transaction(two: Database) -> None:
    class Interrupted(BaseException):
        """As Airflow's timeout, no Exception."""

    with two.connect() as conn, two.connect() as watcher:
        pid = conn.info.backend_pid
        with pytest.raises(Interrupted), open_sessions(conn, Limits()) as sessions, sessions.session.transaction():
            sessions.session.run("SELECT 1")
            raise Interrupted
        assert watcher.execute("SELECT state FROM pg_stat_activity WHERE pid = %s", [pid]).fetchone() == ("idle",)
        assert conn.execute("SELECT 1").fetchone() == (1,)


@pytest.mark.parametrize("driver", ["psycopg", "psycopg2"])
@pytest.mark.parametrize("interrupt", [BaseException, TimeoutError])
def test_an_interrupted_statement_is_stopped_and_the_connection_is_good(
    driver: str, interrupt: type[BaseException], two: Database
) -> None:
    def raise_it(*_: object) -> None:
        raise interrupt("as a time limit does from its signal handler")

    conn = two.psycopg2() if driver == "psycopg2" else two.connect()
    # psycopg2 notices a signal when its statement is over.
    seconds = 2 if driver == "psycopg2" else 60
    before = signal.signal(signal.SIGUSR1, raise_it)
    with contextlib.closing(conn), two.connect() as watcher:
        pid = conn.info.backend_pid
        timer = threading.Timer(0.5, lambda: os.kill(os.getpid(), signal.SIGUSR1))
        timer.start()
        try:
            with (
                pytest.raises(interrupt, match="time limit"),
                open_sessions(conn, Limits()) as sessions,
                sessions.session.transaction(),
            ):
                sessions.session.run(f"SELECT pg_sleep({seconds})")
        finally:
            timer.join()
            signal.signal(signal.SIGUSR1, before)
        assert watcher.execute("SELECT state FROM pg_stat_activity WHERE pid = %s", [pid]).fetchone() == ("idle",)
        assert core.fix(conn).summary["fixed"] == 2


def checked(conn: psycopg.Connection, lock: core.Lock) -> list[Outcome]:
    """Return findings that will be out of date by the time they are applied."""
    plan = core.plan(conn, lock=lock)
    return [Outcome(before=row.finding, after=row.finding) for row in plan.report.rows]


def applied(conn: psycopg.Connection, due: list[Outcome], *, rounds: int = ROUNDS) -> list[Outcome]:
    with open_sessions(conn, Limits()) as sessions:
        return apply(sessions, due, Examination(sessions, Settings.parse({})).check_again, rounds=rounds)


@pytest.mark.parametrize("lock", ["none", "sequence", "guarded"])
def test_two_repairs_at_once_do_not_hurt_each_other(lock: str, two: Database) -> None:
    for number in range(30):
        two.execute(TABLE.replace("orders", f"t{number}"))
    reports: list[core.Report] = []
    connections = [two.connect() for _ in range(3)]
    threads = [
        threading.Thread(target=lambda conn=conn: reports.append(core.fix(conn, lock=lock, lock_timeout=1)))
        for conn in connections
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(reports) == 3
    assert [report.failing for report in reports] == [(), (), ()]
    for number in range(30):
        last_value, is_called, _ = two.state(f"t{number}_id_seq")
        # Each repair that advances takes at most the gap that it saw.
        assert is_called
        assert 100 <= last_value <= (300 if lock == "none" else 100)
    for conn in connections:
        conn.close()
