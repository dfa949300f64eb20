"""A second opinion on a sequence: slow, simple, and with nothing taken from the package.

Every row is fetched, and the values that the sequence can still hand out are written down as a Python range. What a
type can hold is found out by asking the server for casts. Which columns a sequence feeds is told by the caller, who
created them.
"""

from __future__ import annotations

import functools
import itertools
import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from decimal import Decimal, localcontext
from typing import Any, LiteralString, cast

import psycopg

#: Up to this many values are counted one after the other instead of calculated.
COUNTED = 2_000
#: No sequence leaves this range.
LARGEST = 2**63 - 1


@dataclass(frozen=True, kw_only=True)
class Fed:
    """A column that takes its values from the sequence; names as SQL needs them."""

    table: str
    column: str
    #: The type, for a domain the one under it.
    type: str
    #: Whether a unique index on it alone makes an insert fail that brings a value again.
    is_unique: bool = True


@dataclass(frozen=True, kw_only=True)
class Wish:
    """What the user asks for beyond the default."""

    margin: int = 0
    max_jump: int = 10_000_000
    outliers: str = "report"
    interleaved: bool = False


@dataclass(frozen=True, kw_only=True)
class Opinion:
    verdict: str
    increment: int
    next_value: int
    #: The values that nextval() will still return, in order.
    draws: range
    furthest_value: int | None = None
    #: The furthest value that counts: with `interleaved` only those on the sequence's steps do, and outliers never
    #: unless they are followed.
    decisive: int | None = None
    gap: int = 0
    #: How many values are handed out before one that is already stored; None: that never happens.
    safe_draws: int | None = None
    remaining: int = 0
    #: How many of the furthest values are outliers that somebody has to decide about.
    outliers: int = 0
    #: How many values come before those that are the sequence's own.
    early: int = 0
    #: Where a repair has to end, with how many values handed out; None where it has nothing to do.
    target: int | None = None
    calls: int = 0


def judge(
    conn: psycopg.Connection, sequence: str, fed: Iterable[Fed], wish: Wish, own: tuple[int, int] | None = None
) -> Opinion:
    """Say how a sequence stands; `conn` is in autocommit mode, `sequence` as SQL needs it.

    With `own`, other writers have the values outside of it.
    """
    columns = list(fed)
    low, high, step, cycle = _rows(
        conn,
        "SELECT seqmin, seqmax, seqincrement, seqcycle FROM pg_sequence WHERE seqrelid = %s::regclass",
        sequence,
    )[0]
    last_value, is_called = _rows(conn, f"SELECT last_value, is_called FROM {sequence}")[0]
    upward = step > 0
    next_value = last_value + step if is_called else last_value
    draws = _up_to(next_value, step, high if upward else low)
    if cycle or not columns:
        return Opinion(verdict="skipped", increment=step, next_value=next_value, draws=draws)

    own_low, own_high = (max(low, own[0]), min(high, own[1])) if own else (low, high)
    before_own = _up_to(next_value, step, own_low - 1 if upward else own_high + 1) if own else range(0)
    ranges = {column: held_by(conn, column.type) for column in columns}
    bounds = (
        max([own_low, *(least for least, _ in ranges.values())]),
        min([own_high, *(most for _, most in ranges.values())]),
    )
    fitting = _between(draws, *bounds)

    # A row outside the bounds of the sequence or of its own type is never handed out again.
    by_column = {
        column: {value for value in _values(conn, column) if max(low, least) <= value <= min(high, most)}
        for column, (least, most) in ranges.items()
    }
    rows = set().union(*by_column.values())
    taken = {int(value) for value in rows if value == int(value)}
    # A value that another row of the same column has is in nobody's way without a unique index.
    refused = {c: {int(v) for v in values if v == int(v)} if c.is_unique else set() for c, values in by_column.items()}
    # A fraction is never handed out either; it stands for the last integer before it.
    stored = {_whole(value, upward) for value in rows if own_low <= value <= own_high}
    counting = stored
    if wish.interleaved and abs(step) > 1:
        counting = {value for value in taken & stored if (value - next_value) % step == 0}
    nearest, furthest = (min, max) if upward else (max, min)

    opinion = Opinion(
        verdict="in_sync" if fitting else "exhausted",
        increment=step,
        next_value=next_value,
        draws=draws,
        furthest_value=furthest(stored) if stored else None,
        decisive=furthest(counting) if counting else None,
        remaining=_how_many(fitting),
        early=_how_many(before_own),
    )
    collisions = [value for value in set().union(*refused.values()) if value in draws]
    if collisions:
        opinion = replace(opinion, safe_draws=draws.index(nearest(collisions)))
    size = _how_many(_up_to(bounds[0], abs(step), bounds[1]))
    up_to_end = _up_to(next_value, step, own_high if upward else own_low)
    start = fitting.start - step if is_called and fitting.start == next_value else fitting.start
    lanes = [
        _Lane(
            _between(draws, max(own_low, least), min(own_high, most)),
            max(own_low, least),
            min(own_high, most),
            refused[column],
        )
        for column, (least, most) in ranges.items()
    ]
    return _judge_rows(opinion, _Rows(counting, lanes, fitting, size, start, up_to_end), wish)


@dataclass(frozen=True)
class _Lane:
    """What inserts into one column can use."""

    #: The values to come that the column can hold.
    fitting: range
    lowest: int
    highest: int
    #: The values that an insert into the column fails with.
    refused: set[int]

    def after(self, target: int) -> range:
        """Return the values that are left to these inserts beyond a move."""
        step = self.fitting.step
        return _between(
            _up_to(target + step, step, self.highest if step > 0 else self.lowest), self.lowest, self.highest
        )

    def is_robbed(self, target: int) -> bool:
        """Whether a move takes more values in a row from these inserts than it leaves, and leaves little."""
        left = _how_many(self.after(target))
        size = _how_many(_up_to(self.lowest, abs(self.fitting.step), self.highest))
        return left * 100 < size and _free_in_a_row(self.fitting, target, self.refused) > left


@dataclass(frozen=True)
class _Rows:
    """What a verdict rests on."""

    #: The values that count.
    counting: set[int]
    lanes: list[_Lane]
    #: The values to come that fit, and how many there are from end to end.
    fitting: range
    size: int
    #: From where a gap counts that no value lies before: the value handed out last, or the first to come.
    start: int
    #: The values to come that are the sequence's own.
    up_to_end: range


def _judge_rows(opinion: Opinion, rows: _Rows, wish: Wish) -> Opinion:
    """Say how a sequence stands to the values that count."""
    step, next_value, reached = opinion.increment, opinion.next_value, opinion.decisive
    fitting = rows.fitting

    def reaches(value: int, goal: int) -> bool:
        return value >= goal if step > 0 else value <= goal

    apart = [] if wish.outliers == "follow" else _outliers(opinion, rows, wish)
    kept = rows.counting - set(apart)
    decisive = (max(kept) if step > 0 else min(kept)) if kept else None
    report = len(apart) if wish.outliers == "report" else 0
    if wish.outliers == "ignore":
        reached = decisive
    gap = _calls(next_value, step, reached) if reached is not None and reaches(reached, next_value) else 0
    opinion = replace(opinion, decisive=decisive, outliers=report, gap=max(gap, opinion.early))

    calls, is_beyond_margin = opinion.early, True
    if decisive is not None:
        # The margin counts from the furthest value, in steps; after a move to it a value that fits has to be left.
        wanted = decisive + wish.margin * step
        after_move = next_value + _calls(next_value, step, wanted) * step
        margin_fits = bool(fitting) and reaches(fitting[-1], after_move)
        is_beyond_margin = not reaches(wanted, next_value)
        goal = wanted if margin_fits else decisive
        if reaches(goal, next_value):
            calls = max(calls, _calls(next_value, step, goal))
    # Once the last value is handed out, nothing of its own can collide.
    calls = min(calls, _how_many(rows.up_to_end))
    if not calls and not report:
        return replace(opinion, verdict="in_sync" if fitting and is_beyond_margin else "exhausted")
    if not calls:
        return replace(opinion, verdict="behind")
    target = next_value + (calls - 1) * step
    left = _how_many(fitting) if not reaches(target, fitting.start) else 0
    if target in fitting:
        left = _how_many(fitting) - fitting.index(target) - 1
    if (
        (left == 0 or left * 100 < rows.size)
        and wish.outliers != "follow"
        and any(lane.is_robbed(target) for lane in rows.lanes)
    ):
        return replace(opinion, verdict="behind")
    is_full = any(
        not lane.after(target) and _free_in_a_row(lane.fitting, target, lane.refused) == 0 for lane in rows.lanes
    )
    return replace(opinion, verdict="exhausted" if is_full else "behind", calls=calls, target=target)


def _outliers(opinion: Opinion, rows: _Rows, wish: Wish) -> list[int]:
    """Return the values beyond the nearest gap that sets them apart; each gap is tried."""
    step, first = opinion.increment, rows.fitting.start
    ordered = sorted(rows.counting, reverse=step < 0)
    limit = rows.fitting.stop - (1 if step > 0 else -1)

    def steps(value: int, other: int) -> int:
        return -(-abs(value - other) // abs(step))

    def is_ahead(value: int) -> bool:
        return value >= first if step > 0 else value <= first

    for place, value in enumerate(ordered):
        before, beyond = ordered[:place], ordered[place:]
        if not is_ahead(value) or len(beyond) > 50:
            continue
        near = rows.start
        if before and is_ahead(before[-1]):
            # The last value handed out on the way past it.
            near = first - (first - before[-1]) // step * step
        gap, left = steps(near, value), _how_many(_up_to(ordered[-1] + step, step, limit))
        is_long = gap > wish.max_jump
        if wish.max_jump <= 10_000_000 and gap > 10:
            is_long = is_long or gap > rows.size / 10 or gap > left
        last = [other for other in before[-50:] if is_ahead(other)]
        stands_out = gap > 2 * (steps(last[0], last[-1]) if last else 0)
        is_few = len(beyond) == 1 or len(beyond) < len(before) or (bool(before) and gap > 2**40)
        if is_long and stands_out and is_few:
            return beyond
    return []


def _free_in_a_row(fitting: range, target: int, taken: set[int]) -> int:
    """Return the longest row of values that fit, and are free, before a move."""
    if not fitting:
        return 0
    step = fitting.step
    up_to = [value for value in taken if value in fitting and (target - value) * step >= 0]
    end = fitting[-1] if (target - fitting[-1]) * step > 0 else target
    edges = [fitting.start - step, *sorted(up_to, reverse=step < 0), end + step]
    return max(0, *((after - before) // step - 1 for before, after in itertools.pairwise(edges)))


@functools.cache
def _held_by(dsn: str, type_name: str) -> tuple[int, int]:
    with psycopg.connect(dsn, autocommit=True) as conn:

        def fits(value: int) -> bool:
            try:
                _rows(conn, f"SELECT CAST('{value}' AS {type_name})")
            except psycopg.errors.NumericValueOutOfRange:
                return False
            return True

        ends = []
        for sign in (-1, 1):
            inside, outside = 0, sign * (LARGEST + 2)
            while abs(outside - inside) > 1:
                middle = (inside + outside) // 2
                inside, outside = (middle, outside) if fits(middle) else (inside, middle)
            ends.append(max(-LARGEST - 1, min(LARGEST, inside)))
        return ends[0], ends[1]


def held_by(conn: psycopg.Connection, type_name: str) -> tuple[int, int]:
    """Return the smallest and the largest integer that a type takes, found by trying."""
    return _held_by(conn.info.dsn, type_name)


def _values(conn: psycopg.Connection, column: Fed) -> list[Decimal]:
    rows = _rows(conn, f"SELECT {column.column}::text FROM {column.table}")
    texts = [text for (text,) in rows if text is not None]
    if column.type == "text":
        # nextval() writes a number in one way only.
        texts = [text for text in texts if re.fullmatch("-?[0-9]+", text) and str(int(text)) == text]
    return [value for value in map(Decimal, texts) if value.is_finite()]


def _rows(conn: psycopg.Connection, query: str, *parameters: Any) -> list[tuple[Any, ...]]:
    return conn.execute(cast(LiteralString, query), parameters or None).fetchall()


def _up_to(first: int, step: int, end: int) -> range:
    return range(first, end + (1 if step > 0 else -1), step)


def _between(values: range, low: int, high: int) -> range:
    """Return the values within the bounds."""
    step = values.step
    near, far = (low, high) if step > 0 else (high, low)
    first = values.start
    if (first < near) if step > 0 else (first > near):
        # The first step at or past the near bound.
        first += -((first - near) // step) * step
    end = min(far, values.stop - 1) if step > 0 else max(far, values.stop + 1)
    return _up_to(first, step, end)


def _how_many(values: range) -> int:
    """Count, one by one where that can be waited for; len() refuses what does not fit a machine word."""
    if not values:
        return 0
    calculated = values.index(values[-1]) + 1
    if calculated <= COUNTED:
        assert sum(1 for _ in values) == calculated
    return calculated


def _calls(next_value: int, step: int, goal: int) -> int:
    """Count how often nextval() is called until it returns `goal` or a value past it."""
    up_to_goal = _up_to(next_value, step, goal)
    calculated = _how_many(up_to_goal) + (0 if goal in up_to_goal else 1)
    if calculated <= COUNTED:
        value, calls = next_value, 1
        while value < goal if step > 0 else value > goal:
            value, calls = value + step, calls + 1
        assert calls == calculated
    return calculated


def _whole(value: Decimal, upward: bool) -> int:
    """Return the last integer up to `value`, seen in the sequence's direction."""
    with localcontext(prec=60):
        return int(value.to_integral_value("ROUND_FLOOR" if upward else "ROUND_CEILING"))
