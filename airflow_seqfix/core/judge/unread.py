"""The verdict on what needs no read. Pure."""

from __future__ import annotations

from typing import NamedTuple

from airflow_seqfix.core.model import (
    DRAWN_AS_IS,
    ColumnInfo,
    Feed,
    Finding,
    Measurement,
    SequenceInfo,
    SequenceWarning,
    SourcePosition,
    TooMuch,
    Verdict,
)
from airflow_seqfix.core.model.quoted import EVERY_BYTE, in_print, noted
from airflow_seqfix.core.policy import Policy

#: Objects of which there are more than are examined.
TOO_MUCH = {
    TooMuch.COLUMNS: "has more than 20 columns that draw from it",
    TooMuch.LEVELS: "has children more than 10 levels deep",
}


class _Ruling(NamedTuple):
    """What a rule has to say."""

    verdict: Verdict
    reason: str
    remedy: str | None = None
    warnings: tuple[SequenceWarning, ...] = ()


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
    ruling = (
        (_Ruling(Verdict.SKIPPED, "excluded") if excluded else None)
        or _of_names(sequence, named=named)
        or _of_feeds(sequence)
        or (_Ruling(Verdict.SKIPPED, "it has CYCLE, and is meant to hand out values again") if sequence.cycle else None)
        or (None if policy.foreign else _of_foreign_tables(sequence))
        or (_of_code(sequence) if policy.own_code_only else None)
        or _of_no_column(sequence, source)
    )
    if ruling is None:
        return None
    is_missing_there = source is not None and not source.is_there
    return Finding(
        measurement=Measurement(sequence=sequence, source=source),
        verdict=ruling.verdict,
        reason=ruling.reason,
        remedy=ruling.remedy,
        warnings=(
            *ruling.warnings,
            *((SequenceWarning.NOT_AT_SOURCE,) if is_missing_there else ()),
            *((SequenceWarning.UNTRUSTED,) if sequence.untrusted else ()),
        ),
    )


def _of_names(sequence: SequenceInfo, *, named: bool) -> _Ruling | None:
    if not sequence.is_legible:
        return _Ruling(
            Verdict.UNKNOWN,
            "its name, or that of a column that it feeds, is not text in the client's encoding",
            f"a name of letters that UTF-8 has; or {EVERY_BYTE}",
        )
    if sequence.extension is not None and not named:
        return _Ruling(Verdict.SKIPPED, f"it is part of the extension {sequence.extension}; name it to have it checked")
    return None


def _of_feeds(sequence: SequenceInfo) -> _Ruling | None:
    """Say where it is not clear which values the columns take from the sequence."""
    trusted = (column for column in sequence.counted if column.is_trusted)
    return next((ruling for column in trusted if (ruling := _of_feed(sequence, column))), None)


def _of_feed(sequence: SequenceInfo, column: ColumnInfo) -> _Ruling | None:
    if column.too_much is not None:
        return _Ruling(
            Verdict.UNKNOWN,
            f"{column.qualified_table} {TOO_MUCH[column.too_much]}",
            f"exclude {sequence.qualified_name}, or map the columns that count to it",
        )
    if column.changed_by is not None and column.feed in DRAWN_AS_IS - {Feed.MAPPING}:
        return _Ruling(
            Verdict.UNKNOWN,
            f"{column.changed_by} may change what nextval() has returned for {column.qualified_name}",
            f"a mapping of {sequence.qualified_name} to the column, and to any other that a rule fills, where values "
            f"can be compared all the same; or exclude {sequence.qualified_name}",
        )
    if column.feed is not Feed.AMBIGUOUS:
        return None
    if column.source is None:
        return _Ruling(
            Verdict.UNKNOWN,
            f"a trigger looks the sequence of {column.qualified_name} up by name, and several have that name",
            "its schema before the name, in the trigger's function; or a mapping of the one that is meant to the "
            "column",
        )
    return _Ruling(
        Verdict.UNKNOWN,
        f"the default of {column.qualified_name} looks its sequence up by name, and several have that name",
        in_print(
            f"ALTER TABLE {column.qualified_table} ALTER {column.quoted_column} "
            f"SET DEFAULT nextval({sequence.name_literal});"
        ),
    )


def _of_foreign_tables(sequence: SequenceInfo) -> _Ruling | None:
    remote = [column for column in sequence.comparable if column.is_foreign or column.has_foreign_partition]
    if not remote:
        return None
    if all(column.is_foreign for column in sequence.comparable):
        where = f"{remote[0].qualified_table} is a foreign table, read only with foreign=True"
        return _Ruling(Verdict.SKIPPED, where)
    # Not skipped: what the sequence feeds here may have reached it.
    what = "is a foreign table, and the sequence feeds others as well"
    return _Ruling(
        Verdict.UNKNOWN,
        f"{remote[0].qualified_table} {what if remote[0].is_foreign else 'has a partition that is a foreign table'}",
        f"foreign=True, which reads it on its own server; or exclude {sequence.qualified_name}",
    )


def _of_code(sequence: SequenceInfo) -> _Ruling | None:
    column = next((column for column in sequence.comparable if column.code is not None), None)
    if column is None:
        return None
    return _Ruling(
        Verdict.UNKNOWN,
        f"a read of {column.qualified_table} calls {column.code}",
        "check it as the owner of the table; or without own_code_only, if that role may do all that this one may",
    )


def _of_no_column(sequence: SequenceInfo, source: SourcePosition | None) -> _Ruling | None:
    if sequence.comparable:
        return None
    stranger = sequence.stranger
    if stranger is not None:
        # Whoever inserts draws with his own rights, so that the table may be meant all the same.
        return _Ruling(
            Verdict.UNKNOWN,
            f"{sequence.why_untrusted(stranger)}, and no column that counts can be compared",
            noted(
                sequence.usage_grant(stranger),
                f"if the table is meant to draw from it, else exclude {sequence.qualified_name}",
            ),
        )
    if source is not None and source.is_there:
        return None
    warnings = (
        # What an insert gets may be taken.
        *(
            (SequenceWarning.NOT_COMPARED,)
            if any(c.feed in (Feed.WRAPPED, Feed.VIEW) for c in sequence.counted)
            else ()
        ),
        *((SequenceWarning.UNDRAWN,) if sequence.is_undrawn else ()),
    )
    return _Ruling(Verdict.SKIPPED, _nothing_to_compare(sequence), warnings=warnings)


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
