"""What Airflow sees of the package: its metadata, and what importing it costs."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Callable
from importlib import resources
from pathlib import Path
from subprocess import CompletedProcess

import airflow as airflow_package
import jsonschema
import pytest

from airflow_seqfix import __version__
from airflow_seqfix.get_provider_info import get_provider_info
from tests.support import ROOT
from tests.support.pages import read

EXAMPLES = sorted(path.stem for path in (ROOT / "example_dags").glob("*.py"))
MODULES = ("airflow_seqfix.operators.postgres", "airflow_seqfix.sensors.postgres")


def test_metadata_follows_airflow_s_schema() -> None:
    schema = json.loads((resources.files(airflow_package) / "provider_info.schema.json").read_text())
    jsonschema.validate(get_provider_info(), schema)


def test_the_guides_that_are_named_are_there() -> None:
    named = [guide for integration in get_provider_info()["integrations"] for guide in integration["how-to-guide"]]
    assert named
    assert [guide for guide in named if not (ROOT / guide.removeprefix("/")).is_file()] == []


def test_the_page_of_providers_leads_to_a_page_that_exists() -> None:
    """Without a URL in the metadata Airflow makes up one below its own documentation."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert project["urls"]["Documentation"].startswith("https://")


def test_airflow_lists_the_provider(airflow: Callable[..., CompletedProcess[str]]) -> None:
    providers = json.loads(airflow("providers", "list", "-o", "json").stdout)
    mine = [provider for provider in providers if provider["package_name"] == "airflow-seqfix"]
    assert [provider["version"] for provider in mine] == [__version__]
    told = airflow("providers", "get", "airflow-seqfix", "--full", "-o", "json").stdout
    for module in MODULES:
        assert module in told


@pytest.mark.parametrize("module", MODULES)
def test_import_brings_no_hook_no_driver_and_no_core(module: str) -> None:
    code = (
        "import sys; import airflow_seqfix.task.sdk as sdk;"
        "sdk.BaseOperator, sdk.BaseSensorOperator; before = set(sys.modules);"
        f"import {module}; print(*sorted(set(sys.modules) - before))"
    )
    new = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout.split()
    assert module in new
    heavy = [
        name for name in new if name.startswith(("psycopg", "airflow_seqfix.core", "airflow_seqfix.render", "rich"))
    ]
    assert not heavy
    assert "airflow.providers.postgres.hooks.postgres" not in new


def test_a_dag_with_all_of_them_is_parsed_without_hook_driver_and_core() -> None:
    """Arguments are judged while it is parsed, and that too must need nothing heavy."""
    code = """
import sys
from airflow import DAG
before = set(sys.modules)
from airflow_seqfix.operators.postgres import PostgresSequenceCheckOperator, PostgresSequenceResetOperator
from airflow_seqfix.sensors.postgres import PostgresSequenceDriftSensor
with DAG("light", schedule=None):
    plan = PostgresSequenceResetOperator(task_id="plan", tables=["a"], lock="none", dry_run=True)
    PostgresSequenceResetOperator(task_id="reset", plan=plan.output)
    PostgresSequenceCheckOperator(task_id="check", fail_on=["behind"], report_path="/srv/{{ run_id }}.html")
    PostgresSequenceDriftSensor(task_id="gate", min_remaining=5, deferrable=True)
try:
    PostgresSequenceCheckOperator(task_id="bad", margin=-1)
except ValueError as error:
    print(error)
new = set(sys.modules) - before
print(*[name for name in new if name.startswith(("psycopg", "airflow_seqfix.core", "airflow_seqfix.render", "rich"))])
print(*[name for name in new if name.startswith("airflow.providers.postgres.hooks")])
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == ["margin=-1: give an integer of at least 0", "", ""]


def test_the_example_dags_are_parsed_with_the_import_for_airflow_2(tmp_path: Path) -> None:
    """On Airflow 2 nothing else runs them."""
    (line,) = re.findall(r"`(from \S+ import DAG, task)`", read("docs/proof/airflow-versions.md"))
    folder = shutil.copytree(ROOT / "example_dags", tmp_path / "dags")
    # There are no asset watchers.
    (folder / "example_seqfix_watch.py").unlink()
    for path in folder.glob("*.py"):
        text = path.read_text(encoding="utf-8").replace("from airflow.sdk import DAG, task", line)
        assert "airflow.sdk" not in text
        path.write_text(text, encoding="utf-8")
    code = f"""
from airflow.models import DagBag
bag = DagBag({str(folder)!r})
print("found:", bag.import_errors, *sorted(bag.dags))
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    run = [name for name in EXAMPLES if name != "example_seqfix_watch"]
    assert f"found: {{}} {' '.join(run)}\n" in done.stdout, done.stderr


def test_importing_the_example_dags_needs_no_database_and_no_driver() -> None:
    code = f"""
import sys
sys.path.insert(0, {str(ROOT / "example_dags")!r})
for name in {EXAMPLES!r}:
    __import__(name)
print("loaded:", *[name for name in ("psycopg", "psycopg2", "airflow_seqfix.core",
                                     "airflow.providers.postgres.hooks.postgres") if name in sys.modules])
"""
    # No connection is defined: an attempt to open one would fail.
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    # Airflow 3.2 sometimes logs to stdout what it sets up when it is imported first.
    assert done.stdout.splitlines()[-1].strip() == "loaded:"
