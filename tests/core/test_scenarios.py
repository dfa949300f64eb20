"""Every way in which a sequence drifts, or has to be left alone: tests/scenarios/<name>.sql and <name>.json.

The .sql file makes the situation. The .json file says what is expected of it:

  servers   versions that know the syntax, such as ">=14"; all where it is missing
  options   what check() and fix() are given
  report    by sequence, the part of its row that check() has to give
  inserts   statements after fix(), each with the rows that it has to return, or the SQLSTATE that it has to fail with
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import psycopg
import pytest

from airflow_seqfix import core
from tests.conftest import Database

SCENARIOS = Path(__file__).parent.parent / "scenarios"


def scenarios() -> list[str]:
    return sorted(path.stem for path in SCENARIOS.glob("*.sql"))


def prepare(name: str, db: Database) -> dict[str, Any]:
    """Make the situation, or leave the test where the server does not know it."""
    expected: dict[str, Any] = json.loads((SCENARIOS / f"{name}.json").read_text(encoding="utf-8"))
    wanted = expected.pop("servers", ">=13")
    major = db.server.version_num // 10000
    assert wanted[:2] in (">=", "<="), wanted
    if not (major >= int(wanted[2:]) if wanted[:2] == ">=" else major <= int(wanted[2:])):
        pytest.skip(f"PostgreSQL {major} has no such thing: {wanted}")
    db.execute((SCENARIOS / f"{name}.sql").read_text(encoding="utf-8"))
    return expected


def states(db: Database) -> list[tuple[Any, ...]]:
    """Return the state and the relation file of every sequence."""
    names = db.rows("SELECT oid::regclass::text FROM pg_class WHERE relkind = 'S' ORDER BY oid")
    return [(name, *db.state(name)) for (name,) in names]


def is_lower(before: list[tuple[Any, ...]], after: list[tuple[Any, ...]], db: Database) -> list[str]:
    """Return the sequences that went back."""
    descending = {
        name for (name,) in db.rows("SELECT seqrelid::regclass::text FROM pg_sequence WHERE seqincrement < 0")
    }
    return [
        old[0]
        for old, new in zip(before, after, strict=True)
        if (new[1:3] > old[1:3] if old[0] in descending and new[1] != old[1] else new[1:3] < old[1:3])
    ]


@pytest.mark.parametrize("name", scenarios())
def test_scenario(name: str, db: Database) -> None:
    expected = prepare(name, db)
    options = expected.get("options", {})
    fresh = states(db)

    with db.connect() as conn:
        report = core.check(conn, **options).to_dict()
    rows = {row["sequence"]: row for row in report["sequences"]}
    assert set(rows) == set(expected["report"])
    for sequence, wanted in expected["report"].items():
        assert {key: rows[sequence][key] for key in wanted} == wanted, sequence
    assert states(db) == fresh, "a check writes nothing"

    with db.connect() as conn:
        fixed = core.fix(conn, **options)
    repaired = states(db)
    assert not is_lower(fresh, repaired, db), "a sequence went back"
    behind = {sequence for sequence, row in rows.items() if row["verdict"] == "behind"}
    moved = {new[0] for old, new in zip(fresh, repaired, strict=True) if old != new}
    assert len(moved) <= len(behind), "what is not behind is not moved"

    with db.connect() as conn:
        again = core.fix(conn, **options)
    assert states(db) == repaired, "a second repair writes nothing"
    assert [row.verdict for row in again.rows] == [row.verdict for row in fixed.rows]

    with db.connect() as conn:
        for insert in expected.get("inserts", []):
            if "sqlstate" in insert:
                with pytest.raises(psycopg.Error) as failure:
                    conn.execute(insert["sql"])
                assert failure.value.sqlstate == insert["sqlstate"], insert["sql"]
            else:
                got = [row[0] if len(row) == 1 else list(row) for row in conn.execute(insert["sql"]).fetchall()]
                assert got == insert["returns"], insert["sql"]


def test_each_scenario_has_both_files() -> None:
    assert {path.stem for path in SCENARIOS.glob("*.json")} == set(scenarios())
    assert len(scenarios()) > 0
