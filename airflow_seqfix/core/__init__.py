"""The library: find sequences that are behind their data, and move them forward.

Works on connections of psycopg 3 and psycopg2, without Airflow.
"""

from __future__ import annotations

import datetime
import time
from collections.abc import Iterable, Mapping
from contextlib import AbstractContextManager
from dataclasses import replace
from typing import Any, Unpack

from airflow_seqfix.core.database.connection import Connectable, Connection
from airflow_seqfix.core.database.sessions import Sessions, open_sessions
from airflow_seqfix.core.discover.one_table import locate, parse_table, selection
from airflow_seqfix.core.errors import (
    LOST,
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
from airflow_seqfix.core.model import Finding, Outcome, SequenceWarning, Server, Verdict, Way
from airflow_seqfix.core.policy import Lock, Policy
from airflow_seqfix.core.progress import Progress, Watcher
from airflow_seqfix.core.repair.apply import ROUNDS, apply
from airflow_seqfix.core.repair.plan import StoredPlan, check_move
from airflow_seqfix.core.report import Plan, Report
from airflow_seqfix.core.row import Row
from airflow_seqfix.core.run import Examination, refuse_nothing
from airflow_seqfix.core.settings import Settings
from airflow_seqfix.core.source import SourceLike, read_source
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
    return _check(conn, _settings(options, progress, source, source_schemas), progress, _earlier(since))


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
    settings = _settings(options, progress, source, source_schemas)
    if stored is None:
        report = _check(conn, settings, progress, _earlier(since))
    else:
        held = _stored(stored, settings)
        with _open_sessions(conn, settings) as sessions:
            examination, due = _measured_again(sessions, settings, held, progress, _earlier(since))
            rows = tuple(Row(finding=o.before, outcome=o if o.error is not None else None) for o in due)
            started_at = sessions.session.started_at
            report = _report(examination, settings, started_at, rows, is_whole=False)
    return Plan(report=report, options=settings.deciding, limits=settings.limits)


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
        (`margin`, `mapping`, `source` and the like) has to be given as it was to `plan()`.
    :param progress: Called also before and after each move, and every 10,000 values on the way.
    """
    settings = _settings(options, progress, source, source_schemas)
    stored = None if plan is None else _stored(plan, settings)
    with _open_sessions(conn, settings, writes=True) as sessions:
        started_at = sessions.session.started_at
        if stored is None:
            examination, findings = _look(sessions, settings, progress, _earlier(since), moves=True)
            due = [Outcome(before=finding, after=finding) for finding in findings if finding.move is not None]
        else:
            examination, due = _measured_again(sessions, settings, stored, progress, _earlier(since))
            findings = [outcome.before for outcome in due]
        server = examination.server
        if server.in_recovery:
            raise ArgumentError("this is a standby, which is read-only", remedy="repair on the primary")
        rounds = ROUNDS if stored is None else 1
        done = {
            outcome.before.sequence.oid: outcome
            for outcome in apply(sessions, due, examination.check_again, rounds=rounds, watcher=progress)
        }
        # Of the others some may have changed while these were moved.
        changed = examination.changed(
            f for f in findings if f.sequence.oid not in done and f.verdict is not Verdict.SKIPPED
        )
        rows = tuple(
            Row(finding=done[finding.sequence.oid].after, outcome=done[finding.sequence.oid])
            if finding.sequence.oid in done
            else Row(finding=changed.get(finding.sequence.oid, finding))
            for finding in findings
        )
        report = replace(
            _report(examination, settings, started_at, rows, is_whole=stored is None),
            standbys_confirmed=_await_standbys(sessions, server, rows),
        )
        _unless_lost(sessions, report, f"{report.summary['verified']} were moved and verified")
        if stored is None:
            refuse_nothing(report, settings)
        return report


def suggest(conn: Connectable, **options: Unpack[Options]) -> Suggestions:
    """Suggest columns for sequences that no default names, with evidence for each.

    No suggestion is applied: review `mapping` of the result, and pass it to `check()` and
    `fix()`. Reads only; parameters and errors as `check()`, and a database without such a sequence is in order.
    """
    settings = Settings.parse(options)
    with _open_sessions(conn, settings) as sessions:
        return run_suggest(sessions, settings)


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
        with _open_sessions(conn, Settings.parse(options), writes=True) as sessions:
            named = locate(sessions.session, named)
    report = fix(conn, progress=progress, **selection(named, column, sequence), **options)
    if raises:
        report.raise_for_failing()
    return report


def _earlier(since: Iterable[Report | Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    return [report.to_dict() if isinstance(report, Report) else report for report in since]


def _settings(
    options: Options,
    progress: Watcher | None,
    source: SourceLike | None,
    source_schemas: Mapping[str, str] | None,
) -> Settings:
    if progress is not None and not callable(progress):
        raise ArgumentTypeError(f"progress={progress!r}: give a function that takes a Progress")
    settings = Settings.parse(options)
    if source is None:
        if source_schemas:
            raise ArgumentError("there is no source", option="source_schemas", remedy="give source as well")
        return settings
    # One limit for both sides.
    deadline = time.monotonic() + settings.limits.run_timeout
    read = read_source(source, source_schemas or {}, settings, deadline)
    return replace(settings, source=read, deadline=deadline)


def _report(
    examination: Examination,
    settings: Settings,
    started_at: datetime.datetime,
    rows: tuple[Row, ...],
    *,
    is_whole: bool = True,
) -> Report:
    return Report(
        server=examination.server,
        policy=settings.policy,
        started_at=started_at,
        rows=rows,
        is_whole=is_whole and settings.selection.is_everything,
        source=settings.source,
        only_at_source=examination.only_at_source,
    )


def _open_sessions(conn: Connectable, settings: Settings, *, writes: bool = False) -> AbstractContextManager[Sessions]:
    return open_sessions(
        conn,
        settings.limits,
        application_name=settings.application_name,
        jobs=settings.jobs,
        writes=writes,
        foreign=settings.policy.foreign,
        deadline=settings.deadline,
    )


def _await_standbys(sessions: Sessions, server: Server, rows: Iterable[Row]) -> bool | None:
    """Wait for the synchronous standbys where this role's own commits would, and something was moved."""
    moved = any(row.outcome is not None and row.outcome.way is not None for row in rows)
    return sessions.session.await_standbys() if moved and server.waits_for_standbys else None


def _check(
    conn: Connectable, settings: Settings, progress: Watcher | None, since: Iterable[Mapping[str, Any]] = ()
) -> Report:
    with _open_sessions(conn, settings) as sessions:
        started_at = sessions.session.started_at
        examination, findings = _look(sessions, settings, progress, since)
        rows = tuple(Row(finding=finding) for finding in findings)
        report = _report(examination, settings, started_at, rows)
        _unless_lost(sessions, report, f"{sum(row.obstacle is None for row in rows)} were read")
        refuse_nothing(report, settings)
        return report


def _look(
    sessions: Sessions,
    settings: Settings,
    watcher: Watcher | None,
    since: Iterable[Mapping[str, Any]] = (),
    **how: Any,
) -> tuple[Examination, list[Finding]]:
    """Find out how each sequence stands; over another connection where the catalogs could not be read over this."""
    try:
        examination = Examination(sessions, settings, watcher, since)
        return examination, examination.check(**how)
    except ConnectionFailedError:
        if not sessions.renew():
            raise
        examination = Examination(sessions, settings, watcher, since)
        return examination, examination.check(**how)


def _unless_lost(sessions: Sessions, report: Report, done: str) -> Report:
    """Return a report that is whole; one that a lost connection cut short is in the error.

    :raises ConnectionFailedError: with that report.
    """
    left = sum(row.obstacle is not None and row.obstacle.sqlstate == LOST for row in report.rows)
    if not left:
        return report
    error = ConnectionFailedError(f"{sessions.lost_error}; of {len(report.rows)} sequences {done}, {left} were not")
    error.report = report
    raise error from sessions.lost_error


def _measured_again(
    sessions: Sessions,
    settings: Settings,
    stored: StoredPlan,
    progress: Watcher | None,
    since: Iterable[Mapping[str, Any]],
) -> tuple[Examination, list[Outcome]]:
    """Hold the moves of a stored plan against the present, in their order."""
    only = frozenset(move.sequence for move in stored.moves)
    examination, findings = _look(sessions, settings, progress, since, only=only)
    server = examination.server
    stored.refuse_other_database(server)
    present: dict[str, Finding] = {finding.sequence.qualified_name: finding for finding in findings}
    return examination, [check_move(move, present.get(move.sequence), settings.policy, server) for move in stored.moves]


def _stored(plan: Plan | Mapping[str, Any], settings: Settings) -> StoredPlan:
    if not settings.selection.is_everything:
        raise ArgumentError("a plan already says what to move", option="plan", remedy="leave the selection out")
    stored = StoredPlan.read(plan.to_dict() if isinstance(plan, Plan) else plan)
    stored.refuse_other_options(settings.deciding)
    return stored
