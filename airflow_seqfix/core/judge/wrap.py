"""Identity columns that are narrower than their sequence: inserts do not fail at the end, they wrap around. Pure.

A default, and an assignment in a trigger, cast what nextval() returns, and the cast fails where it does not fit. An
identity column takes the low bytes of it, without a look at the rest: ExecEvalNextValueExpr() in execExprInterp.c.
"""

from __future__ import annotations

from dataclasses import dataclass

from airflow_seqfix.core.judge.arithmetic import calls_within
from airflow_seqfix.core.judge.goal import target_of
from airflow_seqfix.core.judge.limits import TYPE_BOUNDS, bound_of
from airflow_seqfix.core.model import ColumnInfo, Measurement, SequenceInfo


@dataclass(frozen=True, slots=True, kw_only=True)
class Wrap:
    """An identity column, and what an insert gets in place of a value that it does not hold."""

    column: ColumnInfo
    value: int


def identity_of(sequence: SequenceInfo) -> ColumnInfo | None:
    """Return the identity column of a sequence; None: there is none, or the server names a type that none has."""
    return next((c for c in sequence.comparable if c.is_identity and c.data_type in TYPE_BOUNDS), None)


def wraps_now(measurement: Measurement) -> Wrap | None:
    """Return what the next insert gets; None: no value wraps around."""
    assert measurement.next_value is not None
    return _wrap(measurement.sequence, measurement.next_value, 1)


def wraps_after(measurement: Measurement, calls: int) -> Wrap | None:
    """Return what an insert would get after a move of so many calls, which may end with a whole CACHE of values."""
    sequence = measurement.sequence
    return _wrap(sequence, target_of(measurement, calls) + sequence.increment_by, sequence.cache_size)


def _wrap(sequence: SequenceInfo, first: int, count: int) -> Wrap | None:
    """Look at the last of some values; those that the sequence does not reach fail."""
    count = min(count, calls_within(sequence, first, bound_of(sequence)))
    identity = identity_of(sequence)
    if identity is None or count == 0:
        return None
    low, high = TYPE_BOUNDS[identity.data_type]
    last = first + (count - 1) * sequence.increment_by
    return None if low <= last <= high else Wrap(column=identity, value=(last - low) % (high - low + 1) + low)
