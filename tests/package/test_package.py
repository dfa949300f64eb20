"""The wheel and the sdist hold what a user needs."""

from __future__ import annotations

import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

from tests.support import ROOT


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("dist")
    subprocess.run([sys.executable, "-m", "build", "--outdir", folder, ROOT], check=True, capture_output=True)
    return folder


@pytest.mark.long
def test_metadata_is_in_order(built: Path) -> None:
    subprocess.run([sys.executable, "-m", "twine", "check", "--strict", *built.iterdir()], check=True)


@pytest.mark.long
def test_wheel(built: Path) -> None:
    (wheel,) = built.glob("*.whl")
    names = zipfile.ZipFile(wheel).namelist()
    for path in (ROOT / "airflow_seqfix").rglob("*"):
        if path.is_file() and path.suffix != ".pyc":
            assert str(path.relative_to(ROOT)) in names
    for path in (ROOT / "example_dags").rglob("*.*"):
        if path.suffix != ".pyc":
            assert f"airflow_seqfix/{path.relative_to(ROOT)}" in names
    assert any(name.endswith("licenses/LICENSE") for name in names)
    assert not [name for name in names if name.startswith("tests")]


@pytest.mark.long
def test_wheel_is_installed_and_works(built: Path, tmp_path: Path) -> None:
    """In an environment of its own, beside what it needs: the command, the SQL files and the examples are there."""
    (wheel,) = built.glob("*.whl")
    subprocess.run(
        [sys.executable, "-m", "pip", "install", "-q", "--no-deps", "--target", tmp_path, wheel],
        check=True,
        capture_output=True,
    )
    code = (
        "import airflow_seqfix, importlib.metadata as m, pathlib;"
        "from airflow_seqfix.core import queries; from airflow_seqfix.get_provider_info import get_provider_info;"
        "home = pathlib.Path(airflow_seqfix.__file__).parent;"
        "assert queries.get('locked') and (home / 'example_dags' / 'shop' / 'tables.sql').exists();"
        "assert m.version('airflow-seqfix') == airflow_seqfix.__version__ and get_provider_info()['package-name'];"
        "print(home)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], env={"PYTHONPATH": str(tmp_path)}, cwd=tmp_path, capture_output=True, text=True
    )
    assert done.stdout.strip() == str(tmp_path / "airflow_seqfix"), done.stderr


@pytest.mark.long
def test_sdist(built: Path) -> None:
    (sdist,) = built.glob("*.tar.gz")
    with tarfile.open(sdist) as archive:
        names = {name.split("/", 1)[1] for name in archive.getnames() if "/" in name}
    assert {"README.md", "LICENSE", "CHANGELOG.md", "pyproject.toml", "constraints.txt", "docs/index.md"} <= names
    assert "tests/conftest.py" in names


def test_constraints_hold_versions_and_nothing_else() -> None:
    lines = (ROOT / "constraints.txt").read_text().splitlines()
    assert lines
    assert [line for line in lines if line.count("==") != 1 or "/" in line or " " in line] == []
