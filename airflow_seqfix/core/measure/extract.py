"""The SQL that takes from a mapped column what nextval() must have returned for it. Pure.

A call here is the value that one call of nextval() returned, an id what the application made of it.
"""

from __future__ import annotations

from airflow_seqfix.core.model import ColumnInfo, Extract, Optimizer
from airflow_seqfix.core.model.quoted import literal

#: Digits behind a prefix; zeros may fill them up.
DIGITS = "^[0-9]{1,18}$"


def extracted(column: ColumnInfo, extract: Extract) -> str:
    """Return a number, or NULL where the row does not count."""
    value = f"t.{column.quoted_column}"
    conditions = [f"t.{name} = {literal(wanted)}" for name, wanted in extract.where]
    if column.is_text:
        # Not every collation knows patterns.
        text = f'{value}::text COLLATE "C"'
        digits = f"substr({text}, {len(extract.prefix) + 1})"
        conditions += [f"starts_with({text}, {literal(extract.prefix)})", f"{digits} ~ '{DIGITS}'"]
        value = f"{digits}::numeric"
    elif column.base_type == "oid":
        # It has no cast to numeric.
        value = f"{value}::bigint"
    value = last_call(value, extract)
    return f"CASE WHEN {' AND '.join(conditions)} THEN {value} END" if conditions else f"({value})"


def last_call(value: str, extract: Extract) -> str:
    """Return the last call of which an id up to this one can have been made."""
    ids = extract.ids_per_call
    if ids == 1:
        return value
    match extract.optimizer:
        case Optimizer.POOLED:
            return f"{value}::numeric + {ids - 1}"
        case Optimizer.HILO:
            return f"ceil({value}::numeric / {ids})"
        case Optimizer.LEGACY_HILO:
            return f"floor({value}::numeric / {ids + 1})"
    return value


def ids_between(low: int, high: int, extract: Extract) -> tuple[int, int]:
    """Return the smallest and the largest id whose `last_call()` lies between two calls."""
    return extract.ids_of(low)[0], extract.ids_of(high)[1]
