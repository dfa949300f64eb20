"""Kills repairs, and the server's side of them, in the middle of each phase, and looks at what they leave behind.

The long run, as a table: python -m tests.stress.chaos --kills 300 --backends 50 --freezes 5 --out docs/proof/chaos.md
"""

from __future__ import annotations

import argparse
import contextlib
import itertools
import multiprocessing
import os
import platform
import random
import signal
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from psycopg import conninfo

from airflow_seqfix import core
from tests.stress import killed
from tests.stress.killed import DRIFT, EXIT_CODES, HOLD, HOLD_SECONDS, LOCKED, PHASES, SCANNED_ROWS, SIGHT, phase_of
from tests.support.cluster import running, wheel_binaries
from tests.support.servers import WHEELS, Database, Server, database_on

#: After this many seconds the server itself ends what an idle client has left open (Session), and some for the load.
LEFT_OPEN = 10.0 + 5.0


@dataclass
class Chaos:
    """A database in which one repair after the other is struck."""

    db: Database
    rng: random.Random = field(default_factory=lambda: random.Random(1))
    struck: Counter[tuple[str, str]] = field(default_factory=Counter)
    missed: int = 0
    #: By phase and means, the longest time in seconds until the server had let go of everything.
    longest: dict[tuple[str, str], float] = field(default_factory=dict)
    inserts: int = 0

    def __post_init__(self) -> None:
        self.conn = self.db.connect()
        self.conn.execute(HOLD)
        for table, (column, _) in DRIFT.items():
            self.conn.execute(f"CREATE TABLE {table} ({column}); INSERT INTO {table} DEFAULT VALUES")
        self.conn.execute(f"INSERT INTO scanned SELECT FROM generate_series(1, {SCANNED_ROWS}); ANALYZE scanned")
        self.context = multiprocessing.get_context("forkserver")
        self.context.set_forkserver_preload([killed.__name__])

    def strike(self, phase: str, means: str) -> None:
        """Strike a repair in this phase; where it was over before, try again, and sooner."""
        for attempt in range(30):
            self._drift()
            before = self._positions()
            with self._holder() if PHASES[phase].held else contextlib.nullcontext():
                seconds = self._strike_one(phase, means, sights=1 + (PHASES[phase].sights >> attempt))
            self._look_after(before, f"{means} while {phase}")
            if seconds is not None:
                self.struck[phase, means] += 1
                self.longest[phase, means] = max(seconds, self.longest.get((phase, means), 0.0))
                return
            self.missed += 1
        raise AssertionError(f"no repair was met while {phase}")

    def _strike_one(self, phase: str, means: str, *, sights: int) -> float | None:
        """Return how long the server took to let go; None where it did not come to it.

        :param sights: At which sight of the phase to strike at the latest.
        """
        backend, moves = self.context.Value("i"), self.context.Value("i")
        driver = self.rng.choice(["psycopg", "psycopg2"])
        dsn = conninfo.make_conninfo(self.db.dsn, options=f"-c chaos.hold={PHASES[phase].hold}")
        child = self.context.Process(target=killed.repair, args=(dsn, driver, PHASES[phase].options, backend, moves))
        child.start()
        try:
            if not self._await(phase, self.rng.randint(1, sights), child, backend, moves):
                return None
            struck = time.monotonic()
            if means == "backend":
                self.conn.execute("SELECT pg_terminate_backend(%s)", [backend.value])
            else:
                os.kill(child.pid, signal.Signals[means])
            if means != "SIGSTOP":
                child.join(LEFT_OPEN)
            self._await_release(backend.value, lives_on=means == "SIGSTOP")
            seconds = time.monotonic() - struck
        finally:
            child.kill()
            child.join()
        if child.exitcode == 0:
            return None
        assert child.exitcode == EXIT_CODES[means], f"{driver}, {means} while {phase}: exit code {child.exitcode}"
        return seconds

    def _await(self, phase: str, sights: int, child: Any, backend: Any, moves: Any) -> bool:
        """Wait until the repair has been seen so often in the phase."""
        while child.is_alive():
            begun = moves.value
            found = self.conn.execute(SIGHT, [backend.value]).fetchone()
            sights -= found is not None and phase_of(found, begun) == phase
            if sights == 0:
                return True
            time.sleep(0.001)
        return False

    def _await_release(self, backend: int, *, lives_on: bool) -> None:
        give_up = time.monotonic() + LEFT_OPEN
        while found := self.conn.execute(SIGHT, [backend]).fetchone():
            state, *_, has_lock = found
            # Nor does a transaction that has failed hold anything.
            if lives_on and state in ("idle", "idle in transaction (aborted)") and not has_lock:
                return
            assert time.monotonic() < give_up, f"still there: {found}"
            time.sleep(0.002)

    @contextlib.contextmanager
    def _holder(self) -> Iterator[None]:
        """Keep a transaction open that has called nextval()."""
        with self.db.connect() as conn, conn.transaction():
            conn.execute("SELECT nextval('held_id_seq')")
            yield

    def _drift(self) -> None:
        for table, (_, gap) in DRIFT.items():
            self.conn.execute(
                f"INSERT INTO {table} OVERRIDING SYSTEM VALUE SELECT last_value + seqincrement * {gap}"
                f" FROM {table}_id_seq, pg_sequence WHERE seqrelid = '{table}_id_seq'::regclass"
            )

    def _positions(self) -> dict[str, int]:
        """Return how far each sequence has come in its direction."""
        query = " UNION ALL ".join(
            f"SELECT '{table}', sign(seqincrement)::bigint * (2 * last_value) + is_called::int"
            f" FROM {table}_id_seq, pg_sequence WHERE seqrelid = '{table}_id_seq'::regclass"
            for table in DRIFT
        )
        return dict(self.conn.execute(query).fetchall())

    def _look_after(self, before: dict[str, int], what: str) -> None:
        lower = {table for table, position in self._positions().items() if position < before[table]}
        assert not lower, f"{what}: set back: {lower}"
        # A new session: one that has drawn from `cached` may go on with what it holds (SequenceWarning.CACHED).
        with self.db.connect() as conn:
            report = core.fix(conn, **LOCKED)
            assert not report.failing, f"{what}: {report.failing}"
            for table in DRIFT:
                furthest = "min" if table == "down" else "max"
                ((is_beyond,),) = conn.execute(
                    f"INSERT INTO {table} DEFAULT VALUES RETURNING abs(id) > abs((SELECT {furthest}(id) FROM {table}))"
                ).fetchall()
                assert is_beyond, f"{what}: a default insert into {table} took an id within the data"
                self.inserts += 1

    def close(self) -> None:
        self.conn.close()


def targets(kills: int, backends: int, freezes: int) -> Iterator[tuple[str, str]]:
    """Give phases and means in turn, so that each phase gets its share of each."""
    signals = itertools.product(("SIGKILL", "SIGTERM", "SIGINT"), PHASES)
    yield from ((phase, means) for means, phase in itertools.islice(itertools.cycle(signals), kills))
    yield from ((phase, "backend") for phase in itertools.islice(itertools.cycle(PHASES), backends))
    yield from ((phase, "SIGSTOP") for phase in itertools.islice(itertools.cycle(PHASES), freezes))


PAGE = """\
# Repairs that are killed

A repair that is killed in each of its phases: {total} times.

Made with `{command}` on PostgreSQL {version}, {cores} cores, Python {python}.

A process repairs {sequences} sequences that are behind, some far, one with CACHE, one descending, one whose column has
no index. When the server shows the phase, the process gets a signal, or its session ends by `pg_terminate_backend()`.
The drivers psycopg 3 and psycopg2 alternate at random. After each kill:

- no sequence is lower than before, in its direction: {total} of {total};
- the server has released every lock and transaction (in brackets: the longest time, in seconds);
- a second repair finishes, and the next default insert into each table gets an id beyond the data:
  {inserts:,} of {inserts:,} inserts.

| killed while | {means} |
|---|{dashes}|
{rows}

[Network failures](chaos-network.md) have their own page.

A repair holds a lock for less than a millisecond; for the test an event trigger holds it for {hold:g} s. If the client
is killed while it waits for a lock or holds one, the server continues until `lock_timeout` or the end of the
statement. A stopped client (SIGSTOP) keeps the tables that it has read locked, against DDL only, until
`idle_in_transaction_session_timeout`, 10 s. It keeps no sequence locked: the round trip that takes the lock releases
it.
"""

HEADINGS = {"backend": "session terminated"}


def page(chaos: Chaos, command: str, version: str) -> str:
    means = [name for name in EXIT_CODES if any(struck == name for _, struck in chaos.struck)]

    def cell(phase: str, name: str) -> str:
        return f"{chaos.struck[phase, name]} ({chaos.longest.get((phase, name), 0):.2f})"

    return PAGE.format(
        total=chaos.struck.total(),
        command=command,
        version=version,
        cores=os.cpu_count(),
        python=platform.python_version(),
        sequences=len(DRIFT),
        inserts=chaos.inserts,
        means=" | ".join(HEADINGS.get(name, name) for name in means),
        dashes="---:|" * len(means),
        rows="\n".join(f"| {phase} | {' | '.join(cell(phase, name) for name in means)} |" for phase in PHASES),
        hold=HOLD_SECONDS,
    ).replace("---:||", "---:|")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=300, help="how often the repairing process is killed")
    parser.add_argument("--backends", type=int, default=50, help="how often its session is terminated on the server")
    parser.add_argument("--freezes", type=int, default=5, help="how often it is stopped and left so; 10 s each")
    parser.add_argument("--out", type=Path, help="the file to write")
    arguments = parser.parse_args()
    with running(wheel_binaries(WHEELS["pg18"])) as cluster:
        with cluster.connect() as conn:
            server = Server(cluster.dsn, conn.info.server_version, cluster)
            version = conn.execute("SHOW server_version").fetchone()[0]
        with database_on(server) as db, contextlib.closing(Chaos(db)) as chaos:
            for phase, means in targets(arguments.kills, arguments.backends, arguments.freezes):
                chaos.strike(phase, means)
    command = (
        f"python -m tests.stress.chaos --kills {arguments.kills} --backends {arguments.backends}"
        f" --freezes {arguments.freezes} --out docs/proof/chaos.md"
    )
    text = page(chaos, command, version)
    print(text)
    print(f"tries that came too late: {chaos.missed}")
    if arguments.out:
        arguments.out.write_text(text)


if __name__ == "__main__":
    main()
