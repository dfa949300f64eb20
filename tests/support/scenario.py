"""The scenarios: every way in which a sequence drifts, or has to be left alone.

`tests/scenarios/<name>.sql` makes the situation, its first line tells the story. `<name>.json` says what is expected:

  servers    versions that know the syntax, such as ">=14"; all where it is missing
  options    what check() and fix() are given
  behaviour  on the cases of docs/proof/behaviours.md: what the inserts should give (`expected`) and, where a repair
             differs from it, why (`on_purpose`)
  report     by sequence, the part of its row that check() has to give; of `reason` and `remedy` any part will do
  fixed      the same for fix(), where a sequence that was due does not end up in sync and verified; one that stays
             behind was moved only if its `way` is given
  inserts    statements after fix(), each with the rows that it has to return, or the SQLSTATE that it has to fail with
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

import psycopg
from psycopg.rows import class_row

from tests.support import ROOT
from tests.support.servers import Database

FOLDER = ROOT / "tests" / "scenarios"

#: What every row of `report` has to give.
FIGURES = {"verdict", "next_value", "furthest_value", "gap"}


@dataclass(frozen=True, kw_only=True)
class Scenario:
    """One situation, and what is expected of it."""

    name: str
    sql: str
    report: dict[str, dict[str, Any]]
    inserts: list[dict[str, Any]]
    servers: str = ">=13"
    options: dict[str, Any] = field(default_factory=dict)
    behaviour: dict[str, Any] | None = None
    fixed: dict[str, dict[str, Any]] = field(default_factory=dict)

    @classmethod
    def load(cls, name: str) -> Scenario:
        expected = json.loads((FOLDER / f"{name}.json").read_text(encoding="utf-8"))
        if all(row["verdict"] == "skipped" for row in expected["report"].values()):
            # A run that checks nothing is refused otherwise.
            expected["options"] = {"allow_empty": True} | expected.get("options", {})
        return cls(name=name, sql=(FOLDER / f"{name}.sql").read_text(encoding="utf-8"), **expected)

    def suits(self, major: int) -> bool:
        """Whether a server of that major version knows the syntax."""
        operator, bound = self.servers[:2], int(self.servers[2:])
        return {">=": major >= bound, "<=": major <= bound}[operator]

    @property
    def behind(self) -> set[str]:
        """The sequences that fix() has something to say of."""
        return {
            sequence
            for sequence, row in self.report.items()
            if row["verdict"] == "behind" or (row["verdict"] == "exhausted" and sequence in self.fixed)
        }

    @property
    def moved(self) -> set[str]:
        """The sequences that fix() has to move: those behind, but for those that it has to leave where they are."""
        left = {name for name, row in self.fixed.items() if row["verdict"] == "behind" and "way" not in row}
        return self.behind - left


def load_all() -> list[Scenario]:
    return [Scenario.load(path.stem) for path in sorted(FOLDER.glob("*.sql"))]


def outcome(conn: psycopg.Connection, statement: str) -> tuple[list[Any] | None, psycopg.Error | None]:
    """Run a statement in its own transaction; return the rows, single values unpacked, or the error."""
    try:
        rows = conn.execute(statement).fetchall()
    except psycopg.Error as error:
        return None, error
    return [row[0] if len(row) == 1 else list(row) for row in rows], None


@dataclass(frozen=True, kw_only=True)
class State:
    """Everything about a sequence that a repair may touch, and everything that it must not."""

    name: str
    #: last_value and is_called as one number that grows with each call of nextval(), in either direction.
    position: Decimal
    #: Changes where the sequence was rewritten.
    relation_file: int
    #: What only its owner decides: limits, owner, privileges, OWNED BY and the like.
    definition: str


def states(db: Database) -> dict[str, State]:
    """Return the state of every sequence by its qualified name."""
    with db.connect() as conn:
        conn.execute("SET search_path = pg_catalog")
        cursor = conn.cursor(row_factory=class_row(State))
        return {
            name: cursor.execute(
                f"""
                SELECT quote_ident(c.relnamespace::regnamespace::name) || '.' || quote_ident(c.relname) AS name,
                       (s.last_value + q.seqincrement::numeric * s.is_called::int) * sign(q.seqincrement::numeric)
                           AS position,
                       c.relfilenode::bigint AS relation_file,
                       row(q, c.relowner, c.relacl, c.relpersistence,
                           ARRAY(SELECT d::text FROM pg_depend d WHERE d.objid = c.oid ORDER BY 1))::text AS definition
                  FROM {name} AS s, pg_class AS c JOIN pg_sequence AS q ON q.seqrelid = c.oid
                 WHERE c.oid = {oid}
                """
            ).fetchall()[0]
            for oid, name in conn.execute("SELECT seqrelid, seqrelid::regclass::text FROM pg_sequence").fetchall()
        }


def assert_inserts(scenario: Scenario, db: Database) -> None:
    with db.connect() as conn:
        for insert in scenario.inserts:
            returned, error = outcome(conn, insert["sql"])
            if "sqlstate" in insert:
                assert error is not None and error.sqlstate == insert["sqlstate"], insert["sql"]
            else:
                assert error is None and returned == insert["returns"], f"{insert['sql']}: {error or returned}"
