"""psql, as a DBA runs it."""

from __future__ import annotations

import csv
import functools
import io
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from airflow_seqfix.sql import reset_sequences
from tests.support.cluster import wheel_binaries
from tests.support.servers import WHEELS

#: The first columns of the two result sets.
ROWS, SUMMARY = ["sequence", "columns"], ["database", "role"]


@dataclass(frozen=True, kw_only=True)
class Run:
    """What a run of the script came to."""

    status: int
    #: What is listed, by sequence.
    rows: dict[str, dict[str, Any]]
    summary: dict[str, str]
    stderr: str


@functools.cache
def program() -> Path:
    """Return the psql of a wheel: it speaks to every server."""
    return wheel_binaries(next(iter(WHEELS.values()))) / "psql"


def psql(dsn: str, *arguments: str, script: str = "") -> subprocess.CompletedProcess[str]:
    """Run psql with `script` on its standard input, if any."""
    done = subprocess.run(
        [program(), "-X", *arguments, "-d", dsn], input=script.encode(), capture_output=True, timeout=240
    )
    # Not in text mode: that takes a carriage return out of a name.
    return subprocess.CompletedProcess(done.args, done.returncode, done.stdout.decode(), done.stderr.decode())


@functools.cache
def reset_script() -> str:
    return reset_sequences()


def reset(dsn: str, *arguments: str, script: str | None = None, **variables: object) -> Run:
    """Run the script, or what was made of it, with psql's variables set."""
    given = [word for name, value in variables.items() for word in ("-v", f"{name}={value}")]
    done = psql(dsn, "--csv", *arguments, *given, "-f", "-", script=script or reset_script())
    rows: dict[str, dict[str, Any]] = {}
    summary: dict[str, str] = {}
    header: list[str] = []
    for line in csv.reader(io.StringIO(done.stdout, newline="")):
        if line[:2] in (ROWS, SUMMARY):
            header = line
        elif header[:2] == ROWS:
            rows[line[0]] = dict(zip(header, line, strict=True))
        else:
            summary = dict(zip(header, line, strict=True))
    return Run(status=done.returncode, rows=rows, summary=summary, stderr=done.stderr)


def patient(text: str) -> str:
    """Return a script or a plan that waits 20 s for a lock."""
    return text.replace("SET LOCAL lock_timeout = 100;", "SET LOCAL lock_timeout = 20000;").replace(
        "lock_timeout = 100'", "lock_timeout = 20000'"
    )
