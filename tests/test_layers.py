"""The house: who may import whom."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[1] / "airflow_seqfix"

#: Imports in the core run leftwards along this line only.
CORE = (
    "errors",
    "progress",
    "connections",
    "session",
    "crew",
    "queries",
    "catalog",
    "names",
    "selection",
    "mapping",
    "policy",
    "ways",
    "obstacles",
    "values",
    "partitions",
    "measurement",
    "measure",
    "steps",
    "cautions",
    "cures",
    "judge",
    "repair",
    "stored",
    "report",
    "options",
    "writers",
    "examine",
)


def imports(path: Path) -> set[str]:
    """Return the modules that a file imports, wherever it does."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {f"{node.module}.{alias.name}" for alias in node.names} | {node.module}
    return found


def core_modules() -> list[Path]:
    return sorted(path for path in (PACKAGE / "core").rglob("*.py") if path.name != "__init__.py")


def test_every_core_module_has_its_place() -> None:
    assert {path.stem for path in core_modules()} | {"queries"} == set(CORE)


@pytest.mark.parametrize("path", core_modules(), ids=lambda path: path.stem)
def test_core_imports_leftwards(path: Path) -> None:
    place = CORE.index(path.stem)
    prefix = "airflow_seqfix.core."
    mine = {name.removeprefix(prefix).split(".")[0] for name in imports(path) if name.startswith(prefix)}
    to_the_right = {name for name in mine if name in CORE and CORE.index(name) >= place}
    assert not to_the_right


@pytest.mark.parametrize("path", core_modules(), ids=lambda path: path.stem)
def test_core_imports_nothing_but_the_driver(path: Path) -> None:
    top = {name.split(".")[0] for name in imports(path)}
    assert top <= set(sys.stdlib_module_names) | {"airflow_seqfix", "psycopg", "psycopg2", "__future__"}


@pytest.mark.parametrize(
    "path",
    sorted(p for p in PACKAGE.rglob("*.py") if "core" not in p.parts),
    ids=lambda path: str(path.relative_to(PACKAGE)),
)
def test_sql_lives_in_the_core(path: Path) -> None:
    if path.name == "demo.py":
        return  # it plays the part of the application
    strings = [node.value for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Constant)]
    found = [
        text for text in strings if isinstance(text, str) and text.lstrip().startswith(("SELECT ", "ALTER ", "BEGIN"))
    ]
    assert not found


@pytest.mark.parametrize(
    "module",
    ["airflow_seqfix.core", "airflow_seqfix.render.table", "airflow_seqfix.render.formats", "airflow_seqfix.cli"],
)
def test_works_without_airflow(module: str) -> None:
    code = f"import sys; sys.modules['airflow'] = None; import {module}"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_the_judge_touches_no_connection() -> None:
    for name in ("judge", "cautions", "ways", "steps", "policy"):
        used = imports(PACKAGE / "core" / f"{name}.py")
        assert not {
            module
            for module in used
            if "session" in module or module.startswith(("psycopg", "airflow_seqfix.core.queries"))
        }
