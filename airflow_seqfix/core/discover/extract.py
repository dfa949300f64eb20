"""What a mapping says of the values of a column: a prefix, a filter, how many ids are made of one call."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from airflow_seqfix.core.discover.names import Name
from airflow_seqfix.core.errors import ArgumentError, SelectionError
from airflow_seqfix.core.model import ColumnInfo, Extract, Optimizer, SequenceInfo, TableInfo, Tie

MOST_IDS_PER_CALL = 1_000_000
KEYS = ("column", "prefix", "where", "ids_per_call", "optimizer")


def parse_extract(entry: Mapping[str, Any]) -> Extract:
    """Read an object of a mapping.

    :raises ArgumentError: when something in it is invalid.
    """

    def refuse(message: str, remedy: str) -> ArgumentError:
        return ArgumentError(message, option="mapping", remedy=remedy)

    for key in entry.keys() - set(KEYS):
        raise refuse(f"{key!r} is not known", f"give {', '.join(KEYS)}")
    prefix, where = entry.get("prefix", ""), entry.get("where", {})
    ids, optimizer = entry.get("ids_per_call", 1), entry.get("optimizer", "pooled")
    if not _is_text(prefix):
        raise refuse(f"prefix is {prefix!r}", "give a text")
    if not isinstance(where, Mapping) or not all(_is_plain(value) for value in where.values()):
        raise refuse(f"where is {where!r}", "give columns of the same table, each with a text or an integer")
    if type(ids) is not int or not 1 <= ids <= MOST_IDS_PER_CALL:
        raise refuse(f"ids_per_call is {ids!r}", f"give an integer from 1 to {MOST_IDS_PER_CALL}")
    if optimizer not in list(map(str, Optimizer)):
        raise refuse(f"optimizer is {optimizer!r}", f"give one of {', '.join(map(str, Optimizer))}")
    return Extract(
        prefix=prefix,
        where=tuple((str(name), str(value)) for name, value in where.items()),
        ids_per_call=ids,
        optimizer=Optimizer(optimizer),
        written=json.dumps(dict(entry)),
    )


def _is_plain(value: Any) -> bool:
    return type(value) is int or _is_text(value)


def _is_text(value: Any) -> bool:
    """Whether a server can have it: half of a surrogate pair, which JSON can hold, is in no encoding."""
    return isinstance(value, str) and "\0" not in value and not re.search("[\ud800-\udfff]", value)


def resolve_extract(extract: Extract, table: TableInfo) -> Extract:
    """Return it with the columns of its filter quoted as SQL needs them.

    :raises SelectionError: when the table has no such column.
    """
    where = []
    for written, value in extract.where:
        name = Name.parse(written, "columns")
        quoted = next((q for raw, q in zip(table.column_names, table.columns, strict=True) if name.matches(raw)), None)
        if quoted is None or name.is_pattern:
            raise SelectionError(
                f"where: {table.qualified_name} has no column {written}",
                option="mapping",
                remedy=f"its columns are {', '.join(table.columns)}",
            )
        where.append((quoted, value))
    return replace(extract, where=tuple(where))


def with_extracts(sequences: list[SequenceInfo], ties: Mapping[Tie, Extract | None]) -> list[SequenceInfo]:
    """Return the sequences with what the mapping says of their columns."""
    extracted = {oid for (oid, *_), extract in ties.items() if extract is not None}
    return [
        replace(s, columns=tuple(_with_extract(c, ties.get((s.oid, c.table_oid, c.column_number))) for c in s.columns))
        if s.oid in extracted
        else s
        for s in sequences
    ]


def _largest_call(largest_id: int, extract: Extract) -> int:
    """Return the last value of nextval() of which all ids fit."""
    ids = extract.ids_per_call
    if ids == 1:
        return largest_id
    match extract.optimizer:
        case Optimizer.POOLED_LO:
            return largest_id - ids + 1
        case Optimizer.HILO:
            return largest_id // ids
        case Optimizer.LEGACY_HILO:
            return (largest_id - ids) // (ids + 1)
    return largest_id


def _with_extract(column: ColumnInfo, extract: Extract | None) -> ColumnInfo:
    if extract is None or column.largest_value is None or column.smallest_value is None:
        return column
    if extract.prefix and not column.is_text:
        raise SelectionError(
            f"{column.qualified_name} is of type {column.data_type}, which has no prefix",
            option="mapping",
            remedy="leave the prefix out",
        )
    largest, smallest = column.largest_value, column.smallest_value
    if column.is_text:
        # Of a short text the digits that are left beside the prefix.
        digits = min(18, len(str(largest)) - len(extract.prefix) if largest < 10**18 else 18)
        largest, smallest = 10 ** max(digits, 0) - 1, 0
    column = replace(column, extract=extract, largest_value=_largest_call(largest, extract), smallest_value=smallest)
    return replace(column, has_index=column.has_index and column.is_in_order)
