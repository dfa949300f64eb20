"""The library: find sequences that are behind their data, and move them forward.

Everything here works on a connection of psycopg 3 or psycopg2 and knows nothing of Airflow.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Unpack

from airflow_seqfix.core.catalog import Server, discover, identify, list_tables
from airflow_seqfix.core.errors import (
    ArgumentError,
    ConnectionFailedError,
    LockTimeoutError,
    SelectionError,
    SeqfixError,
    UnsupportedServerError,
)
from airflow_seqfix.core.judge import Caution, Finding, Verdict, judge, judge_unread
from airflow_seqfix.core.measure import measure
from airflow_seqfix.core.options import Options, Settings
from airflow_seqfix.core.policy import Lock, Policy
from airflow_seqfix.core.repair import Outcome, apply
from airflow_seqfix.core.report import Plan, Report, Row
from airflow_seqfix.core.session import Connectable, Connection, Session, borrow
from airflow_seqfix.core.ways import Way

__all__ = [
    "ArgumentError",
    "Caution",
    "Connectable",
    "Connection",
    "ConnectionFailedError",
    "Finding",
    "Lock",
    "LockTimeoutError",
    "Options",
    "Outcome",
    "Plan",
    "Policy",
    "Report",
    "Row",
    "SelectionError",
    "SeqfixError",
    "UnsupportedServerError",
    "Verdict",
    "Way",
    "check",
    "fix",
    "fix_sequence",
    "plan",
]


def check(conn: Connectable, **options: Unpack[Options]) -> Report:
    """Find out how each sequence stands. Reads only: every transaction is READ ONLY.

    :param conn: An open connection of psycopg 3 or psycopg2 outside a transaction, or a callable that opens one.
    :raises ArgumentError: when an option cannot be meant, or a name matches nothing (`SelectionError`).
    :raises ConnectionFailedError: when the connection cannot be opened, or is lost.
    :raises UnsupportedServerError: when the server is no PostgreSQL of version 13 or later.
    """
    settings = Settings.parse(options)
    with borrow(conn, settings.limits, application_name=settings.application_name) as session:
        server, findings = _examine(session, settings)
    return _report(server, settings, session, findings, [])


def plan(conn: Connectable, **options: Unpack[Options]) -> Plan:
    """Find out what `fix()` would move, where to and in which way. Reads only; parameters and errors as `check()`."""
    return Plan(report=check(conn, **options))


def fix(conn: Connectable, *, progress: Callable[[str], None] | None = None, **options: Unpack[Options]) -> Report:
    """Move every sequence that is behind forward, and verify each in a new transaction.

    Nothing is written where nothing is behind, and no sequence ever goes back. One that cannot be moved is reported
    and does not stop the others. Parameters and errors as `check()`, and:

    :param progress: Called with the name of each sequence before it is moved.
    """
    settings = Settings.parse(options)
    with borrow(conn, settings.limits, application_name=settings.application_name) as session:
        server, findings = _examine(session, settings)
        if server.in_recovery:
            raise ArgumentError("this is a standby, which is read-only: repair on the primary")
        behind = [finding for finding in findings if finding.setval is not None]
        tell = None if progress is None else (lambda setval: progress(setval.sequence.qualified_name))
        outcomes = apply(session, server, behind, settings.policy, tell)
    return _report(server, settings, session, findings, outcomes)


def fix_sequence(
    conn: Connectable,
    table: str,
    column: str | None = None,
    sequence: str | None = None,
    **options: Unpack[Options],
) -> Report:
    """Repair what feeds one table, for seeders and tests. Parameters and errors as `fix()`, and:

    :param table: The table as written in SQL: `users`, `app.users`, `"Users"`.
    :param column: One of its columns; None: all that draw from a sequence.
    :param sequence: The sequence; None: all that feed the table.
    """
    options["tables"] = [table]
    if column is not None:
        options["columns"] = [f"{table}.{column}"]
    if sequence is not None:
        options["sequences"] = [sequence]
    return fix(conn, **options)


def _examine(session: Session, settings: Settings) -> tuple[Server, list[Finding]]:
    """Discover, select, measure and judge."""
    server = identify(session)
    selected = settings.selection.apply(discover(session), lambda: list_tables(session))
    findings: dict[int, Finding] = {}
    for sequence in selected.sequences:
        finding = judge_unread(sequence, excluded=sequence.oid in selected.excluded)
        if finding is not None:
            findings[sequence.oid] = finding
    unread = [sequence for sequence in selected.sequences if sequence.oid not in findings]
    for measurement in measure(session, server, unread, on_steps=settings.policy.interleaved):
        findings[measurement.sequence.oid] = judge(measurement, settings.policy, server)
    if not settings.selection.allow_skipped:
        _refuse_skipped([findings[oid] for oid in selected.named if oid not in selected.excluded])
    return server, [findings[sequence.oid] for sequence in selected.sequences]


def _refuse_skipped(named: list[Finding]) -> None:
    """A table that somebody names, and that then is not looked at, must not pass for one that is fine."""
    skipped = [finding for finding in named if finding.verdict is Verdict.SKIPPED]
    if skipped:
        what = "; ".join(f"{finding.sequence.qualified_name}: {finding.reason}" for finding in skipped)
        raise SelectionError(f"named, but not checkable ({what}): leave it out, or set allow_skipped")


def _report(
    server: Server, settings: Settings, session: Session, findings: list[Finding], outcomes: list[Outcome]
) -> Report:
    done = {outcome.before.sequence.oid: outcome for outcome in outcomes}
    rows = []
    for finding in findings:
        outcome = done.get(finding.sequence.oid)
        rows.append(Row(finding=outcome.after if outcome else finding, outcome=outcome))
    return Report(server=server, policy=settings.policy, started_at=session.started_at, rows=tuple(rows))
