"""Open writers: rows of an open transaction are invisible to min() and max()."""

from __future__ import annotations

import time

from airflow_seqfix.core import queries
from airflow_seqfix.core.database.session import Session

#: How often to look whether a transaction has ended, in seconds.
LOOK_EVERY = 0.2

#: The transactions that have written to a table, by the table's OID.
Writers = dict[int, frozenset[str]]


def open_writers(session: Session, tables: frozenset[int]) -> Writers:
    """Return the open transactions that hold a writer's lock on `tables`."""
    found: dict[int, set[str]] = {}
    for table_oid, transaction in session.rows_apart(queries.get("writers"), table_oid=int, transaction=str):
        if table_oid in tables:
            found.setdefault(table_oid, set()).add(transaction)
    return {table_oid: frozenset(transactions) for table_oid, transactions in found.items()}


def wait_for_writers(session: Session, tables: frozenset[int], seconds: float) -> Writers:
    """Wait until the transactions that write to `tables` now have ended, and return those that have not.

    It holds no lock while it waits, and does not wait for transactions that begin later: there may always be some.
    """
    # Some time is left for the reading that comes next.
    give_up = time.monotonic() + min(seconds, 0.9 * session.seconds_left)
    waiting = open_writers(session, tables)
    while waiting and (left := give_up - time.monotonic()) > 0:
        session.pause(min(LOOK_EVERY, left))
        still = open_writers(session, tables)
        waiting = {
            table_oid: stayed
            for table_oid, transactions in waiting.items()
            if (stayed := transactions & still.get(table_oid, frozenset()))
        }
    return waiting
