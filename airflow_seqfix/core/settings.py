"""The keyword arguments that every face takes, sorted into selection, policy and limits."""

from __future__ import annotations

import difflib
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, fields
from typing import Any, Literal, TypedDict

from airflow_seqfix.core.discover.mapping import Fed, Range, parse_id_range, parse_mapping
from airflow_seqfix.core.discover.selection import Selection
from airflow_seqfix.core.errors import ArgumentError
from airflow_seqfix.core.policy import Limits, Lock, Policy
from airflow_seqfix.rules import refusal


class Options(TypedDict, total=False):
    """What `check()`, `plan()` and `fix()` take: see `Selection.parse`, `Policy` and `Limits` for each, and:

    `mapping`: columns that a sequence feeds though no catalog says so (triggers, applications), as
    `{"public.hibernate_sequence": ["public.orders.id", "public.invoices.id"]}`.
    `id_range`: the lowest and highest value of a sequence's own where several writers share a column; rows outside do
    not count, and the next value has to lie inside.
    `jobs`: how many connections share the work; more than one needs a callable that opens one.
    """

    schemas: str | Iterable[str]
    tables: str | Iterable[str]
    columns: str | Iterable[str]
    sequences: str | Iterable[str]
    exclude: str | Iterable[str]
    mapping: Mapping[str, str | Iterable[str]]
    id_range: Mapping[str, tuple[int, int]]
    allow_empty: bool
    allow_skipped: bool
    margin: int
    max_jump: int
    accept_outlier: bool
    interleaved: bool
    foreign: bool
    lock: Lock | Literal["auto", "none", "sequence", "guarded"]
    advance_up_to: int
    unknown: Literal["fail", "warn"]
    fail_on: Collection[str] | None
    warn_used_pct: float
    fail_used_pct: float | None
    min_remaining: int | None
    lock_timeout: float
    statement_timeout: float
    run_timeout: float
    wait_for_writers: float
    application_name: str
    jobs: int


#: Names of the options by the type that they end in.
SELECTION_OPTIONS = ("schemas", "tables", "columns", "sequences", "exclude", "allow_empty", "allow_skipped")
POLICY_OPTIONS = tuple(field.name for field in fields(Policy))
DECIDING_OPTIONS = ("margin", "max_jump", "accept_outlier", "interleaved", "foreign")
LIMIT_OPTIONS = tuple(field.name for field in fields(Limits))


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Options, checked."""

    selection: Selection
    policy: Policy
    limits: Limits
    mapping: tuple[Fed, ...] = ()
    id_range: tuple[Range, ...] = ()
    application_name: str = "seqfix"
    jobs: int = 1

    def __post_init__(self) -> None:
        wrong = refusal({"jobs": self.jobs})
        if wrong is not None:
            raise ArgumentError(wrong)

    @property
    def deciding(self) -> dict[str, Any]:
        """The options that decide what is behind, and by how much, in JSON types."""
        decided = {name: getattr(self.policy, name) for name in DECIDING_OPTIONS}
        decided["mapping"] = {fed.sequence.text: [column.text for column in fed.columns] for fed in self.mapping}
        decided["id_range"] = {own.sequence.text: [own.low, own.high] for own in self.id_range}
        return decided

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
            mapping=parse_mapping(given.pop("mapping", {})),
            id_range=parse_id_range(given.pop("id_range", {})),
            **take(("application_name", "jobs")),
        )
        if given:
            name = min(given)
            near = difflib.get_close_matches(name, Options.__annotations__, n=1)
            known = f"did you mean {near[0]}?" if near else f"there are {', '.join(sorted(Options.__annotations__))}"
            raise ArgumentError(f"unknown option {name}; {known}")
        return settings
