"""Build `seqfix.pyz`, the command in one file: make zipapp

It runs on any Python from 3.11 on that has nothing installed, on any platform that has libpq. So whatever is compiled
for one platform is left out: psycopg calls libpq through ctypes, and MarkupSafe has the same functions in Python.
"""

from __future__ import annotations

import argparse
import compileall
import os
import py_compile
import shutil
import subprocess
import sys
import tempfile
import zipapp
from pathlib import Path

ROOT = Path(__file__).parents[1]

#: What the command needs of the dependencies, and what these need; Airflow is not among them.
LIBRARIES = ("click", "jinja2", "markupsafe", "psycopg", "rich", "typing-extensions")

MAIN = """\
import sys

if sys.version_info < (3, 11):
    sys.stderr.write("seqfix: Python 3.11 or later is needed, and this is %d.%d\\n" % sys.version_info[:2])
    sys.exit(2)

from airflow_seqfix.cli import main

sys.exit(main())
"""

#: The date of every file, so that the same sources make the same archive; zip knows none before 1980.
DATE = 315_619_200


def build(target: Path) -> None:
    """Write the archive."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        _install(folder)
        shutil.copytree(
            ROOT / "airflow_seqfix", folder / "airflow_seqfix", ignore=shutil.ignore_patterns("__pycache__")
        )
        shutil.copy(ROOT / "LICENSE", folder)
        (folder / "__main__.py").write_text(MAIN, encoding="utf-8")
        # Compiled for the Python that builds it; any other one compiles the sources, which are there as well.
        compileall.compile_dir(
            folder, quiet=1, legacy=True, stripdir=name, invalidation_mode=py_compile.PycInvalidationMode.UNCHECKED_HASH
        )
        for path in folder.rglob("*"):
            os.utime(path, (DATE, DATE))
        target.parent.mkdir(parents=True, exist_ok=True)
        zipapp.create_archive(folder, target, interpreter="/usr/bin/env python3", compressed=True)
    target.chmod(0o755)


def _install(folder: Path) -> None:
    """Install the libraries, as pinned, without what is compiled for this platform."""
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-compile", "--no-deps"]
    subprocess.run([*pip, "--constraint", ROOT / "constraints.txt", "--target", folder, *LIBRARIES], check=True)
    shutil.rmtree(folder / "bin", ignore_errors=True)
    for compiled in folder.rglob("*.so"):
        compiled.unlink()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("target", type=Path)
    build(parser.parse_args().target)
