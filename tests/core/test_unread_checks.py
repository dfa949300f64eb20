"""CHECK constraints of forms that are not read: no move passes free values where one may end the column."""

from __future__ import annotations

from collections.abc import Callable

import psycopg
import pytest

from airflow_seqfix import core
from tests.support.command import seqfix
from tests.support.faces import EVERY_FACE
from tests.support.psql import reset
from tests.support.servers import Database

#: Each lets ids up to 99 through, or some up to there; that is for nobody but the server to say.
UNREAD = [
    "id < 10 * 10",
    "abs(id) < 100",
    "id * 2 < 200",
    "coalesce(id, 0) < 100",
    "id < power(10, 2)",
    "int4range(1, 100) @> id",
    "length(id::text) <= 2",
    "id::text ~ '^[0-9]{1,2}$'",
    "id < 100 OR id > 1000",
    "NOT (id < 1 OR id > 99)",
    "CASE WHEN id < 100 THEN true ELSE false END",
    "id > 0 AND (id < 100 OR id = 500)",
    "id > 0 AND " * 200 + "abs(id) < 100",
]
#: These are read, and end it there.
READ = ["NOT (id > 99)", "id BETWEEN 1 AND 99 AND true", "(id <= 99) IS TRUE"]
#: No such CHECK ends a column.
HARMLESS = [
    "id IS NOT NULL",
    "id <> 5",
    "id <> x",
    "id IS DISTINCT FROM 7",
    "NOT (id = 7)",
    "id % 2 >= 0",
    "x < id",
    "x > 5 OR x IS NULL",
    "id > 0 AND id + 0 <> 5",
]


def make(schema: str, checks: list[str], column: str = "id serial PRIMARY KEY") -> str:
    tables = "".join(
        f"""CREATE TABLE t_{place} ({column}, x integer, CHECK ({check}));
            INSERT INTO t_{place} SELECT generate_series(40, 99);
            SELECT setval('t_{place}_id_seq', 9);"""
        for place, check in enumerate(checks)
    )
    return f"CREATE SCHEMA {schema}; SET search_path = {schema}; {tables} RESET search_path;"


def insert(conn: psycopg.Connection, table: str) -> object:
    try:
        return conn.execute(f"INSERT INTO {table} DEFAULT VALUES RETURNING id").fetchone()
    except psycopg.Error as error:
        return error.sqlstate


@EVERY_FACE
def test_no_insert_fails_that_worked_before(repair: Callable[[Database], None], newest_db: Database) -> None:
    checks = UNREAD + READ
    newest_db.execute(make("a_0", checks) + make("b_0", checks))
    repair(newest_db)
    with newest_db.connect() as conn:
        for place, check in enumerate(checks):
            assert insert(conn, f"a_0.t_{place}") == insert(conn, f"b_0.t_{place}") == (10,), check


def test_the_constraint_is_named_with_a_decision(db: Database) -> None:
    db.execute(make("s", UNREAD))
    with db.connect() as conn:
        rows = core.fix(conn).to_dict()["sequences"]
    by_script = reset(db.dsn).rows
    assert len(rows) == len(by_script) == len(UNREAD)
    for row in rows:
        table = row["sequence"].removesuffix("_id_seq")
        name = f"CHECK constraint {table.removeprefix('s.')}_id_check"
        for got in (row, by_script[row["sequence"]]):
            assert (got["verdict"], int(got["next_value"])) == ("behind", 10)
            said = (
                f"the {name} of {table}.id, which is not read, may refuse what follows a move, and 30 in a row before"
            )
            assert said in got["reason"]
            assert got["cure"].startswith(f"a {name} that only compares {table}.id with constants; or ")
        assert "unread_check" in row["warnings"]
    with db.connect() as conn:
        assert {row["next_value"] for row in core.fix(conn, outliers="follow").to_dict()["sequences"]} == {100}


def test_what_ends_no_column_is_no_reason(db: Database) -> None:
    db.execute(make("s", HARMLESS))
    with db.connect() as conn:
        rows = core.fix(conn).to_dict()["sequences"]
    for row, check in zip(rows, HARMLESS, strict=True):
        assert (row["verdict"], row["next_value"]) == ("in_sync", 100), check
        assert "unread_check" not in row["warnings"], check


def test_of_several_columns_it_is_a_warning(newest_db: Database) -> None:
    newest_db.execute(make("s", ["id < x + 1 OR x IS NULL", "x > 5 OR id < 1000"]))
    text = " ".join(seqfix("check", newest_db.dsn).stdout.split())
    said = "unread_check: s.t_0_id_seq (CHECK constraint t_0_check of s.t_0.id), s.t_1_id_seq"
    assert said in text
    assert reset(newest_db.dsn, mode="check").rows["s.t_0_id_seq"]["cure"].startswith("WITH RECURSIVE")
    with newest_db.connect() as conn:
        for row in core.fix(conn).to_dict()["sequences"]:
            assert (row["verdict"], row["next_value"]) == ("in_sync", 100)
            assert "unread_check" in row["warnings"]


@pytest.mark.parametrize("sign", [1, -1])
def test_of_a_domain_and_of_a_sequence_that_descends(sign: int, newest_db: Database) -> None:
    newest_db.execute(f"""
        CREATE DOMAIN d AS integer CHECK (abs(VALUE) < 100) CHECK (VALUE IS NOT NULL);
        CREATE SEQUENCE s INCREMENT {sign} MINVALUE -5000 MAXVALUE 5000 START {sign};
        CREATE TABLE t (id d PRIMARY KEY DEFAULT nextval('s'));
        INSERT INTO t SELECT {sign} * n FROM generate_series(40, 99) AS n;
        SELECT setval('s', {sign * 9});
    """)
    assert "the CHECK constraint d_check of public.t.id" in reset(newest_db.dsn).rows["public.s"]["reason"]
    with newest_db.connect() as conn:
        (row,) = core.fix(conn).to_dict()["sequences"]
        assert "the CHECK constraint d_check of public.t.id" in row["reason"]
        assert insert(conn, "t") == (sign * 10,)


def test_where_none_is_free_before_it_the_sequence_is_moved(newest_db: Database) -> None:
    newest_db.execute("""
        CREATE TABLE t (id serial PRIMARY KEY CHECK (abs(id) < 1000));
        INSERT INTO t SELECT generate_series(1, 300);
    """)
    assert reset(newest_db.dsn, mode="check").rows["public.t_id_seq"]["cure"].startswith("WITH RECURSIVE")
    with newest_db.connect() as conn:
        (row,) = core.fix(conn).to_dict()["sequences"]
        assert (row["verdict"], row["next_value"]) == ("in_sync", 301)
