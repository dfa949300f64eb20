"""A plan as SQL for psql: one self-contained block for each move."""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Iterator
from typing import Any

from airflow_seqfix.core.database.opening import kinds_not_read, milliseconds
from airflow_seqfix.core.errors import printable
from airflow_seqfix.core.measure.column_sql import furthest_query
from airflow_seqfix.core.measure.partitions import is_wide
from airflow_seqfix.core.model import Finding, Move, Server, Source, Way
from airflow_seqfix.core.model.quoted import in_print
from airflow_seqfix.core.policy import Follow, Limits, Policy
from airflow_seqfix.core.repair import plan_shared
from airflow_seqfix.core.repair.statements import statement

#: How a move of a plan begins. COMMIT fails inside a caller's transaction, where the lock would outlive the move.
_ALONE = """
    -- Refused inside another transaction. What others commit meanwhile has to be seen.
    COMMIT;
    SET TRANSACTION ISOLATION LEVEL READ COMMITTED;"""


#: Beyond so many moves the text that they share is written once.
SELF_CONTAINED = 20

#: How a plan is run, by its form.
_RUN = (
    "-- Run it with psql, outside of a transaction: psql -X -f plan.sql -d DBNAME",
    "-- Each move is a transaction of its own, can be made twice, or late, and leaves no setting behind. Where one is",
    "-- refused, an ERROR says why, and the next follows. Inside a larger transaction (psql -1, AUTOCOMMIT off, all",
    '-- sent at once) each is refused: "invalid transaction termination".',
)
_SHORT = (
    *_RUN,
    "-- Each can be run alone, also by a client that sends statement after statement with autocommit.",
)
_LONG = (
    *_RUN,
    "-- Only psql runs it: for any other client the first backslash is a syntax error, and nothing is moved. The text",
    "-- that all moves share stands in variables of psql, is joined with the values of each, and run by DO.",
)

#: How a plan ends. A lock is held for no longer than this server takes to commit.
_STANDBYS = """\
-- Each move is committed on this server alone. Where synchronous_commit asks for more, this waits for the standbys,
-- without a lock; Ctrl-C ends it.
DO 'BEGIN PERFORM pg_catalog.pg_logical_emit_message(true, ''seqfix'', ''for standbys''); END';"""


def plan_sql(
    server: Server,
    findings: Iterable[Finding],
    policy: Policy,
    limits: Limits,
    started_at: datetime.datetime,
    source: Source | None = None,
) -> Iterator[str]:
    """Yield the lines of a psql script that makes the moves of `findings`; safe to run twice, and late."""
    database = _comment(server.database)
    listed = [finding for finding in findings if finding.move or finding.fails(policy)]
    movable = sum(finding.move is not None and finding.move.obstacle is None for finding in listed)
    where = f"{server.address} ({server.is_of})"
    when = started_at.isoformat(timespec="seconds")
    yield f"-- Moves {movable} of the {len(listed)} sequences of database {database} that are not in sync"
    yield f"-- PostgreSQL {_comment(server.version)} at {where}, read {when} as role {_comment(server.role)}"
    if source is not None:
        yield f"-- Its source is {source.said}"
    yield "--"
    is_long = movable > SELF_CONTAINED
    if is_long:
        ways = {_query_of(finding.move) for finding in listed if finding.move and finding.move.obstacle is None}
        more = {"statement_timeout": milliseconds(limits.statement_timeout), "kinds": kinds_not_read(foreign=False)}
        yield from (*_LONG, *plan_shared.definitions(ways, server, limits, begin=_ALONE, **more))
    else:
        yield from _SHORT
    for finding in listed:
        move = finding.move
        yield from ("", f"-- {_comment(finding.sequence.qualified_name)}: {_comment(finding.reason or '')}")
        if move is None or move.obstacle is not None:
            why = move.obstacle.reason if move and move.obstacle else str(finding.verdict)
            yield f"-- not moved: {'; '.join(_comment(text) for text in (why, finding.remedy) if text)}"
        elif is_long and not _is_foreign(finding):
            yield from (f"-- {_comment(move.why)}", *plan_shared.move(_query_of(move), finding))
            yield from plan_shared.look(finding, **_looked_at(finding, move, policy))
        else:
            here = in_print(server.database_literal)
            block = statement(_query_of(move), finding, limits, begin=_ALONE, database=here, write=in_print)
            yield from (f"-- {_comment(move.why)}", f"{block};", f"{_reread(finding, move, policy, limits)};")
    if movable:
        yield from ("", _STANDBYS)


def _query_of(move: Move) -> str:
    return "advance_to" if move.way is Way.ADVANCE else str(move.way)


def _is_foreign(finding: Finding) -> bool:
    return any(column.is_foreign or column.has_foreign_partition for column in finding.sequence.comparable)


def _looked_at(finding: Finding, move: Move, policy: Policy) -> dict[str, Any]:
    """Return what the look afterwards compares."""
    sequence = move.sequence
    furthest = f"{move.target}::numeric"
    # Values that do not count, or more partitions than one statement may open: then the target has to do.
    is_ignoring = finding.outliers is not None and policy.outliers is Follow.IGNORE
    if not (is_wide(sequence) or policy.interleaved or sequence.interleaved or is_ignoring):
        values = ", ".join(furthest_query(sequence, column, column.qualified_table) for column in sequence.comparable)
        there = finding.measurement.handed_out_there
        values += f"{', ' if values and there is not None else ''}{'' if there is None else f'{there}::numeric'}"
        if values:
            furthest = f"{'greatest' if sequence.is_ascending else 'least'}({values})"
    return {"lowest": sequence.lowest, "highest": sequence.highest, "furthest_value": in_print(furthest)}


def _reread(finding: Finding, move: Move, policy: Policy, limits: Limits) -> str:
    """Return a query that says how the sequence stands after the move."""
    return statement(
        "reread",
        finding,
        limits,
        write=in_print,
        kinds=kinds_not_read(foreign=_is_foreign(finding)),
        statement_timeout=milliseconds(limits.statement_timeout),
        **_looked_at(finding, move, policy),
    )


def _comment(text: str) -> str:
    # A line break in a name would end the comment and start a statement.
    return printable(text)
