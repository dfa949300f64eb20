"""What counts as in sync, and what a repair may do."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Literal

from airflow_seqfix.core.errors import ArgumentError


class Lock(str, Enum):
    """Which ways of moving a sequence are allowed."""

    AUTO = "auto"  #: advance over small gaps, lock for large ones where the role owns the sequence
    NONE = "none"  #: only nextval(): no lock, no DDL
    SEQUENCE = "sequence"  #: only under a lock on the sequence
    GUARDED = "guarded"  #: one setval() that looks first: not proven against concurrent writers

    def __str__(self) -> str:
        return self.value


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """The opinions that a user can change.

    :raises ArgumentError: when a value cannot be meant.
    """

    #: How many steps beyond the furthest value the next value must lie.
    margin: int = 0
    #: How far, in values, the furthest value may lie from the value before it without being taken for a stray.
    max_jump: int = 10_000_000
    #: Whether to follow such a stray all the same.
    accept_outlier: bool = False
    #: Whether only values on the sequence's own steps count: several writers with offsets share the column.
    interleaved: bool = False
    #: Whether foreign tables are read as well: min() and max() run on the other server.
    foreign: bool = False
    #: Which ways of moving a sequence are allowed.
    lock: Lock | Literal["auto", "none", "sequence", "guarded"] = Lock.AUTO
    #: With `lock="auto"`, gaps of up to this many values are passed with nextval(): about 1 ms for 1,000.
    advance_up_to: int = 10_000
    #: Whether what could not be read fails a gate ("fail") or is only listed ("warn").
    unknown: Literal["fail", "warn"] = "fail"
    #: From this share of used values on, in percent, a sequence is `exhausting`.
    warn_used_pct: float = 75.0
    #: From this share on it fails a gate; None: never.
    fail_used_pct: float | None = None

    def __post_init__(self) -> None:
        for name, least in (("margin", 0), ("max_jump", 1), ("advance_up_to", 0)):
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, int) or value < least:
                raise ArgumentError(f"{name}={value!r}: give an integer of at least {least}")
        for name in ("accept_outlier", "interleaved", "foreign"):
            if not isinstance(getattr(self, name), bool):
                raise ArgumentError(f"{name}={getattr(self, name)!r}: give True or False")
        try:
            object.__setattr__(self, "lock", Lock(self.lock))
        except ValueError:
            raise ArgumentError(f"lock={self.lock!r}: give one of {', '.join(map(str, Lock))}") from None
        if self.unknown not in ("fail", "warn"):
            raise ArgumentError(f"unknown={self.unknown!r}: give fail or warn")
        for name in ("warn_used_pct", "fail_used_pct"):
            value = getattr(self, name)
            if value is not None and (isinstance(value, bool) or not isinstance(value, int | float)):
                raise ArgumentError(f"{name}={value!r}: give a percentage")
            if value is not None and not 0 < value <= 100:
                raise ArgumentError(f"{name}={value!r}: give a percentage above 0 and up to 100")
