"""A real Airflow in a throw-away AIRFLOW_HOME, with the databases of the tests behind its connections."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.support.airflow import HOME, airflow_uri, run_serialized
from tests.support.servers import Database


@pytest.fixture(scope="session")
def airflow_home() -> Path:
    """Make the metadata database."""
    subprocess.run([sys.executable, "-m", "airflow", "db", "migrate"], check=True, capture_output=True)
    return HOME


@pytest.fixture
def shop(newest_db: Database, monkeypatch: pytest.MonkeyPatch) -> Database:
    """A database behind the connection `shop`, on one server: the tests of the core run on the others."""
    monkeypatch.setenv("AIRFLOW_CONN_SHOP", airflow_uri(newest_db))
    return newest_db


@pytest.fixture
def run_dag(airflow_home: Path) -> Callable[..., Any]:
    """Run a DAG with dag.test(), and return the run."""
    return run_serialized


@pytest.fixture(scope="session")
def airflow(airflow_home: Path) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Run the command `airflow`."""

    def run(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "airflow", *arguments],
            env=os.environ | environment,
            capture_output=True,
            text=True,
            timeout=240,
        )

    return run
