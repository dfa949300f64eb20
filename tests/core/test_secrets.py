"""A secret in every field that there is: no message says it."""

from __future__ import annotations

import psycopg
import psycopg2
import pytest

from airflow_seqfix import secrets
from airflow_seqfix.core import ConnectionFailedError, SeqfixError, check
from tests.support.secrets import PASTED, SECRET


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
