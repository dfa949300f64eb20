"""How many connections a run opens where it was not told: `jobs="auto"`."""

from __future__ import annotations

from airflow_seqfix.core import queries
from airflow_seqfix.core.database.session import Session

#: So many pieces of work, of up to 50 columns or moves each, are worth a connection.
WORK_EACH = 20
#: More share a client's processor.
MOST = 4
#: One in so many of the connections that the server still takes: applications need the others.
SHARE = 10


def connections_for(work: int, session: Session, *, already: int) -> int:
    """Return how many connections are to share the pieces of work.

    :param session: One of those that are open.
    :param already: How many are open: they are used, however little there is to do for each.
    :raises SeqfixError: when the server does not answer.
    """
    worth = min(MOST, work // WORK_EACH)
    if worth <= already:
        return already
    free: int = session.rows_apart(queries.get("room"), free=int)[0][0]
    return min(worth, already + max(0, free) // SHARE)
