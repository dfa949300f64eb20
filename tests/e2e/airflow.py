"""The Airflow of the end-to-end tests: two users with passwords, the example DAGs, and a few of our own."""

from __future__ import annotations

import json
import os
import re
import secrets
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import httpx

from tests.support.cluster import free_port
from tests.support.standalone import BUSY, PATIENCE, Standalone, end

ROOT = Path(__file__).parents[2]
FINISHED = {"success", "failed"}


class Airflow(Standalone):
    """`airflow standalone` as somebody has set it up for others: they sign in, and the manual repair is ready."""

    def __init__(self, home: Path, metadata: str) -> None:
        self._triggerer: subprocess.Popen[bytes] | None = None
        self.passwords = {"admin": secrets.token_urlsafe(12), "guest": secrets.token_urlsafe(12)}
        passwords = home / "passwords.json"
        passwords.write_text(json.dumps(self.passwords))
        self.reports_port = free_port()
        self.reports = home / "reports"
        super().__init__(
            home,
            metadata,
            {
                **BUSY,
                "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_ALL_ADMINS": "False",
                "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE": str(passwords),
                "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_USERS": "admin:admin,guest:op",
                # Every file is there from the start.
                "AIRFLOW__DAG_PROCESSOR__MIN_FILE_PROCESS_INTERVAL": "3600",
                "AIRFLOW__DAG_PROCESSOR__REFRESH_INTERVAL": "300",
                "AIRFLOW__DATABASE__LOAD_DEFAULT_CONNECTIONS": "False",
            },
        )
        for folder in (ROOT / "example_dags", ROOT / "tests" / "e2e" / "dags"):
            shutil.copytree(folder, self.dags, dirs_exist_ok=True)
        self._set_up_the_manual_repair()

    def client(self, user: str = "admin") -> httpx.Client:
        """Return a client of the REST API, for one of the users."""
        headers = {"Authorization": f"Bearer {self._sign_in(user)}"}
        return httpx.Client(base_url=f"{self.url}/api/v2/", headers=headers, timeout=PATIENCE)

    def command(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "airflow", *arguments]
        return subprocess.run(command, env=self._environment, capture_output=True, text=True, timeout=PATIENCE)

    def run(self, api: httpx.Client, dag_id: str, **conf: Any) -> Run:
        """Trigger a DAG by REST."""
        asked = api.post(f"dags/{dag_id}/dagRuns", json={"logical_date": None, "conf": conf})
        asked.raise_for_status()
        return Run(self, api, dag_id, asked.json()["dag_run_id"])

    def restart_triggerer(self) -> None:
        """Kill the triggerer without a warning, and start another one."""
        self.kill_triggerer()
        self._triggerer = self._command("triggerer")

    def kill_triggerer(self) -> None:
        assert self._process is not None
        of_ours = ["pgrep", "--pgroup", str(self._process.pid), "--full", "triggerer"]
        for pid in subprocess.run(of_ours, capture_output=True, text=True).stdout.split():
            os.kill(int(pid), signal.SIGKILL)
        if self._triggerer is not None:
            end(self._triggerer)
            self._triggerer = None

    def stop(self) -> None:
        if self._process is not None:
            self.kill_triggerer()
        super().stop()

    def complaints(self) -> str:
        """Return what its log says about errors."""
        lines = self.log.read_text(errors="replace").splitlines()
        return "\n".join([line for line in lines if "[error" in line or "[warning" in line][-20:])

    def _get_token(self) -> str:
        return self._sign_in("admin")

    def _sign_in(self, user: str) -> str:
        said = {"username": user, "password": self.passwords[user]}
        asked = httpx.post(f"{self.url}/auth/token", json=said, timeout=PATIENCE)
        asked.raise_for_status()
        return str(asked.json()["access_token"])

    def _set_up_the_manual_repair(self) -> None:
        """Set the constants at the top of the example, as somebody does who has copied it."""
        path = self.dags / "example_seqfix_manual.py"
        text = path.read_text()
        for line, value in {
            "APPROVERS: list[dict[str, str]] = []": [{"id": "admin", "name": "admin"}],
            "MAY_SKIP_APPROVAL = False": True,
            "REPORTS: str | None = None": f"file://{self.reports}",
            "REPORTS_URL: str | None = None": f"http://127.0.0.1:{self.reports_port}",
        }.items():
            assert text.count(f"\n{line}\n") == 1, line
            text = text.replace(f"\n{line}\n", f"\n{re.split('[: ]', line)[0]} = {value!r}\n")
        path.write_text(text)
        # As it is before Airflow 3.1.
        older = text.replace(
            "from airflow.providers.standard.operators.hitl import ApprovalOperator", "raise ImportError"
        )
        assert older != text
        (self.dags / "e2e_manual_older.py").write_text(older.replace("example_seqfix_manual", "e2e_manual_older"))


class Run:
    """One DAG run, by REST."""

    def __init__(self, airflow: Airflow, api: httpx.Client, dag_id: str, run_id: str) -> None:
        self.airflow = airflow
        self.api = api
        self.dag_id = dag_id
        self.run_id = run_id
        self.path = f"dags/{dag_id}/dagRuns/{run_id}"

    @property
    def state(self) -> str:
        return str(self.get(self.path)["state"])

    def get(self, path: str, **parameters: Any) -> dict[str, Any]:
        answer = self.api.get(path, params=parameters)
        answer.raise_for_status()
        return dict(answer.json())

    def states(self) -> dict[str, str | None]:
        """Return the state of each task that was not skipped."""
        tasks = self.get(f"{self.path}/taskInstances")["task_instances"]
        return {task["task_id"]: task["state"] for task in tasks if task["state"] != "skipped"}

    def finish(self) -> str:
        """Wait for the end, and return how it ended."""
        self.airflow.wait(lambda: self.state in FINISHED)
        return self.state

    def wait_for(self, task_id: str, state: str) -> None:
        self.airflow.wait_for_state(self.dag_id, self.run_id, task_id, state)

    def result(self, task_id: str) -> Any:
        return self.get(f"{self.path}/taskInstances/{task_id}/xcomEntries/return_value", deserialize=True)["value"]

    def log(self, task_id: str) -> str:
        return json.dumps(self.get(f"{self.path}/taskInstances/{task_id}/logs/1", full_content=True)["content"])

    def question(self) -> str:
        """Wait until the task `approve` asks, and return the plan that it shows.

        The scheduler has to know that it does: an answer before that fails the task (Airflow 3.3.2), which a person is
        too slow for, and a test is not.
        """
        asks = "awaiting_input"
        self.airflow.wait(lambda: self.states().get("approve") == asks or self.state in FINISHED)
        assert self.state not in FINISHED, self.states()
        noted = f"TaskInstance Finished: dag_id={self.dag_id}, task_id=approve, run_id={self.run_id},"
        self.airflow.wait(lambda: noted in self.airflow.log.read_text(errors="replace"))
        return str(self.get(f"{self.path}/taskInstances/approve/-1/hitlDetails")["body"])

    def answer(self, option: str, api: httpx.Client | None = None) -> httpx.Response:
        answer = {"chosen_options": [option], "params_input": {}}
        return (api or self.api).patch(f"{self.path}/taskInstances/approve/-1/hitlDetails", json=answer)

    def mark(self, task_id: str, state: str) -> None:
        self.airflow.mark(self.dag_id, self.run_id, task_id, state)
