"""A connection through Airflow's PostgresHook, and what to say when there is none."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import threading
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from airflow_seqfix.task.sdk import AirflowFailException

if TYPE_CHECKING:
    from airflow.providers.postgres.hooks.postgres import PostgresHook

    from airflow_seqfix.core import Connection, ConnectionFailedError
    from airflow_seqfix.core.database.clock import Line

#: What ends a task: told to stop, `execution_timeout`, Ctrl-C.
ENDING = frozenset({signal.SIGTERM, signal.SIGALRM, signal.SIGINT})

#: Seconds for the server to end a statement of a cancelled task, before the line is cut.
SECONDS_TO_STOP = 2.0


@contextlib.contextmanager
def open_connection(
    conn_id: str, database: str | None, hook_params: dict[str, Any] | None, airflow_connection: Any = None
) -> Iterator[Connection]:
    """Open a connection as `connect()` does, and close it in the end."""
    with contextlib.closing(connect(conn_id, database, hook_params, airflow_connection)) as opened:
        yield opened


def connect(
    conn_id: str, database: str | None, hook_params: dict[str, Any] | None, airflow_connection: Any = None
) -> Connection:
    """Open a connection.

    :param airflow_connection: What is stored under `conn_id`, where it was fetched before: in the triggerer a thread
        cannot fetch it.
    :raises ConnectionFailedError: when none can be opened. Airflow retries: it is not an Airflow exception.
    :raises AirflowFailException: when it is not a PostgreSQL connection.
    """
    from airflow_seqfix.core import ConnectionFailedError
    from airflow_seqfix.secrets import MASK, remember, remember_connection, remember_fields, shown
    from airflow_seqfix.task.sdk import AirflowNotFoundException

    try:
        hook = make_hook(conn_id, database, hook_params, airflow_connection)
        stored = hook.connection
    except AirflowNotFoundException as error:
        raise not_defined(conn_id) from error
    if stored.conn_type not in ("postgres", "postgresql"):
        raise AirflowFailException(
            f"conn_id={conn_id!r} is of type {stored.conn_type!r}: a connection of type postgres is needed"
        )
    remember(stored.password)
    remember_fields(stored.extra_dejson.items())
    try:
        opened: Any = hook.get_conn()
    except Exception as error:
        remember_connection(error)
        said = " ".join(dict.fromkeys(line.strip() for line in str(error).splitlines() if line.strip()))
        where = (
            f"host={shown(stored.host)} port={stored.port or 5432} "
            f"dbname={shown(database or stored.schema)} user={shown(stored.login, may_hold='@')}"
        )
        # libpq quotes what it cannot read, which may be a part of a password.
        reason = said if MASK not in where else "one of its fields holds a part of a URI; write each into its own field"
        raise ConnectionFailedError(f"conn_id={conn_id!r} does not connect ({where}): {reason}") from None
    connection: Connection = opened
    return connection


def not_defined(conn_id: str) -> ConnectionFailedError:
    """Return what is raised where Airflow knows no such connection, in the worker and in the triggerer alike."""
    from airflow_seqfix.core import ConnectionFailedError

    if f"AIRFLOW_CONN_{conn_id.upper()}" in os.environ:
        # Airflow logs what is wrong with it, and goes on as if it were not there.
        return ConnectionFailedError(
            f"conn_id={conn_id!r}: AIRFLOW_CONN_{conn_id.upper()} is neither a URI nor JSON that Airflow can read"
        )
    return ConnectionFailedError(
        f"conn_id={conn_id!r} is not defined: add it with `airflow connections add`, on the page Admin, "
        f"Connections, or as AIRFLOW_CONN_{conn_id.upper()}"
    )


def make_hook(
    conn_id: str, database: str | None, hook_params: dict[str, Any] | None, airflow_connection: Any = None
) -> PostgresHook:
    """Return Airflow's hook, not connected."""
    from airflow.providers.postgres.hooks.postgres import PostgresHook

    arguments: dict[str, Any] = {"postgres_conn_id": conn_id, "database": database, **(hook_params or {})}
    if airflow_connection is not None:
        arguments["connection"] = airflow_connection
    return PostgresHook(**arguments)


@contextlib.contextmanager
def heard_while_waiting(connection: Connection) -> Iterator[None]:
    """Cancel the statement that is running as soon as a signal arrives.

    Python runs no signal handler before psycopg2 has the server's answer, be it an hour later: neither Airflow's
    `on_kill` nor its `execution_timeout` would be heard. The number of the signal can be read at once, by a thread.
    psycopg 3 looks up from time to time by itself.
    """
    if hasattr(connection, "pgconn") or threading.current_thread() is not threading.main_thread():
        yield
        return
    reader, writer = socket.socketpair()
    writer.setblocking(False)
    from airflow_seqfix.core.database.clock import Line

    line = Line(connection)
    listener = threading.Thread(target=_listen, args=(reader, line), daemon=True)
    listener.start()
    before = signal.set_wakeup_fd(writer.fileno(), warn_on_full_buffer=False)
    try:
        yield
    finally:
        signal.set_wakeup_fd(before)
        writer.close()
        listener.join()
        reader.close()
        line.close()


def _listen(reader: socket.socket, line: Line) -> None:
    while heard := reader.recv(64):
        if ENDING & set(heard):
            line.cancel()
            # The end of what waits for the server closes the other side.
            reader.settimeout(SECONDS_TO_STOP)
            with contextlib.suppress(TimeoutError):
                while reader.recv(64):
                    pass
                return
            line.cut()
            return


class Slot:
    """Where the connections that are open lie at hand for whoever ends their work: a signal, or another thread."""

    def __init__(self) -> None:
        self._lines: list[Line] = []
        self._is_cancelled = False

    @contextlib.contextmanager
    def hold(self, connection: Connection) -> Iterator[None]:
        """Keep a connection here while it is used.

        :raises ConnectionFailedError: when the work was ended while the connection was being opened.
        """
        from airflow_seqfix.core import ConnectionFailedError
        from airflow_seqfix.core.database.clock import Line

        line = Line(connection)
        self._lines.append(line)
        try:
            # Append, then check; cancel() sets its flag first. So one of both sees the other.
            if self._is_cancelled:
                raise ConnectionFailedError("cancelled while the connection was being opened")
            yield
        finally:
            self._lines.remove(line)
            line.close()

    def cancel(self) -> None:
        """Cancel the statements that are running, which would go on and keep their locks, and let no other follow.

        The connections are not closed here: whoever waits for the server's answer would be left without the memory
        that it is read into. It finds the line dead instead, and closes.
        """
        self._is_cancelled = True
        lines = list(self._lines)
        cancellers = [threading.Thread(target=line.cancel, daemon=True) for line in lines]
        for canceller in cancellers:
            canceller.start()
        for line, canceller in zip(lines, cancellers, strict=True):
            canceller.join(SECONDS_TO_STOP)
            line.cut()
