"""Which probes a verdict needs, beside state and furthest value. Pure."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from airflow_seqfix.core.judge.arithmetic import is_beyond, values_left
from airflow_seqfix.core.judge.goal import counts_steps, decisive_value, goal_of
from airflow_seqfix.core.judge.harm import is_short, is_unsure, seen_by, values_passed
from airflow_seqfix.core.judge.outliers import LOOKED_AT
from airflow_seqfix.core.model import Look, Measurement
from airflow_seqfix.core.policy import Policy


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
    may_harm = is_short(measurement, goal, policy) or is_unsure(measurement, goal, policy)
    goes_to_the_end = furthest is not None and is_beyond(sequence, furthest + sequence.increment_by, sequence.limit)
    return Look(
        # A repair reports it for sequences that it does not move.
        collision=measurement.is_reached and (goal.may_be_far or may_harm or not for_repair),
        furthest=LOOKED_AT if goal.may_be_far else 0,
        on_steps=counts_steps(measurement, policy),
        beyond=goes_to_the_end or values_left(sequence, next_value) == 0,
        nearest=measurement.is_reached and bool(sequence.rivalled) and sequence.ends_before is None,
    )


def _free_values(measurement: Measurement, policy: Policy) -> Look:
    # Only for a move to the last values, or nearly, or to where a CHECK may end: all values that it passes are read.
    if measurement.next_value is None or measurement.obstacle is not None:
        return Look()
    goal = goal_of(measurement, policy)
    short, unsure = is_short(measurement, goal, policy), is_unsure(measurement, goal, policy)
    if goal.is_unclear or goal.is_by_source or not (short or unsure):
        return Look()
    sequence = measurement.sequence
    return Look(
        free=tuple(
            values_passed(seen_by(sequence, column), measurement, goal.least)
            if column.is_unique_throughout and (short or column.unread_check)
            else None
            for column in sequence.comparable
        )
    )
