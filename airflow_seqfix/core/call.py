"""One call of the library: what was asked for, and the steps that `check()`, `plan()` and `fix()` share."""

from __future__ import annotations

import datetime
import time
from collections.abc import Iterable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from typing import Any

from airflow_seqfix.core.database.connection import Connectable
from airflow_seqfix.core.database.sessions import Sessions, open_sessions
from airflow_seqfix.core.errors import ArgumentError, ArgumentTypeError, ConnectionFailedError
from airflow_seqfix.core.model import Finding, Outcome, Server
from airflow_seqfix.core.progress import Watcher
from airflow_seqfix.core.repair.plan import StoredPlan, check_move
from airflow_seqfix.core.report import Plan, Report
from airflow_seqfix.core.row import Row
from airflow_seqfix.core.run import Examination, refuse_nothing
from airflow_seqfix.core.settings import Settings
from airflow_seqfix.core.source import SourceLike, read_source
from airflow_seqfix.options import Options


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """What was asked for."""

    conn: Connectable
    settings: Settings
    watcher: Watcher | None = None
    #: Earlier reports of the same database.
    since: tuple[Mapping[str, Any], ...] = ()

    @classmethod
    def read(
        cls,
        conn: Connectable,
        options: Options,
        progress: Watcher | None,
        source: SourceLike | None,
        source_schemas: Mapping[str, str] | None,
        since: Iterable[Report | Mapping[str, Any]],
    ) -> Call:
        """Validate the arguments, and read the source.

        :raises ArgumentError: when one is invalid.
        """
        if progress is not None and not callable(progress):
            raise ArgumentTypeError(f"progress={progress!r}: give a function that takes a Progress")
        settings = Settings.parse(options)
        if source is not None:
            # One limit for both sides.
            deadline = time.monotonic() + settings.limits.run_timeout
            read = read_source(source, source_schemas or {}, settings, deadline)
            settings = replace(settings, source=read, deadline=deadline)
        elif source_schemas:
            raise ArgumentError("there is no source", option="source_schemas", remedy="give source as well")
        earlier = tuple(report.to_dict() if isinstance(report, Report) else report for report in since)
        return cls(conn=conn, settings=settings, watcher=progress, since=earlier)

    def stored(self, plan: Plan | Mapping[str, Any]) -> StoredPlan:
        """Return a plan that was made before.

        :raises ArgumentError: when it is none, or was made with other options.
        """
        if not self.settings.selection.is_everything:
            raise ArgumentError("a plan already says what to move", option="plan", remedy="leave the selection out")
        stored = StoredPlan.read(plan.to_dict() if isinstance(plan, Plan) else plan)
        stored.refuse_other_options(self.settings.deciding)
        return stored

    def opened(self, *, writes: bool = False) -> AbstractContextManager[Sessions]:
        """Open or borrow the connections."""
        settings = self.settings
        return open_sessions(
            self.conn,
            settings.limits,
            application_name=settings.application_name,
            jobs=settings.jobs,
            writes=writes,
            foreign=settings.policy.foreign,
            deadline=settings.deadline,
        )

    def check(self) -> Report:
        """Check every sequence."""
        with self.opened() as sessions:
            started_at = sessions.session.started_at
            examination, findings = self.look(sessions)
            report = self.report(examination, started_at, tuple(Row(finding=finding) for finding in findings))
            refuse_lost(sessions, report, f"{sum(row.obstacle is None for row in report.rows)} were read")
            refuse_nothing(report, self.settings)
            return report

    def look(self, sessions: Sessions, **how: Any) -> tuple[Examination, list[Finding]]:
        """Find out how each sequence stands; over another connection where the catalogs could not be read over this.

        :param how: As `Examination.check()` takes it.
        """
        try:
            examination = Examination(sessions, self.settings, self.watcher, self.since)
            return examination, examination.check(**how)
        except ConnectionFailedError:
            if not sessions.renew():
                raise
            examination = Examination(sessions, self.settings, self.watcher, self.since)
            return examination, examination.check(**how)

    def look_again(self, sessions: Sessions, stored: StoredPlan) -> tuple[Examination, list[Outcome], list[Finding]]:
        """Hold the moves of a stored plan against the present, in their order; and look at what it leaves."""
        names = frozenset([*(move.sequence for move in stored.moves), *stored.left])
        examination, findings = self.look(sessions, only=names)
        server = examination.server
        stored.refuse_other_database(server)
        present: dict[str, Finding] = {finding.sequence.qualified_name: finding for finding in findings}
        policy = self.settings.policy
        due = [check_move(move, present.get(move.sequence), policy, server) for move in stored.moves]
        return examination, due, [replace(present[name], move=None) for name in stored.left if name in present]

    def report(
        self, examination: Examination, started_at: datetime.datetime, rows: tuple[Row, ...], *, is_whole: bool = True
    ) -> Report:
        """Return the rows as a report.

        :param is_whole: Whether they are all that the selection leaves.
        """
        return Report(
            server=examination.server,
            policy=self.settings.policy,
            started_at=started_at,
            rows=rows,
            is_whole=is_whole and self.settings.selection.is_everything,
            source=self.settings.source,
            only_at_source=examination.only_at_source,
        )


def await_standbys(sessions: Sessions, server: Server, rows: Iterable[Row]) -> bool | None:
    """Wait for the synchronous standbys where this role's own commits would, and something was moved."""
    moved = any(row.outcome is not None and row.outcome.way is not None for row in rows)
    return sessions.session.await_standbys() if moved and server.waits_for_standbys else None


def refuse_lost(sessions: Sessions, report: Report, done: str) -> None:
    """Refuse a report that a lost connection has cut short.

    :param done: What was done before.
    :raises ConnectionFailedError: with that report.
    """
    left = sum(row.obstacle is not None and row.obstacle.is_lost for row in report.rows)
    if left:
        error = ConnectionFailedError(f"{sessions.lost_error}; of {len(report.rows)} sequences {done}, {left} were not")
        error.report = report
        raise error from sessions.lost_error
