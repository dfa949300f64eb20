"""Every scenario on every server, repaired by the script: the same verdicts as the core's, and the same next ids."""

from __future__ import annotations

import pytest

from tests.sql.agreement import DIFFERENCES, variables
from tests.support.psql import Run, reset
from tests.support.scenario import Scenario, State, assert_inserts, load_all, states
from tests.support.servers import Database, server_labels, server_major

SCENARIOS = load_all()


def assert_agreement(scenario: Scenario, run: Run, fresh: dict[str, State], db: Database) -> None:
    """Hold a run against what the core's check() and fix() give, which test_scenarios of the core has seen to."""
    assert {name: row["found"] for name, row in run.rows.items()} == {
        name: row["verdict"] for name, row in scenario.report.items()
    }
    for name, wanted in scenario.report.items():
        row = run.rows[name]
        if wanted["next_value"] is not None:
            assert row["before"] == str(wanted["next_value"]), name
        if wanted["verdict"] != "behind":
            assert (row["furthest_value"] or None) == _text(wanted["furthest_value"]), name
        after = scenario.fixed.get(name, {}).get("verdict", "in_sync" if wanted["verdict"] == "behind" else None)
        assert row["verdict"] == after or after is None, name
    moved = {name for name, state in states(db).items() if state != fresh[name]}
    assert moved == scenario.moved
    failing = {row["verdict"] for row in run.rows.values()} - {"in_sync", "skipped"}
    assert run.status == (3 if failing else 0), run.stderr
    assert run.summary["repaired"] == str(sum(run.rows[name]["verdict"] == "in_sync" for name in scenario.moved))
    assert_inserts(scenario, db)


def _text(value: int | None) -> str | None:
    return None if value is None else str(value)


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
    given = variables(scenario.options)
    run = reset(db.dsn, all="on", **given)
    repaired = states(db)
    for name, state in repaired.items():
        assert state.position >= fresh[name].position, f"{name} went back"
        assert state.definition == fresh[name].definition, f"{name} was redefined"
    again = reset(db.dsn, all="on", **given)
    assert states(db) == repaired, "a second run writes nothing"
    assert again.status == run.status
    assert {name: row["verdict"] for name, row in again.rows.items()} == {
        name: row["verdict"] for name, row in run.rows.items()
    }
    if scenario.name in DIFFERENCES:
        with pytest.raises(AssertionError):
            assert_agreement(scenario, run, fresh, db)
    else:
        assert_agreement(scenario, run, fresh, db)


def test_every_difference_is_a_scenario() -> None:
    assert DIFFERENCES.keys() <= {scenario.name for scenario in SCENARIOS}
