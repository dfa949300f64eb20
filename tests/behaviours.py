"""docs/behaviours.md, from running its scenarios: make behaviours

Each runs in databases of its own: its inserts with nothing run, after fix(), and after each recipe and each tool.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

import psycopg

from airflow_seqfix import core
from tests import recipes, thousands, tools
from tests.behaviours_page import Got, Results, cases, document, told
from tests.cluster import running, wheel_binaries
from tests.conftest import WHEELS, Server, database_on
from tests.scenario import Scenario, outcome

Repair = Callable[[psycopg.Connection], object]


def inserts(server: Server, scenario: Scenario, repair: Repair | None = None) -> Iterator[tuple[Any, str]]:
    """Run a scenario; yield what each insert got, as value or SQLSTATE, and how the page shows it."""
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


def outcomes(server: Server, repair: Repair | None) -> dict[str, Got]:
    """Run all scenarios; return what the inserts got, by case, None where a tool could not be judged."""
    got: dict[str, Got] = {}
    for scenario in cases():
        try:
            got[scenario.name] = list(inserts(server, scenario, repair))
        except tools.NotLoadedError:
            got[scenario.name] = None
    return got


def after_recipe(server: Server, name: str) -> dict[str, Got]:
    return outcomes(server, lambda conn: recipes.run(conn, name))


def after_tool(server: Server, name: str) -> dict[str, Got]:
    return outcomes(server, lambda conn: tools.run(conn, name))


def main() -> None:
    versions = tools.versions()
    with running(wheel_binaries(next(iter(WHEELS.values())))) as cluster:
        with cluster.connect() as conn:
            server = Server(cluster.dsn, conn.info.server_version, cluster)
        results = Results(
            nothing=outcomes(server, None),
            ours=outcomes(server, core.fix),
            recipes={name: after_recipe(server, name) for name in recipes.RECIPES},
            tools={name: after_tool(server, name) for name in tools.TOOLS},
            thousands={name: thousands.run(server, repair) for name, repair in thousands.RUNS.items()},
        )
    print("\n".join(document(results, server.version_num, versions)))


if __name__ == "__main__":
    main()
