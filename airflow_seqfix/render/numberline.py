"""Where a sequence, its data and its limit lie, as places on a line.

5 and 2^63 have to be seen on the same line, and 1,000,000 apart from 1,000,001. So each stretch between two values is
as long as its distance has binary digits, and never shorter than `SHORTEST`: the order is true, the lengths are orders
of magnitude. Numbers grow to the right, so that a descending sequence runs to the left.
"""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass

from airflow_seqfix.core.judge.arithmetic import is_beyond
from airflow_seqfix.core.model import Verdict
from airflow_seqfix.core.report import Row
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
    start = min(max(sequence.start_value, sequence.lowest), sequence.highest)
    ends = [("start", "first value", start), ("limit", "last value that fits", sequence.limit)]
    places = _places({value for _, _, value in (*above, *below, *ends)})

    def marks(drawn: list[tuple[str, str, int]]) -> list[Mark]:
        return [Mark(kind=kind, label=label, value=value, at=places[value]) for kind, label, value in drawn]

    def span(kind: str, first: int, last: int) -> Span:
        left, right = sorted((places[first], places[last]))
        return Span(kind=kind, left=left, width=right - left)

    from_value = above[0][2]
    used_to = sequence.limit if is_beyond(sequence, from_value, sequence.limit) else from_value
    spans = [span("used", start, used_to)] if is_beyond(sequence, used_to, start) else []
    in_the_way = [value for kind, _, value in below if kind != "outlier"]
    if above[0][0] == "was":
        spans.append(span("moved", from_value, next_value))
    elif row.verdict is Verdict.BEHIND and in_the_way and not is_beyond(sequence, next_value, in_the_way[-1]):
        first = in_the_way[0] if below[0][0] == "collision" else next_value
        spans.append(span("ahead", first, in_the_way[-1]))
    left, right = marks(ends if sequence.is_ascending else ends[::-1])
    return NumberLine(above=tuple(marks(above)), below=tuple(marks(below)), ends=(left, right), spans=tuple(spans))


def _of_sequence(row: Row, next_value: int) -> list[tuple[str, str, int]]:
    """Where it stands, and where it stood or will stand."""
    was, move = moved_from(row), row.finding.move
    if was is not None:
        return [("was", "next value before", was), ("next", "next value now", next_value)]
    if move is not None and move.way is not None:
        after = move.target + move.sequence.increment_by
        return [("next", "next value", next_value), ("after", "after the repair", after)]
    return [("next", "next value", next_value)]


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
        return [*found, ("data", "data reach", furthest)]
    few = "one" if outliers.count == 1 else str(outliers.count)
    if outliers.before is not None:
        found.append(("data", f"all but {few} reach", outliers.before))
    label = "one outlier value" if outliers.count == 1 else f"{few} outlier values to"
    return [*found, ("outlier", label, furthest)]


def _places(values: set[int]) -> dict[int, int]:
    """Return each value's place, in percent from the left."""
    ordered = sorted(values)
    weights = [math.log2(1 + after - before) for before, after in itertools.pairwise(ordered)]
    stretch = (100 - SHORTEST * len(weights)) / (sum(weights) or 1)
    places, place = {ordered[0]: 0}, 0.0
    for value, weight in zip(ordered[1:], weights, strict=True):
        place += SHORTEST + weight * stretch
        places[value] = round(place)
    return places
