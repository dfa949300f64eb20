"""Every scenario on every server: check, repair, repair again, insert. See tests/support/scenario.py for the files."""

from __future__ import annotations

import re
from typing import Any

import pytest

from airflow_seqfix import core
from tests.support.psql import psql
from tests.support.scenario import FIGURES, FOLDER, Scenario, assert_inserts, load_all, states
from tests.support.schema import validate
from tests.support.servers import Database, server_labels, server_major

SCENARIOS = load_all()


def check(connection: Any, scenario: Scenario) -> dict[str, Any]:
    """Return the report of check() without what changes from run to run, and close the connection."""
    try:
        report = core.check(connection, **scenario.options).to_dict()
    finally:
        connection.close()
    validate("report", report)
    return {key: value for key, value in report.items() if key != "started_at"}


def assert_row(row: dict[str, Any], wanted: dict[str, Any]) -> None:
    got = {key: row[key] for key in wanted}
    for text in ("reason", "cure"):
        if wanted.get(text) is not None:
            assert wanted[text] in (got[text] or "")
            got[text] = wanted[text]
    assert got == wanted, row["sequence"]


@pytest.mark.parametrize(
    ("server", "scenario"),
    [
        pytest.param(label, scenario, id=f"{label}-{scenario.name}")
        for label in server_labels()
        for scenario in SCENARIOS
        if scenario.suits(server_major(label))
    ],
    indirect=["server"],
)
def test_scenario(scenario: Scenario, db: Database) -> None:
    db.execute(scenario.sql)
    fresh = states(db)

    report = check(db.connect(), scenario)
    rows = {row["sequence"]: row for row in report["sequences"]}
    assert set(rows) == set(scenario.report)
    for sequence, wanted in scenario.report.items():
        assert_row(rows[sequence], wanted)
    assert check(db.psycopg2(), scenario) == report, "both drivers see the same"
    assert states(db) == fresh, "a check writes nothing"

    with db.connect() as conn:
        repair = core.fix(conn, **scenario.options).to_dict()
    validate("report", repair)
    fixed = {row["sequence"]: row for row in repair["sequences"]}
    repaired = states(db)
    assert {name for name, state in repaired.items() if state != fresh[name]} == scenario.moved
    for name, state in repaired.items():
        assert state.position >= fresh[name].position, f"{name} went back"
        assert state.definition == fresh[name].definition, f"{name} was redefined"
        rewritten = name in scenario.moved and "cached" in rows[name]["warnings"] and fixed[name]["way"] == "locked"
        assert (state.relation_file != fresh[name].relation_file) is rewritten, f"the relation file of {name}"
    for sequence, row in fixed.items():
        if sequence in scenario.fixed:
            assert_row(row, scenario.fixed[sequence])
        elif sequence in scenario.behind:
            assert_row(row, {"verdict": "in_sync", "gap": 0, "verified": True, "error": None})
        else:
            assert row == rows[sequence], "not behind, so nothing is done or said"

    with db.connect() as conn:
        again = {row["sequence"]: row for row in core.fix(conn, **scenario.options).to_dict()["sequences"]}
    assert states(db) == repaired, "a second repair writes nothing"
    assert {name: row["verdict"] for name, row in again.items()} == {
        name: row["verdict"] for name, row in fixed.items()
    }

    assert_inserts(scenario, db)


@pytest.mark.parametrize(
    "scenario",
    [
        pytest.param(scenario, id=scenario.name)
        for scenario in SCENARIOS
        if scenario.moved and scenario.suits(server_major(server_labels()[0]))
    ],
)
@pytest.mark.long
def test_the_plan_as_sql_does_the_same(scenario: Scenario, newest_db: Database) -> None:
    newest_db.execute(scenario.sql)
    fresh = states(newest_db)
    with newest_db.connect() as conn:
        plan = core.plan(conn, **scenario.options)
    validate("plan", plan.to_dict())
    script = plan.to_sql()
    done = psql(newest_db.dsn, "--csv", "-q", "-v", "ON_ERROR_STOP=1", script=script)
    assert done.returncode == 0, done.stderr
    not_in_sync = {n for n, row in scenario.fixed.items() if row["verdict"] == "behind" or row.get("remaining") == 0}
    assert len(re.findall(",f$", done.stdout, re.MULTILINE)) == len(not_in_sync & scenario.moved), (
        "it looks what came of it"
    )
    moved = states(newest_db)
    assert {name for name, state in moved.items() if state != fresh[name]} == scenario.moved
    assert psql(newest_db.dsn, "-q", script=script).stderr == ""
    assert states(newest_db) == moved, "run twice, it writes nothing the second time"
    assert_inserts(scenario, newest_db)


def test_every_scenario_says_what_it_expects() -> None:
    assert {path.stem for path in FOLDER.iterdir()} == {scenario.name for scenario in SCENARIOS}
    assert {path.suffix for path in FOLDER.iterdir()} == {".sql", ".json"}
    for scenario in SCENARIOS:
        assert scenario.sql.startswith("-- "), f"{scenario.name} tells no story"
        assert scenario.inserts, f"{scenario.name} inserts nothing"
        for sequence, row in scenario.report.items():
            assert row.keys() >= FIGURES, f"{scenario.name}: {sequence}"
            assert row["verdict"] not in ("skipped", "unknown") or row["reason"], f"{scenario.name}: {sequence}"
        assert scenario.fixed.keys() <= scenario.behind, f"{scenario.name}: nothing else is repaired"


@pytest.mark.parametrize(
    ("servers", "major", "suits"),
    [(">=14", 13, False), (">=14", 14, True), (">=14", 18, True), ("<=16", 16, True), ("<=16", 17, False)],
)
def test_a_scenario_is_collected_where_the_server_knows_its_syntax(servers: str, major: int, suits: bool) -> None:
    scenario = Scenario(name="any", sql="", report={}, inserts=[], servers=servers)
    assert scenario.suits(major) is suits
