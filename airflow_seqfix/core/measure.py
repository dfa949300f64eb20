"""How far each sequence has come, and how far the columns that it feeds.

The state of a sequence and the furthest values of its columns are read in one statement: its snapshot is older than
the state, so a row that another session adds meanwhile cannot make a healthy sequence look behind.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

from airflow_seqfix.core.catalog import ColumnInfo, SequenceInfo, Server
from airflow_seqfix.core.errors import ConnectionFailedError, DeadlineError, Obstacle, sqlstate
from airflow_seqfix.core.obstacles import forbidden, out_of_time, unreadable
from airflow_seqfix.core.session import Session

#: How many relations one statement may open, and so lock until it ends. The server's lock table, shared by all
#: sessions, holds about 6,000 at default settings.
RELATIONS_AT_ONCE = 400
#: How many columns one statement may read. On 13, planning time grows with the square.
COLUMNS_AT_ONCE = 50
#: A column without an index and with more rows than this is read in a statement of its own.
SLOW_ROWS = 100_000
#: While another session rewrites a sequence (ALTER SEQUENCE … RESTART), the file that a reader has just found can be
#: emptied under it: the server says this, or returns no row. It is read again so many times.
REWRITING = "XX001"
REWRITTEN = 4
#: How many stored values are looked at to find the first collision where the increment is not 1.
PROBE_ROWS = 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Probe:
    """What is looked up besides, where the next value has been reached by the data."""

    #: The first stored value that nextval() will hit; None where `PROBE_ROWS` values did not show one.
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


#: Called after each statement with the number of sequences that have been read.
Progress = Callable[[int], None]


def measure(
    session: Session,
    server: Server,
    sequences: list[SequenceInfo],
    progress: Progress | None = None,
    *,
    on_steps: bool = False,
) -> list[Measurement]:
    """Read each of `sequences`; one that cannot be read costs only itself.

    :param on_steps: Whether the values on a sequence's own steps are looked up also where none has been reached.
    :raises ConnectionFailedError: when the connection is lost.
    """
    measured: dict[int, Measurement] = {}
    readable: list[Measurement] = []
    for sequence in sequences:
        obstacle = forbidden(sequence, server)
        if obstacle:
            measured[sequence.oid] = Measurement(sequence=sequence, obstacle=obstacle)
        else:
            readable.append(Measurement(sequence=sequence))
    for chunk in _chunks(readable):
        read = _read_apart(session, server, chunk, _read_states)
        probing = [
            measurement for measurement in read if measurement.is_reached or (on_steps and _has_steps(measurement))
        ]
        measured.update((measurement.sequence.oid, measurement) for measurement in read)
        for part in _chunks(probing):
            probed = _read_apart(session, server, part, _read_probes)
            # A probe that fails takes nothing away from what is known.
            measured.update((m.sequence.oid, m) for m in probed if m.obstacle is None)
        if progress is not None:
            progress(len(measured))
    return [measured[sequence.oid] for sequence in sequences]


def _has_steps(measurement: Measurement) -> bool:
    """Whether some values are on the sequence's own steps and others not."""
    return abs(measurement.sequence.increment_by) > 1 and measurement.furthest_value is not None


def _chunks(measurements: list[Measurement]) -> Iterator[list[Measurement]]:
    """Cut the work into statements that open a bounded number of relations."""
    chunk: list[Measurement] = []
    columns = relations = 0
    for measurement in measurements:
        comparable = measurement.sequence.comparable
        if any(not column.has_index and column.estimated_rows > SLOW_ROWS for column in comparable):
            yield [measurement]
            continue
        weight = 1 + sum(column.relations for column in comparable)
        if chunk and (columns + len(comparable) > COLUMNS_AT_ONCE or relations + weight > RELATIONS_AT_ONCE):
            yield chunk
            chunk, columns, relations = [], 0, 0
        chunk.append(measurement)
        columns += len(comparable)
        relations += weight
    if chunk:
        yield chunk


class _EmptyError(Exception):
    """A sequence gave no row."""

    sqlstate = REWRITING


Reader = Callable[[Session, Server, list[Measurement]], list[Measurement]]


def _read_apart(session: Session, server: Server, chunk: list[Measurement], read: Reader) -> list[Measurement]:
    """Read a chunk; where that fails, halve it until the culprits stand alone."""
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
        middle = len(chunk) // 2
        return [
            *_read_apart(session, server, chunk[:middle], read),
            *_read_apart(session, server, chunk[middle:], read),
        ]


def _read_states(session: Session, server: Server, chunk: list[Measurement]) -> list[Measurement]:
    by_function = server.version_num >= 180000 and len(chunk) > 1
    statement = _union(chunk, lambda sequence, column: _state_query(sequence, column, by_function=by_function))
    with session.transaction():
        rows = session.rows(statement)
    answers: dict[int, list[tuple[Any, ...]]] = defaultdict(list)
    for index, *answer in rows:
        answers[index].append(tuple(answer))
    read = []
    for index, measurement in enumerate(chunk):
        if index not in answers or answers[index][0][0] is None:
            # pg_get_sequence_data() answers NULL where a plain read says what is wrong.
            if len(chunk) == 1:
                raise _EmptyError("another session is rewriting the sequence")
            read += _read_apart(session, server, [measurement], _read_states)
            continue
        last_value, is_called, _ = answers[index][-1]
        furthest = tuple(value for *_, value in answers[index])
        read.append(replace(measurement, last_value=last_value, is_called=is_called, furthest=furthest))
    return read


def _read_probes(session: Session, server: Server, chunk: list[Measurement]) -> list[Measurement]:
    by_oid = {measurement.sequence.oid: measurement for measurement in chunk}
    statement = _union(chunk, lambda sequence, column: _probe_query(by_oid[sequence.oid], column))
    with session.transaction():
        rows = session.rows(statement)
    answers: dict[int, list[tuple[Any, ...]]] = defaultdict(list)
    for index, *answer in rows:
        answers[index].append(tuple(answer))
    read = []
    for index, measurement in enumerate(chunk):
        ascending = measurement.sequence.is_ascending
        collisions, probed_to, runners_up, on_steps, next_on_steps = (
            [value for value in values if value is not None] for values in zip(*answers[index], strict=True)
        )
        near, far = (min, max) if ascending else (max, min)
        furthest_on_steps = far(on_steps, default=None)
        before = [value for value in (*on_steps, *next_on_steps) if value != furthest_on_steps]
        probe = Probe(
            collision=near(collisions, default=None),
            probed_to=far(probed_to, default=None),
            runner_up=far(runners_up, default=None),
            furthest_on_steps=furthest_on_steps,
            runner_up_on_steps=far(before, default=None),
        )
        read.append(replace(measurement, probe=probe))
    return read


def _union(chunk: list[Measurement], query: Callable[[SequenceInfo, ColumnInfo], str]) -> str:
    """Return one statement that reads all columns of a chunk; the first value of a row is the place in the chunk."""
    return "\nUNION ALL ".join(
        f"SELECT {index}, {query(measurement.sequence, column)}"
        for index, measurement in enumerate(chunk)
        for column in measurement.sequence.comparable
    )


def _reach(sequence: SequenceInfo, column: ColumnInfo) -> tuple[int, int]:
    """Return the bounds within which the sequence can collide with the column's values: nothing outside can."""
    assert column.largest_value is not None and column.smallest_value is not None
    low, high = sequence.own_values
    return max(low, column.smallest_value), min(high, column.largest_value)


def _state_query(sequence: SequenceInfo, column: ColumnInfo, *, by_function: bool) -> str:
    far, rounding = ("max", "floor") if sequence.is_ascending else ("min", "ceil")
    low, high = _reach(sequence, column)
    state = f"pg_get_sequence_data({sequence.oid}::oid::regclass)" if by_function else sequence.qualified_name
    value = f"t.{column.quoted_column}"
    return (
        f"s.last_value, s.is_called, (SELECT {rounding}({far}({value})::numeric)::bigint"
        f" FROM {column.qualified_table} AS t WHERE {value} BETWEEN {_bigint(low)} AND {_bigint(high)})"
        f" FROM {state} AS s"
    )


def _probe_query(measurement: Measurement, column: ColumnInfo) -> str:
    sequence, next_value = measurement.sequence, measurement.next_value
    assert next_value is not None and measurement.furthest_value is not None
    low, high = _reach(sequence, column)
    table, value = f"{column.qualified_table} AS t", f"t.{column.quoted_column}"
    furthest, step = _bigint(measurement.furthest_value), abs(sequence.increment_by)
    # Of the remainders, because a difference can be too large for a bigint. A fraction has none of these.
    remainders = (_bigint(next_value % step), _bigint(next_value % step - step))
    on_steps = f"{value} % {_bigint(sequence.increment_by)} IN ({', '.join(remainders)})"
    if sequence.is_ascending:
        near, far, rounding, order = "min", "max", "floor", ""
        low_ahead, high_ahead = max(low, next_value), high
        before = f"{value} >= {_bigint(low)} AND {value} <"
    else:
        near, far, rounding, order = "max", "min", "ceil", "DESC"
        low_ahead, high_ahead = low, min(high, next_value)
        before = f"{value} <= {_bigint(high)} AND {value} >"
    # The next value itself may lie outside all that a bigint can hold.
    is_ahead = f"{value} BETWEEN {_bigint(low_ahead)} AND {_bigint(high_ahead)}"
    ahead = is_ahead if low_ahead <= high_ahead else "false"
    runner_up = f"(SELECT {rounding}({far}({value})::numeric) FROM {table} WHERE {before} {furthest})::bigint"
    if step == 1:
        collision = f"(SELECT {near}({value}) FROM {table} WHERE {ahead} AND {on_steps})::bigint"
        return f"{collision}, NULL::bigint, {runner_up}, NULL::bigint, NULL::bigint"
    sample = (
        f"(SELECT {value} AS value, {on_steps} AS on_steps FROM {table}"
        f" WHERE {ahead} ORDER BY {value} {order} LIMIT {PROBE_ROWS}) AS sample"
    )
    furthest_on_steps = (
        f"(SELECT {far}({value}) FROM {table} WHERE {value} BETWEEN {_bigint(low)} AND {_bigint(high)} AND {on_steps})"
    )
    return (
        f"(SELECT {near}(value) FROM {sample} WHERE on_steps)::bigint,"
        f" (SELECT {far}(value) FROM {sample})::bigint, {runner_up},"
        f" {furthest_on_steps}::bigint,"
        f" (SELECT {far}({value}) FROM {table} WHERE {before} {furthest_on_steps} AND {on_steps})::bigint"
    )


def _bigint(value: int) -> str:
    # One type for all, so that no arithmetic between them is done in a smaller one.
    return f"'{value}'::bigint"
