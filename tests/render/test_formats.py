from __future__ import annotations

import json
import tracemalloc
from dataclasses import replace

import pytest

from airflow_seqfix import core
from airflow_seqfix.render.formats import FORMATS, form_of, pieces, render


@pytest.mark.parametrize(
    ("path", "form"),
    [
        ("report.json", "json"),
        ("a.b/report.md", "markdown"),
        ("REPORT.Markdown", "markdown"),
        ("report.html", "html"),
        ("report.HTM", "html"),
    ],
)
def test_the_end_of_the_name_says_the_form(path: str, form: str) -> None:
    assert form_of(path) == form
    assert form in FORMATS


@pytest.mark.parametrize("path", ["report", "report.txt", "json", "", "folder.json/report", ".html"])
def test_a_name_that_says_no_form(path: str) -> None:
    with pytest.raises(core.ArgumentError, match=r"does not say .*: end it with \.json, \.md, .*\.htm or \.csv$"):
        form_of(path)


def test_a_form_that_there_is_not(report: core.Report) -> None:
    with pytest.raises(core.ArgumentError, match="as 'pdf': give one of json, markdown, html"):
        render(report, "pdf")


@pytest.mark.parametrize("form", FORMATS)
def test_every_form_names_what_is_behind(report: core.Report, form: str) -> None:
    text = render(report, form)
    assert "shop.orders_id_seq" in text
    assert text.endswith("\n")
    assert not text.endswith("\n\n")


def test_json_is_the_report(report: core.Report) -> None:
    assert render(report, "json") == json.dumps(report.to_dict(), indent=2) + "\n"
    empty = replace(report, rows=())
    assert render(empty, "json") == json.dumps(empty.to_dict(), indent=2) + "\n"


@pytest.mark.parametrize("form", ["json", "html", "csv"])
@pytest.mark.long
def test_memory_does_not_grow_with_the_text(plan: core.Plan, form: str) -> None:
    def size_and_peak(times: int) -> tuple[int, int]:
        long = replace(plan, report=replace(plan.report, rows=plan.report.rows * times))
        tracemalloc.start()
        try:
            size = sum(map(len, pieces(long, form)))
            return size, tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    (size, peak), (size_of_more, peak_of_more) = size_and_peak(50), size_and_peak(150)
    assert peak_of_more - peak < (size_of_more - size) / 4


def test_of_a_plan(plan: core.Plan) -> None:
    assert render(plan, "json") == json.dumps(plan.to_dict(), indent=2) + "\n"
    assert render(plan, "markdown").startswith("### 7 sequences would be moved forward\n")
    assert "after the repair" in render(plan, "html")
