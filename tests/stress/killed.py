"""The repair that gets struck, in a process of its own, and how it looks from outside."""

from __future__ import annotations

import os
import signal
from dataclasses import dataclass
from typing import Any

import psycopg
import psycopg2

from airflow_seqfix import core

#: By table, its column and how many values it falls behind.
DRIFT = {
    "cached": ("id bigint GENERATED ALWAYS AS IDENTITY (CACHE 50) PRIMARY KEY", 1_000),
    "down": ("id bigint GENERATED ALWAYS AS IDENTITY (INCREMENT -1) PRIMARY KEY", 100),
    "held": ("id bigserial PRIMARY KEY", 100),
    "large": ("id bigserial PRIMARY KEY", 400_000),
    # Without an index, so that reading it takes a while.
    "scanned": ("id bigserial", 100),
    **{f"small_{number}": ("id serial PRIMARY KEY", 100) for number in range(10)},
}
SCANNED_ROWS = 400_000

#: The lock is held for less than a millisecond, which nobody can aim at: an event trigger holds it for longer.
HOLD = """
    CREATE FUNCTION hold() RETURNS event_trigger LANGUAGE plpgsql AS $$
    BEGIN
        PERFORM pg_sleep(coalesce(nullif(current_setting('chaos.hold', true), ''), '0')::float);
    END $$;
    CREATE EVENT TRIGGER hold ON ddl_command_end WHEN TAG IN ('ALTER SEQUENCE') EXECUTE FUNCTION hold();
"""
HOLD_SECONDS = 0.2

#: How a session that repairs is seen from outside.
SIGHT = """
    SELECT a.state, a.wait_event_type = 'Lock', a.query,
           EXISTS (SELECT FROM pg_locks l JOIN pg_sequence q ON q.seqrelid = l.relation
                    WHERE l.pid = a.pid AND l.granted AND l.mode = 'AccessExclusiveLock'),
           EXISTS (SELECT FROM pg_locks l WHERE l.pid = a.pid AND l.locktype = 'relation')
      FROM pg_stat_activity a
     WHERE a.pid = %s
"""

#: How the child tells that it was interrupted, or has lost its connection.
INTERRUPTED, LOST = 40, 41

EXIT_CODES = {
    "SIGKILL": -signal.SIGKILL,
    "SIGTERM": -signal.SIGTERM,
    "SIGINT": INTERRUPTED,
    "backend": LOST,
    "SIGSTOP": -signal.SIGKILL,
}


@dataclass(frozen=True, kw_only=True)
class Phase:
    """Where to strike."""

    options: dict[str, Any]
    #: How often it is seen at most before it is struck.
    sights: int
    held: bool = False
    hold: float = 0.0


LOCKED = {"lock": "sequence"}
PHASES = {
    "measuring": Phase(options=LOCKED, sights=10),
    "waiting for the lock": Phase(options=LOCKED, sights=20, held=True),
    "holding the lock": Phase(options=LOCKED, sights=100, hold=HOLD_SECONDS),
    "advancing": Phase(options={"lock": "none"}, sights=50),
    "verifying": Phase(options=LOCKED, sights=10),
}


def phase_of(sight: tuple[Any, ...], moves: int) -> str | None:
    state, is_waiting, query, is_holding, _ = sight
    if is_holding:
        return "holding the lock"
    if is_waiting:
        return "waiting for the lock" if "OWNER TO" in query else None
    if state == "active" and "-- Call nextval() as long as" in query:
        return "advancing"
    if state == "active" and "\nSELECT 0, " in query:
        return "verifying" if moves else "measuring"
    return None


def repair(dsn: str, driver: str, options: dict[str, Any], backend: Any, moves: Any) -> None:
    """Repair, in a process of its own, and tell how far it is."""
    # A shell's background jobs ignore it.
    signal.signal(signal.SIGINT, signal.default_int_handler)

    def begun(progress: core.Progress) -> None:
        moves.value += progress.phase == "move" and progress.current is not None and progress.values_done == 0

    conn = psycopg2.connect(dsn) if driver == "psycopg2" else psycopg.connect(dsn)
    backend.value = conn.info.backend_pid
    code = 0
    try:
        core.fix(conn, progress=begun, **options)
    except KeyboardInterrupt:
        # psycopg 3 closes a connection whose statement fails while it is being cancelled.
        assert conn.closed or conn.info.transaction_status == 0, "a client that lives on has nothing left open"
        code = INTERRUPTED
    except core.ConnectionFailedError:
        code = LOST
    os._exit(code)
