"""--source, as it is given on the command line."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.support.command import seqfix
from tests.support.servers import Database

NOWHERE = "postgresql://u@127.0.0.1:1/x"
MADE = "give postgresql://user@host:port/dbname, or a file that seqfix check --all-positions --format json has written"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[]", f"is not a JSON object; {MADE}"),
        ("", f"; {MADE}"),
        ("\ud800", f"is not text in UTF-8; {MADE}"),
        ("[" * 100_000, f"is nested too deep; {MADE}"),
    ],
)
def test_a_file_that_is_no_report(text: str, said: str, newest_db: Database, tmp_path: Path) -> None:
    file = tmp_path / "old.json"
    file.write_bytes(text.encode(errors="surrogatepass"))
    done = seqfix("check", newest_db.dsn, "--source", str(file))
    assert (done.returncode, done.stdout) == (2, "")
    assert f"--source: {file}" in done.stderr and said in done.stderr


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--source", NOWHERE, "--source", NOWHERE), "it is given twice: give one"),
        (("--source", "nothing.json"), f"--source: nothing.json cannot be read: No such file or directory; {MADE}"),
        (("--source-schemas", "app"), "'app' is not HERE=THERE; give the schema's name in this database, and its"),
        (("--source-schemas", "a=b", "--source-schemas", "a=c"), "a is given twice; give each schema once"),
    ],
)
def test_what_cannot_be_meant(arguments: tuple[str, ...], said: str) -> None:
    done = seqfix("check", NOWHERE, *arguments)
    assert (done.returncode, done.stdout) == (2, "")
    assert said in done.stderr


@pytest.mark.parametrize("given", ["postgresql:/u:hunter22@h/db", "postgres//u:hunter22@h", "u:hunter22@h:5432"])
def test_a_misspelt_uri_shows_no_password(given: str) -> None:
    done = seqfix("check", NOWHERE, "--source", given)
    assert done.returncode == 2
    assert "--source: it is not a file, and a connection URI begins with postgresql://" in done.stderr
    assert "hunter22" not in done.stderr


def test_a_report_over_many_databases_is_no_source(newest_db: Database, tmp_path: Path) -> None:
    newest_db.execute("CREATE TABLE t (id serial)")
    file = tmp_path / "all.json"
    file.write_text(seqfix("check", newest_db.dsn, "-d", newest_db.name, "-d", "postgres", "--format", "json").stdout)
    done = seqfix("check", newest_db.dsn, "--source", str(file))
    assert done.returncode == 2
    assert "--source: this is a report over many databases, and a source is one; make a new one" in done.stderr


def test_what_helps_names_a_stored_report(newest_db: Database, tmp_path: Path) -> None:
    """The database that it is of may be gone."""
    newest_db.execute("CREATE TABLE t (id serial PRIMARY KEY); SELECT setval('t_id_seq', 500)")
    stored = json.loads(seqfix("check", newest_db.dsn, "--all-positions", "--format", "json").stdout)
    file = tmp_path / "old.json"
    file.write_text(json.dumps(stored | {"database": "old"}))
    newest_db.execute("SELECT setval('t_id_seq', 1, false)")
    (row,) = json.loads(seqfix("check", newest_db.dsn, "--source", str(file), "--format", "json").stdout)["sequences"]
    assert row["verdict"] == "behind"
    sql = seqfix("plan", newest_db.dsn, "--source", str(file)).stdout
    assert f"-- Its source is old on {stored['host']}:{stored['port']}, read " in sql
    assert ", from a stored report\n" in sql
    assert "--source postgresql" not in row["cure"]
