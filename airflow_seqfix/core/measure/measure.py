"""Read the state of each sequence and the furthest values of its columns.

The state of a sequence and the furthest values of its columns are read in one statement: its snapshot is older than
the state, so a concurrent insert cannot make a healthy sequence look behind.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from operator import attrgetter
from typing import Any, TypeVar

from airflow_seqfix.core.database.answers import Kind
from airflow_seqfix.core.database.session import Session
from airflow_seqfix.core.database.sessions import Event, Sessions
from airflow_seqfix.core.measure.column_sql import furthest_on_steps_query, furthest_query, within_reach
from airflow_seqfix.core.measure.partitions import columns_and_relations, cut, is_wide, read_in_slices
from airflow_seqfix.core.measure.probes import LookUp, ask, read_probes
from airflow_seqfix.core.measure.together import EmptyError, read_singly
from airflow_seqfix.core.model import ColumnInfo, Measurement, SequenceInfo, Server
from airflow_seqfix.core.model.quoted import Identifier
from airflow_seqfix.core.obstacles import LOST_MEANWHILE, forbidden, lost_twice, not_tried

#: A column without an index and with more rows than this is read in a statement of its own.
SLOW_ROWS = 100_000
#: After so many tables of an owner have ended a connection, no other of his is read that may do the same.
TRIED_OF_ONE_OWNER = 4

#: The types of what the statements answer.
STATE: dict[str, Kind] = {"last_value": int | None, "is_called": bool | None}
FURTHEST: dict[str, Kind] = {"furthest": int | None, "furthest_on_steps": int | None}

Item = TypeVar("Item")
_SEQUENCE = attrgetter("sequence")


def measure(
    sessions: Sessions,
    server: Server,
    sequences: list[SequenceInfo],
    *,
    on_steps: bool = False,
    looks: Sequence[LookUp] = (),
    begin: Callable[[str], None] = lambda table: None,
    hold_back: Callable[[list[Measurement]], None] = lambda measurements: None,
) -> Iterator[list[Measurement]]:
    """Read each of `sequences`, and yield those read together; an unreadable one does not affect the others.

    :param on_steps: Whether the furthest value on a sequence's own steps is looked up as well.
    :param looks: Each returns a further probe, given the measurement so far.
    :param begin: Called with the name of a table before it is read: of several, with the one likely to take longest.
    :param hold_back: Called with measurements that are yielded in the end, after a probe.
    """
    reader = _Reader(server=server, on_steps=on_steps, looks=looks, begin=begin)
    obstacles = [(sequence, forbidden(sequence, server)) for sequence in sequences]
    refused = [Measurement(sequence=sequence, obstacle=obstacle) for sequence, obstacle in obstacles if obstacle]
    if refused:
        yield refused
    readable = [sequence for sequence, obstacle in obstacles if obstacle is None]
    left: list[Measurement] = []
    suspects: list[SequenceInfo] = []
    #: How many tables of each owner have ended a connection when they were read alone.
    ended: Counter[Identifier] = Counter()
    while readable or suspects:
        unread: list[Measurement] = []
        # Each suspect alone, after the others: what its owner's code does to a connection then costs no other.
        chunks = [*_chunks(readable, lambda sequence: sequence), *([sequence] for sequence in suspects)]
        for settled, reached in sessions.map(reader.states, chunks):
            hold_back(reached)
            unread += filter(_is_lost, settled)
            yield [measurement for measurement in settled if not _is_lost(measurement)]
            left += reached
        culprits, suspects, readable = _by_suspicion(unread, suspects)
        if unread and not sessions.renew():
            yield unread
            break
        yield [replace(measurement, obstacle=lost_twice()) for measurement in culprits]
        # Where tables of several are read for one sequence, nobody knows whose code it was.
        ended.update(next(iter(owners)) for c in culprits if len(owners := _owners(c.sequence)) == 1)
        yield [
            Measurement(sequence=sequence, obstacle=not_tried(owner))
            for sequence in (*suspects, *readable)
            if (owner := _given_up(sequence, ended))
        ]
        suspects, readable = ([s for s in part if not _given_up(s, ended)] for part in (suspects, readable))
    yield from sessions.map(reader.probes, _chunks(left, _SEQUENCE))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Reader:
    """The reads of a run, on any of its sessions."""

    server: Server
    on_steps: bool
    looks: Sequence[LookUp]
    begin: Callable[[str], None]

    def states(
        self, session: Session, chunk: list[SequenceInfo], tell: Callable[[Event], None]
    ) -> tuple[list[Measurement], list[Measurement]]:
        """Return the complete measurements, and those that need a probe."""
        tell(partial(self.begin, _slowest(chunk).qualified_table))
        unread = [Measurement(sequence=sequence) for sequence in chunk]
        settled: list[Measurement] = []
        reached: list[Measurement] = []
        for measurement in self._read(session, unread):
            (reached if any(look(measurement) for look in self.looks[:1]) else settled).append(measurement)
        # Collected and probed together later: one statement per chunk would double the number of statements.
        if len(reached) < len(settled):
            return settled, reached
        for part in _chunks(reached, _SEQUENCE):
            settled += self.probes(session, part, lambda event: None)
        return settled, []

    def _read(self, session: Session, unread: list[Measurement]) -> Iterator[Measurement]:
        """Read states; where the data have reached the START of a rival, again without what lies from there on."""
        read = partial(_read_states, on_steps=self.on_steps)
        for measurement in read_singly(session, self.server, unread, read):
            by_steps = self.on_steps and abs(measurement.sequence.increment_by) > 1
            before = None if by_steps else measurement.before_rival()
            if before is None:
                yield measurement
                continue
            (part,) = read_singly(session, self.server, [before], read)
            if part.obstacle is None:
                yield replace(part, furthest_of_all=measurement.furthest_value)
            else:
                yield replace(measurement, obstacle=part.obstacle)

    def probes(self, session: Session, chunk: list[Measurement], tell: Callable[[Event], None]) -> list[Measurement]:
        """Run the probes. A failed probe leaves the measurement as it is, with the reason."""
        tell(partial(self.begin, _slowest([measurement.sequence for measurement in chunk]).qualified_table))
        known = {measurement.sequence.oid: measurement for measurement in chunk}
        for look in self.looks:
            asked = {oid: what for oid, measurement in known.items() if (what := look(measurement))}
            if not asked:
                continue
            unread = [known[oid] for oid in asked]
            for m in read_singly(session, self.server, unread, partial(read_probes, asked=asked)):
                is_same = m.unprobed is m.obstacle
                known[m.sequence.oid] = m if is_same else replace(m, obstacle=None, unprobed=m.obstacle)
        return list(known.values())


def _owners(sequence: SequenceInfo) -> set[Identifier]:
    return {column.owner for column in sequence.comparable}


def _given_up(sequence: SequenceInfo, ended: Counter[Identifier]) -> Identifier | None:
    """Return an owner of a sequence's tables, of which so many have ended a connection that no other one is tried."""
    return next((owner for owner in sorted(_owners(sequence)) if ended[owner] >= TRIED_OF_ONE_OWNER), None)


def _is_lost(measurement: Measurement) -> bool:
    return measurement.obstacle is not None and measurement.obstacle.is_lost


def _by_suspicion(
    unread: list[Measurement], suspected: list[SequenceInfo]
) -> tuple[list[Measurement], list[SequenceInfo], list[SequenceInfo]]:
    """Return what a read of it alone has ended a connection for, what may have, and what was not begun."""
    before = {sequence.oid for sequence in suspected}
    culprits: list[Measurement] = []
    suspects: list[SequenceInfo] = []
    others: list[SequenceInfo] = []
    for measurement in unread:
        is_begun, is_suspected = measurement.obstacle is LOST_MEANWHILE, measurement.sequence.oid in before
        if is_begun and is_suspected:
            culprits.append(measurement)
        else:
            (suspects if is_begun or is_suspected else others).append(measurement.sequence)
    return culprits, suspects, others


def _slowest(chunk: list[SequenceInfo]) -> ColumnInfo:
    """Return the column that is likely to take longest: the largest without an index, else the largest."""
    columns = [column for sequence in chunk for column in sequence.comparable]
    return max(columns, key=lambda column: (not column.has_index, column.estimated_rows))


def _chunks(items: list[Item], sequence: Callable[[Item], SequenceInfo]) -> Iterator[list[Item]]:
    """Cut the work into statements; what may take long gets one of its own."""
    together: list[Item] = []
    alone: list[list[Item]] = []
    for item in items:
        if is_wide(sequence(item)) or any(map(_is_slow, sequence(item).comparable)):
            alone.append([item])
        else:
            together.append(item)
    yield from cut(together, lambda item: columns_and_relations(sequence(item)))
    yield from alone


def _is_slow(column: ColumnInfo) -> bool:
    return not column.has_index and column.estimated_rows > SLOW_ROWS


def _read_states(session: Session, server: Server, chunk: list[Measurement], *, on_steps: bool) -> list[Measurement]:
    if is_wide(chunk[0].sequence):
        return [_read_wide_state(session, chunk[0].sequence, on_steps=on_steps)]
    by_function = server.has_state_function and len(chunk) > 1

    def query(measurement: Measurement, column: ColumnInfo) -> str:
        sequence = measurement.sequence
        state = f"pg_get_sequence_data({sequence.oid}::oid::regclass)" if by_function else sequence.qualified_name
        furthest = _furthest(sequence, column, column.qualified_table, "s.last_value", on_steps=on_steps)
        return f"s.last_value, s.is_called, {furthest} FROM {state} AS s"

    answers = ask(session, chunk, query, **STATE, **FURTHEST)
    read = []
    for index, measurement in enumerate(chunk):
        # During a rewrite a sequence has no row, or NULLs.
        if len(answers[index]) != len(measurement.sequence.comparable) or answers[index][0][0] is None:
            # Read alone, by name: the server's error then says what is wrong.
            if len(chunk) == 1:
                raise EmptyError("another session is rewriting the sequence")
            read += read_singly(session, server, [measurement], partial(_read_states, on_steps=on_steps))
            continue
        last_value, is_called, *_ = answers[index][-1]
        values = [(place, *answer[2:]) for place, answer in enumerate(answers[index])]
        read.append(_measured(measurement.sequence, last_value, is_called, values))
    return read


def _read_wide_state(session: Session, sequence: SequenceInfo, *, on_steps: bool) -> Measurement:
    state = f"SELECT last_value, is_called FROM {sequence.qualified_name}"
    with session.transaction(one_snapshot=True):
        before, _ = next(iter(session.rows(state, **STATE)), (None, None))
        if before is None:
            raise EmptyError("another session is rewriting the sequence")
        furthest = partial(_furthest, sequence, last_value=f"'{before}'::bigint", on_steps=on_steps)
        values = read_in_slices(session, sequence, furthest, **FURTHEST)
        # Last, because reading a sequence uses no snapshot.
        last_value, is_called = next(iter(session.rows(state, **STATE)), (None, None))
    if last_value is None or is_called is None or (last_value - before) % sequence.increment_by:
        raise EmptyError("another session is rewriting the sequence")
    return _measured(sequence, last_value, is_called, values)


def _furthest(sequence: SequenceInfo, column: ColumnInfo, table: str, last_value: str, *, on_steps: bool) -> str:
    """Return subqueries for the furthest value, and for the furthest on the sequence's own steps."""
    asked = furthest_query(sequence, column, table)
    if (on_steps or sequence.interleaved) and abs(sequence.increment_by) > 1:
        return f"{asked}, {furthest_on_steps_query(sequence, column, table, last_value)}"
    return f"{asked}, NULL::bigint"


def _measured(sequence: SequenceInfo, last_value: int, is_called: bool, values: Iterable[Sequence[Any]]) -> Measurement:
    """Combine the results.

    :param values: Places of columns with a furthest value and the furthest on steps; one column may come in parts.
    """
    far = max if sequence.is_ascending else min
    furthest: list[int | None] = [None] * len(sequence.comparable)
    furthest_on_steps = None
    for place, value, value_on_steps in values:
        value = within_reach(sequence, sequence.comparable[place], value)
        furthest[place] = far((v for v in (furthest[place], value) if v is not None), default=None)
        furthest_on_steps = far((v for v in (furthest_on_steps, value_on_steps) if v is not None), default=None)
    return Measurement(
        sequence=sequence,
        last_value=last_value,
        is_called=is_called,
        furthest=tuple(furthest),
        furthest_on_steps=furthest_on_steps,
    )
