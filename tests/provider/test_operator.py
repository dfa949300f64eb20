"""The operator, on PostgresHook, against real servers; its life as a task in dag.test()."""

from __future__ import annotations

import inspect
import json
import logging
import os
import threading
from collections.abc import Callable
from typing import Any

import pytest

from airflow_seqfix.core import ConnectionFailedError, LockTimeoutError
from tests.support.airflow import airflow_uri
from tests.support.servers import Database, Server, database_on
from tests.support.tasks import DRIFT, MANY, Pushed, operator
from tests.support.waiting import until


def test_repairs_and_reports(shop: Database, caplog: pytest.LogCaptureFixture) -> None:
    shop.execute(DRIFT)
    task = operator()
    with caplog.at_level(logging.INFO):
        report = task.execute({"ti": Pushed()})
    assert report["summary"] == {
        "checked": 3,
        "in_sync": 3,
        "behind": 0,
        "exhausted": 0,
        "unknown": 0,
        "skipped": 0,
        "undrawn": 0,
        "fixed": 2,
        "verified": 2,
        "failed": 0,
    }
    assert {row["sequence"] for row in report["sequences"]} == {"public.orders_id_seq", "public.customers_id_seq"}
    assert json.loads(json.dumps(report)) == report
    assert shop.value("INSERT INTO orders (note) VALUES ('') RETURNING id") == 101
    assert shop.value("INSERT INTO customers (note) VALUES ('') RETURNING id") == 8
    assert shop.value("INSERT INTO fine (note) VALUES ('') RETURNING id") == 1


def test_the_other_side_of_a_cutover(shop: Database, newest_server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    from tests.support.sdk import AirflowFailException

    shop.execute(DRIFT)
    with database_on(newest_server) as old:
        old.execute("CREATE SCHEMA app; SET search_path = app;" + DRIFT)
        old.execute("SELECT setval('app.orders_id_seq', 700)")
        monkeypatch.setenv("AIRFLOW_CONN_OLD", airflow_uri(old))
        with pytest.raises(AirflowFailException, match="has none of the 3 sequences here"):
            operator(source_conn_id="old").execute({"ti": Pushed()})
        task = operator(source_conn_id="old", source_schemas='{"public": "app"}')
        report = task.execute({"ti": Pushed()})
        assert report["source"]["database"] == old.name
        assert {row["sequence"]: row["source_next_value"] for row in report["sequences"]}["public.orders_id_seq"] == 701
        assert shop.value("INSERT INTO orders (note) VALUES ('') RETURNING id") == 701
    with pytest.raises(ConnectionFailedError, match=r"^source: conn_id='old' does not connect"):
        task.execute({"ti": Pushed()})
    for arguments, said in (
        ({"source_schemas": {"public": "app"}}, "source_schemas is for a source: give source_conn_id as well"),
        ({"source_conn_id": ""}, "source_conn_id is '', perhaps from a template: name an Airflow connection"),
    ):
        with pytest.raises(ValueError, match=said):
            operator(**arguments)


def test_second_run_changes_nothing(shop: Database) -> None:
    shop.execute(DRIFT)
    operator().execute({"ti": Pushed()})
    state = shop.state("orders_id_seq")
    report = operator().execute({"ti": Pushed()})
    assert shop.state("orders_id_seq") == state
    assert report["sequences"] == []
    assert report["summary"]["fixed"] == 0


def test_dry_run_writes_nothing_and_does_not_fail(shop: Database) -> None:
    shop.execute(DRIFT)
    state = shop.state("orders_id_seq")
    ti = Pushed()
    report = operator(dry_run=True).execute({"ti": ti})
    assert shop.state("orders_id_seq") == state
    assert report["summary"]["behind"] == 2
    assert report["move_count"] == len(report["moves"]) == 2
    for said in ("orders", "100", "customers", "7"):
        assert said in ti.xcoms["markdown"]
    operator().execute({"ti": Pushed()})
    assert operator(dry_run=True).execute({"ti": ti})["move_count"] == 0
    assert "orders" not in ti.xcoms["markdown"]


@pytest.mark.parametrize(
    "tables",
    [
        "orders, customers",
        '["orders", "customers"]',
        "['orders', 'customers']",
        ["orders", "customers"],
        ("orders", "customers"),
    ],
)
def test_lists_as_templates_yield_them(tables: Any, shop: Database) -> None:
    shop.execute(DRIFT)
    report = operator(tables=tables).execute({"ti": Pushed()})
    assert report["summary"]["checked"] == 2


def test_margin_and_lock_from_a_form(shop: Database, run_dag: Callable[..., Any]) -> None:
    from airflow_seqfix.operators.postgres import PostgresSequenceResetOperator
    from tests.support.sdk import DAG

    shop.execute(DRIFT)
    with DAG(dag_id="from_a_form", schedule=None, params={"margin": 0, "lock": "auto"}) as dag:
        form = {"margin": dag.param("margin"), "lock": dag.param("lock")}
        PostgresSequenceResetOperator(task_id="reset", conn_id="shop", tables=["orders"], **form)
    run = run_dag(dag, run_conf={"margin": 10, "lock": "sequence"})
    assert run.state == "success"
    (row,) = run.get_task_instance("reset").xcom_pull(task_ids="reset")["sequences"]
    assert (row["way"], row["after"]["next_value"]) == ("locked", 111)


def test_margin_as_a_template_yields_it(shop: Database) -> None:
    shop.execute(DRIFT)
    operator(margin=" 10 ").execute({"ti": Pushed()})
    assert shop.state("orders_id_seq")[0] == 110


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"tables": ["order"]}, "tables: there is no table order; did you mean public.orders?"),
        (
            {"columns": ["orders.nr"]},
            (
                "columns: no column orders.nr of public.orders is known to draw from a sequence; its columns are id, "
                "note; seqfix suggest says which sequence may be theirs"
            ),
        ),
        ({"schemas": ["publik"]}, "schemas: no schema publik has a sequence; did you mean public?"),
        (
            {"tables": ["orders"], "sequences": ["orders_seq"]},
            "sequences: there is no sequence orders_seq; did you mean public.orders_id_seq?",
        ),
        (
            {"tables": ["nothing_*"]},
            "tables: there is no table nothing_*; there are public.customers, public.fine, public.orders",
        ),
        (
            {"schemas": ["public"], "tables": ["orders"], "columns": ["fine.id"]},
            "no sequence matches schemas and tables and columns",
        ),
    ],
)
def test_names_that_match_nothing_fail_without_retry(arguments: dict[str, Any], said: str, shop: Database) -> None:
    from tests.support.sdk import AirflowFailException

    shop.execute(DRIFT)
    state = shop.state("orders_id_seq")
    with pytest.raises(AirflowFailException) as failure:
        operator(**arguments).execute({"ti": Pushed()})
    assert str(failure.value).startswith(said)
    assert shop.state("orders_id_seq") == state


def test_the_log_of_a_plan_says_where_each_sequence_would_go(
    shop: Database, capsys: pytest.CaptureFixture[str]
) -> None:
    shop.execute(DRIFT)
    ti = Pushed()
    task = operator(dry_run=True)
    capsys.readouterr()
    task.execute({"ti": ti})
    lines = capsys.readouterr().out.splitlines()
    row = next(line for line in lines if " behind " in line and " public.orders_id_seq " in line)
    assert "  101  advance" in row
    assert len(lines) < 15
    assert not [line for line in lines if "nextval(" in line or "DO $" in line]
    # The SQL is there for whoever wants it.
    assert "XCom `sql` of task `reset`" in ti.xcoms["markdown"]
    assert ti.xcoms["sql"].count(" AS in_sync") == 2


def test_the_sql_of_a_long_plan_is_left_out(shop: Database) -> None:
    shop.execute(MANY.replace("60", "300"))
    ti = Pushed()
    assert operator(dry_run=True).execute({"ti": ti})["move_count"] == 300
    assert "sql" not in ti.xcoms
    assert "XCom" not in ti.xcoms["markdown"]


def test_a_plan_without_moves_is_applied_in_a_line(shop: Database, capsys: pytest.CaptureFixture[str]) -> None:
    shop.execute(DRIFT)
    operator().execute({"ti": Pushed()})
    plan = operator(dry_run=True).execute({"ti": (ti := Pushed())})
    assert "sql" not in ti.xcoms
    task = operator(plan=plan)
    capsys.readouterr()
    assert task.execute({"ti": Pushed()})["summary"]["checked"] == 0
    said = capsys.readouterr().out
    assert "The plan has no moves: nothing was changed" in said
    assert "no sequences to look at" not in said
    assert "::group::" not in said


def test_the_log_says_where_the_rest_is_explained(shop: Database, capsys: pytest.CaptureFixture[str]) -> None:
    from airflow_seqfix.operators.postgres import PostgresSequenceCheckOperator
    from tests.support.sdk import AirflowFailException

    shop.execute(MANY)
    with pytest.raises(AirflowFailException):
        PostgresSequenceCheckOperator(task_id="check", conn_id="shop").execute({"ti": Pushed()})
    assert "50 more are explained in a report: give report_path." in capsys.readouterr().out


def test_what_cannot_be_moved_fails_after_the_rest_is_done(shop: Database) -> None:
    from tests.support.sdk import AirflowFailException

    shop.execute(DRIFT + "CREATE TABLE full_up (id smallint DEFAULT 1); CREATE SEQUENCE full_seq OWNED BY full_up.id;")
    shop.execute("ALTER TABLE full_up ALTER id SET DEFAULT nextval('full_seq'); SELECT setval('full_seq', 32767);")
    ti = Pushed()
    with pytest.raises(AirflowFailException) as failure:
        operator().execute({"ti": ti})
    assert "public.full_seq" in str(failure.value)
    assert ti.xcoms["return_value"]["summary"]["fixed"] == 2
    assert shop.value("INSERT INTO orders (note) VALUES ('') RETURNING id") == 101


def test_a_lock_that_cannot_be_had_is_worth_a_retry(shop: Database) -> None:
    shop.execute(DRIFT)
    with shop.connect() as writer:
        writer.execute("BEGIN; SELECT nextval('orders_id_seq')")
        with pytest.raises(LockTimeoutError, match=r"public\.orders_id_seq"):
            operator(lock="sequence").execute({"ti": Pushed()})
        writer.execute("ROLLBACK")
    assert shop.value("INSERT INTO customers (note) VALUES ('') RETURNING id") == 8
    assert operator(lock="sequence").execute({"ti": Pushed()})["summary"]["fixed"] == 1


def test_mapping_and_id_range(shop: Database) -> None:
    shop.execute(
        "CREATE SEQUENCE hibernate_sequence; CREATE TABLE a (id bigint PRIMARY KEY); INSERT INTO a VALUES (70)"
    )
    report = operator(
        mapping='{"hibernate_sequence": ["a.id"]}',
        id_range={"hibernate_sequence": [50, 999]},
        sequences="hibernate_sequence",
    ).execute({"ti": Pushed()})
    assert report["sequences"][0]["columns"] == ["public.a.id"]
    assert shop.value("SELECT nextval('hibernate_sequence')") == 71


def test_unknown_connection(monkeypatch: pytest.MonkeyPatch, airflow_home: Any) -> None:
    monkeypatch.delenv("AIRFLOW_CONN_SHOP", raising=False)
    with pytest.raises(ConnectionFailedError, match="conn_id='shop' is not defined"):
        operator().execute({"ti": Pushed()})


def test_wrong_connection_type(monkeypatch: pytest.MonkeyPatch) -> None:
    from tests.support.sdk import AirflowFailException

    monkeypatch.setenv("AIRFLOW_CONN_SHOP", "mysql://somebody@127.0.0.1/shop")
    with pytest.raises(AirflowFailException, match="of type 'mysql': a connection of type postgres is needed"):
        operator().execute({"ti": Pushed()})


@pytest.mark.parametrize(
    "override",
    [{"port": "1"}, {"dbname": "no_such_database"}, {"user": "no_such_role"}, {"host": "no-such-host.invalid"}],
)
def test_no_connection_is_one_line_without_a_password(
    override: dict[str, str], newest_db: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AIRFLOW_CONN_SHOP", airflow_uri(newest_db, password="s3cr3t-word", **override))
    with pytest.raises(ConnectionFailedError) as failure:
        operator().execute({"ti": Pushed()})
    said = str(failure.value)
    assert "\n" not in said
    assert "s3cr3t-word" not in said
    assert failure.value.__cause__ is None
    for value in override.values():
        assert value in said


def test_application_name_tells_the_task(shop: Database) -> None:
    shop.execute(DRIFT)
    # The repair of this sequence waits for the writer's transaction: time enough to look.
    with shop.connect() as writer, shop.connect() as watcher:
        writer.execute("BEGIN; SELECT nextval('orders_id_seq')")
        seen: set[str] = set()
        done = threading.Event()

        def watch() -> None:
            while not done.is_set():
                seen.update(
                    name for (name,) in watcher.execute("SELECT application_name FROM pg_stat_activity").fetchall()
                )

        thread = threading.Thread(target=watch)
        thread.start()
        with pytest.raises(LockTimeoutError):
            operator(lock="sequence", tables=["orders"]).execute({"ti": Pushed()})
        done.set()
        thread.join()
    assert "dag.task run" in seen


def test_in_a_dag_twice(shop: Database, run_dag: Callable[..., Any]) -> None:
    from airflow_seqfix.operators.postgres import PostgresSequenceResetOperator
    from tests.support.sdk import DAG

    shop.execute(DRIFT)
    with DAG(dag_id="twice", schedule=None) as dag:
        first = PostgresSequenceResetOperator(task_id="first", conn_id="shop", schemas="{{ ['public'] | tojson }}")
        second = PostgresSequenceResetOperator(task_id="second", conn_id="{{ 'shop' }}")
        first >> second
    run = run_dag(dag)
    assert run.state == "success"
    instances = {instance.task_id: instance for instance in run.get_task_instances()}
    first_report = instances["first"].xcom_pull(task_ids="first")
    second_report = instances["second"].xcom_pull(task_ids="second")
    assert first_report["summary"]["fixed"] == 2
    assert second_report["summary"]["fixed"] == 0
    assert second_report["sequences"] == []
    assert shop.value("INSERT INTO orders (note) VALUES ('') RETURNING id") == 101


def test_arguments_are_the_options_of_the_table() -> None:
    from airflow_seqfix.operators.postgres import PostgresSequenceResetOperator
    from airflow_seqfix.options import OPTIONS
    from airflow_seqfix.task.base import SequenceTask

    arguments: dict[str, inspect.Parameter] = {}
    for kind in (SequenceTask, PostgresSequenceResetOperator):
        arguments |= inspect.signature(kind.__init__).parameters
    taken = {name: arguments[name].default for name in OPTIONS if name != "application_name"}
    # A dictionary would be shared by all tasks.
    assert {
        name: {} if default is None and OPTIONS[name].default == {} else default for name, default in taken.items()
    } == {name: OPTIONS[name].default for name in taken}


def test_a_plan_from_an_earlier_task(shop: Database, run_dag: Callable[..., Any]) -> None:
    from airflow_seqfix.operators.postgres import PostgresSequenceResetOperator
    from tests.support.sdk import DAG

    shop.execute(DRIFT)
    with DAG(dag_id="planned", schedule=None) as dag:
        plan = PostgresSequenceResetOperator(task_id="plan", conn_id="shop", tables=["orders"], dry_run=True)
        PostgresSequenceResetOperator(task_id="apply", conn_id="shop", plan=plan.output)
    run = run_dag(dag)
    assert run.state == "success"
    report = next(i for i in run.get_task_instances() if i.task_id == "apply").xcom_pull(task_ids="apply")
    assert [row["sequence"] for row in report["sequences"]] == ["public.orders_id_seq"]
    assert shop.value("INSERT INTO orders (note) VALUES ('') RETURNING id") == 101
    assert shop.state("customers_id_seq")[:2] == (1, False)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"plan": "{}"}, "plan: this is not a plan"),
        ({"plan": "not json"}, "plan is 'not json', which is not JSON"),
        ({"plan": {"moves": [], "plan_version": 1, "moves_left_out": 2}}, "plan: it was cut short"),
        (
            {"plan": {"moves": [], "plan_version": 1, "options": {}, "database": "elsewhere"}},
            "margin=0: the plan was made with None; give the same",
        ),
    ],
)
def test_what_is_no_plan_fails_without_retry(arguments: dict[str, Any], said: str, shop: Database) -> None:
    from tests.support.sdk import AirflowFailException

    with pytest.raises(AirflowFailException) as failure:
        operator(**arguments).execute({"ti": Pushed()})
    assert str(failure.value).startswith(said)


def test_the_check_operator(shop: Database) -> None:
    from airflow_seqfix.core import DriftError
    from airflow_seqfix.operators.postgres import PostgresSequenceCheckOperator
    from tests.support.sdk import AirflowFailException

    shop.execute(DRIFT)
    state = shop.state("orders_id_seq")
    ti = Pushed()
    with pytest.raises(AirflowFailException, match=r"public\.orders_id_seq \(public\.orders\.id\): behind"):
        PostgresSequenceCheckOperator(task_id="check", conn_id="shop").execute({"ti": ti})
    assert ti.xcoms["return_value"]["summary"]["behind"] == 2
    with pytest.raises(DriftError):
        PostgresSequenceCheckOperator(task_id="check", conn_id="shop", retry_on_drift=True).execute({"ti": ti})
    assert shop.state("orders_id_seq") == state
    operator().execute({"ti": ti})
    report = PostgresSequenceCheckOperator(task_id="check", conn_id="shop").execute({"ti": ti})
    assert report["summary"]["in_sync"] == 3


def test_a_plan_that_comes_to_nothing_is_no_repair_of_everything(shop: Database, run_dag: Callable[..., Any]) -> None:
    from airflow_seqfix.operators.postgres import PostgresSequenceResetOperator
    from tests.support.sdk import DAG, task

    shop.execute(DRIFT)
    with DAG(dag_id="no_plan", schedule=None) as dag:

        @task
        def forget() -> None:
            """Return no plan."""

        PostgresSequenceResetOperator(task_id="apply", conn_id="shop", plan=forget())
    run = run_dag(dag)
    assert run.state == "failed"
    assert shop.state("orders_id_seq")[:2] == (1, False)


def test_mapped_over_schemas_and_fed_by_a_mapped_task(shop: Database, run_dag: Callable[..., Any]) -> None:
    from airflow_seqfix.operators.postgres import PostgresSequenceResetOperator
    from tests.support.sdk import DAG, task

    shop.execute(DRIFT)
    with DAG(dag_id="mapped", schedule=None, default_args={"conn_id": "shop"}) as dag:

        @task
        def loaded(table: str) -> str:
            return table

        PostgresSequenceResetOperator(task_id="fed", tables=loaded.expand(table=["orders", "customers"]))
        PostgresSequenceResetOperator.partial(task_id="each").expand(tables=[["orders"], ["customers"]])
    run = run_dag(dag)
    assert run.state == "success", [(i.task_id, i.map_index, i.state) for i in run.get_task_instances()]
    assert shop.value("INSERT INTO orders (note) VALUES ('') RETURNING id") == 101


def test_a_table_that_is_locked_for_readers_is_worth_a_retry(shop: Database) -> None:
    from airflow_seqfix.operators.postgres import PostgresSequenceCheckOperator

    shop.execute(DRIFT)
    with shop.connect() as other:
        other.execute("BEGIN; LOCK TABLE orders IN ACCESS EXCLUSIVE MODE")
        with pytest.raises(LockTimeoutError, match=r"public\.orders_id_seq"):
            PostgresSequenceCheckOperator(task_id="check", conn_id="shop").execute({"ti": Pushed()})


def test_a_killed_task_moves_nothing_more(shop: Database) -> None:
    import signal

    shop.execute(DRIFT)
    shop.execute("INSERT INTO orders (id) VALUES (90000000)")
    task = operator(lock="none", sequences=["orders_id_seq", "customers_id_seq"], max_jump=10**9)
    # As Airflow's SIGTERM: a handler in the main thread, which returns.
    before = signal.signal(signal.SIGUSR1, lambda *_: task.on_kill())

    def kill() -> None:
        until(lambda: shop.state("orders_id_seq")[0] > 10_000, "a move that is on its way")
        os.kill(os.getpid(), signal.SIGUSR1)

    thread = threading.Thread(target=kill)
    thread.start()
    try:
        with pytest.raises(ConnectionFailedError):
            task.execute({"ti": Pushed()})
    finally:
        thread.join()
        signal.signal(signal.SIGUSR1, before)
    others = "datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend'"
    until(lambda: shop.value(f"SELECT count(*) FROM pg_stat_activity WHERE {others}") == 0, "the session has gone")
    assert 10_000 < shop.state("orders_id_seq")[0] < 90_000_000


@pytest.mark.parametrize("change", ["none", "target", "options", "template"])
def test_what_was_approved_is_what_is_applied(change: str, shop: Database, run_dag: Callable[..., Any]) -> None:
    """The plan is made anew, or edited, between the question and the repair."""
    from airflow_seqfix.operators.postgres import PostgresSequenceResetOperator
    from tests.support.sdk import DAG, task

    shop.execute(DRIFT)
    with DAG(dag_id="approved", schedule=None) as dag:
        plan = PostgresSequenceResetOperator(task_id="plan", conn_id="shop", dry_run=True)

        @task(multiple_outputs=False)
        def meddle(planned: dict[str, Any]) -> dict[str, Any]:
            if change == "target":
                planned["moves"][0]["target"] -= 1
            if change == "options":
                planned["options"]["margin"] = 1
            return planned

        approved = "plan" if change != "template" else "nobody"
        PostgresSequenceResetOperator(
            task_id="apply",
            conn_id="shop",
            plan=meddle(plan.output),
            plan_sha256=f"{{{{ (ti.xcom_pull(task_ids='{approved}') or {{}}).get('plan_sha256') }}}}",
        )
    run = run_dag(dag)
    assert run.state == ("success" if change == "none" else "failed")
    moved = shop.value("SELECT is_called FROM orders_id_seq")
    assert moved is (change == "none")
