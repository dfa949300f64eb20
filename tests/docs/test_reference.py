"""The pages of the reference name everything that there is."""

from __future__ import annotations

import re

import pytest

from airflow_seqfix import core
from tests.support import ROOT
from tests.support.pages import load_shop, read
from tests.support.servers import Database


def test_verdicts_warnings_and_ways() -> None:
    page = read("docs/reference/verdicts.md")
    rows = set(re.findall(r"^\| `(\w+)` \|", page, re.MULTILINE))
    assert rows == {str(member) for kind in (core.Verdict, core.SequenceWarning, core.Way) for member in kind}


def keys(value: object) -> set[str]:
    """Return the keys of a dictionary and of all below it, but for names of options."""
    if isinstance(value, dict):
        return set(value) | {key for name, below in value.items() if name != "options" for key in keys(below)}
    if isinstance(value, list):
        return {key for below in value for key in keys(below)}
    return set()


@pytest.mark.parametrize("made", ["check", "plan", "fix"])
def test_every_key_of_a_report(newest_db: Database, made: str) -> None:
    with newest_db.connect() as conn:
        load_shop(conn)
        report = getattr(core, made)(conn).to_dict()
    report.pop("moves", None)
    named = set(re.findall(r"`(\w+)`", read("docs/reference/report.md")))
    assert not keys(report) - named


def test_every_figure_that_other_tools_are_told(newest_db: Database) -> None:
    from airflow_seqfix.task import assets, metrics

    with newest_db.connect() as conn:
        event = assets.found(core.check(conn, allow_empty=True))
    named = set(re.findall(r"`(\w+)`", read("docs/reference/observe.md")))
    assert {*event, *metrics.COUNTS, "worst_used_ratio"} <= named


def test_every_face_has_its_place() -> None:
    page = read("docs/reference/airflow.md")
    for folder in ("operators", "sensors", "triggers"):
        for path in sorted((ROOT / "airflow_seqfix" / folder).glob("[a-z]*.py")):
            for name in re.findall(r"^class ([A-Z]\w*)", path.read_text(encoding="utf-8"), re.MULTILINE):
                assert f"airflow_seqfix.{folder}.{path.stem}.{name}" in page


def test_the_library_page_has_all_functions() -> None:
    page = read("docs/reference/library.md")
    for name in core.__all__:
        if name[0].islower():
            assert f"autofunction:: airflow_seqfix.core.{name}" in page


def test_the_library_page_has_all_errors() -> None:
    page = read("docs/reference/library.md")
    errors = [name for name in core.__all__ if name.endswith("Error")]
    assert [name for name in errors if f"autoexception:: airflow_seqfix.core.{name}" not in page] == []


def test_decisions_have_a_number_each() -> None:
    """And the number in the title is that of the file."""
    records = sorted((ROOT / "docs" / "adr").glob("0*.md"))
    assert [int(path.name[:4]) for path in records] == list(range(1, len(records) + 1))
    assert [p.name for p in records if not p.read_text(encoding="utf-8").startswith(f"# {int(p.name[:4])}. ")] == []
