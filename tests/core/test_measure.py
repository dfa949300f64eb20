"""Reading many sequences: few statements, few locks, no waiting, no false alarm, and no failure that spreads."""

from __future__ import annotations

import contextlib
import itertools
import math
import os
import signal
import threading
import time
import tracemalloc
from collections.abc import Iterator
from typing import Any

import pytest

from airflow_seqfix import core
from airflow_seqfix.core.database.sessions import open_sessions
from airflow_seqfix.core.discover.catalog import discover, identify
from airflow_seqfix.core.measure.measure import measure
from airflow_seqfix.core.measure.partitions import COLUMNS_AT_ONCE, RELATIONS_AT_ONCE
from airflow_seqfix.core.measure.patience import Patience
from airflow_seqfix.core.policy import Limits
from airflow_seqfix.core.repair.apply import MOVES_AT_ONCE
from tests.support.servers import LOCKS_BY_DEFAULT, Database
from tests.support.tables import make_tables
from tests.support.waiting import until
from tests.support.watched import Watched, reads_a_table


def rows_of(report: core.Report) -> dict[str, dict[str, Any]]:
    return {row["sequence"]: row for row in report.to_dict()["sequences"]}


def watched_check(db: Database, **options: Any) -> tuple[Watched, dict[str, dict[str, Any]]]:
    watched = Watched(db.psycopg2())
    rows = rows_of(core.check(watched, **options))
    watched.close()
    return watched, rows


@pytest.mark.long
def test_statements_grow_with_chunks_of_sequences_only(db: Database) -> None:
    counts = {}
    for count in (1, COLUMNS_AT_ONCE, 4 * COLUMNS_AT_ONCE):
        db.execute("DROP SCHEMA public CASCADE; CREATE SCHEMA public")
        make_tables(db, count)
        healthy, _ = watched_check(db)
        db.execute("".join(f"INSERT INTO t{i} VALUES (1);" for i in range(count)))
        behind, rows = watched_check(db)
        assert [row["verdict"] for row in rows.values()] == ["behind"] * count
        chunks = math.ceil(count / COLUMNS_AT_ONCE)
        assert (len(healthy.reads), len(behind.reads)) == (chunks, 2 * chunks)
        # Each statement has a transaction of its own, and so gives its locks back.
        counts[count] = len(behind.statements) - 2 * 2 * chunks
    assert len(set(counts.values())) == 1, counts
    assert counts[1] <= 14


def test_a_statement_opens_a_bounded_number_of_relations(db: Database) -> None:
    make_tables(db, 50, rows=1, indexes=12)
    watched, rows = watched_check(db)
    assert [row["verdict"] for row in rows.values()] == ["behind"] * 50
    # A table, its 13 indexes and the sequence: 26 of them at a time, for the state and for the probe.
    assert len(watched.reads) == 4
    assert RELATIONS_AT_ONCE / 2 < max(watched.locked) <= RELATIONS_AT_ONCE
    assert watched.locked[-1] == 0


def test_the_catalog_is_read_without_locks_on_anything_of_the_users(db: Database) -> None:
    make_tables(db, 5)
    watched = Watched(db.psycopg2())
    with open_sessions(watched, Limits()) as sessions:
        assert len(discover(sessions.session)) == 5
    assert set(watched.locked) == {0}
    watched.close()


@contextlib.contextmanager
def held(db: Database, statement: str) -> Iterator[None]:
    """Hold a lock in another session."""
    with db.connect() as holder, holder.transaction():
        holder.execute(statement)
        yield


@pytest.mark.parametrize(
    "statement",
    ["LOCK TABLE t1 IN ACCESS EXCLUSIVE MODE", "ALTER SEQUENCE t1_id_seq OWNER TO postgres", "DROP TABLE t1"],
)
def test_a_locked_table_or_sequence_costs_only_itself(db: Database, statement: str) -> None:
    make_tables(db, 8, rows=3)
    with held(db, statement):
        start = time.monotonic()
        _, rows = watched_check(db)
        took = time.monotonic() - start
    locked = rows.pop("public.t1_id_seq")
    assert (locked["verdict"], locked["reason"]) == ("unknown", "another session holds a lock that keeps readers out")
    assert (
        locked["cure"] == "run again when it is done; pg_blocking_pids(), pg_locks and pg_prepared_xacts show who it is"
    )
    assert [row["verdict"] for row in rows.values()] == ["behind"] * 7
    # A tenth of a second for each halving, and not the 60 s of statement_timeout.
    assert took < 5


def test_locked_tables_are_not_waited_for_one_by_one(newest_db: Database) -> None:
    """Each wait ends a transaction, as each read does: there are fewer of both than locked tables."""
    newest_db.execute("""
        DO $$ BEGIN
            FOR i IN 1 .. 45 LOOP EXECUTE format('CREATE TABLE t%s (id serial PRIMARY KEY)', i); END LOOP;
        END $$;
        CREATE TABLE p (id serial) PARTITION BY RANGE (id);
        CREATE TABLE p1 PARTITION OF p DEFAULT;
        INSERT INTO t1 VALUES (7)
    """)

    def rolled_back() -> int:
        return newest_db.value("SELECT xact_rollback FROM pg_stat_database WHERE datname = current_database()")

    with newest_db.connect() as busy:
        busy.execute("BEGIN; LOCK TABLE p1; LOCK TABLE " + ", ".join(f"t{n}" for n in range(2, 46)))
        before = rolled_back()
        with newest_db.connect() as conn:
            report = core.check(conn)
            left = f"SELECT count(*) FROM pg_stat_activity WHERE pid = {conn.info.backend_pid}"
        until(lambda: newest_db.value(left) == 0, "the session has told what it has done")
        ended = rolled_back() - before
        busy.execute("ROLLBACK")
    assert {row.sequence for row in report.rows if str(row.verdict) == "behind"} == {"public.t1_id_seq"}
    assert {row.reason for row in report.rows if str(row.verdict) == "unknown"} == {
        "another session holds a lock that keeps readers out"
    }
    assert report.summary["unknown"] == 45
    assert ended < 20


def test_a_repair_goes_round_what_is_locked(db: Database) -> None:
    make_tables(db, 8, rows=3)
    with held(db, "LOCK TABLE t1 IN ACCESS EXCLUSIVE MODE"), db.connect() as conn:
        report = core.fix(conn)
    assert report.summary["verified"] == 7
    assert [row.finding.sequence.qualified_name for row in report.failing] == ["public.t1_id_seq"]
    assert db.state("t1_id_seq")[:2] == (1, False)


def test_discovery_waits_for_no_lock(db: Database) -> None:
    """Every kind of expression that discovery takes apart, and all relations locked: it would fail, were it to wait."""
    db.execute("""
        CREATE SEQUENCE s;
        CREATE DOMAIN numbered AS int DEFAULT nextval('s');
        CREATE FUNCTION next_s() RETURNS bigint LANGUAGE sql AS $$ SELECT nextval('s') $$;
        CREATE TABLE defaults (
            a serial, b int GENERATED ALWAYS AS IDENTITY, c numbered, d int DEFAULT nextval('s'::text),
            e text DEFAULT 'x' || nextval('s'), f bigint DEFAULT next_s(), g int GENERATED ALWAYS AS (1) STORED
        );
        CREATE TABLE parted (id serial, k int) PARTITION BY LIST (k);
        CREATE TABLE part PARTITION OF parted FOR VALUES IN (1);
        CREATE VIEW v AS SELECT * FROM defaults;
        ALTER VIEW v ALTER a SET DEFAULT nextval('s')
    """)
    with db.connect() as conn, open_sessions(conn, Limits()) as sessions:
        expected = discover(sessions.session)
    assert len(expected) == 4
    with (
        held(
            db,
            "LOCK TABLE defaults, parted, part, v IN ACCESS EXCLUSIVE MODE;"
            + "".join(f"ALTER SEQUENCE {sequence.qualified_name} OWNER TO postgres;" for sequence in expected),
        ),
        db.connect() as conn,
        open_sessions(conn, Limits(lock_timeout=0.01)) as sessions,
    ):
        assert discover(sessions.session) == expected


@pytest.mark.parametrize("analysed", [False, True])
@pytest.mark.long
def test_a_slow_column_costs_only_itself(newest_db: Database, analysed: bool) -> None:
    """Each read of it takes longer than statement_timeout: the server's process is stopped in its midst."""
    db = newest_db
    db.execute(f"ALTER DATABASE {db.name} SET max_parallel_workers_per_gather = 0")
    make_tables(db, 8, rows=3)
    db.execute("""
        CREATE SEQUENCE slow_id_seq;
        CREATE UNLOGGED TABLE slow (id numeric DEFAULT nextval('slow_id_seq'));
        ALTER TABLE slow SET (autovacuum_enabled = off);
        INSERT INTO slow SELECT generate_series(1, 4000000);
        CREATE TABLE quick (id serial)
    """)
    if analysed:
        db.execute("ANALYZE slow")
    watched = Watched(db.psycopg2())
    pid, timers = watched.info.backend_pid, []

    def stop() -> None:
        os.kill(pid, signal.SIGSTOP)
        time.sleep(2.5)
        os.kill(pid, signal.SIGCONT)

    def delay(statement: str) -> None:
        if "public.slow AS t" in statement:
            timers.append(threading.Timer(0.05, stop))
            timers[-1].start()

    watched.before = delay
    rows = rows_of(core.check(watched, statement_timeout=2))
    watched.close()
    for timer in timers:
        timer.join()
    slow = rows.pop("public.slow_id_seq")
    assert slow["verdict"] == "unknown"
    assert slow["reason"].startswith(
        "reading public.slow.id took longer than statement_timeout (2 s): no index leads with it"
    )
    assert ("about 4,000" in slow["reason"].replace("3,99", "4,00")) is analysed
    assert slow["cure"] == "CREATE INDEX CONCURRENTLY ON public.slow (id); -- or a larger statement_timeout"
    assert rows.pop("public.quick_id_seq")["verdict"] == "in_sync"
    assert [row["verdict"] for row in rows.values()] == ["behind"] * 8
    # It is waited for once where the planner knows how large it is, else once more: in the statement that it spoils.
    reads = [statement for statement in watched.reads if "public.slow AS t" in statement]
    assert len(reads) == (1 if analysed else 2)

    db.execute(slow["cure"].split(";")[0])
    _, rows = watched_check(db)
    assert (rows["public.slow_id_seq"]["verdict"], rows["public.slow_id_seq"]["furthest_value"]) == ("behind", 4000000)


def check_with(db: Database, statement: str, role: str = "postgres") -> dict[str, dict[str, Any]]:
    """Check, and run a statement in another session right before the first read."""
    watched = Watched(db.psycopg2(user=role))
    todo = [statement]

    def interfere(sent: str) -> None:
        if reads_a_table(sent) and todo:
            db.execute(todo.pop())

    watched.before = interfere
    rows = rows_of(core.check(watched))
    watched.close()
    assert not todo
    return rows


@pytest.mark.parametrize(
    ("statement", "verdict"),
    [
        ("DROP TABLE t1", None),
        ("ALTER TABLE t1 RENAME TO elsewhere", "behind"),
        ("ALTER TABLE t1 RENAME id TO other", "behind"),
        ("ALTER TABLE t1 DROP id", None),
    ],
)
def test_what_changes_meanwhile_is_looked_at_again(db: Database, statement: str, verdict: str | None) -> None:
    make_tables(db, 8, rows=3)
    rows = check_with(db, statement)
    changed = rows.pop("public.t1_id_seq", {"verdict": None})
    assert changed["verdict"] == verdict
    assert [row["verdict"] for row in rows.values()] == ["behind"] * 7


@pytest.mark.parametrize("alone", [True, False])
def test_a_grant_that_goes_meanwhile_costs_only_itself(db: Database, alone: bool) -> None:
    make_tables(db, 1 if alone else 8, rows=3)
    role = db.role()
    db.execute(f"GRANT SELECT ON ALL TABLES IN SCHEMA public TO {role}")
    db.execute(f"GRANT SELECT ON ALL SEQUENCES IN SCHEMA public TO {role}")
    db.execute(f"REVOKE CREATE ON SCHEMA public FROM PUBLIC; GRANT USAGE ON SCHEMA public TO {role}")
    rows = check_with(db, f"REVOKE SELECT ON t0_id_seq FROM {role}", role)
    revoked = rows.pop("public.t0_id_seq")
    assert (revoked["verdict"], revoked["reason"]) == ("unknown", f"role {role} may not read sequence public.t0_id_seq")
    assert revoked["cure"] == f"GRANT SELECT ON SEQUENCE public.t0_id_seq TO {role};"
    assert [row["verdict"] for row in rows.values()] == ["behind"] * len(rows)


def test_the_first_collision_is_no_guess_where_another_column_was_not_looked_through(db: Database) -> None:
    """A thousand values beside the sequence's steps hide whether a collision comes before the one that is seen."""
    db.execute("""
        CREATE SEQUENCE odd INCREMENT 2;
        CREATE TABLE many (id int PRIMARY KEY DEFAULT nextval('odd'));
        CREATE TABLE few (id int PRIMARY KEY DEFAULT nextval('odd'));
        INSERT INTO many SELECT 2 * n FROM generate_series(1, 1000) AS n;
        INSERT INTO few VALUES (4001)
    """)
    _, rows = watched_check(db)
    row = rows["public.odd"]
    assert (row["inserts_until_collision"], row["inserts_until_collision_is_at_least"]) == (1000, True)
    db.execute("DELETE FROM many WHERE id = 2")
    _, rows = watched_check(db)
    row = rows["public.odd"]
    assert (row["inserts_until_collision"], row["inserts_until_collision_is_at_least"]) == (2000, False)


@pytest.mark.parametrize("tables", [1, 3])
def test_default_inserts_make_no_false_alarm(db: Database, tables: int) -> None:
    """Alone, and together with others: they are read in two ways from 18 on."""
    make_tables(db, tables)
    stop = threading.Event()
    inserted = []

    def insert() -> None:
        with db.connect() as conn:
            while not stop.is_set():
                conn.execute("INSERT INTO t0 DEFAULT VALUES")
                inserted.append(1)

    writers = [threading.Thread(target=insert) for _ in range(2)]
    for writer in writers:
        writer.start()
    try:
        with db.connect() as conn, open_sessions(conn, Limits()) as sessions:
            server, sequences = identify(sessions.session), discover(sessions.session)
            for _ in range(300):
                for measurement in itertools.chain(*measure(sessions, server, sequences, patience=Patience(Limits()))):
                    assert measurement.obstacle is None
                    assert not measurement.is_reached, measurement
    finally:
        stop.set()
        for writer in writers:
            writer.join()
    assert len(inserted) > 100, "there was traffic"


@pytest.mark.parametrize("increment", [10, -10])
def test_default_inserts_behind_the_values_of_other_writers_make_no_false_alarm(db: Database, increment: int) -> None:
    make_tables(db, 2)
    bounds = "MINVALUE -1000 MAXVALUE 1000"
    db.execute(f"ALTER SEQUENCE t0_id_seq INCREMENT {increment} {bounds} RESTART 2")
    db.execute(f"INSERT INTO t0 VALUES ({50 * increment + 1}); INSERT INTO t0 DEFAULT VALUES")
    watched = Watched(db.psycopg2())

    def insert(statement: str) -> None:
        if len(watched.reads) == 1:
            db.execute("INSERT INTO t0 DEFAULT VALUES")

    watched.after = insert
    report = core.check(watched, interleaved=True)
    watched.close()
    assert db.value("SELECT count(*) FROM t0") > 2, "there was traffic"
    assert report.summary["in_sync"] == 2, report.to_dict()


@pytest.mark.long
def test_twenty_thousand_sequences(newest_db: Database) -> None:
    """At the server's own max_locks_per_transaction. One statement over all of them would end in `out of memory`."""
    db = newest_db
    assert db.value(LOCKS_BY_DEFAULT), "what servers have unless somebody changed it"
    make_tables(db, 20000)
    db.execute("INSERT INTO t77 VALUES (5); INSERT INTO t19999 VALUES (7)")
    watched, rows = watched_check(db)
    assert len(rows) == 20000
    assert {name for name, row in rows.items() if row["verdict"] != "in_sync"} == {
        "public.t77_id_seq",
        "public.t19999_id_seq",
    }
    assert max(watched.locked) <= RELATIONS_AT_ONCE
    assert len(watched.reads) == 20000 / COLUMNS_AT_ONCE + 1


@pytest.mark.long
def test_round_trips_grow_with_chunks_of_sequences_only(newest_db: Database) -> None:
    """What is sent at once counts as one: a network makes each of them slow."""
    db, count = newest_db, 4 * COLUMNS_AT_ONCE
    make_tables(db, count, rows=10)
    watched = Watched(db.psycopg2())
    assert core.fix(watched).summary["fixed"] == count
    moves = [statement for statement in watched.statements if "called (value" in statement]
    assert len(moves) == math.ceil(count / MOVES_AT_ONCE)
    # A look at the values and a commit for each chunk, before and after.
    assert len(watched.statements) - len(moves) <= 2 * 2 * 4 + 16
    assert len(watched.reads) == 2 * 4
    assert max(watched.locked) <= RELATIONS_AT_ONCE
    watched.close()


@pytest.mark.long
def test_memory_grows_by_a_few_kilobytes_a_sequence(newest_db: Database) -> None:
    db = newest_db
    held = {}
    for count in (200, 1200):
        db.execute("DROP SCHEMA public CASCADE; CREATE SCHEMA public")
        make_tables(db, count)
        with db.connect() as conn:
            core.check(conn)
            tracemalloc.start()
            report = core.check(conn)
            held[count] = tracemalloc.get_traced_memory()[0]
            tracemalloc.stop()
        assert report.summary["in_sync"] == count
    # Less than 200 MB at 100,000 sequences leaves 2,000 bytes for each, names and report included.
    assert (held[1200] - held[200]) / 1000 < 2_000
