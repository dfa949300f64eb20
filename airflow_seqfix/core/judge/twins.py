"""Another sequence that hands out the same values into the same unique index. Pure.

Where two sequences of one column are both past its data, an insert through one takes what the other hands out next. So
no move brings a sequence to where another one works.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from airflow_seqfix.core.judge.arithmetic import is_beyond, steps_between, values_left
from airflow_seqfix.core.judge.goal import Goal, counts_steps, target_of
from airflow_seqfix.core.judge.rivals import NEAR_RIVAL
from airflow_seqfix.core.model import ColumnInfo, Measurement, SequenceInfo
from airflow_seqfix.core.policy import Follow, Policy


@dataclass(frozen=True, slots=True, kw_only=True)
class Twin:
    """Another sequence, and the column that both feed."""

    column: ColumnInfo
    #: What it hands out next; None: that could not be read.
    next_value: int | None


def twin_after(measurement: Measurement, goal: Goal, policy: Policy) -> Twin | None:
    """Return the sequence whose inserts work now, and would not after the move that the data need.

    What stood there before the run counts: of two that are both behind, the first move is no reason against the second.
    """
    if policy.outliers is Follow.FOLLOW or goal.is_by_source or not goal.least:
        return None
    next_value = target_of(measurement, goal.least) + measurement.sequence.increment_by
    return _twin(measurement, next_value, measurement.twins_at_first or measurement.twins, policy)


def twin_now(measurement: Measurement, policy: Policy) -> Twin | None:
    """Return the sequence that hands out what this one does, where the inserts of both work."""
    next_value = measurement.next_value
    if next_value is None or measurement.is_reached or not values_left(measurement.sequence, next_value):
        return None
    twin = _twin(measurement, next_value, measurement.twins, policy)
    return None if twin is None or twin.next_value is None else twin


def _twin(measurement: Measurement, next_value: int, twins: Sequence[int | None], policy: Policy) -> Twin | None:
    sequence = measurement.sequence
    if counts_steps(measurement, policy):
        return None
    for column, other, furthest in zip(sequence.comparable, twins, measurement.furthest, strict=False):
        if column.twin is None or not column.is_unique or column not in sequence.rivalled:
            continue
        far = furthest if measurement.furthest_of_all is None else measurement.furthest_of_all
        works = other is None or far is None or is_beyond(sequence, other, far)
        if works and not (other is not None and _is_apart(sequence, column, next_value, other)):
            return Twin(column=column, next_value=other)
    return None


def _is_apart(sequence: SequenceInfo, column: ColumnInfo, next_value: int, other: int) -> bool:
    """Whether something keeps the values of two sequences apart: a range that has not been left, or the steps."""
    assert column.twin_start is not None and column.twin_increment is not None
    return (
        is_beyond(sequence, column.twin_start, next_value)
        or is_beyond(sequence, sequence.start_value, other)
        or steps_between(sequence, next_value, other) > NEAR_RIVAL
        or (next_value - other) % math.gcd(sequence.increment_by, column.twin_increment) != 0
    )
