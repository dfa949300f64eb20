"""Probes of a few sequences: their first collision, and the values at the far end."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from typing import Any

from airflow_seqfix.core.database.answers import Kind
from airflow_seqfix.core.database.session import Session
from airflow_seqfix.core.errors import UnexpectedAnswerError, printable
from airflow_seqfix.core.measure.column_sql import free_in_a_row_query, probe_query
from airflow_seqfix.core.measure.partitions import is_wide, read_in_slices
from airflow_seqfix.core.measure.patience import Patience
from airflow_seqfix.core.model import ColumnInfo, Look, Measurement, Probe, Server

#: A numeric without digits after its point, but for zeros.
INTEGER = re.compile(r"-?[0-9]{1,1000}(\.0+)?")

PROBE: dict[str, Kind] = {
    "collision": int | None,
    "probed_to": int | None,
    "furthest": str | None,
    "beyond": str | None,
    "nearest": int | None,
}

#: Returns the next probe of a sequence, given its measurement; an empty one: none.
LookUp = Callable[[Measurement], Look]


def read_probes(
    session: Session, server: Server, chunk: list[Measurement], *, asked: Mapping[int, Look], patience: Patience
) -> list[Measurement]:
    """Look up what is asked for, and return the measurements with what was found added.

    :param asked: By the OIDs of the sequences.
    """
    if any(any(asked[measurement.sequence.oid].free) for measurement in chunk):
        return [_with_free_values(session, m, asked[m.sequence.oid], patience) for m in chunk]

    def query(measurement: Measurement, column: ColumnInfo, table: str | None = None) -> str:
        assert measurement.next_value is not None
        return probe_query(
            measurement.sequence,
            column,
            table or column.qualified_table,
            measurement.next_value,
            asked[measurement.sequence.oid],
        )

    if is_wide(chunk[0].sequence):
        with patience.reading(session, [chunk[0].sequence]) as pause, session.transaction(one_snapshot=True):
            rows = read_in_slices(session, chunk[0].sequence, partial(query, chunk[0]), pause, **PROBE)
        answers = {0: [answer for _, *answer in rows]}
    else:
        answers = ask(session, chunk, query, patience, **PROBE)
        if any(len(answers[place]) != len(m.sequence.comparable) for place, m in enumerate(chunk)):
            raise UnexpectedAnswerError("fewer rows than were asked for")
    return [
        replace(measurement, probe=_probe(measurement, asked[measurement.sequence.oid], answers[index]))
        for index, measurement in enumerate(chunk)
    ]


def _probe(measurement: Measurement, look: Look, answers: list[list[Any]]) -> Probe:
    """Put together what was looked up in several columns, or in several parts of one."""
    sequence, next_value = measurement.sequence, measurement.next_value
    assert next_value is not None
    is_ascending = sequence.is_ascending
    near, far = (min, max) if is_ascending else (max, min)
    collisions, ends, furthest, beyond, nearest = (
        [value for value in values if value is not None] for values in zip(*answers, strict=True)
    )
    collision = near(collisions, default=None)
    # If no probe ended early, all values that can be in the way were read; otherwise the rest is unknown.
    in_the_way = [
        value
        for column, value in zip(sequence.comparable, measurement.furthest, strict=True)
        if column.is_unique and value is not None and near(value, next_value) == next_value
    ]
    end = near(ends, default=far(in_the_way, default=None))
    if ends and collision is not None and near(collision, *ends) != collision:
        collision = None
    values = sorted({integer(value) for text in furthest for value in text.split()}, reverse=is_ascending)
    return Probe(
        collision=collision,
        probed_to=end if look.collision else None,
        furthest=tuple(values[: look.furthest]) if look.furthest else None,
        beyond=far(map(integer, beyond), default=None),
        nearest=near(nearest, default=None),
    )


def _with_free_values(session: Session, measurement: Measurement, look: Look, patience: Patience) -> Measurement:
    sequence = measurement.sequence
    # One partition's free value may be taken in the next: a table in slices is not read.
    if is_wide(sequence):
        return measurement
    statement = "\nUNION ALL ".join(
        f"SELECT {place}, {free_in_a_row_query(sequence, sequence.comparable[place], *span)}"
        for place, span in enumerate(look.free)
        if span is not None
    )
    longest: list[int | None] = [None] * len(look.free)
    with patience.reading(session, [sequence]):
        rows = session.rows_apart(statement, place=int, longest=str)
    for place, text in rows:
        if not 0 <= place < len(longest):
            raise UnexpectedAnswerError(f"place = {place}")
        longest[place] = max(0, integer(text))
    return replace(measurement, probe=replace(measurement.probe or Probe(), free_in_a_row=tuple(longest)))


def integer(text: str) -> int:
    """Return a number that may be no bigint: a text, because a connection that was lent need not know more."""
    if not INTEGER.fullmatch(text):
        raise UnexpectedAnswerError(f"value = {printable(text[:60])}")
    return int(text.split(".")[0])


def ask(
    session: Session,
    chunk: list[Measurement],
    query: Callable[[Measurement, ColumnInfo], str],
    patience: Patience,
    **kinds: Kind,
) -> dict[int, list[list[Any]]]:
    """Read all columns of a chunk in one transaction of one statement; return the rows by the place in the chunk.

    :param kinds: The types of what `query` answers.
    """
    statement = "\nUNION ALL ".join(
        f"SELECT {index}, {query(measurement, column)}"
        for index, measurement in enumerate(chunk)
        for column in measurement.sequence.comparable
    )
    answers: dict[int, list[list[Any]]] = defaultdict(list)
    with patience.reading(session, [measurement.sequence for measurement in chunk]):
        rows = session.rows_apart(statement, index=int, **kinds)
    for index, *answer in rows:
        if not 0 <= index < len(chunk):
            raise UnexpectedAnswerError(f"index = {index}")
        answers[index].append(answer)
    return answers
