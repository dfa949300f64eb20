"""Where the data go: stdout or a file, in which form, with or without colour."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from psycopg import conninfo

from tests.support.command import DRIFT, seqfix
from tests.support.psql import psql, reset_script
from tests.support.servers import Database
from tests.support.terminal import terminal

#: Leads nowhere: who gets as far as connecting says so.
CLOSED = "postgresql://u@127.0.0.1:1/x"


@pytest.mark.parametrize(
    ("name", "begins"),
    [("r.json", "{"), ("r.md", "#"), ("r.html", "<!doctype html>"), ("r.txt", "        "), ("R.JSON", "{")],
)
def test_the_extension_says_the_format(newest_db: Database, tmp_path: Path, name: str, begins: str) -> None:
    newest_db.execute(DRIFT)
    done = seqfix("check", newest_db.dsn, "-o", str(tmp_path / name), FORCE_COLOR="1")
    assert (done.returncode, done.stdout, done.stderr) == (1, "", "")
    text = (tmp_path / name).read_text()
    assert text.lower().startswith(begins.lower())
    assert text.endswith("\n")
    assert not text.endswith("\n\n")
    assert "orders_id_seq" in text
    assert "\x1b" not in text
    assert [path.name for path in tmp_path.iterdir()] == [name]


def test_a_plan_in_a_file(newest_db: Database, tmp_path: Path) -> None:
    newest_db.execute(DRIFT)
    assert seqfix("plan", newest_db.dsn, "-o", str(tmp_path / "plan.sql")).returncode == 1
    assert psql(newest_db.dsn, "-f", str(tmp_path / "plan.sql")).stderr == ""
    assert newest_db.state("orders_id_seq")[:2] == (3, True)


def test_the_script_in_a_file(tmp_path: Path) -> None:
    path = tmp_path / "reset_sequences.txt"
    path.write_text("old")
    done = seqfix("sql", "-o", str(path))
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert path.read_text(encoding="utf-8") == seqfix("sql").stdout == seqfix("sql", "-o", "-").stdout == reset_script()
    assert [path.name for path in tmp_path.iterdir()] == ["reset_sequences.txt"]
    done = seqfix("sql", "-o", str(tmp_path / "missing" / "reset_sequences.sql"))
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.endswith("cannot be written: No such file or directory\n")
    done = seqfix("sql", "-o", str(tmp_path / ("a" * 300)))
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.endswith("cannot be written: File name too long\n")
    # The longest name that there is.
    assert seqfix("sql", "-o", str(tmp_path / ("a" * 255))).returncode == 0
    assert (
        seqfix("sql", "-o", "/dev/full").stderr
        == "seqfix: --output /dev/full was not written to its end: No space left on device\n"
    )


def test_format_goes_before_the_extension(newest_db: Database, tmp_path: Path) -> None:
    newest_db.execute("CREATE TABLE t (id serial)")
    assert seqfix("check", newest_db.dsn, "-o", str(tmp_path / "x.txt"), "--format", "json").returncode == 0
    assert json.loads((tmp_path / "x.txt").read_text())["report_version"] == 1
    assert seqfix("check", newest_db.dsn, "-o", str(tmp_path / "x"), "--format", "json").returncode == 0
    done = seqfix("check", newest_db.dsn, "-o", "-", "--format", "json")
    assert json.loads(done.stdout)["report_version"] == 1


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("missing/r.json", "No such file or directory"),
        ("folder.json", "it is a folder"),
        ("r.xlsx", "its extension is none of .json, .md, .markdown, .html, .htm, .csv, .txt; say --format"),
        ("r", "its extension is none of"),
        ("r.sql", "its extension is none of"),
    ],
)
def test_a_file_that_cannot_be_written_is_refused_before_connecting(tmp_path: Path, path: str, said: str) -> None:
    (tmp_path / "folder.json").mkdir()
    done = seqfix("check", CLOSED, "-o", str(tmp_path / path))
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith(f"seqfix: --output {tmp_path / path}")
    assert said in done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert [path.name for path in tmp_path.iterdir()] == ["folder.json"]


@pytest.mark.long
def test_a_file_system_that_is_full(newest_db: Database) -> None:
    newest_db.execute(DRIFT)
    done = seqfix("check", newest_db.dsn, "-o", "/dev/full", "--format", "json")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.endswith("seqfix: --output /dev/full was not written to its end: No space left on device\n")
    assert "1 behind" in done.stderr
    command = f"'{sys.executable}' -m airflow_seqfix check '{newest_db.dsn}' > /dev/full"
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True)
    assert done.returncode == 2
    assert done.stderr.endswith("seqfix: stdout was not written to its end: No space left on device\n")
    assert "1 behind" in done.stderr


@pytest.mark.parametrize(("what", "said"), [("-o {folder}/r.html", "File too large"), ("> /dev/full", "No space left")])
def test_what_was_moved_is_said_though_the_report_has_no_place(
    newest_db: Database, tmp_path: Path, what: str, said: str
) -> None:
    newest_db.execute(DRIFT)
    part = conninfo.conninfo_to_dict(newest_db.dsn)
    several = f"-h {part['host']} -p {part['port']} -U {part['user']} -d {newest_db.name} -d postgres --yes"
    for connections in (f"'{newest_db.dsn}'", several):
        newest_db.execute("SELECT setval('orders_id_seq', 1, false)")
        where = what.format(folder=tmp_path)
        command = f"ulimit -f 8; '{sys.executable}' -m airflow_seqfix fix {connections} {where}"
        done = subprocess.run(["bash", "-c", command], capture_output=True, text=True)
        assert (done.returncode, done.stdout) == (2, "")
        assert said in done.stderr.splitlines()[-1]
        assert "fixed" in done.stderr
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("what", ["--help", "--version", "completion bash", "check nothing"])
def test_a_stream_that_takes_nothing(what: str) -> None:
    """1 would say that there is drift."""
    command = f"'{sys.executable}' -m airflow_seqfix {what} > /dev/full"
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True)
    assert done.returncode == 2
    assert "Traceback" not in done.stderr
    assert subprocess.run(["bash", "-c", f"{command} 2> /dev/full"]).returncode == 2


def test_a_pipe_by_its_name(newest_db: Database) -> None:
    newest_db.execute(DRIFT)
    for where in ("/dev/stdout", ">(cat)"):
        command = f"'{sys.executable}' -m airflow_seqfix check '{newest_db.dsn}' --format csv -o {where} | cat"
        done = subprocess.run(["bash", "-c", command], capture_output=True, text=True)
        assert (done.stdout.partition(",")[0], done.stderr) == ("sequence", "")


def test_a_folder_that_is_gone(newest_db: Database, tmp_path: Path) -> None:
    command = f"rmdir '{tmp_path}'; '{sys.executable}' -m airflow_seqfix check '{newest_db.dsn}' -o r.json"
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, cwd=tmp_path)
    assert done.returncode == 2
    assert done.stderr == "seqfix: --output r.json cannot be written: No such file or directory\n"


def test_an_old_file_stays_until_the_new_one_is_whole(newest_db: Database, tmp_path: Path) -> None:
    newest_db.execute("CREATE TABLE t (id serial)")
    report = tmp_path / "r.json"
    report.write_text("old")
    report.chmod(0o640)
    link = tmp_path / "link.json"
    link.symlink_to(report)
    assert seqfix("check", CLOSED, "-o", str(link)).returncode == 2
    assert seqfix("check", newest_db.dsn, "nope", "-o", str(link)).returncode == 2
    assert report.read_text() == "old"
    old = report.open()
    assert seqfix("check", newest_db.dsn, "-o", str(link)).returncode == 0
    assert json.loads(report.read_text())["report_version"] == 1
    # Who was reading the old one reads it to its end.
    assert old.read() == "old"
    old.close()
    assert report.stat().st_mode & 0o777 == 0o640
    assert link.is_symlink()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["link.json", "r.json"]


def test_a_new_file_gets_the_permissions_of_new_files(newest_db: Database, tmp_path: Path) -> None:
    newest_db.execute("CREATE TABLE t (id serial)")
    mask = os.umask(0o027)
    try:
        assert seqfix("check", newest_db.dsn, "-o", str(tmp_path / "r.json")).returncode == 0
    finally:
        os.umask(mask)
    assert (tmp_path / "r.json").stat().st_mode & 0o777 == 0o640


RED = "\x1b[1;31mbehind"


@pytest.mark.parametrize(
    ("options", "environment", "is_colored"),
    [
        ([], {}, True),
        (["--color", "never"], {}, False),
        ([], {"NO_COLOR": "1"}, False),
        ([], {"NO_COLOR": ""}, True),
        ([], {"TERM": "dumb"}, False),
        (["--color", "always"], {"NO_COLOR": "1"}, True),
        ([], {"NO_COLOR": "1", "FORCE_COLOR": "1"}, False),
    ],
)
def test_color_on_a_terminal(
    newest_db: Database, options: list[str], environment: dict[str, str], is_colored: bool
) -> None:
    newest_db.execute(DRIFT)
    with terminal("check", newest_db.dsn, *options, **environment) as shown:
        assert shown.end() == 1
    assert (RED in shown.raw) == is_colored
    assert "public.orders_id_seq" in shown.text


@pytest.mark.parametrize(
    ("options", "environment", "is_colored"),
    [
        ([], {}, False),
        (["--color", "always"], {}, True),
        ([], {"FORCE_COLOR": "1"}, True),
        (["--color", "never"], {"FORCE_COLOR": "1"}, False),
        (["--format", "json"], {"FORCE_COLOR": "1"}, False),
    ],
)
def test_color_in_a_pipe(
    newest_db: Database, options: list[str], environment: dict[str, str], is_colored: bool
) -> None:
    newest_db.execute(DRIFT)
    done = seqfix("check", newest_db.dsn, *options, **environment)
    assert ("\x1b[" in done.stdout) == is_colored


@pytest.mark.parametrize("columns", [80, 200])
def test_a_table_fits_its_terminal(newest_db: Database, columns: int) -> None:
    long = "a_name_that_is_as_long_as_postgresql_lets_a_name_be_and_no_more"
    newest_db.execute(f"CREATE TABLE {long} (id serial); INSERT INTO {long} VALUES (2000000)")
    with terminal("check", newest_db.dsn, columns=columns) as shown:
        assert shown.end() == 1
    lines = shown.text.split("\n\n")[0].splitlines()
    assert len(lines) == 3  # two of them are the heading
    assert max(map(len, lines)) <= columns


def test_a_terminal_that_knows_few_letters(newest_db: Database) -> None:
    newest_db.execute('CREATE TABLE "tabl→" (id serial); INSERT INTO "tabl→" VALUES (3)')
    done = seqfix("check", newest_db.dsn, PYTHONIOENCODING="ascii:strict")
    assert (done.returncode, done.stderr) == (1, "")
    assert r"tabl→_id_seq" in done.stdout
    done = seqfix("check", newest_db.dsn, PYTHONIOENCODING="iso8859-15")
    assert (done.returncode, done.stderr) == (1, "")
    assert r"tabl\u2192_id_seq" in done.stdout
    done = seqfix("plan", newest_db.dsn, PYTHONIOENCODING="latin-1")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == (
        "seqfix: stdout is latin-1, which cannot encode '\\u2192': "
        "set PYTHONIOENCODING=utf-8, or write to a file with -o\n"
    )


@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-", "<&- >&- 2>&-"])
@pytest.mark.parametrize(("command", "status"), [("check", 1), ("fix", 0)])
def test_streams_that_are_closed(newest_db: Database, closed: str, command: str, status: int) -> None:
    newest_db.execute(DRIFT)
    run = f"'{sys.executable}' -m airflow_seqfix {command} '{newest_db.dsn}' {closed}"
    done = subprocess.run(["bash", "-c", run], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (status, "")
