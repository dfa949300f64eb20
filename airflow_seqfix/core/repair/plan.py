"""A stored plan that comes back to be applied: untrusted input.

A move of it is made only where the database still looks as it did: the same sequence by OID, name and definition, and
data that reach as far as the target.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import Any

from airflow_seqfix.core.errors import ArgumentError
from airflow_seqfix.core.judge.arithmetic import calls_to_pass, is_beyond
from airflow_seqfix.core.judge.move import choose_way
from airflow_seqfix.core.model import Finding, Measurement, Move, Obstacle, Outcome, SequenceInfo, Server, Verdict
from airflow_seqfix.core.model.quoted import Identifier, QualifiedName, RowVersion
from airflow_seqfix.core.policy import Policy

#: The version of the moves in a plan's dictionary.
PLAN_VERSION = 1

#: What helps where a plan no longer fits.
NEW_PLAN = "make a new plan"

#: What has to be the same as when the plan was made.
DEFINITION = ("oid", "data_type", "increment_by", "min_value", "max_value", "cache_size")


def fingerprint(plan: Mapping[str, Any]) -> str:
    """Return the SHA-256, in hexadecimal, of all that a plan's dictionary has to say of what is done."""
    decides = {name: plan.get(name) for name in ("plan_version", "database", "options", "moves")}
    import hashlib

    return hashlib.sha256(json.dumps(decides, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredMove:
    """One move of a stored plan."""

    sequence: str
    target: int
    oid: int
    data_type: str
    increment_by: int
    min_value: int
    max_value: int
    cache_size: int

    @classmethod
    def of(cls, move: Move) -> StoredMove:
        definition = {name: getattr(move.sequence, name) for name in DEFINITION}
        return cls(sequence=move.sequence.qualified_name, target=move.target, **definition)

    def as_sequence(self) -> SequenceInfo:
        """Return what is known of a sequence that is no longer there."""
        return SequenceInfo(
            oid=self.oid,
            schema_name="",
            sequence_name=self.sequence,
            quoted_schema=Identifier(""),
            qualified_name=QualifiedName(self.sequence),
            data_type=self.data_type,
            start_value=self.min_value,
            min_value=self.min_value,
            max_value=self.max_value,
            increment_by=self.increment_by,
            cycle=False,
            cache_size=self.cache_size,
            owner=Identifier(""),
            extension=None,
            may_use_schema=False,
            may_select=False,
            may_alter=False,
            may_nextval=False,
            may_setval=False,
            version=RowVersion(""),
            is_owners_member=False,
        )

    def differs_from(self, sequence: SequenceInfo) -> str | None:
        """Say in what a sequence is no longer the one of the plan."""
        changed = [
            f"{name} was {getattr(self, name)} and is {getattr(sequence, name)}"
            for name in DEFINITION
            if getattr(self, name) != getattr(sequence, name)
        ]
        return ", ".join(changed) or None


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredPlan:
    """A plan as it was stored."""

    database: str
    #: The options that it was made with.
    options: Mapping[str, Any]
    moves: tuple[StoredMove, ...]
    #: The sequences that failed its check, and that it does not move.
    left: tuple[str, ...] = ()

    @classmethod
    def read(cls, data: Any) -> StoredPlan:
        """Read what `Plan.to_dict()` returned.

        :raises ArgumentError: when it is nothing of the kind, or of another version.
        """
        if not isinstance(data, Mapping) or "moves" not in data:
            raise _refused("this is not a plan", "give what Plan.to_dict() or `seqfix plan --format json` returned")
        if data.get("plan_version") != PLAN_VERSION:
            raise _refused(f"it is of version {data.get('plan_version')!r}, not {PLAN_VERSION}")
        if data.get("moves_left_out"):
            raise _refused(
                "it was cut short and does not hold all its moves",
                "make one that is whole, as seqfix plan --format json does",
            )
        kinds = dict.fromkeys((field.name for field in fields(StoredMove)), int) | {"sequence": str, "data_type": str}
        moves: dict[str, StoredMove] = {}
        for number, move in enumerate(data["moves"] if isinstance(data["moves"], list) else [None], start=1):
            if not isinstance(move, Mapping):
                raise _refused(f"move {number} is not an object")
            for field, kind in kinds.items():
                if type(move.get(field)) is not kind:
                    raise _refused(f"move {number} has {field}={move.get(field)!r}, and {kind.__name__} is expected")
            if move["sequence"] in moves:
                raise _refused(f"it moves {move['sequence']} twice")
            moves[move["sequence"]] = StoredMove(**{field: move[field] for field in kinds})
        if not isinstance(data.get("database"), str):
            raise _refused("it does not say for which database it was made")
        if not isinstance(data.get("options"), Mapping):
            raise _refused("it does not say with which options it was made")
        rows = data["sequences"] if isinstance(data.get("sequences"), list) else []
        failing = (row.get("sequence") for row in rows if isinstance(row, Mapping) and row.get("fails") is True)
        left = tuple(name for name in failing if isinstance(name, str) and name not in moves)
        return cls(database=data["database"], options=data["options"], moves=tuple(moves.values()), left=left)

    def refuse_other_database(self, server: Server) -> None:
        """Raise where it was made for another database.

        :raises ArgumentError: that says which.
        """
        if self.database != server.database:
            raise _refused(
                f"it was made for database {self.database}, and this is {server.place}",
                f"connect to {self.database}, or make a new plan here",
            )

    def refuse_other_options(self, options: Mapping[str, Any]) -> None:
        """Raise where it is to be applied with other options than it was made with.

        :raises ArgumentError: that says which.
        """
        for name, value in options.items():
            if self.options.get(name) != value:
                made = f"the plan was made with {self.options.get(name)!r}"
                raise ArgumentError(made, option=name, value=value, remedy="give the same")


def _refused(message: str, remedy: str = "make a new one") -> ArgumentError:
    return ArgumentError(message, option="plan", remedy=remedy)


def check_move(move: StoredMove, finding: Finding | None, policy: Policy, server: Server) -> Outcome:
    """Compare a stored move with the present. The `move` of the outcome's findings is left to do."""
    if finding is None:
        finding = Finding(measurement=Measurement(sequence=move.as_sequence()), verdict=Verdict.UNKNOWN)
        return _refuse(finding, "it is no longer there")
    changed = move.differs_from(finding.sequence)
    if changed:
        return _refuse(finding, f"it is not what it was when the plan was made: {changed}")
    done = replace(finding, move=None)
    if finding.verdict is Verdict.IN_SYNC:
        return Outcome(before=done, after=done, verified=True)
    fresh, next_value = finding.move, finding.measurement.next_value
    if fresh is None or next_value is None:
        obstacle = finding.measurement.obstacle
        reason = finding.reason or f"its verdict is {finding.verdict}"
        return _refuse(finding, reason, NEW_PLAN if obstacle is None else obstacle.remedy)
    if is_beyond(finding.sequence, move.target, fresh.target):
        return _refuse(finding, f"the plan goes to {move.target}, and the data ask for {fresh.target}")
    calls = calls_to_pass(finding.sequence, next_value, move.target)
    if calls == 0:
        return Outcome(before=done, after=done)
    finding = replace(finding, move=choose_way(finding.sequence, move.target, calls, policy, server))
    return Outcome(before=finding, after=finding)


def _refuse(finding: Finding, reason: str, remedy: str = NEW_PLAN) -> Outcome:
    finding = replace(finding, move=None)
    return Outcome(
        before=finding,
        after=finding,
        error=Obstacle(reason=f"not moved: {reason}", remedy=remedy, sqlstate="55000"),
    )
