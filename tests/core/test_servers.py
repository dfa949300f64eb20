"""What is refused, and in which words."""

from __future__ import annotations

import psycopg
import pytest

from airflow_seqfix import core
from airflow_seqfix.core.discover.catalog import refuse_other_products
from tests.support.servers import Database


@pytest.mark.parametrize(
    ("banner", "said"),
    [
        (
            "PostgreSQL 8.0.2 on i686-pc-linux-gnu, compiled by GCC gcc (GCC) 3.4.2, Redshift 1.0.77467",
            "this is Amazon Redshift, not PostgreSQL",
        ),
        ("CockroachDB CCL v24.1.0 (x86_64-pc-linux-gnu, built 2024/05/15)", "this is CockroachDB, not PostgreSQL"),
        ("PostgreSQL 15.2-YB-2.25.0.0-b0 on x86_64-pc-linux-gnu", "this is YugabyteDB, not PostgreSQL"),
        ("PostgreSQL 12.22 on x86_64-pc-linux-gnu", "this is PostgreSQL 12, and 13 or later is needed"),
        ("H2 2.2.224", "this is not PostgreSQL: it calls itself 'H2 2.2.224'"),
    ],
)
def test_other_products_are_refused(banner: str, said: str) -> None:
    with pytest.raises(core.UnsupportedServerError) as failure:
        refuse_other_products(banner)
    assert str(failure.value).startswith(said)
    assert str(failure.value).endswith("nothing was read or written")


def test_this_server_is_not_refused(db: Database) -> None:
    refuse_other_products(db.value("SELECT version()"))
    refuse_other_products("PostgreSQL 19beta1 on x86_64-pc-linux-gnu")


def test_a_connection_inside_a_transaction(db: Database) -> None:
    with psycopg.connect(db.dsn) as conn:
        conn.execute("SELECT 1")
        with pytest.raises(core.ArgumentError, match="inside a transaction: commit or roll back first"):
            core.check(conn)
        assert conn.info.transaction_status == psycopg.pq.TransactionStatus.INTRANS, "it stays the caller's"


def test_a_closed_connection(db: Database) -> None:
    conn = db.connect()
    conn.close()
    with pytest.raises(core.ArgumentError, match="the connection is closed"):
        core.check(conn)


def test_an_unknown_option(db: Database) -> None:
    with db.connect() as conn, pytest.raises(core.ArgumentError, match="unknown option tabels"):
        core.check(conn, tabels=["orders"])
