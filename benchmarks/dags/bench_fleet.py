"""Two databases in turn, and at the same time."""

from airflow.sdk import DAG

from airflow_seqfix.operators.postgres import PostgresSequenceResetOperator

for dag_id, jobs, at_once in (("in_turn", 1, 1), ("in_turn_jobs_2", 2, 1), ("together", 1, None)):
    with DAG(dag_id=f"bench_fleet_{dag_id}", schedule=None):
        PostgresSequenceResetOperator.partial(
            task_id="reset",
            conn_id="bench",
            jobs=jobs,
            max_active_tis_per_dag=at_once,
        ).expand(database=["fleet_1", "fleet_2"])
