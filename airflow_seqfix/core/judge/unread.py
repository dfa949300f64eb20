"""The verdict on what needs no read. Pure."""

from __future__ import annotations

from dataclasses import replace

from airflow_seqfix.core.model import (
    DRAWN_AS_IS,
    Feed,
    Finding,
    Measurement,
    SequenceInfo,
    SequenceWarning,
    SourcePosition,
    TooMuch,
    Verdict,
)
from airflow_seqfix.core.policy import Policy

#: Objects of which there are more than are examined.
TOO_MUCH = {
    TooMuch.COLUMNS: "has more than 20 columns that draw from it",
    TooMuch.LEVELS: "has children more than 10 levels deep",
}


def judge_unread(
    sequence: SequenceInfo,
    policy: Policy,
    *,
    excluded: bool = False,
    named: bool = False,
    source: SourcePosition | None = None,
) -> Finding | None:
    """Judge what needs no read; None: it must be read.

    :param source: Where it stands on the other side of a cutover, which is enough to judge what no column tells.
    :param named: Whether somebody has named it, so that a part of an extension is read as well.
    """

    def say(verdict: Verdict, reason: str, remedy: str | None = None) -> Finding:
        return Finding(
            measurement=Measurement(sequence=sequence, source=source),
            verdict=verdict,
            reason=reason,
            remedy=remedy,
            warnings=(
                *((SequenceWarning.NOT_AT_SOURCE,) if source is not None and not source.is_there else ()),
                *((SequenceWarning.UNTRUSTED,) if sequence.untrusted else ()),
            ),
        )

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
        if column.changed_by is not None and column.is_trusted and column.feed in DRAWN_AS_IS - {Feed.MAPPING}:
            return say(
                Verdict.UNKNOWN,
                f"{column.changed_by} may change what nextval() has returned for {column.qualified_name}",
                f"a mapping of {sequence.qualified_name} to the column, where its values can be compared all the same; "
                f"or exclude {sequence.qualified_name}",
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
    for column in sequence.comparable if policy.own_code_only else ():
        if column.code is not None:
            return say(
                Verdict.UNKNOWN,
                f"a read of {column.qualified_table} calls {column.code}",
                "check it as the owner of the table; or without own_code_only, if that role may do all that this one "
                "may",
            )
    if sequence.comparable:
        return None
    stranger = sequence.stranger
    if stranger is not None:
        # Whoever inserts draws with his own rights, so that the table may be meant all the same.
        return say(
            Verdict.UNKNOWN,
            f"{sequence.why_untrusted(stranger)}, and no column that counts can be compared",
            f"{sequence.usage_grant(stranger)} if the table is meant to draw from it, else exclude "
            f"{sequence.qualified_name}",
        )
    if source is not None and source.is_there:
        return None
    skipped = say(Verdict.SKIPPED, _nothing_to_compare(sequence))
    return replace(skipped, warnings=(SequenceWarning.UNDRAWN, *skipped.warnings)) if sequence.is_undrawn else skipped


def _nothing_to_compare(sequence: SequenceInfo) -> str:
    for column in sequence.counted:
        match column.feed:
            case Feed.WRAPPED:
                return f"the default of {column.qualified_name} is an expression, {column.source}"
            case Feed.VIEW:
                return f"it feeds a view, {column.qualified_name}"
            case Feed.UNDRAWN:
                return f"{column.qualified_name} owns it, and is not known to draw from it"
            case _:
                return (
                    f"{column.qualified_name} is of type {column.data_type}; "
                    "numbers are compared, and texts that hold them"
                )
    return "no column draws from it"
