"""A whole Airflow with Celery: two workers, and a Redis between them and the scheduler."""

from __future__ import annotations

import secrets
import shutil
import subprocess
from pathlib import Path

from tests.support.cluster import free_port
from tests.support.standalone import BUSY, Standalone, end

#: What is started beside the workers.
COMPONENTS = ("api-server", "scheduler", "dag-processor", "triggerer")


class WithCelery(Standalone):
    """Each component a process of its own, as on several machines: `airflow standalone` knows no Celery."""

    def __init__(self, home: Path, metadata: str) -> None:
        self._broker = free_port()
        #: The log of each worker.
        self.workers = {name: home / f"{name}.log" for name in ("one", "two")}
        self._processes: list[subprocess.Popen[bytes]] = []
        broker = f"redis://127.0.0.1:{self._broker}"
        super().__init__(
            home,
            metadata,
            {
                **BUSY,
                "AIRFLOW__API_AUTH__JWT_SECRET": secrets.token_urlsafe(32),
                "AIRFLOW__CELERY__BROKER_URL": f"{broker}/0",
                "AIRFLOW__CELERY__RESULT_BACKEND": f"{broker}/1",
                "AIRFLOW__CELERY__WORKER_CONCURRENCY": "2",
                "AIRFLOW__CORE__EXECUTOR": "CeleryExecutor",
            },
        )

    def start(self) -> None:
        server = shutil.which("redis-server")
        if server is None:
            raise RuntimeError("redis-server is not installed: apt-get install redis-server")
        options = ("--bind", "127.0.0.1", "--port", str(self._broker), "--save", "", "--appendonly", "no")
        redis = subprocess.Popen([server, *options], stdout=subprocess.DEVNULL, start_new_session=True)
        self._processes.append(redis)
        assert self._command("db", "migrate").wait() == 0, self.log.read_text()
        self._processes += [self._command(component) for component in COMPONENTS]
        for name, log in self.workers.items():
            own = ("--celery-hostname", f"{name}@seqfix", "--pid", str(log.with_suffix(".pid")))
            # A log server would take the port that the other one has.
            self._processes.append(self._command("celery", "worker", *own, "--skip-serve-logs", log=log))
        self.wait(self._is_healthy)
        self.wait(lambda: all(" ready." in log.read_text() for log in self.workers.values()))

    def stop(self) -> None:
        for process in reversed(self._processes):
            end(process)
