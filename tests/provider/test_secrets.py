"""A secret in every field of an Airflow connection: no exception of a task says it."""

from __future__ import annotations

from typing import Any

import pytest

from airflow_seqfix.core import ArgumentError, ConnectionFailedError
from airflow_seqfix.task.connection import connect
from airflow_seqfix.task.report_file import ReportFile
from tests.support.secrets import PASTED, SECRET


@pytest.mark.parametrize("field", ["host", "login", "password", "schema", "extra", "database"])
@pytest.mark.parametrize("pasted", [*PASTED, "{}"])
def test_a_connection_that_fails_says_no_secret(field: str, pasted: str) -> None:
    from airflow.models.connection import Connection

    value = pasted.format(SECRET)
    if pasted == "{}" and field != "password":
        # Nothing tells that this is one.
        value = f"x:{SECRET}"
    fields: dict[str, Any] = {"host": "127.0.0.1", "port": 1, "login": "ada", "schema": "shop"}
    database = value if field == "database" else None
    if field == "extra":
        fields["extra"] = {"sslpassword": value, "sslmode": "disable"}
    elif field != "database":
        fields[field] = value
    with pytest.raises(ConnectionFailedError) as failed:
        connect("db", database, None, Connection(conn_id="db", conn_type="postgres", **fields))
    assert SECRET not in str(failed.value)
    assert str(failed.value).startswith("conn_id='db' does not connect (host=")


def test_a_report_url_with_a_password_is_refused() -> None:
    with pytest.raises(ArgumentError) as refused:
        ReportFile.parse("/tmp/report.html", f"https://ada:{SECRET.replace('/', '')}@reports/x")
    assert "report_url: it holds a password" in str(refused.value)
    assert SECRET.replace("/", "") not in str(refused.value)
