"""The whole matrix, and its page: python -m tests.interleavings --out docs/proof/interleavings.md"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psycopg

from tests.interleavings.matrix import DDL, FACES, Case, run
from tests.support.cluster import running, wheel_binaries
from tests.support.servers import WHEELS, Server, database_on

PAGE = """\
# DDL in the middle of a run

What happens when others change the catalogs between any two statements of a run. A proxy stops the run before one of
its statements, executes a piece of DDL on another connection, and lets the run go on. Then the database is examined: no
sequence went back, no sequence that was healthy after the DDL was moved, and wherever the report says in sync, the next
default insert succeeds.

Made with `{command}`: {versions}; {cases:,} runs in {seconds:,.0f} s, {blocked:,} of them with DDL
that had to wait for a lock of the run and was given up. Failures: {failures}.

| piece of DDL | {faces} |
|---|{lines}
{rows}

Each cell has the number of runs on all servers together, one for each statement of the face, and after the slash how
many failed. A block of a plan or of the script is one statement, which the proxy cannot stop; locks stop it in
`tests/core/test_ddl_moves.py` and `tests/core/test_ddl_reads.py`.
"""


def servers() -> dict[str, Path]:
    named = os.environ.get("SEQFIX_TEST_SERVERS")
    if named:
        return {label: Path(folder) for label, folder in (entry.split("=", 1) for entry in named.split(","))}
    return {label: wheel_binaries(package) for label, package in WHEELS.items()}


#: A run waits more than it works.
AT_ONCE = 4


def all_cases(server: Server, ddl: list[str], every: int, tell: Callable[[Case], None]) -> list[Case]:
    def ran(case: Case) -> Case:
        with database_on(server) as db:
            run(db, case)
        tell(case)
        return case

    cases = []
    for face in FACES:
        statements = ran(Case(face, ddl[0], None)).statements
        cases += [Case(face, name, stop) for name in ddl for stop in range(0, statements, every)]
    with ThreadPoolExecutor(AT_ONCE) as pool:
        return list(pool.map(ran, cases))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--every", type=int, default=1, help="stop before every n-th statement only")
    parser.add_argument("--ddl", nargs="*", default=list(DDL), help="only these pieces")
    parser.add_argument("--out", type=Path, help="the file to write")
    arguments = parser.parse_args()

    def tell(case: Case) -> None:
        for failure in case.failures:
            print(f"{case.face}, {case.ddl}, before statement {case.stop}: {failure}", file=sys.stderr, flush=True)

    begun, cases, versions = time.monotonic(), [], []
    for binaries in servers().values():
        with running(binaries) as cluster:
            with psycopg.connect(cluster.dsn) as conn:
                server = Server(cluster.dsn, conn.info.server_version, cluster)
                versions.append(f"PostgreSQL {conn.info.parameter_status('server_version')}")
            cases += all_cases(server, arguments.ddl, arguments.every, tell)
    rows = []
    for name in arguments.ddl:
        cells = []
        for face in FACES:
            same = [case for case in cases if (case.ddl, case.face) == (name, face)]
            failed = sum(bool(case.failures) for case in same)
            cells.append(f"{len(same)} / {failed}")
        rows.append(f"| {name} | {' | '.join(cells)} |")
    words = ["python -m tests.interleavings", *([f"--every {arguments.every}"] if arguments.every > 1 else [])]
    failures = sum(bool(case.failures) for case in cases)
    page = PAGE.format(
        command=" ".join(words),
        versions=", ".join(versions),
        cases=len(cases),
        seconds=time.monotonic() - begun,
        blocked=sum(case.blocked for case in cases),
        failures=failures,
        faces=" | ".join(FACES),
        lines="---|" * len(FACES),
        rows="\n".join(rows),
    )
    print(page)
    if arguments.out:
        arguments.out.write_text(page)
    sys.exit(f"{failures} failed" if failures else None)


if __name__ == "__main__":
    main()
