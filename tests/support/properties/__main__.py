"""Run the property tests on a server of its own, and show or write what they held: make properties"""

from __future__ import annotations

import argparse
import itertools
import platform
import shlex
import sys
import time
from collections import Counter
from pathlib import Path

from tests.support.properties.bench import Bench, run
from tests.support.properties.strategies import GOALS, KINDS, batches
from tests.support.servers import WHEELS, database_of_its_own

#: What each verdict is aimed at with.
AIMS = {
    "in_sync": "in_sync",
    "behind": "behind",
    "behind, outlier": "outlier",
    "exhausted": "exhausted",
    "skipped": "skipped",
}


PAGE = """\
# Random sequences against the oracle

`{command}` makes random sequences, columns, states, rows and policies.
The package and `tests/support/properties/oracle.py`, which reads every row and shares no code with it, judge each
sequence. Then the sequence is repaired, judged again, and gets default inserts. A disagreement ends the run with an
error; this run had none.

- PostgreSQL {server}, Python {python}, {minutes:.1f} minutes
- batches: {batches:,}; sequences: {sequences:,}
- moved: {moved}
- default inserts: {inserts}

{table}
"""

MOVES = {"advance": "by advance", "locked": "locked", "guarded": "guarded"}
#: What an insert says that gets no id, or one that its column cannot hold.
INSERTS = {"succeeded": "succeeded", "2200H": "failed as used up (2200H)", "22003": "beyond the column's type (22003)"}


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


def page(bench: Bench, server: str, minutes: float) -> str:
    return PAGE.format(
        command=f"python -m tests.support.properties {shlex.join(sys.argv[1:])}".partition(" --out")[0],
        server=server,
        python=platform.python_version(),
        minutes=minutes,
        batches=bench.batches,
        sequences=sum(bench.seen.values()),
        moved=counts(bench.moved, MOVES),
        inserts=counts(bench.inserts, INSERTS),
        table=table(bench.seen),
    )


def counts(found: Counter[str], names: dict[str, str]) -> str:
    """Return counts as text, what has a name first."""
    keys = [*names, *sorted(found.keys() - names)]
    return ", ".join(f"{found[key]:,} {names.get(key, key)}" for key in keys if found[key])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("examples", type=int, help="how many batches of up to six sequences")
    parser.add_argument(
        "--at-least", type=int, default=0, help="how many sequences of each verdict, direction and kind"
    )
    parser.add_argument("--server", choices=WHEELS, default="pg18")
    parser.add_argument("--out", type=Path, help="the file to write")
    arguments = parser.parse_args()
    started = time.monotonic()
    with database_of_its_own(arguments.server) as (db, version):
        bench = Bench(db)
        try:
            run_all(bench, arguments.examples, arguments.at_least)
            print(text := page(bench, version, minutes=(time.monotonic() - started) / 60))
        finally:
            bench.close()
    if arguments.out:
        arguments.out.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
