"""Where a sequence stood over time, as places in a picture.

Both axes are linear, and all that is drawn was read: the next value of each earlier report, and of this one. A repair,
a sequence that was set back and one that was changed break the line, because nobody used the values in between. The
limit is drawn where it leaves the line a quarter of the height; a picture with a limit far away would show a flat line.
The forecast is drawn only where `days_left` is told, and at most for as long as the past is.
"""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import pairwise

from airflow_seqfix.core.model import Break, Position, SequenceInfo, Use
from airflow_seqfix.core.row import Row
from airflow_seqfix.render.phrases import lasts

#: The picture in its own units. Of what begins in one place the last is drawn: with more reports it does not grow.
WIDTH, HEIGHT = 300, 1000
#: The share of the height that the line keeps where the limit is drawn.
LEAST_SHARE = 0.25
#: How long the past has to be: nobody reads a pace from minutes.
SHORTEST_PAST = datetime.timedelta(days=1)
#: How many breaks are listed in words.
LISTED = 3

#: A next value, and when.
Point = tuple[datetime.datetime, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """A break of the line, and where it goes on, in percent from the left and from above."""

    kind: str
    text: str
    x: int
    y: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Timeline:
    """What is drawn for one sequence, and told beside it."""

    first: Position
    now: Position
    #: Where the present is drawn, in percent from the left and from above.
    now_at: tuple[int, int]
    #: SVG paths: where it stood, and where it goes at the present pace.
    path: str
    forecast: str | None
    #: Where the drawn forecast ends.
    until: Point | None
    #: Where the limit is drawn, in percent from above; None: it lies outside of the picture.
    limit_at: int | None
    marks: tuple[Mark, ...]
    #: The latest breaks, which are listed in words, and how many there are before them.
    listed: tuple[Mark, ...]
    not_listed: int
    pace: str


@dataclass(frozen=True, slots=True)
class _Frame:
    """The times and values between which everything is drawn."""

    begin: datetime.datetime
    end: datetime.datetime
    low: int
    high: int

    def place(self, at: datetime.datetime, value: int, width: int = 100, height: int = 100) -> tuple[int, int]:
        """Return where a point is drawn, from the left and from above."""
        share = (value - self.low) / (self.high - self.low) if self.high > self.low else 0.5
        return round((at - self.begin) / (self.end - self.begin) * width), round((1 - share) * height)

    def path(self, run: Iterable[Point]) -> str:
        """Return a line through points; of those in one place the last."""
        places = dict(self.place(at, value, WIDTH, HEIGHT) for at, value in run)
        points = [f"{x} {y}" for x, y in places.items()]
        # A line of no length is a dot.
        return f"M{'L'.join(points)}" + ("h0" if len(points) == 1 else "")


def timeline(row: Row) -> Timeline | None:
    """Return what is drawn for a sequence; None where earlier reports tell of less than a day."""
    sequence, use = row.finding.sequence, row.finding.use
    if not use.past or use.past[-1][0].at - use.past[0][0].at < SHORTEST_PAST:
        return None
    first, now = use.past[0][0], use.past[-1][0]
    runs, ahead = _runs(use.past), _ahead(use, sequence)
    frame, has_limit = _frame([*(point for run in runs for point in run), *ahead], sequence.limit)
    marks = list(_marks(use.past, frame))
    return Timeline(
        first=first,
        now=now,
        now_at=frame.place(now.at, now.next_value),
        path="".join(frame.path(run) for run in {frame.place(*run[0], WIDTH)[0]: run for run in runs}.values()),
        forecast=frame.path(ahead) if ahead else None,
        until=ahead[-1] if ahead else None,
        limit_at=frame.place(now.at, sequence.limit)[1] if has_limit else None,
        marks=tuple({(mark.kind, mark.x): mark for mark in marks}.values()),
        listed=tuple(marks[-LISTED:]),
        not_listed=len(marks[:-LISTED]),
        pace=_pace(use),
    )


def _runs(past: Iterable[tuple[Position, Break | None]]) -> list[list[Point]]:
    """Return the lines without a break."""
    runs: list[list[Point]] = []
    for position, broken in past:
        if broken or not runs:
            runs.append([])
        elif position.moved_from is not None:
            runs[-1].append((position.at, position.moved_from))
            runs.append([])
        runs[-1].append((position.at, position.next_value))
    return runs


def _ahead(use: Use, sequence: SequenceInfo) -> list[Point]:
    """Return the forecast from now on, until the limit, or for as long as the past is."""
    first, now = use.past[0][0], use.past[-1][0]
    if use.used_per_day is None or use.days_left is None or not now.remaining:
        return []
    span = min(now.at - first.at, datetime.timedelta(days=min(use.days_left, 10**6)))
    used = min(now.remaining - 1, round(use.used_per_day * span.total_seconds() / 86_400))
    return [(now.at, now.next_value), (now.at + span, now.next_value + sequence.increment_by * used)]


def _frame(points: list[Point], limit: int) -> tuple[_Frame, bool]:
    """Return the frame around all points, and whether the limit is in it."""
    times, values = zip(*points, strict=True)
    low, high = min(values), max(values)
    widest = max(high, limit) - min(low, limit)
    has_limit = high - low >= LEAST_SHARE * widest
    if has_limit:
        low, high = min(low, limit), max(high, limit)
    return _Frame(min(times), max(times), low, high), has_limit


def _marks(past: Iterable[tuple[Position, Break | None]], frame: _Frame) -> Iterator[Mark]:
    for (before, _), (after, broken) in pairwise(past):
        if broken is None and after.moved_from is None:
            continue
        kind = "repaired" if broken is None else str(broken)
        was = before.next_value if broken is not None else after.reached
        x, y = frame.place(after.at, after.next_value)
        yield Mark(kind=kind, text=f"{kind} {after.at.date()}: {was} to {after.next_value}", x=x, y=y)


def _pace(use: Use) -> str:
    """Say how fast it is used, and how long it lasts, or why that is not known."""
    if use.used_per_day is None:
        return "No forecast: less than a day of the past is without a break."
    if not use.used_per_day:
        return "Nothing was used lately."
    pace = f"{use.used_per_day:,.0f}" if use.used_per_day >= 10 else f"{use.used_per_day:.2g}"
    if use.days_left is None:
        return f"{pace} values a day lately. No forecast: the past is too short or too uneven."
    return f"{pace} values a day lately; at this pace it lasts {lasts(use.days_left)} (dashed)."
