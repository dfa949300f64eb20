"""Runs the property tests on a server of its own and prints what they held: `python -m tests.property_run 5000`."""

from __future__ import annotations

import argparse
import itertools
import platform
import time
from collections import Counter

import psycopg

from tests.bench import Bench
from tests.cluster import running, wheel_binaries
from tests.conftest import WHEELS, Server, database_on
from tests.core.test_properties import run
from tests.strategies import GOALS, KINDS, batches

VERDICTS = ("in_sync", "behind", "behind, outlier", "exhausted", "skipped")


def table(seen: Counter[tuple[str, str, str]]) -> str:
    """Return the counts as Markdown, a row for each verdict and direction."""
    kinds = [*KINDS, "text"]
    lines = [f"| verdict | direction | {' | '.join(kinds)} |", "|---|---|" + "---:|" * len(kinds)]
    for verdict in VERDICTS:
        for direction in ("ascending", "descending"):
            counts = " | ".join(f"{seen[verdict, direction, kind]:,}" for kind in kinds)
            lines.append(f"| {verdict} | {direction} | {counts} |")
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("examples", type=int, help="how many batches of up to six sequences")
    parser.add_argument("--server", choices=WHEELS, default="pg18")
    arguments = parser.parse_args()
    started = time.monotonic()
    with running(wheel_binaries(WHEELS[arguments.server])) as cluster:
        with psycopg.connect(cluster.dsn) as conn:
            server = Server(cluster.dsn, conn.info.server_version, cluster)
            version = conn.execute("SHOW server_version").fetchone()[0]
        with database_on(server) as db:
            bench = Bench(db)
            try:
                # Each corner gets its share, so that none is left to chance.
                corners = list(itertools.product(GOALS, KINDS, (True, False)))
                for goal, kind, upward in corners:
                    run(bench, -(-arguments.examples // len(corners)), batches(goal, (kind,), (upward,)))
            finally:
                minutes = (time.monotonic() - started) / 60
                print(f"PostgreSQL {version}, Python {platform.python_version()}, {minutes:.1f} minutes")
                print(f"batches: {bench.batches:,}; sequences: {sum(bench.seen.values()):,}")
                print(f"moved: {dict(bench.moved)}; default inserts: {dict(bench.inserts)}\n\n{table(bench.seen)}")
                bench.close()


if __name__ == "__main__":
    main()
