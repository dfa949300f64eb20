"""How far each sequence has come, and how far the columns that it feeds.

The state of a sequence and the furthest values of its columns are read in one statement: its snapshot is older than
the state, so a row that another session adds meanwhile cannot make a healthy sequence look behind.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from airflow_seqfix.core.catalog import ColumnInfo, SequenceInfo, Server
from airflow_seqfix.core.crew import Crew, Event
from airflow_seqfix.core.errors import ConnectionFailedError, DeadlineError, Obstacle, sqlstate
from airflow_seqfix.core.obstacles import forbidden, out_of_time, unreadable
from airflow_seqfix.core.partitions import columns_and_relations, cut, is_wide, read_in_slices
from airflow_seqfix.core.session import Session
from airflow_seqfix.core.values import furthest_query, probe_query, within_reach

#: A column without an index and with more rows than this is read in a statement of its own.
SLOW_ROWS = 100_000
#: While another session rewrites a sequence (ALTER SEQUENCE … RESTART), the file that a reader has just found can be
#: emptied under it: the server says this, or returns no row. It is read again so many times.
REWRITING = "XX001"
REWRITTEN = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Probe:
    """What is looked up besides, where the next value has been reached by the data."""

    #: The first stored value that nextval() will hit; None where the values looked at do not show one.
    collision: int | None
    #: The last stored value that was looked at for it.
    probed_to: int | None
    #: The furthest stored value before the furthest one.
    runner_up: int | None
    #: The furthest stored value on the sequence's own steps; None where none is, or where the increment is 1 or -1.
    furthest_on_steps: int | None
    #: The furthest stored value on the sequence's own steps before that one.
    runner_up_on_steps: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Measurement:
    """One sequence and its columns, read at one moment, or the obstacle that was met."""

    sequence: SequenceInfo
    last_value: int | None = None
    is_called: bool | None = None
    #: The furthest value of each comparable column, in order; None for a column without rows in reach.
    furthest: tuple[int | None, ...] = ()
    probe: Probe | None = None
    #: How many transactions were writing to the tables, whose rows could not be seen.
    open_writers: int = 0
    obstacle: Obstacle | None = None

    @property
    def next_value(self) -> int | None:
        """What nextval() would return, were there no limit."""
        if self.last_value is None:
            return None
        return self.last_value + self.sequence.increment_by if self.is_called else self.last_value

    @property
    def furthest_value(self) -> int | None:
        """The maximum of the fed columns for an ascending sequence, the minimum for a descending one."""
        values = [value for value in self.furthest if value is not None]
        if not values:
            return None
        return max(values) if self.sequence.is_ascending else min(values)

    @property
    def furthest_column(self) -> ColumnInfo | None:
        """The column that holds the furthest value."""
        if self.furthest_value is None:
            return None
        return self.sequence.comparable[self.furthest.index(self.furthest_value)]

    @property
    def is_reached(self) -> bool:
        """Whether the data have reached the next value."""
        if self.next_value is None or self.furthest_value is None:
            return False
        if self.sequence.is_ascending:
            return self.next_value <= self.furthest_value
        return self.next_value >= self.furthest_value


def measure(
    crew: Crew,
    server: Server,
    sequences: list[SequenceInfo],
    *,
    on_steps: bool = False,
    max_jump: int = 0,
    begin: Callable[[str], None] = lambda table: None,
) -> Iterator[list[Measurement]]:
    """Read each of `sequences`, and yield those that were read together; one that cannot be read costs only itself.

    :param on_steps: Whether the values on a sequence's own steps are looked up also where none has been reached.
    :param max_jump: Up to this distance a furthest value is no stray, and the value before it is not looked up.
    :param begin: Called with the name of a table before it is read: of several, with the one likely to take longest.
    :raises ConnectionFailedError: when the connection is lost.
    """
    measurements = [Measurement(sequence=sequence, obstacle=forbidden(sequence, server)) for sequence in sequences]
    forbidding = [measurement for measurement in measurements if measurement.obstacle is not None]
    if forbidding:
        yield forbidding

    def read(session: Session, chunk: list[Measurement], tell: Callable[[Event], None]) -> list[Measurement]:
        tell(partial(begin, _slowest(chunk).qualified_table))
        return _read(session, server, chunk, on_steps=on_steps, max_jump=max_jump)

    yield from crew.map(read, _chunks([m for m in measurements if m.obstacle is None]))


def _read(
    session: Session, server: Server, chunk: list[Measurement], *, on_steps: bool, max_jump: int
) -> list[Measurement]:
    """Read states and furthest values, and what is asked of those that have been reached."""
    read = _read_apart(session, server, chunk, _read_states)
    measured = {measurement.sequence.oid: measurement for measurement in read}
    probing = [measurement for measurement in read if measurement.is_reached or (on_steps and _has_steps(measurement))]
    for part in _chunks(probing):
        probed = _read_apart(session, server, part, partial(_read_probes, max_jump=max_jump))
        # A probe that fails takes nothing away from what is known.
        measured.update((m.sequence.oid, m) for m in probed if m.obstacle is None)
    return list(measured.values())


def _slowest(chunk: list[Measurement]) -> ColumnInfo:
    """Return the column that is likely to take longest: the largest without an index, else the largest."""
    columns = [column for measurement in chunk for column in measurement.sequence.comparable]
    return max(columns, key=lambda column: (not column.has_index, column.estimated_rows))


def _has_steps(measurement: Measurement) -> bool:
    """Whether some values are on the sequence's own steps and others not."""
    return abs(measurement.sequence.increment_by) > 1 and measurement.furthest_value is not None


def _chunks(measurements: list[Measurement]) -> Iterator[list[Measurement]]:
    """Cut the work into statements; what may take long gets one of its own."""
    alone = [m for m in measurements if is_wide(m.sequence) or any(map(_is_slow, m.sequence.comparable))]
    apart = {measurement.sequence.oid for measurement in alone}
    together = [measurement for measurement in measurements if measurement.sequence.oid not in apart]
    yield from cut(together, lambda measurement: columns_and_relations(measurement.sequence))
    yield from ([measurement] for measurement in alone)


def _is_slow(column: ColumnInfo) -> bool:
    return not column.has_index and column.estimated_rows > SLOW_ROWS


class _EmptyError(Exception):
    """A sequence gave no row."""

    sqlstate = REWRITING


Reader = Callable[[Session, Server, list[Measurement]], list[Measurement]]


def _read_apart(session: Session, server: Server, chunk: list[Measurement], read: Reader) -> list[Measurement]:
    """Read a chunk; where that fails, split it until the culprits stand alone."""
    try:
        for _ in range(REWRITTEN):
            try:
                return read(session, server, chunk)
            except Exception as error:
                if sqlstate(error) != REWRITING:
                    raise
        return read(session, server, chunk)
    except ConnectionFailedError:
        raise
    except DeadlineError:
        return [replace(m, obstacle=out_of_time(session.limits)) for m in chunk]
    except Exception as error:
        if sqlstate(error) is None:
            raise
        if len(chunk) == 1:
            return [replace(chunk[0], obstacle=unreadable(chunk[0].sequence, error, session.limits, server))]
        return [
            measurement
            for part in _split(chunk, sqlstate(error))
            for measurement in _read_apart(session, server, part, read)
        ]


def _split(chunk: list[Measurement], state: str | None) -> list[list[Measurement]]:
    """Return the parts in which to look for what made a statement fail."""
    if state == "57014":
        # To halve would be to wait for statement_timeout half a dozen times. Columns without an index are suspected.
        suspects = [[m] for m in chunk if not all(column.has_index for column in m.sequence.comparable)]
        others = [m for m in chunk if all(column.has_index for column in m.sequence.comparable)]
        if suspects:
            return [others, *suspects] if others else suspects
    middle = len(chunk) // 2
    return [chunk[:middle], chunk[middle:]]


def _read_states(session: Session, server: Server, chunk: list[Measurement]) -> list[Measurement]:
    if is_wide(chunk[0].sequence):
        return [_read_wide_state(session, chunk[0])]
    by_function = server.version_num >= 180000 and len(chunk) > 1

    def query(measurement: Measurement, column: ColumnInfo) -> str:
        sequence = measurement.sequence
        state = f"pg_get_sequence_data({sequence.oid}::oid::regclass)" if by_function else sequence.qualified_name
        furthest = furthest_query(sequence, column, column.qualified_table)
        return f"s.last_value, s.is_called, {furthest} FROM {state} AS s"

    with session.transaction():
        answers = _ask(session, chunk, query)
    read = []
    for index, measurement in enumerate(chunk):
        if index not in answers or answers[index][0][0] is None:
            # pg_get_sequence_data() answers NULL where a plain read says what is wrong.
            if len(chunk) == 1:
                raise _EmptyError("another session is rewriting the sequence")
            read += _read_apart(session, server, [measurement], _read_states)
            continue
        last_value, is_called, _ = answers[index][-1]
        sequence = measurement.sequence
        furthest = tuple(
            within_reach(sequence, column, value)
            for column, (*_, value) in zip(sequence.comparable, answers[index], strict=True)
        )
        read.append(replace(measurement, last_value=last_value, is_called=is_called, furthest=furthest))
    return read


def _read_wide_state(session: Session, measurement: Measurement) -> Measurement:
    sequence = measurement.sequence
    values: list[list[int]] = [[] for _ in sequence.comparable]
    with session.transaction(one_snapshot=True):
        for place, value in read_in_slices(session, sequence, partial(furthest_query, sequence)):
            reached = within_reach(sequence, sequence.comparable[place], value)
            if reached is not None:
                values[place].append(reached)
        # Last, because reading a sequence goes by no snapshot.
        states = session.rows(f"SELECT last_value, is_called FROM {sequence.qualified_name}")
    if not states:
        raise _EmptyError("another session is rewriting the sequence")
    last_value, is_called = states[0]
    far = max if sequence.is_ascending else min
    furthest = tuple(far(found, default=None) for found in values)
    return replace(measurement, last_value=last_value, is_called=is_called, furthest=furthest)


def _read_probes(session: Session, server: Server, chunk: list[Measurement], *, max_jump: int) -> list[Measurement]:
    def query(measurement: Measurement, column: ColumnInfo, table: str | None = None) -> str:
        next_value, furthest_value = measurement.next_value, measurement.furthest_value
        assert next_value is not None and furthest_value is not None
        is_far = abs(furthest_value - next_value) > max_jump
        table = table or column.qualified_table
        return probe_query(measurement.sequence, column, table, next_value, furthest_value, is_far=is_far)

    wide = is_wide(chunk[0].sequence)
    with session.transaction(one_snapshot=wide):
        if wide:
            rows = read_in_slices(session, chunk[0].sequence, partial(query, chunk[0]))
            answers = {0: [answer for _, *answer in rows]}
        else:
            answers = _ask(session, chunk, query)
    return [replace(measurement, probe=_probe(measurement, answers[index])) for index, measurement in enumerate(chunk)]


def _probe(measurement: Measurement, answers: list[list[Any]]) -> Probe:
    """Put together what was looked up in several columns, or in several parts of one."""
    near, far = (min, max) if measurement.sequence.is_ascending else (max, min)
    collisions, ends, runners_up, on_steps, next_on_steps = (
        [value for value in values if value is not None] for values in zip(*answers, strict=True)
    )
    furthest_on_steps = far(on_steps, default=None)
    before = [value for value in (*on_steps, *next_on_steps) if value != furthest_on_steps]
    collision = near(collisions, default=None)
    # Where no look ended early, all values were looked at; where one did, nobody knows what lies beyond.
    end = near(ends, default=measurement.furthest_value)
    if ends and collision is not None and near(collision, *ends) != collision:
        collision = None
    return Probe(
        collision=collision,
        probed_to=end,
        runner_up=far(runners_up, default=None),
        furthest_on_steps=furthest_on_steps,
        runner_up_on_steps=far(before, default=None),
    )


def _ask(
    session: Session, chunk: list[Measurement], query: Callable[[Measurement, ColumnInfo], str]
) -> dict[int, list[list[Any]]]:
    """Read all columns of a chunk in one statement; return the rows by the place in the chunk."""
    statement = "\nUNION ALL ".join(
        f"SELECT {index}, {query(measurement, column)}"
        for index, measurement in enumerate(chunk)
        for column in measurement.sequence.comparable
    )
    answers: dict[int, list[list[Any]]] = defaultdict(list)
    for index, *answer in session.rows(statement):
        answers[index].append(answer)
    return answers
