"""Reports of many databases as one, where they are plans that a person approves."""

from __future__ import annotations

import pytest

from airflow_seqfix import core
from airflow_seqfix.core.fleet import DatabaseResult, Fleet
from airflow_seqfix.core.repair.plan import fingerprint
from airflow_seqfix.render import fleet as rendered
from tests.support.servers import Database

MANY = 12


@pytest.mark.parametrize("form", ["table", "markdown", "html"])
def test_each_move_that_is_approved_is_shown(form: str, newest_db: Database) -> None:
    for number in range(MANY):
        newest_db.execute(f"CREATE TABLE t{number} (id serial PRIMARY KEY); INSERT INTO t{number} VALUES (1), (2), (3)")
    with newest_db.connect() as conn:
        plan = core.plan(conn).to_dict()
    plan["plan_sha256"] = fingerprint(plan)
    fleet = Fleet.of([DatabaseResult(database=newest_db.name, report=plan)])
    shown = rendered.table(fleet, width=None) if form == "table" else getattr(rendered, form)(fleet)
    assert shown.count("next value 1, then 4 (advance)") == MANY
    if form != "html":
        assert f"plan of {MANY} moves, SHA-256 {plan['plan_sha256']}" in shown
    assert f"on {newest_db.where.partition(' on ')[2]}" in shown
