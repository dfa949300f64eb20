"""The HTML report as a file: what stands in it, and that no name in it does anything. test_page.py has the browser."""

from __future__ import annotations

import base64
import hashlib
import re
from html.parser import HTMLParser

import pytest

from airflow_seqfix import core
from airflow_seqfix.cli.option_names import with_options
from airflow_seqfix.core.errors import printable
from airflow_seqfix.render.html import html
from tests.support.pages import read
from tests.support.servers import Database

VOID = {"meta", "input", "line", "rect", "use", "path", "br", "wbr"}
#: Every element that our own template has.
KNOWN = {
    "html", "head", "meta", "title", "style", "body", "svg", "path", "line", "rect", "use", "header", "main",
    "footer", "section", "article", "figure", "h1", "h2", "h3", "p", "a", "span", "b", "em", "strong", "small",
    "code", "dl", "dt", "dd", "div", "time", "details", "summary", "form", "label", "input", "select", "option",
    "output", "button", "figcaption", "table", "caption", "thead", "tbody", "tr", "th", "td", "script", "wbr",
}  # fmt: skip


class Page(HTMLParser):
    """The elements of a page with their text."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.texts: dict[str, list[str]] = {}
        self.feed(text)
        self.close()
        assert not self.open, "every element is closed"

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        self.texts.setdefault(tag, [])
        if tag not in VOID:
            self.open.append(tag)
            self.texts[tag].append("")

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        for tag in set(self.open):
            self.texts[tag][-1] += data


def policy(page: Page) -> str:
    return next(a["content"] or "" for tag, a in page.elements if tag == "meta" and "http-equiv" in a)


def test_it_names_every_sequence_and_counts_them(report: core.Report) -> None:
    page = Page(html(report))
    server = report.server
    assert page.texts["title"] == [f"10 of 15 sequences are not in sync: {server.database} on {server.address}"]
    for row in report.rows:
        assert row.finding.sequence.qualified_name in page.texts["th"]
    assert dict(zip(page.texts["dt"], page.texts["dd"], strict=True)) == {
        "behind": "7",
        "exhausted": "1",
        "unknown": "2",
        "in sync": "3",
        "skipped": "2",
    }
    assert "289 more inserts succeed before one fails." in page.texts["strong"]


def test_a_repair_shows_before_and_after(repaired: core.Report) -> None:
    page = Page(html(repaired))
    assert "Fixed and verified" in page.texts["h2"]
    assert any(re.fullmatch(r"next value before 4712", text) for text in page.texts["span"])
    assert any(re.fullmatch(r"next value now 7801", text) for text in page.texts["span"])


def test_a_healthy_database(newest_db: Database) -> None:
    with newest_db.connect() as conn:
        empty = html(core.check(conn, allow_empty=True))
        conn.execute("CREATE TABLE a (id serial)")
        healthy = html(core.check(conn))
    assert "No sequences to look at" in empty
    assert "None of 1 sequence is out of order" in healthy
    assert "Not in sync" not in Page(healthy).texts["h2"]
    assert not Page(empty).texts.get("table")


def test_names_are_text(hostile: core.Plan) -> None:
    page = Page(html(hostile.report))
    assert {tag for tag, _ in page.elements} <= KNOWN
    assert sum(tag == "script" for tag, _ in page.elements) == 1
    for row in hostile.report.rows:
        assert any(printable(row.finding.sequence.qualified_name) in text for text in page.texts["h3"])
    for tag, attributes in page.elements:
        assert not [name for name in attributes if name.startswith("on") or name == "style"], tag
        for name in ("href", "src", "action"):
            assert (attributes.get(name) or "#").startswith("#"), tag


@pytest.mark.parametrize("character", ["\u202e", "\x1b", "\x07", "\u2028"])
def test_nothing_moves_the_cursor(hostile: core.Plan, character: str) -> None:
    assert character not in html(hostile.report)


def test_only_its_own_script_and_style_may_run(report: core.Report) -> None:
    page = Page(html(report))
    for tag in ("script", "style"):
        (text,) = page.texts[tag]
        digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
        assert f"{tag}-src 'sha256-{digest}'" in policy(page)
    assert policy(page).startswith("default-src 'none'; ")
    assert "unsafe" not in policy(page)


def test_it_loads_nothing(report: core.Report) -> None:
    assert not re.search(r"https?://|url\(|@import|\bsrc=|<link", html(report))


def test_what_is_not_drawn_is_said(newest_db: Database) -> None:
    newest_db.execute("".join(f"CREATE TABLE t{n} (id serial); INSERT INTO t{n} VALUES (1);" for n in range(260)))
    with newest_db.connect() as conn:
        page = Page(html(core.check(conn)))
    assert sum(tag == "article" for tag, _ in page.elements) == 100
    assert any(text.startswith("The first 100 of 260 are drawn") for text in page.texts["p"])
    bodies = [attributes for tag, attributes in page.elements if tag == "tbody"]
    assert bodies == [{}, {"hidden": None}]
    assert sum(tag == "tr" for tag, _ in page.elements) == 261


def test_a_plan_says_where_how_and_why(plan: core.Plan) -> None:
    text = html(plan, spell=with_options)
    page = Page(text)
    assert page.texts["h1"] and page.texts["title"][0].startswith("7 sequences would be moved forward, 3 left alone")
    said = "Would be moved by advance, to the next value 7801: no more than --advance-up-to (10,000) values."
    assert said in page.texts["p"]
    assert "advance" in page.texts["small"]
    (reason,) = (text for text in page.texts["p"] if ": advance: no more than --advance-up-to (10,000) values." in text)
    assert " and 2 more: " in reason
    assert "next value then" in page.texts["th"]
    assert "Would be moved" not in html(plan.report)
    assert "max_jump" not in text


def test_what_is_nearly_used_up_has_a_card(report: core.Report) -> None:
    page = Page(html(report))
    assert "In order, and most values are used" in page.texts["h2"]
    assert "88.48 % of its values are used, and 247,483,647 are left. What makes room:" in page.texts["p"]
    assert any("ALTER TABLE hr.tickets ALTER id TYPE bigint;" in text for text in page.texts["code"])


def test_a_line_that_is_not_to_scale_says_so(report: core.Report) -> None:
    page = Page(html(report))
    assert set(page.texts["figcaption"]) == {"not to scale"}
    assert len(page.texts["figcaption"]) < len(page.texts["figure"])


@pytest.mark.parametrize("which", ["report", "repaired"])
def test_each_finding_can_be_linked_to_and_leads_to_its_explanation(request: pytest.FixtureRequest, which: str) -> None:
    found: core.Report = request.getfixturevalue(which)
    page = Page(html(found))
    cards = [attributes["id"] for tag, attributes in page.elements if tag == "article"]
    assert len(cards) == len(set(cards)) > 5
    headings = re.findall(r"^#+ (.+)$", read("docs/reference/messages.md"), re.MULTILINE)
    anchors = {re.sub(r"[^a-z0-9 -]", "", heading.lower()).replace(" ", "-") for heading in headings}
    named = [
        text.split("#")[1] for text in page.texts["p"] if text.startswith("Explained in docs/reference/messages.md#")
    ]
    assert len(named) == sum(row.reason is not None for row in found.failing)
    assert set(named) <= anchors
    if which == "report":
        assert {"outliers", "the-limit-that-binds", "could-not-be-read-unknown"} <= set(named)


def test_what_fails_by_a_threshold_has_one_card(newest_db: Database) -> None:
    newest_db.execute("CREATE TABLE t (id smallserial); SELECT setval('t_id_seq', 32000); INSERT INTO t VALUES (32100)")
    with newest_db.connect() as conn:
        for report in (core.fix(conn, fail_used_pct=75), core.check(conn, fail_used_pct=75)):
            (row,) = report.failing
            assert row.verdict is core.Verdict.IN_SYNC
            page = Page(html(report))
            cards = [a for tag, a in page.elements if tag == "article"]
            assert [card["id"] for card in cards] == [f"sequence-{row.finding.sequence.oid}"]
            assert f"Explained in {THRESHOLDS}" in page.texts["p"]


#: Where the messages about thresholds are.
THRESHOLDS = "docs/reference/messages.md#a-sequence-is-behind-exhausted-or-nearly-so"


def test_sequences_that_nobody_was_seen_to_draw_from_are_named(newest_db: Database) -> None:
    newest_db.execute("CREATE TABLE t (id serial)")
    with newest_db.connect() as conn:
        assert "Nobody was seen" not in html(core.check(conn))
        newest_db.execute('CREATE SEQUENCE app_seq; CREATE SEQUENCE "<b>"')
        page = html(core.check(conn))
    assert "Nothing is known to draw from 2 sequences</h2>" in page
    assert "&lt;b&gt;" in page


def test_a_long_name_breaks_between_its_words_and_is_still_text(newest_db: Database) -> None:
    newest_db.execute('CREATE TABLE monthly_customer_report ("<b>_id" serial)')
    with newest_db.connect() as conn:
        text = html(core.check(conn))
    assert "public.<wbr>monthly_<wbr>customer_<wbr>report.<wbr>&#34;&lt;b&gt;_<wbr>id&#34;" in text
    assert 'public."monthly_customer_report_<b>_id_seq"' in Page(text).texts["th"]
