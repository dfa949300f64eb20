"""The table of options, and all that takes names, defaults and rules from it."""

from __future__ import annotations

import inspect
import subprocess
import sys
from dataclasses import fields

import pytest

from airflow_seqfix.cli.commands import fix
from airflow_seqfix.cli.option_names import option as spelled
from airflow_seqfix.core import ArgumentError
from airflow_seqfix.core.discover.selection import Selection
from airflow_seqfix.core.policy import Limits, Policy
from airflow_seqfix.core.settings import Settings
from airflow_seqfix.options import OPTIONS, Group, names_of
from tests.support import options_page


def test_each_group_has_its_type() -> None:
    assert {field.name for field in fields(Policy)} == {*names_of(Group.POLICY, Group.MOVING)}
    assert {field.name for field in fields(Limits)} == {*names_of(Group.LIMITS)}
    assert {*inspect.signature(Selection.parse).parameters} == {*names_of(Group.SELECTION)}
    assert {field.name for field in fields(Settings)} == {
        "selection",
        "policy",
        "limits",
        *names_of(Group.MAPPING, Group.RUN),
        # No options: what the source came to.
        "source",
        "deadline",
    }


def test_every_option_is_of_the_command() -> None:
    flags = {flag for parameter in fix.params for flag in parameter.opts}
    assert {spelled(name) for name, option in OPTIONS.items() if option.flags != ()} <= flags


def test_every_option_that_decides_is_in_a_plan() -> None:
    deciding = {name for name, option in OPTIONS.items() if option.decides}
    assert {*Settings.parse({}).deciding} == {*deciding, "source", "source_schemas"}


def test_every_default_is_allowed() -> None:
    assert [name for name, option in OPTIONS.items() if option.refusal(option.default)] == []


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"max_jmp": 5}, "unknown option max_jmp; did you mean max_jump?"),
        ({"allow_skipped": "no"}, "allow_skipped='no': give True or False"),
        ({"fail_on": None}, "fail_on=None: give a list of behind, exhausted, unknown, skipped"),
        ({"fail_on": "behind"}, "fail_on='behind': give a list of behind, exhausted, unknown, skipped"),
        ({"application_name": None}, "application_name=None: give a text"),
        ({"jobs": 17}, "jobs=17: give an integer from 1 to 16, or auto"),
        ({"margin": True}, "margin=True: give an integer of at least 0"),
        ({"lock_timeout": 1.5}, "lock_timeout=1.5: at most 1 second"),
        ({"wait_for_writers": -1}, "wait_for_writers=-1: give a number of seconds of at least 0"),
    ],
)
def test_refused(options: dict[str, object], said: str) -> None:
    with pytest.raises(ArgumentError) as refused:
        Settings.parse(options)  # type: ignore[arg-type]
    assert str(refused.value).startswith(said)


def test_off_may_be_said() -> None:
    assert Settings.parse({"fail_used_pct": None, "min_remaining": None}) == Settings.parse({})


def test_the_page_is_made_of_the_table() -> None:
    page = options_page.PAGE.read_text(encoding="utf-8")
    assert page == options_page.page(page)
    assert all(f"\n| `{name}` |" in page for name in OPTIONS)


def test_light() -> None:
    """A DAG file reads it when it is parsed."""
    program = "import sys, airflow_seqfix.options; print(*(name for name in sys.modules if 'core' in name), sep='')"
    done = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True)
    assert [name for name in done.stdout.split() if "seqfix" in name] == []
