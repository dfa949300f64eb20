"""From a session to findings: discover, select, measure, judge, and check that nothing has changed."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import replace
from functools import partial
from typing import Any

from airflow_seqfix.core.database.sessions import Sessions
from airflow_seqfix.core.discover.catalog import identify
from airflow_seqfix.core.discover.selection import Selected
from airflow_seqfix.core.discovery import Discovery, catalogs_read
from airflow_seqfix.core.errors import (
    ArgumentError,
    CatalogError,
    ConnectionFailedError,
    DeadlineError,
    SelectionError,
)
from airflow_seqfix.core.judge.arithmetic import values_left
from airflow_seqfix.core.judge.history import earlier_of, read_history, use_of
from airflow_seqfix.core.judge.looks import looks
from airflow_seqfix.core.judge.unread import judge_unread
from airflow_seqfix.core.judge.verdict import judge
from airflow_seqfix.core.measure.measure import measure
from airflow_seqfix.core.measure.patience import Patience
from airflow_seqfix.core.measure.positions import positions
from airflow_seqfix.core.measure.validation import READS
from airflow_seqfix.core.measure.writers import Writers, open_writers, wait_for_writers
from airflow_seqfix.core.model import Finding, Measurement, Position, SequenceInfo, SourcePosition, Use, Verdict
from airflow_seqfix.core.obstacles import PUT_OFF, has_vanished, out_of_time, restless, unconfirmed
from airflow_seqfix.core.progress import Progress, ProgressReporter, Watcher
from airflow_seqfix.core.settings import Settings
from airflow_seqfix.core.source import refuse_unrelated

Select = Callable[[], Selected]


class Examination:
    """What a run finds out about the sequences of a database, before its moves and after them.

    What changes in the catalogs during a read is discovered and read again.
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
        self._patience = Patience(settings.limits)
        with catalogs_read(settings):
            self.server = identify(sessions.session)
        #: Where each sequence was found, by OID, before this run moved it.
        self._seen: dict[int, int] = {}
        #: And where those stood that hand out into the same columns.
        self._twins: dict[int, tuple[int | None, ...]] = {}
        self._history = read_history(since, self.server.database)
        self._discovery = Discovery(sessions, settings, watcher)
        if self._source is not None:
            # Once: what is altered later must not end a run that has begun to move.
            refuse_unrelated(self._source, self.server, self._discovery.sequences)

    def check(self, only: Collection[str] | None = None, *, moves: bool = False) -> list[Finding]:
        """Return the finding for each selected sequence.

        :param only: Qualified names; None: what the settings select.
        :param moves: Whether moves follow at once, so that the first collision of those is not needed; tables of owners
            whose reads are slow are then put off until after them.
        :raises SelectionError: when the selection names something missing or not checkable, or selects nothing.
        """
        discovery = self._discovery
        select = discovery.select
        if only is not None:
            select = partial(discovery.choose, lambda sequence: sequence.qualified_name in only)
        with catalogs_read(self._settings):
            self._look_for_writers(select())
        found = {f.sequence.oid: f for f in self._check(select, all_named=only is not None, for_repair=moves)}
        return list((found if moves else self._to_the_end(found)).values())

    @property
    def only_at_source(self) -> tuple[str, ...]:
        """The sequences that only the other side of a cutover has."""
        return () if self._source is None else self._source.only_there(self._discovery.sequences)

    def check_again(self, oids: Collection[int]) -> dict[int, Finding]:
        """Return how sequences stand now, by OID; one that is no longer there is left out."""
        select = partial(self._discovery.choose, lambda sequence: sequence.oid in oids)
        findings = self._check(select, all_named=True, for_repair=False)
        return {finding.sequence.oid: finding for finding in findings}

    def check_put_off(self, findings: Iterable[Finding]) -> dict[int, Finding]:
        """Return how those stand, by OID, whose reads were put off: some of them, and others are put off once more.

        What was found is confirmed. Nothing is returned when none is left, or no time.
        """
        put_off = {finding.sequence.oid: finding.sequence for finding in findings if _is_put_off(finding)}
        if not put_off or self._sessions.session.seconds_left <= 0:
            return {}
        self._patience.wait_longer(put_off.values())
        found = self.check_again(put_off.keys())
        return {
            oid: found.get(oid) or self._judge(Measurement(sequence=sequence, obstacle=restless()))
            for oid, sequence in put_off.items()
        }

    def changed(self, findings: Iterable[Finding]) -> dict[int, Finding]:
        """Return how those stand now, by OID, that have changed in the catalogs since they were read."""
        known = {sequence.oid: sequence for sequence in self._discovery.sequences}
        read = {finding.sequence.oid: finding.sequence for finding in findings}
        oids = {oid for oid, sequence in read.items() if known.get(oid, sequence) != sequence}
        return self._to_the_end(self.check_again(oids)) if oids else {}

    def _to_the_end(self, findings: dict[int, Finding]) -> dict[int, Finding]:
        """Return the findings, by OID, with what was put off read as long as there is time."""
        while late := self.check_put_off(findings.values()):
            findings |= late
        return findings

    def _check(self, select: Select, *, all_named: bool, for_repair: bool) -> list[Finding]:
        findings: dict[int, Finding] = {}
        selected = select()
        unread = selected.sequences
        obstacle = restless()
        for _ in range(READS):
            for finding in self._read(unread, selected, all_named=all_named, for_repair=for_repair):
                findings[finding.sequence.oid] = finding
            try:
                vanished = {oid for oid, finding in findings.items() if has_vanished(finding.measurement.obstacle)}
                if self._discovery.is_current() and not vanished:
                    unread = []
                    break
                self._discovery.refresh()
                selected = select()
                settled = {oid: finding.sequence for oid, finding in findings.items() if oid not in vanished}
                unread = [s for s in selected.sequences if settled.get(s.oid) != s]
                if not unread:
                    break
                obstacle = restless()
            except (CatalogError, ConnectionFailedError, DeadlineError) as error:
                # Nothing that was read is confirmed.
                self._discovery.expire()
                unread = selected.sequences
                is_over = self._sessions.session.seconds_left <= 0
                obstacle = (out_of_time if is_over else partial(unconfirmed, error))(self._settings.limits)
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

    def _look_for_writers(self, selected: Selected) -> None:
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
        findings: list[Finding] = []
        unread: list[SequenceInfo] = []
        for sequence in sequences:
            finding = self._judge_unread(sequence, selected, all_named)
            if finding is None:
                unread.append(sequence)
            else:
                findings.append(finding)
        counter = _Counter(self._watcher, len(sequences))
        counter.end(findings)
        if self._settings.all_positions:
            findings = self._with_positions(findings)
        yield from findings
        for chunk in self._measured(unread, counter, for_repair=for_repair):
            judged = [self._judge(measurement) for measurement in chunk]
            counter.end([finding for finding in judged if not _is_put_off(finding)])
            yield from judged

    def _measured(
        self, sequences: list[SequenceInfo], counter: _Counter, *, for_repair: bool
    ) -> Iterator[list[Measurement]]:
        policy = self._settings.policy
        yield from measure(
            self._sessions,
            self.server,
            [sequence for sequence in sequences if sequence.comparable],
            patience=self._patience,
            on_steps=policy.interleaved,
            looks=looks(policy, for_repair=for_repair),
            begin=counter.begin,
            hold_back=lambda measurements: counter.hold_back(map(self._judge, measurements)),
        )
        # Nothing but the other side of a cutover says how far these have to go.
        yield from positions(self._sessions, self.server, [s for s in sequences if not s.comparable])

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
        if any(value is not None for value in measurement.twins):
            at_first = self._twins.setdefault(measurement.sequence.oid, measurement.twins)
            if len(at_first) == len(measurement.twins):
                measurement = replace(measurement, twins_at_first=at_first)
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


def _is_put_off(finding: Finding) -> bool:
    return PUT_OFF in (finding.measurement.obstacle, finding.measurement.unprobed)


class _Counter:
    """Counts the findings of a read for whoever watches; some are counted before the last probe of their sequence."""

    def __init__(self, watcher: Watcher | None, total: int) -> None:
        self._has_watcher = watcher is not None
        self._reporter = ProgressReporter(watcher, Progress(phase="read", total=total))
        self._early: set[int] = set()
        self.begin = self._reporter.begin

    def hold_back(self, findings: Iterable[Finding]) -> None:
        """Take findings that are not the last ones."""
        if self._has_watcher:
            found = {finding.sequence.oid for finding in findings if finding.is_not_in_sync}
            self._early |= found
            self._reporter.find(len(found))

    def end(self, findings: list[Finding]) -> None:
        """Take the last findings."""
        found = sum(finding.is_not_in_sync - (finding.sequence.oid in self._early) for finding in findings)
        self._reporter.end(done=len(findings), found=found)


def _refuse_skipped(named: list[Finding]) -> None:
    """A named table that is not checked must not pass for a healthy one."""
    skipped = [finding for finding in named if finding.verdict is Verdict.SKIPPED]
    if skipped:
        what = "; ".join(f"{finding.sequence.qualified_name}: {finding.reason}" for finding in skipped)
        raise SelectionError(f"named, but not checkable ({what})", remedy="leave it out", allowed_by="allow_skipped")
