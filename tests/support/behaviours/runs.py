"""docs/proof/behaviours.md, from running its scenarios: make behaviours

Each runs in databases of its own: its inserts with nothing run, after fix(), and after each recipe and each tool.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Iterator
from typing import Any

import psycopg

from airflow_seqfix import core
from tests.support.behaviours import recipes, tools
from tests.support.behaviours.page import Got, cases, told
from tests.support.scenario import Scenario, outcome
from tests.support.servers import Server, database_on

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


def beside_a_writer(server: Server, repair: Repair | None) -> str:
    """Repair while ten inserts are not committed; return what the insert after them gets."""
    with database_on(server) as db, db.connect() as writer:
        db.execute("CREATE TABLE orders (id serial PRIMARY KEY, total int)")
        writer.execute("INSERT INTO orders (total) SELECT generate_series(1, 100)")
        with writer.transaction(), db.connect() as conn:
            writer.execute("INSERT INTO orders (total) SELECT generate_series(101, 110)")
            if repair is not None:
                repair(conn)
        rows, error = outcome(writer, "INSERT INTO orders (total) VALUES (111) RETURNING id")
    return told(rows[0]) if rows else f"{told(error and error.sqlstate)}{key(error) if error else ''}"


def repairs() -> dict[str, Repair | None]:
    """Return what is compared, by what the page calls it."""
    return {
        "nothing run": None,
        **{name: functools.partial(recipes.run, recipe=name) for name in recipes.RECIPES},
        **{name: functools.partial(tools.run, name=name) for name in tools.TOOLS},
        # Where all is skipped, that is no error here: what the inserts get counts.
        "`fix()`": functools.partial(core.fix, allow_empty=True),
    }
