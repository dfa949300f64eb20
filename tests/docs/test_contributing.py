"""CONTRIBUTING.md names files, modules and targets that are there."""

from __future__ import annotations

import importlib.util
import re

from tests.support import ROOT
from tests.support.pages import read

PAGE = read("CONTRIBUTING.md")
WHERE = PAGE.split("## Where a change goes")[1].split("\n## ")[0]
CODE = re.findall(r"`([^`\n]+)`", PAGE)


def test_the_files_exist() -> None:
    named = {code for code in CODE if re.fullmatch(r"[\w.-]+(/[\w.-]+)*(/|\.(py|md|sql))", code)}
    assert {code for code in named if not (ROOT / code).exists()} == set()
    assert len(named) > 30


def test_the_modules_and_targets_exist() -> None:
    modules = {word for code in CODE for word in re.findall(r"python -m (tests\.[\w.]+)", code)}
    assert {module for module in modules if importlib.util.find_spec(module) is None} == set()
    assert len(modules) == 3
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = set(re.findall(r"^\$ make ([\w-]+)|`make ([\w-]+)", PAGE, re.MULTILINE))
    assert {name for pair in targets for name in pair if name and f"\n{name}:" not in makefile} == set()


def test_five_changes_are_walked() -> None:
    walks = re.split(r"^\*\*", WHERE, flags=re.MULTILINE)[1:]
    assert [walk.split("**")[0] for walk in walks] == [
        "A rule of the verdict",
        "A query",
        "An option",
        "An argument of the operators and the sensor",
        "An output format",
    ]
    for walk in walks:
        assert re.findall(r"^\d\. .*", walk, re.MULTILINE), walk


def test_make_check_comes_first() -> None:
    assert re.findall(r"^\$ make ([\w-]+)", PAGE, re.MULTILINE)[0] == "check"
