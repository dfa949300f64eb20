"""The keyword arguments that every face takes, sorted into selection, policy and limits."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, fields
from typing import Any, Literal, TypedDict

from airflow_seqfix.core.errors import ArgumentError
from airflow_seqfix.core.names import SHAPES
from airflow_seqfix.core.policy import Lock, Policy
from airflow_seqfix.core.selection import Selection
from airflow_seqfix.core.session import Limits


class Options(TypedDict, total=False):
    """What `check()`, `plan()` and `fix()` take: see `Selection.parse`, `Policy` and `Limits` for each."""

    schemas: str | Iterable[str]
    tables: str | Iterable[str]
    columns: str | Iterable[str]
    sequences: str | Iterable[str]
    exclude: str | Iterable[str]
    allow_empty: bool
    allow_skipped: bool
    margin: int
    max_jump: int
    accept_outlier: bool
    interleaved: bool
    lock: Lock | Literal["auto", "none", "sequence", "guarded"]
    advance_up_to: int
    unknown: Literal["fail", "warn"]
    warn_used_pct: float
    fail_used_pct: float | None
    lock_timeout: float
    statement_timeout: float
    run_timeout: float
    wait_for_writers: float
    application_name: str


#: Names of the options by the type that they end in.
SELECTION_OPTIONS = (*SHAPES, "allow_empty", "allow_skipped")
POLICY_OPTIONS = tuple(field.name for field in fields(Policy))
LIMIT_OPTIONS = tuple(field.name for field in fields(Limits))


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Options, checked."""

    selection: Selection
    policy: Policy
    limits: Limits
    application_name: str = "seqfix"

    @classmethod
    def parse(cls, options: Options) -> Settings:
        """Sort and check options before anything is read.

        :raises ArgumentError: when a value cannot be meant, or a name is no option.
        """
        given: dict[str, Any] = dict(options)

        def take(names: tuple[str, ...]) -> dict[str, Any]:
            return {name: given.pop(name) for name in names if name in given}

        settings = cls(
            selection=Selection.parse(**take(SELECTION_OPTIONS)),
            policy=Policy(**take(POLICY_OPTIONS)),
            limits=Limits(**take(LIMIT_OPTIONS)),
            **take(("application_name",)),
        )
        if given:
            raise ArgumentError(f"unknown option {', '.join(sorted(given))}")
        return settings
