"""The DAG that README.md shows is a DAG."""

from __future__ import annotations

from tests.readme import blocks


def test_the_dag() -> None:
    from airflow.providers.standard.operators.empty import EmptyOperator
    from airflow.sdk import DAG

    (code,) = [block for block in blocks("python") if "PostgresSequenceResetOperator" in block]
    with DAG(dag_id="readme", schedule=None) as dag:
        names = {"load": EmptyOperator(task_id="load")}
        exec(compile(code, "README.md", "exec"), names)
    assert dag.task_dict["reset_sequences"].upstream_task_ids == {"load"}
