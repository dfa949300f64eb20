"""The table of docs/behaviours.md, from running its scenarios: python -m tests.behaviours > docs/behaviours.md

Each runs twice, in a database of its own: its inserts with nothing run, and its inserts after fix().
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import psycopg

from airflow_seqfix import core
from tests.cluster import running, wheel_binaries
from tests.conftest import WHEELS, Server, database_on
from tests.scenario import Scenario, load_all, outcome

COMMAND = "python -m tests.behaviours > docs/behaviours.md"

#: How a failing insert is told, by SQLSTATE.
FAILURES = {"23505": "duplicate key", "2200H": "error: sequence used up", "22003": "error: column used up"}

#: Between the inserts of a case.
THEN = " then "

INTRODUCTION = """\
# Behaviours

What the next inserts get in {total} situations that tools for resetting sequences are known to differ on.

Made with `{command}` on PostgreSQL {version}. Each situation is a file
in `tests/scenarios`, which ran in two fresh databases: once with nothing run, and once after `fix()` with its defaults.

Right with nothing run: {before} of {total}. Right after `fix()`: {right}; on purpose not: {on_purpose}; wrong: {wrong}.
"Error" stands where no id is left, and the insert has to say so instead of taking one twice.

| case | expected | nothing run | after fix() | right? |
|---|---|---|---|---|"""


def cases() -> list[Scenario]:
    """Return the scenarios that the table is made from."""
    return [scenario for scenario in load_all() if scenario.behaviour is not None]


def told(value: Any) -> str:
    """Return a value, or the SQLSTATE of a failure, as the table shows it."""
    return FAILURES.get(str(value), str(value))


def inserts(server: Server, scenario: Scenario, *, fix: bool) -> Iterator[tuple[Any, str]]:
    """Run a scenario; yield what each insert got, as value or SQLSTATE, and how the table shows it."""
    with database_on(server) as db:
        db.execute(scenario.sql)
        if fix:
            with db.connect() as conn:
                core.fix(conn)
        with db.connect() as conn:
            for insert in scenario.inserts:
                rows, error = outcome(conn, insert["sql"])
                if error is None:
                    assert rows is not None
                    yield rows[0], told(rows[0])
                else:
                    yield error.sqlstate, f"{told(error.sqlstate)}{key(error)}"


def key(error: psycopg.Error) -> str:
    """Return the key of a unique violation, with a space before it."""
    found = re.search(r"=\((.*)\) already exists", error.diag.message_detail or "")
    return f" {found[1]}" if found else ""


def verdict(scenario: Scenario, got: list[Any]) -> str:
    assert scenario.behaviour is not None
    if got == scenario.behaviour["expected"]:
        return "yes"
    why = scenario.behaviour.get("on_purpose")
    return f"on purpose: {why}" if why else "**no**"


def document(server: Server) -> str:
    lines, right, before = [], [], 0
    for scenario in cases():
        assert scenario.behaviour is not None
        expected = scenario.behaviour["expected"]
        nothing, ours = (list(inserts(server, scenario, fix=fix)) for fix in (False, True))
        right.append(verdict(scenario, [value for value, _ in ours]))
        before += [value for value, _ in nothing] == expected
        cells = (
            f"[{scenario.name}](../tests/scenarios/{scenario.name}.sql)",
            THEN.join(map(told, expected)),
            THEN.join(text for _, text in nothing),
            THEN.join(text for _, text in ours),
            right[-1],
        )
        lines.append(f"| {' | '.join(cells)} |")
    major, minor = divmod(server.version_num, 10000)
    introduction = INTRODUCTION.format(
        command=COMMAND,
        version=f"{major}.{minor}",
        total=len(lines),
        right=right.count("yes"),
        on_purpose=sum(text.startswith("on purpose") for text in right),
        wrong=right.count("**no**"),
        before=before,
    )
    return "\n".join([introduction, *lines])


def main() -> None:
    with running(wheel_binaries(next(iter(WHEELS.values())))) as cluster:
        with cluster.connect() as conn:
            server = Server(cluster.dsn, conn.info.server_version, cluster)
        print(document(server))


if __name__ == "__main__":
    main()
