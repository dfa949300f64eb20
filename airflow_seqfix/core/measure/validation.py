"""Whether the catalogs have changed during the read."""

from __future__ import annotations

from airflow_seqfix.core import queries
from airflow_seqfix.core.database.answers import only
from airflow_seqfix.core.database.session import Session

#: How many catalog rows there are, and a digest of their versions.
Versions = tuple[int, str]

#: How often a sequence is read that changes during the read.
READS = 4
#: Seconds for this check in a run that is out of time.
OVERTIME = 5.0


def versions(session: Session) -> Versions:
    """Return the versions of all catalog rows that say what sequences are and feed, as others have committed them."""
    with session.overtime(OVERTIME):
        count, digest = only(session.rows_apart(queries.get("versions"), count=int, digest=str))
    return count, digest
