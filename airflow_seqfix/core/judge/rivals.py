"""Values that may be those of another sequence of the same column, with which a move must not collide. Pure.

Nothing in a row says which sequence its id came from. Where the other one begins further on, values are followed up to
its START. Where it does not, they are followed if they are near: then both hand out of the same range.
"""

from __future__ import annotations

from dataclasses import dataclass

from airflow_seqfix.core.judge.arithmetic import is_beyond, steps_between
from airflow_seqfix.core.judge.goal import counts_steps, target_of
from airflow_seqfix.core.judge.limits import bound_of
from airflow_seqfix.core.model import Measurement
from airflow_seqfix.core.model.quoted import QualifiedName
from airflow_seqfix.core.policy import Policy

#: How many steps ahead of the next value a stored one is still near.
NEAR_RIVAL = 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Rival:
    """Another sequence, and from which value on those of the column may be its own."""

    name: QualifiedName
    #: The column that both feed.
    column: str
    start: int
    #: How far the data have come, its values included.
    furthest: int
    #: The values that are left to the sequence that is judged.
    own: tuple[int, int]


def enters_rival(measurement: Measurement, calls: int) -> bool:
    """Whether the next value after so many calls would be the other sequence's own, and not "reached maximum value"."""
    sequence = measurement.sequence
    next_value = target_of(measurement, calls) + sequence.increment_by
    return (
        sequence.ends_before is not None
        and not is_beyond(sequence, sequence.ends_before, next_value)
        and not is_beyond(sequence, next_value, bound_of(sequence))
    )


def rival_of(measurement: Measurement, policy: Policy) -> Rival | None:
    """Return the other sequence, where values ahead may be its own and are not followed; None: all of them are."""
    sequence, next_value, furthest = measurement.sequence, measurement.next_value, measurement.furthest_of_all
    start, columns = sequence.ends_before, sequence.rivalled
    if not columns or next_value is None or counts_steps(measurement, policy):
        return None
    if start is None:
        furthest = measurement.furthest_value
        # What the other side of a cutover has handed out is this sequence's own.
        is_known = measurement.handed_out_there is not None
        if is_known or furthest is None or is_beyond(sequence, next_value, furthest):
            return None
        # Where it could not be read, nothing says that they are near.
        start = next_value if measurement.probe is None else measurement.probe.nearest
        if start is None or (measurement.probe and steps_between(sequence, next_value, start) <= NEAR_RIVAL):
            return None
    assert furthest is not None
    column = next((c for c in columns if c.rival_start == start), columns[0])
    assert column.rival is not None
    low, high = sequence.min_value, sequence.max_value
    return Rival(
        name=column.rival,
        column=column.qualified_name,
        start=start,
        furthest=furthest,
        own=(low, start - 1) if sequence.is_ascending else (start + 1, high),
    )
