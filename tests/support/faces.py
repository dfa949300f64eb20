"""Each face that can repair, on the schemas that are called a_*."""

from __future__ import annotations

import json

import pytest

from airflow_seqfix import core
from tests.support.psql import psql, reset
from tests.support.servers import Database


def by_library(db: Database) -> None:
    with db.connect() as conn:
        core.fix(conn, schemas=["a_*"])


def by_stored_plan(db: Database) -> None:
    with db.connect() as conn:
        plan = json.loads(json.dumps(core.plan(conn, schemas=["a_*"]).to_dict()))
        core.fix(conn, plan=plan)


def by_plan_as_sql(db: Database) -> None:
    with db.connect() as conn:
        script = core.plan(conn, schemas=["a_*"]).to_sql()
    done = psql(db.dsn, "-q", "-v", "ON_ERROR_STOP=1", script=script)
    assert done.returncode == 0, done.stderr


def by_script(db: Database) -> None:
    assert reset(db.dsn, schema="a_*").summary


def by_remedy(db: Database) -> None:
    """Paste what the report offers to paste."""
    with db.connect() as conn:
        remedies = [row["cure"] for row in core.check(conn, schemas=["a_*"]).to_dict()["sequences"]]
        for remedy in remedies:
            if remedy and remedy.startswith("WITH RECURSIVE"):
                conn.execute(remedy)


def by_remedy_of_the_script(db: Database) -> None:
    remedies = [row["cure"] for row in reset(db.dsn, mode="check", schema="a_*").rows.values()]
    for remedy in remedies:
        if remedy.startswith("WITH RECURSIVE"):
            db.execute(remedy)


EVERY_FACE = pytest.mark.parametrize(
    "repair", [by_library, by_stored_plan, by_plan_as_sql, by_script, by_remedy, by_remedy_of_the_script]
)
