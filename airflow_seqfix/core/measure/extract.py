"""The SQL that takes from a mapped column what nextval() must have returned for it. Pure."""

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
        conditions += [f"starts_with({value}::text, {literal(extract.prefix)})", f"{digits} ~ '{DIGITS}'"]
        value = f"{digits}::numeric"
    value = _last_call(value, extract)
    return f"CASE WHEN {' AND '.join(conditions)} THEN {value} END" if conditions else f"({value})"


def _last_call(value: str, extract: Extract) -> str:
    """Return the last value of nextval() of which an id up to this one can have been made."""
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
