"""Where a column ends whose table is partitioned by it, or is such a partition: no insert finds a partition beyond."""

from __future__ import annotations

from collections.abc import Callable

import psycopg
import pytest

from airflow_seqfix import core
from tests.support.faces import EVERY_FACE
from tests.support.limits import ALL, ends
from tests.support.psql import psql, reset
from tests.support.servers import Database

#: How a table with the columns id and x is partitioned, and the first and the last id that fit.
PARTITIONED = {
    "one after the other": ("RANGE (id)", ["FROM (1) TO (1000)", "FROM (1000) TO (2000)"], (1, 1999)),
    "negative": ("RANGE (id)", ["FROM (-500) TO (-7)"], (-500, -8)),
    "a hole": ("RANGE (id)", ["FROM (5) TO (10)", "FROM (500) TO (600)"], (5, 599)),
    "without an end": ("RANGE (id)", ["FROM (5) TO (10)", "FROM (10) TO (MAXVALUE)"], (5, ALL)),
    "without a beginning": ("RANGE (id)", ["FROM (MINVALUE) TO (10)"], (-ALL - 1, 9)),
    "a default": ("RANGE (id)", ["FROM (5) TO (10)", "DEFAULT"], (-ALL - 1, ALL)),
    "none": ("RANGE (id)", [], (-ALL - 1, ALL)),
    "more columns": ("RANGE (id, x)", ["FROM (3, 'a') TO (1000, ''') TO (5, ')"], (3, 1000)),
    "more columns, and before all": ("RANGE (id, x)", ["FROM (3, MINVALUE) TO (1000, MINVALUE)"], (3, 999)),
    "more columns, and past all": ("RANGE (id, x)", ["FROM (3, MAXVALUE) TO (1000, MAXVALUE)"], (3, 1000)),
    "another column": ("RANGE (x, id)", ["FROM ('a', 5) TO ('b', 9)"], (-ALL - 1, ALL)),
    "an expression": ("RANGE ((id + 1))", ["FROM (5) TO (9)"], (-ALL - 1, ALL)),
    "a list": ("LIST (id)", ["IN (1, 2, 3)"], (-ALL - 1, ALL)),
    "a hash": ("HASH (id)", ["WITH (MODULUS 1, REMAINDER 0)"], (-ALL - 1, ALL)),
}
TYPES = ("smallint", "integer", "bigint", "numeric", "numeric(9, 2)", "real", "double precision", "oid", "counted")


def of_tables(db: Database) -> dict[str, tuple[int, int]]:
    """Return the ends of the partitioned tables, without those of their partitions."""
    return {name: found for name, found in ends(db).items() if name.startswith("t_")}


def test_bounds_are_limits(db: Database) -> None:
    for place, (key, partitions, _) in enumerate(PARTITIONED.values()):
        db.execute(f"CREATE SEQUENCE s_{place} MINVALUE {-ALL - 1}")
        db.execute(f"CREATE TABLE t_{place} (x text, id bigint DEFAULT nextval('s_{place}')) PARTITION BY {key}")
        for number, bounds in enumerate(partitions):
            words = bounds if bounds == "DEFAULT" else f"FOR VALUES {bounds}"
            db.execute(f"CREATE TABLE p_{place}_{number} PARTITION OF t_{place} {words}")
    assert of_tables(db) == {f"t_{place}": expected for place, (*_, expected) in enumerate(PARTITIONED.values())}


def test_of_each_type(db: Database) -> None:
    db.execute("CREATE DOMAIN counted AS bigint CHECK (VALUE <> 7)")
    for place, type_name in enumerate(TYPES):
        db.execute(f"CREATE SEQUENCE s_{place}")
        db.execute(f"CREATE TABLE t_{place} (id {type_name} DEFAULT nextval('s_{place}')) PARTITION BY RANGE (id)")
        db.execute(f"CREATE TABLE p_{place} PARTITION OF t_{place} FOR VALUES FROM (8) TO (20000)")
    assert of_tables(db) == {f"t_{place}": (8, 19_999) for place, _ in enumerate(TYPES)}


def test_a_partition_with_a_sequence_of_its_own_ends_where_it_and_those_above_do(db: Database) -> None:
    db.execute("""
        CREATE TABLE top (id bigint, day date) PARTITION BY RANGE (id);
        CREATE TABLE t_0 (day date, gone text, id bigserial);
        ALTER TABLE t_0 DROP gone;
        ALTER TABLE top ATTACH PARTITION t_0 FOR VALUES FROM (100) TO (200);
        CREATE TABLE middle PARTITION OF top FOR VALUES FROM (1000) TO (2000) PARTITION BY RANGE (day);
        CREATE TABLE t_1 (day date, id bigserial);
        ALTER TABLE middle ATTACH PARTITION t_1 FOR VALUES FROM ('2026-01-01') TO ('2027-01-01');
        CREATE TABLE t_2 (day date, id bigserial);
        ALTER TABLE top ATTACH PARTITION t_2 DEFAULT;
    """)
    assert ends(db) == {"t_0": (100, 199), "t_1": (1000, 1999), "t_2": (1, ALL)}


#: Rows 1 to 49 and all of the last partition, {sign} * each; the sequence has given 49.
LAST_PARTITION_FULL = """
    CREATE SEQUENCE {s}.s INCREMENT {sign} MINVALUE -5000 MAXVALUE 5000 START {sign};
    CREATE TABLE {s}.t (id bigint PRIMARY KEY DEFAULT nextval('{s}.s')) PARTITION BY RANGE (id);
    CREATE TABLE {s}.p0 PARTITION OF {s}.t FOR VALUES FROM (-1999) TO (-999);
    CREATE TABLE {s}.p1 PARTITION OF {s}.t FOR VALUES FROM (-999) TO (1000);
    CREATE TABLE {s}.p2 PARTITION OF {s}.t FOR VALUES FROM (1000) TO (2000);
    INSERT INTO {s}.t SELECT {sign} * n FROM generate_series(1, 49) AS n;
    INSERT INTO {s}.t SELECT {sign} * n FROM generate_series({first}, 1999) AS n;
    SELECT setval('{s}.s', {sign} * {last});
"""


def insert(conn: psycopg.Connection, schema: str) -> int | str:
    try:
        return conn.execute(f"INSERT INTO {schema}.t DEFAULT VALUES RETURNING id").fetchone()[0]
    except psycopg.Error as error:
        return str(error.sqlstate)


@EVERY_FACE
def test_no_insert_fails_that_worked_before(repair: Callable[[Database], None], newest_db: Database) -> None:
    for sign in (1, -1):
        for schema in ("a_0", "b_0"):
            newest_db.execute(
                f"CREATE SCHEMA {schema};" + LAST_PARTITION_FULL.format(s=schema, sign=sign, first=1000, last=49)
            )
        repair(newest_db)
        with newest_db.connect() as conn:
            assert [(insert(conn, "a_0"), insert(conn, "b_0")) for _ in range(3)] == [
                (sign * n, sign * n) for n in (50, 51, 52)
            ]
        newest_db.execute("DROP SCHEMA a_0, b_0 CASCADE")


def test_the_move_that_is_not_made_is_said(db: Database) -> None:
    db.execute(LAST_PARTITION_FULL.format(s="public", sign=1, first=1000, last=49))
    with db.connect() as conn:
        (row,) = core.fix(conn).to_dict()["sequences"]
    by_script = reset(db.dsn).rows["public.s"]
    for got in (row, by_script):
        assert (got["verdict"], int(got["next_value"])) == ("behind", 50)
        assert "a move would leave no value that fits, and pass 950 in a row that are free" in got["reason"]
        assert got["cure"].startswith("the next partition of public.t, which takes 2000; or ")


@pytest.mark.parametrize("sign", [1, -1])
def test_the_end_is_said_where_none_is_free_before_it(sign: int, db: Database) -> None:
    db.execute(LAST_PARTITION_FULL.format(s="public", sign=sign, first=50, last=500))
    with db.connect() as conn:
        (row,) = core.fix(conn).to_dict()["sequences"]
    with db.connect() as conn:
        (again,) = core.check(conn).to_dict()["sequences"]
    by_script = reset(db.dsn, mode="check").rows["public.s"]
    for got in (row, again, by_script):
        assert (got["verdict"], int(got["next_value"])) == ("exhausted", sign * 2000)
        assert f"{sign * 1999}, the end of public.t.id (its partitions)" in got["reason"]
        assert got["cure"] == f"the next partition of public.t, which takes {sign * 2000}"
    start, end = sorted((sign * 2000, sign * 3000))
    db.execute(f"CREATE TABLE p3 PARTITION OF t FOR VALUES FROM ({start}) TO ({end + 1})")
    with db.connect() as conn:
        assert core.check(conn).ok
        assert insert(conn, "public") == sign * 2000


def test_a_partition_that_is_full_is_named(newest_db: Database) -> None:
    newest_db.execute("""
        CREATE TABLE top (id integer) PARTITION BY RANGE (id);
        CREATE TABLE t (id serial PRIMARY KEY);
        INSERT INTO t SELECT generate_series(1, 99);
        ALTER TABLE top ATTACH PARTITION t FOR VALUES FROM (1) TO (100);
    """)
    with newest_db.connect() as conn:
        (row,) = core.check(conn).to_dict()["sequences"]
    by_script = reset(newest_db.dsn, mode="check").rows["public.t_id_seq"]
    for got in (row, by_script):
        assert got["verdict"] == "exhausted"
        assert "99, the end of public.t.id (its own partition bounds)" in got["reason"]
        assert got["cure"] == "wider bounds of the partition public.t"


@pytest.mark.parametrize(
    ("changed", "change"),
    [
        ("t", "ALTER TABLE t DETACH PARTITION p2"),
        ("t", "CREATE TABLE p3 PARTITION OF t FOR VALUES FROM (2000) TO (3000)"),
        ("t", "CREATE TABLE p3 (LIKE t); ALTER TABLE t ATTACH PARTITION p3 FOR VALUES FROM (2000) TO (3000)"),
        ("u", "ALTER TABLE top DETACH PARTITION middle"),
        ("u", "ALTER TABLE above ATTACH PARTITION top FOR VALUES FROM (1) TO (90)"),
    ],
)
def test_a_plan_that_is_older_than_a_partition_is_refused(changed: str, change: str, newest_db: Database) -> None:
    newest_db.execute("""
        CREATE TABLE t (id serial) PARTITION BY RANGE (id);
        CREATE TABLE p1 PARTITION OF t FOR VALUES FROM (1) TO (1000);
        CREATE TABLE p2 PARTITION OF t FOR VALUES FROM (1000) TO (2000);
        INSERT INTO t VALUES (1), (2), (60);
        CREATE TABLE top (id integer) PARTITION BY RANGE (id);
        CREATE TABLE middle PARTITION OF top FOR VALUES FROM (1) TO (500) PARTITION BY RANGE (id);
        CREATE TABLE above (LIKE top) PARTITION BY RANGE (id);
        CREATE TABLE u (id serial);
        ALTER TABLE middle ATTACH PARTITION u FOR VALUES FROM (1) TO (100);
        INSERT INTO u VALUES (1), (2), (60);
    """)
    with newest_db.connect() as conn:
        plan = core.plan(conn, sequences=[f"public.{changed}_id_seq"])
    newest_db.execute(change)
    assert "has changed since it was read" in psql(newest_db.dsn, script=plan.to_sql()).stderr
    assert newest_db.state(f"{changed}_id_seq")[:2] == (1, False)


#: Tables of which nobody can say where the column ends: rows 40 to 99, with the sequence at 9.
NO_END = {
    "a gap": """
        CREATE TABLE {s}.t (id serial PRIMARY KEY) PARTITION BY RANGE (id);
        CREATE TABLE {s}.p0 PARTITION OF {s}.t FOR VALUES FROM (1) TO (100);
        CREATE TABLE {s}.p1 PARTITION OF {s}.t FOR VALUES FROM (200) TO (1000);
    """,
    "a list": """
        CREATE TABLE {s}.t (id serial PRIMARY KEY) PARTITION BY LIST (id);
        DO $$ BEGIN EXECUTE (SELECT format('CREATE TABLE {s}.p0 PARTITION OF {s}.t FOR VALUES IN (%s)',
            string_agg(n::text, ', ')) FROM generate_series(1, 99) AS n); END $$;
    """,
}


@EVERY_FACE
def test_no_move_passes_free_values_to_where_no_partition_may_be(
    repair: Callable[[Database], None], newest_db: Database
) -> None:
    for made in NO_END.values():
        for schema in ("a_0", "b_0"):
            newest_db.execute(f"CREATE SCHEMA {schema};" + made.format(s=schema))
            newest_db.execute(f"INSERT INTO {schema}.t SELECT generate_series(40, 99)")
            newest_db.execute(f"SELECT setval('{schema}.t_id_seq', 9)")
        repair(newest_db)
        with newest_db.connect() as conn:
            assert [insert(conn, schema) for schema in ("a_0", "b_0", "a_0")] == [10, 10, 11]
        newest_db.execute("DROP SCHEMA a_0, b_0 CASCADE")


def test_partitions_of_which_the_end_is_not_known_are_named(db: Database) -> None:
    db.execute(NO_END["a gap"].format(s="public"))
    db.execute("INSERT INTO t SELECT generate_series(40, 99); SELECT setval('t_id_seq', 9)")
    with db.connect() as conn:
        (row,) = core.fix(conn).to_dict()["sequences"]
    assert row["warnings"] == ["unread_check"]
    for got in (row, reset(db.dsn).rows["public.t_id_seq"]):
        assert got["verdict"] == "behind"
        assert "the partitioning of public.t.id, which is not read, may refuse what follows a move" in got["reason"]
        assert got["cure"].startswith("partitions by ranges of public.t.id, without a gap; or ")
    db.execute("CREATE TABLE p2 PARTITION OF t FOR VALUES FROM (100) TO (200)")
    with db.connect() as conn:
        core.fix(conn)
        assert insert(conn, "public") == 100


def test_partitions_of_partitions_are_only_a_warning(db: Database) -> None:
    """They are below one value of another column."""
    db.execute("""
        CREATE TABLE t (day int DEFAULT 1, id bigserial, PRIMARY KEY (day, id)) PARTITION BY LIST (day);
        CREATE TABLE p PARTITION OF t FOR VALUES IN (1) PARTITION BY RANGE (id);
        CREATE TABLE p0 PARTITION OF p FOR VALUES FROM (1) TO (1000);
        CREATE TABLE u (day int DEFAULT 1, id bigserial, PRIMARY KEY (day, id)) PARTITION BY LIST (day);
        CREATE TABLE q PARTITION OF u FOR VALUES IN (1) PARTITION BY HASH (id);
        CREATE TABLE q0 PARTITION OF q FOR VALUES WITH (MODULUS 1, REMAINDER 0);
        INSERT INTO t (id) VALUES (50); INSERT INTO u (id) VALUES (50);
    """)
    with db.connect() as conn:
        rows = {row["sequence"]: row for row in core.fix(conn).to_dict()["sequences"]}
        assert [insert(conn, "public")] == [51]
    assert "unread_check" in rows["public.t_id_seq"]["warnings"]
    assert "unread_check" not in rows["public.u_id_seq"]["warnings"]
