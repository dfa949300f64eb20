"""The command with `--conn-id`: Airflow's connections, wherever Airflow keeps them."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable

import pytest

from tests.support.airflow import airflow_uri
from tests.support.command import DRIFT, seqfix
from tests.support.servers import Database


def said(done: subprocess.CompletedProcess[str]) -> str:
    """Return what the command says on stderr, without what Airflow before 3.3 logs when it is imported."""
    lines = done.stderr.splitlines(keepends=True)
    return "".join(line for line in lines if "setup plugin alembic" not in line)


def test_a_connection_from_the_environment(shop: Database) -> None:
    shop.execute(DRIFT)
    done = seqfix("check", "--conn-id", "shop", "--format", "json", "-q")
    assert (done.returncode, said(done)) == (1, "")
    assert json.loads(done.stdout)["summary"]["behind"] == 1
    assert seqfix("fix", "--conn-id", "shop", "-q").returncode == 0
    assert shop.state("orders_id_seq")[:2] == (3, True)


def test_a_connection_from_airflow_s_database(
    newest_db: Database, airflow: Callable[..., subprocess.CompletedProcess[str]]
) -> None:
    assert airflow("connections", "add", "kept", "--conn-uri", airflow_uri(newest_db)).returncode == 0
    done = seqfix("check", "--conn-id", "kept", "--allow-empty", "-q")
    assert (done.returncode, said(done)) == (0, "")
    assert done.stdout == f"no sequences to look at in database {newest_db.where}\n"


def test_one_that_is_not_there() -> None:
    done = seqfix("check", "--conn-id", "nowhere")
    assert (done.returncode, done.stdout) == (2, "")
    assert said(done).startswith("seqfix: conn_id='nowhere' is not defined: add it with `airflow connections add`")


@pytest.mark.parametrize("value", ['{"conn_type":"postgres","host":', "postgres://a:s3cr3t@h:notaport/x"])
def test_one_that_cannot_be_read(value: str) -> None:
    done = seqfix("check", "--conn-id", "broken", AIRFLOW_CONN_BROKEN=value)
    assert (done.returncode, done.stdout) == (2, "")
    assert "AIRFLOW_CONN_BROKEN is neither a URI nor JSON that Airflow can read" in said(done)
    assert "s3cr3t" not in done.stderr


def test_one_of_another_kind_and_one_that_does_not_connect() -> None:
    done = seqfix("check", "--conn-id", "other", AIRFLOW_CONN_OTHER="mysql://u:s3cr3t@127.0.0.1:1/x")
    assert (done.returncode, done.stdout) == (2, "")
    assert "is of type 'mysql': a connection of type postgres is needed" in done.stderr
    assert "s3cr3t" not in done.stderr
    done = seqfix("check", "--conn-id", "shut", AIRFLOW_CONN_SHUT="postgres://u:s3cr3t@127.0.0.1:1/x")
    assert (done.returncode, done.stdout) == (2, "")
    assert "does not connect (host=127.0.0.1 port=1 dbname=x user=u)" in done.stderr
    assert "s3cr3t" not in done.stderr


def test_without_airflow() -> None:
    code = "import sys; sys.modules['airflow'] = None; from airflow_seqfix.cli import main; sys.exit(main())"
    command = [sys.executable, "-c", code, "check", "--conn-id", "shop"]
    done = subprocess.run(command, capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("seqfix: --conn-id needs Airflow and its PostgreSQL provider")
    assert "or give the connection as a URI" in done.stderr
