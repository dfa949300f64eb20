"""The long run: every way, every role and the popular recipes under the same traffic, as a table.

python -m tests.stress.run --seconds 50 --out docs/proof/stress.md
"""

from __future__ import annotations

import argparse
import os
import platform
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import psycopg

from airflow_seqfix.core.policy import Limits
from tests.stress.loads import NOBODY, OURS, THEIRS, Load
from tests.stress.traffic import Result, run
from tests.support.cluster import running, wheel_binaries
from tests.support.servers import WHEELS, Server, database_on

#: For how long one writer stays idle inside its transactions, in seconds.
IDLE = 0.5
#: One gap of this size for each way that has to pass it with nextval().
LARGEST = 10_000_000

PAGE = """\
# Repairs under live traffic

What happens to ids and writers while sequences are repaired without a pause. Every id that `nextval()` returns to any
session is recorded; an id returned twice means that the sequence was set back.

Made with `{command}` on PostgreSQL {version}, {cores} cores, Python {python}.

The traffic is the same in every row:

- two writers with default inserts of 1 to 40 rows;
- two applications that draw 1 to 100 ids with `nextval()` in a transaction and insert some of them;
- one writer of explicit ids just above the current position, whenever a table is not behind;
- one reader of the sequences;
- two processes that repair without a pause.

Half of the tables have a serial column, half an identity column. A move counts only if no writer ever drew its target.
*Went back* counts the times that one session saw a value lower than its last one; the true number is higher. Waits are
those of writers for their statements, in milliseconds, scheduling delays included.

## This package

| way, role | CACHE | ids issued | issued twice | went back | repairs run | moves | gaps | wait p50 | p99 | max |
|---|---|---:|---:|---:|---:|---:|---:|---:|---:|---:|
{ours}

Only an owner can lock a sequence. Roles with UPDATE or USAGE ran with the same options, and fell back to `nextval()`.

## While the catalogs change

The same, with one more session that runs a piece of DDL up to a few times a second: the names of two sequences, or of
two schemas, swapped; a table moved to another schema, renamed and back, with another column, another owner and back;
one more table that draws; other bounds of a sequence; a grant; a storage option. *Refused* counts verdicts `unknown`
and moves not made because something had changed; a later run repairs those. The sessions address sequences by OID.

| way, role | DDL | ids issued | issued twice | went back | repairs run | moves | refused | wait p50 | p99 | max |
|---|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|
{changing}

## Popular recipes, and no repair at all

| statement | ids issued | issued twice | went back | repairs run | moves | reads that failed | wait p50 | p99 | max |
|---|---:|---:|---:|---:|---:|---:|---:|---:|---:|
{theirs}

All with CACHE 1 (nobody: also 50). *Reads that failed*: a plain `SELECT … FROM sequence` in another session that
returned no row, or XX001.

## Beside a transaction that stays open

One more writer repeatedly calls `nextval()` and keeps its transaction open for {idle:g} s; one process repairs. The
lock is not available meanwhile, and later callers queue behind the request. So the longest wait must stay near
`lock_timeout`, {lock_timeout:g} ms.

| statement | ids issued | issued twice | went back | moves | lock not had | wait p50 | p99 | max |
|---|---:|---:|---:|---:|---:|---:|---:|---:|
{stalls}
"""


def waits(result: Result) -> str:
    return f"{result.p50:.1f} | {result.p99:.1f} | {result.longest:.0f} |"


def our_row(result: Result) -> str:
    caches = ", ".join(map(str, result.load.caches))
    return (
        f"| {result.load.name} | {caches} | {result.issued:,} | {result.twice:,} | {result.backward:,} "
        f"| {result.runs:,} | {result.moves:,} | {result.gaps[0]:,} to {result.gaps[1]:,} | {waits(result)}"
    )


def changing_row(result: Result) -> str:
    return (
        f"| {result.load.name} | {result.changes:,} | {result.issued:,} | {result.twice:,} | {result.backward:,} "
        f"| {result.runs:,} | {result.moves:,} | {result.refused:,} | {waits(result)}"
    )


def their_row(result: Result) -> str:
    return (
        f"| {told(result.load)} | {result.issued:,} | {result.twice:,} | {result.backward:,} | {result.runs:,} "
        f"| {result.moves:,} | {result.unreadable:,} | {waits(result)}"
    )


def stall_row(result: Result) -> str:
    return (
        f"| {told(result.load)} | {result.issued:,} | {result.twice:,} | {result.backward:,} "
        f"| {result.moves:,} | {result.busy:,} | {waits(result)}"
    )


def told(load: Load) -> str:
    return f"`{load.name}`" if load.recipe else load.name


def totals(results: list[Result]) -> Iterator[str]:
    """Return a row for each way that several roles took."""
    for way in dict.fromkeys(r.load.name.split(",")[0] for r in results):
        same = [result for result in results if result.load.name.split(",")[0] == way]
        yield f"{way}: {sum(r.issued for r in same):,} ids issued, {sum(r.moves for r in same):,} moves"


def promises_broken(ours: list[Result], theirs: list[Result]) -> Iterator[str]:
    for result in ours:
        if result.twice or result.backward or result.unreadable:
            yield f"{result.load.name}: ids issued twice, a step back, or a reader that failed"
    for result in theirs:
        if not result.twice:
            yield f"{result.load.name}: no id issued twice, so this run could not have seen one"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=50, help="how long each way and recipe runs at least")
    parser.add_argument("--ids", type=int, default=1_000_000, help="how many ids each way issues at least")
    parser.add_argument("--moves", type=int, default=1_000, help="how many moves each way and role makes at least")
    parser.add_argument("--out", type=Path, help="the file to write")
    arguments = parser.parse_args()
    seconds = arguments.seconds

    with running(wheel_binaries(WHEELS["pg18"])) as cluster:
        with psycopg.connect(cluster.dsn) as conn:
            server = Server(cluster.dsn, conn.info.server_version, cluster)
            version = conn.execute("SHOW server_version").fetchone()[0]

        def measure(load: Load, **goals: float) -> Result:
            with database_on(server) as db:
                result = run(db, load, **{"ids": 0, "moves": 0, "at_most": 6 * seconds, **goals})
            print(f"{result.seconds:5.0f} s {result.load.name}: {result}", file=sys.stderr, flush=True)
            return result

        ours = [
            measure(load, seconds=seconds, ids=arguments.ids, moves=1.1 * arguments.moves, once=LARGEST)
            for load in OURS.values()
        ]
        changing = [measure(replace(load, ddl=True), seconds=seconds) for load in OURS.values()]
        nobody = measure(NOBODY, seconds=seconds / 5)
        theirs = [measure(load, seconds=seconds) for load in THEIRS.values()]
        idlers = [NOBODY, *list(OURS.values())[-2:], list(THEIRS.values())[-1]]
        stalls = [
            measure(replace(load, idle=IDLE, repairers=min(1, load.repairers)), seconds=seconds / 5) for load in idlers
        ]

    command = f"python -m tests.stress.run --seconds {seconds:g} --out docs/proof/stress.md"
    page = PAGE.format(
        command=command,
        version=version,
        cores=os.cpu_count(),
        python=platform.python_version(),
        ours="\n".join(map(our_row, ours)),
        changing="\n".join(map(changing_row, changing)),
        theirs="\n".join(map(their_row, [nobody, *theirs])),
        stalls="\n".join(map(stall_row, stalls)),
        idle=IDLE,
        lock_timeout=1000 * Limits().lock_timeout,
    )
    print(page)
    print("\n".join(totals(ours)))
    if arguments.out:
        arguments.out.write_text(page)
    broken = list(promises_broken(ours + changing + stalls[:-1] + [nobody], theirs))
    sys.exit("\n".join(broken) or None)


if __name__ == "__main__":
    main()
