"""Where a sequence stood earlier, and how fast it is used. Pure."""

from __future__ import annotations

import datetime
from dataclasses import dataclass, field
from enum import Enum


class Break(str, Enum):
    """What ends the use of a sequence between two positions, so that the difference says nothing."""

    SET_BACK = "set back"  #: it stands before where it stood
    CHANGED = "definition changed"  #: another limit, type or increment, or a value off its steps

    def __str__(self) -> str:
        return self.value


@dataclass(frozen=True, slots=True, kw_only=True)
class Position:
    """Where a sequence stood at one moment."""

    at: datetime.datetime
    next_value: int
    #: How many values were left.
    remaining: int
    #: Where it was moved from, by a repair in this moment; None: it was not moved.
    moved_from: int | None = None
    #: The sequence that had the name, and its increment; None: the report does not say, and it is the present one.
    oid: int | None = None
    increment_by: int | None = None

    @property
    def reached(self) -> int:
        """Where use had brought it, before a repair."""
        return self.next_value if self.moved_from is None else self.moved_from


@dataclass(frozen=True, slots=True, kw_only=True)
class Use:
    """How fast a sequence is used."""

    #: Values a day; None: the past does not tell.
    used_per_day: float | None = None
    #: Days until the nearer limit is reached at that pace; None: the past does not tell, or nothing is used.
    days_left: float | None = None
    #: Where it stood, oldest first and the present last, each with what broke its use since the one before.
    past: tuple[tuple[Position, Break | None], ...] = field(default=(), compare=False, repr=False)


#: What is said where there is no past.
UNKNOWN = Use()
