"""The names of Airflow that tests use, wherever this Airflow has them."""

from airflow_seqfix.task.sdk import AirflowFailException, AirflowSensorTimeout, AirflowSkipException, Asset

try:
    from airflow.sdk import DAG, task
except ImportError:  # Airflow 2
    from airflow import DAG
    from airflow.decorators import task
try:
    from airflow.sdk.exceptions import ParamValidationError, TaskDeferred
except ImportError:  # before Airflow 3.2
    from airflow.exceptions import ParamValidationError, TaskDeferred

__all__ = [
    "DAG",
    "AirflowFailException",
    "AirflowSensorTimeout",
    "AirflowSkipException",
    "Asset",
    "ParamValidationError",
    "TaskDeferred",
    "task",
]
