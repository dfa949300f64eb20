"""Where a column ends: what its type, its CHECK constraints and those of its domain let through."""

from __future__ import annotations

import pytest

from airflow_seqfix import core
from tests.support.limits import ALL, ends
from tests.support.psql import psql, reset
from tests.support.servers import Database

#: Each as a bigint with this CHECK: the first and the last value that it lets through, where it is understood.
CHECKS = {
    "id > 0": (1, ALL),
    "id < 1000": (-ALL - 1, 999),
    "1000 > id": (-ALL - 1, 999),
    "id <= -1000": (-ALL - 1, -1000),
    "id BETWEEN 5 AND 70000000000": (5, 70_000_000_000),
    "id > -70000000000 AND id < 32767::smallint AND id <> 7": (-69_999_999_999, 32_766),
    "id >= 0 AND id % 2 >= 0 AND (id < 5 OR id > 9) AND abs(id) < 100": (0, ALL),
    "id IS NOT NULL AND id < 1000::bigint": (-ALL - 1, 999),
    "id = 70000": (70_000, 70_000),
    "id < 1000.5": (-ALL - 1, 1000),
    "id <= 1000.0": (-ALL - 1, 1000),
    "id > -1234567890123.75": (-1_234_567_890_123, ALL),
    "id >= 0.00001": (1, ALL),
    "id < 10000000000000000000000": (-ALL - 1, ALL),
    "id < 99999999999999999999999999999999 AND id <= 12345678901234567.9999999999": (-ALL - 1, 12_345_678_901_234_567),
    "id < 1000.5::double precision": (-ALL - 1, 1000),
    "id > 'NaN'::numeric": (-ALL - 1, ALL),
    "round(id::numeric, -2) < 1000": (-ALL - 1, ALL),
    "id::numeric(20, 1) < 1000": (-ALL - 1, ALL),
    "x < 10 AND id < 1000 AND y > 3": (-ALL - 1, 999),
    "(id < 1000) = (x > 5)": (-ALL - 1, ALL),
    "NOT (id < 1000)": (1000, ALL),
    "NOT (1000 < id) AND NOT (id = 7)": (-ALL - 1, 1000),
    "NOT (id BETWEEN 5 AND 9)": (-ALL - 1, ALL),
    "(id <= 99) IS TRUE AND (id > 5) IS NOT FALSE": (6, 99),
    "(id <= 99) IS NOT TRUE": (-ALL - 1, ALL),
    "(id <= 99) IS UNKNOWN": (-ALL - 1, ALL),
    "x > 5 AND id BETWEEN 1 AND 99 AND true": (1, 99),
    "id < 1000 OR x > 5": (-ALL - 1, ALL),
    "CASE WHEN x > 5 THEN id < 1000 ELSE true END": (-ALL - 1, ALL),
    "id < x": (-ALL - 1, ALL),
    "id < NULL::bigint": (-ALL - 1, ALL),
    "-id < 1000": (-ALL - 1, ALL),
    "id::text < '1000'": (-ALL - 1, ALL),
    "x < 1000": (-ALL - 1, ALL),
}

TYPES = ("smallint", "integer", "bigint", "oid", "numeric", "numeric(9)", "numeric(9, 2)", "real", "double precision")


def test_checks_are_limits(db: Database) -> None:
    for place, check in enumerate(CHECKS):
        db.execute(f"CREATE SEQUENCE s_{place} MINVALUE {-ALL - 1}")
        db.execute(
            f"CREATE TABLE t_{place} (x integer, id bigint DEFAULT nextval('s_{place}'), y integer, CHECK ({check}))"
        )
    assert ends(db) == {f"t_{place}": expected for place, expected in enumerate(CHECKS.values())}


def test_of_each_type(db: Database) -> None:
    for place, type_name in enumerate(TYPES):
        db.execute(f"CREATE SEQUENCE s_{place}")
        db.execute(
            f"CREATE TABLE t_{place} (id {type_name} DEFAULT nextval('s_{place}') CHECK (id <= 50) CHECK (id > 7))"
        )
    assert ends(db) == {f"t_{place}": (8, 50) for place, _ in enumerate(TYPES)}


def test_a_domain_has_those_of_all_its_layers(db: Database) -> None:
    db.execute("""
        CREATE DOMAIN d AS integer CHECK (VALUE < 1000) CHECK (VALUE > -50);
        CREATE DOMAIN e AS d CHECK (VALUE >= 3 AND 900 >= VALUE);
        CREATE SEQUENCE s_0 MINVALUE -100;
        CREATE TABLE t_0 (id d DEFAULT nextval('s_0'));
        CREATE SEQUENCE s_1 MINVALUE -100;
        CREATE TABLE t_1 (id e DEFAULT nextval('s_1') CHECK (id < 800));
    """)
    assert ends(db) == {"t_0": (-49, 999), "t_1": (3, 799)}


def test_what_was_there_before_a_check_lies_beyond_it(db: Database) -> None:
    db.execute("""
        CREATE TABLE t_0 (id serial PRIMARY KEY, note text);
        INSERT INTO t_0 SELECT n FROM generate_series(1, 500) AS n;
        INSERT INTO t_0 VALUES (5000);
        ALTER TABLE t_0 ADD CHECK (id < 1000) NOT VALID;
    """)
    with db.connect() as conn:
        (row,) = core.check(conn).to_dict()["sequences"]
    assert (row["verdict"], row["furthest_value"]) == ("behind", 500)
    assert reset(db.dsn).rows["public.t_0_id_seq"]["verdict"] == "in_sync"
    with db.connect() as conn:
        assert conn.execute("INSERT INTO t_0 (note) VALUES ('next') RETURNING id").fetchone() == (501,)


def test_one_that_is_not_enforced_is_no_limit(wheel_db: Database) -> None:
    wheel_db.execute("CREATE TABLE t_0 (id serial CHECK (id < 1000) NOT ENFORCED)")
    assert ends(wheel_db) == {"t_0": (1, 2**31 - 1)}


def test_the_constraint_is_named(newest_db: Database) -> None:
    newest_db.execute("""
        CREATE TABLE t_0 (id serial PRIMARY KEY CONSTRAINT "at most" CHECK (id <= 10), note text);
        INSERT INTO t_0 SELECT n FROM generate_series(1, 10) AS n;
        SELECT setval('t_0_id_seq', 10);
    """)
    with newest_db.connect() as conn:
        (row,) = core.check(conn).to_dict()["sequences"]
    by_script = reset(newest_db.dsn, mode="check").rows["public.t_0_id_seq"]
    for got in (row, by_script):
        assert got["verdict"] == "exhausted"
        assert 'the end of public.t_0.id (CHECK constraint "at most")' in got["reason"]
        assert got["cure"] == 'a wider CHECK constraint "at most" of public.t_0.id'


@pytest.mark.long
def test_no_number_of_them_keeps_a_check_waiting(newest_db: Database) -> None:
    """pytest has a timeout."""
    newest_db.execute("CREATE TABLE t_0 (id serial PRIMARY KEY, x integer); CREATE TABLE t_1 (id serial PRIMARY KEY)")
    deep = " AND ".join(f"(id % {n} >= 0 OR x > {n})" for n in range(1, 4))
    newest_db.execute("".join(f"ALTER TABLE t_0 ADD CHECK (id > {-n} AND {deep});" for n in range(1_000)))
    assert set(ends(newest_db)) == {"t_0", "t_1"}


@pytest.mark.parametrize(
    "added",
    [
        "ALTER DOMAIN e ADD CHECK (VALUE <= 50)",
        "ALTER DOMAIN d ADD CHECK (VALUE <= 50)",
        "ALTER TABLE t_0 ADD CHECK (id <= 50)",
        "ALTER TABLE t_0 DROP CONSTRAINT loose, ADD CONSTRAINT loose CHECK (id <= 50)",
    ],
)
def test_a_plan_that_is_older_than_a_check_is_refused(added: str, newest_db: Database) -> None:
    newest_db.execute("""
        CREATE DOMAIN d AS integer; CREATE DOMAIN e AS d; CREATE SEQUENCE s;
        CREATE TABLE t_0 (id e PRIMARY KEY DEFAULT nextval('s') CONSTRAINT loose CHECK (id <= 5000), note text);
        INSERT INTO t_0 VALUES (1), (2), (50);
    """)
    with newest_db.connect() as conn:
        plan = core.plan(conn)
    newest_db.execute(added)
    assert "has changed since it was read" in psql(newest_db.dsn, script=plan.to_sql()).stderr
    with newest_db.connect() as conn:
        (row,) = core.fix(conn, plan=plan).to_dict()["sequences"]
        assert row["verdict"] == "behind"
    assert newest_db.state("s")[:2] == (1, False)
