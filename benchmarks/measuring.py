"""How one competitor is measured beside others: in turns, on the same server and the same database."""

from __future__ import annotations

import contextlib
import functools
import json
import re
import statistics
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import psycopg
from psycopg import conninfo

from benchmarks.competitors import COMPETITORS, FIX
from benchmarks.database import ROWS, files, next_values, reset
from benchmarks.proxy import delayed
from tests.support.cluster import Cluster

RAILS = Path(__file__).with_name("rails.rb")
ACTIVE_RECORD, DJANGO, PGLOADER = "ActiveRecord", "Django", "pgloader"
#: What says its version, of those that may not be installed.
ASKED = {
    DJANGO: [sys.executable, "-c", "import django; print(django.__version__)"],
    ACTIVE_RECORD: ["ruby", "-e", "require 'active_record'; require 'pg'; puts ActiveRecord::VERSION::STRING"],
    PGLOADER: ["pgloader", "--version"],
}
#: How long one run may take, in seconds.
PATIENCE = 900
#: With how many sequences ActiveRecord is measured at most: it takes minutes with more.
ACTIVE_RECORD_UP_TO = 10_000
#: Who has run for so many seconds in all is not run again.
ENOUGH = 30
#: What a server and a traceback say besides the error itself.
ASIDE = ("HINT", "DETAIL", "CONTEXT", "LINE", "SQL statement", "PL/pgSQL", " ")


@dataclass
class Result:
    """What was seen of one competitor in one place."""

    seconds: list[float] = field(default_factory=list)
    error: str = ""
    memory: int = 0
    memory_before: int = 0
    counted: Counted | None = None

    @property
    def median(self) -> float | None:
        return statistics.median(self.seconds) if self.seconds else None


@dataclass
class Counted:
    """What is counted in a run that is not timed."""

    messages: int = 0
    wal: int = 0
    locks: int = 0
    sequence_records: int = 0
    new_files: int = 0
    moved_back: int = 0
    left_behind: int = 0


@functools.cache
def version(name: str) -> str:
    """Return the version of one of the others, or nothing where it is not installed."""
    try:
        done = subprocess.run(ASKED[name], capture_output=True, text=True)
    except FileNotFoundError:
        return ""
    found = re.search(r"[\d.]+\S*", done.stdout)
    return found[0].strip('"') if found and not done.returncode else ""


def able(work: str) -> list[str]:
    """Return who can do this, of those that are here."""
    names = [name for name, (works, _) in COMPETITORS.items() if work in works]
    names += [ACTIVE_RECORD] if work == FIX else []
    return [name for name in names if name not in ASKED or version(name)]


def run(work: str, name: str, dsn: str, result: Result) -> None:
    """Run once, in a process of its own."""
    try:
        done = subprocess.run(_command(work, name, dsn), capture_output=True, text=True, timeout=PATIENCE)
    except subprocess.TimeoutExpired:
        result.error = f"not done after {PATIENCE} s"
        return
    if done.returncode:
        lines = [line for line in done.stderr.splitlines() if line.strip() and not line.startswith(ASIDE)]
        result.error = (lines or ["ended"])[-1].split(": ", 1)[-1]
        return
    said = json.loads(done.stdout.splitlines()[-1])
    result.seconds.append(said["seconds"])
    result.memory = max(result.memory, said["memory"] * 1024)
    result.memory_before = said["memory_before"] * 1024


def in_turns(
    results: dict[str, Result], work: str, dsn: str, rounds: int, prepare: Callable[[], None] = lambda: None
) -> None:
    """Time each in turn, `rounds` times."""
    for _ in range(rounds):
        for name, result in results.items():
            if not result.error and sum(result.seconds) < ENOUGH:
                prepare()
                run(work, name, dsn, result)


def count(cluster: Cluster, dsn: str, sequences: int, work: str, name: str, result: Result) -> None:
    """Run once for what is counted and not timed."""
    result.counted = counted = Counted()
    files_before, before = files(dsn), next_values(dsn, sequences)
    given = conninfo.conninfo_to_dict(cluster.dsn)
    with delayed(str(given["host"]), cluster.port, 0.0) as line, _watched(cluster, dsn, counted):
        run(work, name, conninfo.make_conninfo(dsn, host=given["host"], port=line.port), result)
    result.seconds.clear()
    after = next_values(dsn, sequences)
    counted.messages = line.messages
    counted.new_files = sum(files_before[oid] != node for oid, node in files(dsn).items())
    counted.moved_back = sum(new < old for new, old in zip(after, before, strict=True))
    counted.left_behind = sum(value <= ROWS for value in after)


def compare(cluster: Cluster, dsn: str, sequences: int, work: str, mix: str, rounds: int) -> dict[str, Result]:
    """Measure all on a local socket."""
    patient = sequences <= ACTIVE_RECORD_UP_TO
    results = {name: Result() for name in able(work) if patient or name != ACTIVE_RECORD}
    prepare = functools.partial(reset, dsn, sequences, mix)
    prepare()
    for name, result in results.items():
        if work == FIX:
            prepare()
        count(cluster, dsn, sequences, work, name, result)
    in_turns(results, work, dsn, rounds, prepare if work == FIX else lambda: None)
    return results


@contextlib.contextmanager
def _watched(cluster: Cluster, dsn: str, counted: Counted) -> Iterator[None]:
    """Note the write-ahead log, and the locks, sampled every few milliseconds."""
    done = threading.Event()
    with psycopg.connect(dsn, autocommit=True) as conn:

        def sample() -> None:
            while not done.wait(0.002):
                row = conn.execute(
                    "SELECT count(*) FROM pg_locks WHERE locktype = 'relation' AND pid <> pg_backend_pid()"
                ).fetchone()
                counted.locks = max(counted.locks, row[0] if row else 0)

        def position() -> str:
            # A record with a commit behind it, so that what lies before it is on disk, and the range ends on a record.
            conn.execute("SELECT pg_logical_emit_message(true, '', '')")
            row = conn.execute("SELECT pg_current_wal_flush_lsn()").fetchone()
            return str(row[0]) if row else ""

        begun = position()
        sampler = threading.Thread(target=sample)
        sampler.start()
        try:
            yield
        finally:
            done.set()
            sampler.join()
            row = conn.execute("SELECT pg_current_wal_insert_lsn() - %s::pg_lsn", [begun]).fetchone()
            counted.wal = int(row[0]) if row else 0
            counted.sequence_records = len(cluster.sequence_records(begun, position()))


def _command(work: str, name: str, dsn: str) -> list[str]:
    if name != ACTIVE_RECORD:
        return [sys.executable, "-m", "benchmarks.competitors", work, name, dsn]
    given = conninfo.conninfo_to_dict(dsn)
    return ["ruby", str(RAILS), *(str(given[key]) for key in ("host", "port", "user", "dbname"))]
