"""Which of the furthest values a sequence will never reach by counting. Pure.

Docs: docs/design/outliers.md, with a picture of each rule.
"""

from __future__ import annotations

from airflow_seqfix.core.judge.arithmetic import (
    calls_to_pass,
    first_to_come,
    is_beyond,
    steps_between,
    values_left,
    values_of,
)
from airflow_seqfix.core.model import Measurement, Outliers, SequenceInfo
from airflow_seqfix.core.policy import Policy

#: More values than this beyond a gap are a load, not outliers.
MOST = 50
#: So many of the furthest values are read: the outliers, and as many before them.
LOOKED_AT = 2 * MOST + 1
#: A gap stands out where it is more than so many times as long as all that lies between the values before it, of
#: which so many are looked at. In random ids, where each gap is about as long as the others, none does.
STANDS_OUT = 2
#: With a larger max_jump long gaps are meant to be followed, in small ranges as well.
USUAL_JUMP = Policy().max_jump
#: Else a gap counts from this share of the sequence's range on, one in so many, or where fewer values lie behind it.
SHARE = 10
#: Fewer values than this are never far, however small the range is.
NEAR = 10
#: No sequence crosses a gap of so many values in its life (35 years at 1,000 a second): beyond it another writer's ids
#: begin, however many there are.
LIFETIME = 2**40


def may_have_outliers(measurement: Measurement, furthest: int | None, policy: Policy) -> bool:
    """Whether any gap between the next and the furthest value is long enough, so that it pays to look for one."""
    sequence, next_value = measurement.sequence, measurement.next_value
    if furthest is None or next_value is None or is_beyond(sequence, next_value, furthest):
        return False
    first = first_to_come(sequence, next_value)
    start = _start_of_gap(measurement, first, ())
    return not is_beyond(sequence, first, furthest) and _is_far(sequence, start, furthest, furthest, policy)


def find_outliers(measurement: Measurement, policy: Policy) -> Outliers | None:
    """Return the values beyond the gap that sets the furthest ones apart; None where no gap does.

    The nearest of several such gaps counts, so that outliers far from each other are all found.
    """
    sequence, probe, next_value = measurement.sequence, measurement.probe, measurement.next_value
    assert probe is not None and probe.furthest is not None and next_value is not None
    first = first_to_come(sequence, next_value)
    for count in range(min(MOST, len(probe.furthest)), 0, -1):
        beyond, before = probe.furthest[:count], probe.furthest[count:]
        near = _start_of_gap(measurement, first, before)
        if (
            not is_beyond(sequence, first, beyond[-1])
            and _is_far(sequence, near, beyond[-1], beyond[0], policy)
            and steps_between(sequence, near, beyond[-1]) > STANDS_OUT * _spread(sequence, first, before[:MOST])
            and not _is_load(sequence, near, beyond, before)
        ):
            low, high = sorted((beyond[0], beyond[-1]))
            return Outliers(count=count, lowest=low, highest=high, before=before[0] if before else None)
    return None


def _start_of_gap(measurement: Measurement, first: int, before: tuple[int, ...]) -> int:
    """Return the value at which a gap begins.

    It is the value that the sequence hands out last on its way past `before`, or has handed out where it is past them.
    So the gap has the same length before a move and after it, and a second run does not follow what the first reported.

    :param first: The first value to come.
    :param before: The values before the gap, the furthest of them first.
    """
    sequence = measurement.sequence
    calls = calls_to_pass(sequence, first, before[0]) if before else 0
    if calls == 0 and not (measurement.is_called and first == measurement.next_value):
        return first
    return first + (calls - 1) * sequence.increment_by


def _is_far(sequence: SequenceInfo, near: int, value: int, furthest: int, policy: Policy) -> bool:
    """Whether the gap from `near` to `value` is long for this sequence."""
    gap = steps_between(sequence, near, value)
    if gap > policy.max_jump or policy.max_jump > USUAL_JUMP:
        return gap > policy.max_jump
    left = values_left(sequence, furthest + sequence.increment_by)
    return gap > NEAR and (gap * SHARE > values_of(sequence) or gap > left)


def _spread(sequence: SequenceInfo, first: int, before: tuple[int, ...]) -> int:
    """Return how far the values before a gap lie apart, of those that are still to come."""
    ahead = [value for value in before if not is_beyond(sequence, first, value)]
    return steps_between(sequence, ahead[-1], ahead[0]) if ahead else 0


def _is_load(sequence: SequenceInfo, near: int, beyond: tuple[int, ...], before: tuple[int, ...]) -> bool:
    """Whether they are half of all values, or more. A single one never is, and nothing is across a lifetime's gap."""
    if len(beyond) == 1 or (before and steps_between(sequence, near, beyond[-1]) > LIFETIME):
        return False
    return len(beyond) >= len(before)
