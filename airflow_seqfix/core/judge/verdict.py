"""The verdict on a measurement, and its remedy. Pure: it touches no connection."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from airflow_seqfix.core.judge import reasons, remedies
from airflow_seqfix.core.judge.arithmetic import calls_to_pass, calls_within, is_beyond, used_share, values_left
from airflow_seqfix.core.judge.goal import Goal, decisive_value, goal_of, leaves_nothing, target_of
from airflow_seqfix.core.judge.harm import harm_of, is_full, seen_by
from airflow_seqfix.core.judge.move import choose_way
from airflow_seqfix.core.judge.rivals import Rival, enters_rival, rival_of
from airflow_seqfix.core.judge.twins import twin_after
from airflow_seqfix.core.judge.warnings import warnings_of
from airflow_seqfix.core.judge.wrap import wraps_after, wraps_now
from airflow_seqfix.core.model import (
    Finding,
    Measurement,
    Move,
    SequenceWarning,
    Server,
    Use,
    Verdict,
)
from airflow_seqfix.core.model.use import UNKNOWN
from airflow_seqfix.core.policy import Follow, Policy

#: How many values beyond those handed out the write-ahead log may already hold, CACHE aside (SEQ_LOG_VALS in
#: src/backend/commands/sequence.c). A standby knows no more than the log.
LOGGED_AHEAD = 32


def judge(measurement: Measurement, policy: Policy, server: Server, use: Use | None = None) -> Finding:
    """Judge a measurement.

    :param use: How fast the sequence is used, by earlier reports; None: there are none.
    """
    sequence, next_value = measurement.sequence, measurement.next_value
    warnings = warnings_of(measurement, policy, server)
    not_read = _why_not_read(measurement)
    if not_read is not None or next_value is None:
        reason, remedy = not_read or ("it was not read", "run again")
        return Finding(
            measurement=measurement, verdict=Verdict.UNKNOWN, reason=reason, remedy=remedy, warnings=warnings
        )
    goal = goal_of(measurement, policy)
    remaining = values_left(sequence, next_value)
    used_pct = round(100 * used_share(sequence, remaining), 2)
    finding = Finding(
        measurement=measurement,
        verdict=Verdict.IN_SYNC,
        warnings=(SequenceWarning.EXHAUSTING, *warnings) if used_pct >= policy.warn_used_pct else warnings,
        gap=0,
        used_pct=used_pct,
        remaining=remaining,
        use=use or UNKNOWN,
        margin=policy.margin,
        needed_value=None if goal.furthest is None else goal.furthest + policy.margin * sequence.increment_by,
        outliers=goal.outliers,
    )
    if leaves_nothing(measurement):
        reason = reasons.beyond_limit(measurement)
        return replace(finding, verdict=Verdict.EXHAUSTED, reason=reason, remedy=remedies.widen(sequence))
    rival = rival_of(measurement, policy)
    if rival is None or sequence.ends_before is not None:
        if goal.calls or goal.is_unclear or (goal.outliers is not None and policy.outliers is Follow.REPORT):
            return _behind(finding, goal, policy, server, rival)
        finding = _ahead(finding, goal, policy, server)
        if rival is None or finding.verdict is not Verdict.IN_SYNC:
            return finding
    return replace(
        finding,
        verdict=Verdict.UNKNOWN,
        reason=reasons.unclaimed(measurement, rival),
        remedy=remedies.rival(sequence, rival),
        needed_value=None,
    )


def _why_not_read(measurement: Measurement) -> tuple[str, str | None] | None:
    """Return reason and remedy where the sequence, or its source, could not be read."""
    here, source = measurement.obstacle, measurement.source
    if here is not None:
        return here.reason, here.remedy
    if source is not None and source.obstacle is not None:
        return f"in its source, {source.place}: {source.obstacle.reason}", source.obstacle.remedy
    return None


def _ahead(finding: Finding, goal: Goal, policy: Policy, server: Server) -> Finding:
    """Say whether it can go on as it does: the data have not reached it."""
    measurement, sequence, needed = finding.measurement, finding.sequence, finding.needed_value
    assert measurement.next_value is not None
    wrap = wraps_now(measurement)
    if not finding.remaining or wrap is not None:
        return replace(
            finding,
            verdict=Verdict.EXHAUSTED,
            reason=reasons.used_up(measurement, wrap),
            remedy=remedies.widen_or_restart(sequence, goal.furthest),
        )
    if needed is not None and not is_beyond(sequence, measurement.next_value, needed):
        return replace(
            finding,
            verdict=Verdict.EXHAUSTED,
            reason=reasons.margin(goal, policy),
            remedy="a smaller margin",
        )
    if server.in_recovery and goal.furthest is not None and not _is_safe_on_standby(measurement, goal.furthest):
        return replace(
            finding,
            verdict=Verdict.UNKNOWN,
            reason="a standby reads the sequence ahead of the primary, by more than it is ahead of the data here",
            remedy="check on the primary",
        )
    shortage = finding.shortage(policy)
    if shortage is not None:
        return replace(finding, reason=shortage, remedy=remedies.widen(sequence))
    if measurement.open_writers and SequenceWarning.OPEN_WRITERS in policy.fail_on:
        return replace(
            finding,
            reason=f"transactions that are still open ({measurement.open_writers}) write to its tables, and their rows "
            "cannot be seen yet",
            remedy="a larger wait_for_writers, or run again when they have ended",
        )
    return finding


def _behind(finding: Finding, goal: Goal, policy: Policy, server: Server, rival: Rival | None) -> Finding:
    """Say how far behind it is, and how it gets past all that is to be passed."""
    measurement, sequence, next_value = finding.measurement, finding.sequence, finding.measurement.next_value
    furthest = decisive_value(measurement, policy)
    if (policy.outliers is Follow.IGNORE and not goal.is_unclear) or (goal.is_by_source and goal.outliers is None):
        furthest = goal.furthest
    assert next_value is not None
    inserts, is_at_least = _inserts_until_collision(measurement)
    is_reached = furthest is not None and not is_beyond(sequence, next_value, furthest)
    gap = calls_to_pass(sequence, next_value, furthest) if is_reached and furthest is not None else 0
    reason = reasons.behind(measurement, furthest, goal, policy)
    if rival is not None:
        reason = f"{reason}; {reasons.rival(rival)}"
    has_outliers = goal.is_unclear or (goal.outliers is not None and policy.outliers is Follow.REPORT)
    more: dict[str, Any] = {"remedy": None}
    if goal.is_unclear or not goal.calls:
        more["remedy"] = remedies.outliers(sequence, goal.outliers, measurement.unprobed)
    elif (harm := harm_of(measurement, goal, policy)) is not None:
        reason = f"{reason}; {reasons.harmful(harm, measurement)}"
        unprobed = measurement.unprobed if harm.free_in_a_row is None else None
        more["remedy"] = remedies.harmful(
            sequence, harm.sequence, unprobed, is_compared=harm.is_compared, check=harm.check
        )
    elif enters_rival(measurement, goal.calls):
        reason = f"{reason}; {reasons.full(measurement)}"
        more = {"verdict": Verdict.EXHAUSTED, "remedy": remedies.widen(sequence)}
    elif (twin := twin_after(measurement, goal, policy)) is not None:
        reason = f"{reason}; {reasons.twin(twin, server)}"
        more["remedy"] = remedies.twin(sequence, twin, server)
    elif (wrap := wraps_after(measurement, goal.calls)) is not None:
        reason = f"{reason}; {reasons.would_wrap(wrap)}"
        more = {"verdict": Verdict.EXHAUSTED, "remedy": remedies.widen(sequence, seen_by(sequence, wrap.column))}
    else:
        # Whether other writers are likely to have the values from the first collision on.
        is_far = inserts is not None and inserts > policy.max_jump
        move = choose_way(sequence, target_of(measurement, goal.calls), goal.calls, policy, server)
        more = _moved(finding, move, policy, rival, is_far=is_far)
        if is_full(measurement, goal):
            full = f"{reason}; {reasons.full(measurement)}"
            more = {"verdict": Verdict.EXHAUSTED, "reason": full, "remedy": remedies.widen(sequence), "move": move}
    said: dict[str, Any] = {
        "verdict": Verdict.BEHIND,
        "reason": reason,
        "warnings": (SequenceWarning.OUTLIER, *finding.warnings) if has_outliers else finding.warnings,
        "gap": max(gap, goal.early),
        "inserts_until_collision": inserts,
        "is_at_least": is_at_least,
    }
    # At once: each copy of a finding takes as long as what is found.
    return replace(finding, **said | more)


def _moved(finding: Finding, move: Move, policy: Policy, rival: Rival | None, *, is_far: bool) -> dict[str, Any]:
    """Return what a finding says of its move, and of what mends it.

    :param is_far: Whether what it passes is likely to be other writers'.
    """
    if move.obstacle is not None:
        return {"move": move, "remedy": move.obstacle.remedy}
    left_behind = finding.outliers if policy.outliers is Follow.REPORT else None
    then = remedies.after_move(finding.sequence, left_behind, rival, is_far=is_far)
    if remedies.is_pasteable(move):
        return {"move": move, "remedy": then, "is_pasteable": True}
    return {"move": move, "remedy": remedies.command(finding.sequence, policy, finding.measurement.source, then)}


def _is_safe_on_standby(measurement: Measurement, furthest: int) -> bool:
    """Whether a sequence that was read on a standby is in sync on the primary as well."""
    if not measurement.is_called or measurement.next_value is None:
        # Only nextval() writes ahead into the log.
        return True
    sequence = measurement.sequence
    ahead = (LOGGED_AHEAD + sequence.cache_size) * sequence.increment_by
    return is_beyond(sequence, measurement.next_value - ahead, furthest)


def _inserts_until_collision(measurement: Measurement) -> tuple[int | None, bool]:
    """Return how many default inserts succeed before one fails, and whether that is only a lower bound."""
    probe, next_value = measurement.probe, measurement.next_value
    is_pooled = any(column.extract and column.extract.ids_per_call > 1 for column in measurement.sequence.comparable)
    if probe is None or next_value is None or is_pooled:
        return None, False
    if probe.collision is not None:
        return (probe.collision - next_value) // measurement.sequence.increment_by, False
    if probe.probed_to is not None:
        return calls_within(measurement.sequence, next_value, probe.probed_to), True
    return None, False
