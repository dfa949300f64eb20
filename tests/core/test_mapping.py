"""What the user says and no catalog shows: columns that a sequence feeds, and values that are its own."""

from __future__ import annotations

from typing import Any

import pytest

from airflow_seqfix import core
from tests.support.servers import Database

HIBERNATE = """
    CREATE SEQUENCE hibernate_sequence;
    CREATE TABLE orders (id bigint PRIMARY KEY, note text, day date);
    CREATE TABLE "Invoices" ("Nr" integer PRIMARY KEY);
    INSERT INTO orders VALUES (40);
    INSERT INTO "Invoices" VALUES (55);
"""


def only(db: Database, **options: Any) -> dict[str, Any]:
    with db.connect() as conn:
        (row,) = core.check(conn, allow_empty=True, **options).rows
    return row.to_dict()


def test_unmapped_it_is_listed(db: Database) -> None:
    db.execute(HIBERNATE)
    row = only(db)
    assert (row["verdict"], row["reason"]) == ("skipped", "no column draws from it")


def test_the_furthest_of_all_mapped_columns_counts(db: Database) -> None:
    db.execute(HIBERNATE)
    mapping = {"hibernate_sequence": ["orders.id", 'public."Invoices"."Nr"']}
    row = only(db, mapping=mapping)
    assert (row["verdict"], row["furthest_value"], row["furthest_column"]) == ("behind", 55, 'public."Invoices"."Nr"')
    assert row["remaining"] == 2147483647
    with db.connect() as conn:
        core.fix(conn, mapping=mapping)
    assert db.value("SELECT nextval('hibernate_sequence')") == 56
    assert only(db, mapping=mapping)["verdict"] == "in_sync"


def test_a_mapping_explains_a_wrapped_default(db: Database) -> None:
    db.execute("CREATE SEQUENCE s; CREATE TABLE t (id bigint DEFAULT nextval('s') * 1); INSERT INTO t VALUES (9)")
    assert only(db)["verdict"] == "skipped"
    assert only(db, mapping={"s": "t.id"})["verdict"] == "behind"


def test_columns_of_the_catalog_stay(db: Database) -> None:
    db.execute("CREATE TABLE t (id serial PRIMARY KEY, n integer); INSERT INTO t VALUES (5, 90)")
    row = only(db, mapping={"t_id_seq": ["t.n"]})
    assert (row["columns"], row["furthest_value"]) == (["public.t.id", "public.t.n"], 90)


@pytest.mark.parametrize(
    ("mapping", "said"),
    [
        (
            {"hibernate_sequenz": ["orders.id"]},
            "no sequence hibernate_sequenz; did you mean public.hibernate_sequence?",
        ),
        ({"hibernate_sequence": ["order.id"]}, "there is no table order; did you mean public.orders?"),
        ({"hibernate_sequence": ["orders.nr"]}, "public.orders has no column nr; its columns are id, note, day"),
        ({"hibernate_sequence": ["id"]}, "'id' is not a column; give table.column"),
        ({"hibernate_sequence": ["orders.*"]}, r"'orders.\*' is not a column"),
        ({"hibernate_sequence": []}, "feeds no column"),
        ({"hib*": ["orders.id"]}, "is a pattern; name one sequence"),
        ({"twice": ["orders.id"]}, r"twice could be a.twice, b.twice; write the schema"),
        ({"hibernate_sequence": ["late.id"]}, "public.late is a view, and may not show all rows; name the columns"),
        ({"hibernate_sequence": ["orders.day"]}, "public.orders.day is of type date, which cannot be compared"),
        (["hibernate_sequence"], "mapping="),
        ({"hibernate_sequence": 5}, r"'hibernate_sequence' has 5; give a column, or a list"),
        ({"hibernate_sequence": {"columns": True}}, r"'hibernate_sequence' has True; give a column, or a list"),
        ({"hibernate_sequence": [5]}, "5 is not a name"),
    ],
)
def test_a_mapping_that_means_nothing(mapping: Any, said: str, newest_db: Database) -> None:
    newest_db.execute(f"{HIBERNATE}; CREATE VIEW late AS SELECT id FROM orders WHERE id > 7")
    newest_db.execute("CREATE SCHEMA a CREATE SEQUENCE twice; CREATE SCHEMA b CREATE SEQUENCE twice;")
    with newest_db.connect() as conn, pytest.raises(core.ArgumentError, match=said):
        core.check(conn, mapping=mapping)


TWO_WRITERS = """
    CREATE TABLE t (id serial PRIMARY KEY, note text);
    INSERT INTO t (id) VALUES (120), (1_BILLION);
""".replace("1_BILLION", "1000000000")


def test_rows_of_other_writers_do_not_count(db: Database) -> None:
    db.execute(TWO_WRITERS)
    row = only(db, id_range={"t_id_seq": (1, 999_999)})
    assert (row["verdict"], row["furthest_value"], row["gap"]) == ("behind", 120, 120)
    with db.connect() as conn:
        core.fix(conn, id_range={"public.t_id_seq": (1, 999_999)})
    assert db.value("INSERT INTO t (note) VALUES ('') RETURNING id") == 121


@pytest.mark.parametrize("lock", ["none", "sequence"])
def test_a_next_value_before_the_range_goes_into_it(lock: str, db: Database) -> None:
    db.execute("CREATE TABLE t (id serial PRIMARY KEY, note text)")
    options: dict[str, Any] = {"id_range": {"t_id_seq": (1000, 1999)}, "lock": lock}
    row = only(db, **options)
    assert (row["verdict"], row["gap"]) == ("behind", 999)
    assert row["reason"] == "the next value is 1, and its own values are 1000 to 1999"
    with db.connect() as conn:
        assert core.fix(conn, **options).summary["verified"] == 1
    assert db.value("INSERT INTO t (note) VALUES ('') RETURNING id") == 1000


def test_a_next_value_beyond_the_range_is_exhausted(db: Database) -> None:
    db.execute("CREATE TABLE t (id serial PRIMARY KEY, note text); SELECT setval('t_id_seq', 1999)")
    row = only(db, id_range={"t_id_seq": (1000, 1999)})
    assert (row["verdict"], row["remaining"]) == ("exhausted", 0)
    assert row["cure"] == (
        "a larger id_range, agreed with the other writers; or ALTER SEQUENCE public.t_id_seq RESTART WITH 1000; -- "
        "where nothing refers to ids from there on that were given out before"
    )


def test_a_descending_range(db: Database) -> None:
    db.execute("CREATE TABLE t (id int GENERATED BY DEFAULT AS IDENTITY (INCREMENT -1), note text)")
    db.execute("INSERT INTO t (id) SELECT -n FROM generate_series(100, 150) AS n; INSERT INTO t (id) VALUES (-5000)")
    options: dict[str, Any] = {"id_range": {"t_id_seq": (-199, -100)}}
    with db.connect() as conn:
        assert core.fix(conn, **options).summary["verified"] == 1
    assert db.value("INSERT INTO t (note) VALUES ('') RETURNING id") == -151


@pytest.mark.parametrize("bounds", [(5, 1), (1,), "1:5", (1, "5"), (True, 5), None])
def test_a_range_that_is_none(bounds: Any, newest_db: Database) -> None:
    newest_db.execute("CREATE SEQUENCE s")
    with newest_db.connect() as conn, pytest.raises(core.ArgumentError, match="give \\(lowest, highest\\)"):
        core.check(conn, id_range={"s": bounds})


@pytest.mark.parametrize("id_range", [(3_000_000_000, 4_000_000_000), (-50, -1)])
def test_a_range_that_it_cannot_hold_is_refused(id_range: tuple[int, int], newest_db: Database) -> None:
    newest_db.execute("CREATE TABLE t (id serial PRIMARY KEY, note text)")
    with newest_db.connect() as conn, pytest.raises(core.ArgumentError, match="can hold are 1 to 2147483647"):
        core.fix(conn, id_range={"t_id_seq": id_range})
    assert newest_db.value("INSERT INTO t (note) VALUES ('') RETURNING id") == 1


def test_two_ranges_for_one_sequence(newest_db: Database) -> None:
    newest_db.execute("CREATE SEQUENCE s")
    with newest_db.connect() as conn, pytest.raises(core.ArgumentError, match="has two ranges"):
        core.check(conn, id_range={"s": (1, 5), "public.s": (6, 9)})
