"""Errors say in fields what a program has to know: the option, what was looked for, what there is, what helps."""

from __future__ import annotations

import pickle

import pytest

from airflow_seqfix import core
from airflow_seqfix.core import errors
from tests.support.servers import Database


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (
            core.ArgumentError("the connection is closed", remedy="pass an open one"),
            "the connection is closed: pass an",
        ),
        (core.ArgumentError(option="margin", value=-1, remedy="give 0"), "margin=-1: give 0"),
        (core.ArgumentError(option="tables", value=None, remedy="give names"), "tables=None: give names"),
        (
            core.ArgumentError("'x' is not a column", option="mapping", remedy="give one"),
            "mapping: 'x' is not a column; give",
        ),
        (
            core.SelectionError("nothing", remedy="leave it out", allowed_by="allow_empty"),
            "nothing: leave it out, or set allow",
        ),
        (core.SeqfixError("just this"), "just this"),
    ],
)
def test_the_sentence_is_made_of_the_fields(error: core.SeqfixError, said: str) -> None:
    assert str(error).startswith(said)
    again = pickle.loads(pickle.dumps(error))
    assert (str(again), again.option, again.remedy) == (str(error), error.option, error.remedy)


def test_what_a_retry_mends() -> None:
    hopeless = {core.ArgumentError, core.SelectionError, core.UnsupportedServerError}
    assert not any(kind.retryable for kind in hopeless)
    assert core.ConnectionFailedError.retryable
    assert errors.CatalogError.retryable


@pytest.mark.parametrize(
    ("options", "option", "missing", "near"),
    [
        ({"tables": ["customer"]}, "tables", "customer", ("shop.customers",)),
        ({"tables": ["warehouse"]}, "tables", "warehouse", ()),
        ({"columns": ["shop.customer.id"]}, "columns", "shop.customer", ("shop.customers",)),
        ({"columns": ["idd"]}, "columns", "idd", ("id",)),
        ({"sequences": ["customers_seq"]}, "sequences", "customers_seq", ("shop.customers_id_seq",)),
        ({"schemas": ["shopp"]}, "schemas", "shopp", ("shop",)),
        ({"exclude": ["nothing"]}, "exclude", "nothing", ()),
        ({"mapping": {"shop.customers_id_seq": ["shop.nothing.id"]}}, "mapping", "shop.nothing", ()),
        ({"id_range": {"nothing": (1, 2)}}, "id_range", "nothing", ()),
    ],
)
def test_names_that_are_not_there(
    db: Database, options: dict[str, object], option: str, missing: str, near: tuple[str, ...]
) -> None:
    db.execute("CREATE SCHEMA shop CREATE TABLE customers (id serial PRIMARY KEY)")
    with db.connect() as conn, pytest.raises(core.SelectionError) as refused:
        core.check(conn, **options)  # type: ignore[arg-type]
    error = refused.value
    assert (error.option, error.missing) == (option, missing)
    assert error.candidates is not None
    assert error.candidates.near == near
    assert error.candidates.known
    assert str(error).startswith(f"{option}: ")


def test_what_is_excluded_need_not_be_there_where_nothing_is(db: Database) -> None:
    with db.connect() as conn:
        assert core.check(conn, exclude=["nothing"], allow_empty=True).summary["in_sync"] == 0
        db.execute("CREATE TABLE orders (id serial)")
        with pytest.raises(core.SelectionError, match="exclude: there is no sequence nothing"):
            core.check(conn, exclude=["nothing"], allow_empty=True)


@pytest.mark.parametrize(
    ("missing", "near"),
    [
        ("tenant_5.invoice", ("tenant_5.invoices",)),
        ("tenant_5.order", ("tenant_5.orders",)),
        ("tenant_5x.invoices", ("tenant_5.invoices",)),
        ("tenant_7.invoices", ("tenant_7.invoices_old",)),
        ("sales.orders", ("tenant_0.orders", "tenant_1.orders", "tenant_2.orders")),
    ],
)
def test_the_schema_that_was_named_counts_first(missing: str, near: tuple[str, ...], newest_db: Database) -> None:
    tables = "CREATE TABLE orders (id serial) CREATE TABLE invoices (id serial)"
    newest_db.execute("".join(f"CREATE SCHEMA tenant_{i} {tables};" for i in range(7)))
    newest_db.execute("CREATE SCHEMA tenant_7 CREATE TABLE invoices_old (id serial)")
    with newest_db.connect() as conn, pytest.raises(core.SelectionError) as refused:
        core.check(conn, tables=missing)
    assert refused.value.candidates is not None
    assert refused.value.candidates.near[: len(near)] == near
