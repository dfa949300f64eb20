"""Reads that are too large for one statement: thousands of partitions, or many tables on one sequence."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from airflow_seqfix.core import queries
from airflow_seqfix.core.database.answers import Kind
from airflow_seqfix.core.database.legible import REPLACEMENT
from airflow_seqfix.core.database.session import Session
from airflow_seqfix.core.errors import UnexpectedAnswerError
from airflow_seqfix.core.model import ColumnInfo, SequenceInfo
from airflow_seqfix.core.model.quoted import TableReference

#: How many relations one statement may open, and so lock until it ends. The server's lock table, shared by all
#: sessions, holds about 12,000 at default settings.
RELATIONS_AT_ONCE = 400
#: How many columns one statement may read. On 13, planning time grows with the square.
COLUMNS_AT_ONCE = 50

Item = TypeVar("Item")


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """A table that holds rows of a table."""

    #: What to write after FROM.
    name: TableReference
    relations: int
    may_read: bool


def columns_and_relations(sequence: SequenceInfo) -> tuple[int, int]:
    """Return how many columns a read of the sequence looks at, and how many relations that opens."""
    return len(sequence.comparable), 1 + sum(column.relations for column in sequence.comparable)


def is_wide(sequence: SequenceInfo) -> bool:
    """Whether one statement would open too much."""
    columns, relations = columns_and_relations(sequence)
    return columns > COLUMNS_AT_ONCE or relations > RELATIONS_AT_ONCE


def cut(
    items: Iterable[Item], size: Callable[[Item], tuple[int, int]], *, most: tuple[int, int] | None = None
) -> Iterator[list[Item]]:
    """Cut work into pieces that are bounded in two numbers.

    :param size: Returns both numbers for one item.
    :param most: How much of both a piece may hold; None: how many columns one statement may read, and how many
        relations it may open.
    """
    most = most or (COLUMNS_AT_ONCE, RELATIONS_AT_ONCE)
    together: list[Item] = []
    first = second = 0
    for item in items:
        more = size(item)
        if together and (first + more[0] > most[0] or second + more[1] > most[1]):
            yield together
            together, first, second = [], 0, 0
        together.append(item)
        first += more[0]
        second += more[1]
    if together:
        yield together


def read_in_slices(
    session: Session,
    sequence: SequenceInfo,
    query: Callable[[ColumnInfo, TableReference], str],
    pause: Callable[[], None],
    **kinds: Kind,
) -> list[Sequence[Any]]:
    """Run `query` for each part of each column, and return the rows, each with the place of its column before it.

    :param pause: Called before each statement.
    :param kinds: The types of what it answers.

    To be called in a transaction with one snapshot: else a row that moves to a partition that was read before would be
    seen in neither. Locks are given back after each slice, which is what rolling back to a savepoint does.
    """
    parts = [
        (place, column, part) for place, column in enumerate(sequence.comparable) for part in _parts(session, column)
    ]
    rows: list[Sequence[Any]] = []
    session.run("SAVEPOINT slice")
    for together in cut(parts, lambda item: (1, item[2].relations)):
        session.check_deadline()
        pause()
        answer = session.rows(
            "\nUNION ALL ".join(f"SELECT {place}, {query(column, part.name)}" for place, column, part in together),
            place=int,
            **kinds,
        )
        if sorted(row[0] for row in answer) != sorted(place for place, _, _ in together):
            raise UnexpectedAnswerError("other rows than were asked for")
        rows += answer
        session.run("ROLLBACK TO SAVEPOINT slice")
    return rows


def _parts(session: Session, column: ColumnInfo) -> list[Part]:
    whole = Part(name=TableReference(column.qualified_table), relations=column.relations, may_read=True)
    if column.relations <= RELATIONS_AT_ONCE:
        return [whole]
    listed = session.fetch(
        queries.get("partitions").format(table_oid=column.table_oid, column_number=column.column_number), Part
    )
    # Whoever may read the table may not have the rights to read its partitions by their names, or not the letters.
    by_name = all(part.may_read and REPLACEMENT not in part.name for part in listed)
    return listed if listed and by_name else [whole]
