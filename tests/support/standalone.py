"""A whole Airflow that runs: scheduler, workers, triggerer, DAG processor and API, driven through its REST API."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from tests.support.cluster import Cluster, free_port, running, wheel_binaries
from tests.support.servers import WHEELS

#: How long Airflow may take to come up, and a task to get going, on a busy machine.
PATIENCE = 180.0

#: On a busy machine the API server is slow to answer the first tasks.
BUSY = {"AIRFLOW__WORKERS__EXECUTION_API_TIMEOUT": "60"}


class Standalone:
    """`airflow standalone` with an AIRFLOW_HOME of its own."""

    def __init__(self, home: Path, metadata: str, environment: Mapping[str, str] | None = None) -> None:
        """:param metadata: A URL of SQLAlchemy: where Airflow keeps its own tables."""
        self.home = home
        self.dags = home / "dags"
        self.dags.mkdir()
        self.log = home / "standalone.log"
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self._token: str | None = None
        self._environment = {
            **os.environ,
            # standalone starts `airflow`, whichever that is.
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
            "AIRFLOW_HOME": str(home),
            "AIRFLOW__API__BASE_URL": self.url,
            "AIRFLOW__API__PORT": str(self.port),
            "AIRFLOW__API__WORKERS": "1",
            "AIRFLOW__CORE__DAGS_ARE_PAUSED_AT_CREATION": "False",
            "AIRFLOW__CORE__DAGS_FOLDER": str(self.dags),
            "AIRFLOW__CORE__EXECUTION_API_SERVER_URL": f"{self.url}/execution/",
            "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
            "AIRFLOW__CORE__PARALLELISM": "4",
            "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_ALL_ADMINS": "True",
            "AIRFLOW__DAG_PROCESSOR__REFRESH_INTERVAL": "5",
            "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": metadata,
            "AIRFLOW__LOGGING__TRIGGER_LOG_SERVER_PORT": str(free_port()),
            "AIRFLOW__LOGGING__WORKER_LOG_SERVER_PORT": str(free_port()),
            **(environment or {}),
        }
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        self._process = self._command("standalone")
        self.wait(self._is_healthy)

    def stop(self) -> None:
        if self._process is not None:
            end(self._process)

    def _command(self, *arguments: str, log: Path | None = None) -> subprocess.Popen[bytes]:
        """Start a command of Airflow, in a session of its own: what it starts does not end with it."""
        with (log or self.log).open("ab") as output:
            return subprocess.Popen(
                [sys.executable, "-m", "airflow", *arguments],
                env=self._environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def _is_healthy(self) -> bool:
        components = ("metadatabase", "scheduler", "triggerer", "dag_processor")
        return all(self._health().get(part, {}).get("status") == "healthy" for part in components)

    def wait(self, condition: Any, seconds: float = PATIENCE, pause: float = 0.25) -> Any:
        """Return what a condition comes to, once that is something."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            value = condition()
            if value:
                return value
            if self._process is not None and self._process.poll() is not None:
                break
            time.sleep(pause)
        raise AssertionError(f"not within {seconds:g} s; Airflow said:\n{self.log.read_text()[-4000:]}")

    def connection(self, conn_id: str, **attributes: Any) -> None:
        """Store a connection in the metadata database, where a trigger cannot get at it from a thread."""
        self.call("POST", "connections", {"connection_id": conn_id, "conn_type": "postgres", **attributes})

    def trigger(self, dag_id: str, conf: Mapping[str, Any] | None = None) -> str:
        """Start a run and return its id."""
        self.wait(lambda: self._knows(dag_id))
        run = self.call("POST", f"dags/{dag_id}/dagRuns", {"logical_date": None, "conf": dict(conf or {})})
        return str(run["dag_run_id"])

    def task(self, dag_id: str, run_id: str, task_id: str) -> dict[str, Any]:
        return self.call("GET", f"dags/{dag_id}/dagRuns/{run_id}/taskInstances/{task_id}")

    def wait_for_state(self, dag_id: str, run_id: str, task_id: str, *states: str) -> dict[str, Any]:
        task: dict[str, Any] = {}

        def arrived() -> bool:
            task.update(self.task(dag_id, run_id, task_id))
            return task["state"] in states

        try:
            self.wait(arrived)
        except AssertionError as error:
            raise AssertionError(f"{dag_id}.{task_id} is {task.get('state')}, not {states}: {error}") from None
        return task

    def mapped(self, dag_id: str, run_id: str, task_id: str) -> list[dict[str, Any]]:
        """Return the instances of a mapped task, in their order."""
        path = f"dags/{dag_id}/dagRuns/{run_id}/taskInstances/{task_id}/listMapped?limit=100&order_by=map_index"
        return list(self.call("GET", path)["task_instances"])

    def mark(self, dag_id: str, run_id: str, task_id: str, state: str) -> None:
        self.call("PATCH", f"dags/{dag_id}/dagRuns/{run_id}/taskInstances/{task_id}", {"new_state": state})

    def clear(self, dag_id: str, run_id: str, task_id: str) -> None:
        self.call(
            "POST",
            f"dags/{dag_id}/clearTaskInstances",
            {"dry_run": False, "dag_run_id": run_id, "task_ids": [task_id], "only_failed": False},
        )

    def task_log(self, dag_id: str, run_id: str, task_id: str, try_number: int = 1) -> str:
        folder = self.home / "logs" / f"dag_id={dag_id}" / f"run_id={run_id}" / f"task_id={task_id}"
        return (folder / f"attempt={try_number}.log").read_text()

    def call(self, method: str, path: str, body: Any = None) -> dict[str, Any]:
        """Call the REST API, version 2."""
        return self._request(method, f"/api/v2/{path}", body, {"Authorization": f"Bearer {self._get_token()}"})

    def _get_token(self) -> str:
        if self._token is None:
            self._token = str(self._request("GET", "/auth/token")["access_token"])
        return self._token

    def _knows(self, dag_id: str) -> bool:
        try:
            self.call("GET", f"dags/{dag_id}")
        except AssertionError as error:
            if "HTTP 404" in str(error):
                return False
            raise
        return True

    def _health(self) -> dict[str, Any]:
        try:
            return self._request("GET", "/api/v2/monitor/health")
        except (OSError, AssertionError):
            return {}

    def _request(
        self, method: str, path: str, body: Any = None, headers: Mapping[str, str] | None = None
    ) -> dict[str, Any]:
        request = urllib.request.Request(
            self.url + path,
            method=method,
            data=None if body is None else json.dumps(body).encode(),
            headers={"Content-Type": "application/json", **(headers or {})},
        )
        try:
            with urllib.request.urlopen(request, timeout=60) as response:
                return json.loads(response.read() or b"{}")
        except urllib.error.HTTPError as error:
            raise AssertionError(f"{method} {path}: HTTP {error.code}: {error.read().decode()}") from None


def end(process: subprocess.Popen[bytes]) -> None:
    """Kill a process and all that it has started."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def metadata_in(cluster: Cluster, dbname: str = "postgres") -> str:
    """Return the URL by which Airflow keeps its own tables in a database."""
    return f"postgresql+psycopg2://postgres@127.0.0.1:{cluster.port}/{dbname}"


@contextlib.contextmanager
def home_and_metadata(prefix: str) -> Iterator[tuple[Path, str]]:
    """Make what an Airflow keeps: a folder, and a database on a server of its own.

    SQLite will not do: it has one writer at a time, and the API answers a request that waited for another with an
    error.
    """
    home = Path(tempfile.mkdtemp(prefix=prefix))
    try:
        with running(wheel_binaries(WHEELS["pg18"])) as cluster:
            yield home, metadata_in(cluster)
    finally:
        shutil.rmtree(home, ignore_errors=True)


@contextlib.contextmanager
def standalone(environment: Mapping[str, str] | None = None) -> Iterator[Standalone]:
    """Start an Airflow, and remove everything of it in the end."""
    with home_and_metadata("seqfix-standalone-") as (home, metadata):
        airflow = Standalone(home, metadata, environment)
        try:
            airflow.start()
            yield airflow
        finally:
            airflow.stop()
