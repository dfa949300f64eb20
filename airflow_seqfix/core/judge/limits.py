"""Which limit of a sequence binds: its type, MAXVALUE or MINVALUE, a column, or its own range. Pure."""

from __future__ import annotations

from airflow_seqfix.core.model import ColumnInfo, SequenceInfo

#: The smallest and the largest value of the types that a sequence can have.
TYPE_BOUNDS = {
    "smallint": (-(2**15), 2**15 - 1),
    "integer": (-(2**31), 2**31 - 1),
    "bigint": (-(2**63), 2**63 - 1),
}

#: What ends a column, as `queries/parts/bounded.sql` calls it: the bounds of the table's partitions, or its own as a
#: partition.
PARTITIONS, OWN_BOUNDS = "its partitions", "its own partition bounds"


def bound_of(sequence: SequenceInfo) -> int:
    """Return MAXVALUE, for a descending sequence MINVALUE."""
    return sequence.max_value if sequence.is_ascending else sequence.min_value


def is_own_range(sequence: SequenceInfo) -> bool:
    """Whether the range that was given for it ends first."""
    return (
        sequence.id_range is not None and sequence.limit in sequence.id_range and sequence.limit != bound_of(sequence)
    )


def is_before_rival(sequence: SequenceInfo) -> bool:
    """Whether another sequence of its columns begins where it ends."""
    step = 1 if sequence.is_ascending else -1
    return sequence.ends_before is not None and sequence.limit + step == sequence.ends_before


def narrowest(sequence: SequenceInfo) -> list[ColumnInfo]:
    """Return the columns that end at the limit, by their type or by what ends them before it."""
    ends = "largest_value" if sequence.is_ascending else "smallest_value"
    return [column for column in sequence.comparable if getattr(column, ends) == sequence.limit]


def ended_by(sequence: SequenceInfo, column: ColumnInfo) -> str | None:
    """Return what ends a column before its type does, partitions, a CHECK or a cast; None: its type does."""
    return column.largest_by if sequence.is_ascending else column.smallest_by


def is_by_partitions(sequence: SequenceInfo, column: ColumnInfo) -> bool:
    """Whether a column ends where its table has no partition for the next value."""
    return ended_by(sequence, column) == PARTITIONS


def is_by_own_bounds(sequence: SequenceInfo, column: ColumnInfo) -> bool:
    """Whether a column ends where its table, a partition, takes no further value."""
    return ended_by(sequence, column) == OWN_BOUNDS


def is_small(column: ColumnInfo) -> bool:
    """Whether a larger type would hold more of a sequence's values."""
    return column.largest_value is not None and column.largest_value < TYPE_BOUNDS["bigint"][1]


def what_binds(sequence: SequenceInfo) -> str:
    """Return the limits that end at the last value that fits, as an apposition to it."""
    if is_own_range(sequence):
        return "the end of its id_range"
    if is_before_rival(sequence):
        return "before another sequence begins"
    binding = [
        f"the end of {column.qualified_name} ({ended_by(sequence, column) or column.data_type})"
        for column in narrowest(sequence)
    ]
    bound = bound_of(sequence)
    if bound == sequence.limit:
        if bound in TYPE_BOUNDS[sequence.data_type]:
            binding.append(f"the end of the sequence ({sequence.data_type})")
        else:
            binding.append(f"its {'MAXVALUE' if sequence.is_ascending else 'MINVALUE'}")
    return " and ".join(binding)
