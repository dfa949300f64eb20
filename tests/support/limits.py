"""Where the columns of a database end, as a check sees them."""

from __future__ import annotations

from airflow_seqfix import core
from tests.support.servers import Database

ALL = 2**63 - 1


def ends(db: Database) -> dict[str, tuple[int, int]]:
    """Return the first and the last value that fit the columns of t_0, t_1 …, as a check sees them."""
    with db.connect() as conn:
        found = core.check(conn, tables=["public.t_*"]).rows
    return {
        column.table_name: (row.finding.sequence.lowest, row.finding.sequence.highest)
        for row in found
        for column in row.finding.sequence.columns
    }
