"""Random sequences and rows: the package against an oracle that shares nothing with it, and both against real inserts.

The same examples are tried each time, so that a failure is a finding of the change at hand. SEQFIX_EXAMPLES draws new
ones, so many batches of up to six sequences. `python -m tests.support.properties` tells what they held.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import strategies as st

from airflow_seqfix import core
from airflow_seqfix.core.measure.column_sql import PROBE_ROWS
from tests.support.properties.bench import Bench, for_all, run
from tests.support.properties.cases import Case, Column
from tests.support.properties.oracle import Fed, Wish, judge
from tests.support.properties.strategies import GOALS, batches
from tests.support.servers import Database

EXAMPLES = int(os.environ.get("SEQFIX_EXAMPLES", "175"))

#: Two inserts that succeed, and then one that does not.
COLLISION = Case(
    number=0,
    goal="behind",
    data_type="bigint",
    options="INCREMENT 1 MINVALUE 1 MAXVALUE 100 START 1 CACHE 1",
    increment=1,
    cycle=False,
    cache=1,
    owned=True,
    own=None,
    state=(),
    tables=(
        (
            Column(
                name="c0",
                kind="bigint",
                type="bigint",
                declared="bigint",
                feed="default",
                index="primary",
                rows=("'3'", "'7'"),
            ),
        ),
    ),
)


@pytest.fixture
def bench(newest_db: Database) -> Iterator[Bench]:
    made = Bench(newest_db)
    yield made
    made.close()


@pytest.mark.parametrize("goal", GOALS)
@pytest.mark.long
def test_the_package_agrees_with_the_oracle(goal: str, bench: Bench) -> None:
    run(bench, max(5, EXAMPLES // len(GOALS)), batches(goal))
    assert goal in {"margin": goal, "anything": goal} or any(goal in verdict for verdict, _, _ in bench.seen)
    assert goal == "skipped" or bench.inserts["succeeded"] > 0


@pytest.mark.long
def test_the_oracle_foretells_inserts(bench: Bench) -> None:
    def foretold(_wish: Wish, cases: list[Case], _draw: Any) -> None:
        for case in cases:
            bench.foretell(case)

    for goal in ("behind", "exhausted"):
        for_all(bench, max(5, EXAMPLES // 8), batches(goal), foretold)
    # Chance may draw none.
    for_all(bench, 1, st.just((Wish(), [COLLISION])), foretold)
    assert min(bench.inserts[ending] for ending in ("succeeded", "2200H", "23505")) > 0


def test_a_collision_beyond_the_probe_is_no_false_promise(newest_db: Database) -> None:
    newest_db.execute(f"""
        CREATE SEQUENCE s INCREMENT 2;
        CREATE TABLE t (id bigint PRIMARY KEY DEFAULT nextval('s'));
        INSERT INTO t SELECT 2 * n FROM generate_series(1, {PROBE_ROWS} + 200) AS n;
        INSERT INTO t VALUES (2 * {PROBE_ROWS} + 101);
    """)
    with newest_db.connect() as conn:
        opinion = judge(conn, "public.s", [Fed(table="t", column="id", type="bigint")], Wish())
        (row,) = core.check(conn).to_dict()["sequences"]
    assert row["verdict"] == opinion.verdict == "behind"
    assert row["gap"] == opinion.gap
    assert row["inserts_until_collision_is_at_least"]
    assert 0 < row["inserts_until_collision"] <= opinion.safe_draws
