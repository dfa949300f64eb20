"""The keyword arguments that every face takes: validated, grouped options."""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from typing import Any

from airflow_seqfix.core.discover.mapping import Fed, Range, parse_id_range, parse_mapping
from airflow_seqfix.core.discover.selection import Selection
from airflow_seqfix.core.errors import ArgumentError, ArgumentTypeError
from airflow_seqfix.core.model import Source
from airflow_seqfix.core.policy import Limits, Policy
from airflow_seqfix.options import OPTIONS, Group, Jobs, Options, TableOptions, names_of, refusal


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Validated, grouped options."""

    selection: Selection
    policy: Policy
    limits: Limits
    mapping: tuple[Fed, ...] = ()
    id_range: tuple[Range, ...] = ()
    application_name: str = OPTIONS["application_name"].default
    jobs: Jobs = OPTIONS["jobs"].default
    all_positions: bool = OPTIONS["all_positions"].default
    #: The other side of a cutover, once it has been read.
    source: Source | None = None
    #: When the run must end, by `time.monotonic()`; None: `run_timeout` after its connection is open.
    deadline: float | None = None

    @property
    def deciding(self) -> dict[str, Any]:
        """The options that decide what is behind, and by how much, in JSON types."""
        decided = {name: getattr(self.policy, name) for name in names_of(Group.POLICY) if OPTIONS[name].decides}
        decided["outliers"] = str(self.policy.outliers)
        decided["mapping"] = {fed.sequence.text: fed.written for fed in self.mapping}
        decided["id_range"] = {own.sequence.text: [own.low, own.high] for own in self.id_range}
        decided["source"] = self.source and self.source.uri
        decided["source_schemas"] = dict(self.source.schemas) if self.source else {}
        return decided

    @classmethod
    def parse(cls, options: Options | TableOptions) -> Settings:
        """Group and validate options before anything is read.

        :raises ArgumentError: when a value is invalid.
        :raises ArgumentTypeError: when a name is not an option.
        """
        given: dict[str, Any] = dict(options)
        for name in sorted(given.keys() - OPTIONS.keys()):
            near = difflib.get_close_matches(name, OPTIONS, n=1)
            known = f"did you mean {near[0]}?" if near else f"there are {', '.join(sorted(OPTIONS))}"
            raise ArgumentTypeError(f"unknown option {name}; {known}")
        refused = refusal(given)
        if refused is not None:
            raise ArgumentError(**refused._asdict())

        def take(*groups: Group) -> dict[str, Any]:
            return {name: given[name] for name in names_of(*groups) if name in given}

        return cls(
            selection=Selection.parse(**take(Group.SELECTION)),
            policy=Policy(**take(Group.POLICY, Group.MOVING)),
            limits=Limits(**take(Group.LIMITS)),
            mapping=parse_mapping(given.get("mapping", {})),
            id_range=parse_id_range(given.get("id_range", {})),
            **take(Group.RUN),
        )
