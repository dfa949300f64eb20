"""A real Airflow in a throw-away AIRFLOW_HOME, with the databases of the tests behind its connections."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

# Before the first import of airflow, which reads them once.
HOME = Path(tempfile.mkdtemp(prefix="seqfix-airflow-"))
os.environ.update(
    AIRFLOW_HOME=str(HOME),
    AIRFLOW__CORE__DAGS_FOLDER=str(Path(__file__).parents[2] / "example_dags"),
    AIRFLOW__CORE__LOAD_EXAMPLES="False",
    AIRFLOW__CORE__UNIT_TEST_MODE="False",
    AIRFLOW__DATABASE__SQL_ALCHEMY_CONN=f"sqlite:///{HOME / 'airflow.db'}",
    AIRFLOW__LOGGING__LOGGING_LEVEL="INFO",
)
