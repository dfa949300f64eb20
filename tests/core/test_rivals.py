"""One column that two sequences feed: each keeps to the range that it hands out of."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import pytest

from airflow_seqfix import core
from tests.support.faces import EVERY_FACE
from tests.support.psql import reset
from tests.support.servers import Database

TABLE = "CREATE TABLE {s}.t (id bigint PRIMARY KEY DEFAULT nextval('{s}.a'), kind text);"
#: How the second sequence comes to feed the column, and the table that it is inserted through.
WRITERS = {
    "trigger": (
        TABLE
        + """
        CREATE FUNCTION {s}.tf() RETURNS trigger LANGUAGE plpgsql AS
            $$ BEGIN NEW.id := nextval('{s}.b'); RETURN NEW; END $$;
        CREATE TRIGGER tg BEFORE INSERT ON {s}.t FOR EACH ROW WHEN (NEW.kind = 'b') EXECUTE FUNCTION {s}.tf();
        """,
        "t",
    ),
    "partition": (
        """
        CREATE TABLE {s}.t (id bigint DEFAULT nextval('{s}.a'), kind text, PRIMARY KEY (id, kind))
            PARTITION BY LIST (kind);
        CREATE TABLE {s}.p PARTITION OF {s}.t FOR VALUES IN ('a');
        CREATE TABLE {s}.q PARTITION OF {s}.t FOR VALUES IN ('b');
        ALTER TABLE {s}.q ALTER id SET DEFAULT nextval('{s}.b');
        """,
        "q",
    ),
    "view": (
        TABLE + "CREATE VIEW {s}.v AS SELECT * FROM {s}.t; ALTER VIEW {s}.v ALTER id SET DEFAULT nextval('{s}.b');",
        "v",
    ),
    "view of a view": (
        TABLE
        + """
        CREATE VIEW {s}.u AS SELECT kind, id FROM {s}.t; CREATE VIEW {s}.v AS SELECT * FROM {s}.u;
        ALTER VIEW {s}.v ALTER id SET DEFAULT nextval('{s}.b');
        """,
        "v",
    ),
    "child": (TABLE + "CREATE TABLE {s}.c (id bigint PRIMARY KEY DEFAULT nextval('{s}.b')) INHERITS ({s}.t);", "c"),
    "grandchild": (
        TABLE
        + """
        CREATE TABLE {s}.m () INHERITS ({s}.t);
        CREATE TABLE {s}.c (id bigint PRIMARY KEY DEFAULT nextval('{s}.b')) INHERITS ({s}.m);
        """,
        "c",
    ),
}
#: Where the second sequence begins, and what moves the first one before the rows are repaired.
RANGES = {
    "its own": "START 1000000000",
    "its own, and the first is behind": "START 1000000000",
    "downwards": "INCREMENT -1 MAXVALUE 1000000000 START 1000000000",
    "set": "",
}
CASES = {f"a_{place}": case for place, case in enumerate(itertools.product(WRITERS, RANGES))}


def make(schema: str, kind: str, given: str, rows: int = 100) -> str:
    """Return two writers' rows as SQL. Both sequences are where they were when the rows came."""
    made, table = WRITERS[kind]
    return f"""
        CREATE SCHEMA {schema}; CREATE SEQUENCE {schema}.a; CREATE SEQUENCE {schema}.b {RANGES[given]};
        {made.format(s=schema)}
        {f"SELECT setval('{schema}.b', 1000000000, false);" if given == "set" else ""}
        INSERT INTO {schema}.t (kind) SELECT 'a' FROM generate_series(1, {rows});
        INSERT INTO {schema}.{table} (kind) SELECT 'b' FROM generate_series(1, {rows});
        {f"SELECT setval('{schema}.a', 5);" if "behind" in given else ""}
    """


def checked(db: Database, **options: Any) -> dict[str, dict[str, Any]]:
    with db.connect() as conn:
        return {row["sequence"]: row for row in core.check(conn, **options).to_dict()["sequences"]}


@EVERY_FACE
@pytest.mark.long
def test_no_sequence_takes_what_is_another_ones(repair: Callable[[Database], None], newest_db: Database) -> None:
    newest_db.execute("".join(make(schema, *case) for schema, case in CASES.items()))
    repair(newest_db)
    got, expected = {}, {}
    for schema, (kind, given) in CASES.items():
        inserts = [("t", "a"), (WRITERS[kind][1], "b")] * 2
        got[kind, given] = [
            newest_db.value(f"INSERT INTO {schema}.{table} (kind) VALUES ('{row}') RETURNING id")
            for table, row in inserts
        ]
        # The default draws for what the trigger fills, too.
        by_default = (101, 102) if kind != "trigger" else (101, 103) if "behind" in given else (201, 203)
        by_other = (999_999_900, 999_999_899) if given == "downwards" else (1_000_000_100, 1_000_000_101)
        expected[kind, given] = [by_default[0], by_other[0], by_default[1], by_other[1]]
    assert got == expected


def test_what_may_be_another_ones_is_said(newest_db: Database) -> None:
    newest_db.execute("".join(make(schema, *case) for schema, case in CASES.items()))
    rows, by_script = checked(newest_db), reset(newest_db.dsn, mode="check", all="on").rows
    for schema, (kind, given) in CASES.items():
        row, said = rows[f"{schema}.a"], by_script[f"{schema}.a"]
        start = 999_999_901 if given == "downwards" else 1_000_000_000
        tail = f"{schema}.b feeds {schema}.t.id as well, and nothing says whose the values from {start} on are"
        choice = (
            f"an id_range of 1 to {start - 1} for {schema}.a, where {schema}.b has the values beyond; or a wider one, "
            "where they are its own"
        )
        assert row["verdict"] == said["verdict"] == ("behind" if "behind" in given else "unknown"), (kind, given)
        assert row["reason"].endswith(tail), (kind, given)
        assert said["reason"].endswith(tail), (kind, given)
        assert row["cure"].endswith(choice), (kind, given)
        assert choice in said["cure"], (kind, given)
        if "behind" in given:
            assert row["gap"] == int(said["gap"]) == 95
            assert row["cure"].startswith("WITH RECURSIVE")
        # It has nothing ahead; but downwards in the same table the rows of the first one.
        ahead = "unknown" if (kind, given) == ("trigger", "downwards") else "in_sync"
        for found in (rows, by_script):
            assert found[f"{schema}.b"]["verdict"] == ("skipped" if "view" in kind else ahead), (kind, given)


@pytest.mark.parametrize("kind", WRITERS)
def test_a_range_of_its_own_says_whose_values_are_whose(kind: str, newest_db: Database) -> None:
    newest_db.execute(make("a", kind, "its own, and the first is behind"))
    own = {"a.a": (1, 999_999_999)}
    with newest_db.connect() as conn:
        assert core.fix(conn, id_range=own).ok
    assert newest_db.value("INSERT INTO a.t (kind) VALUES ('a') RETURNING id") == 101
    newest_db.execute("SELECT setval('a.a', 5)")
    with newest_db.connect() as conn:
        assert core.fix(conn, id_range={"a.a": (1, 2**62)}, outliers="follow").ok
    assert newest_db.value("SELECT last_value FROM a.a") == 1_000_000_099


@EVERY_FACE
@pytest.mark.parametrize("kind", WRITERS)
def test_both_pass_all_where_they_share_a_range(
    kind: str, repair: Callable[[Database], None], newest_db: Database
) -> None:
    made, _ = WRITERS[kind]
    newest_db.execute(f"""
        CREATE SCHEMA a_x; CREATE SEQUENCE a_x.a; CREATE SEQUENCE a_x.b; {made.format(s="a_x")}
        INSERT INTO a_x.t (id, kind) SELECT n, 'a' FROM generate_series(1, 3000) AS n;
    """)
    repair(newest_db)
    assert newest_db.value("INSERT INTO a_x.t (kind) VALUES ('a') RETURNING id") == 3001


@pytest.mark.parametrize("kind", WRITERS)
def test_a_name_gets_the_verdict_of_a_look_at_everything(kind: str, newest_db: Database) -> None:
    newest_db.execute(make("a", kind, "its own"))
    rows = checked(newest_db)
    for selection in ({"tables": ["a.t"]}, {"sequences": ["a.a"]}, {"columns": ["a.t.id"]}):
        assert checked(newest_db, **selection)["a.a"] == rows["a.a"], selection


def test_a_range_that_was_overrun_is_followed(newest_db: Database) -> None:
    newest_db.execute(make("a", "view", "its own") + "SELECT setval('a.a', 1000000005);")
    assert checked(newest_db)["a.a"]["verdict"] == "behind"


def test_the_next_range_counts_among_several(newest_db: Database) -> None:
    newest_db.execute(make("a", "view", "its own"))
    newest_db.execute("""
        CREATE SEQUENCE a.c START 5000000; CREATE VIEW a.w AS SELECT * FROM a.t;
        ALTER VIEW a.w ALTER id SET DEFAULT nextval('a.c'); INSERT INTO a.w DEFAULT VALUES;
    """)
    reason = checked(newest_db)["a.a"]["reason"]
    assert reason.endswith("a.c feeds a.t.id as well, and nothing says whose the values from 5000000 on are")


def test_the_last_of_its_own_values_are_not_passed(newest_db: Database) -> None:
    newest_db.execute(make("a", "view", "its own") + "INSERT INTO a.t VALUES (999999990), (999999999);")
    with newest_db.connect() as conn:
        core.fix(conn)
    assert newest_db.value("INSERT INTO a.t (kind) VALUES ('a') RETURNING id") == 101


@EVERY_FACE
@pytest.mark.parametrize("stands", [1, 999], ids=["at its beginning", "at its end"])
def test_none_ends_where_another_one_begins(
    stands: int, repair: Callable[[Database], None], newest_db: Database
) -> None:
    for kind, (made, table) in WRITERS.items():
        schema = f"a_{table}_{len(kind)}"
        newest_db.execute(f"""
            CREATE SCHEMA {schema}; CREATE SEQUENCE {schema}.a; CREATE SEQUENCE {schema}.b START 1000;
            {made.format(s=schema)}
            INSERT INTO {schema}.t (id, kind) SELECT n, 'a' FROM generate_series(1, 999) AS n;
            INSERT INTO {schema}.{table} (kind) SELECT 'b' FROM generate_series(1, 100) AS n;
            SELECT setval('{schema}.a', {stands});
        """)
        for _ in range(2):
            repair(newest_db)
        assert newest_db.value(f"SELECT last_value FROM {schema}.a") == stands, kind
        assert newest_db.value(f"INSERT INTO {schema}.{table} (kind) VALUES ('b') RETURNING id") == 1100, kind


def test_no_option_lets_it_end_there(newest_db: Database) -> None:
    newest_db.execute(make("a", "view", "its own") + "INSERT INTO a.t VALUES (999999999); SELECT setval('a.a', 5);")
    with newest_db.connect() as conn:
        report = core.fix(conn, sequences="a.a", outliers="follow")
    assert [(row.verdict, row.remedy) for row in report.rows] == [
        ("behind", "an id_range, agreed with the other writers")
    ]
    said = reset(newest_db.dsn, sequence="a.a", outliers="follow").rows["a.a"]
    assert (said["verdict"], said["cure"]) == (report.rows[0].verdict, report.rows[0].remedy)
    assert newest_db.value("SELECT last_value FROM a.a") == 5


def test_descending_ones_keep_apart_too(newest_db: Database) -> None:
    newest_db.execute("""
        CREATE SEQUENCE a INCREMENT -1; CREATE SEQUENCE b INCREMENT -1 START -1000000000;
        CREATE TABLE t (id bigint PRIMARY KEY DEFAULT nextval('a'));
        CREATE TABLE c (id bigint PRIMARY KEY DEFAULT nextval('b')) INHERITS (t);
        INSERT INTO t SELECT -n FROM generate_series(1, 100) n;
        INSERT INTO c SELECT nextval('b') FROM generate_series(1, 9);
    """)
    with newest_db.connect() as conn:
        core.fix(conn)
    assert newest_db.value("INSERT INTO t DEFAULT VALUES RETURNING id") == -101
    assert checked(newest_db)["public.a"]["verdict"] == "unknown"


def test_what_is_mapped_has_to_pass_all(newest_db: Database) -> None:
    newest_db.execute("""
        CREATE SEQUENCE s; CREATE TABLE t (id bigserial PRIMARY KEY);
        INSERT INTO t SELECT n + 50000 FROM generate_series(1, 10) n
    """)
    with newest_db.connect() as conn:
        report = core.fix(conn, mapping={"s": "t.id"})
    assert {row.sequence: row.next_value for row in report.rows} == {"public.s": 50011, "public.t_id_seq": 50011}


def test_somebody_elses_view_says_nothing(newest_db: Database) -> None:
    db, stranger = newest_db, newest_db.role()
    db.execute(f"""
        CREATE TABLE t (id bigserial PRIMARY KEY); INSERT INTO t SELECT generate_series(5000, 6000);
        CREATE SCHEMA other AUTHORIZATION {stranger}; GRANT SELECT ON t TO {stranger};
        GRANT USAGE ON SCHEMA public TO {stranger}; SET ROLE {stranger};
        CREATE SEQUENCE other.s START 5000; CREATE VIEW other.v AS SELECT * FROM public.t;
        ALTER VIEW other.v ALTER id SET DEFAULT nextval('other.s'); RESET ROLE
    """)
    assert checked(db)["public.t_id_seq"]["verdict"] == "behind"
