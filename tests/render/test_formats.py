from __future__ import annotations

import json

import pytest

from airflow_seqfix import core
from airflow_seqfix.render.formats import FORMATS, form_of, render


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
    assert json.loads(render(report, "json")) == report.to_dict()


def test_of_a_plan(plan: core.Plan) -> None:
    assert json.loads(render(plan, "json")) == plan.to_dict()
    assert render(plan, "markdown").startswith("### 7 sequences would be moved forward\n")
    assert "after the repair" in render(plan, "html")
