"""Where a sequence stood earlier, and how fast it is used. Pure."""

from __future__ import annotations

import datetime
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Position:
    """Where a sequence stood at one moment."""

    at: datetime.datetime
    next_value: int
    #: How many values were left.
    remaining: int
    #: Where it was moved from, by a repair in this moment; None: it was not moved.
    moved_from: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Use:
    """How fast a sequence is used."""

    #: Values a day; None: the past does not tell.
    used_per_day: float | None = None
    #: Days until the nearer limit is reached at that pace; None: the past does not tell, or nothing is used.
    days_left: float | None = None


#: What is said where there is no past.
UNKNOWN = Use()
