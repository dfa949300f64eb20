"""The HTML report in a browser: what is seen, sorted, found and reached by keyboard, and that no name runs."""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page

from airflow_seqfix import core
from airflow_seqfix.core.row import Row
from airflow_seqfix.render.html import html
from tests.support.browser import axe, chromium

pytestmark = pytest.mark.system

DESKTOP, PHONE = {"width": 1280, "height": 900}, {"width": 390, "height": 844}
REPORTS = ("report", "repaired", "hostile", "empty", "used")

#: Whether two labels of a figure cover each other, or one leaves its card.
OVERLAPS = """() => {
  const found = [];
  for (const figure of document.querySelectorAll('figure')) {
    const card = figure.getBoundingClientRect();
    const labels = [...figure.querySelectorAll('.mark > span')];
    const boxes = labels.map((label) => [label.textContent, label.getBoundingClientRect()]);
    boxes.forEach(([text, a], index) => {
      if (a.left < card.left - 12 || a.right > card.right + 12) found.push(`${text} leaves its card`);
      for (const [other, b] of boxes.slice(index + 1)) {
        if (a.left < b.right - 1 && b.left < a.right - 1 && a.top < b.bottom - 1 && b.top < a.bottom - 1) {
          found.push(`${text} covers ${other}`);
        }
      }
    });
  }
  return found;
}"""

Open = Callable[..., Page]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as started:
        yield started


@pytest.fixture
def open_page(browser: Browser, tmp_path: Path) -> Iterator[Open]:
    """Show a report; the test fails where the page complains, asks, or wants anything from elsewhere."""
    complaints: list[str] = []
    contexts = []

    def show(report: core.Report, *, viewport: dict[str, int] = DESKTOP, **options: Any) -> Page:
        path = tmp_path / "report.html"
        path.write_text(html(report), encoding="utf-8")
        context = browser.new_context(viewport=viewport, **options)
        contexts.append(context)
        page = context.new_page()
        page.on("console", lambda message: complaints.append(message.text))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("dialog", lambda dialog: complaints.append(f"asks {dialog.message}"))
        page.on("request", lambda request: complaints.append(request.url) if request.url != path.as_uri() else None)
        page.goto(path.as_uri())
        return page

    yield show
    for context in contexts:
        context.close()
    assert complaints == []


@pytest.fixture(scope="session")
def empty(report: core.Report) -> core.Report:
    return dataclasses.replace(report, rows=())


@pytest.fixture(scope="session")
def many(report: core.Report) -> core.Report:
    """10,000 sequences, of which two thirds are not in sync."""

    def renamed(row: Row, number: int) -> Row:
        sequence = dataclasses.replace(
            row.finding.sequence, qualified_name=f"{row.finding.sequence.qualified_name}_{number:05}"
        )
        measurement = dataclasses.replace(row.finding.measurement, sequence=sequence)
        return Row(finding=dataclasses.replace(row.finding, measurement=measurement))

    rows = (renamed(row, number) for number, row in zip(range(10_000), itertools.cycle(report.rows), strict=False))
    return dataclasses.replace(report, rows=tuple(rows))


def named(request: pytest.FixtureRequest, name: str) -> core.Report:
    found = request.getfixturevalue(name)
    return found.report if isinstance(found, core.Plan) else found


def column(page: Page, number: int) -> list[str]:
    return page.locator(f"tbody tr > :nth-child({number})").all_inner_texts()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("viewport", [DESKTOP, PHONE], ids=["desktop", "phone"])
@pytest.mark.parametrize("which", REPORTS)
def test_everybody_can_use_it(
    request: pytest.FixtureRequest, open_page: Open, which: str, viewport: dict[str, int], scheme: str
) -> None:
    page = open_page(named(request, which), viewport=viewport, color_scheme=scheme)
    page.locator("details").evaluate_all("all => all.forEach((one) => { one.open = true })")
    page.evaluate(axe())
    result = page.evaluate("axe.run()")
    assert [(rule["id"], [node["html"] for node in rule["nodes"]]) for rule in result["violations"]] == []
    assert {"color-contrast", "document-title"} <= {rule["id"] for rule in result["passes"]}


@pytest.mark.parametrize("viewport", [DESKTOP, PHONE, {"width": 320, "height": 600}], ids=["desktop", "phone", "small"])
@pytest.mark.parametrize("which", REPORTS)
def test_labels_keep_apart(
    request: pytest.FixtureRequest, open_page: Open, which: str, viewport: dict[str, int]
) -> None:
    page = open_page(named(request, which), viewport=viewport)
    assert page.evaluate(OVERLAPS) == []
    assert page.evaluate("document.documentElement.scrollWidth") == viewport["width"], "nothing scrolls sideways"


@pytest.mark.parametrize("viewport", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_a_label_is_one_line(report: core.Report, open_page: Open, viewport: dict[str, int]) -> None:
    page = open_page(report, viewport=viewport)
    heights = page.locator(".mark > span").evaluate_all("all => all.map((one) => one.offsetHeight)")
    assert len(heights) > 30
    assert len(set(heights)) == 1


def test_a_label_points_at_its_mark(report: core.Report, open_page: Open) -> None:
    page = open_page(report)
    pairs = page.evaluate(
        """() => [...document.querySelectorAll('figure .row .mark')].map((label) => {
          const kind = label.classList[1];
          const middle = (box) => box.left + box.width / 2;
          return [middle(label.querySelector('svg').getBoundingClientRect()),
                  middle(label.closest('figure').querySelector(`.line .${kind}`).getBoundingClientRect())];
        })"""
    )
    assert len(pairs) > 15
    assert all(abs(glyph - mark) < 2 for glyph, mark in pairs)


def test_sorting_by_keyboard(report: core.Report, open_page: Open) -> None:
    page = open_page(report)
    heading = page.locator("th", has_text="furthest value")
    assert heading.get_attribute("aria-sort") == "none"
    heading.locator("button").focus()
    page.keyboard.press("Enter")
    assert heading.get_attribute("aria-sort") == "ascending"
    ascending = column(page, 5)
    values = [int(text.replace(",", "")) for text in ascending if text != "-"]
    assert values == sorted(values)
    assert len(values) > 5
    assert set(ascending[len(values) :]) == {"-"}, "what has none stands last"
    page.keyboard.press("Space")
    assert heading.get_attribute("aria-sort") == "descending"
    assert column(page, 5)[: len(values)] == ascending[len(values) - 1 :: -1]
    assert page.locator("th[aria-sort=none]").count() == 7


def test_the_largest_integers_are_told_apart(report: core.Report, open_page: Open) -> None:
    one = next(row for row in report.rows if row.finding.gap)
    rows = tuple(
        Row(finding=dataclasses.replace(one.finding, gap=gap)) for gap in (2**63 - 2, 2**63, 2**63 - 1, 9, 10, -3)
    )
    page = open_page(dataclasses.replace(report, rows=rows))
    page.locator("th", has_text="gap").locator("button").click()
    assert column(page, 6) == [f"{gap:,}" for gap in (-3, 9, 10, 2**63 - 2, 2**63 - 1, 2**63)]


def test_finding_by_name_and_verdict(report: core.Report, open_page: Open) -> None:
    page = open_page(report)
    assert page.locator("output").inner_text() == "15 of 15 shown"
    page.get_by_label("Filter").fill("HR.")
    assert page.locator("output").inner_text() == "8 of 8 shown, of 15 in all"
    page.get_by_label("Verdict").select_option("unknown")
    assert column(page, 1) == ["unknown", "unknown"]
    page.get_by_label("Filter").fill("no such name")
    assert page.locator("output").inner_text() == "0 of 0 shown, of 15 in all"
    assert column(page, 1) == []


def test_every_fixed_sequence_can_be_found(repaired: core.Report, open_page: Open) -> None:
    page = open_page(repaired)
    page.get_by_label("Verdict").select_option("fixed")
    assert column(page, 1) == ["fixed"] * repaired.summary["fixed"]


def test_names_stay_text(hostile: core.Plan, open_page: Open) -> None:
    page = open_page(hostile.report)
    assert page.locator("img, iframe, script[src], a:not([href^='#'])").count() == 0
    assert any("<script>alert(1)</script>" in name for name in column(page, 2))


def test_a_script_that_gets_in_does_not_run(report: core.Report, open_page: Open, tmp_path: Path) -> None:
    page = open_page(report)
    path = tmp_path / "attacked.html"
    attack = "<script>document.title='owned'</script><img src=x onerror=\"document.title='owned'\"></main>"
    path.write_text(html(report).replace("</main>", attack), encoding="utf-8")
    attacked = page.context.new_page()
    attacked.goto(path.as_uri())
    assert "owned" not in attacked.title()


def test_without_scripts_every_row_is_there(many: core.Report, open_page: Open) -> None:
    page = open_page(many, java_script_enabled=False)
    assert page.locator("tbody tr").last.is_visible()
    assert not page.locator("#filter").is_visible()


def test_ten_thousand_sequences(many: core.Report, open_page: Open) -> None:
    page = open_page(many)
    assert page.locator("output").inner_text() == "250 of 10,000 shown"
    page.get_by_role("button", name="Show more").click()
    assert page.locator("tbody tr").count() == 500
    headings = page.locator("thead button").count()
    for number in range(headings):
        page.evaluate(f"document.querySelectorAll('thead button')[{number}].click()")
        # A table that is laid out whole takes seconds for each.
        assert 250 <= page.locator("tbody tr").count() <= 500
    page.evaluate(
        "const box = document.querySelector('input'); box.value = '_0999';"
        "box.dispatchEvent(new Event('input', { bubbles: true }))"
    )
    assert page.locator("output").inner_text() == "10 of 10 shown, of 10,000 in all"


def test_print_has_no_controls(report: core.Report, open_page: Open) -> None:
    page = open_page(report, color_scheme="dark")
    page.emulate_media(media="print", color_scheme="dark")
    for control in ("#filter", "#more", ".copy"):
        assert not page.locator(control).first.is_visible()
    assert page.locator("h1").evaluate("one => getComputedStyle(one).color") == "rgb(27, 31, 36)"


def test_a_statement_can_be_copied(report: core.Report, open_page: Open) -> None:
    page = open_page(report, permissions=["clipboard-read", "clipboard-write"])
    card = page.locator("article").filter(has_text="shop.orders_id_seq").first
    card.get_by_role("button", name="Copy").click()
    page.get_by_role("button", name="Copied").wait_for()
    assert page.evaluate("navigator.clipboard.readText()") == (
        "WITH RECURSIVE r(v) AS (SELECT pg_catalog.nextval('shop.orders_id_seq') FROM shop.orders_id_seq"
        " WHERE (last_value, is_called) < (41200, true)"
        " UNION ALL SELECT pg_catalog.nextval('shop.orders_id_seq') FROM r WHERE v < 41200)"
        " SELECT pg_catalog.max(v) FROM r;"
    )


@pytest.mark.parametrize("which", ["report", "repaired"])
def test_a_phone_keeps_the_figures(request: pytest.FixtureRequest, which: str, open_page: Open) -> None:
    report = named(request, which)
    page = open_page(report, viewport=PHONE)
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    for cell in page.locator("tbody td.n").all():
        box = cell.bounding_box()
        assert box is not None and box["x"] >= 0 and box["x"] + box["width"] <= PHONE["width"]
    first = page.locator("tbody td.n").first
    assert first.evaluate("cell => getComputedStyle(cell, '::before').content") in ('"next value "', '"next was "')
    page.get_by_role("button", name="gap").click()
    assert page.locator("[aria-sort=ascending]").inner_text().startswith("gap")
