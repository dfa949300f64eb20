"""The reasons of verdicts, in words. Pure."""

from __future__ import annotations

from airflow_seqfix.core.judge.arithmetic import is_beyond, steps_between, values_left, values_of
from airflow_seqfix.core.judge.goal import Goal
from airflow_seqfix.core.judge.harm import Harm
from airflow_seqfix.core.judge.limits import what_binds
from airflow_seqfix.core.judge.rivals import Rival
from airflow_seqfix.core.judge.twins import Twin
from airflow_seqfix.core.judge.wrap import Wrap
from airflow_seqfix.core.model import ColumnInfo, Measurement, Outliers, SequenceInfo, Server
from airflow_seqfix.core.policy import Follow, Policy


def behind(measurement: Measurement, furthest: int | None, goal: Goal, policy: Policy) -> str:
    """Say where the sequence stands, how far the data have come, and which of them are no measure.

    :param furthest: The furthest value that decides, an outlier or not.
    """
    sequence, next_value = measurement.sequence, measurement.next_value
    assert next_value is not None
    if (furthest is None and not goal.is_by_source) or goal.early:
        low, high = sequence.own_values
        return f"the next value is {next_value}, and its own values are {low} to {high}"
    column = measurement.furthest_column
    reached = f"{column.qualified_name if column else 'the data'} has reached {_of_call(column, furthest)}"
    if goal.is_by_source:
        is_apart = goal.is_unclear or goal.outliers is not None
        there = f"its source has handed out {goal.furthest}"
        reached = f"{there}; {reached}" if is_apart else there
    parts = [f"the next value is {next_value}, and {reached}"]
    if goal.needed is not None and goal.needed != goal.furthest:
        parts.append(f"margin={policy.margin} asks for a next value beyond {goal.needed}")
    elif goal.margin_leaves is not None:
        parts.append(margin(goal, policy))
    if goal.is_unclear and furthest is not None:
        unread = (
            f"that is more than max_jump ({policy.max_jump:,}) away, and the values before it could not be read"
            if steps_between(sequence, next_value, furthest) > policy.max_jump
            else "that is far for its range, and the values before it could not be read"
        )
        parts.append(_with_cause(unread, measurement))
    elif goal.outliers is not None and policy.outliers is Follow.REPORT:
        parts.append(_apart(sequence, next_value, goal.outliers, policy))
    return "; ".join(parts)


def margin(goal: Goal, policy: Policy) -> str:
    """Say why the margin is not kept."""
    return f"margin={policy.margin} would leave {goal.margin_leaves}"


def _of_call(column: ColumnInfo | None, call: int | None) -> str:
    """Say what a column holds whose values are not those that the calls have returned."""
    if column is None or column.extract is None or call is None:
        return str(call)
    first, last = column.extract.ids_of(call)
    if first == last == call:
        return str(call)
    ids = str(first) if first == last else f"one of {first} to {last}"
    return f"{ids} ({column.extract.optimizer}: a call must return more than {call})"


def unclaimed(measurement: Measurement, other: Rival) -> str:
    """Say how far the data have come with values that may be those of another sequence."""
    return f"the next value is {measurement.next_value}, and the data have reached {other.furthest}; {rival(other)}"


def rival(other: Rival) -> str:
    """Say which values may be those of another sequence."""
    return f"{other.name} feeds {other.column} as well, and nothing says whose the values from {other.start} on are"


def _apart(sequence: SequenceInfo, next_value: int, outliers: Outliers, policy: Policy) -> str:
    """Say which values are outliers, and why."""
    nearest, furthest = outliers.lowest, outliers.highest
    if not sequence.is_ascending:
        nearest, furthest = furthest, nearest
    before, place = outliers.before, f"{outliers.before}, the value before"
    if before is None or is_beyond(sequence, next_value, before):
        before, place = next_value, "the next value"
    left, gap = values_left(sequence, furthest + sequence.increment_by), steps_between(sequence, before, nearest)
    if gap > policy.max_jump:
        far = f"more than max_jump ({policy.max_jump:,}) beyond {place}"
    elif gap > left:
        far = f"{gap:,} values beyond {place}, and only {left:,} lie beyond"
    else:
        far = f"{gap:,} of the sequence's {values_of(sequence):,} values beyond {place}"
    if outliers.count == 1:
        return f"that is an outlier, {far}"
    return f"{outliers.count} values from {outliers.lowest} to {outliers.highest} are outliers, {far}"


def harmful(harm: Harm, measurement: Measurement) -> str:
    """Say why a move is not made."""
    if harm.check is not None:
        return _unsure(harm, measurement)
    if not harm.is_compared:
        column = harm.column
        return (
            f"a move would pass {harm.free_in_a_row:,} in a row that may be free in {column.qualified_name} "
            f"({column.data_type}), which is not compared and may end at {harm.sequence.limit}"
        )
    if harm.free_in_a_row is None:
        unread = f"a move would leave {harm.leaves}, and whether values are free before it could not be read"
        return _with_cause(unread, measurement)
    would = f"a move would leave {harm.leaves}, and pass {harm.free_in_a_row:,} in a row that are free"
    column = harm.column
    if column.is_unique_throughout and len(measurement.sequence.comparable) == 1:
        return would
    own = ", which has no unique index of its own" if not column.is_unique else ""
    return f"{would} in {column.qualified_name}{own}"


def _unsure(harm: Harm, measurement: Measurement) -> str:
    """Say which CHECK may refuse what follows a move."""
    check = f"the {harm.check} of {harm.column.qualified_name}, which is not read, may refuse what follows a move"
    if harm.free_in_a_row is None:
        return _with_cause(f"{check}, and whether values are free before it could not be read", measurement)
    return f"{check}, and {harm.free_in_a_row:,} in a row before it are free"


def _with_cause(unread: str, measurement: Measurement) -> str:
    """Say what a probe has not read, and why it failed."""
    return unread if measurement.unprobed is None else f"{unread}: {measurement.unprobed.reason}"


def beyond_limit(measurement: Measurement) -> str:
    """Say that the other side of a cutover has handed out more than there is here."""
    sequence = measurement.sequence
    return (
        f"its source has handed out {measurement.handed_out_there}, and the last value that fits here is "
        f"{sequence.limit}, {what_binds(sequence)}"
    )


def used_up(measurement: Measurement, wrap: Wrap | None) -> str:
    """Say that no value is left, by which limit, which rows lie beyond it, and what the next insert gets."""
    sequence = measurement.sequence
    said = (
        f"the next value would be {measurement.next_value}, and the last one that fits is {sequence.limit}, "
        f"{what_binds(sequence)}"
    )
    said += _beyond(measurement)
    if wrap is None:
        return said
    return f"{said}; an identity column wraps around without an error: the next insert gets {wrap.value}"


def would_wrap(wrap: Wrap) -> str:
    """Say why a move is not made that goes to the end of an identity column."""
    column = wrap.column
    return (
        f"a move would let the sequence go on beyond the end of {column.qualified_name} ({column.data_type}), and an "
        f"identity column wraps around without an error: an insert would get {wrap.value}"
    )


def twin(other: Twin, server: Server) -> str:
    """Say which sequence keeps one from being moved."""
    name, column = other.column.twin, other.column.qualified_name
    if other.next_value is None:
        return f"{name} feeds {column} as well, and role {server.quoted_role} may not read what it hands out next"
    return (
        f"a move would let it hand out the same values as {name}, which feeds {column} as well, is past the data, and "
        f"hands out {other.next_value} next"
    )


def full(measurement: Measurement) -> str:
    """Say that every value from the next one on is taken."""
    said = f"none is free up to {measurement.sequence.limit}, {what_binds(measurement.sequence)}"
    return said + _beyond(measurement)


def _beyond(measurement: Measurement) -> str:
    beyond = measurement.probe.beyond if measurement.probe else None
    return "" if beyond is None else f"; rows beyond it go to {beyond}"
