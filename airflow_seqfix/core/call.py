"""One call of the library: what was asked for, and the steps that `check()`, `plan()` and `fix()` share."""

from __future__ import annotations

import datetime
import time
from collections import Counter
from collections.abc import Iterable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from typing import Any

from airflow_seqfix.core.database.connection import Connectable
from airflow_seqfix.core.database.sessions import Sessions, open_sessions
from airflow_seqfix.core.errors import ArgumentError, ArgumentTypeError, ConnectionFailedError, NothingCheckedError
from airflow_seqfix.core.model import Finding, Outcome, Server
from airflow_seqfix.core.policy import Policy
from airflow_seqfix.core.progress import Watcher
from airflow_seqfix.core.repair.apply import ROUNDS, apply, looked_at, settled
from airflow_seqfix.core.repair.plan import StoredMove, StoredPlan, check_move
from airflow_seqfix.core.report import REPORT_VERSION, Plan, Report
from airflow_seqfix.core.row import Row
from airflow_seqfix.core.run import Examination
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
        return cls(conn=conn, settings=settings, watcher=progress, since=_reports(since))

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

    def look_again(
        self, sessions: Sessions, stored: StoredPlan, **how: Any
    ) -> tuple[Examination, list[Outcome], list[Finding]]:
        """Hold the moves of a stored plan against the present, in their order; and look at what it leaves.

        :param how: As `Examination.check()` takes it.
        """
        names = frozenset([*(move.sequence for move in stored.moves), *stored.left])
        examination, findings = self.look(sessions, only=names, **how)
        server = examination.server
        stored.refuse_other_database(server)
        present: dict[str, Finding] = {finding.sequence.qualified_name: finding for finding in findings}
        policy = self.settings.policy
        due = [check_move(move, present.get(move.sequence), policy, server) for move in stored.moves]
        return examination, due, [replace(present[name], move=None) for name in stored.left if name in present]

    def repair(
        self,
        sessions: Sessions,
        examination: Examination,
        due: list[Outcome],
        left: list[Finding],
        stored: StoredPlan | None,
    ) -> tuple[dict[int, Outcome], list[Finding]]:
        """Make the moves; then look at the sequences whose reads were put off until after them, and move those.

        :param left: How those stand that are not due.
        :param stored: The plan that the moves are of, where no others are made.
        :return: What became of the moves, by OID; and how those stand that were not due.
        """

        def made(due: list[Outcome]) -> dict[int, Outcome]:
            rounds = ROUNDS if stored is None else 1
            outcomes = apply(sessions, due, examination.check_again, rounds=rounds, watcher=self.watcher)
            return {outcome.before.sequence.oid: outcome for outcome in outcomes}

        done = made(due)
        others = {finding.sequence.oid: finding for finding in left}
        moves = {} if stored is None else {move.sequence: move for move in stored.moves}
        policy, server = self.settings.policy, examination.server
        while late := examination.check_put_off([*(outcome.after for outcome in done.values()), *others.values()]):
            for oid, finding in late.items():
                if oid in done:
                    done[oid] = _late(done[oid], finding, moves, policy, server)
                elif stored is None and finding.move is not None:
                    del others[oid]
                    done[oid] = Outcome(before=finding, after=finding)
                else:
                    others[oid] = replace(finding, move=None)
            looked = [done[oid] for oid in late if oid in done]
            done |= made([outcome for outcome in looked if outcome.way is None and outcome.after.move is not None])
        return {oid: settled(outcome) for oid, outcome in done.items()}, list(others.values())

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


def _late(
    outcome: Outcome, finding: Finding, moves: Mapping[str, StoredMove], policy: Policy, server: Server
) -> Outcome:
    """Return the outcome of a move with a late look: at what was moved, or at a plan's sequence that was put off.

    :param moves: Those of a stored plan, by the name of the sequence.
    """
    name = outcome.before.sequence.qualified_name
    if name not in moves or outcome.way is not None:
        return looked_at(outcome, finding)
    # By another name it is not the plan's any more.
    is_same = finding.sequence.qualified_name == name
    return check_move(moves[name], finding if is_same else None, policy, server)


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


def refuse_nothing(report: Report, settings: Settings) -> None:
    """Refuse to pass a run that checked nothing.

    :raises NothingCheckedError: when no sequence was checked, and nobody has allowed that.
    """
    if report.summary["checked"] or settings.selection.allows_nothing():
        return
    where = f"database {report.server.where}"
    if not report.rows:
        what = "has no sequence" if settings.selection.is_everything else "has no sequence that is selected"
        raise NothingCheckedError(
            f"nothing was checked: {where} {what}",
            report,
            remedy="check whether it is the right one",
            allowed_by="allow_empty",
        )
    ((reason, count),) = Counter(row.reason for row in report.rows).most_common(1)
    raise NothingCheckedError(
        f"nothing was checked: all of the {len(report.rows):,} sequences selected in {where} were skipped, "
        f"{count:,} because {reason}",
        report,
        remedy="seqfix suggest says who may draw from them"
        if report.summary["undrawn"]
        else "leave out what cannot be compared, or map the columns whose values can",
        allowed_by="allow_empty",
    )


def _reports(since: Iterable[Report | Mapping[str, Any]]) -> tuple[Mapping[str, Any], ...]:
    """Return earlier reports as dictionaries.

    :raises ArgumentError: when they are none, or of another version.
    """
    if isinstance(since, Report | Mapping | str) or not isinstance(since, Iterable):
        raise ArgumentError("these are no reports", option="since", remedy="give a list of reports")
    reports = tuple(report.to_dict() if isinstance(report, Report) else report for report in since)
    for report in reports:
        version = report.get("report_version") if isinstance(report, Mapping) else None
        if type(version) is int and version != REPORT_VERSION:
            raise ArgumentError(f"the report is of version {version}, not {REPORT_VERSION}", option="since")
    return reports
