"""Markdown: read back by a parser that is not ours, with everything on that a chat or a pull request may know."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from markdown_it import MarkdownIt
from markdown_it.token import Token

from airflow_seqfix import core
from airflow_seqfix.cli.option_names import with_options
from airflow_seqfix.core.errors import printable
from airflow_seqfix.render.markdown import code, fence, markdown, plan_markdown
from tests.support.servers import Database

#: What our own words use; everything else would come from a name.
EXPECTED = {
    "heading_open", "heading_close", "paragraph_open", "paragraph_close", "inline", "text", "code_inline", "fence",
    "hardbreak", "softbreak", "strong_open", "strong_close", "table_open", "table_close", "thead_open", "thead_close",
    "tbody_open", "tbody_close", "bullet_list_open", "bullet_list_close", "list_item_open", "list_item_close",
    "tr_open", "tr_close", "th_open", "th_close", "td_open", "td_close",
}  # fmt: skip


def tokens(text: str) -> Iterator[Token]:
    """Parse as GitHub would, HTML and bare links included."""
    for token in MarkdownIt("gfm-like").parse(text):
        yield token
        yield from token.children or ()


def tables(text: str) -> list[list[list[str]]]:
    found: list[list[list[str]]] = []
    for token in MarkdownIt("gfm-like").parse(text):
        if token.type == "table_open":
            found.append([])
        elif token.type == "tr_open":
            found[-1].append([])
        elif token.type == "inline" and found and token.level >= 4:
            found[-1][-1].append("".join(child.content for child in token.children or ()))
    return found


def fences(text: str) -> list[str]:
    return [token.content for token in tokens(text) if token.type == "fence"]


def test_a_report_lists_the_worst_first_and_what_helps(report: core.Report) -> None:
    text = markdown(report)
    assert text.startswith("### 10 of 15 sequences are not in sync\n")
    (table,) = tables(text)
    assert table[0][:3] == ["verdict", "sequence", "column"]
    assert [row[0] for row in table[1:]] == [str(row.verdict) for row in report.failing]
    assert ["behind", "shop.invoices_id_seq", "shop.invoices.id", "4712", "7800", "3,089", "289", "0 %"] in table
    (script,) = fences(text)
    assert "WHERE (last_value, is_called) < (7800, true)" in script


def test_only_moves_can_be_pasted(report: core.Report, every_verdict: Database) -> None:
    (script,) = fences(markdown(report))
    statements = [line for line in script.splitlines() if line and not line.startswith("-- ")]
    assert statements
    assert all(line.startswith("WITH RECURSIVE r(v) AS (SELECT pg_catalog.nextval('") for line in statements)
    assert ' -- then, for the outliers: outliers="follow", which moves past them; ' in script


def test_a_repair_says_where_it_went(repaired: core.Report) -> None:
    (table,) = tables(markdown(repaired))
    assert table[0][3:5] == ["next value before", "next value now"]
    assert ["fixed", "shop.orders_id_seq", "shop.orders.id", "1", "41201", "41200", "locked"] in table


def test_a_healthy_database_is_said_in_a_line_or_two(newest_db: Database) -> None:
    newest_db.execute("CREATE TABLE a (id serial)")
    with newest_db.connect() as conn:
        text = markdown(core.check(conn))
        planned = plan_markdown(core.plan(conn))
    assert text.startswith("### Sequences: nothing to do\n")
    assert text.endswith("1 checked, 1 in sync\n")
    assert planned.startswith("### No sequence would be moved\n")
    assert not tables(text + planned)


def test_a_plan_says_what_would_move_and_what_is_left_alone(plan: core.Plan) -> None:
    text = plan_markdown(plan)
    table, _ = tables(text)
    assert len(table) - 1 == len(plan.moves)
    assert table[0] == [
        "sequence", "column", "next value now", "furthest value", "inserts until collision", "next value then", "way",
    ]  # fmt: skip
    assert text.count("no more than advance_up_to") == 1
    assert next(row for row in table if row[0] == "shop.invoices_id_seq") == [
        "shop.invoices_id_seq",
        "shop.invoices.id",
        "4712",
        "7800",
        "289",
        "7801",
        "advance",
    ]
    left, script = fences(plan_markdown(plan, rows=4))
    assert "**Left alone, and not in sync: 3**" in text
    assert "hr.seats_id_seq: exhausted: " in left
    # What it does not pass is said beside the move.
    assert "shop.page_views.id has reached 4611686018427387904; that is an outlier" in script
    moving = tuple(row for row in plan.report.sorted_rows if row.finding.move and row.finding.move.way)[:4]
    assert script.rstrip("\n") == replace(plan, report=replace(plan.report, rows=moving)).to_sql()


@pytest.mark.parametrize(
    ("outliers", "said"), [("report", "stay behind until somebody decides"), ("ignore", "as asked")]
)
def test_a_plan_names_the_outliers_that_it_does_not_pass(outliers: Any, said: str, every_verdict: Database) -> None:
    with every_verdict.connect() as conn:
        text = plan_markdown(core.plan(conn, outliers=outliers, margin=2), sql=False)
        followed = plan_markdown(core.plan(conn, outliers="follow"))
    _, (heading, *rows) = tables(text)
    assert heading == ["sequence", "outliers", "lowest", "highest", "reason"]
    far = "4611686018427387904"
    assert [row[:4] for row in rows] == [["shop.page_views_id_seq", "1", far, far]]
    assert "**Outliers, not passed: 1 sequence**" in text
    assert said in text
    assert "Margin: the next value will lie 2 steps beyond the furthest value" in text
    assert "Outliers" not in followed
    assert "Margin" not in followed


def test_a_plan_without_its_sql_fits_on_a_page(plan: core.Plan) -> None:
    text = plan_markdown(plan, sql=False)
    assert "DO $" not in text
    assert len(text.splitlines()) < 4 * len(plan.moves) + 20


def test_a_plan_is_cut_and_says_so(plan: core.Plan) -> None:
    text = plan_markdown(plan, rows=2)
    assert len(tables(text)[0]) == 3
    assert f"… and {len(plan.moves) - 2} more." in text
    assert fences(text)[-1].count(" AS in_sync") == 2


def test_a_script_that_nobody_would_read_is_left_out(newest_db: Database) -> None:
    newest_db.execute(
        "DO $$ BEGIN FOR n IN 1..50 LOOP "
        "EXECUTE format('CREATE TABLE t%s (id serial); INSERT INTO t%s VALUES (1)', n, n); END LOOP; END $$"
    )
    with newest_db.connect() as conn:
        text = plan_markdown(core.plan(conn))
    assert len(tables(text)[0]) == 51
    assert "It is too long to be read here: `seqfix plan -o plan.sql` writes it to a file." in text
    assert not fences(text)


def test_names_are_never_markup(hostile: core.Plan) -> None:
    names = {
        printable(row.finding.sequence.qualified_name).replace("`", r"\x60").replace("|", r"\x7c")
        for row in hostile.report.rows
    }
    for text, column in ((markdown(hostile.report), 1), (plan_markdown(hostile), 0)):
        seen = {token.type for token in tokens(text)}
        assert seen <= EXPECTED, seen - EXPECTED
        (table,) = tables(text)
        assert {row[column] for row in table[1:]} == names
        prose = "".join(token.content for token in tokens(text) if token.type == "text")
        for mark in ("@", "<", "https:", "[", "javascript"):
            assert mark not in prose
        assert not re.search(r"[\u202e\x1b\x07]", text)


def test_a_script_runs_and_repairs(every_verdict: Database, newest_db: Database) -> None:
    newest_db.execute("CREATE TABLE t (id serial); INSERT INTO t VALUES (1), (9)")
    with newest_db.connect() as conn:
        (script,) = fences(markdown(core.check(conn)))
        conn.execute(script)
        assert conn.execute("SELECT nextval('t_id_seq')").fetchall() == [(10,)]


@pytest.mark.parametrize("text", ["a`b", "``", "a|b", "\\", "`", "x\ny", "<b>"])
def test_a_code_span_holds_everything(text: str) -> None:
    (row,) = tables(f"| a |\n|---|\n| {code(text)} |\n")[0][1:]
    assert len(row) == 1
    assert row[0] == text.replace("`", "\\x60").replace("|", "\\x7c").replace("\n", "\\n")


@pytest.mark.parametrize("text", ["plain", "```", "a\n````\nb", "~~~"])
def test_a_fence_holds_everything(text: str) -> None:
    assert fences(fence(text)) == [f"{text}\n"]


def test_warnings_have_their_figures(report: core.Report, plan: core.Plan) -> None:
    for text in (markdown(report), plan_markdown(plan)):
        assert (
            "- exhausting: `hr.badges_id_seq` (97.63 % used, 777 left), "
            "`hr.tickets_id_seq` (88.48 % used, 247,483,647 left): most values are used\n"
        ) in text
        assert "- cached: `shop.payments_id_seq` (CACHE 50): open sessions may" in text


def test_options_are_named_as_the_reader_does(report: core.Report, plan: core.Plan) -> None:
    for text in (markdown(report, spell=with_options), plan_markdown(plan, spell=with_options, sql=False)):
        assert "--outliers follow" in text
        assert "--max-jump" in text
        assert not re.search(r'outliers="|max_jump', text)
    assert 'outliers="follow"' in markdown(report)


def test_sequences_that_nobody_was_seen_to_draw_from_are_named(newest_db: Database) -> None:
    newest_db.execute('CREATE TABLE t (id serial); CREATE SEQUENCE app_seq; CREATE SEQUENCE "a`|<b>"')
    with newest_db.connect() as conn:
        text = markdown(core.check(conn))
    assert text.endswith(
        "**Nothing is known to draw from 2 sequences**\n\n"
        r'`public."a\x60\x7c<b>"`, `public.app_seq`: an application may, and its next insert can fail then: '
        "seqfix suggest says which columns may be theirs\n"
    )


def test_what_shares_a_reason_is_one_line(newest_db: Database) -> None:
    newest_db.execute("".join(f"CREATE TABLE t{n} (id serial);" for n in range(60)))
    with newest_db.connect() as holder, holder.transaction(), newest_db.connect() as conn:
        holder.execute(f"LOCK TABLE {', '.join(f't{n}' for n in range(60))}")
        text = markdown(core.check(conn, lock_timeout=0.01))
    assert text.count("| unknown |") == 1
    assert "| unknown | `60 sequences` | `-` |" in text
    assert text.count("another session holds a lock") == 1
    assert re.search(r"-- public\.t\d+_id_seq, public\.t\d+_id_seq, public\.t\d+_id_seq and 57 more: unknown: ", text)
    assert "… and" not in text
