"""The command, as a shell starts it."""

from __future__ import annotations

import os
import subprocess
import sys

#: Two tables, of which one has a sequence that is behind.
DRIFT = """
    CREATE TABLE orders (id serial PRIMARY KEY, note text);
    INSERT INTO orders (id) VALUES (1), (2), (3);
    CREATE TABLE customers (id serial PRIMARY KEY, note text);
"""


def seqfix(*arguments: str, stdin: str = "", **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "airflow_seqfix", *arguments],
        input=stdin,
        capture_output=True,
        text=True,
        env=os.environ | environment,
        timeout=120,
    )
