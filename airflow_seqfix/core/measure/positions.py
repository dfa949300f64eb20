"""Reads the positions of sequences alone, without what their columns hold."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from airflow_seqfix.core.database.session import Session
from airflow_seqfix.core.database.sessions import Sessions
from airflow_seqfix.core.measure.measure import STATE
from airflow_seqfix.core.measure.partitions import cut
from airflow_seqfix.core.measure.together import EmptyError, read_singly
from airflow_seqfix.core.model import Measurement, SequenceInfo, Server
from airflow_seqfix.core.obstacles import forbidden


def positions(sessions: Sessions, server: Server, sequences: list[SequenceInfo]) -> Iterator[list[Measurement]]:
    """Read the position of each of `sequences` alone; an unreadable one does not affect the others."""
    obstacles = [(sequence, forbidden(replace(sequence, columns=()), server)) for sequence in sequences]
    yield [Measurement(sequence=sequence, obstacle=obstacle) for sequence, obstacle in obstacles if obstacle]
    unread = [Measurement(sequence=sequence) for sequence, obstacle in obstacles if obstacle is None]
    for chunk in cut(unread, lambda measurement: (1, 1)):
        yield read_singly(sessions.session, server, chunk, _read_positions)


def _read_positions(session: Session, server: Server, chunk: list[Measurement]) -> list[Measurement]:
    by_function = server.has_state_function and len(chunk) > 1
    states = [
        f"pg_get_sequence_data({m.sequence.oid}::oid::regclass)" if by_function else m.sequence.qualified_name
        for m in chunk
    ]
    statement = "\nUNION ALL ".join(
        f"SELECT {place}, s.last_value, s.is_called FROM {state} AS s" for place, state in enumerate(states)
    )
    found = {place: state for place, *state in session.rows_apart(statement, index=int, **STATE)}
    if len(chunk) == 1 and (0 not in found or None in found[0]):
        raise EmptyError("another session is rewriting the sequence")
    read: list[Measurement] = []
    for place, measurement in enumerate(chunk):
        last_value, is_called = found.get(place, (None, None))
        if last_value is None:
            # Read alone, by name: the server's error then says what is wrong.
            read += read_singly(session, server, [measurement], _read_positions)
        else:
            read.append(replace(measurement, last_value=last_value, is_called=is_called))
    return read
