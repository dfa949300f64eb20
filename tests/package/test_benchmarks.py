"""The benchmarks count what they say they count, and have a place for each table. No test looks at the time."""

from __future__ import annotations

import pytest

from benchmarks.competitors import CHECK, FIX
from benchmarks.database import build, reset
from benchmarks.measuring import Counted, Result, count, in_turns
from benchmarks.page import PLACES, comparison, refuse_other_pages, replaced
from tests.support import ROOT
from tests.support.servers import Database

pytestmark = pytest.mark.long

SEQUENCES = 12


@pytest.fixture
def tables(wheel_db: Database) -> Database:
    build(wheel_db.dsn, SEQUENCES)
    return wheel_db


def counted(db: Database, mix: str, name: str) -> Counted:
    """Run one of them, and return what was counted."""
    reset(db.dsn, SEQUENCES, mix)
    result = Result()
    assert db.server.cluster is not None
    count(db.server.cluster, db.dsn, SEQUENCES, FIX, name, result)
    assert not result.error
    assert result.counted is not None
    return result.counted


def test_a_repair_of_what_is_in_sync_writes_nothing_and_a_recipe_does(tables: Database) -> None:
    ours = counted(tables, "in sync", "seqfix")
    recipe = counted(tables, "in sync", "recipe")
    assert (ours.sequence_records, ours.new_files, ours.moved_back, ours.left_behind) == (0, 0, 0, 0)
    # Two of them are ahead of their rows.
    assert (recipe.sequence_records, recipe.new_files, recipe.moved_back, recipe.left_behind) == (SEQUENCES, 0, 2, 0)
    assert recipe.messages == SEQUENCES + 1


def test_what_is_behind_is_seen_to_be_repaired(tables: Database) -> None:
    assert counted(tables, "all behind", "seqfix").left_behind == 0
    tables.execute("ALTER SEQUENCE t2_id_seq OWNED BY NONE")
    assert counted(tables, "all behind", "recipe").left_behind == 1


def test_a_failure_is_in_the_table_and_ends_its_turns(tables: Database) -> None:
    results = {"seqfix": Result(), "server-side loop": Result()}
    tables.execute("ALTER TABLE t2 ALTER id TYPE text USING 'x' || id")
    in_turns(results, CHECK, tables.dsn, 2)
    (head, _, ours, floor) = comparison(results)
    assert head.startswith("|  | seconds |")
    assert "(2)" in ours
    assert floor.startswith("| server-side loop | failed: ")


def test_a_table_replaces_the_one_of_its_title_and_no_other() -> None:
    page = "before\n<!-- bench: fix -->\n### 10 a\n\nold\n\n### 1,000 a\n\nold\n\n<!-- /bench: fix -->\nafter\n"
    once = replaced(page, "fix", "1,000 a", "### 1,000 a\n\nnew\n")
    assert once == page.replace("### 1,000 a\n\nold", "### 1,000 a\n\nnew")
    twice = replaced(once, "fix", "100 a", "### 100 a\n\nnew\n")
    assert twice == once.replace("### 1,000", "### 100 a\n\nnew\n\n### 1,000")
    with pytest.raises(ValueError, match="the page needs the lines <!-- bench: check -->"):
        refuse_other_pages(page)


def test_the_page_has_a_place_for_every_table() -> None:
    page = (ROOT / "docs" / "proof" / "benchmark-tables.md").read_text(encoding="utf-8")
    refuse_other_pages(page)
    assert sorted(PLACES, key=lambda place: page.index(f"<!-- bench: {place} -->")) == list(PLACES)
