"""The finding for one sequence, the move that repairs it, and the outcome."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from airflow_seqfix.core.model.measurement import Measurement, Obstacle
from airflow_seqfix.core.model.sequence import SequenceInfo
from airflow_seqfix.core.model.use import UNKNOWN, Use
from airflow_seqfix.core.policy import Policy


class Verdict(str, Enum):
    """How a sequence stands against the columns that it feeds."""

    IN_SYNC = "in_sync"  #: the next value lies beyond every value in the columns
    BEHIND = "behind"  #: the data have reached the next value
    EXHAUSTED = "exhausted"  #: no value is left that fits both the sequence and its columns
    UNKNOWN = "unknown"  #: it could not be read
    SKIPPED = "skipped"  #: nothing to compare, or excluded

    def __str__(self) -> str:
        return self.value


class SequenceWarning(str, Enum):
    """What to know beside the verdict."""

    EXHAUSTING = "exhausting"  #: `warn_used_pct` of the values are used
    OUTLIER = "outlier"  #: the furthest values lie far from all others, and are not followed by default
    SAME_VALUES = "same_values"  #: another sequence hands out the same values into the same unique column
    CACHED = "cached"  #: CACHE > 1: open sessions may still use cached values
    NO_INDEX = "no_index"  #: no index leads with a column, so it is read from end to end
    NOT_UNIQUE = "not_unique"  #: a column has no unique index: it takes the same value twice
    SHARED = "shared"  #: the sequence feeds several columns
    NOT_OWNED = "not_owned"  #: no column owns the sequence
    UNDRAWN = "undrawn"  #: nothing in the catalogs draws from it; an application may
    NOT_COMPARED = "not_compared"  #: it also feeds a column whose values cannot be compared
    UNREAD_CHECK = "unread_check"  #: a CHECK constraint or the partitioning may end a column, and is not read
    UNTRUSTED = "untrusted"  #: a table whose owner may not use the sequence draws from it, and does not count
    NOT_AT_SOURCE = "not_at_source"  #: the other side of the cutover has no such sequence
    SOURCE_DIFFERS = "source_differs"  #: it has another increment or other bounds there
    OPEN_WRITERS = "open_writers"  #: open transactions have written rows that nobody can see yet
    STANDBY = "standby"  #: read on a standby, which sees sequences ahead of the primary

    def __str__(self) -> str:
        return self.value


class Way(str, Enum):
    """How one sequence is moved."""

    ADVANCE = "advance"  #: nextval() until it reaches the target: cannot go back, blocks nobody
    LOCKED = "locked"  #: lock the sequence, check again, set it: cannot go back, blocks nextval() for a moment
    GUARDED = "guarded"  #: setval() if still behind: a race with writers remains

    def __str__(self) -> str:
        return self.value


@dataclass(frozen=True, slots=True, kw_only=True)
class Move:
    """The move that repairs one sequence: afterwards `last_value = target, is_called = true`, or further."""

    sequence: SequenceInfo
    target: int
    #: The number of calls of nextval() to the target.
    calls: int
    #: None where this role cannot move it.
    way: Way | None
    #: Why this way.
    why: str
    #: Why no method works.
    obstacle: Obstacle | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Outliers:
    """The furthest values, if the sequence will never reach them by counting."""

    count: int
    lowest: int
    highest: int
    #: The furthest value that is no outlier; None if all are.
    before: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """The verdict on one sequence, with its figures."""

    measurement: Measurement
    verdict: Verdict
    reason: str | None = None
    remedy: str | None = None
    warnings: tuple[SequenceWarning, ...] = ()
    #: How many values the sequence is behind.
    gap: int | None = None
    #: How many default inserts succeed before one fails; None: not known.
    inserts_until_collision: int | None = None
    #: Whether `inserts_until_collision` is only a lower bound.
    is_at_least: bool = False
    #: The share of values used, in percent.
    used_pct: float | None = None
    #: How many values are left.
    remaining: int | None = None
    #: How fast it is used, by earlier reports.
    use: Use = UNKNOWN
    #: How many steps beyond the furthest value the next value must lie.
    margin: int = 0
    #: The value beyond which the next value must lie: the furthest that counts, plus the margin.
    needed_value: int | None = None
    outliers: Outliers | None = None
    #: The move that repairs it.
    move: Move | None = None
    #: Whether a statement that makes the move is what helps: that is written when it is asked for, and `remedy` is what
    #: is left to decide after it.
    is_pasteable: bool = False

    @property
    def sequence(self) -> SequenceInfo:
        return self.measurement.sequence

    @property
    def is_not_in_sync(self) -> bool:
        """Whether it is anything but in sync or skipped."""
        return self.verdict in (Verdict.BEHIND, Verdict.EXHAUSTED, Verdict.UNKNOWN)

    def fails(self, policy: Policy) -> bool:
        """Whether a gate stays shut."""
        said = {str(self.verdict), *map(str, self.warnings)}
        return not said.isdisjoint(policy.fail_on) or self.shortage(policy) is not None

    def shortage(self, policy: Policy) -> str | None:
        """Say which threshold it has passed on its way to being exhausted."""
        if self.used_pct is not None and policy.fail_used_pct is not None and self.used_pct >= policy.fail_used_pct:
            return f"{self.used_pct} % of its values are used, and fail_used_pct is {policy.fail_used_pct:g}"
        if self.remaining is not None and policy.min_remaining is not None and self.remaining < policy.min_remaining:
            return f"it has {self.remaining:,} values left, and min_remaining is {policy.min_remaining:,}"
        days_left = self.use.days_left
        if days_left is not None and policy.min_days_left is not None and days_left < policy.min_days_left:
            pace = f"{self.use.used_per_day:,.0f} values a day"
            return f"at {pace} it lasts {days_left:,.0f} days, and min_days_left is {policy.min_days_left:g}"
        return None


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """The outcome for one sequence that was behind."""

    #: The finding before.
    before: Finding
    #: The finding after, from a new transaction; the same as `before` if nothing was tried.
    after: Finding
    way: Way | None = None
    #: Whether it was read again and found in sync.
    verified: bool = False
    #: Why it was not moved.
    error: Obstacle | None = None
