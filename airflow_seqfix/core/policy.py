"""What counts as in sync, what a repair may do, and for how long. What each option means: `airflow_seqfix.options`."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, fields
from typing import Literal

from airflow_seqfix.core.errors import ArgumentError
from airflow_seqfix.options import OPTIONS, Follow, Lock, refusal

__all__ = ["Follow", "Limits", "Lock", "Policy"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """The rules of judgement that a user can change.

    :raises ArgumentError: when a value is invalid.
    """

    margin: int = OPTIONS["margin"].default
    max_jump: int = OPTIONS["max_jump"].default
    outliers: Follow | Literal["report", "follow", "ignore"] = OPTIONS["outliers"].default
    interleaved: bool = OPTIONS["interleaved"].default
    foreign: bool = OPTIONS["foreign"].default
    own_code_only: bool = OPTIONS["own_code_only"].default
    warn_used_pct: float = OPTIONS["warn_used_pct"].default
    fail_used_pct: float | None = OPTIONS["fail_used_pct"].default
    min_remaining: int | None = OPTIONS["min_remaining"].default
    min_days_left: float | None = OPTIONS["min_days_left"].default
    fail_on: Collection[str] = OPTIONS["fail_on"].default
    lock: Lock | Literal["auto", "none", "sequence", "guarded"] = OPTIONS["lock"].default
    advance_up_to: int = OPTIONS["advance_up_to"].default

    def __post_init__(self) -> None:
        _refuse(self)
        object.__setattr__(self, "lock", Lock(self.lock))
        object.__setattr__(self, "outliers", Follow(self.outliers))
        object.__setattr__(self, "fail_on", frozenset(map(str, self.fail_on)))


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """How long anything may take, in seconds.

    :raises ArgumentError: when a value is invalid.
    """

    lock_timeout: float = OPTIONS["lock_timeout"].default
    statement_timeout: float = OPTIONS["statement_timeout"].default
    run_timeout: float = OPTIONS["run_timeout"].default
    wait_for_writers: float = OPTIONS["wait_for_writers"].default

    def __post_init__(self) -> None:
        _refuse(self)


def _refuse(options: Policy | Limits) -> None:
    refused = refusal({field.name: getattr(options, field.name) for field in fields(options)})
    if refused is not None:
        raise ArgumentError(**refused._asdict())
