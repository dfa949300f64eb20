"""The rows of a query as objects, checked before they are believed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Generic, TypeVar

from airflow_seqfix.core.database.answers import Answer, Kind

Row = TypeVar("Row")

#: The size of the interning table of names and numbers.
VALUES_KEPT = 1_000


class TypedRows(Generic[Row]):
    """Rows of a query, each given to `row_type` by the names of its columns."""

    def __init__(self, row_type: Callable[..., Row], kinds: Mapping[str, Kind]) -> None:
        """Take the type of each column by its name, as annotations say it."""
        self.rows: list[Row] = []
        self._row_type = row_type
        self._answer = Answer(kinds)
        # Thousands of rows share a few names, types and limits.
        self._known: dict[Any, Any] = {}

    def take(self, cursor: Any) -> int:
        """Add the rows that a cursor has left, and return how many those are.

        :raises UnexpectedAnswerError: when their columns or values are others than asked for.
        """
        names = [column[0] for column in cursor.description or ()]
        self._answer.expect(names)
        before, known = len(self.rows), self._known
        for row in cursor:
            self._answer.check(row)
            if len(known) < VALUES_KEPT:
                known.update((value, value) for value in row if type(value) in (str, int))
            # The very type, because True is 1.
            shared = [known.get(value, value) if type(value) in (str, int) else value for value in row]
            self.rows.append(self._row_type(**dict(zip(names, shared, strict=True))))
        return len(self.rows) - before
