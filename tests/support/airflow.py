"""Airflow in a throw-away AIRFLOW_HOME, which the first import of this module chooses."""

from __future__ import annotations

import atexit
import functools
import os
import shutil
import tempfile
from importlib.metadata import version
from pathlib import Path
from typing import Any
from urllib.parse import quote

from psycopg import conninfo

from tests.support import ROOT
from tests.support.servers import Database

HOME = Path(tempfile.mkdtemp(prefix="seqfix-airflow-"))
atexit.register(shutil.rmtree, HOME, ignore_errors=True)

# Airflow reads them once, when it is first imported.
os.environ.update(
    AIRFLOW_HOME=str(HOME),
    AIRFLOW__CORE__DAGS_FOLDER=str(ROOT / "example_dags"),
    AIRFLOW__CORE__LOAD_EXAMPLES="False",
    AIRFLOW__DATABASE__SQL_ALCHEMY_CONN=f"sqlite:///{HOME / 'airflow.db'}",
)


def airflow_uri(db: Database, **override: str) -> str:
    """Return a database as an Airflow connection writes it."""
    part = conninfo.conninfo_to_dict(db.dsn) | override
    password = f":{quote(part['password'], safe='')}" if part.get("password") else ""
    return f"postgres://{part['user']}{password}@{part['host']}:{part['port']}/{part['dbname']}"


def airflow_version() -> tuple[int, ...]:
    """Return Airflow's major and minor version."""
    return tuple(map(int, version("apache-airflow").split(".")[:2]))


def serialize(dag: Any) -> None:
    """Put a DAG into the metadata database. Where the functions for that live depends on the version."""
    from airflow.dag_processing.bundles.manager import DagBundlesManager
    from airflow.models.serialized_dag import SerializedDagModel

    DagBundlesManager().sync_bundles_to_db()
    if airflow_version() < (3, 1):
        from airflow.models.dag import DAG
        from airflow.serialization.serialized_objects import LazyDeserializedDAG, SerializedDAG

        data = SerializedDAG.to_dict(dag)
        DAG.bulk_write_to_db("dags-folder", None, [SerializedDAG.from_dict(data)])
        SerializedDagModel.write_dag(LazyDeserializedDAG(data=data), bundle_name="dags-folder")
        return
    from airflow.serialization.serialized_objects import LazyDeserializedDAG

    if airflow_version() < (3, 2):
        from airflow.serialization.serialized_objects import SerializedDAG
    else:
        from airflow.serialization.definitions.dag import SerializedDAG
    serialized = LazyDeserializedDAG.from_dag(dag)
    SerializedDAG.bulk_write_to_db("dags-folder", None, [serialized])
    SerializedDagModel.write_dag(serialized, bundle_name="dags-folder")


def share_the_api() -> None:
    """Build what answers tasks in dag.test() once, as Airflow does from 3.3 on; before, it took seconds per task."""
    from airflow.sdk.execution_time import supervisor

    if not hasattr(supervisor.in_process_api_server, "cache_clear"):
        supervisor.in_process_api_server = functools.cache(supervisor.in_process_api_server)


def run_serialized(dag: Any, **arguments: Any) -> Any:
    """Run a DAG with dag.test(), which since Airflow 3 wants it serialised first, and return the run."""
    if airflow_version() >= (3,):
        serialize(dag)
        share_the_api()
    return dag.test(**arguments)
