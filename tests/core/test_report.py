"""What a program asks a report: whether all is well, which rows fail, and that nobody overlooks it."""

from __future__ import annotations

import dataclasses
import inspect
import pickle

import psycopg
import pytest

from airflow_seqfix import core
from airflow_seqfix.core import errors
from tests.support.servers import Database

SHOP = """
    CREATE TABLE orders (id serial PRIMARY KEY);
    INSERT INTO orders SELECT generate_series(1, 60);
    CREATE TABLE customers (id serial PRIMARY KEY);
    INSERT INTO customers SELECT generate_series(1, 12);
    CREATE TABLE empty (id serial PRIMARY KEY)
"""
#: No value is left that fits.
FULL = "CREATE TABLE little (id smallserial PRIMARY KEY); SELECT setval('little_id_seq', 32767)"


@pytest.fixture
def shop(newest_db: Database) -> Database:
    newest_db.execute(SHOP)
    return newest_db


def test_ok_and_raise_for_failing(shop: Database) -> None:
    with shop.connect() as conn:
        report = core.check(conn)
        assert not report.ok
        with pytest.raises(core.DriftError) as caught:
            report.raise_for_failing()
        assert caught.value.report is report
        said = str(caught.value)
        assert said.startswith(f"2 of 3 sequences in database {shop.where} are not in sync\npublic.orders_id_seq (")
        assert "(public.orders.id): behind:\n  the next value is 1, and public.orders.id has reached 60." in said
        assert "\n  Remedy: WITH RECURSIVE" in said

        repaired = core.fix(conn)
        assert repaired.ok
        repaired.raise_for_failing()
        assert core.check(conn, fail_on=[]).ok


def test_ok_follows_what_is_to_fail(shop: Database) -> None:
    with shop.connect() as conn:
        report = core.check(conn, fail_on=[])
        assert report.ok
        report.raise_for_failing()
        assert report.summary["behind"] == 2
        core.fix(conn)
        assert not core.check(conn, tables="orders", min_remaining=2**31).ok


def test_a_missing_privilege(shop: Database) -> None:
    role = shop.role()
    with (
        shop.connect(user=role) as conn,
        pytest.raises(core.PrivilegeError, match=r"3 of 3 .* could not be read") as caught,
    ):
        core.check(conn).raise_for_failing()
    assert isinstance(caught.value, core.FailingError)
    assert "  GRANT SELECT ON SEQUENCE public.customers_id_seq, public.empty_id_seq, public.orders_id_seq" in str(
        caught.value
    )


@pytest.mark.long
def test_a_lock_that_cannot_be_had(shop: Database) -> None:
    shop.execute("ALTER SEQUENCE orders_id_seq CACHE 10")
    with shop.connect() as holder, holder.transaction(), shop.connect() as conn:
        holder.execute("SELECT nextval('orders_id_seq')")
        report = core.fix(conn, tables="orders", lock="sequence")
        with pytest.raises(core.LockTimeoutError, match="orders_id_seq"):
            report.raise_for_failing()


def test_fix_sequence_raises_unless_told_otherwise(shop: Database) -> None:
    shop.execute(FULL)
    with shop.connect() as conn:
        assert core.fix_sequence(conn, "orders").ok
        with pytest.raises(core.DriftError, match="little_id_seq") as caught:
            core.fix_sequence(conn, "little")
        assert caught.value.report.summary["fixed"] == 0
        report = core.fix_sequence(conn, "little", raises=False)
        assert not report.ok
        assert core.fix_sequence(conn, "little", fail_on=["exhausted"], raises=False).failing


def test_rows_answer_what_is_asked_most(shop: Database) -> None:
    with shop.connect() as conn:
        report = core.check(conn)
    assert [(row.sequence, row.verdict, row.gap, row.next_value, row.furthest_value) for row in report] == [
        ("public.orders_id_seq", "behind", 60, 1, 60),
        ("public.customers_id_seq", "behind", 12, 1, 12),
        ("public.empty_id_seq", "in_sync", 0, 1, None),
    ]
    assert list(report) == list(report.sorted_rows)
    assert len(report) == 3
    with shop.connect() as conn:
        plan = core.plan(conn)
    assert [move.target for move in plan] == [60, 12]
    assert len(plan) == 2


def test_truth_is_not_guessed(shop: Database) -> None:
    with shop.connect() as conn:
        for sure in (core.check(conn), core.fix(conn), core.check(conn)):
            with pytest.raises(TypeError, match=r"neither true nor false: ask report\.ok"):
                bool(sure)
        plan = core.plan(conn)
    with pytest.raises(TypeError, match=r"neither true nor false: ask len\(plan\)"):
        assert plan


def test_one_line_says_what_there_is(shop: Database) -> None:
    shop.execute('CREATE TABLE "two\nlines" (id serial)')
    with shop.connect() as conn:
        report = core.check(conn)
        assert repr(report) == f"<Report of {shop.place}: failing, 2 behind, 2 in sync>"
        assert list(map(repr, report)) == [
            "<Row public.orders_id_seq: behind by 60>",
            "<Row public.customers_id_seq: behind by 12>",
            "<Row public.empty_id_seq: in sync>",
            '<Row public."two\\nlines_id_seq": in sync>',
        ]
        assert repr(core.plan(conn)) == f"<Plan of 2 moves, made from {report!r}>"
        repaired = core.fix(conn)
        assert repr(repaired) == f"<Report of {shop.place}: ok, 4 in sync, 2 fixed>"
        assert repr(repaired.rows[0]) == "<Row public.customers_id_seq: fixed>"
        assert (
            repr(core.check(conn, schemas="nothing", allow_empty=True)) == f"<Report of {shop.place}: ok, no sequences>"
        )
    large = dataclasses.replace(report, rows=report.rows * 2_500)
    assert len(large) == 10_000
    assert len(repr(large)) < 100


def test_what_is_raised_can_be_pickled(shop: Database) -> None:
    """For process pools, and for what carries exceptions from one to another."""
    with shop.connect() as conn:
        error = core.check(conn).failure
    again = pickle.loads(pickle.dumps(error))
    assert (type(again), str(again), repr(again.report)) == (type(error), str(error), repr(error.report))


def test_every_error_that_can_reach_a_caller_is_exported() -> None:
    inside = {"StoppedError", "CancelledStatementError", "LostBeforeError"}
    every = {name for name, value in vars(errors).items() if inspect.isclass(value) and issubclass(value, Exception)}
    assert every - inside == {name for name in core.__all__ if name.endswith("Error")}
    assert {name for name in inside if hasattr(core, name)} == set()


def test_run_timeout_before_the_sequences_are_known(shop: Database) -> None:
    with (
        shop.connect() as conn,
        pytest.raises(core.DeadlineError, match="run_timeout=1e-06: the run was not done"),
    ):
        core.check(conn, run_timeout=0.000001)


def test_catalogs_that_cannot_be_read(shop: Database) -> None:
    with shop.connect() as holder, holder.transaction(), shop.connect() as conn:
        holder.execute("LOCK pg_catalog.pg_sequence")
        with pytest.raises(core.CatalogError, match="the catalogs could not be read"):
            core.check(conn, lock_timeout=0.05)


def test_what_a_lost_connection_says(shop: Database) -> None:
    with pytest.raises(core.ConnectionFailedError):
        core.check(lambda: psycopg.connect("host=127.0.0.1 port=1 connect_timeout=2"))
