"""How long sequences last, by what earlier runs of the same task have kept."""

from __future__ import annotations

import datetime
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.support.servers import Database
from tests.support.tasks import Pushed

ORDERS = "CREATE TABLE orders (id serial PRIMARY KEY); SELECT setval('orders_id_seq', 30000)"
KEY = "earlier"


class Runs(Pushed):
    """Stands where the task instance stands, with what the run before has pushed."""

    map_index = -1

    def xcom_pull(self, *, task_ids: str, key: str, map_indexes: int, include_prior_dates: bool) -> Any:
        assert (task_ids, map_indexes, include_prior_dates) == (self.task_id, self.map_index, True)
        return json.loads(json.dumps(self.xcoms.get(key)))


def check(**arguments: Any) -> Any:
    from airflow_seqfix.operators.postgres import PostgresSequenceCheckOperator

    return PostgresSequenceCheckOperator(**{"task_id": "check", "conn_id": "shop", "min_days_left": 90} | arguments)


def put_back(kept: list[dict[str, Any]], days: float) -> None:
    """Let what was kept be so much older."""
    for report in kept:
        at = datetime.datetime.fromisoformat(report["started_at"]) - datetime.timedelta(days=days)
        report["started_at"] = at.isoformat()


def test_a_task_knows_its_earlier_runs(shop: Database) -> None:
    from tests.support.sdk import AirflowFailException

    shop.execute("CREATE TABLE orders (id smallserial PRIMARY KEY); SELECT setval('orders_id_seq', 1000)")
    ti = Runs()
    for _ in range(12):
        report = check().execute({"ti": ti})
        put_back(ti.xcoms[KEY], 1)
        shop.execute("SELECT setval('orders_id_seq', last_value + 250) FROM orders_id_seq")
    (row,) = report["sequences"] or [{}]
    assert row == {}
    # 250 a day, of 28,767: more than 90 days. At 90 it is well, and at 120 it is not.
    assert len(ti.xcoms[KEY]) == 12
    with pytest.raises(AirflowFailException, match=r"at 250 values a day it lasts 11\d days, and min_days_left is 120"):
        check(min_days_left=120).execute({"ti": ti})


def test_runs_that_lie_close_together_are_thinned_and_the_fullest_are_kept(shop: Database) -> None:
    shop.execute(
        "DO $$ BEGIN FOR n IN 1..60 LOOP EXECUTE format('CREATE TABLE t%s (id smallserial)', n); "
        "PERFORM setval(format('t%s_id_seq', n), n * 100); END LOOP; END $$"
    )
    ti = Runs()
    for _ in range(6):
        check().execute({"ti": ti})
    kept = ti.xcoms[KEY]
    assert len(kept) == 2
    assert {row["sequence"] for row in kept[-1]["sequences"]} == {f"public.t{n}_id_seq" for n in range(36, 61)}
    put_back(kept, 2)
    check().execute({"ti": ti})
    assert len(ti.xcoms[KEY]) == 3
    assert len(json.dumps(ti.xcoms[KEY])) < 40 * 3000


def test_another_database_behind_the_connection_begins_anew(shop: Database) -> None:
    shop.execute(ORDERS)
    ti = Runs()
    check().execute({"ti": ti})
    ti.xcoms[KEY][0]["database"] = "elsewhere"
    check().execute({"ti": ti})
    assert [report["database"] for report in ti.xcoms[KEY]] == [shop.name]


def test_a_clock_that_was_ahead_does_not_stop_the_past(shop: Database) -> None:
    """What it has kept lies in the future: each later run would seem to be too close to it."""
    shop.execute(ORDERS)
    ti = Runs()
    check().execute({"ti": ti})
    put_back(ti.xcoms[KEY], -400)
    for _ in range(4):
        check().execute({"ti": ti})
        put_back(ti.xcoms[KEY], 1)
    moments = [datetime.datetime.fromisoformat(report["started_at"]) for report in ti.xcoms[KEY]]
    assert len(moments) == 4
    assert max(moments) < datetime.datetime.now(datetime.UTC)


def test_a_sequence_that_was_made_anew_begins_anew(shop: Database) -> None:
    shop.execute(ORDERS)
    ti = Runs()
    for _ in range(12):
        check(min_days_left=1).execute({"ti": ti})
        put_back(ti.xcoms[KEY], 1)
        shop.execute("SELECT setval('orders_id_seq', last_value + 30000000) FROM orders_id_seq")
    shop.execute("DROP TABLE orders; CREATE TABLE orders (id serial); SELECT setval('orders_id_seq', 400000000)")
    # By what was used of the one that is gone it would last 58 days.
    report = check(min_days_left=90).execute({"ti": ti})
    assert report["ok"]


def test_the_report_of_a_task_draws_its_earlier_runs(shop: Database, tmp_path: Path) -> None:
    shop.execute(ORDERS)
    ti = Runs()
    for value in (31_000, 32_000):
        check(report_path=str(tmp_path / "report.html")).execute({"ti": ti})
        put_back(ti.xcoms[KEY], 1)
        shop.execute(f"SELECT setval('orders_id_seq', {value})")
    check(report_path=str(tmp_path / "report.html")).execute({"ti": ti})
    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert page.count('<figure class="past">') == 1
    assert re.search(r"<b>30001</b>.*<b>32001</b>|<b>32001</b>.*<b>30001</b>", page, re.DOTALL)


def test_without_it_nothing_is_kept(shop: Database) -> None:
    shop.execute(ORDERS)
    ti = Pushed()
    check(min_days_left=None).execute({"ti": ti})
    assert KEY not in ti.xcoms


def test_from_run_to_run_in_airflow(shop: Database, run_dag: Callable[..., Any]) -> None:
    from tests.support.sdk import DAG

    shop.execute(ORDERS)
    with DAG(dag_id="days_left", schedule=None) as dag:
        check(task_id="check", min_days_left=1)
    run_dag(dag)
    second = run_dag(dag)
    kept = second.get_task_instance("check").xcom_pull(task_ids="check", key=KEY)
    assert [report["sequences"][0]["next_value"] for report in kept] == [30_001, 30_001]
