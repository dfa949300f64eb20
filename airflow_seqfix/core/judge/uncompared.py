"""Columns that draw from a sequence, and whose values cannot be compared: how far they can follow it. Pure.

Nobody knows which of the values they have. Where their type ends is known, though not what an expression makes of a
value: the end counts only where a move would go beyond it.
"""

from __future__ import annotations

from dataclasses import replace

from airflow_seqfix.core.model import ColumnInfo, Feed, SequenceInfo

#: The feeds whose values are not compared, whatever the type is.
FEEDS = (Feed.WRAPPED, Feed.VIEW)


def uncompared(sequence: SequenceInfo) -> tuple[ColumnInfo, ...]:
    """Return them as if each value that is drawn landed in them, and they took every value again."""
    return tuple(
        replace(column, feed=Feed.MAPPING, is_unique=False, is_unique_throughout=False)
        for column in sequence.columns
        if column.feed in FEEDS
        and column.is_trusted
        and not column.is_covered
        and None not in (column.smallest_value, column.largest_value)
    )
