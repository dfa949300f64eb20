"""The table of docs/behaviours.md, from running its scenarios: python -m tests.behaviours > docs/behaviours.md

Each runs in databases of its own: its inserts with nothing run, after fix(), and after each of the usual recipes.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

import psycopg

from airflow_seqfix import core
from tests import recipes
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
in `tests/scenarios`, which ran in fresh databases: with nothing run, and after `fix()` with its defaults.

Right with nothing run: {before} of {total}. Right after `fix()`: {right}; on purpose not: {on_purpose}; wrong: {wrong}.
"Error" stands where no id is left, and the insert has to say so instead of taking one twice.

| case | expected | nothing run | after fix() | right? |
|---|---|---|---|---|"""

COMPARISON = """
## The usual recipes

The same situations after the recipes of `tests/recipes.py`, each run column by column, so that an error in one does not
stop the others. "Worse" counts the situations that were right with nothing run and are not any more.

| | right | worse |
|---|---:|---:|"""


def cases() -> list[Scenario]:
    """Return the scenarios that the table is made from."""
    return [scenario for scenario in load_all() if scenario.behaviour is not None]


def told(value: Any) -> str:
    """Return a value, or the SQLSTATE of a failure, as the table shows it."""
    return FAILURES.get(str(value), str(value))


def inserts(
    server: Server, scenario: Scenario, repair: Callable[[psycopg.Connection], object] | None = None
) -> Iterator[tuple[Any, str]]:
    """Run a scenario; yield what each insert got, as value or SQLSTATE, and how the table shows it."""
    with database_on(server) as db:
        db.execute(scenario.sql)
        if repair is not None:
            with db.connect() as conn:
                repair(conn)
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
    lines, right, before, worse = [], [], 0, 0
    for scenario in cases():
        assert scenario.behaviour is not None
        expected = scenario.behaviour["expected"]
        nothing, ours = (list(inserts(server, scenario, repair)) for repair in (None, core.fix))
        right.append(verdict(scenario, [value for value, _ in ours]))
        was_right = [value for value, _ in nothing] == expected
        before += was_right
        worse += was_right and right[-1] != "yes"
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
    return "\n".join([introduction, *lines, *comparison(server, len(lines), before, right.count("yes"), worse)])


def is_right(server: Server, scenario: Scenario, repair: Callable[[psycopg.Connection], object] | None) -> bool:
    assert scenario.behaviour is not None
    return [value for value, _ in inserts(server, scenario, repair)] == scenario.behaviour["expected"]


def comparison(server: Server, total: int, before: int, ours: int, worse_ours: int) -> Iterator[str]:
    """Yield the table of the recipes."""
    yield COMPARISON
    yield f"| nothing run | {before} of {total} | |"
    for name in recipes.RECIPES:
        right, worse = count(server, name)
        yield f"| {name} | {right} of {total} | {worse} |"
    yield f"| `fix()` | {ours} of {total} | {worse_ours} |"


def count(server: Server, recipe: str) -> tuple[int, int]:
    """Return how many situations are right after a recipe, and how many are not that were before."""
    right = worse = 0
    for scenario in cases():
        good = is_right(server, scenario, lambda conn: recipes.run(conn, recipe))
        right += good
        worse += not good and is_right(server, scenario, None)
    return right, worse


def main() -> None:
    with running(wheel_binaries(next(iter(WHEELS.values())))) as cluster:
        with cluster.connect() as conn:
            server = Server(cluster.dsn, conn.info.server_version, cluster)
        print(document(server))


if __name__ == "__main__":
    main()
