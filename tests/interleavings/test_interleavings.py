"""A sample of the matrix, which `make interleavings` runs whole."""

from __future__ import annotations

import pytest

from tests.interleavings.matrix import DDL, FACES, Case, run
from tests.support.servers import Database, Server, database_on


@pytest.mark.parametrize("face", FACES)
@pytest.mark.parametrize("ddl", list(DDL)[::3])
def test_a_stop_in_the_middle(ddl: str, face: str, newest_server: Server) -> None:
    with database_on(newest_server) as db:
        statements = run(db, Case(face, ddl, None)).statements
    stop = list(DDL).index(ddl) * 7 % statements
    with database_on(newest_server) as db:
        assert run(db, Case(face, ddl, stop)).failures == []


def test_the_judge_sees_a_healthy_sequence_that_is_moved(newest_db: Database) -> None:
    case = Case("check", "a grant", 1)
    assert run(newest_db, case).failures == []
    newest_db.execute("SELECT setval('a_id_seq', 5000)")
    from tests.interleavings.matrix import judge

    judge(newest_db, case, {})
    assert "was healthy, and was moved from 200 to 5000" in case.failures[0]
