"""The DAGs that README.md and docs/ show run."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.support.airflow import airflow_uri
from tests.support.pages import Block, blocks, load_shop, pages
from tests.support.servers import Database

DAGS = [block for page in pages() for block in blocks(page) if block.is_dag and not block.not_run]


def test_dags_are_shown() -> None:
    assert len(DAGS) >= 5


@pytest.mark.parametrize("block", DAGS, ids=lambda block: block.place)
def test_dag(
    block: Block, newest_db: Database, monkeypatch: pytest.MonkeyPatch, run_dag: Callable[..., Any], tmp_path: Any
) -> None:
    """Run it behind a task `load`, on the shop just loaded: every task succeeds, and nothing is behind in the end."""
    from airflow.providers.standard.operators.empty import EmptyOperator

    from tests.support.sdk import DAG

    with newest_db.connect() as conn:
        load_shop(conn)
    for name in ("SHOP", "POSTGRES_DEFAULT", "POSTGRES_SHOP", "POSTGRES_BILLING", "ORDERS", "INVOICING", "WAREHOUSE"):
        monkeypatch.setenv(f"AIRFLOW_CONN_{name}", airflow_uri(newest_db))
    if block.before:
        newest_db.execute(block.before)
    with DAG(dag_id=f"page_{block.page.replace('/', '_')}_{block.line}", schedule=None) as dag:
        names = {"load": EmptyOperator(task_id="load"), "insert": EmptyOperator(task_id="insert")}
        exec(compile(block.text, block.place, "exec"), names)
    run = run_dag(dag)
    states = {instance.task_id: str(instance.state) for instance in run.get_task_instances()}
    assert set(states.values()) == {"success"}, states
