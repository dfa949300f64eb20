"""Why a move would do harm: what it would leave for inserts, and what it would pass. Pure."""

from __future__ import annotations

from dataclasses import dataclass, replace

from airflow_seqfix.core.judge.arithmetic import (
    calls_within,
    first_to_come,
    is_beyond,
    steps_between,
    values_left,
)
from airflow_seqfix.core.judge.goal import Goal, target_of
from airflow_seqfix.core.judge.rivals import enters_rival
from airflow_seqfix.core.judge.shortage import outweighs, too_little
from airflow_seqfix.core.judge.uncompared import uncompared
from airflow_seqfix.core.model import ColumnInfo, Measurement, SequenceInfo
from airflow_seqfix.core.policy import Follow, Policy


@dataclass(frozen=True, slots=True, kw_only=True)
class Harm:
    """Why a move is not made by default."""

    #: The values that it would leave, as the end of a sentence.
    leaves: str
    #: The longest run of values that it would pass and that inserts can still use; None: could not be counted.
    free_in_a_row: int | None
    #: The column whose inserts those are.
    column: ColumnInfo
    #: The sequence as inserts into that column see it.
    sequence: SequenceInfo
    #: Whether its values are known.
    is_compared: bool = True
    #: The CHECK constraint that is not read, and may end the column; None: it is known where the column ends.
    check: str | None = None


def harm_of(measurement: Measurement, goal: Goal, policy: Policy) -> Harm | None:
    """Return why a move would do harm; None: it would not.

    It does harm if too few values are left for inserts into any one of the columns, and enough would be without it. The
    margin does not count: `goal_of()` has dropped one that does harm.
    """
    is_wanted = policy.outliers is Follow.FOLLOW and not enters_rival(measurement, goal.calls)
    if is_wanted or goal.is_by_source or not goal.least:
        return None
    harm = _to_compared(measurement, goal, policy) if is_short(measurement, goal, policy) else None
    return harm or _to_checked(measurement, goal) or _to_uncompared(measurement, goal, policy)


def _to_compared(measurement: Measurement, goal: Goal, policy: Policy) -> Harm | None:
    unread = None
    for place, column in enumerate(measurement.sequence.comparable):
        alone = seen_by(measurement.sequence, column)
        left, free = _left_after(alone, measurement, goal.least), _free_in_a_row(measurement, goal, place)
        leaves = too_little(alone, left, policy)
        if leaves is None:
            continue
        harm = Harm(leaves=leaves, free_in_a_row=free, column=column, sequence=alone)
        if free is None:
            unread = unread or harm
        elif outweighs(free, alone, left, policy):
            return harm
    return unread


def _to_checked(measurement: Measurement, goal: Goal) -> Harm | None:
    """Look at the columns that a CHECK may end anywhere: any free value may be the last that inserts can use."""
    for place, column in enumerate(measurement.sequence.comparable):
        free = _free_in_a_row(measurement, goal, place) if column.unread_check else 0
        if free != 0:
            alone = seen_by(measurement.sequence, column)
            return Harm(leaves="", free_in_a_row=free, column=column, sequence=alone, check=column.unread_check)
    return None


def _to_uncompared(measurement: Measurement, goal: Goal, policy: Policy) -> Harm | None:
    """Look at the columns of which nobody knows the values, as if all that a move passes were free in them."""
    for column in uncompared(measurement.sequence):
        alone = seen_by(measurement.sequence, column)
        left, passed = _left_after(alone, measurement, goal.least), _passed(alone, measurement, goal)
        if outweighs(passed, alone, left, policy):
            leaves = too_little(alone, left, policy) or ""
            return Harm(leaves=leaves, free_in_a_row=passed, column=column, sequence=alone, is_compared=False)
    return None


def is_short(measurement: Measurement, goal: Goal, policy: Policy) -> bool:
    """Whether a move that the data need would leave too few values that fit all columns.

    More than it passes cannot be free.
    """
    sequence = measurement.sequence
    left = _left_after(sequence, measurement, goal.least)
    return goal.least > 0 and outweighs(goal.least, sequence, left, policy)


def is_unsure(measurement: Measurement, goal: Goal, policy: Policy) -> bool:
    """Whether a move may pass the end that a CHECK sets, so that no value before it may be free."""
    is_checked = any(column.unread_check for column in measurement.sequence.comparable)
    return is_checked and goal.least > 0 and policy.outliers is not Follow.FOLLOW


def is_full(measurement: Measurement, goal: Goal) -> bool:
    """Whether a column that has no value left beyond a move takes none before it either."""
    sequence = measurement.sequence
    return goal.least > 0 and any(
        _left_after(seen_by(sequence, column), measurement, goal.least) == 0
        and _free_in_a_row(measurement, goal, place) == 0
        for place, column in enumerate(sequence.comparable)
    )


def seen_by(sequence: SequenceInfo, column: ColumnInfo) -> SequenceInfo:
    """Return the sequence as inserts into one of its columns see it, which the others' limits do not stop."""
    return sequence if sequence.columns == (column,) else replace(sequence, columns=(column,))


def values_passed(sequence: SequenceInfo, measurement: Measurement, calls: int) -> tuple[int, int] | None:
    """Return the first and the last value that so many calls pass and that fit; None: there is none."""
    next_value = measurement.next_value
    assert next_value is not None
    first = first_to_come(sequence, next_value)
    last = target_of(measurement, min(calls, calls_within(sequence, next_value, sequence.limit)))
    return None if is_beyond(sequence, first, last) else (first, last)


def _free_in_a_row(measurement: Measurement, goal: Goal, place: int) -> int | None:
    """Return the longest run of values before a move that inserts into a column can still use; None: not known."""
    column = measurement.sequence.comparable[place]
    passed = _passed(seen_by(measurement.sequence, column), measurement, goal)
    if not passed or not column.is_unique_throughout:
        # It takes every value again.
        return passed
    counted = measurement.probe.free_in_a_row if measurement.probe else ()
    return counted[place] if counted else None


def _passed(sequence: SequenceInfo, measurement: Measurement, goal: Goal) -> int:
    """Return how many values that fit a move passes."""
    passed = values_passed(sequence, measurement, goal.least)
    return 0 if passed is None else steps_between(sequence, *passed) + 1


def _left_after(sequence: SequenceInfo, measurement: Measurement, calls: int) -> int:
    return values_left(sequence, target_of(measurement, calls) + sequence.increment_by)
