"""What a server answers, checked before it is believed: names, types, NULLs, and what is to be SQL.

It may be no PostgreSQL, or one that somebody has made up for the occasion.
"""

from __future__ import annotations

import types
import typing
from collections.abc import Callable, Iterable, Mapping, Sequence
from enum import Enum
from typing import Any

from airflow_seqfix.core.errors import UnexpectedAnswerError, printable
from airflow_seqfix.core.model.quoted import PATTERNS

#: How much of a value an error repeats.
SHOWN = 60

#: A column's type: a class, an enum for its values, a list of one, one of the kinds of SQL text; or None besides.
Kind = Any


def only(rows: Sequence[Sequence[Any]]) -> Sequence[Any]:
    """Return the one row of a statement that has one.

    :raises UnexpectedAnswerError: when there are more, or none.
    """
    if len(rows) != 1:
        raise UnexpectedAnswerError(f"{len(rows)} rows instead of one")
    return rows[0]


class Answer:
    """What the rows of a query have to look like."""

    def __init__(self, kinds: Mapping[str, Kind]) -> None:
        """Take the type of each column by its name, as annotations say it."""
        self._checks: dict[str, tuple[frozenset[type], Callable[[Any], bool] | None]] = {
            name: _check(kind) for name, kind in kinds.items()
        }
        self._known: set[tuple[type, ...]] = set()
        self._deep: list[tuple[int, Callable[[Any], bool]]] = []
        self._names: Sequence[str] = ()

    def expect(self, names: Sequence[str]) -> None:
        """Take the names of the columns that the server sends.

        :raises UnexpectedAnswerError: when others were asked for.
        """
        if sorted(names) != sorted(self._checks):
            raise UnexpectedAnswerError(f"the columns {_shown(', '.join(names))} instead of {', '.join(self._checks)}")
        self._names = names
        checks = (self._checks[name][1] for name in names)
        self._deep = [(place, check) for place, check in enumerate(checks) if check is not None]

    def check(self, row: Sequence[Any]) -> None:
        """Look at one row.

        :raises UnexpectedAnswerError: when a value is none of its column's.
        """
        found = tuple(map(type, row))
        if found not in self._known:
            if len(row) != len(self._names):
                raise UnexpectedAnswerError(f"{len(row)} columns instead of {len(self._names)}")
            for name, value in zip(self._names, row, strict=True):
                if type(value) not in self._checks[name][0]:
                    self._refuse(name, value)
            self._known.add(found)
        for place, check in self._deep:
            if row[place] is not None and not check(row[place]):
                self._refuse(self._names[place], row[place])

    def _refuse(self, name: str, value: Any) -> typing.NoReturn:
        raise UnexpectedAnswerError(f"{name} = {_shown(repr(value))}")


def checked(rows: Iterable[Sequence[Any]], **kinds: Kind) -> list[Sequence[Any]]:
    """Return rows, each looked at.

    :raises UnexpectedAnswerError: when a value is none of its column's.
    """
    answer = Answer(kinds)
    answer.expect(list(kinds))
    listed = list(rows)
    for row in listed:
        answer.check(row)
    return listed


def _check(kind: Kind) -> tuple[frozenset[type], Callable[[Any], bool] | None]:
    """Return the classes of the values, and what else to look at."""
    # X | None is the one, NewType | None the other.
    origin: Any = typing.get_origin(kind)
    if origin in (types.UnionType, typing.Union):
        parts = [_check(part) for part in typing.get_args(kind)]
        return frozenset().union(*(classes for classes, _ in parts)), next((deep for _, deep in parts if deep), None)
    if isinstance(kind, type) and issubclass(kind, Enum):
        return frozenset({str}), frozenset(map(str, kind)).__contains__
    if kind in PATTERNS:
        pattern = PATTERNS[kind]
        return frozenset({str}), lambda text: pattern.fullmatch(text) is not None
    if isinstance(kind, types.GenericAlias):
        (element,) = typing.get_args(kind)
        classes, deep = _check(element)
        return frozenset({list}), lambda values: all(
            type(value) in classes and (deep is None or deep(value)) for value in values
        )
    return frozenset({kind}), None


def _shown(text: str) -> str:
    return printable(text if len(text) <= SHOWN else f"{text[:SHOWN]}…")
