"""How far a sequence has to go. Pure."""

from __future__ import annotations

from dataclasses import dataclass, replace

from airflow_seqfix.core.judge.arithmetic import calls_to_pass, calls_within, is_beyond, values_left
from airflow_seqfix.core.judge.outliers import find_outliers, may_have_outliers
from airflow_seqfix.core.judge.shortage import outweighs, too_little
from airflow_seqfix.core.model import Measurement, Outliers, SequenceInfo
from airflow_seqfix.core.policy import Follow, Policy


@dataclass(frozen=True, slots=True, kw_only=True)
class Goal:
    """How far the sequence must go."""

    #: The furthest value that counts, outliers left out unless they are followed.
    furthest: int | None
    #: The value beyond which the next value has to lie: the furthest that counts, and the margin where that fits.
    needed: int | None
    #: What the margin would leave, where it does not fit.
    margin_leaves: str | None
    outliers: Outliers | None
    #: Whether the read for outliers failed.
    is_unclear: bool
    #: The number of calls of nextval() to get there; 0: it is there.
    calls: int
    #: How many of them the data need, without the margin.
    least: int
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
    margin_leaves = None if furthest is None else _too_little_after_margin(sequence, next_value, furthest, policy)
    needed = furthest
    if furthest is not None and margin_leaves is None:
        needed = furthest + policy.margin * sequence.increment_by
    # Where the sequence's own grid ends before the furthest value, the last step is far enough: the next call fails
    # with "reached maximum value" instead of a duplicate.
    most = calls_within(sequence, next_value, sequence.own_values[1 if sequence.is_ascending else 0])
    calls, least = (
        min(max(0 if value is None else calls_to_pass(sequence, next_value, value), early), most)
        for value in (needed, furthest)
    )
    return Goal(
        furthest=furthest,
        needed=needed,
        margin_leaves=margin_leaves,
        outliers=outliers,
        is_unclear=is_unclear,
        calls=calls,
        least=least,
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


def _too_little_after_margin(sequence: SequenceInfo, next_value: int, furthest: int, policy: Policy) -> str | None:
    """Say what the margin would leave, if it is dropped: all values in it are free, and passing them would do harm.

    None: it fits, or it is kept already, or there is none. It is judged by itself, and not with what the data need, so
    that a second run decides the same.
    """
    calls = calls_to_pass(sequence, next_value, furthest + policy.margin * sequence.increment_by)
    if not policy.margin or not calls:
        return None
    left = values_left(sequence, next_value + calls * sequence.increment_by)
    is_wanted = policy.outliers is Follow.FOLLOW and left > 0
    does_harm = not is_wanted and outweighs(policy.margin, sequence, left, policy)
    return too_little(sequence, left, policy) if does_harm else None


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
