"""How far a run has come: a bar on a terminal, lines elsewhere, nothing where it is quick or quiet."""

from __future__ import annotations

import io
import re
import subprocess
import sys

import pytest
from rich.console import Console

from airflow_seqfix.cli import progress
from airflow_seqfix.core import Progress
from tests.cli.slow import held_table, slow_table
from tests.support.command import DRIFT
from tests.support.servers import Database
from tests.support.terminal import ESCAPES, terminal

pytestmark = pytest.mark.long


def test_who_is_answered_at_once_sees_no_bar(newest_db: Database) -> None:
    newest_db.execute(DRIFT)
    for _ in range(5):
        with terminal("check", newest_db.dsn) as shown:
            assert shown.end() == 1
        # On a busy machine a run can take longer than a person is kept waiting.
        if "reading" not in shown.text and "━" not in shown.text:
            return
    raise AssertionError(shown.text)


def test_a_bar_with_the_table_that_is_slow(newest_db: Database) -> None:
    newest_db.execute(DRIFT)
    with held_table(newest_db) as release, terminal("check", newest_db.dsn, "--foreign") as shown:
        shown.wait_for("reading ━")
        shown.wait_for("public.slow")
        release()
        assert shown.end() == 1
    line = next(line for line in ESCAPES.sub("", shown.raw).split("\r") if "reading" in line)
    assert re.search(r"reading ━+ +\d/3 +\d not in sync", line)
    assert re.search(r"public\.slow, \d+ s", shown.text)
    # It leaves nothing behind: what is seen in the end begins with the table.
    assert shown.raw.rindex("\x1b[2K") < shown.raw.index("furthest")


def test_a_catalog_that_takes_long_is_told_of(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = progress.Clock()
    clock(Progress(phase="discover", total=0))
    assert str(progress._bar(clock, 80)) == "reading the catalogs"
    monkeypatch.setattr(progress, "SLOW", 0)
    assert str(progress._bar(clock, 80)) == "reading the catalogs, 0 s"


@pytest.mark.parametrize("width", [30, 40, 80])
def test_no_line_is_wider_than_the_terminal(width: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(progress, "SLOW", 0)
    clock = progress.Clock()
    clock(Progress(phase="move", done=12, total=3200, current="x" * 90, values_done=9999999, values_total=99999999))
    screen = Console(width=width, file=io.StringIO())
    screen.print(progress._bar(clock, width))
    assert isinstance(screen.file, io.StringIO)
    first, *figures, slow = screen.file.getvalue().splitlines()
    assert re.fullmatch(r"moving [━╸ ]* 12/3,200" + ("" if width < 60 else "  9,999,999 of 99,999,999 values"), first)
    assert figures == {80: [], 40: ["  9,999,999 of 99,999,999 values"]}.get(
        width, ["  9,999,999 of 99,999,999", "  values"]
    )
    assert re.fullmatch(r"  x+…x+, 0 s", slow)
    assert len(slow) == width


def test_a_bar_while_values_are_passed(newest_db: Database) -> None:
    newest_db.execute("CREATE TABLE t (id bigserial PRIMARY KEY); INSERT INTO t VALUES (9900000)")
    with terminal("fix", newest_db.dsn, "--yes", "--lock", "none") as shown:
        shown.wait_for("moving ━")
        shown.wait_for("of 9,900,000 values")
        assert shown.end() == 0


def test_lines_where_there_is_no_terminal(newest_db: Database) -> None:
    command = [sys.executable, "-m", "airflow_seqfix", "check", newest_db.dsn, "--foreign"]
    with held_table(newest_db) as release:
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        assert process.stderr is not None
        line = process.stderr.readline()
        release()
        process.communicate()
    assert process.returncode == 1
    assert re.fullmatch(r"seqfix: read 0 of 1 sequences, 0 not in sync; reading public\.slow for \d+ s\n", line)


def test_quiet(newest_db: Database) -> None:
    slow_table(newest_db, seconds=6)
    command = [sys.executable, "-m", "airflow_seqfix", "check", newest_db.dsn, "--foreign", "-q"]
    assert subprocess.run(command, capture_output=True, text=True).stderr == ""
    with terminal("check", newest_db.dsn, "--foreign", "-q") as shown:
        assert shown.end() == 1
    assert "reading" not in shown.text
