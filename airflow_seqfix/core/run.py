"""The way from a session to findings: discover, select, measure, judge."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import replace

from airflow_seqfix.core.database.sessions import Sessions
from airflow_seqfix.core.discover.catalog import discover, identify, list_tables
from airflow_seqfix.core.discover.mapping import narrow, refuse_incomparable, resolve_mapping
from airflow_seqfix.core.discover.selection import Selected
from airflow_seqfix.core.errors import CatalogError, SelectionError, sqlstate
from airflow_seqfix.core.judge.verdict import judge, judge_unread
from airflow_seqfix.core.measure.measure import measure
from airflow_seqfix.core.measure.writers import open_writers, wait_for_writers
from airflow_seqfix.core.model import Finding, SequenceInfo, Server, Verdict
from airflow_seqfix.core.obstacles import ended
from airflow_seqfix.core.progress import Progress, ProgressReporter, Watcher
from airflow_seqfix.core.settings import Settings


def run_check(
    sessions: Sessions,
    settings: Settings,
    *,
    only: frozenset[str] | None = None,
    moves: bool = False,
    watcher: Watcher | None = None,
) -> tuple[Server, list[Finding]]:
    """Return what is to be said of each sequence that is selected.

    :param only: Qualified names; None: what the settings select.
    :param moves: Whether all that can be moved is moved right away, so that nobody asks when it would have collided.
    :raises SelectionError: when the selection names something that is not there or not checkable, or selects nothing.
    """
    session = sessions.session
    with _catalogs(settings):
        server = identify(session)
        known = discover(session)
        if settings.mapping:
            known = discover(session, resolve_mapping(settings.mapping, known, list_tables(session)))
    refuse_incomparable(known)
    known = narrow(known, settings.id_range)
    if only is None:
        with _catalogs(settings):
            selected = settings.selection.apply(known, lambda: list_tables(session))
    else:
        chosen = [sequence for sequence in known if sequence.qualified_name in only]
        selected = Selected(sequences=chosen, excluded=frozenset(), named=frozenset())
    findings: dict[int, Finding] = {}
    for sequence in selected.sequences:
        finding = judge_unread(
            sequence,
            settings.policy,
            excluded=sequence.oid in selected.excluded,
            named=only is not None or sequence.oid in selected.named,
        )
        if finding is not None:
            findings[sequence.oid] = finding
    unread = [sequence for sequence in selected.sequences if sequence.oid not in findings]
    reporter = ProgressReporter(watcher, Progress(phase="read", total=len(selected.sequences)))
    reporter.end(done=len(findings), found=sum(finding.is_not_in_sync for finding in findings.values()))
    for finding in _read(sessions, server, unread, settings, reporter, moves=moves):
        findings[finding.sequence.oid] = finding
    if not settings.selection.allow_skipped:
        _refuse_skipped([findings[oid] for oid in selected.named if oid not in selected.excluded])
    return server, [findings[sequence.oid] for sequence in selected.sequences]


@contextlib.contextmanager
def _catalogs(settings: Settings) -> Iterator[None]:
    """Tell what ended a read that all sequences need."""
    try:
        yield
    except Exception as error:
        if sqlstate(error) is None:
            raise
        reason, remedy = ended("read", error, settings.limits)
        raise CatalogError(f"the catalogs could not be read: {reason} ({sqlstate(error)})", remedy=remedy) from error


def _read(
    sessions: Sessions,
    server: Server,
    sequences: list[SequenceInfo],
    settings: Settings,
    reporter: ProgressReporter,
    *,
    moves: bool,
) -> list[Finding]:
    tables = frozenset(column.table_oid for sequence in sequences for column in sequence.comparable)
    # Before the values: who ends in between has been seen.
    with _catalogs(settings):
        if settings.limits.wait_for_writers:
            writers = wait_for_writers(sessions.session, tables, settings.limits.wait_for_writers)
        else:
            writers = open_writers(sessions.session, tables)
    findings = []
    policy = settings.policy
    for chunk in measure(
        sessions,
        server,
        sequences,
        on_steps=policy.interleaved,
        max_jump=policy.max_jump,
        only_outliers=moves,
        begin=reporter.begin,
    ):
        judged = []
        for measurement in chunk:
            transactions = {t for column in measurement.sequence.comparable for t in writers.get(column.table_oid, ())}
            if transactions:
                measurement = replace(measurement, open_writers=len(transactions))
            judged.append(judge(measurement, policy, server))
        reporter.end(done=len(judged), found=sum(finding.is_not_in_sync for finding in judged))
        findings += judged
    return findings


def _refuse_skipped(named: list[Finding]) -> None:
    """A table that somebody names, and that then is not looked at, must not pass for one that is fine."""
    skipped = [finding for finding in named if finding.verdict is Verdict.SKIPPED]
    if skipped:
        what = "; ".join(f"{finding.sequence.qualified_name}: {finding.reason}" for finding in skipped)
        raise SelectionError(f"named, but not checkable ({what})", remedy="leave it out", allowed_by="allow_skipped")
