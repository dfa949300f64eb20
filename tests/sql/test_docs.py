"""docs/sql.md: its table, its options, and its shell script, which is run."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

import pytest
from psycopg import conninfo

from tests.sql.agreement import DIFFERENCES
from tests.support.psql import program, reset_script
from tests.support.servers import Database

DOCS = (Path(__file__).parents[2] / "docs" / "sql.md").read_text(encoding="utf-8")


def test_the_table_of_differences() -> None:
    rows = [f"| [{name}](../tests/scenarios/{name}.sql) | {why} |" for name, why in sorted(DIFFERENCES.items())]
    assert "\n".join(["| scenario | why |", "|---|---|", *rows, ""]) in DOCS


def test_the_options_are_those_of_the_script() -> None:
    told = re.findall(r"^\| `(\w+)` \|.*\| `?(\w+)`? \|$", DOCS, re.MULTILINE)
    header = re.findall(r"^--     (\w+) {2,}\S.*\[(\w+)\]$", reset_script(), re.MULTILINE)
    known = re.findall(r"^\\if :\{\?(\w+)\}$", reset_script(), re.MULTILINE)
    assert told == header
    assert [name for name, _ in header] == known


@pytest.fixture
def command(tmp_path: Path) -> Path:
    """The shell script with the SQL beside it."""
    (snippet,) = re.findall(r"^```sh\n(.*?)^```$", DOCS, re.MULTILINE | re.DOTALL)
    (tmp_path / "reset_sequences.sql").write_text(reset_script(), encoding="utf-8")
    path = tmp_path / "reset_sequences.sh"
    path.write_text(snippet, encoding="utf-8")
    path.chmod(0o755)
    return path


def run(command: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PATH": f"{program().parent}:{os.environ['PATH']}"}
    return subprocess.run([command, *arguments], env=environment, capture_output=True, text=True, cwd="/")


def test_the_shell_script(newest_db: Database, command: Path) -> None:
    newest_db.execute("CREATE TABLE orders (id serial PRIMARY KEY); INSERT INTO orders SELECT generate_series(1, 100)")
    server = conninfo.conninfo_to_dict(newest_db.dsn)
    uri = f"postgresql://{server['user']}@{server['host']}:{server['port']}/{newest_db.name}"
    assert run(command).returncode == 2
    checked = run(command, uri, "-v", "mode=check")
    assert (checked.returncode, newest_db.state("orders_id_seq")[:2]) == (3, (1, False)), checked.stderr
    repaired = run(command, uri)
    assert (repaired.returncode, newest_db.state("orders_id_seq")[:2]) == (0, (100, True)), repaired.stderr
    assert "public.orders_id_seq public.orders.id behind in_sync advance" in repaired.stdout
    assert run(command, uri, "-v", "mode=check").returncode == 0
    assert run(command, "postgresql://nobody@127.0.0.1:1/x").returncode == 2
