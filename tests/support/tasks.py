"""Operators and sensors outside Airflow's own run of them, and tables for them to look at."""

from __future__ import annotations

from typing import Any

DRIFT = """
    CREATE TABLE orders (id serial PRIMARY KEY, note text);
    INSERT INTO orders (id) SELECT generate_series(1, 100);
    CREATE TABLE customers (id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY, note text);
    INSERT INTO customers (id) OVERRIDING SYSTEM VALUE VALUES (7);
    CREATE TABLE fine (id serial PRIMARY KEY, note text);
"""

MANY = """
    DO $$ BEGIN FOR n IN 1..60 LOOP
        EXECUTE format('CREATE TABLE t%s (id serial); INSERT INTO t%s (id) VALUES (5)', n, n);
    END LOOP; END $$
"""


class Pushed:
    """Stands where the task instance stands, for what is pushed when a task runs outside Airflow."""

    dag_id, task_id, run_id = "dag", "task", "run"

    def __init__(self) -> None:
        self.xcoms: dict[str, Any] = {}

    def xcom_push(self, key: str, value: Any) -> None:
        self.xcoms[key] = value


def flat(text: str) -> str:
    """Return text as one line."""
    return " ".join(text.split())


def operator(**arguments: Any) -> Any:
    from airflow_seqfix.operators.postgres import PostgresSequenceResetOperator

    return PostgresSequenceResetOperator(task_id="reset", conn_id="shop", **arguments)


def sensor(**arguments: Any) -> Any:
    from airflow_seqfix.sensors.postgres import PostgresSequenceDriftSensor

    return PostgresSequenceDriftSensor(task_id="gate", conn_id="shop", **arguments)
