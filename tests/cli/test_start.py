"""Ctrl-C while the command starts: at the import of each module, so that no clock decides when it comes."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.command import DRIFT
from tests.support.servers import Database

#: Imports each module once, and says which there are.
LIST = """
import json, sys
before = set(sys.modules)
sys.argv = ["seqfix", "check", "host=127.0.0.1 port=1 connect_timeout=1"]
from airflow_seqfix.cli import main
main()
print(json.dumps([name for name in sys.modules if name not in before and getattr(sys.modules[name], "__spec__", None)]))
"""

#: For each module named on stdin a child process in which its import is what Ctrl-C meets.
STRIKE = """
import json, os, sys
class Strike:
    def __init__(self, name): self.name = name
    def find_spec(self, name, path=None, target=None):
        if name == self.name:
            raise KeyboardInterrupt
sys.argv = ["seqfix", "check", "host=127.0.0.1 port=1 connect_timeout=1"]
answers = {}
for name in json.load(sys.stdin):
    read, write = os.pipe()
    child = os.fork()
    if not child:
        os.dup2(write, 1)
        os.dup2(write, 2)
        os.close(write)
        os.close(read)
        sys.meta_path.insert(0, Strike(name))
        status = 250
        try:
            from airflow_seqfix.cli import main
            status = main()
        except SystemExit as ending:
            status = ending.code
        except BaseException:
            import traceback
            traceback.print_exc()
        sys.stderr.flush()
        os._exit(status)
    os.close(write)
    with open(read, "rb") as said:
        text = said.read().decode()
    answers[name] = [os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), text]
print(json.dumps(answers))
"""


def python(program: str, tmp_path: Path, stdin: str = "") -> str:
    run = subprocess.run(
        [sys.executable, "-c", program], input=stdin, capture_output=True, text=True, cwd=tmp_path, check=True
    )
    return run.stdout.splitlines()[-1]


@pytest.fixture
def imported(tmp_path: Path) -> list[str]:
    """The command's own modules, each other package, and the first that it imports of Python's."""
    names: list[str] = json.loads(python(LIST, tmp_path))
    own = [name for name in names if name.startswith("airflow_seqfix.cli.")]
    others = [name for name in names if "." not in name and name not in sys.stdlib_module_names]
    return ["signal", "airflow_seqfix.core", *own, *(name for name in others if name != "airflow_seqfix")]


@pytest.mark.long
def test_ctrl_c_at_any_import_is_no_traceback(imported: list[str], tmp_path: Path) -> None:
    assert {"click", "psycopg", "airflow_seqfix.cli.signals"} <= set(imported)
    answers = json.loads(python(STRIKE, tmp_path, json.dumps(imported)))
    assert {
        name: said for name, (_, said) in answers.items() if "Traceback" in said or "KeyboardInterrupt" in said
    } == {}
    assert {name: status for name, (status, _) in answers.items() if status != 130} == {}


@pytest.mark.parametrize(
    ("words", "left_out"),
    [
        (["--version"], {"airflow_seqfix.core", "airflow_seqfix.options", "psycopg", "rich", "jinja2"}),
        (["--help"], {"airflow_seqfix.core", "airflow_seqfix.options", "psycopg", "rich", "jinja2"}),
        (["check", "--help"], {"airflow_seqfix.core", "psycopg", "rich", "jinja2"}),
        (["check", "host=127.0.0.1 port=1 connect_timeout=1"], {"rich", "jinja2", "airflow"}),
    ],
    ids=["version", "help", "help of check", "check"],
)
def test_what_is_not_used_is_not_imported(words: list[str], left_out: set[str], tmp_path: Path) -> None:
    imported = modules_of(words, tmp_path)
    assert "click" in imported
    assert imported & left_out == set()


#: What serves other commands, other formats, and databases with triggers that draw.
ELSEWHERE = {
    "airflow",
    "jinja2",
    "rich",
    "airflow_seqfix.cli.confirm",
    "airflow_seqfix.cli.fleet",
    "airflow_seqfix.core.discover.hints",
    "airflow_seqfix.core.discover.plpgsql",
    "airflow_seqfix.core.repair.plan_sql",
    "airflow_seqfix.render.html",
    "airflow_seqfix.render.markdown",
    "airflow_seqfix.sql",
}


@pytest.mark.parametrize("words", [[], ["--color", "always"]], ids=["plain", "coloured"])
def test_a_table_imports_nothing_that_it_does_not_show(newest_db: Database, words: list[str], tmp_path: Path) -> None:
    newest_db.execute(DRIFT)
    imported = modules_of(["check", newest_db.dsn, *words], tmp_path)
    assert {"psycopg", "airflow_seqfix.render.table"} <= imported
    assert imported & ELSEWHERE == set()


def modules_of(words: list[str], tmp_path: Path) -> set[str]:
    """Return the modules that a run of the command has imported."""
    program = f"""
import contextlib, json, sys
from airflow_seqfix.cli import main
with contextlib.suppress(SystemExit):
    main({words!r})
print(json.dumps(sorted(sys.modules)))
"""
    return set(json.loads(python(program, tmp_path)))
