"""A plan as SQL for psql: one self-contained block for each move."""

from __future__ import annotations

import datetime
from collections.abc import Iterable

from airflow_seqfix.core.database.session import kinds_not_read, milliseconds
from airflow_seqfix.core.errors import printable
from airflow_seqfix.core.measure.column_sql import furthest_query
from airflow_seqfix.core.measure.partitions import is_wide
from airflow_seqfix.core.model import Finding, Move, Server, Way
from airflow_seqfix.core.policy import Follow, Limits, Policy
from airflow_seqfix.core.repair.statements import statement

#: How a move of a plan begins: inside a larger transaction, to whose end its lock would stay, COMMIT is an error.
_ALONE = """
    -- Refused inside another transaction. What others commit meanwhile has to be seen.
    COMMIT;
    SET TRANSACTION ISOLATION LEVEL READ COMMITTED;"""


#: How a plan ends. A lock is held for no longer than this server takes to commit.
_STANDBYS = """\
-- Each move is committed on this server alone. Where synchronous_commit asks for more, this waits for the standbys,
-- without a lock; Ctrl-C ends it.
DO 'BEGIN PERFORM pg_catalog.pg_logical_emit_message(true, ''seqfix'', ''for standbys''); END';"""


def plan_sql(
    server: Server, findings: Iterable[Finding], policy: Policy, limits: Limits, started_at: datetime.datetime
) -> str:
    """Return a psql script that makes the moves of `findings`; safe to run twice, and late."""
    database = _comment(server.database)
    listed = [finding for finding in findings if finding.move or finding.fails(policy)]
    movable = sum(finding.move is not None and finding.move.obstacle is None for finding in listed)
    when = started_at.isoformat(timespec="seconds")
    lines = [
        f"-- Moves {movable} of the {len(listed)} sequences of database {database} that are not in sync",
        f"-- PostgreSQL {_comment(server.version)} at {server.address}, read {when} as role {_comment(server.role)}",
        "-- Each move is a transaction of its own, can be run alone, twice, or late, and leaves no setting behind.",
        '-- With psql -1, with AUTOCOMMIT off, or all sent at once: "invalid transaction termination".',
    ]
    for finding in listed:
        move = finding.move
        lines += ["", f"-- {_comment(finding.sequence.qualified_name)}: {_comment(finding.reason or '')}"]
        if move is None or move.obstacle is not None:
            why = move.obstacle.reason if move and move.obstacle else str(finding.verdict)
            lines += [f"-- not moved: {'; '.join(_comment(text) for text in (why, finding.remedy) if text)}"]
        else:
            name = "advance_to" if move.way is Way.ADVANCE else str(move.way)
            block = statement(name, finding, limits, begin=_ALONE, database=server.database_literal)
            lines += [f"-- {_comment(move.why)}", f"{block};", f"{_reread(finding, move, policy, limits)};"]
    if movable:
        lines += ["", _STANDBYS]
    return "\n".join(lines)


def _reread(finding: Finding, move: Move, policy: Policy, limits: Limits) -> str:
    """Return a query that says how the sequence stands after the move."""
    sequence = move.sequence
    furthest = f"{move.target}::numeric"
    # Values that do not count, or more partitions than one statement may open: then the target has to do.
    is_ignoring = finding.outliers is not None and policy.outliers is Follow.IGNORE
    if not (is_wide(sequence) or policy.interleaved or sequence.interleaved or is_ignoring):
        values = ", ".join(furthest_query(sequence, column, column.qualified_table) for column in sequence.comparable)
        there = finding.measurement.handed_out_there
        values += f"{', ' if values and there is not None else ''}{'' if there is None else f'{there}::numeric'}"
        furthest = f"{'greatest' if sequence.is_ascending else 'least'}({values})"
    return statement(
        "reread",
        finding,
        limits,
        kinds=kinds_not_read(foreign=any(c.is_foreign or c.has_foreign_partition for c in sequence.comparable)),
        lowest=sequence.lowest,
        highest=sequence.highest,
        furthest_value=furthest,
        statement_timeout=milliseconds(limits.statement_timeout),
    )


def _comment(text: str) -> str:
    # A line break in a name would end the comment and start a statement.
    return printable(text)
