"""What many deferred sensors cost one triggerer: python -m benchmarks.triggerer --out docs/proof/triggerer.md

Each row is a process of its own with one event loop, which is what a triggerer is, and with the triggers as they come
back from storage. Their database is behind, so that none of them ends before it is told to.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import platform
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import psycopg
from psycopg import conninfo

from benchmarks.proxy import delayed
from tests.support.cluster import running, wheel_binaries
from tests.support.servers import WHEELS, Server, database_on

COUNTS = (1, 50, 200, 500)
#: How often each sensor looks, and for how long it is watched, in seconds.
INTERVAL, SECONDS = 10.0, 25.0
#: What a message takes to the server and back where logins are slow, in seconds: a login needs several.
SLOW = 0.2

SESSIONS = """
    SELECT count(*) FROM pg_stat_activity
     WHERE datname = current_database() AND backend_type = 'client backend' AND pid <> pg_backend_pid()
"""


class Watch:
    """The most that was seen of each."""

    def __init__(self, dsn: str) -> None:
        self._dsn = dsn
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._look)
        self.connections = 0
        self.threads = 0
        self.blocked = 0.0

    def __enter__(self) -> Watch:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopped.set()
        self._thread.join()

    def _look(self) -> None:
        with psycopg.connect(self._dsn, autocommit=True) as conn:
            while not self._stopped.wait(0.05):
                ((sessions,),) = conn.execute(SESSIONS).fetchall()
                self.connections = max(self.connections, sessions)
                # Without the main thread and this one.
                self.threads = max(self.threads, threading.active_count() - 2)

    async def heartbeat(self) -> None:
        """See for how long nobody but one had the event loop."""
        while True:
            begun = time.perf_counter()
            await asyncio.sleep(0.005)
            self.blocked = max(self.blocked, time.perf_counter() - begun - 0.005)


def measured(dsn: str, count: int, seconds: float, interval: float) -> dict[str, Any]:
    """Run so many triggers for some seconds, in this process."""
    import resource

    from airflow_seqfix.triggers import looking
    from airflow_seqfix.triggers.postgres import PostgresSequenceTrigger

    stored: dict[str, Any] = {
        "conn_id": "watched",
        "database": None,
        "hook_params": None,
        "options": {"jobs": 1},
        "poke_interval": interval,
    }
    looks = []
    look = looking._check

    def counted(*arguments: Any) -> Any:
        looks.append(time.monotonic())
        return look(*arguments)

    looking._check = counted

    async def one(trigger: PostgresSequenceTrigger) -> str:
        event = await anext(aiter(trigger.run()))
        return str(event.payload["status"])

    async def all_of_them(watch: Watch) -> list[str]:
        heart = asyncio.ensure_future(watch.heartbeat())
        deadline = time.time() + seconds
        triggers = [PostgresSequenceTrigger(**stored, deadline=deadline) for _ in range(count)]
        ends = await asyncio.gather(*map(one, triggers))
        heart.cancel()
        return ends

    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with Watch(dsn) as watch:
        ends = asyncio.run(all_of_them(watch))
    return {
        "connections": watch.connections,
        "threads": watch.threads,
        "blocked": watch.blocked,
        "memory": (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024,
        "looks": len(looks),
        "ends": {end: ends.count(end) for end in sorted(set(ends))},
    }


def uri(dsn: str) -> str:
    part = conninfo.conninfo_to_dict(dsn)
    return f"postgres://{part['user']}@{part['host']}:{part['port']}/{part['dbname']}"


def run_apart(dsn: str, through: str, count: int, seconds: float, interval: float) -> dict[str, Any]:
    """Measure in a process of its own."""
    command = [sys.executable, "-m", "benchmarks.triggerer", "--one", dsn, str(count), str(seconds), str(interval)]
    done = subprocess.run(
        command, env=os.environ | {"AIRFLOW_CONN_WATCHED": through}, stdout=subprocess.PIPE, text=True, check=True
    )
    result: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return result


PAGE = """\
# Many deferred sensors in one triggerer

Made with `python -m benchmarks.triggerer --out docs/proof/triggerer.md` on PostgreSQL {version}, {cores} cores,
Python {python}.

A triggerer is one event loop. All its deferred sensors share {at_once} threads, each with one connection at a time; set
`[seqfix] looks_at_once` in Airflow's configuration to change that. Other sensors wait on the loop. During a look, each
thread has another beside it, the [clock](../reference/settings.md#the-clients-own-clock).

The first look comes at random after a quarter to the whole of `poke_interval`, and later looks vary by a tenth, so a
restarted triggerer does not check everything at once. [What a failed look
does](../howto/when-a-task-fails.md#how-the-sensor-ends).

Each row is a separate process. All sensors start at the same moment, as after a restart, check a database that is
behind every {interval:g} s, and run for {seconds:g} s. *Slow logins*: the round trip takes {slow:g} s. *Connections*
and *threads* are peaks; *blocked* is the longest time that the event loop was blocked, including the imports of the
first look; *memory* is the growth of the process.

| sensors | logins | connections | threads | loop blocked (ms) | memory (MB) | looks | ended at the deadline |
|---:|---|---:|---:|---:|---:|---:|---:|
{rows}
"""


def page(rows: list[str], version: str) -> str:
    from airflow_seqfix.triggers.looking import LOOKS_AT_ONCE

    return PAGE.format(
        version=version,
        cores=os.cpu_count(),
        python=platform.python_version(),
        at_once=LOOKS_AT_ONCE,
        interval=INTERVAL,
        seconds=SECONDS,
        slow=SLOW,
        rows="\n".join(rows),
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--one", nargs=4, metavar=("DSN", "COUNT", "SECONDS", "INTERVAL"), help=argparse.SUPPRESS)
    parser.add_argument("--out", type=Path, help="the file to write")
    arguments = parser.parse_args()
    if arguments.one:
        dsn, count, seconds, interval = arguments.one
        print(json.dumps(measured(dsn, int(count), float(seconds), float(interval))))
        return
    rows = []
    with running(wheel_binaries(WHEELS["pg18"])) as cluster:
        with cluster.connect() as conn:
            server = Server(cluster.dsn, conn.info.server_version, cluster)
            version = conn.execute("SHOW server_version").fetchone()[0]  # type: ignore[index]
        with database_on(server) as db:
            db.execute("CREATE TABLE t (id serial PRIMARY KEY); INSERT INTO t SELECT generate_series(1, 100)")
            part = conninfo.conninfo_to_dict(db.dsn)
            for kind in ("quick", "slow"):
                for count in COUNTS:
                    with delayed(str(part["host"]), int(str(part["port"])), SLOW) as line:
                        through = uri(conninfo.make_conninfo(db.dsn, port=line.port) if kind == "slow" else db.dsn)
                        seen = run_apart(db.dsn, through, count, SECONDS, INTERVAL)
                    ended = seen["ends"].get("timeout", 0)
                    rows.append(
                        f"| {count} | {kind} | {seen['connections']} | {seen['threads']} | {seen['blocked'] * 1000:.0f}"
                        f" | {seen['memory']:.0f} | {seen['looks']} | {ended} of {count} |"
                    )
                    print(rows[-1], flush=True)
    text = page(rows, version)
    if arguments.out:
        arguments.out.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
