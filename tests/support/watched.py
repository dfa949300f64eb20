"""A connection that notes what goes through it: the statements, and how many relations each of them leaves locked.

Nothing is put in the server's place: every call goes on to a real connection of psycopg2.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

#: Relations of users: OIDs below belong to the catalogs.
LOCKED = """
    SELECT count(DISTINCT relation) FROM pg_catalog.pg_locks
     WHERE pid = pg_catalog.pg_backend_pid() AND locktype = 'relation' AND relation >= 16384
"""


def reads_a_table(statement: str) -> bool:
    """Whether it looks at the values of columns that sequences feed."""
    return re.search(r"\bAS t\b(?! \()", statement) is not None


class Watched:
    """A connection of psycopg2, looked at."""

    def __init__(self, connection: Any) -> None:
        self._connection = connection
        self.statements: list[str] = []
        #: How many relations were locked after each statement.
        self.locked: list[int] = []
        #: How many rows the server has answered with.
        self.rows = 0
        #: Called with each statement before it is sent.
        self.before: Callable[[str], None] = lambda statement: None
        #: Called with each statement after it was executed.
        self.after: Callable[[str], None] = lambda statement: None

    def __getattr__(self, name: str) -> Any:
        return getattr(self._connection, name)

    def __setattr__(self, name: str, value: Any) -> None:
        own = ("_connection", "statements", "locked", "rows", "before", "after")
        object.__setattr__(self if name in own else self._connection, name, value)

    @property
    def __class__(self) -> type:
        """It passes for what it wraps, as the proxies of tracing libraries do."""
        return type(self._connection)

    @property
    def reads(self) -> list[str]:
        """The statements that read users' tables."""
        return [statement for statement in self.statements if reads_a_table(statement)]

    def cursor(self, *args: Any, **options: Any) -> WatchedCursor:
        return WatchedCursor(self, self._connection.cursor(*args, **options))


class WatchedCursor:
    def __init__(self, watched: Watched, cursor: Any) -> None:
        self._watched = watched
        self._cursor = cursor

    def __getattr__(self, name: str) -> Any:
        return getattr(self._cursor, name)

    def __iter__(self) -> Iterator[Any]:
        return iter(self._cursor)

    def execute(self, statement: str) -> None:
        self._watched.before(statement)
        self._watched.statements.append(statement)
        self._cursor.execute(statement)
        self._watched.after(statement)
        self._watched.rows += max(0, self._cursor.rowcount)
        with self._watched._connection.cursor() as other:
            other.execute(LOCKED)
            self._watched.locked.append(other.fetchone()[0])
