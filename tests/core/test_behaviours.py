"""docs/behaviours.md is made from the scenarios as they are now, and by the code that is here."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests import recipes
from tests.behaviours import THEN, cases, count, inserts, told, verdict
from tests.conftest import Server

PAGE = Path(__file__).parent.parent.parent / "docs" / "behaviours.md"


def table(text: str) -> list[list[str]]:
    """Return the cells of each row, the case's name without its link."""
    rows = [line.strip("| ").split(" | ") for line in text.splitlines() if line.startswith("| [")]
    return [[re.findall(r"\[(\w+)\]", case)[0], *cells] for case, *cells in rows]


ROWS = table(PAGE.read_text(encoding="utf-8"))


def test_the_page_lists_the_scenarios_that_it_is_made_from() -> None:
    assert [row[0] for row in ROWS] == [scenario.name for scenario in cases()]
    assert len(ROWS) == 54
    assert not any(scenario.options for scenario in cases()), "the page speaks of defaults"


def test_the_page_says_what_the_scenarios_say() -> None:
    """What the scenarios say of a repair is true: test_scenarios.py runs them."""
    for scenario, (_, expected, _, ours, right) in zip(cases(), ROWS, strict=True):
        assert scenario.behaviour is not None
        assert expected == THEN.join(map(told, scenario.behaviour["expected"])), scenario.name
        wanted = [insert["sqlstate"] if "sqlstate" in insert else insert["returns"][0] for insert in scenario.inserts]
        for text, value in zip(ours.split(THEN), wanted, strict=True):
            assert text == told(value) or text.startswith(f"{told(value)} "), scenario.name
        assert right == verdict(scenario, wanted) != "**no**", scenario.name


def test_the_page_says_what_happens_with_nothing_run(newest_server: Server) -> None:
    for scenario, (_, _, nothing, _, _) in zip(cases(), ROWS, strict=True):
        assert nothing == THEN.join(text for _, text in inserts(newest_server, scenario)), scenario.name


@pytest.mark.parametrize("recipe", recipes.RECIPES)
def test_the_page_says_what_a_recipe_does(newest_server: Server, recipe: str) -> None:
    right, worse = count(newest_server, recipe)
    assert f"| {recipe} | {right} of 54 | {worse} |" in PAGE.read_text(encoding="utf-8")
