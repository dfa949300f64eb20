"""docs/proof/behaviours.md is made from the scenarios as they are now, and by the code that is here."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from pathlib import Path

import pytest

from tests.support.behaviours import recipes, thousands, tools
from tests.support.behaviours.page import (
    AHEAD,
    KINDS,
    NOT_JUDGED,
    RIGHT,
    THEN,
    Got,
    cases,
    counts,
    mark,
    right,
    told,
    verdict,
)
from tests.support.behaviours.runs import beside_a_writer, outcomes, repairs
from tests.support.servers import Server, server_labels

PAGE = Path(__file__).parent.parent.parent / "docs" / "proof" / "behaviours.md"


def table(text: str) -> list[list[str]]:
    """Return the cells of each row, the case's name without its link."""
    rows = [line.strip("| ").split(" | ") for line in text.splitlines() if line.startswith("| [")]
    return [[re.findall(r"\[(\w+)\]", case)[0], *cells] for case, *cells in rows]


SITUATIONS, OTHERS = PAGE.read_text(encoding="utf-8").split("## Recipes and tools")
ROWS = table(OTHERS)
EXPECTED = {case: expected for case, expected, *_ in ROWS}
NOTHING = {case: nothing for case, _, nothing, *_ in ROWS}
#: By tool, the cells of its column by case.
COLUMNS = {
    name: {case: cells[number] for case, _, _, *cells in ROWS} for number, name in enumerate([*tools.TOOLS, "`fix()`"])
}


def test_the_page_lists_the_scenarios_that_it_is_made_from() -> None:
    assert sorted(EXPECTED) == [scenario.name for scenario in cases()]
    assert len(ROWS) == 54
    # That says how a run ends that has checked nothing, and nothing of what is repaired.
    options = {option for scenario in cases() for option in scenario.options}
    assert options == {"allow_empty"}, "the page speaks of defaults"


def test_the_page_says_what_the_scenarios_say() -> None:
    """What the scenarios say of a repair is true: test_scenarios.py runs them."""
    on_purpose = dict(re.findall(r"^- \[(\w+)\]\(.*?\) (.*)$", SITUATIONS, re.MULTILINE))
    for scenario in cases():
        name = scenario.name
        assert scenario.behaviour is not None
        assert EXPECTED[name] == THEN.join(map(told, scenario.behaviour["expected"])), name
        wanted = [insert["sqlstate"] if "sqlstate" in insert else insert["returns"][0] for insert in scenario.inserts]
        ours = COLUMNS["`fix()`"][name].strip("*")
        if ours != RIGHT:
            for text, value in zip(ours.split(THEN), wanted, strict=True):
                assert text == told(value) or text.startswith(f"{told(value)} "), name
        judged = verdict(scenario, wanted)
        assert on_purpose.pop(name, "yes") == judged != "**no**", name
        assert (ours == RIGHT) is (judged == "yes"), name
    assert not on_purpose


@pytest.fixture(scope="module")
def untouched(start_server: Callable[[str], Server]) -> dict[str, Got]:
    """Return what the inserts of each case get with nothing run."""
    return outcomes(start_server(server_labels()[0]), None)


@pytest.mark.long
def test_the_page_says_what_happens_with_nothing_run(untouched: dict[str, Got]) -> None:
    assert {name: THEN.join(text for _, text in got or ()) for name, got in untouched.items()} == NOTHING


#: The other tools are not from wheels: what the page says of them is from its last making.
@pytest.mark.parametrize("name", [*recipes.RECIPES, "Django", "`fix()`"])
@pytest.mark.long
def test_the_page_says_what_others_do(newest_server: Server, untouched: dict[str, Got], name: str) -> None:
    repair, before = repairs()[name], right(untouched)
    got = outcomes(newest_server, repair)
    assert counts(name, got, before, beside_a_writer(newest_server, repair)) in OTHERS
    if name in COLUMNS:
        assert COLUMNS[name] == {case: mark(case, got, before) for case in got}


@pytest.mark.long
def test_the_page_says_what_happens_beside_an_open_transaction(newest_server: Server) -> None:
    nothing, ours = (beside_a_writer(newest_server, repairs()[name]) for name in ("nothing run", "`fix()`"))
    assert re.search(rf"^\| nothing run \| .* \| {nothing} \|$", OTHERS, re.MULTILINE)
    assert re.search(rf"^\| `fix\(\)` \| .* \| {ours} \|$", OTHERS, re.MULTILINE)
    assert ours == nothing == "111"


def test_each_case_is_of_one_kind() -> None:
    listed = [case for names, _ in KINDS.values() for case in names]
    assert sorted(listed) == [scenario.name for scenario in cases()]
    assert [row[0] for row in table(OTHERS)] == [case for names, _ in KINDS.values() for case in sorted(names)]


@pytest.mark.parametrize("name", COLUMNS)
def test_the_counts_of_a_column_are_those_of_its_cells(name: str) -> None:
    cells = COLUMNS[name]
    judged = {case: cell for case, cell in cells.items() if cell != NOT_JUDGED}
    worse = [case for case, cell in cells.items() if cell.startswith("**")]
    moves_back = "no" if cells[AHEAD] == RIGHT else "yes"
    assert f"| {name} | {counted(judged.values())} | {len(worse)} | {moves_back} | " in OTHERS
    kinds = [
        line.strip("| ").split(" | ")
        for line in OTHERS.splitlines()
        if line.startswith(tuple(f"| {k} |" for k in KINDS))
    ]
    for kind, *by_column, _ in kinds:
        assert by_column[list(COLUMNS).index(name)] == counted(
            judged[case] for case in KINDS[kind][0] if case in judged
        )


def test_the_page_tells_of_each_run_over_thousands_of_tables() -> None:
    told_of = dict(re.findall(r"^\| (.*) \| ([\d,]+) of 5,000 \| .*\|$", OTHERS, re.MULTILINE))
    assert list(told_of) == list(thousands.RUNS)
    assert told_of["`fix()`"] == "0"


def counted(cells: Iterable[str]) -> str:
    marks = [cell == RIGHT for cell in cells]
    return f"{sum(marks)} of {len(marks)}"
