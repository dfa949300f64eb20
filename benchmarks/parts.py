"""The parts of the measurement: each makes one or more tables."""

from __future__ import annotations

import re
import sqlite3
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import psycopg
from psycopg import conninfo

from benchmarks import airflow_share
from benchmarks.competitors import CHECK, FIX, TIMEOUT
from benchmarks.database import LARGE, MIXES, ROWS, build, build_large, next_values, reset
from benchmarks.measuring import ENOUGH, PATIENCE, PGLOADER, Result, able, compare, in_turns, run, version
from benchmarks.page import FLOOR, Page, comparison, rows
from benchmarks.proxy import delayed
from tests.support.cluster import Cluster

#: How many sequences are measured at which added milliseconds per round trip, at least and at most.
DELAYS = {1: (300, 10_000), 10: (300, 1_000)}
#: With how many sequences pgloader is measured at most: it is one step of a load, and the load takes minutes.
PGLOADER_UP_TO = 1_000


@dataclass(frozen=True)
class Bench:
    """A server, what is wanted, and where it goes."""

    cluster: Cluster
    page: Page
    counts: list[int]
    given_rounds: int | None
    #: The databases that are there, by name.
    built: dict[str, str]

    def rounds(self, count: int = 0) -> int:
        return self.given_rounds or (5 if count < 10_000 else 3 if count < 100_000 else 1)

    def database(self, count: int) -> str:
        """Return a database with so many sequences, on a local socket."""
        return self.once(f"bench_{count}", lambda dsn: build(dsn, count))

    def once(self, name: str, build: Callable[[str], None]) -> str:
        if name not in self.built:
            with self.cluster.connect() as conn:
                conn.execute(f"CREATE DATABASE {name}")  # type: ignore[arg-type]
            self.built[name] = self.cluster.dsn_for(name, host=str(self.cluster.base))
            build(self.built[name])
        return self.built[name]


def check(bench: Bench) -> None:
    for count in bench.counts:
        dsn = bench.database(count)
        for mix in MIXES:
            found = compare(bench.cluster, dsn, count, CHECK, mix, bench.rounds(count))
            bench.page.put(CHECK, f"check, {count:,} sequences, {mix}", comparison(found))


def fix(bench: Bench) -> None:
    for count in bench.counts:
        dsn = bench.database(count)
        for mix in ("in sync", "all behind"):
            # What a repair does where there is nothing to repair is counted, and timed only where that is quick.
            rounds = bench.rounds(count) if mix == "all behind" or count < 10_000 else 1
            found = compare(bench.cluster, dsn, count, FIX, mix, rounds)
            bench.page.put(FIX, f"fix, {count:,} sequences, {mix}", comparison(found))


def distance(bench: Bench) -> None:
    """The same with a network in between. What fails without one is left out."""
    for milliseconds, (fewest, most) in DELAYS.items():
        for count in bench.counts:
            if not fewest <= count <= most:
                continue
            dsn = bench.database(count)
            with delayed("127.0.0.1", bench.cluster.port, milliseconds / 1000) as line:
                through = conninfo.make_conninfo(dsn, host="127.0.0.1", port=line.port)
                real = _round_trip(through) * 1000
                for work, mix in ((CHECK, "10 % behind"), (FIX, "all behind")):
                    results = {name: Result() for name in able(work) if name != "recipe in one transaction"}
                    in_turns(results, work, through, min(bench.rounds(count), 3), partial(reset, dsn, count, mix))
                    title = f"{work}, {count:,} sequences, {mix}, {milliseconds} ms added"
                    lines = [*comparison(results), "", f"A round trip took {real:.2f} ms."]
                    bench.page.put("distance", title, lines)


def memory(bench: Bench) -> None:
    """What one sequence more takes of the client's memory."""
    table = [["", "", *(f"{count:,} sequences" for count in bench.counts), "bytes for one more"]]
    for work in (CHECK, FIX):
        for name in ("seqfix", "seqfix, jobs=2", FLOOR):
            peaks = []
            for count in bench.counts:
                result = Result()
                reset(bench.database(count), count, "all behind")
                run(work, name, bench.database(count), result)
                assert not result.error, result.error
                peaks.append(result.memory)
            more = "-"
            if len(peaks) > 1:
                more = f"{(peaks[-1] - peaks[-2]) / (bench.counts[-1] - bench.counts[-2]):,.0f}"
            table.append([work, name, *(f"{peak / 1e6:.1f} MB" for peak in peaks), more])
    bench.page.put("memory", "Memory of the client, all behind", rows(table))


def large(bench: Bench) -> None:
    """One table of ten million rows: the cost is the table's, and not the sequence's."""
    dsn = bench.once("bench_large", build_large)
    for index in ("without an index", "with an index"):
        if index == "with an index":
            _do(dsn, "CREATE INDEX ON events (id)")
        found: dict[str, dict[str, Result]] = {}
        for column, work, behind in (
            ("check, in sync", CHECK, False),
            ("check, behind", CHECK, True),
            ("fix, behind", FIX, True),
        ):

            def prepare(behind: bool = behind) -> None:
                last = "1, false" if behind else f"{LARGE}, true"
                _do(dsn, f"SELECT setval('events_id_seq', {last})")

            names = able(work) + (able(TIMEOUT) if work == CHECK and index == "without an index" else [])
            found[column] = {name: Result() for name in names}
            for _ in range(bench.rounds()):
                for name, result in found[column].items():
                    prepare()
                    run(TIMEOUT if name in able(TIMEOUT) else work, name, dsn, result)
        names = list(dict.fromkeys(name for results in found.values() for name in results))
        table = [["", *(cell for column in found for cell in (f"{column}, seconds", "to the floor"))]]
        for name in names:
            cells = [cell for results in found.values() for cell in _cells(results, name)]
            table.append([name, *cells])
        bench.page.put("large", f"One table of {LARGE:,} rows, {index}", rows(table))


def pgloader(bench: Bench) -> None:
    """pgloader resets only after a load: it loads nothing here, and its own summary says what the step took."""
    if not version(PGLOADER):
        print("pgloader is not installed: apt-get install pgloader", flush=True)
        return
    for count in (count for count in bench.counts if count <= PGLOADER_UP_TO):
        dsn = bench.database(count)
        results = {name: Result() for name in ("seqfix", FLOOR, "pgloader, the step", "pgloader, all of it")}
        left: list[int] = []
        with tempfile.TemporaryDirectory() as folder:
            command = _pgloader_files(Path(folder), dsn, count)
            for _ in range(min(bench.rounds(count), 3)):
                if sum(results["pgloader, all of it"].seconds) > ENOUGH:
                    break
                for name in ("seqfix", FLOOR):
                    reset(dsn, count, "all behind")
                    run(FIX, name, dsn, results[name])
                reset(dsn, count, "all behind")
                begun = time.perf_counter()
                done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE)
                results["pgloader, all of it"].seconds.append(time.perf_counter() - begun)
                said = re.search(r"Reset Sequences .* (?:(\d+)m)?([\d.]+)s$", done.stdout, re.MULTILINE)
                if said is None:
                    results["pgloader, the step"].error = "it does not say"
                else:
                    results["pgloader, the step"].seconds.append(60 * int(said[1] or 0) + float(said[2]))
                left.append(sum(value <= ROWS for value in next_values(dsn, count)))
        lines = comparison(results)
        lines += ["", f"After pgloader {statistics.median_high(left):,} of the {count:,} sequences are still behind."]
        bench.page.put("pgloader", f"pgloader, {count:,} sequences, all behind", lines)


def airflow(bench: Bench) -> None:
    airflow_share.parse_cost(bench.page, bench.rounds())
    airflow_share.import_time(bench.page, bench.rounds())
    airflow_share.xcom_size(bench.page, bench.database, bench.counts)


def running(bench: Bench) -> None:
    airflow_share.in_a_running_airflow(bench.page, bench.cluster, bench.rounds())


#: By the name that `--only` takes, in the order of the page.
PARTS: dict[str, Callable[[Bench], None]] = {
    "check": check,
    "fix": fix,
    "distance": distance,
    "memory": memory,
    "large": large,
    "pgloader": pgloader,
    "airflow": airflow,
    "running": running,
}


def _round_trip(dsn: str) -> float:
    """Return the median time of a round trip, in seconds."""
    times = []
    with psycopg.connect(dsn, autocommit=True, prepare_threshold=None) as conn:
        for _ in range(50):
            begun = time.perf_counter()
            conn.execute("SELECT 1")
            times.append(time.perf_counter() - begun)
    return statistics.median(times)


def _do(dsn: str, statement: str) -> None:
    with psycopg.connect(dsn, autocommit=True) as conn:
        conn.execute(statement)  # type: ignore[call-overload]


def _cells(results: dict[str, Result], name: str) -> list[str]:
    result, floor = results.get(name), results[FLOOR].median
    if result is None:
        return ["-", "-"]
    if result.median is None:
        return [f"failed: {result.error}", "-"]
    return [f"{result.median:.3f}", f"{result.median / floor:.2f}" if floor else "-"]


def _pgloader_files(folder: Path, dsn: str, count: int) -> list[str]:
    """Write what pgloader is given, tables of the same names without rows, and return how it is called."""
    source = folder / "empty.db"
    with sqlite3.connect(source) as conn:
        for number in range(1, count + 1):
            conn.execute(f"CREATE TABLE t{number} (id integer PRIMARY KEY, k integer)")
    conn.close()
    given = conninfo.conninfo_to_dict(dsn)
    target = f"postgresql://{given['user']}@127.0.0.1:{given['port']}/{given['dbname']}"
    script = folder / "script.load"
    script.write_text(
        f"LOAD DATABASE FROM sqlite://{source} INTO {target}\n"
        "WITH data only, reset sequences, include no drop, create no tables, create no indexes;\n"
    )
    return ["pgloader", "--root-dir", str(folder / "root"), str(script)]
