"""Random tables beside twins: a sample of what `python -m tests.support.harm` runs."""

from __future__ import annotations

import pytest

from tests.support.harm import FINE, MENDED, TOLD, run
from tests.support.servers import Database


@pytest.mark.long
def test_no_repair_does_harm(newest_db: Database) -> None:
    found = run(newest_db, 400, seed=1)
    assert sum(found.values()) == 400
    assert {outcome for _, _, outcome in found} == {FINE, MENDED, TOLD}
