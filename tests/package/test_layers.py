"""The house: who may import whom."""

from __future__ import annotations

import ast
import subprocess
import sys
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

from tests.support import ROOT

PACKAGE = ROOT / "airflow_seqfix"

#: The folders and modules of the core. Imports run towards the top of this list.
CORE = (
    "errors",
    "progress",
    "queries",
    "policy",
    "model",
    "database",
    "obstacles",
    "discover",
    "measure",
    "judge",
    "repair",
    "message",
    "row",
    "report",
    "fleet",
    "settings",
    "source",
    "discovery",
    "run",
    "suggest",
    "call",
)
#: What a verdict may rest on: facts and opinions.
PURE = {"errors", "policy", "model", "judge"}


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
    return sorted(path for path in (PACKAGE / "core").rglob("*.py") if path != PACKAGE / "core" / "__init__.py")


def stage(module: str) -> str:
    """Return the folder, or the module beside the folders, that a module of the core belongs to."""
    return module.removeprefix("airflow_seqfix.core.").split(".")[0]


def stages_used(path: Path) -> set[str]:
    return {stage(name) for name in imports(path) if name.startswith("airflow_seqfix.core.")} & set(CORE)


def name_of(path: Path) -> str:
    return ".".join(path.relative_to(PACKAGE / "core").with_suffix("").parts)


def test_every_core_module_has_its_place() -> None:
    assert {stage(name_of(path)) for path in core_modules()} == set(CORE)


@pytest.mark.parametrize("path", core_modules(), ids=name_of)
def test_core_imports_towards_the_top(path: Path) -> None:
    place = CORE.index(stage(name_of(path)))
    assert not {used for used in stages_used(path) if CORE.index(used) > place}


def test_core_has_no_circles() -> None:
    known = {"airflow_seqfix.core." + name_of(path).removesuffix(".__init__"): path for path in core_modules()}
    graph = {name: imports(path) & set(known) - {name} for name, path in known.items()}
    TopologicalSorter(graph).prepare()


@pytest.mark.parametrize("path", core_modules(), ids=name_of)
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


@pytest.mark.parametrize("path", sorted((PACKAGE / "core" / "judge").rglob("*.py")), ids=name_of)
def test_the_judge_is_pure(path: Path) -> None:
    assert stages_used(path) <= PURE
    assert not {name for name in imports(path) if name.startswith("psycopg")}


@pytest.mark.parametrize("stage", ["policy", "model"])
def test_what_the_judge_imports_is_pure_too(stage: str) -> None:
    for path in core_modules():
        if name_of(path).split(".")[0] == stage:
            assert stages_used(path) <= PURE, path
