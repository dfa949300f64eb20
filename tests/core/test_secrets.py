"""A secret in every field that there is: no message says it."""

from __future__ import annotations

from pathlib import Path

import psycopg
import psycopg2
import pytest

from airflow_seqfix import secrets
from airflow_seqfix.core import ConnectionFailedError, SeqfixError, check
from tests.support.echo import echoing
from tests.support.secrets import PASTED, SECRET
from tests.support.servers import Database


@pytest.mark.parametrize("pasted", PASTED)
def test_every_error_of_this_package_masks(pasted: str) -> None:
    assert SECRET not in str(SeqfixError(f"it failed ({pasted.format(SECRET)}): try again"))
    assert SECRET not in secrets.shown(pasted.format(SECRET))


@pytest.mark.parametrize("field", ["host", "user", "password", "dbname", "options", "sslcert", "service", "passfile"])
@pytest.mark.parametrize("driver", ["psycopg", "psycopg2"])
@pytest.mark.parametrize("pasted", PASTED)
def test_what_the_drivers_say_is_masked(field: str, driver: str, pasted: str) -> None:
    fields = {"host": "127.0.0.1", "port": "1", field: pasted.format(SECRET)}
    connect = psycopg.connect if driver == "psycopg" else psycopg2.connect
    with pytest.raises(ConnectionFailedError) as failed:
        check(lambda: connect(**fields))
    assert SECRET not in str(failed.value)


def test_a_field_that_is_called_like_a_secret_is_remembered() -> None:
    secrets.remember_fields({"sslpassword": "hunter2hunter2", "sslmode": "require", "aws_secret_key": "k3yk3y"}.items())
    assert secrets.masked("hunter2hunter2 require k3yk3y") == "*** require ***"


@pytest.mark.parametrize(
    ("text", "may_hold"),
    [("db.example.org", ""), ("::1", ""), ("/var/run/postgresql", ""), ("ada@server", "@"), ("my-db_1", "")],
)
def test_what_is_no_secret_is_shown(text: str, may_hold: str) -> None:
    assert secrets.shown(text, may_hold=may_hold) == text


@pytest.mark.parametrize("driver", ["psycopg", "psycopg2"])
def test_the_password_of_an_open_connection_is_masked(driver: str, newest_db: Database, tmp_path: Path) -> None:
    passfile = tmp_path / "passfile"
    passfile.write_text(f"*:*:*:*:{driver}-s3cr3t\n")
    passfile.chmod(0o600)
    # The server asks for none, and libpq has it all the same.
    connect = newest_db.connect if driver == "psycopg" else newest_db.psycopg2
    with connect(passfile=str(passfile)) as conn:
        check(conn, allow_empty=True)
    assert secrets.masked(f"{driver}-s3cr3t") == "***"


def test_the_password_of_a_file_is_masked_where_the_connection_fails(tmp_path: Path) -> None:
    passfile = tmp_path / "passfile"
    passfile.write_text("*:*:*:*:failed-s3cr3t\n")
    passfile.chmod(0o600)
    with echoing() as port, pytest.raises(ConnectionFailedError) as failed:
        check(
            lambda: psycopg.connect(
                host="127.0.0.1", port=port, user="ada", sslmode="disable", gssencmode="disable", passfile=passfile
            )
        )
    assert "role ada with *** does not exist" in str(failed.value)


def test_tokens_do_not_pile_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(secrets, "_known", {})
    for number in range(2 * secrets.KEPT):
        secrets.remember("said again", f"token-{number:06}")
    assert len(secrets._known) == secrets.KEPT
    assert secrets.masked(f"token-{2 * secrets.KEPT - 1:06}, said again") == "***, ***"
