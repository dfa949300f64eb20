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
from typing import Any

from airflow_seqfix.core.database.answers import Kind
from airflow_seqfix.core.database.session import Session
from airflow_seqfix.core.database.sessions import Event, Sessions
from airflow_seqfix.core.measure.chunks import chunks, slowest
from airflow_seqfix.core.measure.column_sql import (
    furthest_on_steps_query,
    furthest_query,
    twin_query,
    within_reach,
)
from airflow_seqfix.core.measure.partitions import (
    is_wide,
    read_in_slices,
)
from airflow_seqfix.core.measure.patience import Patience, owners
from airflow_seqfix.core.measure.probes import LookUp, ask, integer, read_probes
from airflow_seqfix.core.measure.together import EmptyError, read_singly
from airflow_seqfix.core.model import ColumnInfo, Measurement, SequenceInfo, Server
from airflow_seqfix.core.model.quoted import Identifier
from airflow_seqfix.core.obstacles import (
    LOST_BEFORE,
    LOST_MEANWHILE,
    PUT_OFF,
    forbidden,
    lost_twice,
    not_tried,
    out_of_time,
)

#: After so many tables of an owner have ended a connection, no other of his is read that may do the same.
TRIED_OF_ONE_OWNER = 4

#: The types of what the statements answer.
STATE: dict[str, Kind] = {"last_value": int | None, "is_called": bool | None}
FURTHEST: dict[str, Kind] = {"furthest": int | None, "furthest_on_steps": int | None}
TWIN: dict[str, Kind] = {"twin": str | None}

_SEQUENCE = attrgetter("sequence")


def measure(
    sessions: Sessions,
    server: Server,
    sequences: list[SequenceInfo],
    *,
    patience: Patience,
    on_steps: bool = False,
    looks: Sequence[LookUp] = (),
    begin: Callable[[str], None] = lambda table: None,
    hold_back: Callable[[list[Measurement]], None] = lambda measurements: None,
) -> Iterator[list[Measurement]]:
    """Read each of `sequences`, and yield those read together; an unreadable one does not affect the others.

    :param patience: Decides whose tables are read first, and whether slow ones are waited for.
    :param on_steps: Whether the furthest value on a sequence's own steps is looked up as well.
    :param looks: Each returns a further probe, given the measurement so far.
    :param begin: Called with the name of a table before it is read: of several, with the one likely to take longest.
    :param hold_back: Called with measurements that are yielded in the end, after a probe.
    """
    reader = _Reader(server=server, patience=patience, on_steps=on_steps, looks=looks, begin=begin)
    obstacles = [(sequence, forbidden(sequence, server)) for sequence in sequences]
    refused = [Measurement(sequence=sequence, obstacle=obstacle) for sequence, obstacle in obstacles if obstacle]
    if refused:
        yield refused
    unread = _Unread([sequence for sequence, obstacle in obstacles if obstacle is None])
    left: list[Measurement] = []
    while unread.sequences:
        lost: list[Measurement] = []
        put_off: list[Measurement] = []
        for settled, reached in sessions.map(reader.states, unread.pieces(patience), only_reads=True):
            hold_back(reached)
            left += reached
            lost += filter(_is_lost, settled)
            put_off += (m for m in settled if m.obstacle is PUT_OFF)
            yield [m for m in settled if not _is_lost(m) and m.obstacle is not PUT_OFF]
        if lost and not sessions.renew():
            yield _abandoned([*lost, *(replace(m, obstacle=LOST_BEFORE) for m in put_off)], sessions.session)
            break
        yield unread.keep(lost, put_off)
        if put_off and not patience.goes_on(unread.sequences):
            yield [Measurement(sequence=sequence, obstacle=PUT_OFF) for sequence in unread.sequences]
            break
    while left:
        waiting: list[Measurement] = []
        for probed in sessions.map(reader.probes, chunks(left, _SEQUENCE, patience), only_reads=True):
            waiting += (m for m in probed if m.unprobed is PUT_OFF)
            yield [m for m in probed if m.unprobed is not PUT_OFF]
        left = waiting
        if not patience.goes_on(m.sequence for m in left):
            yield left
            break


def _is_lost(measurement: Measurement) -> bool:
    return measurement.obstacle is not None and measurement.obstacle.is_lost


def _abandoned(lost: list[Measurement], session: Session) -> list[Measurement]:
    """Return what no connection is left for; that the run is out of time comes before that it was lost."""
    is_over = session.seconds_left <= 0
    return [replace(m, obstacle=out_of_time(session.limits)) for m in lost] if is_over else lost


class _Unread:
    """What is to be read: at first everything, then what a lost connection or a slow owner has left."""

    def __init__(self, sequences: list[SequenceInfo]) -> None:
        self._others = sequences
        #: What was being read when a connection was lost.
        self._suspects: list[SequenceInfo] = []
        #: How many tables of each owner have ended a connection when they were read alone.
        self._ended: Counter[Identifier] = Counter()

    @property
    def sequences(self) -> list[SequenceInfo]:
        return [*self._suspects, *self._others]

    def pieces(self, patience: Patience) -> list[list[SequenceInfo]]:
        """Cut it into statements: each suspect alone, last, where what its owner's code does costs no other."""
        return [*chunks(self._others, lambda sequence: sequence, patience), *([s] for s in self._suspects)]

    def keep(self, lost: list[Measurement], put_off: list[Measurement]) -> list[Measurement]:
        """Keep what was not read, and return the measurements of what is not tried again."""
        before = {sequence.oid for sequence in self._suspects}
        self._suspects, self._others = [], []
        settled: list[Measurement] = []
        for measurement in (*lost, *put_off):
            sequence = measurement.sequence
            is_begun, is_suspected = measurement.obstacle is LOST_MEANWHILE, sequence.oid in before
            if is_begun and is_suspected:
                settled.append(replace(measurement, obstacle=lost_twice()))
                # Where tables of several are read for one sequence, nobody knows whose code it was.
                self._ended.update(whose if len(whose := owners(sequence)) == 1 else ())
            else:
                (self._suspects if is_begun or is_suspected else self._others).append(sequence)
        given_up = {s.oid: owner for s in self.sequences if (owner := self._given_up(s))}
        settled += (
            Measurement(sequence=s, obstacle=not_tried(given_up[s.oid])) for s in self.sequences if s.oid in given_up
        )
        self._suspects, self._others = (
            [s for s in part if s.oid not in given_up] for part in (self._suspects, self._others)
        )
        return settled

    def _given_up(self, sequence: SequenceInfo) -> Identifier | None:
        """Return an owner of its tables of which so many have ended a connection that no other one is tried."""
        return next((owner for owner in owners(sequence) if self._ended[owner] >= TRIED_OF_ONE_OWNER), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Reader:
    """The reads of a run, on any of its sessions."""

    server: Server
    patience: Patience
    on_steps: bool
    looks: Sequence[LookUp]
    begin: Callable[[str], None]

    def states(
        self, session: Session, chunk: list[SequenceInfo], tell: Callable[[Event], None]
    ) -> tuple[list[Measurement], list[Measurement]]:
        """Return the complete measurements, and those that need a probe."""
        tell(partial(self.begin, slowest(chunk).qualified_table))
        unread = [Measurement(sequence=sequence) for sequence in chunk]
        settled: list[Measurement] = []
        reached: list[Measurement] = []
        for measurement in self._read(session, unread):
            (reached if any(look(measurement) for look in self.looks[:1]) else settled).append(measurement)
        # Collected and probed together later: one statement per chunk would double the number of statements.
        if len(reached) < len(settled):
            return settled, reached
        probed = [
            measurement
            for part in chunks(reached, _SEQUENCE, self.patience)
            for measurement in self.probes(session, part, lambda event: None)
        ]
        settled += (measurement for measurement in probed if measurement.unprobed is not PUT_OFF)
        return settled, [measurement for measurement in probed if measurement.unprobed is PUT_OFF]

    def _read(self, session: Session, unread: list[Measurement]) -> Iterator[Measurement]:
        """Read states; where the data have reached the START of a rival, again without what lies from there on."""
        read = partial(_read_states, on_steps=self.on_steps, patience=self.patience)
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
        tell(partial(self.begin, slowest([measurement.sequence for measurement in chunk]).qualified_table))
        known = {measurement.sequence.oid: measurement for measurement in chunk}
        for look in self.looks:
            asked = {oid: what for oid, measurement in known.items() if (what := look(measurement))}
            if not asked:
                continue
            unread = [known[oid] for oid in asked]
            for m in read_singly(
                session, self.server, unread, partial(read_probes, asked=asked, patience=self.patience)
            ):
                known[m.sequence.oid] = replace(m, obstacle=None, unprobed=m.obstacle)
        return list(known.values())


def _read_states(
    session: Session, server: Server, chunk: list[Measurement], *, on_steps: bool, patience: Patience
) -> list[Measurement]:
    if is_wide(chunk[0].sequence):
        with patience.reading(session, [chunk[0].sequence]) as pause:
            return [_read_wide_state(session, chunk[0].sequence, pause, on_steps=on_steps)]
    by_function = server.has_state_function and len(chunk) > 1

    def query(measurement: Measurement, column: ColumnInfo) -> str:
        sequence = measurement.sequence
        state = f"pg_get_sequence_data({sequence.oid}::oid::regclass)" if by_function else sequence.qualified_name
        furthest = _furthest(sequence, column, column.qualified_table, "s.last_value", on_steps=on_steps)
        return f"s.last_value, s.is_called, {twin_query(column)}, {furthest} FROM {state} AS s"

    answers = ask(session, chunk, query, patience, **STATE, **TWIN, **FURTHEST)
    again = partial(_read_states, on_steps=on_steps, patience=patience)
    read = []
    for index, measurement in enumerate(chunk):
        # During a rewrite a sequence has no row, or NULLs.
        if len(answers[index]) != len(measurement.sequence.comparable) or answers[index][0][0] is None:
            # Read alone, by name: the server's error then says what is wrong.
            if len(chunk) == 1:
                raise EmptyError("another session is rewriting the sequence")
            read += read_singly(session, server, [measurement], again)
            continue
        last_value, is_called, *_ = answers[index][-1]
        values = [(place, *answer[3:]) for place, answer in enumerate(answers[index])]
        twins = [twin for _, _, twin, *_ in answers[index]]
        read.append(_measured(measurement.sequence, last_value, is_called, values, twins))
    return read


def _read_wide_state(
    session: Session, sequence: SequenceInfo, pause: Callable[[], None], *, on_steps: bool
) -> Measurement:
    state = f"SELECT last_value, is_called FROM {sequence.qualified_name}"
    with session.transaction(one_snapshot=True):
        before, _ = next(iter(session.rows(state, **STATE)), (None, None))
        if before is None:
            raise EmptyError("another session is rewriting the sequence")
        furthest = partial(_furthest, sequence, last_value=f"'{before}'::bigint", on_steps=on_steps)
        values = read_in_slices(session, sequence, furthest, pause, **FURTHEST)
        # Last, because reading a sequence uses no snapshot.
        last_value, is_called = next(iter(session.rows(state, **STATE)), (None, None))
        twins = [next(iter(session.rows(f"SELECT {twin_query(c)}", **TWIN)))[0] for c in sequence.comparable]
    if last_value is None or is_called is None or (last_value - before) % sequence.increment_by:
        raise EmptyError("another session is rewriting the sequence")
    return _measured(sequence, last_value, is_called, values, twins)


def _furthest(sequence: SequenceInfo, column: ColumnInfo, table: str, last_value: str, *, on_steps: bool) -> str:
    """Return subqueries for the furthest value, and for the furthest on the sequence's own steps."""
    asked = furthest_query(sequence, column, table)
    if (on_steps or sequence.interleaved) and abs(sequence.increment_by) > 1:
        return f"{asked}, {furthest_on_steps_query(sequence, column, table, last_value)}"
    return f"{asked}, NULL::bigint"


def _measured(
    sequence: SequenceInfo,
    last_value: int,
    is_called: bool,
    values: Iterable[Sequence[Any]],
    twins: Iterable[str | None],
) -> Measurement:
    """Combine the results.

    :param values: Places of columns with a furthest value and the furthest on steps; one column may come in parts.
    :param twins: By column, the next value of its twin.
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
        twins=tuple(None if twin is None else integer(twin) for twin in twins),
    )
