"""Arithmetic on the values of a sequence, in its own direction and on its own steps."""

from __future__ import annotations

from airflow_seqfix.core.model import SequenceInfo


def is_beyond(sequence: SequenceInfo, value: int, other: int) -> bool:
    """Whether `value` lies past `other` in the sequence's direction."""
    return value > other if sequence.is_ascending else value < other


def calls_to_pass(sequence: SequenceInfo, next_value: int, goal: int) -> int:
    """Return how many calls of nextval() it takes until one returns `goal` or a value past it.

    0 where the next value lies past it: nothing up to the goal is left to hand out.
    """
    if is_beyond(sequence, next_value, goal):
        return 0
    # Rounded up: the last of them is the first step at or beyond the goal.
    return -((next_value - goal) // sequence.increment_by) + 1


def calls_within(sequence: SequenceInfo, next_value: int, bound: int) -> int:
    """Return how many calls of nextval() return a value up to and including `bound`."""
    return max(0, (bound - next_value) // sequence.increment_by + 1)


def values_left(sequence: SequenceInfo, next_value: int) -> int:
    """Return how many values are still to come that both the sequence and its narrowest column can hold."""
    left = calls_within(sequence, next_value, sequence.limit)
    if sequence.lowest <= next_value <= sequence.highest:
        return left
    near = sequence.lowest - 1 if sequence.is_ascending else sequence.highest + 1
    return max(0, left - calls_within(sequence, next_value, near))


def used_share(sequence: SequenceInfo, left: int) -> float:
    """Return the share of the values from START to the nearer limit of sequence and columns that is used, 0 to 1.

    :param left: How many are not.

    START and not MINVALUE is the base: with a MINVALUE of -2147483648 half of the values would seem used at once.
    """
    total = values_left(sequence, sequence.start_value)
    return min(1.0, max(0.0, 1 - left / total)) if total else 1.0


def steps_between(sequence: SequenceInfo, value: int, other: int) -> int:
    """Return how many steps lie between two values, the last of them counted in full."""
    return -(-abs(other - value) // abs(sequence.increment_by))


def values_of(sequence: SequenceInfo) -> int:
    """Return how many values there are from one end of the sequence's range to the other."""
    return max(0, (sequence.highest - sequence.lowest) // abs(sequence.increment_by) + 1)


def first_to_come(sequence: SequenceInfo, next_value: int) -> int:
    """Return the first value from the next one on that is the sequence's own, and that its columns can hold."""
    near = sequence.lowest if sequence.is_ascending else sequence.highest
    if not is_beyond(sequence, near, next_value):
        return next_value
    return next_value + steps_between(sequence, next_value, near) * sequence.increment_by
