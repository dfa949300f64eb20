"""What counts as in sync, and what a repair may do."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, fields
from enum import Enum
from typing import Literal

from airflow_seqfix.core.errors import ArgumentError
from airflow_seqfix.rules import FAIL_ON, refusal


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
    #: How far, in values, the furthest value may lie from the value before it without being taken for an outlier.
    max_jump: int = 10_000_000
    #: Whether to follow such an outlier all the same.
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
    #: The verdicts that fail a gate; None: behind, exhausted and, unless `unknown="warn"`, unknown.
    fail_on: Collection[str] | None = None
    #: From this share of used values on, in percent, a sequence is `exhausting`.
    warn_used_pct: float = 75.0
    #: From this share on it fails a gate; None: never.
    fail_used_pct: float | None = None
    #: With fewer values left than this it fails a gate; None: never.
    min_remaining: int | None = None

    def __post_init__(self) -> None:
        said = refusal({field.name: getattr(self, field.name) for field in fields(self)})
        if said is not None:
            raise ArgumentError(said)
        object.__setattr__(self, "lock", Lock(self.lock))

    @property
    def failing(self) -> frozenset[str]:
        """The verdicts that fail a gate."""
        if self.fail_on is not None:
            return frozenset(map(str, self.fail_on))
        return frozenset(FAIL_ON) - ({"unknown"} if self.unknown == "warn" else set())


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """How long anything may take. All in seconds."""

    #: How long to wait for a lock. Everybody who comes later queues behind a waiting lock, so keep it below the
    #: server's deadlock_timeout (1 s unless changed).
    lock_timeout: float = 0.1
    #: How long one statement may run: a column without an index is read from end to end.
    statement_timeout: float = 60.0
    #: How long the whole run may take. What was not reached by then is reported as such.
    run_timeout: float = 300.0
    #: How long to wait for the transactions that are writing to the tables, whose rows cannot be seen yet; 0: not.
    wait_for_writers: float = 0.0

    def __post_init__(self) -> None:
        said = refusal({field.name: getattr(self, field.name) for field in fields(self)})
        if said is not None:
            raise ArgumentError(said)
