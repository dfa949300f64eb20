"""Which sequences one statement reads."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from operator import itemgetter
from typing import TypeVar

from airflow_seqfix.core.measure.partitions import RELATIONS_AT_ONCE, columns_and_relations, cut, is_wide
from airflow_seqfix.core.measure.patience import AT_ONCE, Owners, Patience, owners
from airflow_seqfix.core.model import ColumnInfo, SequenceInfo

#: A column without an index and with more rows than this is read in a statement of its own.
SLOW_ROWS = 100_000
Item = TypeVar("Item")


def slowest(chunk: list[SequenceInfo]) -> ColumnInfo:
    """Return the column that is likely to take longest: the largest without an index, else the largest."""
    columns = [column for sequence in chunk for column in sequence.comparable]
    return max(columns, key=lambda column: (not column.has_index, column.estimated_rows))


def chunks(items: list[Item], sequence: Callable[[Item], SequenceInfo], patience: Patience) -> Iterator[list[Item]]:
    """Cut the work into statements, few owners in each; what may take long gets one of its own."""
    groups: dict[tuple[int, Owners], list[Item]] = {}
    alone: list[list[Item]] = []
    for item in sorted(items, key=lambda item: owners(sequence(item))):
        tried = patience.tried(sequence(item)) > 0
        if is_wide(sequence(item)) or any(_is_slow(column, tried=tried) for column in sequence(item).comparable):
            alone.append([item])
        else:
            groups.setdefault(patience.together(sequence(item)), []).append(item)
    for (tried_before, _), together in sorted(groups.items(), key=itemgetter(0)):
        most = (AT_ONCE[tried_before], RELATIONS_AT_ONCE)
        yield from cut(together, lambda item: columns_and_relations(sequence(item)), most=most)
    yield from alone


def _is_slow(column: ColumnInfo, *, tried: bool) -> bool:
    return not column.has_index and (tried or column.estimated_rows > SLOW_ROWS)
