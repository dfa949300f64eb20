"""Two sequences that hand out the same values into one unique column: a repair of one must not break the other."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from airflow_seqfix import core
from tests.support.faces import EVERY_FACE
from tests.support.psql import reset
from tests.support.servers import Database

#: How a second sequence comes to feed the column of table t, and what it is inserted through.
VIEW = """
    CREATE SCHEMA {s}; CREATE SEQUENCE {s}.s; CREATE SEQUENCE {s}.z;
    CREATE TABLE {s}.t (id bigint PRIMARY KEY DEFAULT nextval('{s}.s'), x int);
    CREATE VIEW {s}.o AS SELECT * FROM {s}.t; ALTER VIEW {s}.o ALTER id SET DEFAULT nextval('{s}.z');
"""
PARTITION = """
    CREATE SCHEMA {s}; CREATE SEQUENCE {s}.s; CREATE SEQUENCE {s}.z;
    CREATE TABLE {s}.t (id bigint PRIMARY KEY DEFAULT nextval('{s}.s'), x int) PARTITION BY RANGE (id);
    CREATE TABLE {s}.o PARTITION OF {s}.t FOR VALUES FROM (1) TO (100000);
    ALTER TABLE {s}.o ALTER id SET DEFAULT nextval('{s}.z');
"""
SHAPES = pytest.mark.parametrize("made", [VIEW, PARTITION], ids=["view", "partition"])


def insert(db: Database, table: str) -> int | None:
    """Insert by default, and return the id; None: it was taken."""
    with db.connect() as conn:
        rows = conn.execute(f"INSERT INTO {table} (x) VALUES (1) ON CONFLICT DO NOTHING RETURNING id").fetchall()
    return rows[0][0] if rows else None


@EVERY_FACE
@SHAPES
def test_a_repair_leaves_the_inserts_through_the_other_one_alone(
    made: str, repair: Callable[[Database], None], newest_db: Database
) -> None:
    newest_db.execute(made.format(s="a_x") + "INSERT INTO a_x.o (x) SELECT 1 FROM generate_series(1, 600)")
    for _ in range(2):
        repair(newest_db)
    assert newest_db.value("SELECT last_value FROM a_x.s") == 1
    got = [insert(newest_db, table) for _ in range(3) for table in ("a_x.t", "a_x.o")]
    assert got == [None, 601, None, 602, None, 603]


@SHAPES
def test_it_is_said_which_one_hands_out_the_same(made: str, newest_db: Database) -> None:
    newest_db.execute(made.format(s="a_x") + "INSERT INTO a_x.o (x) SELECT 1 FROM generate_series(1, 600)")
    with newest_db.connect() as conn:
        (row,) = core.check(conn, sequences="a_x.s").rows
    said = reset(newest_db.dsn, mode="check", sequence="a_x.s").rows["a_x.s"]
    assert (row.verdict, row.next_value) == ("behind", 1)
    why = (
        "a move would let it hand out the same values as a_x.z, which feeds a_x.t.id as well, is past the data, and "
        "hands out 601 next"
    )
    assert row.reason == f"the next value is 1, and a_x.t.id has reached 600; {why}"
    assert said["reason"] == f"the next value is 1, and the data have reached 600; {why}"
    assert row.remedy.startswith("ALTER TABLE a_x.t ALTER id SET DEFAULT nextval('a_x.z'); -- one sequence for both; ")
    assert said["cure"].startswith(
        "ALTER TABLE a_x.t ALTER id SET DEFAULT nextval('a_x.z'); -- one sequence for both; "
    )
    newest_db.execute(row.remedy)
    assert [insert(newest_db, table) for table in ("a_x.t", "a_x.o", "a_x.t")] == [601, 602, 603]


@EVERY_FACE
@SHAPES
def test_two_that_are_both_behind_are_both_moved(
    made: str, repair: Callable[[Database], None], newest_db: Database
) -> None:
    newest_db.execute(made.format(s="a_x") + "INSERT INTO a_x.t (id) SELECT generate_series(1, 600)")
    for _ in range(2):
        repair(newest_db)
    assert insert(newest_db, "a_x.t") == 601
    if made is PARTITION:
        assert newest_db.value("SELECT last_value FROM a_x.z") == 600


@SHAPES
def test_of_two_in_sync_it_is_said_that_they_collide_next(made: str, newest_db: Database) -> None:
    newest_db.execute(made.format(s="a_x") + "INSERT INTO a_x.t (id) SELECT generate_series(1, 600)")
    newest_db.execute("SELECT setval('a_x.s', 600), setval('a_x.z', 600)")
    with newest_db.connect() as conn:
        (row,) = core.check(conn, sequences="a_x.s").rows
    assert row.verdict == "in_sync"
    assert "same_values" in row.finding.warnings
    said = reset(newest_db.dsn, mode="check", sequence="a_x.s").rows["a_x.s"]
    assert (said["verdict"], said["reason"]) == (
        "in_sync",
        "a_x.z feeds a_x.t.id as well, and hands out the same values: 601 next",
    )


@pytest.mark.parametrize(
    "apart",
    [
        "ALTER SEQUENCE a_x.z START 700 RESTART",
        "ALTER SEQUENCE a_x.s INCREMENT 2 RESTART 11; ALTER SEQUENCE a_x.z INCREMENT 2 RESTART 602",
        "SELECT setval('a_x.z', 100000)",
        "ALTER SEQUENCE a_x.z INCREMENT -1 MINVALUE -1000 START -1 RESTART",
        "ALTER TABLE a_x.t DROP CONSTRAINT t_pkey",
    ],
    ids=["range", "steps", "position", "direction", "not unique"],
)
def test_what_is_kept_apart_is_moved(apart: str, newest_db: Database) -> None:
    newest_db.execute(VIEW.format(s="a_x") + f"INSERT INTO a_x.t (id) SELECT generate_series(1, 600); {apart}")
    stood = newest_db.value("SELECT last_value FROM a_x.s")
    assert stood < 600
    with newest_db.connect() as conn:
        (row,) = core.fix(conn, sequences="a_x.s").rows
    assert (row.verdict, "same_values" in row.finding.warnings) == ("in_sync", False)
    newest_db.execute(f"ALTER SEQUENCE a_x.s RESTART {stood}")
    assert reset(newest_db.dsn, sequence="a_x.s").rows["a_x.s"]["verdict"] == "in_sync"
    assert newest_db.value("SELECT last_value FROM a_x.s") >= 600


def test_an_old_trigger_that_never_draws_keeps_nothing_from_being_moved(newest_db: Database) -> None:
    newest_db.execute("""
        CREATE SEQUENCE old; CREATE TABLE t (id bigint GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY, x int);
        CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS
            $$ BEGIN IF NEW.id IS NULL THEN NEW.id := nextval('old'); END IF; RETURN NEW; END $$;
        CREATE TRIGGER g BEFORE INSERT ON t FOR EACH ROW EXECUTE FUNCTION f();
        INSERT INTO t SELECT nextval('old') FROM generate_series(1, 600);
    """)
    with newest_db.connect() as conn:
        core.fix(conn)
    assert insert(newest_db, "t") == 601


def test_a_role_that_may_not_read_the_other_one_moves_nothing(newest_db: Database) -> None:
    role = newest_db.role()
    newest_db.execute(VIEW.format(s="a_x") + "INSERT INTO a_x.o (x) SELECT 1 FROM generate_series(1, 600)")
    newest_db.execute(
        f"GRANT USAGE ON SCHEMA a_x TO {role}; GRANT SELECT ON a_x.t TO {role}; GRANT ALL ON SEQUENCE a_x.s TO {role}"
    )
    with newest_db.connect() as conn:
        conn.execute(f"SET ROLE {role}")
        (row,) = core.fix(conn, sequences="a_x.s").rows
    assert row.verdict == "behind"
    assert row.reason.endswith(f"a_x.z feeds a_x.t.id as well, and role {role} may not read what it hands out next")
    assert row.remedy.startswith(f"GRANT SELECT ON SEQUENCE a_x.z TO {role}; -- or one sequence for both; ")


@SHAPES
def test_a_name_gets_the_verdict_of_a_look_at_everything(made: str, newest_db: Database) -> None:
    newest_db.execute(made.format(s="a_x") + "INSERT INTO a_x.o (x) SELECT 1 FROM generate_series(1, 600)")
    for selection in ({}, {"tables": "a_x.t"}, {"sequences": "a_x.s"}, {"columns": "a_x.t.id"}):
        with newest_db.connect() as conn:
            rows = {row.sequence: row.remedy for row in core.check(conn, **selection).rows}
        assert rows["a_x.s"].startswith("ALTER TABLE a_x.t"), selection


def test_only_who_wants_it_moves_it_all_the_same(newest_db: Database) -> None:
    newest_db.execute(VIEW.format(s="a_x") + "INSERT INTO a_x.o (x) SELECT 1 FROM generate_series(1, 600)")
    with newest_db.connect() as conn:
        (row,) = core.fix(conn, sequences="a_x.s", outliers="follow").rows
    assert (row.verdict, row.next_value, "same_values" in row.finding.warnings) == ("in_sync", 601, True)
    newest_db.execute("ALTER SEQUENCE a_x.s RESTART")
    assert reset(newest_db.dsn, sequence="a_x.s", outliers="follow").rows["a_x.s"]["next_value"] == "601"


def test_what_has_gone_on_into_the_others_range_is_not_moved_there(newest_db: Database) -> None:
    newest_db.execute(VIEW.format(s="a_x") + "ALTER SEQUENCE a_x.z START 1000 RESTART")
    newest_db.execute("INSERT INTO a_x.t (id) SELECT generate_series(1, 999)")
    newest_db.execute("INSERT INTO a_x.o (x) SELECT 1 FROM generate_series(1, 100); SELECT setval('a_x.s', 1000)")
    with newest_db.connect() as conn:
        (row,) = core.fix(conn, sequences="a_x.s").rows
    assert (row.verdict, row.next_value) == ("behind", 1001)
    assert reset(newest_db.dsn, sequence="a_x.s").rows["a_x.s"]["verdict"] == "behind"
    assert insert(newest_db, "a_x.o") == 1100


@EVERY_FACE
def test_whoever_may_only_insert_stops_no_repair(repair: Callable[[Database], None], newest_db: Database) -> None:
    """Anybody who may read the table can make a view of it, and keep its sequence locked."""
    newest_db.execute(VIEW.format(s="a_x") + "INSERT INTO a_x.o (x) SELECT 1 FROM generate_series(1, 600)")
    stranger = newest_db.role()
    newest_db.execute(f"""
        GRANT USAGE, CREATE ON SCHEMA a_x TO {stranger}; GRANT SELECT, INSERT ON a_x.t TO {stranger};
        ALTER VIEW a_x.o OWNER TO {stranger}; ALTER SEQUENCE a_x.z OWNER TO {stranger};
    """)
    with newest_db.connect() as held:
        held.execute(f"SET ROLE {stranger}; BEGIN; DROP SEQUENCE a_x.z CASCADE")
        repair(newest_db)
        held.execute("ROLLBACK")
    assert insert(newest_db, "a_x.t") == 601
    newest_db.execute(f"DROP OWNED BY {stranger} CASCADE")
