"""The target of a sequence, what a move leaves alone, and the probes that this needs. Pure."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial

from airflow_seqfix.core.judge.arithmetic import (
    calls_to_pass,
    calls_within,
    first_to_come,
    is_beyond,
    steps_between,
    used_share,
    values_left,
    values_of,
)
from airflow_seqfix.core.judge.outliers import LOOKED_AT, find_outliers, may_have_outliers
from airflow_seqfix.core.model import ColumnInfo, Look, Measurement, Outliers, SequenceInfo
from airflow_seqfix.core.policy import Follow, Policy

#: A sequence is nearly used up with less than one in so many values of its range left.
NEARLY = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Goal:
    """How far the sequence must go."""

    #: The furthest value that counts, outliers left out unless they are followed.
    furthest: int | None
    #: The value beyond which the next value has to lie: the furthest that counts, and the margin where that fits.
    needed: int | None
    outliers: Outliers | None
    #: Whether the read for outliers failed.
    is_unclear: bool
    #: The number of calls of nextval() to get there; 0: it is there.
    calls: int
    #: How many of them pass values before the sequence's own.
    early: int
    #: Whether the furthest values are far enough to be outliers.
    may_be_far: bool
    #: Whether it is the other side of a cutover that has come furthest.
    is_by_source: bool


def goal_of(measurement: Measurement, policy: Policy) -> Goal:
    """Return how far a measured sequence must go."""
    sequence, next_value = measurement.sequence, measurement.next_value
    assert next_value is not None
    furthest, outliers, is_unclear = decisive_value(measurement, policy), None, False
    stands = past_source(measurement)
    may_be_far = policy.outliers is not Follow.FOLLOW and may_have_outliers(stands, furthest, policy)
    if may_be_far:
        is_unclear = measurement.probe is None or measurement.probe.furthest is None
        outliers = None if is_unclear else find_outliers(stands, policy)
        furthest = outliers.before if outliers else furthest
    handed_out = measurement.handed_out_there
    is_by_source = handed_out is not None and (furthest is None or is_beyond(sequence, handed_out, furthest))
    furthest = handed_out if is_by_source else furthest
    early = calls_to_own_values(sequence, next_value)
    needed = _with_margin(sequence, next_value, furthest, policy)
    calls = 0 if needed is None else calls_to_pass(sequence, next_value, needed)
    # Where the sequence's own grid ends before the furthest value, the last step is far enough: the next call fails
    # with "reached maximum value" instead of a duplicate.
    last = sequence.own_values[1 if sequence.is_ascending else 0]
    return Goal(
        furthest=furthest,
        needed=needed,
        outliers=outliers,
        is_unclear=is_unclear,
        calls=min(max(calls, early), calls_within(sequence, next_value, last)),
        early=early,
        may_be_far=may_be_far,
        is_by_source=is_by_source,
    )


def past_source(measurement: Measurement) -> Measurement:
    """Return a measurement as if the sequence had passed all that the other side of a cutover has handed out.

    What lies before that is no gap: the other side has been through it.
    """
    handed_out, next_value = measurement.handed_out_there, measurement.next_value
    if handed_out is None or next_value is None:
        return measurement
    calls = calls_to_pass(measurement.sequence, next_value, handed_out)
    return replace(measurement, last_value=target_of(measurement, calls), is_called=True) if calls else measurement


def leaves_nothing(measurement: Measurement) -> bool:
    """Whether no value that fits is left beyond those that the other side of a cutover has handed out."""
    sequence, handed_out, next_value = measurement.sequence, measurement.handed_out_there, measurement.next_value
    if handed_out is None or next_value is None or is_beyond(sequence, next_value, handed_out):
        return False
    target = target_of(measurement, calls_to_pass(sequence, next_value, handed_out))
    return values_left(sequence, target + sequence.increment_by) == 0


def _with_margin(sequence: SequenceInfo, next_value: int, furthest: int | None, policy: Policy) -> int | None:
    """Return the furthest value with the margin, or without where that would take the last values that fit."""
    if furthest is None:
        return None
    needed = furthest + policy.margin * sequence.increment_by
    calls = calls_to_pass(sequence, next_value, needed)
    has_values = values_left(sequence, next_value) > 0
    return needed if has_values and calls < calls_within(sequence, next_value, sequence.limit) else furthest


def decisive_value(measurement: Measurement, policy: Policy) -> int | None:
    """Return the furthest value that counts, an outlier or not."""
    return measurement.furthest_on_steps if counts_steps(measurement, policy) else measurement.furthest_value


def counts_steps(measurement: Measurement, policy: Policy) -> bool:
    """Whether only the values on the sequence's own steps count."""
    sequence = measurement.sequence
    return (policy.interleaved or sequence.interleaved) and abs(sequence.increment_by) > 1


def calls_to_own_values(sequence: SequenceInfo, next_value: int) -> int:
    """Return how many values lie before the first that is the sequence's own."""
    if sequence.id_range is None:
        return 0
    low, high = sequence.own_values
    return calls_within(sequence, next_value, low - 1 if sequence.is_ascending else high + 1)


def target_of(measurement: Measurement, calls: int) -> int:
    """Return the value that the last of so many calls of nextval() returns."""
    assert measurement.next_value is not None
    return measurement.next_value + (calls - 1) * measurement.sequence.increment_by


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


def harm_of(measurement: Measurement, goal: Goal, policy: Policy) -> Harm | None:
    """Return why a move would do harm; None: it would not.

    It does harm if too few values are left for inserts into any one of the columns, and enough would be without it.
    """
    if policy.outliers is Follow.FOLLOW or goal.is_by_source or not _is_short(measurement, goal, policy):
        return None
    unread = None
    for place, column in enumerate(measurement.sequence.comparable):
        alone = _alone(measurement.sequence, column)
        left, free = _left_after(alone, measurement, goal.calls), _free_in_a_row(measurement, goal, place)
        leaves = _too_little(alone, left, policy)
        if leaves is None:
            continue
        harm = Harm(leaves=leaves, free_in_a_row=free, column=column, sequence=alone)
        if free is None:
            unread = unread or harm
        elif free > left or (_shortage(alone, left, policy) and not _shortage(alone, left + free, policy)):
            return harm
    return unread


def is_full(measurement: Measurement, goal: Goal) -> bool:
    """Whether a column that has no value left beyond a move takes none before it either."""
    sequence = measurement.sequence
    return goal.calls > 0 and any(
        _left_after(_alone(sequence, column), measurement, goal.calls) == 0
        and _free_in_a_row(measurement, goal, place) == 0
        for place, column in enumerate(sequence.comparable)
    )


def _alone(sequence: SequenceInfo, column: ColumnInfo) -> SequenceInfo:
    """Return the sequence as inserts into one of its columns see it, which the others' limits do not stop."""
    return sequence if sequence.columns == (column,) else replace(sequence, columns=(column,))


def _passed(sequence: SequenceInfo, measurement: Measurement, calls: int) -> tuple[int, int] | None:
    """Return the first and the last value that so many calls pass and that fit; None: there is none."""
    next_value = measurement.next_value
    assert next_value is not None
    first = first_to_come(sequence, next_value)
    last = target_of(measurement, min(calls, calls_within(sequence, next_value, sequence.limit)))
    return None if is_beyond(sequence, first, last) else (first, last)


def _free_in_a_row(measurement: Measurement, goal: Goal, place: int) -> int | None:
    """Return the longest run of values before a move that inserts into a column can still use; None: not known."""
    column = measurement.sequence.comparable[place]
    passed = _passed(_alone(measurement.sequence, column), measurement, goal.calls)
    if passed is None:
        return 0
    if not column.is_unique_throughout:
        # It takes every value again.
        return steps_between(measurement.sequence, *passed) + 1
    counted = measurement.probe.free_in_a_row if measurement.probe else ()
    return counted[place] if counted else None


def _left_after(sequence: SequenceInfo, measurement: Measurement, calls: int) -> int:
    return values_left(sequence, target_of(measurement, calls) + sequence.increment_by)


def _is_short(measurement: Measurement, goal: Goal, policy: Policy) -> bool:
    """Whether a move would leave too few values that fit all columns."""
    sequence = measurement.sequence
    return _too_little(sequence, _left_after(sequence, measurement, goal.calls), policy) is not None


def _too_little(sequence: SequenceInfo, left: int, policy: Policy) -> str | None:
    """Say how few values are left; None: enough."""
    if left == 0:
        return "no value that fits"
    shortage = _shortage(sequence, left, policy)
    if shortage is None and left * NEARLY < values_of(sequence):
        return f"{left:,} of {values_of(sequence):,} values"
    return shortage


def _shortage(sequence: SequenceInfo, left: int, policy: Policy) -> str | None:
    """Name the threshold that a sequence with so many values left has passed."""
    if policy.min_remaining is not None and left < policy.min_remaining:
        return f"{left:,} values, and min_remaining is {policy.min_remaining:,}"
    used_pct = round(100 * used_share(sequence, left), 2)
    if policy.fail_used_pct is not None and used_pct >= policy.fail_used_pct:
        return f"{left:,} values with {used_pct} % used, and fail_used_pct is {policy.fail_used_pct:g}"
    return None


def looks(policy: Policy, *, for_repair: bool = False) -> tuple[Callable[[Measurement], Look], ...]:
    """Return functions, to be called in order, that return the next probe which a verdict needs.

    :param for_repair: Whether a repair follows, so that nobody needs the first collision.
    """
    return partial(_far_end, policy=policy, for_repair=for_repair), partial(_free_values, policy=policy)


def _far_end(measurement: Measurement, policy: Policy, *, for_repair: bool) -> Look:
    sequence, next_value = measurement.sequence, measurement.next_value
    if next_value is None or measurement.obstacle is not None:
        return Look()
    furthest = decisive_value(measurement, policy)
    goal = goal_of(measurement, policy)
    is_short = goal.calls > 0 and _is_short(measurement, goal, policy)
    goes_to_the_end = furthest is not None and is_beyond(sequence, furthest + sequence.increment_by, sequence.limit)
    return Look(
        # A repair reports it for sequences that it does not move.
        collision=measurement.is_reached and (goal.may_be_far or is_short or not for_repair),
        furthest=LOOKED_AT if goal.may_be_far else 0,
        on_steps=counts_steps(measurement, policy),
        beyond=goes_to_the_end or values_left(sequence, next_value) == 0,
        nearest=measurement.is_reached and bool(sequence.rivalled) and sequence.ends_before is None,
    )


def _free_values(measurement: Measurement, policy: Policy) -> Look:
    # Only for a move to the last values, or nearly: all values that it passes are read.
    if measurement.next_value is None or measurement.obstacle is not None:
        return Look()
    goal = goal_of(measurement, policy)
    if not goal.calls or goal.is_unclear or goal.is_by_source or not _is_short(measurement, goal, policy):
        return Look()
    sequence = measurement.sequence
    return Look(
        free=tuple(
            _passed(_alone(sequence, column), measurement, goal.calls) if column.is_unique_throughout else None
            for column in sequence.comparable
        )
    )
