"""Restore the rows of one table from a dump, then repair its sequence, then verify.

Use it after `pg_restore --table`, `--data-only` or anything else that brings rows back and leaves their sequence as
it was: a dump holds the state of a sequence as an entry of its own, which a table's name does not select.
It works on the shop that example_seqfix_load makes, and needs pg_dump and pg_restore on the worker's PATH.
"""

from __future__ import annotations

import os
import subprocess
import tempfile
from pathlib import Path

from airflow.providers.common.sql.operators.sql import SQLExecuteQueryOperator
from airflow.sdk import DAG, task

from airflow_seqfix.operators.postgres import PostgresSequenceCheckOperator, PostgresSequenceResetOperator

DUMP = Path(tempfile.gettempdir()) / "shop.dump"


def run(program: str, *arguments: str) -> None:
    """Run a program of PostgreSQL on the connection, with its password in the environment and on no command line."""
    from airflow.providers.postgres.hooks.postgres import PostgresHook

    stored = PostgresHook(postgres_conn_id="postgres_default").connection
    settings = {"PGHOST": stored.host, "PGPORT": stored.port, "PGUSER": stored.login, "PGPASSWORD": stored.password}
    given = {name: str(value) for name, value in settings.items() if value is not None}
    command = [program, f"--dbname={stored.schema}", *arguments]
    subprocess.run(command, env=os.environ | given, check=True)  # noqa: S603 - fixed words


with DAG(
    dag_id="example_seqfix_restore",
    description="pg_restore of one table, reset, verify",
    schedule=None,
    catchup=False,
    tags=["example", "seqfix"],
    doc_md=__doc__,
):

    @task
    def dump() -> None:
        """Stand for last night's backup."""
        run("pg_dump", "--format=custom", "--schema=shop", f"--file={DUMP}")

    lose = SQLExecuteQueryOperator(
        task_id="lose",
        conn_id="postgres_default",
        sql="TRUNCATE shop.page_views RESTART IDENTITY",
    )

    # [START restore]
    @task
    def restore() -> None:
        """Bring the rows of one table back."""
        run("pg_restore", "--data-only", "--schema=shop", "--table=page_views_2026", str(DUMP))

    reset = PostgresSequenceResetOperator(task_id="reset", conn_id="postgres_default", tables=["shop.page_views"])
    verify = PostgresSequenceCheckOperator(task_id="verify", conn_id="postgres_default", schemas=["shop"])
    # [END restore]

    dump() >> lose >> restore() >> reset >> verify
