"""One word, one meaning: the field's words in identifiers and in help texts, and none of the old ones."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support import ROOT

#: Words that readers stumbled over, and what is said instead.
OLD = {
    "setval": "move: an advance never calls setval()",
    "crew": "sessions",
    "hire": "open_sessions",
    "hired": "opened",
    "lend": "borrow",
    "lent": "borrowed",
    "examine": "check",
    "examined": "checked",
    "settle": "check_move",
    "teller": "progress reporter",
    "amiss": "failing, not in sync",
    "stray": "outlier",
    "caution": "warning",
    "cure": "remedy",
    "sheet": "output",
    "talk": "messages",
    "asking": "confirm",
    "spelling": "option names",
    "citizen": "what it is",
    "victim": "what it is",
    "shelf": "what it is",
}
#: Words of sentences, which have a meaning of their own as names in the package: names of tests are sentences.
OLD_IN_PACKAGE = {
    "tell": "announce (the command), deliver (a task), on_connected",
    "told": "what it holds",
    "watched": "shown_progress",
    "words": "positional, phrase, cells",
}

#: Identifiers that keep such a word, and why.
KEPT = {
    "may_setval": "PostgreSQL's privilege to call setval()",
    "break_long_words": "an argument of textwrap",
    "settle": "a watch waits for a cancel that is on its way",
    "tell": "the one callback that posts an event to the caller's thread; and where a file is",
    "words": "what a shell splits a command into",
}


def identifiers(path: Path) -> Iterator[tuple[str, int]]:
    """Yield each name that a module gives or uses, with its line; and that of the module."""
    yield path.stem, 1
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        match node:
            case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
                yield node.name, node.lineno
            case ast.Name():
                yield node.id, node.lineno
            case ast.Attribute():
                yield node.attr, node.lineno
            case ast.arg():
                yield node.arg, node.lineno


def parts(name: str) -> set[str]:
    """Return the words of a name, in the singular as well."""
    words = re.findall("[a-z]+", re.sub("([A-Z])", r"_\1", name).lower())
    return {*words, *(word.removesuffix("s") for word in words)}


def old_words(folder: str, old: dict[str, str]) -> list[str]:
    return [
        f"{path.relative_to(ROOT)}:{line}: {name}"
        for path in sorted((ROOT / folder).rglob("*.py"))
        for name, line in identifiers(path)
        if name not in KEPT and parts(name) & old.keys()
    ]


def test_names_of_the_package() -> None:
    assert old_words("airflow_seqfix", OLD | OLD_IN_PACKAGE) == []


@pytest.mark.parametrize("folder", ["tests", "benchmarks", "example_dags", "docs"])
def test_names_elsewhere(folder: str) -> None:
    assert old_words(folder, OLD) == []


def test_what_is_kept_is_there() -> None:
    used = {name for path in (ROOT / "airflow_seqfix").rglob("*.py") for name, _ in identifiers(path)}
    used |= {
        keyword.arg
        for path in (ROOT / "airflow_seqfix").rglob("*.py")
        for keyword in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(keyword, ast.keyword) and keyword.arg
    }
    assert KEPT.keys() <= used


def test_help_texts() -> None:
    """An imperative or a noun phrase, in the field's words."""
    from airflow_seqfix.cli import commands
    from airflow_seqfix.cli.group import COMMANDS
    from airflow_seqfix.options import OPTIONS

    texts = [option.help for option in OPTIONS.values()]
    texts += COMMANDS.values()
    for command in (getattr(commands, name) for name in COMMANDS):
        texts += [command.help or "", command.short_help or "", command.epilog or ""]
        texts += [getattr(parameter, "help", None) or "" for parameter in command.params]
    found = [text for text in texts if parts(text) & (OLD | OLD_IN_PACKAGE).keys() - {"setval"}]
    assert found == []
    assert [option.help for option in OPTIONS.values() if not re.match(r"[A-Z][^.]*\.$", option.help)] == []
