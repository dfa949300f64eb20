"""The library: find sequences that are behind their data, and move them forward.

Works on connections of psycopg 3 and psycopg2, without Airflow.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any, Unpack

from airflow_seqfix.core.call import Call, await_standbys, refuse_lost, refuse_nothing
from airflow_seqfix.core.database.connection import Connectable, Connection
from airflow_seqfix.core.discover.one_table import locate, parse_table, selection
from airflow_seqfix.core.errors import (
    ArgumentError,
    ArgumentTypeError,
    CatalogError,
    ConnectionFailedError,
    DeadlineError,
    DriftError,
    FailingError,
    LockTimeoutError,
    NothingCheckedError,
    PrivilegeError,
    SelectionError,
    SeqfixError,
    UnexpectedAnswerError,
    UnsupportedServerError,
)
from airflow_seqfix.core.model import Finding, Outcome, SequenceWarning, Verdict, Way
from airflow_seqfix.core.policy import Lock, Policy
from airflow_seqfix.core.progress import Progress, Watcher
from airflow_seqfix.core.report import Plan, Report
from airflow_seqfix.core.row import Row
from airflow_seqfix.core.settings import Settings
from airflow_seqfix.core.source import SourceLike
from airflow_seqfix.core.suggest import Suggested, Suggestions, run_suggest
from airflow_seqfix.options import Name, Options, SelectionOptions, TableOptions

__all__ = [
    "ArgumentError",
    "ArgumentTypeError",
    "CatalogError",
    "Connectable",
    "Connection",
    "ConnectionFailedError",
    "DeadlineError",
    "DriftError",
    "FailingError",
    "Finding",
    "Lock",
    "LockTimeoutError",
    "NothingCheckedError",
    "Options",
    "Outcome",
    "Plan",
    "Policy",
    "PrivilegeError",
    "Progress",
    "Report",
    "Row",
    "SelectionError",
    "SeqfixError",
    "SequenceWarning",
    "Suggested",
    "Suggestions",
    "UnexpectedAnswerError",
    "UnsupportedServerError",
    "Verdict",
    "Watcher",
    "Way",
    "check",
    "fix",
    "fix_sequence",
    "plan",
    "suggest",
]


def check(
    conn: Connectable,
    *,
    source: SourceLike | None = None,
    source_schemas: Mapping[str, str] | None = None,
    since: Iterable[Report | Mapping[str, Any]] = (),
    progress: Watcher | None = None,
    **options: Unpack[Options],
) -> Report:
    """Check every sequence. Only reads: every transaction is READ ONLY.

    :param conn: An open connection of psycopg 3 or psycopg2 outside a transaction, which comes back as it was; or a
        callable that opens one, takes one from a pool, or returns a context manager that does: it is given back the way
        it came.
    :param source: The database from which the data came, on the other side of a cutover: a connection as `conn`, a
        URI, or a report of it that was made with `all_positions`. No value that it has handed out is handed out again:
        its position counts beside the data, and alone for sequences without a column. It is read first, READ ONLY.
    :param source_schemas: For each schema that has another name in the source: its name here, and its name there.
    :param since: Earlier reports of the same database, or their `to_dict()` back from JSON: the rows then say how fast
        each sequence is used, and how long it lasts at that pace, where the past tells.
    :param progress: Called with a `Progress` before and after each statement that reads. What it raises ends the run.
    :param options: See `help(core.Options)`.
    :raises ArgumentError: when an option is invalid, a name matches nothing (`SelectionError`), or no sequence was
        checked (`NothingCheckedError`, whose `report` says why), unless `allow_empty`.
    :raises ArgumentTypeError: when `conn` is not a connection, or a name is not an option: a `TypeError` as well.
    :raises ConnectionFailedError: when the connection cannot be opened, or is lost; where `conn` is a callable, another
        one is tried first. `report` then holds what was found and done.
    :raises UnsupportedServerError: when the server is not PostgreSQL of version 13 or later.
    :raises CatalogError: when the catalogs could not be read.
    :raises DeadlineError: when `run_timeout` was over before the sequences were known.
    """
    return Call.read(conn, options, progress, source, source_schemas, since).check()


def plan(
    conn: Connectable,
    *,
    stored: Plan | Mapping[str, Any] | None = None,
    source: SourceLike | None = None,
    source_schemas: Mapping[str, str] | None = None,
    since: Iterable[Report | Mapping[str, Any]] = (),
    progress: Watcher | None = None,
    **options: Unpack[Options],
) -> Plan:
    """Return the moves that `fix()` would make. Only reads; parameters and errors as `check()`, and:

    :param stored: A plan that was made before: the result is what `fix(plan=stored)` would do now, measured again. A
        move that would be refused is left out, and the `error` of its row says why.
    """
    call = Call.read(conn, options, progress, source, source_schemas, since)
    if stored is None:
        report = call.check()
    else:
        held = call.stored(stored)
        with call.opened() as sessions:
            examination, due, left = call.look_again(sessions, held)
            rows = (
                *(Row(finding=o.before, outcome=o if o.error is not None else None) for o in due),
                *(Row(finding=finding) for finding in left),
            )
            report = call.report(examination, sessions.session.started_at, rows, is_whole=False)
    return Plan(report=report, options=call.settings.deciding, limits=call.settings.limits)


def fix(
    conn: Connectable,
    *,
    plan: Plan | Mapping[str, Any] | None = None,
    source: SourceLike | None = None,
    source_schemas: Mapping[str, str] | None = None,
    since: Iterable[Report | Mapping[str, Any]] = (),
    progress: Watcher | None = None,
    **options: Unpack[Options],
) -> Report:
    """Move every sequence that is behind forward, and verify each in a new transaction.

    Writes only to sequences that are behind, and never moves one back. A sequence that cannot be moved is reported
    and does not stop the others. In your session, `lastval()` is then that of the repair.
    Parameters and errors as `check()`, and:

    :param plan: What `plan()` returned, or its `to_dict()` back from JSON: only its moves are made, to its targets. One
        whose sequence or data have changed since is refused, and reported. What decides how far a sequence goes
        (`margin`, `mapping`, `source` and the like) has to be given as it was to `plan()`. What failed its check and
        has no move is looked at again, and reported.
    :param progress: Called also before and after each move, and every 10,000 values on the way.
    """
    call = Call.read(conn, options, progress, source, source_schemas, since)
    stored = None if plan is None else call.stored(plan)
    with call.opened(writes=True) as sessions:
        started_at = sessions.session.started_at
        if stored is None:
            examination, findings = call.look(sessions, moves=True)
            due = [Outcome(before=finding, after=finding) for finding in findings if finding.move is not None]
        else:
            examination, due, left = call.look_again(sessions, stored, moves=True)
            findings = [*(outcome.before for outcome in due), *left]
        server = examination.server
        if server.in_recovery:
            raise ArgumentError("this is a standby, which is read-only", remedy="repair on the primary")
        moved = {outcome.before.sequence.oid for outcome in due}
        others = [finding for finding in findings if finding.sequence.oid not in moved]
        done, others = call.repair(sessions, examination, due, others, stored)
        present = {finding.sequence.oid: finding for finding in others}
        # Of the others some may have changed while these were moved.
        present |= examination.changed(
            f for f in others if f.sequence.oid not in done and f.verdict is not Verdict.SKIPPED
        )
        rows = tuple(
            Row(finding=done[oid].after, outcome=done[oid]) if oid in done else Row(finding=present[oid])
            for oid in (finding.sequence.oid for finding in findings)
        )
        report = replace(
            call.report(examination, started_at, rows, is_whole=stored is None),
            standbys_confirmed=await_standbys(sessions, server, rows),
        )
        refuse_lost(sessions, report, f"{report.summary['verified']} were moved and verified")
        if stored is None:
            refuse_nothing(report, call.settings)
        return report


def suggest(conn: Connectable, **options: Unpack[Options]) -> Suggestions:
    """Suggest columns for sequences that no default names, with evidence for each.

    No suggestion is applied: review `mapping` of the result, and pass it to `check()` and
    `fix()`. Reads only; parameters and errors as `check()`, and a database without such a sequence is in order.
    """
    call = Call(conn=conn, settings=Settings.parse(options))
    with call.opened() as sessions:
        return run_suggest(sessions, call.settings)


def fix_sequence(
    conn: Connectable,
    table: Name,
    column: Name | None = None,
    sequence: Name | None = None,
    *,
    raises: bool = True,
    progress: Watcher | None = None,
    **options: Unpack[TableOptions],
) -> Report:
    """Repair the sequences of one table, for seeders and tests. Parameters and errors as `fix()`, and:

    :param table: The table: as written in SQL (`users`, `app.users`, `"Users"`), or as it is in the catalog, as a tuple
        (`("app", "Users")`) or an `Identifier` of the driver. Without a schema it is the one that the connection's
        search_path leads to; beside it, the only one of that name.
    :param column: One of its columns; None: all that draw from a sequence.
    :param sequence: The sequence; None: all that feed the table.
    :param raises: Whether to raise if the table's sequences are not all in sync afterwards.
    :raises FailingError: as `Report.raise_for_failing()`, unless `raises` is False.
    """
    for name in sorted(options.keys() & SelectionOptions.__annotations__.keys()):
        raise ArgumentTypeError(f"fix_sequence() takes no {name}: it repairs one table; fix() takes a selection")
    named = parse_table(table)
    if len(named.parts) == 1:
        with Call(conn=conn, settings=Settings.parse(options)).opened(writes=True) as sessions:
            named = locate(sessions.session, named)
    report = fix(conn, progress=progress, **selection(named, column, sequence), **options)
    if raises:
        report.raise_for_failing()
    return report
