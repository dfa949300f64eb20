"""A few kills in each phase; `python -m tests.stress.chaos` has hundreds."""

from __future__ import annotations

from collections import Counter

import pytest

from tests.stress.chaos import Chaos, targets
from tests.support.servers import Database

pytestmark = pytest.mark.long


def test_what_a_killed_repair_leaves_behind(newest_db: Database) -> None:
    chaos = Chaos(newest_db)
    try:
        for phase, means in targets(kills=15, backends=5, freezes=0):
            chaos.strike(phase, means)
    finally:
        chaos.close()
    assert chaos.struck == Counter(targets(kills=15, backends=5, freezes=0))
