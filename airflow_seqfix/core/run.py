"""From a session to findings: discover, select, measure, judge, and check that nothing has changed."""

from __future__ import annotations

import contextlib
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import replace
from itertools import chain
from typing import Any

from airflow_seqfix.core.database.sessions import Sessions
from airflow_seqfix.core.discover.catalog import discover, identify, list_tables
from airflow_seqfix.core.discover.extract import with_extracts
from airflow_seqfix.core.discover.mapping import narrow, refuse_incomparable, resolve_mapping
from airflow_seqfix.core.discover.selection import Selected
from airflow_seqfix.core.errors import (
    ArgumentError,
    CatalogError,
    ConnectionFailedError,
    DeadlineError,
    NothingCheckedError,
    SelectionError,
    sqlstate,
)
from airflow_seqfix.core.judge.arithmetic import values_left
from airflow_seqfix.core.judge.goal import looks
from airflow_seqfix.core.judge.history import earlier_of, read_history, use_of
from airflow_seqfix.core.judge.unread import judge_unread
from airflow_seqfix.core.judge.verdict import judge
from airflow_seqfix.core.measure.measure import measure
from airflow_seqfix.core.measure.positions import positions
from airflow_seqfix.core.measure.validation import READS, Versions, versions
from airflow_seqfix.core.measure.writers import Writers, open_writers, wait_for_writers
from airflow_seqfix.core.model import Finding, Measurement, Position, SequenceInfo, SourcePosition, Use, Verdict
from airflow_seqfix.core.obstacles import ended, has_vanished, restless, unconfirmed
from airflow_seqfix.core.progress import Progress, ProgressReporter, Watcher
from airflow_seqfix.core.report import Report
from airflow_seqfix.core.settings import Settings
from airflow_seqfix.core.source import refuse_unrelated

#: How often the catalogs are read where what an entry refers to has vanished meanwhile: "cache lookup failed for …",
#: which the functions that print expressions and types raise, for they do not go by the query's snapshot.
DISCOVERIES = 10
VANISHED = "XX000"

Select = Callable[[list[SequenceInfo]], Selected]


class Examination:
    """The sequences of a database as the catalogs describe them at one moment, and their findings.

    The catalogs can change at any time. So their versions are read before the catalogs and again after the values
    are, as a seqlock's reader does; what has changed in between is discovered and read again.
    """

    def __init__(
        self,
        sessions: Sessions,
        settings: Settings,
        watcher: Watcher | None = None,
        since: Iterable[Mapping[str, Any]] = (),
    ) -> None:
        self._sessions = sessions
        self._source = settings.source
        self._settings = settings
        self._watcher = watcher
        self._writers: Writers = {}
        #: What `_known` is about, where names say it; None: all sequences. A mapping, a range or another side has names
        #: of its own, which may be ambiguous.
        self._places = None if settings.mapping or settings.id_range or settings.source else settings.selection.places
        #: The versions of the catalogs that `_known` rests on; None: it is to be discovered anew.
        self._versions: Versions | None = None
        with catalogs_read(settings):
            self.server = identify(sessions.session)
        #: Where each sequence was found, by OID, before this run moved it.
        self._seen: dict[int, int] = {}
        self._history = read_history(since, self.server.database)
        self._discover()
        if self._source is not None:
            # Once: what is altered later must not end a run that has begun to move.
            refuse_unrelated(self._source, self.server, self._known)

    def check(self, only: Collection[str] | None = None, *, moves: bool = False) -> list[Finding]:
        """Return the finding for each selected sequence.

        :param only: Qualified names; None: what the settings select.
        :param moves: Whether moves follow at once, so that the first collision of those is not needed.
        :raises SelectionError: when the selection names something missing or not checkable, or selects nothing.
        """
        select = self._selected if only is None else _chosen(lambda sequence: sequence.qualified_name in only)
        with catalogs_read(self._settings):
            self._look_for_writers(select(self._known), wait=True)
        return self._check(select, all_named=only is not None, for_repair=moves)

    @property
    def only_at_source(self) -> tuple[str, ...]:
        """The sequences that only the other side of a cutover has."""
        return () if self._source is None else self._source.only_there(self._known)

    def check_again(self, oids: Collection[int]) -> dict[int, Finding]:
        """Return how sequences stand now, by OID; one that is no longer there is left out."""
        findings = self._check(_chosen(lambda sequence: sequence.oid in oids), all_named=True, for_repair=False)
        return {finding.sequence.oid: finding for finding in findings}

    def changed(self, findings: Iterable[Finding]) -> dict[int, Finding]:
        """Return how those stand now, by OID, that have changed in the catalogs since they were read."""
        known = {sequence.oid: sequence for sequence in self._known}
        read = {finding.sequence.oid: finding.sequence for finding in findings}
        oids = {oid for oid, sequence in read.items() if known.get(oid, sequence) != sequence}
        return self.check_again(oids) if oids else {}

    def _check(self, select: Select, *, all_named: bool, for_repair: bool) -> list[Finding]:
        findings: dict[int, Finding] = {}
        selected = select(self._known)
        unread = selected.sequences
        obstacle = restless()
        for _ in range(READS):
            for finding in self._read(unread, selected, all_named=all_named, for_repair=for_repair):
                findings[finding.sequence.oid] = finding
            try:
                vanished = {oid for oid, finding in findings.items() if has_vanished(finding.measurement.obstacle)}
                if self._is_unchanged() and not vanished:
                    unread = []
                    break
                self._discover()
                selected = select(self._known)
                settled = {oid: finding.sequence for oid, finding in findings.items() if oid not in vanished}
                unread = [s for s in selected.sequences if settled.get(s.oid) != s]
                if not unread:
                    break
                obstacle = restless()
            except (CatalogError, ConnectionFailedError, DeadlineError) as error:
                # Nothing that was read is confirmed.
                unread, self._versions = selected.sequences, None
                obstacle = unconfirmed(error, self._settings.limits)
                if not (isinstance(error, ConnectionFailedError) and self._sessions.renew()):
                    break
        for sequence in unread:
            unsettled = self._judge(Measurement(sequence=sequence, obstacle=obstacle))
            found = findings.get(sequence.oid)
            obstructed = None if found is None else found.measurement.obstacle
            if obstructed is None or has_vanished(obstructed):
                findings[sequence.oid] = self._judge_unread(sequence, selected, all_named) or unsettled
        if not self._settings.selection.allow_skipped:
            _refuse_skipped([findings[oid] for oid in selected.named if oid not in selected.excluded])
        return [findings[sequence.oid] for sequence in selected.sequences]

    def _discover(self) -> None:
        settings = self._settings
        if self._watcher is not None:
            self._watcher(Progress(phase="discover", total=0))
        with catalogs_read(settings):
            seen, known = self._discovered()
        refuse_incomparable(known)
        # Together: versions beside what was known before would confirm it.
        self._versions, self._known = seen, narrow(known, settings.id_range, settings.mapping)

    def _discovered(self) -> tuple[Versions, list[SequenceInfo]]:
        """Return the versions of the catalogs, and after them what the catalogs say."""
        session, mapping = self._sessions.session, self._settings.mapping
        own_code_only = self._settings.policy.own_code_only
        for attempt in range(1, DISCOVERIES + 1):
            try:
                seen = versions(session)
                known = discover(session, own_code_only=own_code_only, places=self._places)
                if mapping:
                    ties = resolve_mapping(mapping, known, list_tables(session))
                    known = with_extracts(discover(session, ties, own_code_only=own_code_only), ties)
                return seen, known
            except Exception as error:
                if sqlstate(error) != VANISHED or attempt == DISCOVERIES:
                    raise
        raise AssertionError("unreachable")

    def _is_unchanged(self) -> bool:
        with catalogs_read(self._settings):
            return versions(self._sessions.session) == self._versions

    def _selected(self, known: list[SequenceInfo]) -> Selected:
        selection = self._settings.selection
        if self._places is not None and not selection.finds_all(known):
            # All that there is may be what was meant.
            self._places = None
            self._discover()
            known = self._known
        with catalogs_read(self._settings):
            return selection.apply(known, lambda: list_tables(self._sessions.session))

    def _look_for_writers(self, selected: Selected, *, wait: bool) -> None:
        """Find the open writers before the values are read, so that the rows of those that end in between are seen."""
        tables = frozenset(column.table_oid for sequence in selected.sequences for column in sequence.comparable)
        seconds = self._settings.limits.wait_for_writers
        session = self._sessions.session
        if seconds and self.server.in_recovery:
            raise ArgumentError(
                "a standby does not see who writes on the primary",
                option="wait_for_writers",
                remedy="leave it out, or check there",
            )
        self._writers = wait_for_writers(session, tables, seconds) if seconds else open_writers(session, tables)

    def _read(
        self, sequences: list[SequenceInfo], selected: Selected, *, all_named: bool, for_repair: bool
    ) -> Iterator[Finding]:
        policy = self._settings.policy
        findings: list[Finding] = []
        unread: list[SequenceInfo] = []
        for sequence in sequences:
            finding = self._judge_unread(sequence, selected, all_named)
            if finding is None:
                unread.append(sequence)
            else:
                findings.append(finding)
        reporter = ProgressReporter(self._watcher, Progress(phase="read", total=len(sequences)))
        reporter.end(done=len(findings), found=sum(finding.is_not_in_sync for finding in findings))
        if self._settings.all_positions:
            findings = self._with_positions(findings)
        yield from findings
        early: set[int] = set()

        def hold_back(measurements: list[Measurement]) -> None:
            found = {m.sequence.oid for m in measurements if self._judge(m).is_not_in_sync} if self._watcher else set()
            early.update(found)
            reporter.find(len(found))

        for chunk in chain(
            measure(
                self._sessions,
                self.server,
                [sequence for sequence in unread if sequence.comparable],
                on_steps=policy.interleaved,
                looks=looks(policy, for_repair=for_repair),
                begin=reporter.begin,
                hold_back=hold_back,
            ),
            # Nothing but the other side of a cutover says how far these have to go.
            positions(self._sessions, self.server, [sequence for sequence in unread if not sequence.comparable]),
        ):
            judged = [self._judge(measurement) for measurement in chunk]
            found = sum(finding.is_not_in_sync - (finding.sequence.oid in early) for finding in judged)
            reporter.end(done=len(judged), found=found)
            yield from judged

    def _with_positions(self, findings: list[Finding]) -> list[Finding]:
        """Add where sequences stand that need no reading, for a report that serves as the source of another run."""
        read = positions(self._sessions, self.server, [finding.sequence for finding in findings])
        known = {measurement.sequence.oid: measurement for chunk in read for measurement in chunk}
        return [
            replace(finding, measurement=replace(known[finding.sequence.oid], source=finding.measurement.source))
            for finding in findings
        ]

    def _judge_unread(self, sequence: SequenceInfo, selected: Selected, all_named: bool) -> Finding | None:
        return judge_unread(
            sequence,
            self._settings.policy,
            excluded=sequence.oid in selected.excluded,
            named=all_named or sequence.oid in selected.named,
            source=self._position_of(sequence),
        )

    def _position_of(self, sequence: SequenceInfo) -> SourcePosition | None:
        return None if self._source is None else self._source.position_of(sequence)

    def _judge(self, measurement: Measurement) -> Finding:
        tables = (column.table_oid for column in measurement.sequence.comparable)
        transactions = {transaction for table in tables for transaction in self._writers.get(table, ())}
        if transactions:
            measurement = replace(measurement, open_writers=len(transactions))
        if self._source is not None:
            measurement = replace(measurement, source=self._position_of(measurement.sequence))
        return judge(measurement, self._settings.policy, self.server, self._use(measurement))

    def _use(self, measurement: Measurement) -> Use | None:
        """Return how fast a sequence is used, where earlier reports know of it."""
        sequence, next_value = measurement.sequence, measurement.next_value
        if next_value is None or sequence.qualified_name not in self._history:
            return None
        first = self._seen.setdefault(sequence.oid, next_value)
        now = Position(
            at=self._sessions.session.started_at,
            next_value=next_value,
            remaining=values_left(sequence, next_value),
            moved_from=None if first == next_value else first,
            oid=sequence.oid,
            increment_by=sequence.increment_by,
        )
        return use_of([*earlier_of(self._history, sequence.qualified_name, now), now], sequence.increment_by)


def _chosen(is_meant: Callable[[SequenceInfo], bool]) -> Select:
    return lambda known: Selected(
        sequences=[sequence for sequence in known if is_meant(sequence)], excluded=frozenset(), named=frozenset()
    )


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
        remedy="seqfix suggest says who may draw from them",
        allowed_by="allow_empty",
    )


@contextlib.contextmanager
def catalogs_read(settings: Settings) -> Iterator[None]:
    """Name the cause of a failed read that all sequences need."""
    try:
        yield
    except Exception as error:
        if sqlstate(error) is None:
            raise
        reason, remedy = ended("read", error, settings.limits)
        raise CatalogError(f"the catalogs could not be read: {reason} ({sqlstate(error)})", remedy=remedy) from error


def _refuse_skipped(named: list[Finding]) -> None:
    """A named table that is not checked must not pass for a healthy one."""
    skipped = [finding for finding in named if finding.verdict is Verdict.SKIPPED]
    if skipped:
        what = "; ".join(f"{finding.sequence.qualified_name}: {finding.reason}" for finding in skipped)
        raise SelectionError(f"named, but not checkable ({what})", remedy="leave it out", allowed_by="allow_skipped")
