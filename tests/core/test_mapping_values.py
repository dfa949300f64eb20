"""A mapping that says how the values of a column belong to what nextval() returns: prefix, filter, ids of one call."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from jsonschema import ValidationError

from airflow_seqfix import core
from airflow_seqfix.render.table import table as as_text
from tests.support.command import seqfix
from tests.support.schema import validate
from tests.support.servers import Database

NUMBERS = """
    CREATE SEQUENCE s;
    CREATE TABLE t (id text PRIMARY KEY DEFAULT 'ORD-' || nextval('s'), tenant int DEFAULT 1);
    INSERT INTO t VALUES ('ORD-7'), ('ORD-000123'), ('ORD-9x'), ('ord-500'), ('INV-900'), ('ORD-');
"""
TENANTS = """
    CREATE SEQUENCE one; CREATE SEQUENCE two;
    CREATE TABLE t ("The id" int, tenant text, PRIMARY KEY (tenant, "The id"));
    INSERT INTO t SELECT n, E'it''s \\\\ 1' FROM generate_series(1, 30) AS n;
    INSERT INTO t SELECT n, 'two' FROM generate_series(4000, 5000) AS n;
"""


def repaired(db: Database, mapping: dict[str, Any]) -> dict[str, tuple[str, int | None]]:
    """Check and repair, and return verdict and next value by sequence."""
    validate("mapping", mapping)
    with db.connect() as conn:
        found = core.check(conn, mapping=mapping)
        stored = json.loads(json.dumps(core.plan(conn, mapping=mapping).to_dict()))
        core.fix(conn, plan=stored, mapping=mapping)
        assert core.check(conn, mapping=mapping).ok
        return {
            row.finding.sequence.sequence_name: (
                str(row.verdict),
                db.value(f"SELECT nextval('{row.finding.sequence.qualified_name}')"),
            )
            for row in found.rows
        }


def test_a_prefix(db: Database) -> None:
    db.execute(NUMBERS)
    assert repaired(db, {"s": {"column": "t.id", "prefix": "ORD-"}}) == {"s": ("behind", 124)}
    assert db.value("INSERT INTO t DEFAULT VALUES RETURNING id") == "ORD-125"


def test_a_filter(db: Database) -> None:
    db.execute(TENANTS)
    column = 't."The id"'
    mapping = {
        "one": [{"column": column, "where": {"tenant": "it's \\ 1"}}],
        "two": [{"column": column, "where": {"tenant": "two"}}],
    }
    assert repaired(db, mapping) == {"one": ("behind", 31), "two": ("behind", 5001)}


@pytest.mark.parametrize(
    ("optimizer", "increment", "rows", "next_value", "first_id"),
    [
        # Of the call that returns n, Hibernate's pooled optimizer makes the ids n - 49 to n.
        ("pooled", 1, 120, 170, lambda n: n - 49),
        ("pooled", 50, 120, 251, lambda n: n - 49),
        ("pooled-lo", 50, 120, 201, lambda n: n),
        ("hilo", 1, 120, 4, lambda n: (n - 1) * 50 + 1),
        ("hilo", 1, 100, 3, lambda n: (n - 1) * 50 + 1),
        ("legacy-hilo", 1, 120, 3, lambda n: n * 51),
    ],
)
def test_ids_of_one_call(
    optimizer: str, increment: int, rows: int, next_value: int, first_id: Any, newest_db: Database
) -> None:
    newest_db.execute(f"""
        CREATE SEQUENCE s INCREMENT {increment}; CREATE TABLE t (id int PRIMARY KEY);
        INSERT INTO t SELECT generate_series(1, {rows})
    """)
    mapping = {"s": [{"column": "t.id", "ids_per_call": 50, "optimizer": optimizer}]}
    ((verdict, drawn),) = repaired(newest_db, mapping).values()
    assert (verdict, drawn) == ("behind", next_value)
    assert first_id(drawn) > rows, "what the application makes of it is new"


@pytest.mark.parametrize(
    ("entry", "said"),
    [
        ({"column": "t.id", "prefx": ""}, "'prefx' is not known; give column, prefix"),
        ({"column": "t.id", "prefix": 5}, "prefix is 5; give a text"),
        ({"column": "t.id", "prefix": "\ud800"}, "prefix is '\\ud800'; give a text"),
        ({"column": "t.id", "where": {"tenant": "\ud800"}}, "give columns of the same table"),
        ({"column": "t.id", "where": {"tenant": None}}, "give columns of the same table"),
        ({"column": "t.id", "where": {"nobody": 1}}, "public.t has no column nobody; its columns are id, tenant"),
        ({"column": "t.id", "ids_per_call": 0}, "ids_per_call is 0; give an integer"),
        ({"column": "t.id", "optimizer": "none", "ids_per_call": 2}, "give one of pooled, pooled-lo"),
        ({"column": "t.tenant", "prefix": "A"}, "public.t.tenant is of type integer, which has no prefix"),
    ],
)
def test_what_cannot_be_meant(entry: dict[str, Any], said: str, newest_db: Database) -> None:
    newest_db.execute(NUMBERS)
    with newest_db.connect() as conn, pytest.raises(core.ArgumentError) as refusal:
        core.check(conn, mapping={"s": entry})
    assert said in str(refusal.value)


@pytest.mark.parametrize(
    ("where", "said"),
    [
        ({"tenant": "abc"}, 'invalid input syntax for type integer: "abc"'),
        ({"kind": "a"}, "operator does not exist: json = unknown"),
    ],
)
def test_a_filter_that_does_not_fit_its_column(where: dict[str, str], said: str, db: Database) -> None:
    db.execute(NUMBERS + "ALTER TABLE t ADD kind json; INSERT INTO t (tenant) VALUES (1)")
    with db.connect() as conn:
        (row,) = core.check(conn, mapping={"s": {"column": "t.id", "prefix": "ORD-", "where": where}}).to_dict()[
            "sequences"
        ]
    assert (row["verdict"], row["reason"]) == ("unknown", f"the mapping's where does not fit its columns ({said})")
    assert row["cure"] == "name columns that can be compared, each with a text that it can hold"


def test_a_hostile_value_is_a_value(newest_db: Database) -> None:
    newest_db.execute(NUMBERS)
    # From 19 on a server refuses the other way.
    options = "-c standard_conforming_strings=off" if newest_db.server.version_num < 19_00_00 else ""
    for text in ("'; DROP TABLE t; --", "\\'; DROP TABLE t; --", "$$", "%s %d {oid}"):
        mapping = {"s": [{"column": "t.id", "prefix": text}]}
        with newest_db.connect(options=options) as conn:
            assert core.check(conn, mapping=mapping).ok
    assert newest_db.value("SELECT count(*) FROM t") == 6


def test_a_key_that_comes_twice(newest_db: Database) -> None:
    newest_db.execute(NUMBERS)
    done = seqfix("check", newest_db.dsn, "--mapping", '{"s": ["t.id"], "s": []}')
    assert (done.returncode, done.stdout) == (2, "")
    assert "'s' is in an object twice" in done.stderr


def test_the_command_reads_a_file(newest_db: Database, tmp_path: Path) -> None:
    newest_db.execute(NUMBERS)
    mapping = {"s": [{"column": "t.id", "prefix": "ORD-"}]}
    file = tmp_path / "mapping.json"
    file.write_text(json.dumps(mapping))
    assert "public.s" in seqfix("check", "--mapping", str(file), newest_db.dsn).stdout
    assert seqfix("fix", "--yes", "--mapping", json.dumps(mapping), newest_db.dsn).returncode == 0
    assert newest_db.value("SELECT nextval('s')") == 124
    for given, said in (
        ((str(tmp_path / "none.json"),), "No such file"),
        (("{",), "is not JSON"),
        ((str(file), "--map", "s=t.tenant"), "--map and --mapping both have s"),
    ):
        done = seqfix("check", "--mapping", *given, newest_db.dsn)
        assert (done.returncode, said in done.stderr) == (2, True), done.stderr


@pytest.mark.parametrize("mapping", [{"s": []}, {"s": [{"prefix": "A"}]}, {"s": [{"column": "t.id", "other": 1}]}])
def test_the_schema_refuses(mapping: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        validate("mapping", mapping)


#: Two nodes that share a table: odd and even ids in one, a range of one's own in the other.
NODES = """
    CREATE TABLE odd (id int PRIMARY KEY); CREATE SEQUENCE odd_seq INCREMENT 2;
    CREATE TABLE own (id serial PRIMARY KEY); CREATE TABLE plain (id serial PRIMARY KEY);
    INSERT INTO odd VALUES (1), (3), (100); INSERT INTO own VALUES (1), (2), (5000); INSERT INTO plain VALUES (1);
"""


def test_a_range_and_the_own_steps_of_single_sequences(newest_db: Database, tmp_path: Path) -> None:
    newest_db.execute(NODES)
    mapping = {
        "odd_seq": {"columns": ["odd.id"], "interleaved": True},
        "own_id_seq": {"id_range": [1, 999]},
    }
    assert repaired(newest_db, mapping) == {
        "odd_seq": ("behind", 5),
        "own_id_seq": ("behind", 3),
        "plain_id_seq": ("behind", 2),
    }
    file = tmp_path / "mapping.json"
    file.write_text(json.dumps(mapping))
    assert seqfix("check", "--mapping", str(file), newest_db.dsn).returncode == 0
    newest_db.execute("INSERT INTO own VALUES (3), (4); INSERT INTO odd VALUES (7)")
    with newest_db.connect() as conn:
        failing = {row.sequence for row in core.check(conn, mapping=mapping).failing}
        assert core.plan(conn, mapping=mapping).to_dict()["options"]["mapping"] == mapping
    assert failing == {"public.odd_seq", "public.own_id_seq"}


@pytest.mark.parametrize(
    ("about", "said"),
    [
        ({"columns": ["odd.id"], "prefix": "A"}, "'prefix' is not known; give columns, id_range, interleaved"),
        ({"interleaved": "yes"}, "interleaved is 'yes'; give true or false"),
        ({"id_range": [5]}, "give (lowest, highest), two integers"),
        ({"columns": []}, "feeds no column; give at least one"),
        ({"id_range": [1, 9], "columns": ["nope.id"]}, "there is no table nope"),
    ],
)
def test_what_cannot_be_meant_of_a_sequence(about: dict[str, Any], said: str, newest_db: Database) -> None:
    newest_db.execute(NODES)
    with newest_db.connect() as conn, pytest.raises(core.ArgumentError) as refusal:
        core.check(conn, mapping={"odd_seq": about})
    assert said in str(refusal.value)


def test_ids_of_one_call_in_a_column_of_oids(newest_db: Database) -> None:
    newest_db.execute(
        "CREATE SEQUENCE s INCREMENT 5; CREATE TABLE t (id oid PRIMARY KEY); INSERT INTO t VALUES (3), (44)"
    )
    assert repaired(newest_db, {"s": {"column": "t.id", "ids_per_call": 5}}) == {"s": ("behind", 56)}


@pytest.mark.parametrize("increment", [5, -5])
@pytest.mark.parametrize("optimizer", ["pooled", "pooled-lo", "hilo", "legacy-hilo"])
def test_ids_of_one_call_through_an_index_and_without(optimizer: str, increment: int, newest_db: Database) -> None:
    """Both say the same; an index serves the integer column alone."""
    newest_db.execute(f"""
        CREATE SEQUENCE s INCREMENT {increment} MINVALUE -1000 MAXVALUE 1000 START 1;
        CREATE TABLE indexed (id bigint PRIMARY KEY); CREATE TABLE numbers (id numeric)
    """)
    for ids in (
        "1, 2, 17, 44, 45, 46",
        "-3, 0, 5, 700",
        "-9223372036854775808, 9223372036854775807, 12",
        "4990, 993, 8",
    ):
        newest_db.execute(f"""
            TRUNCATE indexed, numbers; INSERT INTO indexed SELECT unnest('{{{ids}}}'::bigint[]);
            INSERT INTO numbers TABLE indexed
        """)
        found = []
        for table in ("indexed", "numbers"):
            column = {"column": f"{table}.id", "ids_per_call": 5, "optimizer": optimizer}
            with newest_db.connect() as conn:
                (row,) = core.check(conn, mapping={"s": [column]}).rows
            found.append((row.verdict, row.furthest_value, row.gap, row.reason and row.reason.replace(table, "table")))
        assert found[0] == found[1], ids


@pytest.mark.parametrize(
    ("optimizer", "said", "figure", "needed"),
    [
        ("pooled", "has reached 10 (pooled: a call must return more than 59)", 10, 59),
        ("pooled-lo", "has reached 10", 10, 10),
        ("hilo", "has reached one of 1 to 50 (hilo: a call must return more than 1)", 1, 1),
        ("legacy-hilo", "has reached one of 0 to 50 (legacy-hilo: a call must return more than 0)", 0, 0),
    ],
)
def test_what_is_said_of_several_ids_per_call(
    optimizer: str, said: str, figure: int, needed: int, newest_db: Database
) -> None:
    """Whoever looks into the table finds the value that is named."""
    newest_db.execute("""
        CREATE TABLE customers (id bigint PRIMARY KEY); INSERT INTO customers VALUES (10);
        CREATE SEQUENCE ids MINVALUE 0 START 0 INCREMENT 50;
    """)
    mapping = {"ids": [{"column": "customers.id", "ids_per_call": 50, "optimizer": optimizer}]}
    with newest_db.connect() as conn:
        report = core.check(conn, mapping=mapping)
    (row,) = report.to_dict()["sequences"]
    assert row["reason"] == f"the next value is 0, and public.customers.id {said}"
    assert (row["furthest_value"], row["needed_value"], row["verdict"]) == (figure, needed, "behind")
    assert f" {figure} " in as_text(report, width=None)
