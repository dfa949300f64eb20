"""What others do to tables while they are read: no verdict rests on what they no longer are, or were never."""

from __future__ import annotations

import threading

import pytest

from airflow_seqfix import core
from airflow_seqfix.core.measure import partitions
from tests.support.psql import reset, reset_script
from tests.support.servers import Database
from tests.support.tables import TABLE
from tests.support.waiting import until
from tests.support.watched import Watched, reads_a_table

LOCK_AWAITED = "SELECT FROM pg_locks WHERE locktype = 'relation' AND NOT granted"


def checked(db: Database, face: str) -> dict[str, str]:
    """Return the verdicts by sequence; a lock is waited for as long as a busy machine needs."""
    if face == "script":
        patient = reset_script().replace("SET LOCAL lock_timeout = 100", "SET LOCAL lock_timeout = 20000")
        rows = reset(db.dsn, script=patient, mode="check", all="on").rows
        return {name: row["verdict"] for name, row in rows.items()}
    with db.connect() as conn:
        report = core.check(conn, lock_timeout=0.99)
    return {row.finding.sequence.qualified_name: str(row.verdict) for row in report.rows}


LOADS = {
    "truncate": "TRUNCATE orders; INSERT INTO orders SELECT generate_series(1, 1000)",
    "rewrite": "ALTER TABLE orders ALTER id TYPE bigint; INSERT INTO orders VALUES (1000)",
}


@pytest.mark.parametrize("shape", ["one statement", "slices"])
@pytest.mark.parametrize("load", LOADS)
@pytest.mark.parametrize("face", ["library", "script"])
def test_a_load_that_ends_while_its_table_is_waited_for(
    face: str, load: str, shape: str, db: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    if shape == "slices":
        monkeypatch.setattr(partitions, "RELATIONS_AT_ONCE", 1)
    db.execute(TABLE + "SELECT setval('orders_id_seq', 100)")
    verdicts: list[dict[str, str]] = []
    with db.connect() as loader, db.connect() as watcher:
        loader.execute(f"BEGIN; {LOADS[load]}")
        thread = threading.Thread(target=lambda: verdicts.append(checked(db, face)))
        thread.start()
        until(lambda: watcher.execute(LOCK_AWAITED).fetchall() or not thread.is_alive(), "somebody who waits")
        loader.execute("COMMIT")
        thread.join()
    assert verdicts == [{"public.orders_id_seq": "behind"}]


#: What is done to two tables, one in sync and one not, between discovery and reading; and how they stand then.
CHANGES = {
    "tables swapped": (
        "ALTER TABLE a RENAME TO x; ALTER TABLE b RENAME TO a; ALTER TABLE x RENAME TO b",
        {"a_id_seq": "in_sync", "b_id_seq": "behind"},
    ),
    "schemas swapped": (
        """
        CREATE SCHEMA n; CREATE TABLE n.a (id int); INSERT INTO n.a VALUES (700); CREATE TABLE n.b (id int);
        CREATE SEQUENCE n.a_id_seq; CREATE SEQUENCE n.b_id_seq;
        ALTER SCHEMA public RENAME TO old; ALTER SCHEMA n RENAME TO public
        """,
        {"a_id_seq": "skipped", "b_id_seq": "skipped", "old.a_id_seq": "in_sync", "old.b_id_seq": "behind"},
    ),
    "columns swapped": (
        """
        ALTER TABLE a ADD other int; UPDATE a SET other = 9000;
        ALTER TABLE a RENAME id TO x;
        ALTER TABLE a RENAME other TO id; ALTER TABLE a RENAME x TO other
        """,
        {"a_id_seq": "in_sync", "b_id_seq": "behind"},
    ),
    "a wider type": (
        """
        ALTER TABLE a ALTER id TYPE bigint; ALTER SEQUENCE a_id_seq AS bigint NO MAXVALUE;
        INSERT INTO a VALUES (3000000000)
        """,
        {"a_id_seq": "behind", "b_id_seq": "behind"},
    ),
    "a larger MAXVALUE": (
        "ALTER SEQUENCE a_id_seq MAXVALUE 9000; INSERT INTO a VALUES (5000)",
        {"a_id_seq": "behind", "b_id_seq": "behind"},
    ),
    "the other direction": (
        "ALTER SEQUENCE b_id_seq INCREMENT -1 MINVALUE -100",
        {"a_id_seq": "in_sync", "b_id_seq": "behind"},
    ),
    "a default of another sequence": (
        "ALTER TABLE b ALTER id SET DEFAULT nextval('a_id_seq')",
        {"a_id_seq": "behind", "b_id_seq": "skipped"},
    ),
    "one more table that draws": (
        "CREATE TABLE c (id int DEFAULT nextval('a_id_seq')); INSERT INTO c VALUES (500)",
        {"a_id_seq": "behind", "b_id_seq": "behind"},
    ),
    "made anew": (
        "DROP TABLE a; CREATE TABLE a (id serial PRIMARY KEY); INSERT INTO a VALUES (5)",
        {"a_id_seq": "behind", "b_id_seq": "behind"},
    ),
    "a truncate": ("TRUNCATE b", {"a_id_seq": "in_sync", "b_id_seq": "in_sync"}),
    "cycle": ("ALTER SEQUENCE b_id_seq CYCLE", {"a_id_seq": "in_sync", "b_id_seq": "skipped"}),
}
TWO = """
    CREATE TABLE a (id serial PRIMARY KEY); INSERT INTO a SELECT generate_series(1, 100);
    ALTER SEQUENCE a_id_seq MAXVALUE 4000; SELECT setval('a_id_seq', 100);
    CREATE TABLE b (id serial PRIMARY KEY); INSERT INTO b SELECT generate_series(1, 900); SELECT setval('b_id_seq', 50);
"""


def qualified(verdicts: dict[str, str]) -> dict[str, str]:
    return {name if "." in name else f"public.{name}": verdict for name, verdict in verdicts.items()}


def test_transactions_as_far_apart_as_the_oids_of_swapped_tables(newest_db: Database) -> None:
    db = newest_db
    with db.connect() as conn:
        for _ in range(100):
            conn.execute("DROP TABLE IF EXISTS a, b; " + TWO)
            made = "SELECT xmin::text::bigint, oid::bigint FROM pg_class WHERE relname IN ('a', 'b') ORDER BY relname"
            (made_in, a), (_, b) = conn.execute(made).fetchall()
            wanted = made_in ^ a ^ b
            if made_in < wanted < made_in + 1_000:
                break
        else:
            pytest.fail("no such transaction")
        while conn.execute("SELECT txid_current()").fetchone() < (wanted - 1,):
            pass
    watched = Watched(db.psycopg2())

    def before(statement: str) -> None:
        if reads_a_table(statement):
            watched.before = lambda statement: None
            db.execute(CHANGES["tables swapped"][0])

    watched.before = before
    report = core.check(watched)
    watched.close()
    verdicts = {row.sequence: str(row.verdict) for row in report.rows}
    assert verdicts == qualified(CHANGES["tables swapped"][1])


@pytest.mark.parametrize("change", CHANGES)
def test_what_changes_between_discovery_and_reading_is_read_again(change: str, newest_db: Database) -> None:
    db = newest_db
    db.execute(TWO)
    done, expected = CHANGES[change]
    watched = Watched(db.psycopg2())

    def before(statement: str) -> None:
        if reads_a_table(statement):
            watched.before = lambda statement: None
            db.execute(done)

    watched.before = before
    report = core.check(watched)
    watched.close()
    verdicts = {row.finding.sequence.qualified_name: str(row.verdict) for row in report.rows}
    assert verdicts == qualified(expected)


def test_what_never_stands_still_is_unknown_and_the_rest_is_said(newest_db: Database) -> None:
    db = newest_db
    db.execute(TWO)
    watched = Watched(db.psycopg2())
    watched.before = lambda statement: db.execute("TRUNCATE a") if reads_a_table(statement) else None
    report = core.check(watched)
    watched.close()
    rows = {row.finding.sequence.qualified_name: row for row in report.rows}
    assert str(rows["public.a_id_seq"].verdict) == "unknown"
    assert "it changed while it was read" in str(rows["public.a_id_seq"].reason)
    assert str(rows["public.b_id_seq"].verdict) == "behind"


def test_new_statistics_are_no_change(newest_db: Database) -> None:
    db = newest_db
    db.execute(TWO)
    watched = Watched(db.psycopg2())
    ids = iter(range(1_000, 10_000))
    load = "TRUNCATE a; INSERT INTO b VALUES ({}); ANALYZE b"
    watched.before = lambda statement: db.execute(load.format(next(ids))) if reads_a_table(statement) else None
    report = core.check(watched)
    watched.close()
    verdicts = {row.sequence: str(row.verdict) for row in report.rows}
    assert verdicts == {"public.a_id_seq": "unknown", "public.b_id_seq": "behind"}


def test_tables_that_come_and_go_elsewhere_cost_no_verdict(newest_db: Database) -> None:
    db = newest_db
    db.execute(TWO)
    watched = Watched(db.psycopg2())
    made = iter(range(10_000))
    watched.before = lambda statement: db.execute(f"CREATE TABLE other{next(made)} (n int)")
    report = core.check(watched)
    assert [str(row.verdict) for row in report.rows] == ["in_sync", "behind"]
    assert len(watched.reads) == 2, "once, with a look for what the data have reached"
    watched.close()


@pytest.mark.parametrize("face", ["library", "script"])
def test_a_view_that_takes_a_tables_name_is_not_run(face: str, db: Database) -> None:
    db.execute(TABLE)
    db.execute("""
        CREATE FUNCTION evil() RETURNS int LANGUAGE plpgsql AS
            $$ BEGIN PERFORM pg_sleep(2); RETURN 1; END $$
    """)
    seen: list[object] = []
    with db.connect() as mallory, db.connect() as watcher:
        mallory.execute("BEGIN; ALTER TABLE orders RENAME TO kept; CREATE VIEW orders AS SELECT evil() AS id")
        thread = threading.Thread(target=lambda: seen.append(checked(db, face)))
        thread.start()
        until(lambda: watcher.execute(LOCK_AWAITED).fetchall() or not thread.is_alive(), "somebody who waits")
        mallory.execute("COMMIT")
        sleeping = "SELECT FROM pg_stat_activity WHERE wait_event = 'PgSleep' AND datname = current_database()"
        while thread.is_alive():
            assert not watcher.execute(sleeping).fetchall(), "the view's function runs"
        thread.join()
    assert seen == [{"public.orders_id_seq": "behind"}], "the table is read under its new name"
