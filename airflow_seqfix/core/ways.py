"""How a sequence that is behind gets moved: the way is chosen here, and taken in `repair`. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from airflow_seqfix.core.catalog import SequenceInfo, Server
from airflow_seqfix.core.errors import Obstacle
from airflow_seqfix.core.policy import Lock, Policy


class Way(str, Enum):
    """How one sequence is moved."""

    ADVANCE = "advance"  #: nextval() until it has passed the target: cannot go back, blocks nobody
    LOCKED = "locked"  #: lock the sequence, look again, set it: cannot go back, blocks nextval() for a moment
    GUARDED = "guarded"  #: setval() where still behind: a race with writers remains

    def __str__(self) -> str:
        return self.value


@dataclass(frozen=True, slots=True, kw_only=True)
class SetVal:
    """The move that mends one sequence: afterwards `last_value = target, is_called = true`, or further."""

    sequence: SequenceInfo
    target: int
    #: How many calls of nextval() lead there.
    calls: int
    #: None where this role cannot move it.
    way: Way | None
    #: Why this way.
    why: str
    #: What stands in the way of every way.
    obstacle: Obstacle | None = None


def choose_way(sequence: SequenceInfo, target: int, calls: int, policy: Policy, server: Server) -> SetVal:
    """Return how to move a sequence to `target`, given what the role may do."""

    def take(way: Way, why: str) -> SetVal:
        return SetVal(sequence=sequence, target=target, calls=calls, way=way, why=why)

    def refuse(reason: str, cure: str) -> SetVal:
        obstacle = Obstacle(reason=reason, cure=cure, sqlstate="42501")
        return SetVal(sequence=sequence, target=target, calls=calls, way=None, why=reason, obstacle=obstacle)

    role, name = server.quoted_role, sequence.qualified_name
    grant = f"GRANT USAGE ON SEQUENCE {name} TO {role};"
    if server.in_recovery:
        obstacle = Obstacle(reason="a standby is read-only", cure="repair on the primary", sqlstate="25006")
        return SetVal(sequence=sequence, target=target, calls=calls, way=None, why="", obstacle=obstacle)
    match policy.lock:
        case Lock.NONE:
            if sequence.may_nextval:
                return take(Way.ADVANCE, 'lock="none"')
            return refuse(f"role {role} may not call nextval({sequence.name_literal})", grant)
        case Lock.SEQUENCE:
            if sequence.may_alter:
                return take(Way.LOCKED, 'lock="sequence"')
            if sequence.is_owners_member:
                # Until 15 a role inherits from all or none of those that it is a member of.
                inherit = (
                    f"GRANT {sequence.owner} TO {role} WITH INHERIT TRUE;"
                    if server.version_num >= 160000
                    else f"ALTER ROLE {role} INHERIT;"
                )
                return refuse(
                    f"only its owner {sequence.owner} may lock {name}, and role {role} does not inherit its rights",
                    f"{inherit} or SET ROLE {sequence.owner} first",
                )
            return refuse(
                f"only its owner {sequence.owner} may lock {name}",
                f'GRANT {sequence.owner} TO {role}; or {grant} and lock="auto"',
            )
        case Lock.GUARDED:
            if sequence.may_setval:
                return take(Way.GUARDED, 'lock="guarded"')
            return refuse(
                f"role {role} may not call setval({sequence.name_literal})",
                f"GRANT UPDATE ON SEQUENCE {name} TO {role};",
            )
    if sequence.cache_size > 1 and sequence.may_alter:
        return take(Way.LOCKED, f"CACHE {sequence.cache_size}: only ALTER SEQUENCE discards what sessions have cached")
    if sequence.may_nextval and calls <= policy.advance_up_to:
        return take(Way.ADVANCE, f"{calls:,} values, no more than advance_up_to ({policy.advance_up_to:,})")
    if sequence.may_alter:
        return take(Way.LOCKED, f"{calls:,} values, and role {role} owns the sequence")
    if sequence.may_nextval:
        return take(Way.ADVANCE, f"role {role} does not own the sequence")
    return refuse(f"role {role} may not move {name}", grant)
