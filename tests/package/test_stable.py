"""What docs/reference/stable.md promises is still there, as it was; what is new is promised from now on."""

from __future__ import annotations

import json
import re
from pathlib import Path

import airflow_seqfix
from airflow_seqfix.core.fleet import FLEET_VERSION
from airflow_seqfix.core.report import PLAN_VERSION, REPORT_VERSION
from tests.support import ROOT
from tests.support.pages import read
from tests.support.stable import RECORD, surface

PAGE = "docs/reference/stable.md"


def recorded() -> dict[str, dict[str, str]]:
    return json.loads(RECORD.read_text(encoding="utf-8"))


def test_nothing_promised_is_gone_or_changed() -> None:
    now = surface()
    broken = [
        f"{kind}: {name}: was {promised or 'there'!r}, is {now[kind].get(name, 'gone')!r}"
        for kind, names in recorded().items()
        for name, promised in names.items()
        if now[kind].get(name) != promised
    ]
    assert not broken, "this takes a new major version, or a deprecation first:\n" + "\n".join(broken)


def test_what_is_new_is_recorded() -> None:
    new = [f"{kind}: {name}" for kind, names in surface().items() for name in names.keys() - recorded()[kind].keys()]
    assert not new, "promise it with python -m tests.support.stable:\n" + "\n".join(sorted(new))


def test_the_record_holds_each_kind() -> None:
    """A pattern that finds nothing any more would promise nothing."""
    assert {kind: len(names) > 15 for kind, names in recorded().items()} == dict.fromkeys(surface(), True)
    names = {name for names in recorded().values() for name in names}
    assert {
        "margin",
        "LockTimeoutError",
        "PostgresSequenceResetOperator(plan_sha256)",
        "PostgresSequenceTrigger(deadline)",
        "seqfix fix -d",
        "report.sequences",
        "column 1 sequence",
        "total 11 seconds",
        "option max_jump",
    } <= names


def test_the_versions_of_what_is_stored_are_those_of_the_page() -> None:
    page = read(PAGE)
    source = Path(ROOT / "airflow_seqfix/triggers/postgres.py").read_text(encoding="utf-8")
    (wire,) = re.findall(r"^WIRE_VERSION = (\d+)$", source, re.MULTILINE)
    for said in (
        f"`report_version` {REPORT_VERSION} ",
        f"`plan_version` {PLAN_VERSION};",
        f"`fleet_version` {FLEET_VERSION} ",
        f"arguments of a deferred trigger: version {wire} ",
    ):
        assert said in page


def test_the_version_is_one_that_promises() -> None:
    assert int(airflow_seqfix.__version__.split(".")[0]) >= 1
