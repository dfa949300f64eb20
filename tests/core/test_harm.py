"""No insert that succeeds before a repair fails after it, by whatever face the repair is made.

Each situation is there twice: in a schema that is repaired, and in one that is not, with the same inserts in both.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import psycopg
import pytest

from airflow_seqfix import core
from tests.support.faces import EVERY_FACE
from tests.support.servers import Database

ENDS = {"smallint": 2**15 - 1, "integer": 2**31 - 1, "bigint": 2**63 - 1, "numeric": 2**63 - 1}
#: How many inserts are tried in each table.
INSERTS = 3


@dataclass(frozen=True, kw_only=True)
class Situation:
    """Rows, and where the sequence stands; values count from 1 in the sequence's direction."""

    #: The last value that the sequence has given.
    last: int
    #: The first and the last value of rows without a hole.
    dense: tuple[int, int]
    #: The values that lie far ahead; below 1: from the end of the range.
    far: tuple[int, ...]
    #: MAXVALUE, or MINVALUE of a descending sequence; None: that of the column's type.
    end: int | None = None
    #: What the first insert after a repair gets.
    then: int


SITUATIONS = {
    "a sentinel at the end": Situation(last=2, dense=(1, 2), far=(0,), then=3),
    "a sentinel beside the end": Situation(last=2, dense=(1, 2), far=(-1,), then=3),
    "two at the end": Situation(last=100, dense=(1, 100), far=(-1, 0), then=101),
    "three strays 20 apart": Situation(last=1_000, dense=(1, 1_000), far=(-2_000, -1_980, -1_960), then=1_001),
    "strays far from each other": Situation(last=50, dense=(1, 50), far=(-15_000, -9_000, -1), then=51),
    "a MAXVALUE": Situation(last=10, dense=(1, 10), far=(0,), end=9_999, then=11),
    "a small MAXVALUE": Situation(last=10, dense=(1, 10), far=(0,), end=99, then=11),
    "nothing but a sentinel": Situation(last=0, dense=(1, 0), far=(0,), then=1),
    "a stray, and behind the rest": Situation(last=0, dense=(1, 1_000), far=(-3_000,), then=1_001),
    "a load at the end": Situation(last=20, dense=(1, 20), far=tuple(range(-59, 1)), then=21),
    "rows deleted, and a load at the end": Situation(last=500, dense=(400, 450), far=tuple(range(-99, 1)), then=501),
}
SHAPES = ("indexed", "unindexed", "partitioned", "shared")
#: Every type one way and two of them both ways, and every shape both ways.
TYPED = [(type_name, "indexed", True) for type_name in ENDS] + [("smallint", "indexed", False)]
SHAPED = [("integer", shape, is_ascending) for shape in SHAPES for is_ascending in (True, False)]
CASES = {
    f"c{number}": (name, type_name, is_ascending, shape)
    for number, (name, (type_name, shape, is_ascending)) in enumerate(
        itertools.product(SITUATIONS, dict.fromkeys(TYPED + SHAPED))
    )
}

#: Inserts work although the values ahead are taken: in no column's way, or in that of another. t is what they are tried
#: in, u is filled further than t can go. {sign} is 1, or -1 for what descends.
STILL_WORKING = {
    "a key of two columns": """
        CREATE TABLE {s}.t (tenant integer DEFAULT 2, id smallint DEFAULT nextval('{s}.s'), PRIMARY KEY (tenant, id));
        INSERT INTO {s}.t SELECT 1, {sign} * n FROM generate_series(1, 32767) AS n;
    """,
    "a partial unique index": """
        CREATE TABLE {s}.t (id smallint DEFAULT nextval('{s}.s'), note text);
        CREATE UNIQUE INDEX ON {s}.t (id) WHERE note = 'x';
        INSERT INTO {s}.t SELECT {sign} * n FROM generate_series(1, 32767) AS n;
    """,
    "no index": """
        CREATE TABLE {s}.t (id smallint DEFAULT nextval('{s}.s'));
        INSERT INTO {s}.t SELECT {sign} * n FROM generate_series(1, 32767) AS n;
    """,
    "an inheritance child that is full": """
        CREATE TABLE {s}.t (id smallint PRIMARY KEY DEFAULT nextval('{s}.s'));
        CREATE TABLE {s}.c () INHERITS ({s}.t);
        INSERT INTO {s}.c SELECT {sign} * n FROM generate_series(1, 32767) AS n;
    """,
    "a narrow column beside a wide one": """
        CREATE TABLE {s}.t (id smallint PRIMARY KEY DEFAULT nextval('{s}.s'));
        CREATE TABLE {s}.u (id bigint DEFAULT nextval('{s}.s'));
        INSERT INTO {s}.u SELECT {sign} * n FROM generate_series(1, 40000) AS n;
    """,
    "a narrow key beside a wide one": """
        CREATE TABLE {s}.t (id smallint PRIMARY KEY DEFAULT nextval('{s}.s'));
        CREATE TABLE {s}.u (id bigint PRIMARY KEY DEFAULT nextval('{s}.s'));
        INSERT INTO {s}.u SELECT {sign} * n FROM generate_series(1, 40000) AS n;
    """,
    "a wide column beside a full narrow one": """
        CREATE TABLE {s}.u (id smallint PRIMARY KEY DEFAULT nextval('{s}.s'));
        CREATE TABLE {s}.t (id integer PRIMARY KEY DEFAULT nextval('{s}.s'));
        ALTER SEQUENCE {s}.s {bound} 32767;
        INSERT INTO {s}.u SELECT {sign} * n FROM generate_series(1, 32767) AS n;
    """,
}

#: What ends before its type does. A value that lies at the end is no reason to use it up.
CHECKED = {
    "a CHECK": "id integer DEFAULT nextval('{s}.s') PRIMARY KEY CHECK (id < 1000)",
    "a CHECK of two columns": "id integer DEFAULT nextval('{s}.s') PRIMARY KEY, x text, CHECK (x <> 'x' AND 999 >= id)",
    "a numeric's": "id numeric DEFAULT nextval('{s}.s') PRIMARY KEY CHECK (id BETWEEN -5 AND 999)",
    "a domain's": "id {s}.d DEFAULT nextval('{s}.s') PRIMARY KEY",
}


def make_checked(schema: str, name: str) -> str:
    """Return the situation as SQL."""
    return f"""
        CREATE SCHEMA {schema}; CREATE SEQUENCE {schema}.s; CREATE DOMAIN {schema}.d AS bigint CHECK (VALUE < 1000);
        CREATE TABLE {schema}.t ({CHECKED[name].format(s=schema)});
        INSERT INTO {schema}.t VALUES (1), (2), (999);
        SELECT setval('{schema}.s', 2);
    """


def make_working(schema: str, name: str, is_ascending: bool) -> str:
    """Return the situation as SQL."""
    sign, bound = (1, "MAXVALUE") if is_ascending else (-1, "MINVALUE -")
    made = STILL_WORKING[name].format(s=schema, sign=sign, bound=bound).replace("- ", "-")
    return f"CREATE SCHEMA {schema}; CREATE SEQUENCE {schema}.s INCREMENT {sign}; {made}"


def make(schema: str, name: str, type_name: str, is_ascending: bool, shape: str) -> str:
    """Return the situation as SQL."""
    situation, sign = SITUATIONS[name], 1 if is_ascending else -1
    end = situation.end or ENDS[type_name]
    bound = f"MINVALUE 1 MAXVALUE {end}" if is_ascending else f"MAXVALUE -1 MINVALUE {-end}"
    seq_type = "bigint" if type_name == "numeric" else type_name
    key = "" if shape == "unindexed" else " PRIMARY KEY"
    first, last = situation.dense
    far = ", ".join(f"({sign * (value if value > 0 else end + value)})" for value in situation.far)
    column = f"id {type_name} DEFAULT nextval('{schema}.s'){key}"
    tables = {
        "partitioned": f"CREATE TABLE {schema}.t ({column}) PARTITION BY HASH (id);"
        + "".join(
            f"CREATE TABLE {schema}.t{i} PARTITION OF {schema}.t FOR VALUES WITH (MODULUS 3, REMAINDER {i});"
            for i in range(3)
        ),
        "shared": f"CREATE TABLE {schema}.t ({column}); CREATE TABLE {schema}.u ({column});",
    }.get(shape, f"CREATE TABLE {schema}.t ({column});")
    return f"""
        CREATE SCHEMA {schema};
        CREATE SEQUENCE {schema}.s AS {seq_type} INCREMENT {sign} {bound};
        {tables}
        INSERT INTO {schema}.t SELECT {sign} * n FROM generate_series({first}, {last}) AS n;
        INSERT INTO {schema}.{"u" if shape == "shared" else "t"} VALUES {far};
        SELECT setval('{schema}.s', {sign * max(1, situation.last)}, {situation.last > 0});
        ANALYZE {schema}.t;
    """


def inserts(conn: psycopg.Connection, schema: str, shape: str) -> Iterator[int | str]:
    """Yield what inserts get: a value, or the SQLSTATE that they fail with."""
    for table in ("t", "u") if shape == "shared" else ("t",):
        for _ in range(INSERTS):
            try:
                yield int(conn.execute(f"INSERT INTO {schema}.{table} DEFAULT VALUES RETURNING id").fetchone()[0])
            except psycopg.Error as error:
                yield error.sqlstate or ""


@EVERY_FACE
@pytest.mark.long
def test_no_insert_fails_that_worked_before(repair: Callable[[Database], None], newest_db: Database) -> None:
    for schema, case in CASES.items():
        newest_db.execute(make(f"a_{schema}", *case) + make(f"b_{schema}", *case))
    repair(newest_db)
    harmed, other = {}, {}
    with newest_db.connect() as conn:
        for schema, case in CASES.items():
            name, _, is_ascending, shape = case
            got, untouched = [*inserts(conn, f"a_{schema}", shape)], [*inserts(conn, f"b_{schema}", shape)]
            if any(isinstance(was, int) and not isinstance(now, int) for now, was in zip(got, untouched, strict=True)):
                harmed[case] = got, untouched
            if got[0] != SITUATIONS[name].then * (1 if is_ascending else -1):
                other[case] = got
    assert harmed == {}
    assert other == {}, "each gets the value after the dense rows"


def test_a_remedy_that_would_do_harm_is_not_printed(newest_db: Database) -> None:
    for schema, case in CASES.items():
        newest_db.execute(make(f"a_{schema}", *case))
    with newest_db.connect() as conn:
        rows = core.check(conn).to_dict()["sequences"]
    assert len(rows) == len(CASES)
    for row in rows:
        name, _, _, _ = CASES[row["sequence"].split(".")[0].removeprefix("a_")]
        assert row["verdict"] == "behind"
        assert 'outliers="follow"' in row["cure"], name
        assert row["cure"].startswith("WITH RECURSIVE") is (name == "a stray, and behind the rest"), name


@EVERY_FACE
@pytest.mark.long
def test_inserts_that_find_their_value_free_still_do(repair: Callable[[Database], None], newest_db: Database) -> None:
    cases = {f"c{i}": case for i, case in enumerate(itertools.product(STILL_WORKING, (True, False)))}
    for schema, case in cases.items():
        newest_db.execute(make_working(f"a_{schema}", *case))
    repair(newest_db)
    with newest_db.connect() as conn:
        got = {case: [*inserts(conn, f"a_{schema}", "alone")] for schema, case in cases.items()}
    assert got == {case: [n if case[1] else -n for n in range(1, INSERTS + 1)] for case in cases.values()}


@EVERY_FACE
def test_what_a_check_lets_through_is_not_used_up(repair: Callable[[Database], None], newest_db: Database) -> None:
    cases = {f"c{place}": name for place, name in enumerate(CHECKED)}
    for schema, name in cases.items():
        newest_db.execute(make_checked(f"a_{schema}", name))
    repair(newest_db)
    with newest_db.connect() as conn:
        got = {name: [*inserts(conn, f"a_{schema}", "alone")] for schema, name in cases.items()}
    assert got == {name: [3, 4, 5] for name in CHECKED}


@pytest.mark.parametrize("is_ascending", [True, False])
def test_the_column_is_named_whose_inserts_a_move_would_stop(is_ascending: bool, newest_db: Database) -> None:
    for place, name in enumerate(STILL_WORKING):
        newest_db.execute(make_working(f"a_{place}", name, is_ascending))
    with newest_db.connect() as conn:
        rows = {row["sequence"]: row for row in core.check(conn).to_dict()["sequences"]}
    until_collision = dict(zip(STILL_WORKING, (None, None, None, 0, None, 0, 0), strict=True))
    for place, name in enumerate(STILL_WORKING):
        row = rows[f"a_{place}.s"]
        assert (row["verdict"], row["inserts_until_collision"]) == ("behind", until_collision[name]), name
        assert f"in a row that are free in a_{place}.t.id" in row["reason"], name
        assert ("which has no unique index of its own" in row["reason"]) is (place < 3), name
        assert row["cure"].startswith(f"ALTER TABLE a_{place}.t ALTER id" if place < 6 else "ALTER SEQUENCE"), name
        assert 'outliers="follow"' in row["cure"], name


@pytest.mark.parametrize(
    ("thresholds", "leaves"),
    [
        ({"min_remaining": 1_000_000}, "999,900 values, and min_remaining is 1,000,000"),
        ({"fail_used_pct": 90.0}, "999,900 values with 90.0 % used, and fail_used_pct is 90"),
    ],
    ids=["min_remaining", "fail_used_pct"],
)
def test_a_margin_that_passes_a_threshold_is_dropped(
    thresholds: dict[str, float], leaves: str, newest_db: Database
) -> None:
    newest_db.execute(
        "CREATE SEQUENCE s MAXVALUE 10000000; CREATE TABLE t (id integer PRIMARY KEY DEFAULT nextval('s'))"
    )
    newest_db.execute("INSERT INTO t SELECT generate_series(8990000, 8999000)")
    for _ in range(2):
        with newest_db.connect() as conn:
            row = core.fix(conn, margin=1100, **thresholds).rows[0]
        assert (row.verdict, row.next_value, row.remedy) == ("exhausted", 8999001, "a smaller margin")
        assert row.reason == f"margin=1100 would leave {leaves}"
    assert newest_db.value("INSERT INTO t DEFAULT VALUES RETURNING id") == 8999001
