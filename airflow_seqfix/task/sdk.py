"""The names of Airflow that are used here, wherever this Airflow has them.

`airflow.providers.common.compat.sdk` is Airflow's own table of them. It came with common-compat 1.8 and has all of them
from 1.12 on; the official constraints of Airflow 3.0 to 3.1.6 pin older releases.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from airflow.providers.common.compat.sdk import (
        AirflowFailException,
        AirflowNotFoundException,
        AirflowSensorTimeout,
        AirflowSkipException,
        Asset,
        BaseHook,
        BaseOperator,
        BaseOperatorLink,
        BaseSensorOperator,
        Context,
        ObjectStoragePath,
        PokeReturnValue,
        Stats,
        XCom,
        conf,
    )

__all__ = [
    "AirflowFailException",
    "AirflowNotFoundException",
    "AirflowSensorTimeout",
    "AirflowSkipException",
    "Asset",
    "BaseHook",
    "BaseOperator",
    "BaseOperatorLink",
    "BaseSensorOperator",
    "Context",
    "ObjectStoragePath",
    "PokeReturnValue",
    "Stats",
    "XCom",
    "conf",
]

#: Where a name is without that table, newest first: in Airflow 3.0 and 3.1, and in Airflow 2.
BEFORE = {
    "AirflowFailException": ["airflow.exceptions"],
    "AirflowNotFoundException": ["airflow.exceptions"],
    "AirflowSensorTimeout": ["airflow.exceptions"],
    "AirflowSkipException": ["airflow.exceptions"],
    "Asset": ["airflow.providers.common.compat.assets"],
    "BaseHook": ["airflow.sdk", "airflow.hooks.base"],
    "BaseOperator": ["airflow.sdk", "airflow.models.baseoperator"],
    "BaseOperatorLink": ["airflow.sdk", "airflow.models.baseoperatorlink"],
    "BaseSensorOperator": ["airflow.sdk", "airflow.sensors.base"],
    "ObjectStoragePath": ["airflow.sdk", "airflow.io.path"],
    "PokeReturnValue": ["airflow.sdk", "airflow.sensors.base"],
    "Stats": ["airflow.stats"],
    "XCom": ["airflow.sdk.execution_time.xcom", "airflow.models.xcom"],
    "conf": ["airflow.configuration"],
}


def __getattr__(name: str) -> Any:
    if name not in BEFORE:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    for home in ("airflow.providers.common.compat.sdk", *BEFORE[name]):
        try:
            return getattr(importlib.import_module(home), name)
        except (ImportError, AttributeError):
            continue
    raise ImportError(f"this Airflow has no {name}: looked in {', '.join(BEFORE[name])}")
