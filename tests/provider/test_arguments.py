"""Bad input: refused while the DAG is parsed where no template has a say, else first thing in the task."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

import pytest

from airflow_seqfix.core import ArgumentError
from airflow_seqfix.core.settings import Settings
from tests.support.servers import Database
from tests.support.tasks import DRIFT, Pushed, operator, sensor


def check(**arguments: Any) -> Any:
    from airflow_seqfix.operators.postgres import PostgresSequenceCheckOperator

    return PostgresSequenceCheckOperator(**{"task_id": "check", "conn_id": "shop"} | arguments)


ANYWHERE = [
    ({"conn_id": ""}, "conn_id is '', perhaps from a template: name an Airflow connection"),
    ({"conn_id": None}, "conn_id is None, perhaps from a template: name an Airflow connection"),
    ({"conn_id": 5}, "conn_id is 5: name an Airflow connection"),
    ({"database": ""}, "database is '', perhaps from a template: name one, or leave it out"),
    ({"database": ["shop"]}, "database is ['shop']: name one, or leave it out"),
    ({"hook_params": "options"}, "hook_params is 'options', which is not JSON: give a dictionary, or leave it out"),
    (
        {"hook_params": {"postgres_conn_id": "x"}},
        "hook_params={'postgres_conn_id': 'x'}: give conn_id, and not postgres_conn_id in here",
    ),
    ({"hook_params": {"database": "x"}}, "hook_params={'database': 'x'}: give database, and not database in here"),
    ({"mapping": '{"s": [], "s": []}'}, "mapping: 's' is in an object twice"),
    ({"hook_params": ["options"]}, "hook_params is ['options']: give a dictionary, or leave it out"),
    ({"tables": ""}, "tables is '', perhaps from a template: give names, or leave it out"),
    ({"tables": " "}, "tables is ' ', perhaps from a template: give names, or leave it out"),
    ({"tables": "None"}, "tables is 'None', perhaps from a template: give names, or leave it out"),
    ({"tables": None}, "tables is None, perhaps from a template: give names, or leave it out"),
    ({"schemas": 5}, "schemas is 5: give a list of names"),
    ({"columns": "[1]"}, "columns is [1]: give a list of names"),
    ({"exclude": "[oops"}, "exclude is '[oops', which is not a list"),
    ({"sequences": {"a": "b"}}, "sequences is {'a': 'b'}: give a list of names"),
    ({"mapping": "a=b.c"}, "mapping is 'a=b.c', which is not JSON: give a dictionary, or leave it out"),
    ({"mapping": "None"}, "mapping is 'None', perhaps from a template: give a dictionary, or leave it out"),
    ({"id_range": [1, 2]}, "id_range is [1, 2]: give a dictionary, or leave it out"),
    ({"margin": "ten"}, "margin is 'ten', perhaps from a template: give an integer"),
    ({"margin": ""}, "margin is '', perhaps from a template: give an integer"),
    ({"margin": -1}, "margin=-1: give an integer of at least 0"),
    ({"jobs": "many"}, "jobs is 'many', perhaps from a template: give an integer"),
    ({"jobs": "0"}, "jobs=0: give an integer from 1 to 16, or auto"),
    ({"run_timeout": "soon"}, "run_timeout is 'soon', perhaps from a template: give a number of seconds"),
    ({"run_timeout": "0"}, "run_timeout=0.0: give a number of seconds greater than 0"),
    ({"statement_timeout": "nan"}, "statement_timeout=nan: give a number of seconds greater than 0"),
    ({"lock_timeout": "5"}, "lock_timeout=5.0: at most 1 second, because every insert"),
    ({"fail_on": "never"}, "fail_on=['never']: give a list of behind, exhausted, unknown, skipped"),
    ({"fail_on": None}, "fail_on is None, perhaps from a template: give names, or leave it out"),
    ({"margin": True}, "margin=True: give an integer of at least 0"),
    ({"report_path": ""}, "report_path is '', perhaps from a template: give a path, or leave it out"),
    ({"report_path": 5}, "report_path is 5: give a path, or leave it out"),
    ({"report_url": ""}, "report_url is '', perhaps from a template: give an address, or leave it out"),
]
#: Not templated: what comes from a template is refused as well.
PARSED = [
    ({"max_jump": 0}, "max_jump=0: give an integer of at least 1"),
    ({"max_jump": "{{ params.jump }}"}, "max_jump='{{ params.jump }}': give an integer of at least 1"),
    ({"outliers": "yes"}, "outliers='yes': give one of report, follow, ignore"),
    ({"allow_empty": 1}, "allow_empty=1: give True or False"),
    ({"fail_on": ["behind", "in_sync"]}, "fail_on=['behind', 'in_sync']: give a list of behind, exhausted, unknown, s"),
    ({"warn_used_pct": None}, "warn_used_pct=None: give a percentage"),
    ({"fail_used_pct": 101}, "fail_used_pct=101: give a percentage above 0 and up to 100"),
    ({"min_remaining": 0}, "min_remaining=0: give an integer of at least 1"),
    ({"lock_timeout": 5}, "lock_timeout=5: at most 1 second, because every insert"),
    ({"run_timeout": 0}, "run_timeout=0: give a number of seconds greater than 0"),
    ({"statement_timeout": float("inf")}, "statement_timeout=inf: give a number of seconds greater than 0"),
    ({"wait_for_writers": -5}, "wait_for_writers=-5: give a number of seconds of at least 0"),
]


@pytest.mark.parametrize(("arguments", "said"), [*ANYWHERE, *PARSED])
@pytest.mark.parametrize("make", [operator, check, sensor], ids=["reset", "check", "sensor"])
def test_refused_while_the_dag_is_parsed(make: Callable[..., Any], arguments: dict[str, Any], said: str) -> None:
    if make is not check:
        arguments = {name: value for name, value in arguments.items() if name != "conn_id"}
        if not arguments:
            return
    with pytest.raises(ValueError) as refused:
        make(**arguments)
    assert str(refused.value).startswith(said)


@pytest.mark.parametrize(("arguments", "said"), ANYWHERE)
def test_refused_first_thing_when_a_template_has_made_it(
    arguments: dict[str, Any], said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Before a connection is asked for: there is none here."""
    from tests.support.sdk import AirflowFailException

    monkeypatch.delenv("AIRFLOW_CONN_SHOP", raising=False)
    ((name, value),) = arguments.items()
    template = "{{ ti.xcom_pull(task_ids='form') }}"
    task = operator(**{"report_path": "/srv/x.json"} | ({name: template} if name != "conn_id" else {}))
    setattr(task, name, value)
    with pytest.raises(AirflowFailException) as refused:
        task.execute({"ti": Pushed()})
    assert str(refused.value).startswith(said)


@pytest.mark.parametrize(
    ("make", "arguments", "said"),
    [
        (operator, {"lock": "table"}, "lock='table': give one of auto, none, sequence, guarded"),
        (operator, {"advance_up_to": -1}, "advance_up_to=-1: give an integer of at least 0"),
        (operator, {"dry_run": "perhaps"}, "dry_run='perhaps': give True or False"),
        (operator, {"retry_on_drift": 1}, "retry_on_drift=1: give True or False"),
        (operator, {"dry_run": True, "plan": {}}, "dry_run and plan exclude each other: leave one out"),
        (operator, {"plan": "{{ x }}", "tables": "orders"}, "plan and tables exclude each other: a plan already says"),
        (check, {"retry_on_drift": None}, "retry_on_drift=None: give True or False"),
        (sensor, {"on_drift": "ignore"}, "on_drift='ignore': give one of wait, fail, skip"),
        (sensor, {"deferrable": "yes"}, "deferrable='yes': give True or False"),
    ],
)
def test_refused_by_one_class(make: Callable[..., Any], arguments: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError) as refused:
        make(**arguments)
    assert str(refused.value).startswith(said)


def test_lock_from_a_template(shop: Database) -> None:
    from tests.support.sdk import AirflowFailException

    task = operator(lock="{{ params.lock }}")
    task.lock = "table"
    with pytest.raises(AirflowFailException, match="lock='table': give one of auto, none, sequence, guarded"):
        task.execute({"ti": Pushed()})


@pytest.mark.parametrize(("dry_run", "moves"), [("True", False), (" false ", True)])
def test_how_a_task_works_from_a_form(dry_run: str, moves: bool, shop: Database, run_dag: Callable[..., Any]) -> None:
    from airflow_seqfix.operators.postgres import PostgresSequenceResetOperator
    from tests.support.sdk import DAG

    shop.execute(DRIFT)
    form = {
        "dry_run": dry_run, "jobs": "2", "run_timeout": "30.5", "lock_timeout": "0.2", "statement_timeout": "20",
        "wait_for_writers": "0", "fail_on": "behind,unknown",
    }  # fmt: skip
    with DAG(dag_id="form", schedule=None, params=form) as dag:
        templates = {name: f"{{{{ params.{name} }}}}" for name in form}
        PostgresSequenceResetOperator(task_id="reset", conn_id="shop", **templates)
    run = run_dag(dag)
    assert run.state == "success"
    assert shop.state("orders_id_seq")[1] is moves


def test_a_template_that_asks_for_a_dry_run_of_a_plan(shop: Database) -> None:
    from tests.support.sdk import AirflowFailException

    task = operator(dry_run="{{ params.dry_run }}", plan="{{ params.plan }}")
    task.dry_run_only = "true"
    with pytest.raises(AirflowFailException, match="dry_run and plan exclude each other"):
        task.execute({"ti": Pushed()})


def test_an_unknown_argument_is_refused_by_airflow() -> None:
    with pytest.raises(TypeError, match="postgres_conn_id"):
        operator(postgres_conn_id="shop")


def test_the_core_knows_the_same_rules() -> None:
    """Whatever a rule refuses, the library refuses with the same sentence."""
    for arguments, said in PARSED:
        with pytest.raises(ArgumentError) as refused:
            Settings.parse(arguments)
        assert str(refused.value).startswith(said)


def test_every_argument_is_documented() -> None:
    from airflow_seqfix.operators.postgres import PostgresSequenceCheckOperator, PostgresSequenceResetOperator
    from airflow_seqfix.sensors.postgres import PostgresSequenceDriftSensor
    from airflow_seqfix.task.base import SequenceTask
    from airflow_seqfix.task.reporting import ReportingTask

    for kind in (
        ReportingTask,
        SequenceTask,
        PostgresSequenceResetOperator,
        PostgresSequenceCheckOperator,
        PostgresSequenceDriftSensor,
    ):
        for name in set(inspect.signature(kind.__init__).parameters) - {"self", "kwargs"}:
            assert f":param {name}:" in (kind.__doc__ or ""), (kind, name)


def test_what_a_template_makes_later_is_not_judged_early() -> None:
    from tests.support.sdk import DAG, task

    with DAG(dag_id="later", schedule=None, params={"margin": 5, "tables": []}) as dag:

        @task
        def names() -> list[str]:
            return ["orders"]

        operator(
            tables=names(),
            schemas=["{{ params.schema }}"],
            columns=dag.param("tables"),
            margin=dag.param("margin"),
            mapping={"{{ params.sequence }}": ["a.b"]},
            database="{{ params.database }}",
            report_path="{{ params.path }}",
        )


def test_mapped_and_by_default_args(shop: Database, run_dag: Callable[..., Any]) -> None:
    from airflow_seqfix.operators.postgres import PostgresSequenceCheckOperator, PostgresSequenceResetOperator
    from tests.support.sdk import DAG

    shop.execute(DRIFT)
    mine = {"conn_id": "shop", "retries": 0, "schemas": ["public"], "fail_on": ["behind"], "lock_timeout": 0.2}
    with DAG(dag_id="mapped", schedule=None, default_args=mine) as dag:
        tables = PostgresSequenceResetOperator.partial(task_id="tables").expand(tables=[["orders"], "fine"])
        databases = PostgresSequenceResetOperator.partial(task_id="databases").expand(database=[shop.name])
        connections = PostgresSequenceCheckOperator.partial(task_id="connections").expand(conn_id=["shop", "nowhere"])
        bad = PostgresSequenceCheckOperator.partial(task_id="bad", trigger_rule="all_done").expand(tables=["fine", ""])
        tables >> databases >> connections >> bad
    run = run_dag(dag)
    states = {(ti.task_id, ti.map_index): ti.state for ti in run.get_task_instances()}
    assert states == {
        ("tables", 0): "success",
        ("tables", 1): "success",
        ("databases", 0): "success",
        ("connections", 0): "success",
        ("connections", 1): "failed",
        ("bad", 0): "success",
        ("bad", 1): "failed",
    }
    assert shop.value("INSERT INTO customers (note) VALUES ('') RETURNING id") == 8


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"database": "elsewhere"}, "plan: it was made for database elsewhere, and this is"),
        ({"plan_version": 0}, "plan: it is of version 0, not 1; make a new one"),
        ({"plan_version": None}, "plan: it is of version None, not 1; make a new one"),
        ({"moves": "all"}, "plan: move 1 is not an object"),
        ({"options": None}, "plan: it does not say with which options it was made"),
    ],
)
def test_a_plan_that_does_not_fit(change: dict[str, Any], said: str, shop: Database) -> None:
    from tests.support.sdk import AirflowFailException

    shop.execute(DRIFT)
    plan = operator(dry_run=True).execute({"ti": Pushed()})
    with pytest.raises(AirflowFailException) as refused:
        operator(plan=plan | change).execute({"ti": Pushed()})
    assert str(refused.value).startswith(said)
    assert shop.state("orders_id_seq")[:2] == (1, False)


@pytest.mark.parametrize("plan", ["", "None", {}, None])
def test_a_plan_that_a_template_makes_nothing_of(plan: Any, shop: Database) -> None:
    from tests.support.sdk import AirflowFailException

    shop.execute(DRIFT)
    task = operator(plan="{{ ti.xcom_pull(task_ids='plan') }}")
    task.plan = plan
    with pytest.raises(AirflowFailException, match="plan is"):
        task.execute({"ti": Pushed()})
    assert shop.state("orders_id_seq")[:2] == (1, False)
