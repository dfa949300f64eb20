"""Reads many sequences at once, and finds those that cannot be read: they do not keep the others from it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from airflow_seqfix.core import queries
from airflow_seqfix.core.database.session import Session
from airflow_seqfix.core.errors import ConnectionFailedError, DeadlineError, LostBeforeError, sqlstate
from airflow_seqfix.core.measure.patience import PutOffError
from airflow_seqfix.core.model import Measurement, Server
from airflow_seqfix.core.obstacles import LOST_BEFORE, LOST_MEANWHILE, PUT_OFF, out_of_time, unreadable

#: While another session rewrites a sequence (ALTER SEQUENCE … RESTART), the file that a reader has just found can be
#: emptied under it: the server reports this, or returns no row. The read is retried so many times.
REWRITING = "XX001"
REWRITTEN = 4
#: What a read says that a lock keeps out for longer than `lock_timeout`.
LOCKED = "55P03"


class EmptyError(Exception):
    """The sequence was empty in the middle of a rewrite: retry."""

    sqlstate = REWRITING


Reader = Callable[[Session, Server, list[Measurement]], list[Measurement]]


def read_singly(session: Session, server: Server, chunk: list[Measurement], read: Reader) -> list[Measurement]:
    """Read a chunk; if that fails, split it until each failing sequence is alone."""
    try:
        for _ in range(REWRITTEN):
            try:
                return read(session, server, chunk)
            except Exception as error:
                if sqlstate(error) != REWRITING:
                    raise
        return read(session, server, chunk)
    except PutOffError:
        return [replace(m, obstacle=PUT_OFF) for m in chunk]
    except LostBeforeError:
        return [replace(m, obstacle=LOST_BEFORE) for m in chunk]
    except ConnectionFailedError:
        return [replace(m, obstacle=LOST_MEANWHILE) for m in chunk]
    except DeadlineError:
        return [replace(m, obstacle=out_of_time(session.limits)) for m in chunk]
    except Exception as error:
        if sqlstate(error) is None:
            raise
        culprits = chunk if len(chunk) == 1 else _kept_out(session, chunk, sqlstate(error))
        others = [measurement for measurement in chunk if measurement not in culprits]
        settled = [replace(m, obstacle=unreadable(m.sequence, error, session.limits, server)) for m in culprits]
        parts = [others] if culprits else _halves(chunk)
        return settled + [m for part in parts if part for m in read_singly(session, server, part, read)]


def _kept_out(session: Session, chunk: list[Measurement], state: str | None) -> list[Measurement]:
    """Return those that a lock keeps readers out of, where that is why they could not be read.

    To wait for each of them would be to wait as often as there are locks.
    """
    if state != LOCKED:
        return []
    try:
        blocked = {oid for (oid,) in session.rows_apart(queries.get("blocked"), oid=int)}
    except Exception as error:
        if sqlstate(error) is None and not isinstance(error, ConnectionFailedError | DeadlineError):
            raise
        # The next read tells.
        return []
    return [
        measurement
        for measurement in chunk
        if not blocked.isdisjoint([measurement.sequence.oid, *(c.table_oid for c in measurement.sequence.comparable)])
    ]


def _halves(chunk: list[Measurement]) -> list[list[Measurement]]:
    middle = len(chunk) // 2
    return [chunk[:middle], chunk[middle:]]
