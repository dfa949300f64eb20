"""What mends a verdict, as something to paste: a statement where one is safe, else the command. Pure."""

from __future__ import annotations

import shlex

from airflow_seqfix.core.model import Feed, Move, SequenceInfo
from airflow_seqfix.core.policy import Lock, Policy

#: Up to this gap the remedy is a statement to paste: it only calls nextval(), and so cannot go back.
PASTE_UP_TO = 1_000_000


def is_pasteable(move: Move) -> bool:
    """Whether a statement that calls nextval() does all that the move does.

    With CACHE it does not: other sessions keep the values that they have cached, and the one that it is pasted into
    hands out its own first.
    """
    sequence = move.sequence
    return move.calls <= PASTE_UP_TO and sequence.cache_size == 1 and sequence.may_nextval


def move(move: Move, policy: Policy) -> str:
    """Return what makes a move: a statement, or the command."""
    sequence = move.sequence
    if is_pasteable(move):
        return paste(sequence, move.target)
    command = _command(sequence, policy)
    if sequence.cache_size > 1 and not sequence.may_alter:
        return f"{command} as {sequence.owner}, which owns it: only that discards what sessions have cached"
    return command


def paste(sequence: SequenceInfo, target: int) -> str:
    """Return a statement that calls nextval() until a value has reached the target, and not where it has been passed.

    It looks at each value: pasted twice, or into two sessions at once, each passes the target by one value at most.
    """
    if sequence.is_ascending:
        is_before, before, far = f"(last_value, is_called) < ({target}, true)", "<", "max"
    else:
        is_before, before, far = f"(last_value, NOT is_called) > ({target}, false)", ">", "min"
    call = f"SELECT nextval({sequence.name_literal}) FROM"
    return (
        f"WITH RECURSIVE r(v) AS ({call} {sequence.qualified_name} WHERE {is_before}"
        f" UNION ALL {call} r WHERE v {before} {target}) SELECT {far}(v) FROM r;"
    )


def _command(sequence: SequenceInfo, policy: Policy) -> str:
    """Return the command, with all that decides how far it goes."""
    name, usual = sequence.qualified_name, Policy()
    words = ["seqfix", "fix", "--sequence", name]
    fed = [column.qualified_name for column in sequence.columns if column.feed is Feed.MAPPING]
    if fed:
        words += ["--map", f"{name}={','.join(fed)}"]
    if sequence.id_range is not None:
        words += ["--id-range", f"{name}={sequence.id_range[0]}:{sequence.id_range[1]}"]
    for option in ("margin", "max_jump"):
        if getattr(policy, option) != getattr(usual, option):
            words += [f"--{option.replace('_', '-')}", str(getattr(policy, option))]
    words += [
        f"--{flag.replace('_', '-')}" for flag in ("accept_outlier", "interleaved", "foreign") if getattr(policy, flag)
    ]
    if policy.lock is not Lock.AUTO:
        words += ["--lock", str(policy.lock)]
    return shlex.join(words)


def widen(sequence: SequenceInfo) -> str:
    """Return what makes room, by the limit that was met first."""
    if sequence.id_range is not None and sequence.limit in sequence.id_range:
        return "a larger id_range, agreed with the other writers"
    narrow = next((c for c in sequence.comparable if sequence.limit in (c.largest_value, c.smallest_value)), None)
    if narrow is not None and sequence.limit not in (sequence.min_value, sequence.max_value):
        return f"ALTER TABLE {narrow.qualified_table} ALTER {narrow.quoted_column} TYPE bigint; rewrites the table"
    bound = "MAXVALUE" if sequence.is_ascending else "MINVALUE"
    return f"a larger type for the column, then ALTER SEQUENCE {sequence.qualified_name} AS bigint NO {bound};"
