"""What a task of ours costs Airflow, beside one of Airflow's own; and what is won where tasks run side by side."""

from __future__ import annotations

import json
import os
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
from collections import defaultdict
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

from psycopg import conninfo

from benchmarks.database import MIXES, build, reset
from benchmarks.page import Page, rows
from tests.support.cluster import Cluster
from tests.support.standalone import Standalone, standalone

DAGS = Path(__file__).with_name("dags")
#: What is imported beside `airflow.sdk`.
MODULES = (
    "airflow.providers.common.sql.operators.sql",
    "airflow.providers.postgres.hooks.postgres",
    "airflow_seqfix.operators.postgres",
    "airflow_seqfix.sensors.postgres",
)
#: Which file is parsed, by what its two tasks are.
FILES = {
    "EmptyOperator": "bench_empty.py",
    "SQLExecuteQueryOperator": "bench_sql.py",
    "our operator and sensor": "bench_seqfix.py",
}
#: How many sequences each database of the fleet has.
FLEET_SEQUENCES = 3000
#: Which DAG is run on the fleet, by how.
FLEET = {
    "one after the other": "bench_fleet_in_turn",
    "one after the other, jobs=2": "bench_fleet_in_turn_jobs_2",
    "at the same time": "bench_fleet_together",
}
_STATEMENT = re.compile(r"LOG:  (statement|execute \S+): ")
#: So that the server's log says when each statement came: seconds since 1970, and the database.
LOGGED = {"log_min_messages": "log", "log_statement": "all", "log_line_prefix": "%n,%d,"}


def parse_cost(page: Page, rounds: int) -> None:
    with tempfile.TemporaryDirectory() as home:
        found: dict[str, dict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
        for number in range(rounds + 1):
            for name, file in FILES.items():
                said = _child(Path(home), {}, "parse", str(DAGS / file))
                # The first time everything is compiled.
                for kind in said if number else ():
                    found[name][kind].append(said[kind] * 1000)
    table = [["two tasks", "first parse, ms", "ratio", "each further parse, ms", "ratio"]]
    yardstick = found["SQLExecuteQueryOperator"]
    for name, times in found.items():
        cells = []
        for kind in ("first", "each"):
            median = statistics.median(times[kind])
            cells += [_times(times[kind]), f"{median / statistics.median(yardstick[kind]):.2f}"]
        table.append([name, *cells])
    page.put("airflow", "Parsing a DAG file", rows(table))


def import_time(page: Page, rounds: int) -> None:
    with tempfile.TemporaryDirectory() as home:
        found: dict[str, list[float]] = defaultdict(list)
        for number in range(rounds + 1):
            for module in MODULES:
                said = _child(Path(home), {}, "imports", module)
                if number:
                    found["airflow.sdk"].append(said["sdk"] * 1000)
                    found[module].append(said["module"] * 1000)
    table = [["module", "ms"], *([f"`{module}`", _times(times)] for module, times in found.items())]
    page.put("airflow", "Importing", rows(table))


def xcom_size(page: Page, dsn_of: Callable[[int], str], counts: list[int]) -> None:
    table = [["sequences", "", "check, bytes", "repair, bytes"]]
    with tempfile.TemporaryDirectory() as home:
        for count in counts:
            dsn = dsn_of(count)
            for mix in MIXES:
                reset(dsn, count, mix)
                said = _child(Path(home), {"AIRFLOW_CONN_BENCH": _uri(dsn)}, "xcoms")
                sums = [sum(size for key, size in said.items() if key.startswith(work)) for work in ("Check", "Reset")]
                table.append([f"{count:,}", mix, *(f"{size:,}" for size in sums)])
    page.put("airflow", "XCom", rows(table))


def in_a_running_airflow(page: Page, cluster: Cluster, rounds: int, sequences: int = FLEET_SEQUENCES) -> None:
    """Measure what only tasks show that an executor starts: `airflow standalone`, with processes of its own."""
    for name in ("fleet_1", "fleet_2", "start"):
        with cluster.connect() as conn:
            conn.execute(f"CREATE DATABASE {name}")  # type: ignore[arg-type]
        build(cluster.dsn_for(name), 1 if name == "start" else sequences)
    environment = {
        "AIRFLOW_CONN_BENCH": _uri(cluster.dsn_for("start")),
        "AIRFLOW__WORKERS__EXECUTION_API_TIMEOUT": "60",
        "PYTHONDONTWRITEBYTECODE": "",
    }
    with standalone(environment) as airflow:
        shutil.copytree(DAGS, airflow.dags, dirs_exist_ok=True)
        _first_statement(page, cluster, airflow, rounds)
        _fleet(page, cluster, airflow, sequences, min(rounds, 3))


def _first_statement(page: Page, cluster: Cluster, airflow: Standalone, rounds: int) -> None:
    found: dict[str, list[float]] = defaultdict(list)
    for number in range(rounds + 1):
        for dag_id in ("bench_sql", "bench_seqfix"):
            tasks = _run(airflow, dag_id)
            # The first time everything is loaded from the disk.
            for task in tasks if number else ():
                begun = _seconds(task["start_date"])
                first = min(second for second in _statements(cluster, "start") if second >= begun)
                found[f"`{dag_id}.{task['task_id']}`"].append((first - begun) * 1000)
    table = [["task", "ms to the first statement"], *([name, _times(times)] for name, times in found.items())]
    page.put("airflow", "From the start of a task to its first statement", rows(table))


def _fleet(page: Page, cluster: Cluster, airflow: Standalone, sequences: int, rounds: int) -> None:
    found: dict[str, list[float]] = defaultdict(list)
    longest: dict[str, list[float]] = defaultdict(list)
    for _ in range(rounds):
        for name, dag_id in FLEET.items():
            for database in ("fleet_1", "fleet_2"):
                reset(cluster.dsn_for(database), sequences, "all behind")
            tasks = _run(airflow, dag_id)
            starts, ends = ([_seconds(task[key]) for task in tasks] for key in ("start_date", "end_date"))
            found[name].append(max(ends) - min(starts))
            longest[name].append(max(end - start for start, end in zip(starts, ends, strict=True)))
    yardstick = statistics.median(next(iter(found.values())))
    table = [["", "seconds in all", "ratio", "seconds of the longer task"]]
    for name, times in found.items():
        seconds = _times(times, digits=1)
        table.append([name, seconds, f"{statistics.median(times) / yardstick:.2f}", _times(longest[name], digits=1)])
    page.put("fleet", f"Repair of two databases of {sequences:,} sequences each, all behind", rows(table))


def _run(airflow: Standalone, dag_id: str) -> list[dict[str, Any]]:
    """Run a DAG, and return its task instances in the order in which they started."""
    run_id = airflow.trigger(dag_id)
    run = f"dags/{dag_id}/dagRuns/{run_id}"
    airflow.wait(lambda: airflow.call("GET", run)["state"] in ("success", "failed"))
    tasks = airflow.call("GET", f"{run}/taskInstances")["task_instances"]
    assert all(task["state"] == "success" for task in tasks), tasks
    return sorted(tasks, key=lambda task: str(task["start_date"]))


def _statements(cluster: Cluster, database: str) -> list[float]:
    """Return when the server was given each statement for a database, in seconds since 1970."""
    lines = [line.split(",", 2) for line in (cluster.base / "log").read_text(errors="replace").splitlines()]
    return [float(line[0]) for line in lines if len(line) == 3 and line[1] == database and _STATEMENT.search(line[2])]


def _seconds(date: str) -> float:
    return datetime.fromisoformat(date).timestamp()


def _times(values: list[float], digits: int = 0) -> str:
    low, middle, high = min(values), statistics.median(values), max(values)
    return f"{middle:.{digits}f} ({low:.{digits}f} to {high:.{digits}f}, {len(values)} runs)"


def _uri(dsn: str) -> str:
    """Return a database as Airflow writes a connection."""
    given = conninfo.conninfo_to_dict(dsn)
    return f"postgres://{given['user']}@127.0.0.1:{given['port']}/{given['dbname']}"


def _child(home: Path, environment: dict[str, str], *command: str) -> dict[str, Any]:
    """Run a part in a process of its own, in an Airflow of its own."""
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.airflow_process", *command],
        env={
            **os.environ,
            "AIRFLOW_HOME": str(home),
            "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
            # Compiled once, in a place that goes away.
            "PYTHONDONTWRITEBYTECODE": "",
            "PYTHONPYCACHEPREFIX": str(home / "compiled"),
            **environment,
        },
        capture_output=True,
        text=True,
    )
    if done.returncode:
        raise RuntimeError(done.stderr)
    said: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return said
