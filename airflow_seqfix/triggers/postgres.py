"""The trigger that looks for a deferred sensor."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

from airflow.triggers.base import BaseTrigger, TriggerEvent

from airflow_seqfix.task.connection import Slot

if TYPE_CHECKING:
    from airflow_seqfix.core import Report

#: The version of the arguments, which are stored while a task is deferred: arguments are added, never renamed.
WIRE_VERSION = 1


class PostgresSequenceTrigger(BaseTrigger):
    """Look at intervals until every sequence is in sync, or the deadline is over.

    :param conn_id: The PostgreSQL connection.
    :param database: Another database than the connection's.
    :param hook_params: More arguments for `PostgresHook`.
    :param options: What `airflow_seqfix.core.check` is given, in JSON types.
    :param poke_interval: Seconds between two looks. The worker has just looked, so it starts with a wait.
    :param deadline: When to give up, in seconds since the epoch.
    :param version: The version of these arguments.
    :param later: Arguments of a version that is newer than this one.
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
        **later: Any,
    ) -> None:
        if later and version <= WIRE_VERSION:
            raise TypeError(f"version {version} of this trigger has no {', '.join(sorted(later))}: leave it out")
        super().__init__()  # type: ignore[no-untyped-call]
        self.conn_id = conn_id
        self.database = database
        self.hook_params = hook_params
        self.options = options
        self.poke_interval = poke_interval
        self.deadline = deadline
        self.version = version
        self.later = later
        self._slot = Slot()

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
                **self.later,
            },
        )

    async def run(self) -> AsyncIterator[TriggerEvent]:
        """Yield one event: in_sync, timeout or error. What becomes of the task, the sensor decides."""
        from airflow_seqfix.core import SeqfixError
        from airflow_seqfix.task.errors import to_event

        try:
            if self.version > WIRE_VERSION:
                raise SeqfixError(
                    f"a newer airflow-seqfix deferred the task: its trigger is of version {self.version}, and this "
                    f"triggerer knows {WIRE_VERSION}; install the same airflow-seqfix here, and clear the task"
                )
            while time.time() < self.deadline:
                await asyncio.sleep(min(self.poke_interval, max(0.0, self.deadline - time.time())))
                if time.time() >= self.deadline:
                    break
                report = await self._look()
                if report.ok:
                    yield TriggerEvent({"status": "in_sync", "deadline": self.deadline})
                    return
                self.log.info("%s", report.message)
            yield TriggerEvent({"status": "timeout", "deadline": self.deadline})
        except Exception as error:
            self.log.exception("Looking failed")
            yield TriggerEvent({"status": "error", "deadline": self.deadline, **to_event(error)})

    async def _look(self) -> Report:
        """Check in a thread of its own: a slow query must not hold up the other triggers."""
        from airflow.providers.common.compat.sdk import BaseHook

        # In the triggerer a connection can only be fetched on the event loop.
        fetch = getattr(BaseHook, "aget_connection", None)
        airflow_connection = await fetch(self.conn_id) if fetch else BaseHook.get_connection(self.conn_id)
        thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="seqfix")
        try:
            return await asyncio.get_running_loop().run_in_executor(thread, self._check, airflow_connection)
        except asyncio.CancelledError:
            # Not awaited, and not on the loop: the others must not wait for the server's answer.
            threading.Thread(target=self._slot.cancel, name="seqfix-cancel", daemon=True).start()
            raise
        finally:
            thread.shutdown(wait=False)

    def _check(self, airflow_connection: Any) -> Report:
        from airflow_seqfix import core
        from airflow_seqfix.task.connection import open_connection

        where = (self.conn_id, self.database, self.hook_params, airflow_connection)
        with open_connection(*where) as connection, self._slot.hold(connection):
            return core.check(connection, **self.options)
