"""The house of the tests: what they share is in tests/support, and no test module is imported."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from tests.support import ROOT

TESTS = ROOT / "tests"
TEST_MODULES = {path.stem for path in TESTS.rglob("test_*.py")}


def imported(path: Path) -> Iterator[str]:
    """Yield each dotted name that a module imports, the names within modules too."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from (f"{node.module or ''}.{alias.name}" for alias in node.names)


def test_nothing_is_imported_from_a_test_module_or_a_conftest() -> None:
    wrong = {
        f"{path.relative_to(ROOT)}: {name}"
        for folder in ("tests", "benchmarks", "docs")
        for path in (ROOT / folder).rglob("*.py")
        for name in imported(path)
        if (name.startswith("tests.") and not TEST_MODULES.isdisjoint(name.split("."))) or ".conftest" in name
    }
    assert not wrong


def test_shared_modules_stand_in_support() -> None:
    """A module that two folders of tests need is in tests/support; the folders know nothing of one another."""
    wrong = {
        f"{path.relative_to(ROOT)}: {name}"
        for path in TESTS.rglob("*.py")
        for name in imported(path)
        if name.startswith("tests.") and name.split(".")[1] not in ("support", path.relative_to(TESTS).parts[0])
    }
    assert not wrong


def test_the_top_level_holds_folders() -> None:
    files = {path.name for path in TESTS.iterdir() if path.is_file()}
    assert files == {"__init__.py", "conftest.py"}


#: The field's word, by one that the project used before: docs and code say the first.
WORDS = {
    "asking": "confirm",
    "caution": "warning",
    "citizen": "table",
    "crew": "sessions",
    "cure": "remedy",
    "hire": "open",
    "lent": "borrowed",
    "setval": "move",
    "shelf": "database",
    "sheet": "output",
    "stray": "outlier",
    "teller": "progress",
    "victim": "table",
}


def names(path: Path) -> Iterator[str]:
    """Yield each name that a module gives or uses, its own among them."""
    yield path.stem
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        match node:
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
                yield name
            case ast.Name(id=name) | ast.arg(arg=name):
                yield name


def test_one_word_for_one_thing() -> None:
    """Names only: a report has the key `cure`, and SQL a function setval()."""
    old = re.compile(rf"(^|_)({'|'.join(WORDS)})(s|d|ed)?(?=_|$)", re.IGNORECASE)
    wrong = {
        f"{path.relative_to(ROOT)}: {name}: say {WORDS[found[2].lower()]}"
        for path in TESTS.rglob("*.py")
        for name in names(path)
        if (found := old.search(name))
    }
    assert not wrong
