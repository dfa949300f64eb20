"""Restore the rows of one table from a dump, then repair its sequence, then verify.

Use it after `pg_restore --table`, `--data-only` or anything else that brings rows back and leaves their sequence as
it was: a dump holds the state of a sequence as an entry of its own, which a table's name does not select.
It needs pg_dump and pg_restore on the worker's PATH. The tables are the example's own, in schema `seqfix_example`.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from pathlib import Path

from airflow.providers.common.sql.operators.sql import SQLExecuteQueryOperator
from airflow.sdk import DAG, task

from airflow_seqfix.operators.postgres import PostgresSequenceCheckOperator, PostgresSequenceResetOperator

SHOP = Path(__file__).parent / "shop"


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
    create_tables = SQLExecuteQueryOperator(
        task_id="create_tables",
        conn_id="postgres_default",
        sql=(SHOP / "tables.sql").read_text(encoding="utf-8"),
        split_statements=True,
    )

    @task
    def dump() -> str:
        """Stand for last night's backup, in a folder that nobody else may read."""
        folder = Path(tempfile.mkdtemp(prefix="seqfix_example_"))
        run("pg_dump", "--format=custom", "--schema=seqfix_example", f"--file={folder / 'shop.dump'}")
        return str(folder)

    lose = SQLExecuteQueryOperator(
        task_id="lose",
        conn_id="postgres_default",
        sql="TRUNCATE seqfix_example.page_views RESTART IDENTITY",
    )

    # [START restore]
    @task
    def restore(folder: str) -> None:
        """Bring the rows of one table back."""
        dump = str(Path(folder) / "shop.dump")
        run("pg_restore", "--data-only", "--schema=seqfix_example", "--table=page_views_2026", dump)
        shutil.rmtree(folder)

    reset = PostgresSequenceResetOperator(
        task_id="reset", conn_id="postgres_default", tables=["seqfix_example.page_views"]
    )
    verify = PostgresSequenceCheckOperator(task_id="verify", conn_id="postgres_default", schemas=["seqfix_example"])
    # [END restore]

    dumped = dump()
    create_tables >> dumped >> lose >> restore(dumped) >> reset >> verify
