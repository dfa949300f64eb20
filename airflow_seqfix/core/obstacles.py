"""SQLSTATEs and missing privileges as sentences and remedies."""

from __future__ import annotations

from airflow_seqfix.core.errors import (
    LOST,
    CancelledStatementError,
    ConnectionFailedError,
    DeadlineError,
    SeqfixError,
    first_line,
    functions,
    hint,
    sqlstate,
)
from airflow_seqfix.core.model import ColumnInfo, Grant, Move, Obstacle, SequenceInfo, Server, Way
from airflow_seqfix.core.model.quoted import EVERY_BYTE, Identifier, in_print, or_else
from airflow_seqfix.core.policy import Limits

#: The SQLSTATEs of a read of what is no longer there: a table, a schema, a column.
_VANISHED = ("42P01", "3F000", "42703")
#: The SQLSTATEs of a text that a column cannot hold, or not be compared with.
_UNFIT = ("42883", "22P02", "22003", "22007", "22008")


def forbidden(sequence: SequenceInfo, server: Server) -> Obstacle | None:
    """Return the missing privileges to read a sequence and its columns, with the grants."""
    missing: list[str] = []
    grants: list[Grant] = []
    role = server.quoted_role
    for schema, allowed in (
        (sequence.quoted_schema, sequence.may_use_schema),
        *((column.quoted_schema, column.may_use_schema) for column in sequence.comparable),
    ):
        if not allowed and f"schema {schema}" not in missing:
            missing.append(f"schema {schema}")
            grants.append(Grant(privilege="USAGE", kind="SCHEMA", schema=schema, name=schema, role=role))
    if not sequence.may_select:
        missing.append(f"sequence {sequence.qualified_name}")
        grants.append(sequence.grant("SELECT", role))
    for column in sequence.comparable:
        if not column.may_select:
            missing.append(f"column {column.qualified_name}")
            grants.append(
                Grant(
                    privilege="SELECT",
                    kind="TABLE",
                    schema=column.quoted_schema,
                    name=column.qualified_table,
                    role=role,
                    column=column.quoted_column,
                )
            )
    if missing:
        return Obstacle(
            reason=f"role {role} may not read {', '.join(missing)}",
            remedy=" ".join(map(str, grants)),
            sqlstate="42501",
            grants=tuple(grants),
        )
    return next((_hidden(column, role) for column in sequence.comparable if column.hides_rows), None)


def _hidden(column: ColumnInfo, role: str) -> Obstacle:
    remedy = in_print(f"ALTER ROLE {role} BYPASSRLS;")
    if column.exempt_owner:
        remedy = or_else(remedy, f"run as {column.exempt_owner}, which owns the table")
    return Obstacle(
        reason=f"row-level security may hide rows of {column.qualified_table} from role {role}",
        remedy=remedy,
        sqlstate="42501",
    )


def unreadable(sequence: SequenceInfo, error: Exception, limits: Limits, server: Server) -> Obstacle:
    """Return why a read failed."""
    state = sqlstate(error)
    slow = next((column for column in sequence.comparable if not column.has_index), None)
    match state:
        case "57014" if slow is not None and not isinstance(error, CancelledStatementError):
            reason, remedy = _too_slow(slow, limits)
        case "55P03":
            reason = "another session holds a lock that keeps readers out"
            remedy = "run again when it is done; pg_blocking_pids(), pg_locks and pg_prepared_xacts show who it is"
        case state if state in _VANISHED:
            reason, remedy = f"it changed while it was being read ({first_line(error)})", "run again"
        case "55000":
            # restrict_nonsystem_relation_kind: a view, or a function of an index that reads one.
            reason = first_line(error)
            remedy = "run again if a view has taken a table's name; else an index without a function that reads one"
        case "42501":
            reason = first_line(error)
            remedy = str(sequence.grant("SELECT", server.quoted_role))
        case "XX001":
            reason = first_line(error)
            remedy = (
                "run again: a sequence reads like this while it is being rewritten; if it stays so, see the server's "
                "log"
            )
        case "0A000" if server.in_recovery:
            reason, remedy = "an unlogged table or sequence cannot be read on a standby", "check on the primary"
        case state if state in _UNFIT and any(c.extract and c.extract.where for c in sequence.comparable):
            reason = f"the mapping's where does not fit its columns ({first_line(error)})"
            remedy = "name columns that can be compared, each with a text that it can hold"
        case "40001" if server.in_recovery:
            reason = "the standby cancelled the read, which held up changes from the primary"
            remedy = (
                "run again, or check on the primary; on the standby, hot_standby_feedback or a larger "
                "max_standby_streaming_delay makes it rarer"
            )
        case _:
            reason, remedy = ended("read", error, limits)
    return Obstacle(reason=reason, remedy=remedy, sqlstate=state)


def _too_slow(column: ColumnInfo, limits: Limits) -> tuple[str, str]:
    reason = (
        f"reading {column.qualified_name} took longer than statement_timeout ({limits.statement_timeout:g} s): "
        "no index leads with it"
    )
    if column.estimated_rows:
        reason += f", and it has about {column.estimated_rows:,} rows"
    index = in_print(f"CREATE INDEX CONCURRENTLY ON {column.qualified_table} ({column.quoted_column});")
    return reason, or_else(index, "a larger statement_timeout")


def out_of_time(limits: Limits) -> Obstacle:
    """Return the obstacle of everything that `run_timeout` left undone."""
    return Obstacle(
        reason=f"run_timeout of {limits.run_timeout:g} s was over before it was done", remedy="a larger run_timeout"
    )


def lost(when: str) -> Obstacle:
    """Return the obstacle of everything that a lost connection left open.

    :param when: What had or had not been done by then.
    """
    return Obstacle(reason=when, remedy="run again: no sequence has gone back", sqlstate=LOST, is_lost=True)


#: Of what was not begun any more, and of what was being read.
LOST_BEFORE = lost("the connection was lost before it was read")
LOST_MEANWHILE = lost("the connection was lost while it was read")


#: Of what was not read because others come first.
PUT_OFF = Obstacle(
    reason="not read: reads of other tables of its owner were slow, so that it comes after those of others",
    remedy="a larger run_timeout, or own_code_only",
)


def lost_twice() -> Obstacle:
    """Return the obstacle of what has ended a connection among others, and another one when it was read alone."""
    return Obstacle(
        reason="the connection was lost while it was read, and another one while it was read alone",
        remedy="see the server's log: a function that a read of the table calls may end the session; exclude it, or "
        "give own_code_only",
    )


def not_tried(owner: Identifier) -> Obstacle:
    """Return the obstacle of what has an owner whose other tables have ended connections."""
    return Obstacle(
        reason=f"not read: reads of several tables of role {owner} have ended the connection",
        remedy="see the server's log: a function that they call may end the session; exclude them, "
        "or give own_code_only",
    )


def restless() -> Obstacle:
    """Return the obstacle of a sequence that changed during each read."""
    return Obstacle(
        reason="it changed while it was read: it or what it feeds was altered, truncated or renamed each time",
        remedy="run again when that is done",
    )


def unconfirmed(error: SeqfixError, limits: Limits) -> Obstacle:
    """Return the obstacle of everything that was read, where the catalogs could not be looked at once more."""
    if isinstance(error, DeadlineError):
        return out_of_time(limits)
    if isinstance(error, ConnectionFailedError):
        return lost("the connection was lost before it was known whether it has changed while it was read")
    return Obstacle(
        reason=f"it is not known whether it changed while it was read: {error.message}",
        remedy=error.remedy or "run again",
    )


def has_vanished(obstacle: Obstacle | None) -> bool:
    """Whether a read failed because what was discovered was no longer there.

    What was made and dropped between two looks at the versions of the catalogs has left no trace in them.
    """
    return obstacle is not None and obstacle.sqlstate in _VANISHED


def gone(sequence: SequenceInfo) -> Obstacle:
    """Return the obstacle of a sequence that was dropped before its move."""
    return Obstacle(reason=f"{sequence.qualified_name} is no longer there", remedy="run again", sqlstate="42P01")


def not_verified(obstacle: Obstacle) -> Obstacle:
    """Return what is left open of a move, where its sequence could not be read afterwards."""
    return Obstacle(
        reason=f"it was moved, and could not be read again: {obstacle.reason}",
        remedy=obstacle.remedy,
        sqlstate=obstacle.sqlstate,
        grants=obstacle.grants,
    )


def refused(sequence: SequenceInfo) -> Obstacle:
    """Return why a move is refused whose sequence has changed since it was measured."""
    return Obstacle(
        reason=f"{sequence.qualified_name} or what it feeds has changed since it was read, and it was not moved",
        remedy="check again",
        sqlstate="55000",
    )


def set_back(sequence: SequenceInfo) -> Obstacle:
    """Return why a move is refused after somebody set the sequence back."""
    return Obstacle(
        reason=f"{sequence.qualified_name} was set back since it was read, and it was not moved",
        remedy="check again",
        sqlstate="55000",
    )


def immovable(move: Move, error: Exception, limits: Limits) -> Obstacle:
    """Return why a move failed."""
    state, name = sqlstate(error), move.sequence.qualified_name
    match state:
        case "55P03":
            reason = f"transactions that use {name} did not end within lock_timeout ({limits.lock_timeout:g} s)"
            remedy = 'run again later, or lock="none", which waits for nobody'
            if move.way is Way.ADVANCE:
                remedy = "run again when it is done; pg_blocking_pids(), pg_locks and pg_prepared_xacts show who it is"
        # The statement is one block, and calls no other.
        case _ if move.way is Way.LOCKED and state != "57014" and functions(error) > 1:
            reason, remedy = (
                f"an event trigger refuses ALTER SEQUENCE ({first_line(error)})",
                'lock="none", which needs no DDL',
            )
        case "2200H":
            reason, remedy = first_line(error), "other sessions took the last values: widen the sequence and its column"
        case "25006":
            reason, remedy = first_line(error), "repair on the primary, in a session that may write"
        case "42501":
            reason, remedy = first_line(error), f"run as {move.sequence.owner}, which owns it, or ask it for the grant"
        # XX000: could not open relation with OID …
        case "42704" | "42P01" | "55000" | "XX001" | "XX000":
            reason, remedy = f"it changed in the meantime ({first_line(error)})", "check again"
        case _:
            reason, remedy = ended("move", error, limits)
    return Obstacle(reason=reason, remedy=remedy, sqlstate=state)


def ended(what: str, error: Exception, limits: Limits) -> tuple[str, str]:
    """Return reason and remedy of errors that can end both a read and a move."""
    match sqlstate(error):
        case "57014" if isinstance(error, CancelledStatementError):
            return (
                f"somebody cancelled the {what} before statement_timeout ({limits.statement_timeout:g} s) was over",
                "run again",
            )
        case "57014":
            return (
                f"the {what} took longer than statement_timeout ({limits.statement_timeout:g} s)",
                "a larger statement_timeout",
            )
        # A server that is out of its own memory has the same SQLSTATE.
        case "53200" if "max_locks_per_transaction" in hint(error):
            return (
                f"the server's lock table had no room for the {what}",
                "run again when others hold fewer locks (pg_locks shows them), or a larger max_locks_per_transaction",
            )
        case "22P05":
            return (
                f"a name is not text in the client's encoding ({first_line(error)})",
                "connect with client_encoding=utf8",
            )
        case "22021":
            # A database of SQL_ASCII holds any bytes.
            return (
                f"a name is not text in the client's encoding ({first_line(error)})",
                EVERY_BYTE,
            )
    return first_line(error), "see the server's log"
