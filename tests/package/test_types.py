"""What type checkers and editors make of the library in a program."""

from __future__ import annotations

import ast
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from airflow_seqfix import core, options
from airflow_seqfix.options import OPTIONS, described
from tests.support import ROOT

PROGRAM = ROOT / "tests" / "package" / "typed_program.py"


def refused() -> set[int]:
    """Return the lines that a checker has to refuse."""
    lines = PROGRAM.read_text(encoding="utf-8").splitlines()
    return {number for number, line in enumerate(lines, start=1) if line.endswith("# refused")}


def run(*command: str, folder: Path) -> str:
    done = subprocess.run(
        [sys.executable, "-m", *command, str(PROGRAM)],
        cwd=folder,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        text=True,
        timeout=280,
    )
    return done.stdout


@pytest.mark.long
def test_mypy(tmp_path: Path) -> None:
    said = run("mypy", "--strict", "--config-file=", f"--cache-dir={tmp_path}", folder=tmp_path)
    assert {int(line) for line in re.findall(r"typed_program\.py:(\d+): error", said)} == refused(), said
    assert len(refused()) == 11


@pytest.mark.long
def test_pyright(tmp_path: Path) -> None:
    (tmp_path / "pyrightconfig.json").write_text(json.dumps({"typeCheckingMode": "strict", "extraPaths": [str(ROOT)]}))
    said = json.loads(
        run("basedpyright", "--outputjson", "--pythonpath", sys.executable, "-p", str(tmp_path), folder=tmp_path)
        or "{}"
    )
    errors = [entry for entry in said["generalDiagnostics"] if entry["severity"] == "error"]
    lines = {entry["range"]["start"]["line"] + 1 for entry in errors}
    assert lines == refused(), "\n".join(
        f"{entry['range']['start']['line'] + 1}: {entry['message']}" for entry in errors
    )


def test_every_option_says_what_it_is_in_an_editor() -> None:
    """Editors show the text below an annotation; Python does not keep it."""
    tree = ast.parse(Path(options.__file__).read_text(encoding="utf-8"))
    shown: dict[str, str] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.ClassDef) and node.name in ("SelectionOptions", "TableOptions"):
            for before, after in zip(node.body, [*node.body[1:], None], strict=True):
                if isinstance(before, ast.AnnAssign) and isinstance(before.target, ast.Name):
                    is_text = isinstance(after, ast.Expr) and isinstance(after.value, ast.Constant)
                    shown[before.target.id] = str(after.value.value) if is_text else ""
    assert shown == {name: described(option) for name, option in OPTIONS.items()}


def test_every_option_says_what_it_is_in_help() -> None:
    assert core.Options.__doc__ is not None
    for name, option in OPTIONS.items():
        assert f":param {name}: {option.help}" in core.Options.__doc__


@pytest.mark.parametrize("value", [5, "print", [print]])
def test_a_callback_that_cannot_be_called(value: object) -> None:
    for call in (core.check, core.plan, core.fix):
        with pytest.raises(core.ArgumentTypeError, match=r"progress=.*: give a function that takes a Progress"):
            call(lambda: 1 / 0, progress=value)  # type: ignore[operator]
