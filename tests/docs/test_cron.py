"""The program of docs/howto/cron.md: few series, whatever names a database holds, and of many databases."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from typing import Any

import pytest

from airflow_seqfix import core
from tests.support.pages import blocks
from tests.support.servers import Database

PAGE = "docs/howto/cron.md"
#: A line of the exposition format: a name, labels with quotes, backslashes and line breaks escaped, and a number.
SERIES = re.compile(r'(\w+)\{(\w+="(?:[^"\\\n]|\\["\\n])*"(?:,\w+="(?:[^"\\\n]|\\["\\n])*")*)\} (-?[\d.]+)')


def metrics(report: Any) -> list[str]:
    (program,) = (block.text for block in blocks(PAGE) if block.file == "seqfix_metrics.py")
    done = subprocess.run(
        [sys.executable, "-c", program], input=json.dumps(report), capture_output=True, text=True, check=True
    )
    return done.stdout.splitlines()


@pytest.fixture
def report(newest_db: Database) -> dict[str, Any]:
    for number in range(30):
        newest_db.execute(
            f"CREATE TABLE t{number} (id smallserial PRIMARY KEY); INSERT INTO t{number} VALUES ({number + 1})"
        )
    newest_db.execute('CREATE TABLE "a""b\\c\nd" (id smallserial PRIMARY KEY); INSERT INTO "a""b\\c\nd" VALUES (9)')
    with newest_db.connect() as conn:
        return core.check(conn).to_dict()


def test_series_are_few_and_well_formed(report: dict[str, Any]) -> None:
    lines = metrics(report)
    series = [SERIES.fullmatch(line) for line in lines if not line.startswith("# ")]
    assert all(series)
    names = [found[1] for found in series if found]
    assert {name: names.count(name) for name in names} == {
        "seqfix_up": 1,
        "seqfix_checked_timestamp_seconds": 1,
        "seqfix_sequences": 5,
        "seqfix_inserts_until_collision": 10,
        "seqfix_used_ratio": 10,
    }
    declared = [line.split()[2] for line in lines if line.startswith("# TYPE ")]
    assert declared == list(dict.fromkeys(names))
    assert f'seqfix_sequences{{database="{report["database"]}",verdict="behind"}} 31' in lines
    # The one that is named first is the one with the fewest inserts left.
    first = next(found for found in series if found and found[1] == "seqfix_inserts_until_collision")
    assert first[3] == "0"


def test_hostile_names(report: dict[str, Any]) -> None:
    report["sequences"] = [row for row in report["sequences"] if "a" in row["sequence"]]
    lines = [line for line in metrics(report) if not line.startswith("# ")]
    assert all(SERIES.fullmatch(line) for line in lines)


def test_of_many_databases(report: dict[str, Any]) -> None:
    fleet = {
        "fleet_version": 1,
        "databases": [
            {"database": report["database"], "state": "failing", "error": None, "report": report},
            {"database": "gone", "state": "error", "error": "no", "report": None},
        ],
    }
    lines = metrics(fleet)
    assert f'seqfix_up{{database="{report["database"]}"}} 1' in lines
    assert 'seqfix_up{database="gone"} 0' in lines
    assert sum("sequence=" in line for line in lines) == 20
