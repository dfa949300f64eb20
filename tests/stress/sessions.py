"""The sessions of a run, one process each: who draws ids, who makes tables fall behind, who watches, who repairs."""

from __future__ import annotations

import contextlib
import random
import time
from array import array
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import psycopg
from psycopg import conninfo

from airflow_seqfix import core
from tests.stress.catalogs import SCHEMAS, change
from tests.stress.loads import RECIPES, Load


@dataclass
class Seen:
    """What one session got."""

    #: By table, what nextval() returned, in that order.
    ids: dict[str, array[int]] = field(default_factory=lambda: defaultdict(lambda: array("q")))
    #: By table, how often a value was lower than the one before.
    descents: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    last: dict[str, int] = field(default_factory=dict)
    #: How long each statement took that calls nextval().
    waits: array[float] = field(default_factory=lambda: array("d"))
    #: Repairs run, and those that moved something: (table, target, gap).
    runs: int = 0
    moves: list[tuple[str, int, int]] = field(default_factory=list)
    #: Sequences that could not be locked in time; reads of a sequence that failed.
    busy: int = 0
    unreadable: int = 0
    #: Pieces of DDL run, and moves and reads that a repair refused for what had changed.
    changes: int = 0
    refused: int = 0

    def look(self, table: str, value: int) -> None:
        if value < self.last.get(table, value):
            self.descents[table] += 1
        self.last[table] = value

    def draw(self, conn: psycopg.Connection, table: str, statement: str) -> list[int]:
        """Run a statement that returns what nextval() gave it."""
        started = time.perf_counter()
        ids = [value for (value,) in conn.execute(statement).fetchall()]
        self.waits.append(time.perf_counter() - started)
        self.ids[table].extend(ids)
        for value in ids:
            self.look(table, value)
        with shared.issued.get_lock():
            shared.issued.value += len(ids)
        return ids

    def result(self) -> Seen:
        """Return it without the factories, which cannot be pickled."""
        self.ids, self.descents = dict(self.ids), dict(self.descents)
        return self


@dataclass
class Shared:
    """What the processes have in common."""

    stop: Any
    issued: Any
    moved: Any


shared: Shared


def begin(stop: Any, issued: Any, moved: Any) -> None:
    global shared
    shared = Shared(stop, issued, moved)


def turns(tables: list[str], seed: int) -> Iterator[tuple[str, random.Random]]:
    """Give one table after the other until everybody has to stop."""
    rng = random.Random(seed)
    while not shared.stop.is_set():
        yield rng.choice(tables), rng


def connect(dsn: str) -> psycopg.Connection:
    options = f"-c search_path={','.join(SCHEMAS)}"
    return psycopg.connect(conninfo.make_conninfo(dsn, options=options), autocommit=True, prepare_threshold=None)


def sequence_oids(conn: psycopg.Connection, load: Load) -> dict[str, int]:
    """Return the sequence of each table: whoever swaps their names fools nobody but the repairs."""
    statement = "SELECT pg_get_serial_sequence(%s, 'id')::regclass::oid"
    return {table: conn.execute(statement, (table,)).fetchone()[0] for table in load.tables}


def state(table: str, oid: int, load: Load) -> str:
    """Return what stands behind FROM to read where a sequence is."""
    if load.ddl:
        return f"(SELECT pg_sequence_last_value({oid}) AS last_value, true AS is_called) AS state"
    return f"{table}_id_seq"


def insert_by_default(dsn: str, load: Load, seed: int) -> Seen:
    seen = Seen()
    with connect(dsn) as conn:
        for table, rng in turns(load.tables, seed):
            rows = rng.randint(1, 40)
            seen.draw(conn, table, f"INSERT INTO {table} SELECT FROM generate_series(1, {rows}) RETURNING id")
    return seen.result()


def draw_in_the_application(dsn: str, load: Load, seed: int) -> Seen:
    """Draw ids and insert some of them, as an object-relational mapper does."""
    seen = Seen()
    with connect(dsn) as conn:
        oids = sequence_oids(conn, load)
        for table, rng in turns(load.tables, seed):
            with conn.transaction():
                rows = rng.randint(1, 100)
                ids = seen.draw(conn, table, f"SELECT nextval({oids[table]}::regclass) FROM generate_series(1, {rows})")
                if rng.random() < 0.5:
                    conn.execute(f"INSERT INTO {table} OVERRIDING SYSTEM VALUE VALUES ({ids[-1]})")
    return seen.result()


def stay_in_transaction(dsn: str, load: Load, seed: int) -> Seen:
    seen = Seen()
    with connect(dsn) as conn:
        oids = sequence_oids(conn, load)
        for table, _ in turns(load.tables, seed):
            with conn.transaction():
                seen.draw(conn, table, f"SELECT nextval({oids[table]}::regclass)")
                time.sleep(load.idle)
            time.sleep(0.2)
    return seen.result()


def insert_explicitly(dsn: str, load: Load, seed: int, once: int) -> Seen:
    """Make each table fall behind whenever it is not; the first time by `once`."""
    seen = Seen()
    with connect(dsn) as conn:
        oids = sequence_oids(conn, load)
        for table, rng in turns(load.tables, seed):
            low, high = load.gaps
            if high < 7 and rng.random() < 0.01:
                low, high = high, 6.0
            gap = once or int(10 ** rng.uniform(low, high))
            try:
                done = conn.execute(
                    f"INSERT INTO {table} OVERRIDING SYSTEM VALUE"
                    f" SELECT last_value + {gap} FROM {state(table, oids[table], load)}"
                    f" WHERE last_value >= (SELECT max(id) FROM {table})"
                ).rowcount
            except psycopg.errors.DataCorrupted:
                seen.unreadable += 1
                continue
            if done:
                once = 0
            else:
                time.sleep(0.001)
    return seen.result()


def watch(dsn: str, load: Load, seed: int) -> Seen:
    seen = Seen()
    with connect(dsn) as conn:
        oids = sequence_oids(conn, load)
        for table, _ in turns(load.tables, seed):
            rows = []
            with contextlib.suppress(psycopg.errors.DataCorrupted):
                # The function locks the page. A plain read can meet nextval() while it writes its WAL record, when
                # last_value is up to 32 values ahead, and back a moment later.
                last_value = f"SELECT pg_sequence_last_value({oids[table]})"
                rows = conn.execute(f"{last_value} FROM {state(table, oids[table], load)}").fetchall()
            if rows and rows[0][0] is None:
                # Started anew, and not called yet: it does not tell where.
                pass
            elif rows:
                seen.look(table, rows[0][0])
            else:
                seen.unreadable += 1
            time.sleep(0.002)
    return seen.result()


def repair(dsn: str, load: Load, seed: int) -> Seen:
    seen = Seen()
    with connect(dsn) as conn:
        oids = sequence_oids(conn, load)
        for table, _ in turns(load.tables, seed):
            before = len(seen.moves)
            if load.recipe:
                follow_recipe(conn, seen, table, RECIPES[load.recipe])
            else:
                fix(conn, seen, load, oids)
            seen.runs += 1
            with shared.moved.get_lock():
                shared.moved.value += len(seen.moves) - before
    return seen.result()


def follow_recipe(conn: psycopg.Connection, seen: Seen, table: str, statements: tuple[str, ...]) -> None:
    value = None
    for statement in statements:
        cursor = conn.execute(statement.format(table=table, sequence=f"{table}_id_seq", value=value))
        rows = cursor.fetchall() if cursor.description else []
        value = rows[0][0] if rows else value
    if rows or len(statements) > 1:
        seen.moves.append((table, value, 0))


def change_catalogs(dsn: str, load: Load, seed: int) -> Seen:
    seen = Seen()
    with connect(dsn) as conn:
        for _, rng in turns(load.tables, seed):
            seen.changes += change(conn, load.tables, rng)
    return seen.result()


def fix(conn: psycopg.Connection, seen: Seen, load: Load, oids: dict[str, int]) -> None:
    assert load.options is not None
    tables = {oid: table for table, oid in oids.items()}
    for row in core.fix(conn, **load.options).rows:
        outcome = row.outcome
        if outcome is None:
            seen.refused += row.verdict == "unknown"
            continue
        if outcome.error is not None and outcome.error.sqlstate == "55P03":
            seen.busy += 1
        elif outcome.error is None or outcome.error.reason.startswith("it was moved, and could not be read again: "):
            if load.ddl and outcome.way is None:
                # Looked at again because of DDL; the other repair had moved it by then.
                assert row.verdict == "in_sync", row
                continue
            assert outcome.way is not None and outcome.way.value == load.way, row
            assert outcome.before.move is not None and outcome.before.gap is not None
            table = tables[row.finding.sequence.oid]
            seen.moves.append((table, outcome.before.move.target, outcome.before.gap))
        elif load.ddl:
            seen.refused += 1
        elif "have gone further meanwhile" not in outcome.error.reason:
            raise AssertionError(outcome.error)
