"""Each example DAG, run by Airflow's own command as a reader would run it."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from subprocess import CompletedProcess

import pytest

from tests.conftest import Database, Server, database_on
from tests.provider.conftest import ROOT, airflow_uri

Airflow = Callable[..., CompletedProcess[str]]


@pytest.fixture(scope="module")
def database(start_server: Callable[[str], Server]) -> Iterator[Database]:
    """One database for all of them: the first one loads the shop."""
    with database_on(start_server("pg18")) as database:
        yield database


def run(
    airflow: Airflow, database: Database, dag_id: str, conf: dict[str, object] | None = None
) -> CompletedProcess[str]:
    arguments = ["--conf", json.dumps(conf)] if conf else []
    return airflow("dags", "test", dag_id, *arguments, AIRFLOW_CONN_POSTGRES_DEFAULT=airflow_uri(database))


def test_all_examples_are_run_here() -> None:
    names = {path.stem for path in (ROOT / "example_dags").glob("*.py")}
    assert names == {"example_seqfix_load", "example_seqfix_gate", "example_seqfix_manual"}


def test_load_then_reset(airflow: Airflow, database: Database) -> None:
    done = run(airflow, database, "example_seqfix_load")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "4 sequences in database" in done.stdout
    # The last task has inserted one row into each table; here is the next one.
    assert database.value("INSERT INTO shop.customers (name) VALUES ('x') RETURNING id") == 14
    assert (
        database.value("INSERT INTO shop.orders (customer_id, placed_on, total) VALUES (1, now(), 1) RETURNING id")
        == 62
    )
    assert database.value("INSERT INTO shop.credit_notes (order_id) VALUES (1) RETURNING number") == 1065
    assert (
        database.value("INSERT INTO shop.page_views (viewed_at, path) VALUES ('2026-12-01', '/') RETURNING id") == 202
    )


def test_gate(airflow: Airflow, database: Database) -> None:
    done = run(airflow, database, "example_seqfix_gate")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "4 sequences checked" in done.stdout


def test_manual_check_plan_repair(airflow: Airflow, database: Database) -> None:
    database.execute("SELECT setval('shop.customers_id_seq', 3)")
    checked = run(airflow, database, "example_seqfix_manual", {"mode": "check", "schemas": ["shop"]})
    assert checked.returncode != 0
    assert "shop.customers_id_seq (shop.customers.id): behind: the next value is 4" in checked.stdout + checked.stderr

    planned = run(airflow, database, "example_seqfix_manual", {"mode": "plan", "tables": ["customers"]})
    assert planned.returncode == 0, planned.stdout + planned.stderr
    assert database.state("shop.customers_id_seq")[:2] == (3, True)
    assert "generate_series(1, 11)" in planned.stdout

    repaired = run(airflow, database, "example_seqfix_manual", {"mode": "repair"})
    assert repaired.returncode == 0, repaired.stdout + repaired.stderr
    assert database.value("INSERT INTO shop.customers (name) VALUES ('y') RETURNING id") == 15


def test_manual_form_refuses_bad_input(airflow: Airflow, database: Database) -> None:
    done = run(airflow, database, "example_seqfix_manual", {"mode": "destroy"})
    assert done.returncode != 0
    assert re.search(r"destroy.+is not one of", done.stdout + done.stderr)
    elsewhere = run(airflow, database, "example_seqfix_manual", {"conn_id": "some_other_database"})
    assert elsewhere.returncode != 0
    assert re.search(r"some_other_database.+is not one of", elsewhere.stdout + elsewhere.stderr)
