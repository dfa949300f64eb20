"""What a measurement means, and what mends it. Pure: it touches no connection."""

from __future__ import annotations

from dataclasses import replace

from airflow_seqfix.core.judge import remedies
from airflow_seqfix.core.judge.arithmetic import calls_to_pass, calls_within, is_beyond, used_share, values_left
from airflow_seqfix.core.judge.move import choose_way
from airflow_seqfix.core.judge.warnings import warnings_of
from airflow_seqfix.core.model import (
    Feed,
    Finding,
    Measurement,
    Move,
    SequenceInfo,
    SequenceWarning,
    Server,
    TooMuch,
    Verdict,
)
from airflow_seqfix.core.policy import Policy

#: How many values beyond those handed out the write-ahead log may already hold, CACHE aside (SEQ_LOG_VALS in
#: src/backend/commands/sequence.c). A standby knows no more than the log.
LOGGED_AHEAD = 32

#: What there is more of than is looked at.
TOO_MUCH = {
    TooMuch.COLUMNS: "has more than 20 columns that draw from it",
    TooMuch.LEVELS: "has children more than 32 levels deep",
}


def judge_unread(
    sequence: SequenceInfo, policy: Policy, *, excluded: bool = False, named: bool = False
) -> Finding | None:
    """Judge what needs no reading; None: it has to be read.

    :param named: Whether somebody has named it, so that a part of an extension is read as well.
    """

    def say(verdict: Verdict, reason: str, remedy: str | None = None) -> Finding:
        return Finding(measurement=Measurement(sequence=sequence), verdict=verdict, reason=reason, remedy=remedy)

    if excluded:
        return say(Verdict.SKIPPED, "excluded")
    if sequence.extension is not None and not named:
        return say(Verdict.SKIPPED, f"it is part of the extension {sequence.extension}; name it to have it checked")
    for column in sequence.counted:
        if column.too_much is not None and column.is_trusted:
            return say(
                Verdict.UNKNOWN,
                f"{column.qualified_table} {TOO_MUCH[column.too_much]}",
                f"exclude {sequence.qualified_name}, or map the columns that count to it",
            )
        if column.feed is Feed.AMBIGUOUS and column.is_trusted:
            return say(
                Verdict.UNKNOWN,
                f"the default of {column.qualified_name} looks its sequence up by name, and several have that name",
                f"ALTER TABLE {column.qualified_table} ALTER {column.quoted_column} "
                f"SET DEFAULT nextval({sequence.name_literal});",
            )
    if sequence.cycle:
        return say(Verdict.SKIPPED, "it has CYCLE, and is meant to hand out values again")
    for column in sequence.comparable if not policy.foreign else ():
        if all(other.is_foreign for other in sequence.comparable):
            return say(Verdict.SKIPPED, f"{column.qualified_table} is a foreign table, read only with foreign=True")
        if column.is_foreign or column.has_foreign_partition:
            # Not skipped: what the sequence feeds here may have reached it.
            what = "is a foreign table, and the sequence feeds others as well"
            return say(
                Verdict.UNKNOWN,
                f"{column.qualified_table} {what if column.is_foreign else 'has a partition that is a foreign table'}",
                f"foreign=True, which reads it on its own server; or exclude {sequence.qualified_name}",
            )
    if sequence.comparable:
        return None
    stranger = next(iter(sequence.counted), None)
    if stranger is not None and not stranger.is_trusted:
        # Whoever inserts draws with his own rights, so that the table may be meant all the same.
        return say(
            Verdict.UNKNOWN,
            f"{sequence.why_untrusted(stranger)}, and nothing else draws from it",
            f"{sequence.usage_grant(stranger)} if the table is meant to draw from it, else exclude "
            f"{sequence.qualified_name}",
        )
    skipped = say(Verdict.SKIPPED, _nothing_to_compare(sequence))
    return replace(skipped, warnings=(SequenceWarning.UNDRAWN,)) if sequence.is_undrawn else skipped


def _nothing_to_compare(sequence: SequenceInfo) -> str:
    for column in sequence.columns:
        match column.feed:
            case Feed.WRAPPED:
                return f"the default of {column.qualified_name} is an expression, {column.source}"
            case Feed.VIEW:
                return f"it feeds a view, {column.qualified_name}"
            case Feed.UNDRAWN:
                return f"{column.qualified_name} owns it, and was not seen to draw from it"
            case _:
                return (
                    f"{column.qualified_name} is of type {column.data_type}; "
                    "numbers are compared, and texts that hold them"
                )
    return "no column draws from it"


def judge(measurement: Measurement, policy: Policy, server: Server) -> Finding:
    """Judge what was read."""
    sequence, next_value = measurement.sequence, measurement.next_value
    warnings = warnings_of(measurement, server)
    if measurement.obstacle is not None or next_value is None:
        obstacle = measurement.obstacle
        return Finding(
            measurement=measurement,
            verdict=Verdict.UNKNOWN,
            reason=obstacle.reason if obstacle else "it was not read",
            remedy=obstacle.remedy if obstacle else "run again",
            warnings=warnings,
        )
    remaining = values_left(sequence, next_value)
    used_pct = round(100 * used_share(sequence, remaining), 2)
    finding = Finding(
        measurement=measurement,
        verdict=Verdict.IN_SYNC,
        warnings=(SequenceWarning.EXHAUSTING, *warnings) if used_pct >= policy.warn_used_pct else warnings,
        gap=0,
        used_pct=used_pct,
        remaining=remaining,
    )
    furthest = _decisive_value(measurement, policy)
    needed = None if furthest is None else furthest + policy.margin * sequence.increment_by
    is_reached = furthest is not None and not is_beyond(sequence, next_value, furthest)
    in_margin = needed is not None and not is_beyond(sequence, next_value, needed)
    # A margin that would take the last values that fit is not followed: inserts that still succeed would fail.
    margin_fits = (
        in_margin
        and needed is not None
        and remaining != 0
        and calls_to_pass(sequence, next_value, needed) < calls_within(sequence, next_value, sequence.limit)
    )
    if is_reached or margin_fits or _calls_to_own_values(sequence, next_value):
        return _behind(finding, furthest, needed if margin_fits else furthest, policy, server)
    if not remaining:
        return replace(
            finding,
            verdict=Verdict.EXHAUSTED,
            reason=f"the next value would be {next_value}, and the last one that fits is {sequence.limit}",
            remedy=remedies.widen(sequence),
        )
    if in_margin:
        return replace(
            finding,
            verdict=Verdict.EXHAUSTED,
            reason=f"margin={policy.margin} asks for more than the {remaining:,} values left",
            remedy="a smaller margin",
        )
    if server.in_recovery and furthest is not None and not _is_safe_on_standby(measurement, furthest):
        return replace(
            finding,
            verdict=Verdict.UNKNOWN,
            reason="a standby reads the sequence ahead of the primary, by more than it is ahead of the data here",
            remedy="check on the primary",
        )
    shortage = finding.shortage(policy)
    if shortage is not None:
        return replace(finding, reason=shortage, remedy=remedies.widen(sequence))
    return finding


def _behind(finding: Finding, furthest: int | None, needed: int | None, policy: Policy, server: Server) -> Finding:
    """Say how far behind it is, and how it gets past `needed`."""
    measurement, sequence, next_value = finding.measurement, finding.sequence, finding.measurement.next_value
    assert next_value is not None
    is_reached = furthest is not None and not is_beyond(sequence, next_value, furthest)
    gap = calls_to_pass(sequence, next_value, furthest) if is_reached and furthest is not None else 0
    inserts, is_at_least = _inserts_until_collision(measurement)
    reason, warnings, move = _where_it_stands(measurement, furthest), finding.warnings, None
    outlier = _outlier(measurement, furthest, policy) if is_reached and furthest is not None else None
    if outlier:
        reason, warnings = f"{reason}; {outlier}", (SequenceWarning.OUTLIER, *warnings)
        remedy = "remove the row, or accept_outlier=True"
    else:
        move = _move(sequence, next_value, needed, policy, server)
        remedy = move.obstacle.remedy if move.obstacle else remedies.move(move, policy)
    return replace(
        finding,
        verdict=Verdict.BEHIND,
        reason=reason,
        remedy=remedy,
        warnings=warnings,
        gap=max(gap, _calls_to_own_values(sequence, next_value)),
        inserts_until_collision=inserts,
        is_at_least=is_at_least,
        move=move,
    )


def _move(sequence: SequenceInfo, next_value: int, needed: int | None, policy: Policy, server: Server) -> Move:
    """Return the move past `needed`, and to the first value that is the sequence's own."""
    calls = max(
        calls_to_pass(sequence, next_value, needed) if needed is not None else 0,
        _calls_to_own_values(sequence, next_value),
    )
    # Where the sequence's own grid ends before the furthest value, the last step is far enough: the next call fails
    # with "reached maximum value" instead of a duplicate.
    last = sequence.own_values[1 if sequence.is_ascending else 0]
    calls = min(calls, calls_within(sequence, next_value, last))
    target = next_value + (calls - 1) * sequence.increment_by
    return choose_way(sequence, target, calls, policy, server)


def _calls_to_own_values(sequence: SequenceInfo, next_value: int) -> int:
    """Return how many values lie before the first that is the sequence's own."""
    if sequence.id_range is None:
        return 0
    low, high = sequence.own_values
    return calls_within(sequence, next_value, low - 1 if sequence.is_ascending else high + 1)


def _is_safe_on_standby(measurement: Measurement, furthest: int) -> bool:
    """Whether a sequence that was read on a standby is in sync on the primary as well."""
    if not measurement.is_called or measurement.next_value is None:
        # Only nextval() writes ahead into the log.
        return True
    sequence = measurement.sequence
    ahead = (LOGGED_AHEAD + sequence.cache_size) * sequence.increment_by
    return is_beyond(sequence, measurement.next_value - ahead, furthest)


def _decisive_value(measurement: Measurement, policy: Policy) -> int | None:
    """Return the furthest value that counts."""
    return measurement.furthest_on_steps if _by_steps(measurement, policy) else measurement.furthest_value


def _by_steps(measurement: Measurement, policy: Policy) -> bool:
    """Whether only the values on the sequence's own steps count."""
    return policy.interleaved and abs(measurement.sequence.increment_by) > 1


def _where_it_stands(measurement: Measurement, furthest: int | None) -> str:
    column, sequence = measurement.furthest_column, measurement.sequence
    if furthest is None or _calls_to_own_values(sequence, measurement.next_value or 0):
        low, high = sequence.own_values
        return f"the next value is {measurement.next_value}, and its own values are {low} to {high}"
    place = column.qualified_name if column else "the data"
    return f"the next value is {measurement.next_value}, and {place} has reached {furthest}"


def _inserts_until_collision(measurement: Measurement) -> tuple[int | None, bool]:
    """Return how many default inserts succeed before one fails, and whether that is only a lower bound."""
    probe, next_value = measurement.probe, measurement.next_value
    if probe is None or next_value is None:
        return None, False
    if probe.collision is not None:
        return (probe.collision - next_value) // measurement.sequence.increment_by, False
    if probe.probed_to is not None:
        return calls_within(measurement.sequence, next_value, probe.probed_to), True
    return None, False


def _outlier(measurement: Measurement, furthest: int, policy: Policy) -> str | None:
    """Say why the furthest value is not followed; None where it is."""
    next_value = measurement.next_value
    assert next_value is not None
    if policy.accept_outlier or abs(furthest - next_value) <= policy.max_jump:
        return None
    if measurement.probe is None:
        return f"that is more than max_jump ({policy.max_jump:,}) away, and the value before it could not be read"
    by_steps = _by_steps(measurement, policy)
    before = measurement.probe.runner_up_on_steps if by_steps else measurement.probe.runner_up
    place = f"the value before it, {before}"
    low, high = measurement.sequence.own_values
    first = max(next_value, low) if measurement.sequence.is_ascending else min(next_value, high)
    if before is None or is_beyond(measurement.sequence, first, before):
        before, place = first, "the next value"
    if abs(furthest - before) <= policy.max_jump:
        return None
    return f"that is more than max_jump ({policy.max_jump:,}) beyond {place}"
