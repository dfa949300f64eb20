"""The example DAGs and two of our own in a running Airflow, by REST and by its command."""

from __future__ import annotations

import json
import time
from collections.abc import Callable

import httpx

from tests.e2e.airflow import Airflow, Run
from tests.support.servers import Database

Start = Callable[..., Run]

MANUAL = "example_seqfix_manual"
NEXT_CUSTOMER = "INSERT INTO shop.customers (name) VALUES ('x') RETURNING id"
#: Sessions that stay: watchers look at the same database, and go at once.
OLD_SESSIONS = """
    SELECT count(*) FROM pg_stat_activity
     WHERE datname = current_database() AND pid <> pg_backend_pid()
       AND (backend_start < now() - interval '5 s'{or_named})
"""
#: These, and those of the tasks, which have no name between two statements.
SESSIONS = OLD_SESSIONS.format(or_named=" OR application_name LIKE 'e2e%'")


def test_check_fails_where_something_is_behind(shop: Database, start: Start) -> None:
    run = start(MANUAL, mode="check", schemas=["shop"])
    assert run.finish() == "failed"
    assert run.states() == {"choose": "success", "check": "failed", "summary": "upstream_failed"}
    said = run.log("check")
    assert "shop.customers_id_seq (shop.customers.id): behind:" in said
    assert "the next value is 1, and shop.customers.id has reached 12." in said


def test_bad_input_is_refused_before_a_run_exists(shop: Database, start: Start, api: httpx.Client) -> None:
    before = api.get(f"dags/{MANUAL}/dagRuns").json()["total_entries"]
    asked = api.post(f"dags/{MANUAL}/dagRuns", json={"logical_date": None, "conf": {"conn_id": "payroll"}})
    assert (asked.status_code, "'payroll' is not one of ['postgres_default']" in asked.text) == (400, True)
    assert api.get(f"dags/{MANUAL}/dagRuns").json()["total_entries"] == before


def test_exactly_the_approved_plan_is_applied(shop: Database, start: Start, api: httpx.Client) -> None:
    shop.execute("SELECT setval('shop.customers_id_seq', 12)")
    run = start(MANUAL, mode="repair", schemas=["shop"])
    body = run.question()
    assert "shop.orders_id_seq" in body
    assert "shop.customers_id_seq" not in body
    # Behind since the plan was made: nobody has approved that.
    shop.execute("SELECT setval('shop.customers_id_seq', 3)")
    run.answer("Approve").raise_for_status()
    assert run.finish() == "failed"
    # What the plan has left behind is told.
    assert {task: run.states()[task] for task in ("repair", "verify")} == {"repair": "success", "verify": "failed"}
    assert shop.state("shop.orders_id_seq")[:2] == (60, True)
    assert shop.state("shop.customers_id_seq")[:2] == (3, True)


def test_a_rejection_changes_nothing_and_stays(shop: Database, start: Start, api: httpx.Client) -> None:
    run = start(MANUAL, mode="repair", schemas=["shop"])
    run.question()
    run.answer("Reject").raise_for_status()
    assert run.finish() == "success"
    assert set(run.states()) == {"choose", "plan", "decide", "approve", "summary"}
    assert "the plan was rejected" in str(run.result("summary"))
    # Clearing the task does not bring a rejected repair back.
    again = {"dry_run": False, "task_ids": ["repair"], "dag_run_id": run.run_id, "only_failed": False}
    api.post(f"dags/{MANUAL}/clearTaskInstances", json=again).raise_for_status()
    assert run.finish() == "success"
    assert "repair" not in run.states()
    assert shop.state("shop.customers_id_seq")[:2] == (1, False)


def test_only_approvers_approve(shop: Database, airflow: Airflow, start: Start) -> None:
    run = start(MANUAL, mode="repair", schemas=["shop"])
    run.question()
    with airflow.client("guest") as guest:
        assert run.answer("Approve", guest).status_code == 403
    run.answer("Approve").raise_for_status()
    assert run.finish() == "success"
    assert run.result("summary")[1] == "approved by admin"
    assert shop.value(NEXT_CUSTOMER) == 13


def test_before_airflow_3_1_marking_the_task_as_success_approves(shop: Database, start: Start) -> None:
    run = start("e2e_manual_older", mode="repair", schemas=["shop"])
    assert run.finish() == "failed"
    assert (run.states()["approve"], run.states()["repair"]) == ("failed", "upstream_failed")
    assert "to approve it, mark this task as success" in run.log("approve")
    assert shop.state("shop.customers_id_seq")[:2] == (1, False)
    run.mark("approve", "success")
    run.wait_for("summary", "success")
    assert run.finish() == "success"
    assert shop.value(NEXT_CUSTOMER) == 13


def test_triggered_by_the_command_of_airflow(shop: Database, airflow: Airflow, api: httpx.Client) -> None:
    conf = {"mode": "repair", "approval": False, "tables": ["shop.customers"], "margin": 5}
    done = airflow.command("dags", "trigger", MANUAL, "--conf", json.dumps(conf), "--run-id", "by_command")
    assert done.returncode == 0, done.stderr
    run = Run(airflow, api, MANUAL, "by_command")
    assert run.finish() == "success"
    assert shop.value(NEXT_CUSTOMER) == 18
    assert shop.state("shop.orders_id_seq")[:2] == (1, False)


def test_deferred_gate_waits_until_another_session_repairs(shop: Database, start: Start) -> None:
    run = start("e2e_gate")
    run.wait_for("gate", "deferred")
    # Longer than a busy scheduler takes to hear that the worker has ended: else it fails what is queued again.
    time.sleep(10)
    assert run.states() == {"gate": "deferred"}
    shop.execute("SELECT setval('shop.customers_id_seq', 12), setval('shop.orders_id_seq', 60)")
    shop.execute("SELECT setval('shop.document_numbers', 1063), setval('shop.page_views_id_seq', 200)")
    assert run.finish() == "success"
    assert run.result("gate")["summary"]["in_sync"] == 4


def test_marking_a_deferred_gate_as_failed_leaves_nothing(shop: Database, airflow: Airflow, start: Start) -> None:
    run = start("e2e_gate")
    run.wait_for("gate", "deferred")
    run.mark("gate", "failed")
    assert run.finish() == "failed"

    def looks() -> int:
        return sum(shop.value(SESSIONS) for _ in range(60) if time.sleep(0.05) is None)

    # Not only between two looks: no further one is taken.
    airflow.wait(lambda: looks() == 0, seconds=60)


def test_marking_a_running_repair_as_failed_ends_it_on_the_server(
    shop: Database, airflow: Airflow, start: Start
) -> None:
    shop.execute("CREATE TABLE shop.far (id bigserial PRIMARY KEY); INSERT INTO shop.far VALUES (400000000)")
    run = start("e2e_long_move")
    airflow.wait(lambda: shop.state("shop.far_id_seq")[0] > 10_000)
    # From then on it is known by its age.
    airflow.wait(lambda: shop.value(OLD_SESSIONS.format(or_named="")) == 1)
    run.mark("reset", "failed")
    airflow.wait(lambda: shop.value(SESSIONS) == 0, seconds=60)
    reached = shop.state("shop.far_id_seq")[0]
    time.sleep(2)
    assert shop.state("shop.far_id_seq")[0] == reached < 400_000_000
    assert shop.value("SELECT count(*) FROM pg_locks WHERE relation = 'shop.far_id_seq'::regclass") == 0
    assert run.finish() == "failed"
