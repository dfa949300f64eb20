"""Where a sequence, its data and its limit lie, as places on a line.

5 and 2^63 have to be seen on the same line, and 1,000,000 apart from 1,000,001. So each stretch between two values is
as long as its distance has binary digits, and never shorter than `SHORTEST`: the order is true, the lengths are orders
of magnitude, and the page says so. Where all marks are apart on a true scale as well, it is drawn true. Numbers grow to
the right, so that a descending sequence runs to the left.
"""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass

from airflow_seqfix.core.judge.arithmetic import is_beyond
from airflow_seqfix.core.model import SequenceInfo, Verdict
from airflow_seqfix.core.row import Row
from airflow_seqfix.render.phrases import moved_from

#: The shortest stretch, in percent of the line: two marks side by side.
SHORTEST = 7


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """A value on the line."""

    #: For the style sheet: was, next and after of the sequence; collision, data and outlier of the data; start, limit.
    kind: str
    label: str
    value: int
    #: Where it is, in percent from the left.
    at: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """A stretch of the line, in percent from the left."""

    #: For the style sheet: values that are `used`, that were `moved` past, and that are in the way `ahead`.
    kind: str
    left: int
    width: int


@dataclass(frozen=True, slots=True, kw_only=True)
class NumberLine:
    """What is drawn for one sequence."""

    #: The sequence, drawn above the line.
    above: tuple[Mark, ...]
    #: Its data, drawn below the line.
    below: tuple[Mark, ...]
    #: The first and the last value, from left to right.
    ends: tuple[Mark, Mark]
    spans: tuple[Span, ...]
    #: Whether lengths are true, and not only the order.
    is_to_scale: bool

    @property
    def marks(self) -> tuple[Mark, ...]:
        return (*self.above, *self.below, *self.ends)

    @property
    def move(self) -> tuple[int, int] | None:
        """From where to where it was moved, or would be."""
        return (self.above[0].at, self.above[1].at) if len(self.above) == 2 else None


def number_line(row: Row) -> NumberLine | None:
    """Return what is drawn for a sequence; None where it was not read."""
    sequence, next_value = row.finding.sequence, row.finding.measurement.next_value
    if next_value is None:
        return None
    above, below = _of_sequence(row, next_value), _of_data(row, next_value)
    ends = [_first(sequence, [value for _, _, value in (*above, *below)]), _last(sequence)]
    start = ends[0][2]
    places, is_to_scale = _places({_within(sequence, value) for _, _, value in (*above, *below, *ends)})

    def marks(drawn: list[tuple[str, str, int]]) -> list[Mark]:
        return [
            Mark(kind=kind, label=label, value=value, at=places[_within(sequence, value)])
            for kind, label, value in drawn
        ]

    def span(kind: str, first: int, last: int) -> Span:
        left, right = sorted((places[_within(sequence, first)], places[_within(sequence, last)]))
        return Span(kind=kind, left=left, width=right - left)

    from_value = above[0][2]
    spans = [span("used", start, from_value)] if is_beyond(sequence, from_value, start) else []
    in_the_way = [value for kind, _, value in below if kind != "outlier"]
    if above[0][0] == "was":
        spans.append(span("moved", from_value, next_value))
    elif row.verdict is Verdict.BEHIND and in_the_way and not is_beyond(sequence, next_value, in_the_way[-1]):
        first = in_the_way[0] if below[0][0] == "collision" else next_value
        spans.append(span("ahead", first, in_the_way[-1]))
    left, right = marks(ends if sequence.is_ascending else ends[::-1])
    return NumberLine(
        above=tuple(marks(above)),
        below=tuple(marks(below)),
        ends=(left, right),
        spans=tuple(spans),
        is_to_scale=is_to_scale,
    )


def _first(sequence: SequenceInfo, drawn: list[int]) -> tuple[str, str, int]:
    """Return where the line begins: START, or the end of the range where something lies before that."""
    near = sequence.lowest if sequence.is_ascending else sequence.highest
    start = min(max(sequence.start_value, sequence.lowest), sequence.highest)
    if any(is_beyond(sequence, start, value) for value in drawn):
        return "start", "first value that fits", near
    return "start", "first value", start


def _last(sequence: SequenceInfo) -> tuple[str, str, int]:
    return "limit", "last value that fits", sequence.limit


def _within(sequence: SequenceInfo, value: int) -> int:
    """Return where a value is drawn: nothing is drawn outside of the values that fit, whatever it would be."""
    return min(max(value, sequence.lowest), sequence.highest)


def _of_sequence(row: Row, next_value: int) -> list[tuple[str, str, int]]:
    """Where it stands, and where it stood or will stand."""
    was, move = moved_from(row), row.finding.move
    if was is not None:
        return [("was", "next value before", was), _next(row, next_value, "next value now")]
    if move is not None and move.way is not None:
        after = move.target + move.sequence.increment_by
        if not is_beyond(move.sequence, after, move.sequence.limit):
            return [("next", "next value", next_value), ("after", "after the repair", after)]
    return [_next(row, next_value, "next value")]


def _next(row: Row, value: int, label: str) -> tuple[str, str, int]:
    """Return the next value; at the end of the line where none is left."""
    is_over = is_beyond(row.finding.sequence, value, row.finding.sequence.limit)
    return ("next", "none is left: the next value would be" if is_over else label, value)


def _of_data(row: Row, next_value: int) -> list[tuple[str, str, int]]:
    """How far the data reach, and where the sequence runs into them."""
    measurement, probe = row.finding.measurement, row.finding.measurement.probe
    furthest = measurement.furthest_value
    if furthest is None:
        return []
    found = []
    if row.verdict is Verdict.BEHIND and probe is not None and probe.collision not in (None, next_value, furthest):
        assert probe.collision is not None
        found.append(("collision", "first collision", probe.collision))
    outliers = row.finding.outliers
    if outliers is None:
        # Drawn are calls, not what an application makes of them.
        label = "data reach" if measurement.furthest_stored == furthest else "ids in the data reach to call"
        return [*found, ("data", label, furthest)]
    few = "one" if outliers.count == 1 else str(outliers.count)
    if outliers.before is not None:
        found.append(("data", f"all but {few} reach", outliers.before))
    label = "one outlier value" if outliers.count == 1 else f"{few} outlier values to"
    return [*found, ("outlier", label, furthest)]


def _places(values: set[int]) -> tuple[dict[int, int], bool]:
    """Return each value's place, in percent from the left, and whether the distances are true."""
    ordered = sorted(values)
    lengths = [after - before for before, after in itertools.pairwise(ordered)]
    is_true = all(100 * length >= SHORTEST * sum(lengths) for length in lengths)
    weights = [float(length) for length in lengths] if is_true else [math.log2(1 + length) for length in lengths]
    shortest = 0 if is_true else SHORTEST
    stretch = (100 - shortest * len(weights)) / (sum(weights) or 1)
    places, place = {ordered[0]: 0}, 0.0
    for value, weight in zip(ordered[1:], weights, strict=True):
        place += shortest + weight * stretch
        places[value] = round(place)
    return places, is_true
