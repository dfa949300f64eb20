"""The workflows run what the repository names: its majors, its Airflow versions, its Pythons, its make targets."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.support.fetch_servers import VERSIONS

ROOT = Path(__file__).parents[2]
WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))


def read(path: Path) -> dict[str, Any]:
    return yaml.safe_load(path.read_text())


def matrix(job: str) -> dict[str, list[str]]:
    return read(ROOT / ".github/workflows/check.yml")["jobs"][job]["strategy"]["matrix"]


def test_every_major_is_run() -> None:
    assert sorted(matrix("postgresql")["major"]) == sorted(VERSIONS)


def test_the_next_major_is_run_and_may_fail() -> None:
    """Once a package has it, it belongs in the matrix."""
    job = read(ROOT / ".github/workflows/check.yml")["jobs"]["postgresql-next"]
    following = max(int(label.removeprefix("pg")) for label in VERSIONS) + 1
    assert job["name"] == f"PostgreSQL {following}"
    assert re.fullmatch(rf"postgres:{following}\w*", job["services"]["postgres"]["image"])
    assert job["continue-on-error"] is True


def test_every_airflow_is_run() -> None:
    pinned = [path.stem for path in (ROOT / "tests/airflow_matrix").glob("*.txt")]
    assert sorted(matrix("airflow")["version"]) == sorted(pinned)


def test_every_python_is_run() -> None:
    classifiers = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["classifiers"]
    pythons = [found[1] for line in classifiers if (found := re.search(r"Python :: (3\.\d+)$", line))]
    assert matrix("test")["python"] == pythons


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)
def test_every_target_exists(path: Path) -> None:
    targets = set(re.findall(r"^([a-z0-9-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    steps = [step.get("run", "") for job in read(path)["jobs"].values() for step in job.get("steps", [])]
    # What follows a target is a variable's value, or it is a file.
    called = {
        word
        for run in steps
        for line in re.findall(r"^make ([a-z0-9 -]+)\b(?!=)", run, re.MULTILINE)
        for word in line.split()
    }
    assert called
    assert called <= targets


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)
def test_every_action_is_pinned_to_a_version(path: Path) -> None:
    used = [step["uses"] for job in read(path)["jobs"].values() for step in job.get("steps", []) if "uses" in step]
    assert used
    assert [action for action in used if not re.search(r"@v\d", action)] == []


def test_every_job_may_only_read_unless_it_says_so() -> None:
    assert WORKFLOWS
    assert [path.stem for path in WORKFLOWS if read(path).get("permissions") != {"contents": "read"}] == []


def test_the_gate_runs_the_same_parts() -> None:
    gate = set(re.findall(r"^part \d+ make ([a-z0-9-]+)", (ROOT / ".ci/run").read_text(), re.MULTILINE))
    checks = (ROOT / ".github/workflows/check.yml").read_text()
    assert len(gate) > 5
    assert gate <= set(re.findall(r"make ([a-z0-9-]+)", checks))
