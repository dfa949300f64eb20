"""Repairs under live traffic, for a few seconds each; tests/stress/run.py runs the same for minutes."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.stress.loads import NOBODY, OURS, THEIRS, Load
from tests.stress.traffic import run
from tests.support.servers import Database

pytestmark = pytest.mark.long


@pytest.mark.parametrize("load", OURS.values(), ids=lambda load: load.name)
def test_no_id_is_issued_twice(load: Load, newest_db: Database) -> None:
    result = run(newest_db, load, seconds=3, ids=20_000, moves=20)
    assert (result.twice, result.backward, result.unreadable) == (0, 0, 0)
    assert result.issued >= 20_000
    assert result.moves > 0, "nothing was repaired, so nothing was tried"


@pytest.mark.parametrize("load", OURS.values(), ids=lambda load: load.name)
def test_no_id_is_issued_twice_while_the_catalogs_change(load: Load, newest_db: Database) -> None:
    result = run(newest_db, replace(load, ddl=True), seconds=3, ids=20_000, moves=3)
    assert (result.twice, result.backward, result.unreadable) == (0, 0, 0)
    assert result.moves > 0, "nothing was repaired, so nothing was tried"
    assert result.changes > 0, "nothing was changed, so nothing was tried"


@pytest.mark.parametrize("name", ["setval(max(id))", "ALTER SEQUENCE RESTART WITH max(id) + 1"])
def test_this_test_would_see_an_id_that_is_issued_twice(name: str, newest_db: Database) -> None:
    result = run(newest_db, THEIRS[name], seconds=2, ids=20_000, moves=200)
    assert result.twice > 0
    assert result.backward > 0


def test_the_writers_alone_issue_no_id_twice(newest_db: Database) -> None:
    result = run(newest_db, NOBODY, seconds=1, ids=20_000, moves=0)
    assert (result.twice, result.backward) == (0, 0)
