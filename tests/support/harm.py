"""Repair random tables beside twins that are left alone, and insert into both: python -m tests.support.harm"""

from __future__ import annotations

import argparse
import platform
import random
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import psycopg

from airflow_seqfix import core
from tests.support.psql import psql, reset
from tests.support.servers import WHEELS, Database, database_of_its_own

#: The last value of each type, which is a column's and its sequence's.
ENDS = {"smallint": 2**15 - 1, "integer": 2**31 - 1, "bigint": 2**63 - 1, "numeric(5)": 99_999, "numeric": 2**63 - 1}
SHAPES = {
    "a key": "CREATE TABLE {s}.t ({id} PRIMARY KEY{check});",
    "no index": "CREATE TABLE {s}.t ({id}{check});",
    "a key of two columns": "CREATE TABLE {s}.t (tenant integer DEFAULT 2, {id}{check}, PRIMARY KEY (tenant, id));",
    "a partial unique index": "CREATE TABLE {s}.t ({id}{check}, x text);"
    " CREATE UNIQUE INDEX ON {s}.t (id) WHERE x > '';",
    "partitions": "CREATE TABLE {s}.t ({id} PRIMARY KEY{check}) PARTITION BY HASH (id);"
    " CREATE TABLE {s}.t0 PARTITION OF {s}.t FOR VALUES WITH (MODULUS 2, REMAINDER 0);"
    " CREATE TABLE {s}.t1 PARTITION OF {s}.t FOR VALUES WITH (MODULUS 2, REMAINDER 1);",
    "a child": "CREATE TABLE {s}.t ({id} PRIMARY KEY{check}); CREATE TABLE {s}.u () INHERITS ({s}.t);",
    "two tables": "CREATE TABLE {s}.t ({id} PRIMARY KEY{check}); CREATE TABLE {s}.u ({id} UNIQUE);",
}
#: What an insert came to, beside the same in the twin. The last two must not be.
FINE, MENDED, TOLD, HARMED, FALSE = "worked before and after", "mended", "fails, and told so", "harmed", "false in_sync"


def tables_of(shape: str) -> tuple[str, ...]:
    return ("t", "u") if "{s}.u" in SHAPES[shape] else ("t",)


@dataclass(frozen=True, kw_only=True)
class Case:
    """A sequence, what it feeds, and the values in that, which count from 1 in its direction."""

    type_name: str
    shape: str
    sign: int
    step: int
    #: The last value of the sequence, and of a CHECK constraint.
    end: int
    checked: int | None
    values: tuple[int, ...]
    #: Those of the second table, if there is one.
    others: tuple[int, ...]
    #: The last value that the sequence has given; 0: none.
    last: int
    #: Where the next insert goes.
    table: str

    @property
    def direction(self) -> str:
        return "ascending" if self.sign > 0 else "descending"

    @property
    def tables(self) -> tuple[str, ...]:
        return tables_of(self.shape)

    def sql(self, schema: str) -> str:
        """Return the statements that make it."""
        sign, near, end = self.sign, self.sign, self.sign * self.end
        bounds = f"MINVALUE {min(near, end)} MAXVALUE {max(near, end)}"
        holds = self.type_name if self.type_name in ("smallint", "integer") else "bigint"
        id_column = f"id {self.type_name} DEFAULT nextval('{schema}.s')"
        check = ""
        if self.checked is not None:
            # The same in two ways.
            before, beyond = ("<=", ">") if sign > 0 else (">=", "<")
            is_odd, last = self.checked % 2 == 1, sign * self.checked
            check = f" CHECK (id {before} {last})" if is_odd else f" CHECK ({last + sign} {beyond} id AND id <> 0)"
        lines = [
            f"CREATE SCHEMA {schema};",
            f"CREATE SEQUENCE {schema}.s AS {holds} INCREMENT {sign * self.step} {bounds} START {near};",
            SHAPES[self.shape].format(s=schema, id=id_column, check=check),
            *(
                f"INSERT INTO {schema}.{table} (id) VALUES {', '.join(f'({sign * value})' for value in values)};"
                for table, values in zip(("t", "u"), (self.values, self.others), strict=True)
                if values and table in self.tables
            ),
        ]
        if self.shape == "a key of two columns":
            lines.append(f"UPDATE {schema}.t SET tenant = 1;")
        if self.last:
            lines.append(f"SELECT setval('{schema}.s', {sign * self.last});")
        return "\n".join(lines)


def cases(seed: int) -> Iterator[Case]:
    """Yield random ones without end: ranges of every size, and far values beside dense ones, or many at the end."""
    random_ = random.Random(seed)
    while True:
        type_name = random_.choice([*ENDS])
        most = ENDS[type_name]
        end = random_.choice([most, min(most, random_.randint(3, 10 ** random_.randint(1, 12)))])
        checked = random_.choice([None, None, random_.randint(2, end)])
        fits = end if checked is None else checked
        step = random_.choice([1, 1, 1, 2, 7])
        sets = [tuple(sorted(_values(random_, fits))) for _ in range(2)]
        anchor = random_.choice([0, 0, *(value for values in sets for value in values)])
        last = min(end, max(0, anchor + random_.randint(-3, 3)))
        shape = random_.choice([*SHAPES])
        yield Case(
            type_name=type_name,
            shape=shape,
            table=random_.choice(tables_of(shape)),
            sign=random_.choice([1, -1]),
            step=step,
            end=end,
            checked=checked,
            values=sets[0],
            others=sets[1],
            last=last and 1 + (last - 1) // step * step,
        )


def _values(random_: random.Random, fits: int) -> set[int]:
    dense = random_.randint(0, min(fits, random_.choice([3, 60, 300])))
    first = random_.choice([1, 1, 1, random_.randint(1, fits)])
    values = {value for value in range(first, min(fits, first + dense) + 1) if random_.random() < 0.95}
    for _ in range(random_.choice([0, 0, 1, 1, 2, 5, 60])):
        far = random_.choice([fits, fits - random_.randint(0, 80), random_.randint(1, fits)])
        values.add(max(1, far))
    return values


def by_library(db: Database) -> dict[str, str]:
    with db.connect() as conn:
        return {row["sequence"]: row["verdict"] for row in core.fix(conn, schemas=["a_*"]).to_dict()["sequences"]}


def by_plan(db: Database) -> dict[str, str]:
    with db.connect() as conn:
        script = core.plan(conn, schemas=["a_*"]).to_sql()
    done = psql(db.dsn, "-q", "-v", "ON_ERROR_STOP=1", script=script)
    assert done.returncode == 0, done.stderr
    return _checked(db)


def by_script(db: Database) -> dict[str, str]:
    return {name: row["verdict"] for name, row in reset(db.dsn, schema="a_*").rows.items()}


def by_remedy(db: Database) -> dict[str, str]:
    with db.connect() as conn:
        for row in core.check(conn, schemas=["a_*"]).to_dict()["sequences"]:
            if (row["cure"] or "").startswith("WITH RECURSIVE"):
                conn.execute(row["cure"])
    return _checked(db)


def _checked(db: Database) -> dict[str, str]:
    with db.connect() as conn:
        return {row["sequence"]: row["verdict"] for row in core.check(conn, schemas=["a_*"]).to_dict()["sequences"]}


FACES: dict[str, Callable[[Database], dict[str, str]]] = {
    "library": by_library,
    "plan as SQL": by_plan,
    "script": by_script,
    "remedy": by_remedy,
}


def insert(conn: psycopg.Connection, table: str) -> bool:
    """Make a default insert, and return whether it succeeded."""
    try:
        conn.execute(f"INSERT INTO {table} DEFAULT VALUES")
    except (psycopg.errors.UniqueViolation, psycopg.errors.CheckViolation, psycopg.errors.DataError):
        return False
    except psycopg.Error as error:
        # There is no value left.
        if error.sqlstate != "2200H":
            raise
        return False
    return True


def try_out(db: Database, batch: list[Case], face: str) -> Counter[tuple[str, str, str]]:
    """Repair a batch, and return how many inserts came to what, by type and direction.

    :raises AssertionError: when an insert worked before and fails after, or fails although all is said to be in sync.
    """
    for place, case in enumerate(batch):
        db.execute(case.sql(f"a_{place}") + case.sql(f"b_{place}"))
    verdicts = FACES[face](db)
    found: Counter[tuple[str, str, str]] = Counter()
    with db.connect() as conn:
        for place, case in enumerate(batch):
            # Only the next insert: the one after that may find no value left.
            now, was = insert(conn, f"a_{place}.{case.table}"), insert(conn, f"b_{place}.{case.table}")
            verdict = verdicts.get(f"a_{place}.s")
            outcome = (FINE if was else MENDED) if now else HARMED if was else TOLD
            if outcome == TOLD and verdict in ("in_sync", None):
                outcome = FALSE
            assert outcome not in (HARMED, FALSE), (outcome, face, verdict, case, case.sql("x"))
            found[case.type_name, case.direction, outcome] += 1
        schemas = [f"{letter}_{place}" for place in range(len(batch)) for letter in "ab"]
        conn.execute(f"DROP SCHEMA {', '.join(schemas)} CASCADE")
    return found


PAGE = """\
# Random tables beside twins that are left alone

`python -m tests.support.harm {number} --seed {seed}` makes random sequences of every size, ascending and descending,
with what they feed: a key, no index, a key of two columns, a partial unique index, partitions, an inheritance child,
two tables; each with or without a `CHECK` constraint that ends before the type. The values are dense, with holes, with
up to 60 far ones, or at the end. Each is made twice. One is repaired, by turns through the library, a plan as SQL, the
script and the remedy to paste. Then a default insert is made, and the same insert in the twin.

An insert that works in the twin and fails after the repair ends the run with an error. So does one that fails although
the report says `in_sync`. This run had none.

- PostgreSQL {server}, Python {python}, {minutes:.1f} minutes
- sequences: {number:,}, each with an insert here and in its twin

| type | direction | {outcomes} |
|---|---|{bars}
{table}
"""


def page(found: Counter[tuple[str, str, str]], **known: object) -> str:
    outcomes = (FINE, MENDED, TOLD, HARMED, FALSE)
    rows = [
        f"| {type_name} | {direction} | "
        + " | ".join(f"{found[type_name, direction, outcome]:,}" for outcome in outcomes)
        + " |"
        for type_name in ENDS
        for direction in ("ascending", "descending")
    ]
    return PAGE.format(
        outcomes=" | ".join(outcomes),
        bars="---:|" * len(outcomes),
        table="\n".join(rows),
        python=platform.python_version(),
        **known,
    )


def run(db: Database, number: int, seed: int, size: int = 50) -> Counter[tuple[str, str, str]]:
    """Try out so many cases, in batches, each face in turn."""
    found: Counter[tuple[str, str, str]] = Counter()
    source = cases(seed)
    for place in range(-(-number // size)):
        batch = [next(source) for _ in range(min(size, number - place * size))]
        found += try_out(db, batch, [*FACES][place % len(FACES)])
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("number", type=int, help="how many sequences")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--server", choices=WHEELS, default="pg18")
    parser.add_argument("--out", type=Path, help="the file to write")
    arguments = parser.parse_args()
    started = time.monotonic()
    with database_of_its_own(arguments.server) as (db, version):
        found = run(db, arguments.number, arguments.seed)
    minutes = (time.monotonic() - started) / 60
    text = page(found, number=arguments.number, seed=arguments.seed, server=version, minutes=minutes)
    print(text)
    if arguments.out:
        arguments.out.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
