"""Whether the catalogs have changed during the read."""

from __future__ import annotations

from airflow_seqfix.core import queries
from airflow_seqfix.core.database.answers import only
from airflow_seqfix.core.database.session import Session

#: How many catalog rows there are, and a digest of their versions.
Versions = tuple[int, str]

#: How often a sequence is read that changes during the read.
READS = 4
#: Seconds for this check in a run that is out of time, beside those that it should take.
OVERTIME = 0.5


def versions(session: Session, *, expected: float = 0.0) -> Versions:
    """Return the versions of all catalog rows that say what sequences are and feed, as others have committed them.

    :param expected: How many seconds it may take a run that is out of time.
    """
    with session.overtime(OVERTIME + expected):
        count, digest = only(session.rows_apart(queries.get("versions"), count=int, digest=str))
    return count, digest
