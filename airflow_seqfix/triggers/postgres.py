"""The trigger that looks for a deferred sensor."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Any

from airflow.triggers.base import BaseTrigger, TriggerEvent

if TYPE_CHECKING:
    from airflow_seqfix.core import Connection, Report

#: The version of the arguments, which are stored while a task is deferred: arguments are added, never renamed.
WIRE_VERSION = 1


class PostgresSequenceTrigger(BaseTrigger):
    """Look at intervals until every sequence is in sync, or the deadline is over.

    :param conn_id: The PostgreSQL connection.
    :param database: Another database than the connection's.
    :param hook_params: More arguments for `PostgresHook`.
    :param options: What `airflow_seqfix.core.check` is given, in JSON types.
    :param poke_interval: Seconds between two looks.
    :param deadline: When to give up, in seconds since the epoch.
    :param version: The version of these arguments.
    """

    def __init__(
        self,
        *,
        conn_id: str,
        database: str | None,
        hook_params: dict[str, Any] | None,
        options: dict[str, Any],
        poke_interval: float,
        deadline: float,
        version: int = WIRE_VERSION,
    ) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.conn_id = conn_id
        self.database = database
        self.hook_params = hook_params
        self.options = options
        self.poke_interval = poke_interval
        self.deadline = deadline
        self.version = version
        self._connection: Connection | None = None
        self._is_cancelled = False

    def serialize(self) -> tuple[str, dict[str, Any]]:
        """Return what the triggerer makes this trigger from."""
        return (
            "airflow_seqfix.triggers.postgres.PostgresSequenceTrigger",
            {
                "conn_id": self.conn_id,
                "database": self.database,
                "hook_params": self.hook_params,
                "options": self.options,
                "poke_interval": self.poke_interval,
                "deadline": self.deadline,
                "version": self.version,
            },
        )

    async def run(self) -> AsyncIterator[TriggerEvent]:
        """Yield one event: in_sync, timeout or error."""
        from airflow_seqfix.render.message import message

        try:
            while True:
                report = await self._look()
                if not report.failing:
                    yield TriggerEvent({"status": "in_sync", "deadline": self.deadline})
                    return
                self.log.info("%s", message(report))
                if time.time() + self.poke_interval > self.deadline:
                    yield TriggerEvent({"status": "timeout", "message": message(report)})
                    return
                await asyncio.sleep(self.poke_interval)
        except Exception as error:
            self.log.exception("Looking failed")
            yield TriggerEvent({"status": "error", "class": type(error).__name__, "message": str(error)})

    async def _look(self) -> Report:
        """Check in a thread of its own: a slow query must not hold up the other triggers."""
        from airflow.providers.common.compat.sdk import BaseHook

        from airflow_seqfix.connection import cut

        # In the triggerer a connection can only be fetched on the event loop.
        fetch = getattr(BaseHook, "aget_connection", None)
        airflow_connection = await fetch(self.conn_id) if fetch else BaseHook.get_connection(self.conn_id)
        try:
            return await asyncio.to_thread(self._check, airflow_connection)
        except asyncio.CancelledError:
            # Not awaited, and not on the loop: the others must not wait for the server's answer.
            self._is_cancelled = True
            asyncio.get_running_loop().run_in_executor(None, cut, self._connection)
            raise

    def _check(self, airflow_connection: Any) -> Report:
        from airflow_seqfix import core
        from airflow_seqfix.connection import open_connection

        with open_connection(self.conn_id, self.database, self.hook_params, airflow_connection) as connection:
            self._connection = connection
            try:
                # It may have come while the connection was being opened.
                if self._is_cancelled:
                    raise asyncio.CancelledError
                return core.check(connection, **self.options)
            finally:
                self._connection = None
