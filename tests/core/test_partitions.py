"""What is too much for one statement is read in slices, and comes to the same."""

from __future__ import annotations

import contextlib
import time
from typing import Any

import pytest
from psycopg import errors

from airflow_seqfix import core
from airflow_seqfix.core.measure import partitions
from tests.support.servers import LOCKS_BY_DEFAULT, Database
from tests.support.watched import Watched

#: A column with more relations than this is read in slices in these tests: no need to make thousands of partitions.
FEW = 20


@pytest.fixture
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(partitions, "RELATIONS_AT_ONCE", FEW)


def make_events(db: Database, count: int, options: str = "") -> None:
    """Make a table with a partition for each k, and ids that are even and lie in reverse order of the partitions."""
    db.execute(f"""
        CREATE TABLE events (id int GENERATED ALWAYS AS IDENTITY {options} PRIMARY KEY, k int)
            PARTITION BY RANGE (id)
    """)
    # In batches, for the sake of the server's lock table.
    for first in range(0, count, 200):
        db.execute(f"""
            DO $$ BEGIN
                FOR k IN {first}..{min(first + 200, count) - 1} LOOP
                    EXECUTE format('CREATE TABLE events_%s PARTITION OF events FOR VALUES FROM (%s) TO (%s)', k,
                                   CASE WHEN k = {count} - 1 THEN 'MINVALUE' ELSE (2 * ({count} - k))::text END,
                                   CASE WHEN k = 0 THEN 'MAXVALUE' ELSE (2 * ({count} - k) + 2)::text END);
                END LOOP;
            END $$
        """)
    db.execute(f"""
        INSERT INTO events OVERRIDING SYSTEM VALUE
        SELECT 2 * ({count} - k), k FROM generate_series(0, {count} - 1) AS k
    """)


def watch(db: Database, role: str = "postgres", **options: Any) -> tuple[Watched, dict[str, Any]]:
    """Check the one sequence there is, and look how it is done."""
    watched = Watched(db.psycopg2(user=role))
    (row,) = core.check(watched, **options).to_dict()["sequences"]
    watched.close()
    return watched, row


def test_slices_come_to_the_same_as_one_read(db: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    make_events(db, 30)
    whole, expected = watch(db)
    assert (expected["verdict"], expected["furthest_value"], expected["inserts_until_collision"]) == ("behind", 60, 1)
    assert len(whole.reads) == 2
    assert max(whole.locked) > 60, "the table, 30 partitions, 30 indexes"

    monkeypatch.setattr(partitions, "RELATIONS_AT_ONCE", FEW)
    sliced, row = watch(db)
    assert row == expected
    # Ten partitions with their indexes at a time: three statements for the furthest value, three for the probe.
    assert len(sliced.reads) == 6
    assert max(sliced.locked) <= FEW + 1
    assert not any(" events AS t" in statement for statement in sliced.reads)

    with db.connect() as conn:
        assert core.fix(conn).summary["verified"] == 1
    assert watch(db)[1]["next_value"] == 61


@pytest.mark.parametrize(
    ("options", "next_value", "furthest", "inserts"),
    [
        ("(START 10)", 10, 60, 0),
        ("(START 9 INCREMENT 2)", 9, 60, 26),
        ("(START 10 INCREMENT 3)", 10, 60, 0),
        ("(START 11 INCREMENT 3)", 11, 60, 1),
        ("(START 59 INCREMENT -1 MINVALUE 1 MAXVALUE 100)", 59, 2, 1),
        ("(START 61)", 61, 60, None),
        ("(MINVALUE 30 MAXVALUE 41)", 30, 40, 0),
    ],
)
def test_all_probes_come_to_the_same(
    db: Database, monkeypatch: pytest.MonkeyPatch, options: str, next_value: int, furthest: int, inserts: int | None
) -> None:
    make_events(db, 30, options)
    _, expected = watch(db, interleaved=True)
    _, plain = watch(db)
    assert (plain["next_value"], plain["furthest_value"]) == (next_value, furthest)
    assert plain["inserts_until_collision"] == inserts

    monkeypatch.setattr(partitions, "RELATIONS_AT_ONCE", FEW)
    assert watch(db)[1] == plain
    assert watch(db, interleaved=True)[1] == expected


def test_whoever_may_read_the_parent_only_reads_through_it(db: Database, few: None) -> None:
    make_events(db, 30)
    role = db.role()
    db.execute(f"GRANT SELECT ON SEQUENCE events_id_seq TO {role}; GRANT SELECT (id) ON events TO {role}")
    through, row = watch(db, role)
    assert (row["verdict"], row["furthest_value"]) == ("behind", 60)
    assert len(through.reads) == 2

    for k in range(30):
        db.execute(f"GRANT SELECT (id) ON events_{k} TO {role}")
    assert len(watch(db, role)[0].reads) == 6

    db.execute("ALTER TABLE events_7 ENABLE ROW LEVEL SECURITY")
    behind_policy, row = watch(db, role)
    assert (row["furthest_value"], len(behind_policy.reads)) == (60, 2)

    db.execute("""
        ALTER TABLE events_7 DISABLE ROW LEVEL SECURITY;
        CREATE SCHEMA hidden;
        ALTER TABLE events_8 SET SCHEMA hidden
    """)
    out_of_sight, row = watch(db, role)
    assert (row["furthest_value"], len(out_of_sight.reads)) == (60, 2)


def test_inheritance_children_count_like_partitions(db: Database, few: None) -> None:
    """Rows of the parent itself, of a child with its columns in another order, and of a grandchild."""
    db.execute("""
        CREATE TABLE base (id serial PRIMARY KEY, note text);
        CREATE TABLE child (note text, extra int, id int NOT NULL);
        ALTER TABLE child INHERIT base;
        CREATE TABLE "Grand child" () INHERITS (child);
        INSERT INTO base (id) VALUES (5);
        INSERT INTO child (id) VALUES (7);
        INSERT INTO "Grand child" (id) VALUES (9)
    """)
    for number in range(FEW):
        db.execute(f"CREATE TABLE more_{number} () INHERITS (base)")
    for table, furthest in (('"Grand child"', 9), ("child", 7), ("base", 5)):
        watched, row = watch(db)
        assert row["furthest_value"] == furthest
        # 20 tables and then 3, twice: the second time for the probe. One of them all the time is the sequence.
        assert max(watched.locked) <= FEW + 1
        assert len(watched.reads) == 4
        db.execute(f"DELETE FROM ONLY {table}")
    assert watch(db)[1]["verdict"] == "in_sync"


def test_a_sequence_of_many_tables_is_read_in_slices(db: Database) -> None:
    db.execute("CREATE SEQUENCE shared")
    for number in range(120):
        db.execute(f"""
            CREATE TABLE t{number} (id bigint PRIMARY KEY DEFAULT nextval('shared'));
            INSERT INTO t{number} VALUES ({number})
        """)
    watched, row = watch(db)
    assert (row["verdict"], row["furthest_value"], row["furthest_column"]) == ("behind", 119, "public.t119.id")
    assert (row["gap"], len(row["columns"])) == (119, 120)
    assert max(watched.locked) <= 2 * partitions.COLUMNS_AT_ONCE + 1
    assert len(watched.reads) == 6


def test_an_obstacle_in_one_slice_costs_the_sequence_and_no_other(db: Database, few: None) -> None:
    make_events(db, 30)
    db.execute("CREATE TABLE other (id serial PRIMARY KEY)")
    with db.connect() as holder, holder.transaction():
        holder.execute("LOCK TABLE events_9 IN ACCESS EXCLUSIVE MODE")
        with db.connect() as conn:
            rows = {row["sequence"]: row for row in core.check(conn).to_dict()["sequences"]}
    assert rows["public.events_id_seq"]["reason"] == "another session holds a lock that keeps readers out"
    assert rows["public.other_id_seq"]["verdict"] == "in_sync"


def test_a_row_that_moves_between_two_slices_is_seen(db: Database, few: None) -> None:
    """The furthest row leaves the last slice for the first one, after that was read."""
    db.execute("""
        CREATE TABLE events (id serial, k int, PRIMARY KEY (id, k)) PARTITION BY LIST (k);
        DO $$ BEGIN
            FOR k IN 0..29 LOOP
                EXECUTE format('CREATE TABLE events_%s PARTITION OF events FOR VALUES IN (%s)', k, k);
            END LOOP;
        END $$;
        INSERT INTO events VALUES (2, 29), (4, 28), (6, 27);
        SELECT setval('events_id_seq', 4)
    """)
    watched = Watched(db.psycopg2())

    def move(statement: str) -> None:
        if len(watched.reads) == 1:
            db.execute("UPDATE events SET k = 0 WHERE id = 6")

    watched.before = move
    (row,) = core.check(watched).to_dict()["sequences"]
    watched.close()
    assert db.value("SELECT id FROM events_0") == 6
    assert (row["verdict"], row["furthest_value"]) == ("behind", 6)


@pytest.mark.parametrize("interleaved", [False, True])
def test_rows_that_arrive_between_slices_and_state_make_no_alarm(db: Database, few: None, interleaved: bool) -> None:
    make_events(db, 30, "(INCREMENT 2)" if interleaved else "")
    db.execute("SELECT setval('events_id_seq', 60)")
    watched = Watched(db.psycopg2())

    def insert(statement: str) -> None:
        if watched.reads:
            db.execute("INSERT INTO events (k) SELECT generate_series(0, 29)")

    watched.before = insert
    (row,) = core.check(watched, interleaved=interleaved).to_dict()["sequences"]
    watched.close()
    assert (row["verdict"], row["furthest_value"]) == ("in_sync", 60)
    assert row["next_value"] > 61


def test_a_partition_that_goes_between_slices_costs_another_look(db: Database, few: None) -> None:
    make_events(db, 30)
    watched = Watched(db.psycopg2())

    def drop(statement: str) -> None:
        if len(watched.reads) == 1:
            db.execute("DROP TABLE IF EXISTS events_9")

    watched.before = drop
    (row,) = core.check(watched).to_dict()["sequences"]
    watched.close()
    assert row["verdict"] == "behind"


@pytest.mark.long
def test_run_timeout_ends_a_long_row_of_slices(newest_db: Database, few: None) -> None:
    db = newest_db
    make_events(db, 30)
    watched = Watched(db.psycopg2())

    def linger(statement: str) -> None:
        # Past the run's end, and before its connection is cut.
        if len(watched.reads) == 1:
            time.sleep(max(0, started + 8.1 - time.monotonic()))

    watched.before = linger
    started = time.monotonic()
    (row,) = core.check(watched, run_timeout=8).to_dict()["sequences"]
    watched.close()
    assert (row["verdict"], row["cure"]) == ("unknown", "a larger run_timeout")
    assert len(watched.reads) == 1


@pytest.mark.long
def test_two_thousand_partitions_where_the_lock_table_has_no_room_for_them(newest_db: Database) -> None:
    db = newest_db
    assert db.value(LOCKS_BY_DEFAULT), "what servers have unless somebody changed it"
    make_events(db, 2000)
    with contextlib.ExitStack() as stack:
        with pytest.raises(errors.OutOfMemory):
            for _ in range(10):
                neighbour = stack.enter_context(db.connect())
                neighbour.execute("BEGIN")
                neighbour.execute("SELECT max(id) FROM events")
        neighbour.execute("ROLLBACK")

        watched, row = watch(db)
        assert (row["verdict"], row["furthest_value"]) == ("behind", 4000)
        assert max(watched.locked) <= partitions.RELATIONS_AT_ONCE + 1
        assert len(watched.reads) == 2 * 40
