"""Remedies to paste: a statement if one is safe, else the command. Pure."""

from __future__ import annotations

import json
import shlex

from airflow_seqfix.core.errors import printable
from airflow_seqfix.core.judge.arithmetic import values_left
from airflow_seqfix.core.judge.limits import (
    TYPE_BOUNDS,
    bound_of,
    ended_by,
    is_before_rival,
    is_by_own_bounds,
    is_by_partitions,
    is_own_range,
    is_small,
    narrowest,
)
from airflow_seqfix.core.judge.rivals import Rival
from airflow_seqfix.core.judge.twins import Twin
from airflow_seqfix.core.judge.wrap import identity_of
from airflow_seqfix.core.model import (
    ColumnInfo,
    Feed,
    Finding,
    Move,
    Obstacle,
    Outliers,
    SequenceInfo,
    Server,
    SourcePosition,
)
from airflow_seqfix.core.model.quoted import in_print, literal, noted, or_else
from airflow_seqfix.core.policy import Follow, Lock, Policy

#: Up to this gap the remedy is a statement to paste: it only calls nextval(), and so cannot go back.
PASTE_UP_TO = 1_000_000

#: What may end a column beside its CHECK constraints, as parts/limited.sql names it.
PARTITIONING = "partitioning"

#: What lifts a bound that is not the type's.
NO_BOUND = ("NO MAXVALUE", "NO MINVALUE")


def is_pasteable(move: Move) -> bool:
    """Whether a statement that calls nextval() does all that the move does.

    With CACHE it does not: other sessions keep the values that they have cached, and the one that it is pasted into
    hands out its own first.
    """
    sequence = move.sequence
    return move.calls <= PASTE_UP_TO and sequence.cache_size == 1 and sequence.may_nextval


def of(finding: Finding) -> str | None:
    """Return what helps with what was found, in one line: of thousands a statement is rather written than kept."""
    if finding.move is None or not finding.is_pasteable:
        return finding.remedy
    return noted(paste(finding.sequence, finding.move.target), finding.remedy or "")


def after_move(
    sequence: SequenceInfo, left_behind: Outliers | None, other: Rival | None = None, *, is_far: bool
) -> str | None:
    """Return what is left to decide after a move; None: nothing.

    :param left_behind: The outliers that it does not pass.
    :param other: Another sequence, whose values it does not pass either.
    :param is_far: Whether what it passes is likely to be other writers'.
    """
    if left_behind is not None:
        return f"then, for the outliers: {outliers(sequence, left_behind)}"
    if other is not None:
        return f"then {rival(sequence, other)}"
    return "an id_range instead, where other writers have the far values" if is_far else None


def command(sequence: SequenceInfo, policy: Policy, source: SourcePosition | None, then: str | None) -> str:
    """Return the command that makes a move which no statement makes; what is said of it is a comment of the shell.

    :param source: Where the sequence stands on the other side of a cutover.
    :param then: What is left to decide after it.
    """
    notes = [then] if then else []
    if sequence.cache_size > 1 and not sequence.may_alter:
        notes.insert(0, f"as {sequence.owner}, which owns it: only that discards what sessions have cached")
    said = _command(sequence, policy, source)
    return f"{said} # {printable('; '.join(notes))}" if notes else said


def paste(sequence: SequenceInfo, target: int) -> str:
    """Return a statement that calls nextval() until a value has reached the target, and not where it has been passed.

    It looks at each value: pasted twice, or into two sessions at once, each passes the target by one value at most.
    Functions are qualified: a function nextval(text) of anybody's would be called otherwise, by whoever pastes it.
    """
    if sequence.is_ascending:
        is_before, before, far = f"(last_value, is_called) < ({target}, true)", "<", "max"
    else:
        is_before, before, far = f"(last_value, NOT is_called) > ({target}, false)", ">", "min"
    call = f"SELECT pg_catalog.nextval({sequence.name_literal}) FROM"
    return in_print(
        f"WITH RECURSIVE r(v) AS ({call} {sequence.qualified_name} WHERE {is_before}"
        f" UNION ALL {call} r WHERE v {before} {target}) SELECT pg_catalog.{far}(v) FROM r;"
    )


def _command(sequence: SequenceInfo, policy: Policy, source: SourcePosition | None) -> str:
    """Return the command, with all that decides how far it goes."""
    name, usual = sequence.qualified_name, Policy()
    words = ["seqfix", "fix", "--sequence", name]
    mapped = [column for column in sequence.columns if column.feed is Feed.MAPPING]
    if any(column.extract for column in mapped):
        written = [json.loads(c.extract.written) if c.extract else c.qualified_name for c in mapped]
        words += ["--mapping", json.dumps({name: written})]
    elif mapped:
        words += ["--map", f"{name}={','.join(column.qualified_name for column in mapped)}"]
    if sequence.id_range is not None:
        words += ["--id-range", f"{name}={sequence.id_range[0]}:{sequence.id_range[1]}"]
    for option in ("margin", "max_jump", "min_remaining", "fail_used_pct"):
        if getattr(policy, option) != getattr(usual, option):
            words += [f"--{option.replace('_', '-')}", str(getattr(policy, option))]
    if policy.outliers is not Follow.REPORT:
        words += ["--outliers", str(policy.outliers)]
    words += ["--interleaved"] if policy.interleaved or sequence.interleaved else []
    words += ["--foreign"] if policy.foreign else []
    if source is not None:
        words += ["--source", source.argument]
    if policy.lock is not Lock.AUTO:
        words += ["--lock", str(policy.lock)]
    return shlex.join(words)


def outliers(sequence: SequenceInfo, apart: Outliers | None, unprobed: Obstacle | None = None) -> str:
    """Return the decisions about outliers.

    :param apart: None: the values were not read, and nobody knows which of them are outliers.
    :param unprobed: Why they were not.
    """
    if apart is None:
        read = unprobed.remedy if unprobed else "an index on the column"
        return or_else(read, 'outliers="follow", which moves past them whatever they are')
    low, high = sequence.own_values
    own = (low, apart.lowest - 1) if sequence.is_ascending else (apart.highest + 1, high)
    choices = [
        'outliers="follow", which moves past them',
        'outliers="ignore", where they are not meant to count',
        "remove the rows",
    ]
    writers = f"an id_range of {own[0]} to {own[1]}, where another writer has the values beyond"
    # A single value is rather a mistake than another writer's.
    choices.insert(0 if apart.count > 1 else 2, writers)
    return "; ".join(choices[:-1]) + f"; or {choices[-1]}"


def rival(sequence: SequenceInfo, other: Rival) -> str:
    """Return the decision about values that may be another sequence's."""
    low, high = other.own
    return (
        f"an id_range of {low} to {high} for {sequence.qualified_name}, where {other.name} has the values beyond; or a "
        "wider one, where they are its own"
    )


def twin(sequence: SequenceInfo, other: Twin, server: Server) -> str:
    """Return the decision about a sequence that another one hands out the same values as."""
    column, name = other.column, other.column.twin
    choices = (
        f"one sequence for both; an id_range for {sequence.qualified_name}, where each has its own; or "
        'outliers="follow", which moves it all the same'
    )
    if other.next_value is None:
        return or_else(in_print(f"GRANT SELECT ON SEQUENCE {name} TO {server.quoted_role};"), choices)
    if column.feed is not Feed.DEFAULT or name is None:
        return choices
    default = f"ALTER TABLE {column.qualified_table} ALTER {column.quoted_column} SET DEFAULT nextval({literal(name)});"
    return noted(in_print(default), choices)


def harmful(
    sequence: SequenceInfo,
    alone: SequenceInfo,
    unprobed: Obstacle | None = None,
    *,
    is_compared: bool = True,
    check: str | None = None,
) -> str:
    """Return the remedy for a move that would take the last values.

    :param alone: The sequence as inserts into the column see it whose last values those are.
    :param unprobed: Why it is not known whether values are free before it.
    :param is_compared: Whether the column's values are known.
    :param check: The CHECK constraint that is not read, if it is the reason.
    """
    decisions = widen(sequence, alone) if is_compared else _more_room(alone)
    if check is not None:
        decisions = _read_instead(check, alone.columns[0])
    if not is_before_rival(alone):
        decisions = or_else(
            decisions,
            'an id_range, where other writers have the far values; or outliers="follow", which moves it all the same',
        )
    return decisions if unprobed is None else or_else(unprobed.remedy, decisions)


def _read_instead(check: str, column: ColumnInfo) -> str:
    """Say what could be read of what may end a column."""
    if check == PARTITIONING:
        return f"partitions by ranges of {column.qualified_name}, without a gap"
    return f"a {check} that only compares {column.qualified_name} with constants"


def widen_or_restart(sequence: SequenceInfo, furthest: int | None) -> str:
    """Return how to raise the binding limit, and how to restart if values beyond the data are free."""
    near = sequence.lowest if sequence.is_ascending else sequence.highest
    again = near if furthest is None else furthest + sequence.increment_by
    left = values_left(sequence, again)
    if not left:
        return widen(sequence)
    restart = noted(
        in_print(f"ALTER SEQUENCE {sequence.qualified_name} RESTART WITH {again};"),
        "where nothing refers to ids from there on that were given out before",
    )
    return or_else(widen(sequence), restart)


def widen(sequence: SequenceInfo, alone: SequenceInfo | None = None) -> str:
    """Return how to raise the binding limits: all that end at the same value.

    :param alone: The sequence as inserts into one of its columns see it, where that alone is to be widened.
    """
    seen = alone or sequence
    if is_before_rival(seen):
        return "an id_range, agreed with the other writers"
    if is_own_range(seen):
        return "a larger id_range, agreed with the other writers"
    if sequence.rivalled and bound_of(seen) == seen.limit and _of_bound(seen) in NO_BOUND:
        # Beyond its own bound another sequence may have its values.
        (column, *_), bound = sequence.rivalled, "MAXVALUE" if seen.is_ascending else "MINVALUE"
        return f"a larger {bound}, agreed with {column.rival}, which feeds {column.qualified_name} as well"
    ended = [column for column in narrowest(seen) if ended_by(seen, column)]
    columns = [column for column in narrowest(seen) if column not in ended and is_small(column)]
    change = _of_bound(seen)
    identity = _identity_to_widen(sequence, columns, change)
    if identity is not None and identity not in columns:
        columns.insert(0, identity)
    notes = [
        f"a larger type for {column.qualified_name}, which ALTER TABLE cannot give it: {column.kept_by}"
        for column in columns
        if column.kept_by
    ]
    statements = [] if notes else _widening(sequence, columns, identity, change)
    notes = notes or _of_larger_types(columns)
    notes += [_wider(seen, column) for column in ended]
    return noted(in_print(" ".join(statements)), "; ".join(notes)) or "nothing is larger than bigint: another key"


def _more_room(alone: SequenceInfo) -> str:
    """Say what lets a column follow further whose values are not compared: no statement, for it may be a view's."""
    (column,) = alone.columns
    return _wider(alone, column) if ended_by(alone, column) else f"a larger type for {column.qualified_name}"


def _wider(sequence: SequenceInfo, column: ColumnInfo) -> str:
    """Say what has to be changed of what ends a column before its type does."""
    if is_by_partitions(sequence, column):
        beyond = sequence.limit + (1 if sequence.is_ascending else -1)
        return f"the next partition of {column.qualified_table}, which takes {beyond}"
    if is_by_own_bounds(sequence, column):
        return f"wider bounds of the partition {column.qualified_table}"
    return f"a wider {ended_by(sequence, column)} of {column.qualified_name}"


def _of_bound(sequence: SequenceInfo) -> str | None:
    """Return what is to be changed of the sequence itself; None: its own bound does not bind."""
    if bound_of(sequence) != sequence.limit:
        return None
    if bound_of(sequence) not in TYPE_BOUNDS[sequence.data_type]:
        return NO_BOUND[0 if sequence.is_ascending else 1]
    # Also changes a bound that is the type's.
    return None if sequence.data_type == "bigint" else "AS bigint"


def _identity_to_widen(sequence: SequenceInfo, columns: list[ColumnInfo], change: str | None) -> ColumnInfo | None:
    """Return the identity column that needs a larger type: it ends, or its sequence would go on beyond it."""
    identity = identity_of(sequence)
    if identity is None or identity.data_type == "bigint":
        return None
    if identity in columns or change == "AS bigint":
        return identity
    is_narrower = TYPE_BOUNDS[identity.data_type][1] < TYPE_BOUNDS[sequence.data_type][1]
    return identity if change and is_narrower else None


def _widening(
    sequence: SequenceInfo, columns: list[ColumnInfo], identity: ColumnInfo | None, change: str | None
) -> list[str]:
    """Return the statements, of which none is made where one before it fails."""
    statements = []
    for column in columns:
        actions = f"ALTER {column.quoted_column} TYPE {column.larger_type}"
        if column is identity:
            # That gives its sequence the same type, and its bound belongs in the statement: alone, it would wrap.
            actions += f", ALTER {column.quoted_column} SET {change}" if change in NO_BOUND else ""
            change = None
        statements.append(f"ALTER TABLE {column.qualified_table} {actions};")
    if change is None:
        return statements
    statements.append(f"ALTER SEQUENCE {sequence.qualified_name} {change};")
    return ["BEGIN;", *statements, "COMMIT;"] if columns else statements


def _of_larger_types(columns: list[ColumnInfo]) -> list[str]:
    """Return what is said of statements that give columns a larger type."""
    if not columns:
        return []
    rewrites = [] if all(column.larger_type in ("text", "numeric") for column in columns) else ["rewrites the table"]
    return [*rewrites, "columns that refer to it need the same"]
