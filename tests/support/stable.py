"""What docs/reference/stable.md promises, as data: python -m tests.support.stable writes it down.

A name that disappears, or a default that changes, breaks somebody's DAG or script: that takes a new major version.
"""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from airflow_seqfix import core
from airflow_seqfix.options import OPTIONS
from tests.support import ROOT

RECORD = ROOT / "tests" / "package" / "stable.json"
PACKAGE = ROOT / "airflow_seqfix"
HELP = ROOT / "tests" / "cli" / "help"
SCRIPT = PACKAGE / "sql" / "reset_sequences.sql"

#: Where the classes are whose arguments a DAG file writes, and those that are stored while a task is deferred.
FACES = (
    "task/reporting.py",
    "task/base.py",
    "task/two_sided.py",
    "operators/postgres.py",
    "sensors/postgres.py",
    "triggers/postgres.py",
    "triggers/watch.py",
)
SCHEMAS = ("report", "plan", "fleet")


def surface() -> dict[str, dict[str, str]]:
    """Return everything that is promised: by kind, the name of each and what of it must not change."""
    return {
        "options": {name: repr(option.default) for name, option in OPTIONS.items()},
        "library": {name: _kind(getattr(core, name)) for name in core.__all__},
        "arguments": dict(_arguments()),
        "command": {f"seqfix {path.stem} {flag}": "" for path in HELP.glob("*.txt") for flag in _flags(path)},
        "keys": {f"{name}.{key}": "" for name in SCHEMAS for key in _keys(_schema(name))},
        "script": {f"{kind} {name}": "" for kind, names in _script().items() for name in names},
    }


def _kind(member: Any) -> str:
    if isinstance(member, type) and issubclass(member, core.SeqfixError):
        return f"{', '.join(base.__name__ for base in member.__bases__)}; retryable={member.retryable}"
    return ""


def _arguments() -> Iterator[tuple[str, str]]:
    for face in FACES:
        for node in ast.parse((PACKAGE / face).read_text(encoding="utf-8")).body:
            for method in node.body if isinstance(node, ast.ClassDef) and not node.name.startswith("_") else ():
                if isinstance(method, ast.FunctionDef) and method.name == "__init__":
                    for argument, default in zip(method.args.kwonlyargs, method.args.kw_defaults, strict=True):
                        yield f"{node.name}({argument.arg})", "" if default is None else ast.unparse(default)


def _flags(path: Path) -> list[str]:
    found = re.findall(r"^  (-\w)?(?:, )?(--[\w-]+)?", path.read_text(encoding="utf-8"), re.MULTILINE)
    return [flag for pair in found for flag in pair if flag]


def _schema(name: str) -> Any:
    return json.loads((ROOT / "docs" / f"{name}.schema.json").read_text(encoding="utf-8"))


def _keys(node: Any) -> Iterator[str]:
    """Yield the keys that a schema describes, with those of what it holds."""
    if isinstance(node, dict):
        for key, below in node.get("properties", {}).items():
            yield key
            yield from (f"{key}.{inner}" for inner in _keys(below))
        for name, below in node.get("$defs", {}).items():
            yield from (f"{name}.{inner}" for inner in _keys(below))
        for name in ("items", "anyOf", "oneOf", "allOf"):
            yield from _keys(node.get(name))
    elif isinstance(node, list):
        for below in node:
            yield from _keys(below)


def _script() -> dict[str, list[str]]:
    text = SCRIPT.read_text(encoding="utf-8")
    (rows,) = re.findall(r"^    SELECT (sequence, columns, .*?)\n      FROM", text, re.MULTILINE | re.DOTALL)
    (totals,) = re.findall(r"^SELECT (current_database\(\) AS database, .*?)\n  FROM", text, re.MULTILINE | re.DOTALL)
    options = (ROOT / "docs" / "sql.md").read_text(encoding="utf-8").split("## Options")[1].split("\n## ")[0]
    return {
        "column": [f"{place} {name}" for place, name in enumerate(re.split(r",\s+", rows), 1)],
        "total": [f"{place} {name}" for place, name in enumerate(re.findall(r" AS (\w+)", totals), 1)],
        "option": re.findall(r"^\| `(\w+)` \|", options, re.MULTILINE),
    }


def main() -> None:
    RECORD.write_text(json.dumps(surface(), indent=1, sort_keys=True) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
