"""What fails a task, with which exception, and what Airflow's retries make of it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.support.airflow import airflow_uri
from tests.support.servers import Database
from tests.support.tasks import DRIFT, Pushed, flat, operator, sensor

#: One sequence of each verdict that can fail.
ALL = """
    CREATE TABLE behind (id serial);
    INSERT INTO behind (id) VALUES (5);
    CREATE TABLE exhausted (id smallint DEFAULT 1);
    CREATE SEQUENCE exhausted_seq OWNED BY exhausted.id;
    ALTER TABLE exhausted ALTER id SET DEFAULT nextval('exhausted_seq');
    SELECT setval('exhausted_seq', 32767);
    CREATE TABLE hidden (id serial);
    CREATE TABLE skipped (id text DEFAULT 'N' || nextval('behind_id_seq'));
    CREATE SEQUENCE skipped_seq OWNED BY skipped.id;
"""


def check(**arguments: Any) -> Any:
    from airflow_seqfix.operators.postgres import PostgresSequenceCheckOperator

    return PostgresSequenceCheckOperator(task_id="check", conn_id="shop", **arguments)


def failing(task: Any, ti: Any = None) -> tuple[str, str]:
    """Return the class of a task's failure and its message."""
    with pytest.raises(Exception) as failure:
        task.execute({"ti": ti or Pushed()})
    kind = type(failure.value)
    return f"{kind.__module__}.{kind.__name__}", str(failure.value)


@pytest.fixture
def reader(shop: Database, monkeypatch: pytest.MonkeyPatch) -> Any:
    """A role that may read everything but one table, behind the connection `shop`."""
    shop.execute(ALL)
    role = shop.role()
    shop.execute(f"GRANT SELECT ON ALL TABLES IN SCHEMA public TO {role}")
    shop.execute(f"GRANT SELECT ON ALL SEQUENCES IN SCHEMA public TO {role}")
    shop.execute(f"REVOKE SELECT ON hidden FROM {role}")
    monkeypatch.setenv("AIRFLOW_CONN_SHOP", airflow_uri(shop, user=role))
    yield role
    shop.execute(f"DROP OWNED BY {role}")


VERDICTS = {
    "behind": "public.behind_id_seq",
    "exhausted": "public.exhausted_seq",
    "unknown": "public.hidden_id_seq",
    "skipped": "public.skipped_seq",
}


@pytest.mark.parametrize("fail_on", [["behind"], ["exhausted"], ["unknown"], ["skipped"], ["behind", "unknown"], None])
def test_fail_on_says_which_verdicts_fail(fail_on: list[str] | None, reader: str, shop: Database) -> None:
    expected = ["behind", "exhausted", "unknown"] if fail_on is None else fail_on
    ti = Pushed()
    _, said = failing(check(**({} if fail_on is None else {"fail_on": fail_on})), ti)
    assert {verdict for verdict, name in VERDICTS.items() if name in said} == set(expected)
    counts = ti.xcoms["return_value"]["summary"]
    assert (counts["behind"], counts["exhausted"], counts["unknown"], counts["skipped"]) == (1, 1, 1, 1)


def test_with_an_empty_fail_on_nothing_fails_and_all_is_told(reader: str, shop: Database) -> None:
    told = check(fail_on=[]).execute({"ti": Pushed()})
    assert {row["verdict"] for row in told["sequences"]} == {"behind", "exhausted", "unknown"}
    assert sensor(fail_on=[]).poke({"ti": Pushed()}).is_done


def test_a_move_that_goes_wrong_fails_whatever_fail_on_says(reader: str, shop: Database) -> None:
    kind, said = failing(operator(fail_on=[], tables=["behind"]))
    assert kind.endswith("AirflowFailException")
    assert f"GRANT USAGE ON SEQUENCE public.behind_id_seq TO {reader};" in said


@pytest.mark.parametrize(("threshold", "is_open"), [(32000, False), (767, False), (766, True), (None, True)])
def test_min_remaining(threshold: int | None, is_open: bool, shop: Database) -> None:
    shop.execute(
        "CREATE TABLE a (id smallint PRIMARY KEY GENERATED ALWAYS AS IDENTITY); SELECT setval('a_id_seq', 32001)"
    )
    assert sensor(min_remaining=threshold).poke({"ti": Pushed()}).is_done is is_open
    if not is_open:
        _, said = failing(check(min_remaining=threshold))
        assert (
            f"public.a_id_seq: in sync: it has 766 values left, and min_remaining is {threshold:,}. Remedy: "
            in flat(said)
        )
        assert "bigint" in said


def test_thresholds_count_beside_fail_on(shop: Database) -> None:
    shop.execute(ALL)
    assert "used, and fail_used_pct is 90" not in failing(check(fail_used_pct=90))[1]
    _, said = failing(check(fail_used_pct=90, fail_on=["behind"], tables=["exhausted"]))
    assert "public.exhausted_seq" in said


@pytest.mark.parametrize(
    ("retry", "sql", "expected"),
    [
        (False, DRIFT, "AirflowFailException"),
        (True, DRIFT, "airflow_seqfix.core.errors.DriftError"),
    ],
)
def test_drift(retry: bool, sql: str, expected: str, shop: Database) -> None:
    shop.execute(sql)
    assert failing(check(retry_on_drift=retry))[0].endswith(expected)


@pytest.mark.parametrize("make", [check, operator])
@pytest.mark.parametrize(
    ("retry", "expected"),
    [(False, "AirflowFailException"), (True, "airflow_seqfix.core.errors.PrivilegeError")],
)
def test_privileges(
    make: Callable[..., Any], retry: bool, expected: str, shop: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop.execute(DRIFT)
    role = shop.role()
    shop.execute(f"GRANT SELECT ON orders, orders_id_seq TO {role}")
    monkeypatch.setenv("AIRFLOW_CONN_SHOP", airflow_uri(shop, user=role))
    # For the check everything but orders is unreadable, for the repair orders cannot be moved either.
    exclude = ["orders"] if make is check else []
    ti = Pushed()
    kind, said = failing(make(retry_on_drift=retry, exclude=exclude), ti)
    assert kind.endswith(expected)
    assert "GRANT" in said
    assert ti.xcoms["return_value"]["summary"]["unknown"] == 2
    shop.execute(f"DROP OWNED BY {role}")


def test_airflow_s_retry_policy_names_them(shop: Database, run_dag: Callable[..., Any]) -> None:
    """The policy of docs/howto/when-a-task-fails.md: drift is not retried; a lock is, and succeeds once it is free."""
    import datetime

    from airflow.sdk import DAG, ExceptionRetryPolicy, RetryAction, RetryRule

    from airflow_seqfix.operators.postgres import PostgresSequenceCheckOperator

    shop.execute(DRIFT)
    policy = ExceptionRetryPolicy(
        rules=[
            RetryRule("airflow_seqfix.core.LockTimeoutError", RetryAction.RETRY, datetime.timedelta(0)),
            RetryRule("airflow_seqfix.core.PrivilegeError", RetryAction.FAIL),
            RetryRule("airflow_seqfix.core.DriftError", RetryAction.FAIL),
        ]
    )
    again = {"retries": 1, "retry_delay": datetime.timedelta(0)}
    with DAG(dag_id="retries", schedule=None, default_args={"conn_id": "shop"} | again) as dag:
        PostgresSequenceCheckOperator(task_id="with_policy", retry_on_drift=True, retry_policy=policy)
        PostgresSequenceCheckOperator(task_id="without", retry_on_drift=True)
        PostgresSequenceCheckOperator(task_id="no_retry", retry_policy=policy)
        PostgresSequenceCheckOperator(task_id="nowhere", conn_id="nowhere", retry_policy=policy)
    run = run_dag(dag)
    states = {ti.task_id: (ti.state, ti.try_number) for ti in run.get_task_instances()}
    assert states == {
        "with_policy": ("failed", 1),
        "without": ("failed", 2),
        "no_retry": ("failed", 1),
        "nowhere": ("failed", 2),
    }


def test_every_exception_has_its_stable_name() -> None:
    from airflow_seqfix import core

    for name in ("LockTimeoutError", "PrivilegeError", "ConnectionFailedError", "DriftError"):
        assert issubclass(getattr(core, name), core.SeqfixError)
        assert not [base for base in getattr(core, name).__mro__ if base.__module__.startswith("airflow.")]
