"""What is asked of both drivers in different words, psycopg 3 and psycopg2."""

from __future__ import annotations

import contextlib
import functools
import selectors
from collections.abc import Iterator
from typing import Any

#: The transaction status of both drivers: outside a transaction, in the middle of a statement.
IDLE, ACTIVE = 0, 1

#: psycopg2's own casters of the types that are read here.
_CASTERS = (
    *("BOOLEAN", "DECIMAL", "FLOAT", "INTEGER", "LONGINTEGER", "UNICODE"),
    *("BOOLEANARRAY", "DECIMALARRAY", "FLOATARRAY", "INTEGERARRAY", "LONGINTEGERARRAY", "ROWIDARRAY", "UNICODEARRAY"),
)


def is_psycopg3(connection: Any) -> bool:
    """Whether it is a connection of psycopg 3; else it is one of psycopg2."""
    return hasattr(connection, "pgconn")


def plain_cursor(connection: Any) -> Any:
    """Return a cursor that gives tuples of the drivers' own types, whatever the connection was set up to give."""
    if is_psycopg3(connection):
        return _plain_cursor3()(connection)
    return connection.cursor(cursor_factory=_plain_cursor2())


@functools.cache
def _plain_cursor3() -> Any:
    import psycopg
    from psycopg import adapt, postgres, rows, types
    from psycopg.types import array

    plain = adapt.AdaptersMap(types=types.TypesRegistry())
    postgres.register_default_types(plain.types)
    postgres.register_default_adapters(plain)
    # As psycopg does at import; without it arrays stay text.
    array.register_all_arrays(plain)

    class PlainCursor(psycopg.Cursor[tuple[Any, ...]]):
        def __init__(self, connection: Any) -> None:
            super().__init__(connection, row_factory=rows.tuple_row)

        @property
        def adapters(self) -> adapt.AdaptersMap:
            return plain

    return PlainCursor


@functools.cache
def _plain_cursor2() -> Any:
    from psycopg2 import ROWID, extensions

    casters = [ROWID, *(getattr(extensions, name) for name in _CASTERS)]

    # A factory has to be a subclass, and psycopg2 has no types.
    class PlainCursor(extensions.cursor):  # type: ignore[misc]
        def __init__(self, *arguments: Any, **options: Any) -> None:
            super().__init__(*arguments, **options)
            for caster in casters:
                extensions.register_type(caster, self)

    return PlainCursor


@contextlib.contextmanager
def notices(connection: Any) -> Iterator[list[Any]]:
    """Yield a list that the server's notices are put into."""
    said: list[Any] = []
    if is_psycopg3(connection):
        connection.add_notice_handler(said.append)
        try:
            yield said
        finally:
            connection.remove_notice_handler(said.append)
    else:
        kept, connection.notices = connection.notices, said
        try:
            yield said
        finally:
            connection.notices = kept


def read_to_the_end(connection: Any) -> None:
    """Read what is left of a result: psycopg 3 takes no other statement before."""
    pgconn = connection.pgconn
    with selectors.DefaultSelector() as selector:
        selector.register(pgconn.socket, selectors.EVENT_READ)
        # get_result() would wait as well, and no other thread would get a turn.
        while pgconn.is_busy() or pgconn.get_result() is not None:
            if pgconn.is_busy():
                selector.select()
                pgconn.consume_input()
