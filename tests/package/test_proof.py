"""make proof goes on when a part fails, ends with the worst status, and leaves out no page of docs/proof/."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest

from tests.support import ROOT, proof
from tests.support.proof import FOLDER, PAGE, PARTS, Part, Result, page, recorded

#: Pages of docs/proof/ that no run writes: the claims, what a person reads in the tables, and how the cost grows.
BY_HAND = {"index.md", "benchmarks.md", "scale.md", "run.md"}


def part(name: str, code: str) -> Part:
    return Part(name=name, command=(sys.executable, "-c", code), pages=("kept.md",))


SMALL = (
    part("good", "print('as it should be')"),
    part("bad", "raise SystemExit(3)"),
    part("killed", "import os, signal; os.kill(os.getpid(), signal.SIGTERM)"),
    part("last", "open('ran', 'w')"),
)


@pytest.fixture
def small(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "kept.md").write_text("# Kept\n\nMade on PostgreSQL 18.6,\nPython 3.11.7.\n\nNot PostgreSQL 13.\n")
    monkeypatch.setattr(proof, "ROOT", tmp_path)
    monkeypatch.setattr(proof, "FOLDER", tmp_path)
    monkeypatch.setattr(proof, "PAGE", tmp_path / "run.md")
    monkeypatch.setattr(proof, "PARTS", SMALL)
    monkeypatch.setattr(proof, "made_here", lambda: "Made here.")
    return tmp_path


def test_a_failure_stops_nothing_and_the_worst_status_is_the_last_word(
    small: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        proof.main([])
    assert ended.value.code == 143
    assert (small / "ran").exists()
    said = (small / "run.md").read_text()
    outcomes = re.findall(r"^\| `.*` \| (.*?) \| [\d.]+ \| \[kept.md\]\(kept.md\): (.*) \|$", said, re.MULTILINE)
    assert outcomes == [
        (outcome, "PostgreSQL 18.6, Python 3.11.7")
        for outcome in ("passed", "failed, status 3", "failed, status 143", "passed")
    ]
    assert "Made here." in said
    progress = capfd.readouterr().out.splitlines()
    assert progress[1] == "as it should be"
    assert [line.split(" after ")[0] for line in progress if line.startswith("[2/4]")] == [
        f"[2/4] bad: {' '.join(SMALL[1].command)}",
        "[2/4] bad: failed, status 3",
    ]


def test_the_page_is_there_after_each_part(
    small: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """When somebody ends it hours later, what is done is on the page."""
    looks = part("looks", "print(open('run.md').read())")
    monkeypatch.setattr(proof, "PARTS", (SMALL[0], looks, SMALL[3]))
    with pytest.raises(SystemExit) as ended:
        proof.main([])
    assert ended.value.code == 0
    said = capfd.readouterr().out
    assert said.count("| passed |") == 1
    assert said.count("| not in this run |") == 2


def test_only_some(small: Path) -> None:
    with pytest.raises(SystemExit) as ended:
        proof.main(["bad"])
    assert ended.value.code == 3
    assert (small / "run.md").read_text().count("| not in this run |") == 3
    with pytest.raises(SystemExit) as refused:
        proof.main(["bad", "nope"])
    assert refused.value.code == 2


def test_every_page_belongs_to_a_part() -> None:
    written = [name for part in PARTS for name in part.pages]
    assert len(written) == len(set(written))
    assert {path.name for path in FOLDER.glob("*.md")} == {*written, *BY_HAND}


def test_every_part_writes_its_pages() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    for part in PARTS:
        program, target = part.command
        assert program == "make"
        (recipe,) = re.findall(rf"^{target}:[^\n]*\n((?:\t[^\n]*\n)+)", makefile, re.MULTILINE)
        assert [name for name in part.pages if f"docs/proof/{name}" not in recipe] == []


def test_the_page_says_what_the_others_record() -> None:
    shown = PAGE.read_text(encoding="utf-8")
    if proof.NOT_YET in shown:
        assert shown == page(PARTS, [], proof.NOT_YET)
    for part in PARTS:
        for name in part.pages:
            assert f"[{name}]({name}): {recorded((FOLDER / name).read_text(encoding='utf-8'))}" in shown


def test_a_run_says_from_what_it_was_made() -> None:
    said = " ".join(page(PARTS, [Result(part=PARTS[0], status=0, seconds=90)], proof.made_here()).split())
    assert re.search(
        r"Made on \d{4}-\d\d-\d\d from commit `[0-9a-f]{12}`(?: with uncommitted changes)?, on \d+ cores", said
    )
    for name in ("Python", "PostgreSQL", "Airflow", "psycopg", "psycopg2"):
        assert re.search(rf"\b{name} \d+\.\d+", said), name
    assert "| `make behaviours` | passed | 1.5 |" in said
