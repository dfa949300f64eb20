"""The command from the wheel, in an empty environment: with its few libraries, and without Airflow."""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support import ROOT
from tests.support.command import DRIFT
from tests.support.servers import Database

pytestmark = pytest.mark.system

#: What the command needs of the dependencies, as the page says; Airflow is not among them.
PAGE = (ROOT / "docs" / "howto" / "without-airflow.md").read_text(encoding="utf-8")
(_LIBRARIES,) = re.findall(r"^\$ bin/pip install ('psycopg.*)$", PAGE, re.MULTILINE)
LIBRARIES = shlex.split(_LIBRARIES)

Installed = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Installed:
    """Build the wheel, install it, and return what runs its `seqfix`."""
    folder = tmp_path_factory.mktemp("wheel")
    outside = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}

    def run(*command: str | Path) -> subprocess.CompletedProcess[str]:
        return subprocess.run(command, cwd=folder, env=outside, capture_output=True, text=True)

    def must(*command: str | Path) -> None:
        done = run(*command)
        assert done.returncode == 0, done.stderr

    must(sys.executable, "-m", "build", "--wheel", "--outdir", folder, ROOT)
    (wheel,) = folder.glob("*.whl")
    must(sys.executable, "-m", "venv", folder / "venv")
    programs = folder / "venv" / "bin"
    must(programs / "pip", "install", "--quiet", "--no-deps", wheel)
    must(programs / "pip", "install", "--quiet", "--constraint", ROOT / "constraints.txt", *LIBRARIES)
    assert run(programs / "python", "-c", "import airflow").returncode == 1
    return lambda *arguments: run(programs / "seqfix", *arguments)


def test_check_plan_and_fix(installed: Installed, newest_db: Database, tmp_path: Path) -> None:
    newest_db.execute(DRIFT)
    checked = installed("check", newest_db.dsn)
    assert (checked.returncode, checked.stderr) == (1, "")
    assert "public.orders_id_seq" in checked.stdout
    for name in ("r.json", "r.md", "r.html", "r.txt"):
        assert installed("check", newest_db.dsn, "-o", str(tmp_path / name)).returncode == 1
        assert "orders_id_seq" in (tmp_path / name).read_text(encoding="utf-8")
    assert installed("plan", newest_db.dsn).stdout.startswith("-- ")
    plan = tmp_path / "plan.json"
    assert installed("plan", newest_db.dsn, "-o", str(plan)).returncode == 1
    assert len(json.loads(plan.read_text())["moves"]) == 1
    assert installed("fix", newest_db.dsn, "--plan", str(plan)).returncode == 0
    assert newest_db.state("orders_id_seq")[:2] == (3, True)
    newest_db.execute("INSERT INTO orders (id) VALUES (30)")
    assert installed("fix", newest_db.dsn, "orders", "id").returncode == 0
    assert newest_db.state("orders_id_seq")[:2] == (30, True)


def test_the_page_has_the_floors_of_the_package() -> None:
    metadata = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    assert [library for library in LIBRARIES if f'"{library}"' not in metadata] == []


def test_what_needs_no_database(installed: Installed) -> None:
    for arguments in (["--version"], ["--help"], ["fix", "--help"], ["completion", "bash"], ["sql"]):
        done = installed(*arguments)
        assert (done.returncode, done.stderr) == (0, ""), arguments


def test_what_is_missing_is_named(installed: Installed) -> None:
    done = installed("demo")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == (
        "seqfix: the demo needs Airflow and an embedded PostgreSQL: pip install 'airflow-seqfix[demo]'\n"
    )
    done = installed("check", "--conn-id", "shop")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("seqfix: --conn-id needs Airflow and its PostgreSQL provider")
