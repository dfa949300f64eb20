"""A connection that a caller lends or lets be opened, and that is returned unchanged."""

from __future__ import annotations

import contextlib
import contextvars
import functools
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future
from contextlib import AbstractContextManager
from typing import Any, Protocol

from airflow_seqfix.core.database.drivers import ACTIVE, IDLE, is_psycopg3
from airflow_seqfix.core.database.lookalikes import refusal
from airflow_seqfix.core.errors import (
    ArgumentError,
    ArgumentTypeError,
    ConnectionFailedError,
    SeqfixError,
    UnsupportedServerError,
    first_line,
    printable,
)
from airflow_seqfix.secrets import remember_connection

#: No PostgreSQL that speaks version 3 of the protocol is older (7.4). PgBouncer's console gives its own version.
OLDEST_PROTOCOL = 70400


class Connection(Protocol):
    """The part of a DB-API connection that is used: psycopg 3 and psycopg2 both have it."""

    @property
    def closed(self) -> Any: ...
    @property
    def info(self) -> Any: ...
    def cursor(self) -> Any: ...
    def close(self) -> None: ...


#: A connection, which stays the caller's, or a callable that opens one, which is given back after use: into its pool,
#: by the context manager that it came in, or closed.
Connectable = Connection | Callable[[], Connection | AbstractContextManager[Connection]]


def refuse_other(value: Any) -> None:
    """Refuse anything but a connection of the two drivers.

    :raises ArgumentTypeError: that says what to pass instead.
    """
    import psycopg

    psycopg2 = sys.modules.get("psycopg2.extensions")
    if isinstance(value, psycopg.Connection):
        return
    if psycopg2 is not None and isinstance(value, psycopg2.connection) and not value.async_:
        return
    raise ArgumentTypeError(refusal(value))


@contextlib.contextmanager
def opened(connect: Callable[[], Any], *, seconds: float | None = None) -> Iterator[Connection]:
    """Open a connection, and return it the way it was opened.

    :param seconds: How long to wait for it, while another thread opens it; None: as long as it takes, in this thread.
    :raises ConnectionFailedError: when it cannot be opened.
    :raises ArgumentTypeError: when the callable returns something else; that is closed.
    """
    with _failing_to_connect():
        got, connection = _entered(connect) if seconds is None else _entered_in_time(connect, seconds)
    if _is_manager(got):
        try:
            refuse_other(connection)
            yield connection
        except BaseException:
            # Raise even if the context manager suppresses it: a swallowed error would pass for a run without findings.
            got.__exit__(*sys.exc_info())
            raise
        got.__exit__(None, None, None)
        return
    try:
        refuse_other(got)
        yield got
    finally:
        _give_back(got, connect)


def _entered(connect: Callable[[], Any]) -> tuple[Any, Any]:
    """Return what the callable returns, and the connection that this, or the block that it is for, gives."""
    got = connect()
    return got, got.__enter__() if _is_manager(got) else got


def _entered_in_time(connect: Callable[[], Any], seconds: float) -> tuple[Any, Any]:
    """Do the same in a thread, which is left alone when the time is over, and gives back what comes too late."""
    entered: Future[tuple[Any, Any]] = Future()

    def run() -> None:
        try:
            result = _entered(connect)
        except BaseException as error:
            if entered.set_running_or_notify_cancel():
                entered.set_exception(error)
            return
        if entered.set_running_or_notify_cancel():
            entered.set_result(result)
            return
        with contextlib.suppress(Exception):
            if _is_manager(result[0]):
                result[0].__exit__(None, None, None)
            else:
                _give_back(result[0], connect)

    # In the caller's context: that is where a framework keeps what its connections are opened with.
    threading.Thread(target=contextvars.copy_context().run, args=(run,), name="seqfix-connect", daemon=True).start()
    try:
        return entered.result(max(0.0, seconds))
    except TimeoutError:
        if entered.cancel():
            raise ConnectionFailedError("no connection was open when run_timeout was over") from None
        return entered.result()
    finally:
        # After Ctrl-C.
        entered.cancel()


@contextlib.contextmanager
def _failing_to_connect() -> Iterator[None]:
    try:
        yield
    except SeqfixError:
        raise
    except Exception as error:
        remember_connection(error)
        raise ConnectionFailedError(first_line(error)) from error


def _is_manager(value: Any) -> bool:
    """Whether it is a context manager around a connection, such as a pool's; a connection is one around itself."""
    with contextlib.suppress(ArgumentTypeError):
        refuse_other(value)
        return False
    return hasattr(type(value), "__enter__") and hasattr(type(value), "__exit__")


def _give_back(got: Any, connect: Callable[[], Any]) -> None:
    """Put a connection back into the pool that it was taken from, and close any other."""
    while isinstance(connect, functools.partial):
        connect = connect.func
    # psycopg_pool marks its connections; of psycopg2's pools only the method that was passed is known.
    for pool in (getattr(got, "_pool", None), getattr(connect, "__self__", None)):
        put_back = getattr(pool, "putconn", None)
        if put_back is not None:
            put_back(got)
            return
    close = getattr(got, "close", None)
    if close is not None:
        close()


@contextlib.contextmanager
def borrowed(connection: Any, *, writes: bool = False) -> Iterator[None]:
    """Put a connection into autocommit, so that the only transactions are those that are begun here, and back.

    :param writes: Whether it is to be written with.
    :raises ArgumentError: when that is not possible, or would change what the caller has begun or set.
    :raises ConnectionFailedError: when it cannot be put back: then it is closed.
    """
    refuse_other(connection)
    remember_connection(connection)
    _refuse_state(connection, writes)
    with _outside_its_block(connection):
        needed = _needed(connection)
        own = {name: getattr(connection, name) for name in reversed(needed)}
        try:
            _set(connection, needed)
        except Exception as error:
            with contextlib.suppress(Exception):
                _set(connection, own)
            raise ArgumentError(f"the connection cannot be used as it is: {first_line(error)}") from error
        try:
            yield
        finally:
            if not connection.closed:
                _put_back(connection, own)


def _refuse_state(connection: Any, writes: bool) -> None:
    if connection.closed:
        raise ArgumentError("the connection is closed: pass an open one, or a callable that opens one")
    if connection.info.server_version < OLDEST_PROTOCOL:
        said = printable(str(connection.info.parameter_status("server_version")))
        raise UnsupportedServerError(
            f"the server says that its version is {said}: connect to a database, not to a pooler's admin console"
        )
    if is_psycopg3(connection) and connection.pgconn.pipeline_status:
        raise ArgumentError("the connection is in pipeline mode: call this outside of the block of its pipeline()")
    if connection.info.transaction_status == ACTIVE:
        raise ArgumentError("the connection is in the middle of a statement: read its result to the end first")
    if connection.info.transaction_status != IDLE:
        raise ArgumentError("the connection is inside a transaction: commit or roll back first")
    if writes and (connection.read_only if is_psycopg3(connection) else connection.readonly):
        raise ArgumentError("the connection was made read-only: repair on one that may write")


def _needed(connection: Any) -> dict[str, Any]:
    """Return what a run needs of a connection: attributes, in the order in which they have to be set."""
    if is_psycopg3(connection):
        # A prepared statement would outlive the run.
        return {"prepare_threshold": None, "autocommit": True}
    if connection.autocommit:
        return {}
    # With autocommit, psycopg2 turns these into settings of the session, and resets them when it is put back.
    return {"isolation_level": None, "readonly": None, "deferrable": None, "autocommit": True}


def _set(connection: Any, attributes: Mapping[str, Any]) -> None:
    for name, value in attributes.items():
        setattr(connection, name, value)


def _put_back(connection: Any, own: Mapping[str, Any]) -> None:
    try:
        _set(connection, own)
    except Exception as error:
        connection.close()
        raise ConnectionFailedError(
            f"the connection could not be put back as it was ({first_line(error)}), and is closed now: open another"
        ) from error


@contextlib.contextmanager
def _outside_its_block(connection: Any) -> Iterator[None]:
    """Leave the block `with connection:` of psycopg2, and enter it again.

    In there it begins a transaction with each statement, autocommit or not. None has begun yet, so that leaving the
    block does nothing else.
    """
    block: Any = next(
        (parent for parent in type(connection).__mro__ if parent.__module__ == "psycopg2.extensions"), None
    )
    if block is None:
        # psycopg 3, whose block is nothing but a commit at its end.
        yield
        return
    from psycopg2 import ProgrammingError

    try:
        block.__enter__(connection)
        is_inside = False
    except ProgrammingError:
        # A block cannot be entered twice: nothing else tells that it was.
        is_inside = True
    block.__exit__(connection, None, None, None)
    try:
        yield
    finally:
        if is_inside and not connection.closed:
            block.__enter__(connection)
