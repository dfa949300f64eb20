"""Chooses the way to move a sequence; `repair` takes it. Pure."""

from __future__ import annotations

from airflow_seqfix.core.model import Grant, Move, Obstacle, SequenceInfo, Server, Way
from airflow_seqfix.core.policy import Lock, Policy


def choose_way(sequence: SequenceInfo, target: int, calls: int, policy: Policy, server: Server) -> Move:
    """Return how to move a sequence to `target`, given what the role may do."""

    def take(way: Way, why: str) -> Move:
        return Move(sequence=sequence, target=target, calls=calls, way=way, why=why)

    def refuse(reason: str, remedy: str | Grant) -> Move:
        grants = (remedy,) if isinstance(remedy, Grant) else ()
        obstacle = Obstacle(reason=reason, remedy=str(remedy), sqlstate="42501", grants=grants)
        return Move(sequence=sequence, target=target, calls=calls, way=None, why=reason, obstacle=obstacle)

    role, name = server.quoted_role, sequence.qualified_name
    grant = Grant(privilege="USAGE", kind="SEQUENCE", schema=sequence.quoted_schema, name=name, role=role)
    if server.in_recovery:
        obstacle = Obstacle(reason="a standby is read-only", remedy="repair on the primary", sqlstate="25006")
        return Move(sequence=sequence, target=target, calls=calls, way=None, why="", obstacle=obstacle)
    if policy.lock in (Lock.SEQUENCE, Lock.GUARDED) and not server.may_run_blocks:
        return refuse(
            f'lock="{policy.lock}" needs a DO block, and role {role} may not use the language plpgsql',
            f'GRANT USAGE ON LANGUAGE plpgsql TO {role}; or lock="none"',
        )
    may_lock = sequence.may_alter and server.may_run_blocks
    match policy.lock:
        case Lock.NONE:
            if sequence.may_nextval:
                return take(Way.ADVANCE, 'lock="none"')
            return refuse(f"role {role} may not call nextval({sequence.name_literal})", grant)
        case Lock.SEQUENCE:
            if sequence.may_alter:
                return take(Way.LOCKED, 'lock="sequence"')
            if sequence.is_owners_member:
                # Before 16 a role inherits from all its roles or from none.
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
    if sequence.cache_size > 1 and may_lock:
        return take(Way.LOCKED, f"CACHE {sequence.cache_size}: only ALTER SEQUENCE discards what sessions have cached")
    if sequence.may_nextval and calls <= policy.advance_up_to:
        return take(Way.ADVANCE, f"{calls:,} values, no more than advance_up_to ({policy.advance_up_to:,})")
    if may_lock:
        return take(Way.LOCKED, f"{calls:,} values, and role {role} owns the sequence")
    if sequence.may_nextval:
        why = "may not use plpgsql" if sequence.may_alter else "does not own the sequence"
        return take(Way.ADVANCE, f"role {role} {why}")
    return refuse(f"role {role} may not move {name}", grant)
