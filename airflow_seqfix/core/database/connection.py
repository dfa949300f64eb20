"""A connection that a caller lends, or lets be opened, and that is given back as it came."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from typing import Any, Protocol

from airflow_seqfix.core.errors import ArgumentError, ConnectionFailedError, SeqfixError, first_line

#: What both drivers call the state of a connection outside a transaction, and in the middle of a statement.
IDLE, ACTIVE = 0, 1


class Connection(Protocol):
    """What is needed of a DB-API connection: psycopg 3 and psycopg2 both have it."""

    @property
    def closed(self) -> Any: ...
    @property
    def info(self) -> Any: ...
    def cursor(self) -> Any: ...
    def close(self) -> None: ...


#: A connection, which stays the caller's, or a callable that opens one, which is closed after use.
Connectable = Connection | Callable[[], Connection]


def open_connection(connect: Callable[[], Connection]) -> Connection:
    """Open a connection.

    :raises ConnectionFailedError: when that fails.
    """
    try:
        return connect()
    except SeqfixError:
        raise
    except Exception as error:
        raise ConnectionFailedError(first_line(error)) from error


@contextlib.contextmanager
def borrowed(connection: Any) -> Iterator[None]:
    """Put a connection into autocommit, so that the only transactions are those that are begun here, and back.

    :raises ArgumentError: when the connection is closed, or inside a transaction.
    """
    if connection.closed:
        raise ArgumentError("the connection is closed: pass an open one, or a callable that opens one")
    if connection.info.transaction_status != IDLE:
        raise ArgumentError("the connection is inside a transaction: commit or roll back first")
    autocommit = connection.autocommit
    prepare_threshold = getattr(connection, "prepare_threshold", None)
    connection.autocommit = True
    if prepare_threshold is not None:
        connection.prepare_threshold = None
    try:
        yield
    finally:
        if not connection.closed:
            with contextlib.suppress(Exception):
                if prepare_threshold is not None:
                    connection.prepare_threshold = prepare_threshold
                connection.autocommit = autocommit
