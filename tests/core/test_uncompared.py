"""Columns that draw from a sequence and cannot be compared: no move goes beyond what they can take."""

from __future__ import annotations

from collections.abc import Callable

import psycopg
import pytest

from airflow_seqfix import core
from tests.support.faces import EVERY_FACE
from tests.support.psql import reset
from tests.support.servers import Database

#: What else draws from {s}.q, by a default that is compared in {s}.a; {sign} is 1, or -1 for what descends.
OTHERS = {
    "arithmetic": "CREATE TABLE {s}.b (id smallint PRIMARY KEY DEFAULT (nextval('{s}.q') + 0));",
    "a domain": "CREATE DOMAIN {s}.d AS smallint; CREATE TABLE {s}.b (id {s}.d DEFAULT (nextval('{s}.q') + 0));",
    "a CHECK": "CREATE TABLE {s}.b (id bigint DEFAULT (nextval('{s}.q') + 0) CHECK (id BETWEEN -70 AND 70));",
    "partitions": "CREATE TABLE {s}.b (id bigint DEFAULT (nextval('{s}.q') + 0)) PARTITION BY RANGE (id);"
    " CREATE TABLE {s}.c PARTITION OF {s}.b FOR VALUES FROM (-500) TO (500);",
    "a view": "CREATE TABLE {s}.t (id smallint PRIMARY KEY); CREATE VIEW {s}.b AS SELECT * FROM {s}.t;"
    " ALTER VIEW {s}.b ALTER id SET DEFAULT nextval('{s}.q');",
    "a prefix": "CREATE TABLE {s}.b (id varchar(5) PRIMARY KEY DEFAULT 'A' || nextval('{s}.q'));",
    "padding": "CREATE TABLE {s}.b (id char(8) PRIMARY KEY DEFAULT 'A''' || lpad(nextval('{s}.q')::text, 5, '0'));",
}


def make(schema: str, other: str, sign: int = 1) -> str:
    """Return what makes a table with far values, and another that has as many values to come as it takes."""
    return f"""
        CREATE SCHEMA {schema};
        CREATE SEQUENCE {schema}.q INCREMENT {sign} MINVALUE {-(2**62)} MAXVALUE {2**62} START {sign};
        CREATE TABLE {schema}.a (id bigint PRIMARY KEY DEFAULT nextval('{schema}.q'));
        INSERT INTO {schema}.a SELECT {sign} * n FROM generate_series(1, 100) AS n;
        INSERT INTO {schema}.a SELECT {sign} * (100000 + n) FROM generate_series(1, 200) AS n;
        SELECT setval('{schema}.q', {sign} * 50);
        {OTHERS[other].format(s=schema)}
    """


def insert(conn: psycopg.Connection, schema: str) -> object:
    try:
        return conn.execute(f"INSERT INTO {schema}.b DEFAULT VALUES RETURNING id").fetchone()
    except psycopg.Error as error:
        return error.sqlstate


@EVERY_FACE
def test_no_insert_fails_that_worked_before(repair: Callable[[Database], None], newest_db: Database) -> None:
    for sign in (1, -1):
        for place, other in enumerate(OTHERS):
            newest_db.execute(make(f"a_{place}", other, sign) + make(f"b_{place}", other, sign))
        repair(newest_db)
        with newest_db.connect() as conn:
            for place, other in enumerate(OTHERS):
                assert insert(conn, f"a_{place}") == insert(conn, f"b_{place}"), other
        names = [f"{letter}_{place}" for place in range(len(OTHERS)) for letter in "ab"]
        newest_db.execute(f"DROP SCHEMA {', '.join(names)} CASCADE")


@pytest.mark.parametrize(
    ("other", "said", "remedy"),
    [
        ("arithmetic", "32,717 in a row that may be free in a_0.b.id (smallint)", "a larger type for a_0.b.id; or "),
        (
            "a CHECK",
            "20 in a row that may be free in a_0.b.id (bigint)",
            "a wider CHECK constraint b_id_check of a_0.b",
        ),
        (
            "partitions",
            "449 in a row that may be free in a_0.b.id",
            "the next partition of a_0.b, which takes 500; or ",
        ),
        ("a view", "32,717 in a row that may be free in a_0.b.id (smallint)", "a larger type for a_0.b.id; or "),
        ("a prefix", "9,949 in a row that may be free in a_0.b.id (character varying(5))", "a larger type for a_0.b."),
    ],
)
def test_the_column_is_named(other: str, said: str, remedy: str, db: Database) -> None:
    db.execute(make("a_0", other))
    with db.connect() as conn:
        (row,) = core.fix(conn).to_dict()["sequences"]
    by_script = reset(db.dsn).rows["a_0.q"]
    for got, reason in ((row, said), (by_script, said.replace(",", ""))):
        assert (got["verdict"], int(got["next_value"])) == ("behind", 51)
        assert f"a move would pass {reason}" in got["reason"]
        assert "which is not compared and may end at " in got["reason"]
        assert got["cure"].startswith(remedy)
    with db.connect() as conn:
        (row,) = core.fix(conn, outliers="follow").to_dict()["sequences"]
        assert (row["verdict"], row["next_value"]) == ("in_sync", 100_201)


@pytest.mark.parametrize(
    "other",
    [
        "CREATE TABLE a_0.b (id integer DEFAULT (nextval('a_0.q') + 0))",
        "CREATE TABLE a_0.b (id varchar(20) DEFAULT 'INVOICE-' || nextval('a_0.q'))",
        "CREATE TABLE a_0.b (id text DEFAULT 'INVOICE-' || nextval('a_0.q'))",
        # It cannot follow even now.
        "CREATE TABLE a_0.b (id bigint DEFAULT (nextval('a_0.q') % 50) CHECK (id < 50))",
    ],
)
def test_what_takes_the_value_does_not_matter(other: str, newest_db: Database) -> None:
    newest_db.execute(make("a_0", "arithmetic") + "DROP TABLE a_0.b;" + other)
    assert reset(newest_db.dsn, mode="check").rows["a_0.q"]["cure"].startswith("WITH RECURSIVE")
    with newest_db.connect() as conn:
        (row,) = core.fix(conn).to_dict()["sequences"]
    assert (row["verdict"], row["next_value"]) == ("in_sync", 100_201)
