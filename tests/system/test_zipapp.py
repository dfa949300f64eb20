"""`make zipapp`: the command in one file, in an environment without a package, and in a root without anything else."""

from __future__ import annotations

import ctypes.util
import json
import os
import re
import shutil
import subprocess
import sys
import sysconfig
import zipfile
from pathlib import Path

import pytest

from tests.support import ROOT
from tests.support.command import DRIFT
from tests.support.servers import Database

pytestmark = pytest.mark.system


@pytest.fixture(scope="module")
def zipapp(tmp_path_factory: pytest.TempPathFactory) -> Path:
    target = tmp_path_factory.mktemp("dist") / "seqfix.pyz"
    subprocess.run([sys.executable, ROOT / "tools" / "build_zipapp.py", target], check=True)
    return target


@pytest.fixture(scope="module")
def bare_python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An environment without a package, pip included."""
    folder = tmp_path_factory.mktemp("bare")
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", folder], check=True)
    return folder / "bin" / "python"


def run(*command: str | Path, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "PG"))}
    return subprocess.run(command, capture_output=True, text=True, env=kept, cwd=cwd)


def test_every_command_and_every_format(zipapp: Path, bare_python: Path, newest_db: Database, tmp_path: Path) -> None:
    def seqfix(*arguments: str) -> subprocess.CompletedProcess[str]:
        return run(bare_python, zipapp, *arguments, cwd=tmp_path)

    newest_db.execute(DRIFT)
    for words in (["--version"], ["--help"], ["fix", "--help"], ["completion", "bash"], ["sql", "-o", "s.sql"]):
        done = seqfix(*words)
        assert (done.returncode, done.stderr) == (0, ""), words
    assert "reset_sequences" in (tmp_path / "s.sql").read_text(encoding="utf-8")
    checked = seqfix("check", newest_db.dsn)
    assert (checked.returncode, checked.stderr) == (1, "")
    for command in ("check", "plan"):
        for name in ("r.json", "r.md", "r.html", "r.txt"):
            assert seqfix(command, newest_db.dsn, "-o", name).returncode == 1
            assert "orders_id_seq" in (tmp_path / name).read_text(encoding="utf-8")
    assert seqfix("plan", newest_db.dsn).stdout.startswith("-- ")
    assert seqfix("plan", newest_db.dsn, "-o", "plan.json").returncode == 1
    assert len(json.loads((tmp_path / "plan.json").read_text())["moves"]) == 1
    assert seqfix("suggest", newest_db.dsn).returncode == 0
    assert seqfix("fix", newest_db.dsn, "--plan", "plan.json").returncode == 0
    assert newest_db.state("orders_id_seq")[:2] == (3, True)
    for words in (["demo"], ["check", "--conn-id", "shop"]):
        done = seqfix(*words)
        assert done.returncode == 2
        assert "needs Airflow" in done.stderr


def test_nothing_in_it_is_of_one_platform_and_each_licence_is_there(zipapp: Path) -> None:
    names = zipfile.ZipFile(zipapp).namelist()
    assert [name for name in names if re.search(r"\.(so|pyd|dylib)\b", name)] == []
    libraries = {name.split("-")[0] for name in names if name.endswith(".dist-info/METADATA")}
    assert libraries == {
        name.split("-")[0] for name in names if re.search(r"\.dist-info/(licenses/.+|LICENSE[^/]*)$", name)
    }
    assert "LICENSE" in names


@pytest.fixture(scope="module")
def bare_root(zipapp: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A root that has this Python, the shared libraries that it is linked with, and nothing else."""
    root = tmp_path_factory.mktemp("root")
    python = Path(sys.executable).resolve()
    stdlib = Path(sysconfig.get_path("stdlib"))
    copy(stdlib, root, ignore=shutil.ignore_patterns("site-packages", "test", "__pycache__", "config-*"))
    linked = [python, *(stdlib / "lib-dynload").glob("*.so")]
    for path in (python, *libraries_of(*linked)):
        copy(path, root)
    (root / "dev").mkdir()
    os.mknod(root / "dev" / "null", 0o20666, os.makedev(1, 3))
    (root / "tmp").mkdir()
    shutil.copy(zipapp, root / "tmp")
    return root


def libraries_of(*programs: Path) -> list[Path]:
    said = subprocess.run(["ldd", *programs], capture_output=True, text=True, check=True).stdout
    return [Path(name) for name in sorted(set(re.findall(r"(?:^|[\t ])(/\S+\.so\S*) \(", said, re.MULTILINE)))]


def copy(path: Path, root: Path, **options: object) -> None:
    """Copy a file or folder to the same place below another root."""
    target = root / path.relative_to("/")
    target.parent.mkdir(parents=True, exist_ok=True)
    if path.is_dir():
        shutil.copytree(path, target, dirs_exist_ok=True, **options)  # type: ignore[arg-type]
    elif not target.exists():
        shutil.copy(path.resolve(), target)


def test_in_a_bare_root(bare_root: Path, newest_db: Database) -> None:
    newest_db.execute(DRIFT)
    command = ["chroot", bare_root, Path(sys.executable).resolve(), "-I", "/tmp/seqfix.pyz"]
    without = run(*command, "check", newest_db.dsn)
    assert (without.returncode, without.stdout) == (2, "")
    assert without.stderr.startswith("seqfix: psycopg finds no libpq, PostgreSQL's client library: apt-get install")
    add_libpq(bare_root)
    done = run(*command, "check", newest_db.dsn)
    assert (done.returncode, done.stderr) == (1, "")
    assert done.stdout.endswith("1 in sync, 1 behind\n")
    assert run(*command, "fix", newest_db.dsn, "--format", "html").returncode == 0


def add_libpq(root: Path) -> None:
    """Install it, as a package would."""
    name = ctypes.util.find_library("pq")
    assert name, "no libpq is installed: apt-get install libpq5"
    listed = subprocess.run(["/sbin/ldconfig", "-p"], capture_output=True, text=True, check=True).stdout
    (libpq, *_) = (Path(path) for path in re.findall(rf"{re.escape(name)} .*=> (\S+)", listed))
    tool = Path("/sbin/ldconfig")
    for path in (libpq, tool, *libraries_of(libpq)):
        copy(path, root)
    (root / "etc").mkdir(exist_ok=True)
    (root / "etc" / "ld.so.conf").write_text(f"{libpq.parent}\n")
    subprocess.run(["chroot", root, tool], check=True)
