"""The command, as a shell starts it."""

from __future__ import annotations

import multiprocessing
import os
import pkgutil
import subprocess
import sys
import tempfile
from pathlib import Path

from airflow_seqfix import cli, core, render, sql

#: Two tables, of which one has a sequence that is behind.
DRIFT = """
    CREATE TABLE orders (id serial PRIMARY KEY, note text);
    INSERT INTO orders (id) VALUES (1), (2), (3);
    CREATE TABLE customers (id serial PRIMARY KEY, note text);
"""


#: What the command may import: all but the Airflow side.
_MODULES = [
    module.name
    for part in (cli, core, render, sql)
    for module in pkgutil.walk_packages(part.__path__, f"{part.__name__}.")
]
#: Starts the command in processes of its own, which have its modules already: most of a short run is their import.
_FORKS = multiprocessing.get_context("forkserver")
_FORKS.set_forkserver_preload([*_MODULES, "psycopg", "jinja2", "rich.progress", __name__])


def seqfix(*arguments: str, stdin: str = "", **environment: str) -> subprocess.CompletedProcess[str]:
    """Run the command, in an interpreter of its own only where the environment tells that something."""
    if any(name.startswith("PYTHON") for name in environment):
        command = [sys.executable, "-m", "airflow_seqfix", *arguments]
        return subprocess.run(
            command, input=stdin, capture_output=True, text=True, env=os.environ | environment, timeout=120
        )
    os.umask(umask := os.umask(0))
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "0").write_text(stdin, encoding="utf-8")
        process = _FORKS.Process(
            target=_main, args=(arguments, dict(os.environ) | environment, Path.cwd(), umask, folder)
        )
        process.start()
        process.join(120)
        if process.exitcode is None:
            process.kill()
            raise subprocess.TimeoutExpired(arguments, 120)
        out, err = ((folder / stream).read_text(encoding="utf-8") for stream in "12")
    return subprocess.CompletedProcess(arguments, process.exitcode, out, err)


def _main(arguments: tuple[str, ...], environment: dict[str, str], cwd: Path, umask: int, folder: Path) -> None:
    os.chdir(cwd)
    os.environ.clear()
    os.environ.update(environment)
    for stream, flags in enumerate((os.O_RDONLY, os.O_WRONLY | os.O_CREAT, os.O_WRONLY | os.O_CREAT)):
        os.dup2(os.open(folder / str(stream), flags, 0o600), stream)
    os.umask(umask)
    sys.stdin, sys.stdout, sys.stderr = open(0), open(1, "w"), open(2, "w")  # noqa: SIM115
    from airflow_seqfix.cli import main

    sys.argv = ["seqfix", *arguments]
    sys.exit(main())
