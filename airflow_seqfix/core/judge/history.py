"""How fast sequences are used, and how long they last at that pace, by earlier reports. Pure.

A forecast from too little, or from a past that was not alike, would be believed all the same: then there is none.
"""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from airflow_seqfix.core.errors import ArgumentError
from airflow_seqfix.core.model import Break, Position, Use

DAY = 86_400.0
#: So much of the past counts, in days: whole weeks, because weekends differ.
WINDOW = 28.0
#: A pace needs two reports that lie a day apart. A forecast needs a week, and three stretches between reports.
LEAST_FOR_PACE, LEAST_FOR_FORECAST, LEAST_STRETCHES = 1.0, 7.0, 3
#: Into so many parts of equal length the past is cut.
PARTS = 8
#: The pace of the two halves may differ by this factor, and the pace without the busiest part by the other one.
HALVES_DIFFER, BUSIEST_COUNTS = 3.0, 1.8
#: By this factor all that is known may have been faster than the window: bursts of long ago come again.
PAST_FASTER = 1.5
#: No position of a bigint sequence, the one after its last value included, and no count of its values lies beyond.
FARTHEST = 2**64


@dataclass(frozen=True, slots=True)
class _Stretch:
    """The time between two positions in which a sequence was used, and at the end of it perhaps repaired."""

    days: float
    used: int
    #: How many values the repair passed.
    passed: int = 0


History = Mapping[str, Sequence[Position]]


def read_history(reports: Iterable[Mapping[str, Any]], database: str) -> dict[str, list[Position]]:
    """Return where each sequence stood, by name, from what `Report.to_dict()` returned.

    :raises ArgumentError: when one is not a report, or of another database.
    """
    history: dict[str, list[Position]] = {}
    for report in reports:
        try:
            of, at = report["database"], datetime.datetime.fromisoformat(report["started_at"])
            at = at.astimezone(datetime.UTC)
            rows = [(str(row["sequence"]), _position(row, at)) for row in report["sequences"]]
        except (KeyError, TypeError, ValueError, AttributeError, OverflowError):
            raise ArgumentError(
                "this is not a report", option="since", remedy="give what Report.to_dict() or --format json returned"
            ) from None
        if of != database:
            raise ArgumentError(
                f"it holds a report of database {of!r}, and this is {database!r}",
                option="since",
                remedy="leave it out",
            )
        for name, position in rows:
            if position is not None:
                history.setdefault(name, []).append(position)
    return history


def _position(row: Mapping[str, Any], at: datetime.datetime) -> Position | None:
    """Return where a row says that its sequence stood; None where nobody could read it, or it is not compared.

    :raises ValueError: when no sequence can stand there.
    """
    now, remaining = row["next_value"], row["remaining"]
    if type(now) is not int or type(remaining) is not int:
        return None
    before = (row.get("before") or {}).get("next_value")
    moved_from = before if type(before) is int and before != now else None
    oid, increment_by = row.get("oid"), row.get("increment_by")
    if max(abs(now), abs(remaining), abs(moved_from or 0)) > FARTHEST or increment_by == 0:
        raise ValueError
    return Position(
        at=at,
        next_value=now,
        remaining=remaining,
        moved_from=moved_from,
        oid=oid if type(oid) is int else None,
        increment_by=increment_by if type(increment_by) is int else None,
    )


def earlier_of(history: History, name: str, now: Position) -> list[Position]:
    """Return where this very sequence stood until now: not another one that had its name before it.

    What a clock that was ahead calls the future is no past either.
    """
    return [p for p in history.get(name, ()) if p.oid in (None, now.oid) and p.at <= now.at]


def use_of(positions: Iterable[Position], increment_by: int) -> Use:
    """Return how fast a sequence is used, and how long it lasts.

    :param positions: Where it stood, in any order; the latest is the present.
    """
    # A report may be given twice; and of two in the same second, use goes on and a repair comes before what it left.
    known = sorted(set(positions), key=lambda p: (p.at, -p.remaining, p.moved_from is None))
    between = [_stretch(before, after, increment_by) for before, after in pairwise(known)]
    stretches = [stretch for stretch in between if isinstance(stretch, _Stretch)]
    past = tuple(zip(known, [None, *(b if isinstance(b, Break) else None for b in between)], strict=False))
    recent = _recent(stretches)
    if sum(stretch.passed > 0 for stretch in recent) >= LEAST_STRETCHES:
        # Loads and repairs that come again and again use values as well. A single one does not tell of the future.
        recent = [_Stretch(stretch.days, stretch.used + stretch.passed) for stretch in recent]
    days, used = sum(stretch.days for stretch in recent), sum(stretch.used for stretch in recent)
    if days < LEAST_FOR_PACE:
        return Use(past=past)
    pace = used / days
    is_short = days < LEAST_FOR_FORECAST or len(recent) < LEAST_STRETCHES
    if not used or is_short or not _is_even(recent, days, used) or _pace(stretches) > PAST_FASTER * pace:
        return Use(used_per_day=pace, past=past)
    return Use(used_per_day=pace, days_left=known[-1].remaining / pace, past=past)


def _stretch(before: Position, after: Position, increment_by: int) -> _Stretch | Break:
    """Return what was used between two positions, or what else happened in between."""
    step, step_then = after.increment_by or increment_by, before.increment_by or increment_by
    if step != step_then:
        return Break.CHANGED
    used, passed = (after.reached - before.next_value) // step, (after.next_value - after.reached) // step
    if before.remaining - after.remaining != used + passed:
        return Break.CHANGED
    if used < 0 or passed < 0:
        return Break.SET_BACK
    return _Stretch((after.at - before.at).total_seconds() / DAY, used, passed)


def _recent(stretches: Sequence[_Stretch]) -> list[_Stretch]:
    """Return the latest stretches: as many as the window takes, and enough of them, oldest first."""
    taken: list[_Stretch] = []
    for stretch in reversed(stretches):
        if len(taken) >= LEAST_STRETCHES and sum(s.days for s in taken) >= WINDOW:
            break
        taken.insert(0, stretch)
    return taken


def _is_even(stretches: Sequence[_Stretch], days: float, used: int) -> bool:
    """Whether the past is alike enough to say something of the future: no burst, and no change of pace."""
    parts = [_used_until(stretches, days * end / PARTS) for end in range(PARTS + 1)]
    by_part = [after - before for before, after in pairwise(parts)]
    first, second = sum(by_part[: PARTS // 2]), sum(by_part[PARTS // 2 :])
    rest = (used - max(by_part)) * PARTS / (PARTS - 1)
    return max(first, second) <= HALVES_DIFFER * min(first, second) and used <= BUSIEST_COUNTS * rest


def _pace(stretches: Sequence[_Stretch]) -> float:
    return sum(stretch.used for stretch in stretches) / sum(stretch.days for stretch in stretches)


def _used_until(stretches: Sequence[_Stretch], until: float) -> float:
    """Return how much was used in the first days; within a stretch, as if it were used evenly."""
    used, passed = 0.0, 0.0
    for stretch in stretches:
        if not stretch.days:
            used += stretch.used
            continue
        used += stretch.used * min(1.0, max(0.0, (until - passed) / stretch.days))
        passed += stretch.days
    return used
