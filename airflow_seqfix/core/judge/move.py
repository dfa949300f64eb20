"""Chooses the way to move a sequence; `repair` takes it. Pure."""

from __future__ import annotations

from airflow_seqfix.core.model import Grant, Move, Obstacle, SequenceInfo, Server, Way
from airflow_seqfix.core.model.quoted import in_print, noted, or_else
from airflow_seqfix.core.policy import Lock, Policy

#: A way with the reason for it; or what stands in the way of each.
Choice = tuple[Way, str] | Obstacle


def choose_way(sequence: SequenceInfo, target: int, calls: int, policy: Policy, server: Server) -> Move:
    """Return how to move a sequence to `target`, given what the role may do."""
    if server.in_recovery:
        obstacle = Obstacle(reason="a standby is read-only", remedy="repair on the primary", sqlstate="25006")
        return Move(sequence=sequence, target=target, calls=calls, way=None, why="", obstacle=obstacle)
    chosen = _choose(sequence, calls, policy, server)
    if isinstance(chosen, Obstacle):
        return Move(sequence=sequence, target=target, calls=calls, way=None, why=chosen.reason, obstacle=chosen)
    way, why = chosen
    return Move(sequence=sequence, target=target, calls=calls, way=way, why=why)


def _choose(sequence: SequenceInfo, calls: int, policy: Policy, server: Server) -> Choice:
    role = server.quoted_role
    if policy.lock in (Lock.SEQUENCE, Lock.GUARDED) and not server.may_run_blocks:
        return _refused(
            f'lock="{policy.lock}" needs a DO block, and role {role} may not use the language plpgsql',
            or_else(in_print(f"GRANT USAGE ON LANGUAGE plpgsql TO {role};"), 'lock="none"'),
        )
    match policy.lock:
        case Lock.NONE:
            if sequence.may_nextval:
                return Way.ADVANCE, 'lock="none"'
            return _refused(f"role {role} may not call nextval({sequence.name_literal})", sequence.grant("USAGE", role))
        case Lock.SEQUENCE:
            return (Way.LOCKED, 'lock="sequence"') if sequence.may_alter else _not_the_owner(sequence, server)
        case Lock.GUARDED:
            if sequence.may_setval:
                return Way.GUARDED, 'lock="guarded"'
            return _refused(f"role {role} may not call setval({sequence.name_literal})", sequence.grant("UPDATE", role))
    may_lock = sequence.may_alter and server.may_run_blocks
    if sequence.cache_size > 1 and may_lock:
        return Way.LOCKED, f"CACHE {sequence.cache_size}: only ALTER SEQUENCE discards what sessions have cached"
    if sequence.may_nextval and calls <= policy.advance_up_to:
        return Way.ADVANCE, f"no more than advance_up_to ({policy.advance_up_to:,}) values"
    if may_lock:
        is_far = calls > policy.advance_up_to
        why = f"more than advance_up_to ({policy.advance_up_to:,}) values" if is_far else "no right to call nextval()"
        return Way.LOCKED, f"{why}, and role {role} owns the sequence"
    if sequence.may_nextval:
        why = "may not use plpgsql" if sequence.may_alter else "does not own the sequence"
        return Way.ADVANCE, f"role {role} {why}"
    return _refused(f"role {role} may not move {sequence.qualified_name}", sequence.grant("USAGE", role))


def _not_the_owner(sequence: SequenceInfo, server: Server) -> Obstacle:
    role, name, owner = server.quoted_role, sequence.qualified_name, sequence.owner
    if not sequence.is_owners_member:
        return _refused(
            f"only its owner {owner} may lock {name}",
            or_else(
                in_print(f"GRANT {owner} TO {role};"), noted(str(sequence.grant("USAGE", role)), 'and lock="auto"')
            ),
        )
    # Before 16 a role inherits from all its roles or from none.
    inherit = (
        f"GRANT {owner} TO {role} WITH INHERIT TRUE;" if server.version_num >= 160000 else f"ALTER ROLE {role} INHERIT;"
    )
    return _refused(
        f"only its owner {owner} may lock {name}, and role {role} does not inherit its rights",
        or_else(in_print(inherit), f"SET ROLE {owner} first"),
    )


def _refused(reason: str, remedy: str | Grant) -> Obstacle:
    grants = (remedy,) if isinstance(remedy, Grant) else ()
    return Obstacle(reason=reason, remedy=str(remedy), sqlstate="42501", grants=grants)
