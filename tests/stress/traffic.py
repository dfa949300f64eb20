"""Writers, explicit ids and repairs on the same sequences at the same time; every id that nextval() returns is kept.

An id is issued twice when nextval() returned it twice since the table was made: the sequence has been set back. The
tables have no unique constraint, so that such an id lands and is counted instead of undoing its statement.
"""

from __future__ import annotations

import multiprocessing
import statistics
import time
from collections.abc import Callable
from concurrent.futures import FIRST_EXCEPTION, Future, ProcessPoolExecutor, wait
from dataclasses import dataclass
from typing import Any

from psycopg import conninfo

from tests.stress import sessions
from tests.stress.catalogs import SCHEMAS
from tests.stress.loads import COLUMNS, Load
from tests.stress.sessions import Seen
from tests.support.servers import Database


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
    #: Pieces of DDL; verdicts `unknown` and moves refused, most of them for what DDL had changed.
    changes: int
    refused: int


def run(
    db: Database, load: Load, *, seconds: float, ids: int, moves: int, at_most: float = 120.0, once: int = 0
) -> Result:
    """Let everybody work for `seconds`, and on until `ids` are issued and `moves` made, but not over `at_most`."""
    dsn, repairing = db.dsn, prepare(db, load)
    jobs: list[tuple[Callable[..., Seen], tuple[Any, ...]]] = [
        *((sessions.insert_by_default, (dsn, load, seed)) for seed in range(2)),
        *((sessions.draw_in_the_application, (dsn, load, seed)) for seed in range(2, 4)),
        *((sessions.stay_in_transaction, (dsn, load, seed)) for seed in range(4, 4 + (load.idle > 0))),
        (sessions.insert_explicitly, (dsn, load, 5, once)),
        (sessions.watch, (dsn, load, 6)),
        *((sessions.change_catalogs, (dsn, load, 20)) for _ in range(load.ddl)),
        *((sessions.repair, (repairing, load, seed)) for seed in range(7, 7 + load.repairers)),
    ]
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([sessions.__name__])
    stop, issued, moved = context.Event(), context.Value("q"), context.Value("q")
    with ProcessPoolExecutor(len(jobs), context, sessions.begin, (stop, issued, moved)) as pool:
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
    db.execute(
        "; ".join(f"CREATE SCHEMA IF NOT EXISTS {s}; GRANT USAGE, CREATE ON SCHEMA {s} TO PUBLIC" for s in SCHEMAS)
    )
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
        changes=sum(seen.changes for seen in sessions),
        refused=sum(seen.refused for seen in sessions),
    )


def count_twice(values: list[int]) -> int:
    once: set[int] = set()
    return len({value for value in values if value in once or once.add(value)})  # type: ignore[func-returns-value]
