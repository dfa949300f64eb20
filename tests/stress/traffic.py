"""Writers, explicit ids and repairs on the same sequences at the same time; every id that nextval() returns is kept.

An id is issued twice when nextval() returned it twice since the table was made: the sequence has been set back. The
tables have no unique constraint, so that such an id lands and is counted instead of undoing its statement.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import random
import statistics
import time
from array import array
from collections import defaultdict
from collections.abc import Callable, Iterator
from concurrent.futures import FIRST_EXCEPTION, Future, ProcessPoolExecutor, wait
from dataclasses import dataclass, field
from typing import Any

import psycopg
from psycopg import conninfo

from airflow_seqfix import core
from tests.conftest import Database

COLUMNS = {"serial": "id bigserial", "identity": "id bigint GENERATED ALWAYS AS IDENTITY"}

#: What people paste, with `{table}` and `{sequence}`; the second of two statements gets the `{value}` of the first.
RECIPES = {
    "setval(max(id))": ("SELECT setval('{sequence}', (SELECT max(id) FROM {table}))",),
    "setval(greatest(max(id), last_value))": (
        "SELECT setval('{sequence}', greatest((SELECT max(id) FROM {table}), (SELECT last_value FROM {sequence})))",
    ),
    "setval(max(id)) WHERE max(id) > last_value": (
        """SELECT setval('{sequence}', (SELECT max(id) FROM {table}))
            WHERE (SELECT max(id) FROM {table}) > (SELECT last_value FROM {sequence})""",
    ),
    "ALTER SEQUENCE RESTART WITH max(id) + 1": (
        "SELECT max(id) + 1 FROM {table}",
        "ALTER SEQUENCE {sequence} RESTART WITH {value}",
    ),
}

#: Gaps as powers of ten.
UP_TO_TEN_MILLION = (0.0, 7.0)
UP_TO_TEN_THOUSAND = (0.0, 4.0)


@dataclass(frozen=True, kw_only=True)
class Load:
    """What repairs, as whom, on which sequences; the writers are always the same."""

    name: str
    #: `owner`, `update`, `usage`: what the role has on the sequences, beside SELECT.
    role: str = "owner"
    #: The options of core.fix(); None: a recipe, or nothing at all.
    options: dict[str, Any] | None = None
    recipe: str | None = None
    #: The way that core.fix() is to report.
    way: str | None = None
    caches: tuple[int, ...] = (1, 50)
    #: The usual gaps, as powers of ten. Where nextval() has to pass them, one in a hundred is larger, up to a million.
    gaps: tuple[float, float] = UP_TO_TEN_MILLION
    #: One writer stays idle inside its transactions for this many seconds.
    idle: float = 0.0
    repairers: int = 2

    @property
    def tables(self) -> list[str]:
        return [f"{kind}_{cache}" for kind in COLUMNS for cache in self.caches]


ADVANCE = {"lock": "none", "max_jump": 10**12}
LOCKED = {"advance_up_to": 0, "max_jump": 10**12}
OURS = {
    load.name: load
    for load in (
        Load(name="advance, owner", way="advance", options=ADVANCE, gaps=UP_TO_TEN_THOUSAND),
        # The same threshold that makes an owner lock: a role that may not has to fall back.
        Load(name="advance, UPDATE", role="update", way="advance", options=LOCKED, gaps=UP_TO_TEN_THOUSAND),
        Load(name="advance, USAGE", role="usage", way="advance", options=LOCKED, gaps=UP_TO_TEN_THOUSAND),
        Load(name="locked with setval", way="locked", options=LOCKED, caches=(1,)),
        Load(name="locked with RESTART", way="locked", options=LOCKED, caches=(50,)),
    )
}
THEIRS = {name: Load(name=name, recipe=name, caches=(1,)) for name in RECIPES}
NOBODY = Load(name="nobody", repairers=0)


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


def connect(dsn: str, **options: Any) -> psycopg.Connection:
    return psycopg.connect(conninfo.make_conninfo(dsn, **options), autocommit=True, prepare_threshold=None)


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
        for table, rng in turns(load.tables, seed):
            with conn.transaction():
                rows = rng.randint(1, 100)
                ids = seen.draw(conn, table, f"SELECT nextval('{table}_id_seq') FROM generate_series(1, {rows})")
                if rng.random() < 0.5:
                    conn.execute(f"INSERT INTO {table} OVERRIDING SYSTEM VALUE VALUES ({ids[-1]})")
    return seen.result()


def stay_in_transaction(dsn: str, load: Load, seed: int) -> Seen:
    seen = Seen()
    with connect(dsn) as conn:
        for table, _ in turns(load.tables, seed):
            with conn.transaction():
                seen.draw(conn, table, f"SELECT nextval('{table}_id_seq')")
                time.sleep(load.idle)
            time.sleep(0.2)
    return seen.result()


def insert_explicitly(dsn: str, load: Load, seed: int, once: int) -> Seen:
    """Make each table fall behind whenever it is not; the first time by `once`."""
    seen = Seen()
    with connect(dsn) as conn:
        for table, rng in turns(load.tables, seed):
            low, high = load.gaps
            if high < 7 and rng.random() < 0.01:
                low, high = high, 6.0
            gap = once or int(10 ** rng.uniform(low, high))
            try:
                done = conn.execute(
                    f"INSERT INTO {table} OVERRIDING SYSTEM VALUE SELECT last_value + {gap} FROM {table}_id_seq"
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
        for table, _ in turns(load.tables, seed):
            rows = []
            with contextlib.suppress(psycopg.errors.DataCorrupted):
                rows = conn.execute(f"SELECT last_value + is_called::int FROM {table}_id_seq").fetchall()
            if rows:
                seen.look(table, rows[0][0])
            else:
                seen.unreadable += 1
            time.sleep(0.002)
    return seen.result()


def repair(dsn: str, load: Load, seed: int) -> Seen:
    seen = Seen()
    with connect(dsn) as conn:
        for table, _ in turns(load.tables, seed):
            before = len(seen.moves)
            if load.recipe:
                follow_recipe(conn, seen, table, RECIPES[load.recipe])
            else:
                fix(conn, seen, load)
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


def fix(conn: psycopg.Connection, seen: Seen, load: Load) -> None:
    assert load.options is not None
    for row in core.fix(conn, **load.options).rows:
        outcome = row.outcome
        if outcome is None:
            continue
        if outcome.error is not None and outcome.error.sqlstate == "55P03":
            seen.busy += 1
        elif outcome.error is None:
            assert outcome.way is not None and outcome.way.value == load.way, row
            assert outcome.before.setval is not None and outcome.before.gap is not None
            table = row.finding.sequence.sequence_name.removesuffix("_id_seq")
            seen.moves.append((table, outcome.before.setval.target, outcome.before.gap))
        elif "have gone further meanwhile" not in outcome.error.reason:
            raise AssertionError(outcome.error)


@dataclass(frozen=True, kw_only=True)
class Result:
    load: Load
    seconds: float
    issued: int
    twice: int
    #: The most descents that one session saw, over all tables: at least so many moves went back.
    backward: int
    #: In milliseconds.
    p50: float
    p99: float
    longest: float
    runs: int
    #: Moves over a target that no writer ever drew; of a recipe, all that were made.
    moves: int
    gaps: tuple[int, int]
    busy: int
    unreadable: int


def run(
    db: Database, load: Load, *, seconds: float, ids: int, moves: int, at_most: float = 120.0, once: int = 0
) -> Result:
    """Let everybody work for `seconds`, and on until `ids` are issued and `moves` made, but not over `at_most`."""
    dsn, repairing = db.dsn, prepare(db, load)
    jobs: list[tuple[Callable[..., Seen], tuple[Any, ...]]] = [
        *((insert_by_default, (dsn, load, seed)) for seed in range(2)),
        *((draw_in_the_application, (dsn, load, seed)) for seed in range(2, 4)),
        *((stay_in_transaction, (dsn, load, seed)) for seed in range(4, 4 + (load.idle > 0))),
        (insert_explicitly, (dsn, load, 5, once)),
        (watch, (dsn, load, 6)),
        *((repair, (repairing, load, seed)) for seed in range(7, 7 + load.repairers)),
    ]
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([__name__])
    stop, issued, moved = context.Event(), context.Value("q"), context.Value("q")
    with ProcessPoolExecutor(len(jobs), context, begin, (stop, issued, moved)) as pool:
        futures: list[Future[Seen]] = [pool.submit(job, *arguments) for job, arguments in jobs]
        started = time.monotonic()
        try:
            while (passed := time.monotonic() - started) < at_most:
                if wait(futures, 0.1, FIRST_EXCEPTION).done:
                    break
                if passed >= seconds and issued.value >= ids and moved.value >= moves:
                    break
        finally:
            stop.set()
        passed = time.monotonic() - started
        return summarize(load, passed, [future.result() for future in futures])


def prepare(db: Database, load: Load) -> str:
    """Make the tables, and return how the role that repairs them connects."""
    role = db.role()
    for table in load.tables:
        kind, cache = table.split("_")
        db.execute(f"""
            CREATE TABLE {table} ({COLUMNS[kind]});
            CREATE INDEX ON {table} (id);
            ALTER SEQUENCE {table}_id_seq CACHE {cache};
            INSERT INTO {table} DEFAULT VALUES;
        """)
        if load.role == "owner":
            db.execute(f"ALTER TABLE {table} OWNER TO {role}")
        else:
            db.execute(f"GRANT SELECT ON {table} TO {role}; GRANT SELECT, {load.role} ON {table}_id_seq TO {role}")
    return conninfo.make_conninfo(db.dsn, user=role)


def summarize(load: Load, seconds: float, sessions: list[Seen]) -> Result:
    issued = {table: [v for seen in sessions for v in seen.ids.get(table, ())] for table in load.tables}
    distinct = {table: set(values) for table, values in issued.items()}
    moves = {move for seen in sessions for move in seen.moves}
    if load.recipe is None:
        moves = {(table, target, gap) for table, target, gap in moves if target not in distinct[table]}
    waits = sorted(1000 * wait for seen in sessions for wait in seen.waits)
    percentiles = statistics.quantiles(waits, n=100)
    return Result(
        load=load,
        seconds=seconds,
        issued=sum(map(len, issued.values())),
        twice=sum(count_twice(values) for values in issued.values()),
        backward=sum(max(seen.descents.get(table, 0) for seen in sessions) for table in load.tables),
        p50=percentiles[49],
        p99=percentiles[98],
        longest=waits[-1],
        runs=sum(seen.runs for seen in sessions),
        moves=sum(len(seen.moves) for seen in sessions) if load.recipe else len(moves),
        gaps=(min((gap for *_, gap in moves), default=0), max((gap for *_, gap in moves), default=0)),
        busy=sum(seen.busy for seen in sessions),
        unreadable=sum(seen.unreadable for seen in sessions),
    )


def count_twice(values: list[int]) -> int:
    once: set[int] = set()
    return len({value for value in values if value in once or once.add(value)})  # type: ignore[func-returns-value]
