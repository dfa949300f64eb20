"""What is measured in a process of its own that runs Airflow. Prints JSON.

python -m benchmarks.airflow_process parse FILE
python -m benchmarks.airflow_process imports MODULE
python -m benchmarks.airflow_process xcoms
"""

from __future__ import annotations

import contextlib
import gc
import importlib
import json
import sys
import time
from pathlib import Path
from typing import Any


def parse(file: str) -> dict[str, float]:
    """Parse a file as Airflow's DAG processor does, once as it is started and once more as it is forked for each parse.

    The processor imports what the file needs of `airflow.*` before it forks, and keeps it. All else a fork imports
    anew.
    """
    import structlog
    from airflow.dag_processing import processor
    from airflow.dag_processing.dagbag import BundleDagBag

    log = structlog.get_logger()

    def parsed() -> None:
        bag = BundleDagBag(dag_folder=file, bundle_path=Path(file).parent, bundle_name="bench", load_op_links=False)
        dags, errors = processor._serialize_dags(bag, log)
        assert dags and not errors and not bag.import_errors, bag.import_errors

    # A collection takes up to a tenth of a second, and falls on whoever happens to be running.
    gc.disable()
    begun = time.perf_counter()
    processor._pre_import_airflow_modules(file, log)
    imported = time.perf_counter()
    parsed()
    return {"first": time.perf_counter() - begun, "each": time.perf_counter() - imported}


def imports(module: str) -> dict[str, float]:
    """Import `airflow.sdk`, and a module after it."""
    begun = time.perf_counter()
    import airflow.sdk

    # Airflow loads its parts when they are asked for; whoever writes a DAG asks for these.
    assert airflow.sdk.DAG and airflow.sdk.BaseOperator
    alone = time.perf_counter()
    importlib.import_module(module)
    return {"sdk": alone - begun, "module": time.perf_counter() - alone}


class Pushed:
    """Stands where the task instance stands, for what is pushed when a task runs outside Airflow."""

    dag_id, task_id, run_id = "bench", "bench", "bench"

    def __init__(self) -> None:
        self.xcoms: dict[str, Any] = {}

    def xcom_push(self, key: str, value: Any) -> None:
        self.xcoms[key] = value


def xcoms() -> dict[str, int]:
    """Return how many bytes of JSON the XComs have, of a check and of a repair after it."""
    from airflow.sdk.bases.xcom import BaseXCom

    from airflow_seqfix.operators import postgres
    from airflow_seqfix.task.sdk import AirflowFailException

    sizes: dict[str, int] = {}
    for name in ("Check", "Reset"):
        operator = getattr(postgres, f"PostgresSequence{name}Operator")
        task = operator(task_id="bench", conn_id="bench")
        pushed = Pushed()
        # A check fails where something is behind, and has pushed its report by then.
        with contextlib.suppress(AirflowFailException):
            pushed.xcom_push("return_value", task.execute({"ti": pushed}))
        for key, value in pushed.xcoms.items():
            sizes[f"{name} {key}"] = len(json.dumps(BaseXCom.serialize_value(value)).encode())
    return sizes


if __name__ == "__main__":
    work, *given = sys.argv[1:]
    print(json.dumps({"parse": parse, "imports": imports, "xcoms": xcoms}[work](*given)))
