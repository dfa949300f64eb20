"""The trigger that looks for a deferred sensor."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import AsyncIterator
from typing import Any

from airflow.triggers.base import BaseTrigger, TriggerEvent

from airflow_seqfix.task.connection import Slot
from airflow_seqfix.triggers.looking import look

#: The version of the arguments, which are stored while a task is deferred: arguments are added, never renamed.
WIRE_VERSION = 1
#: The first wait and those after it, as shares of `poke_interval`: the sensors of a triggerer that is started again do
#: not all look at the same moment.
FIRST_WAIT, WAIT = (0.25, 1.0), (0.9, 1.1)


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
        """Yield one event: in_sync, timeout or error. What becomes of the task, the sensor decides.

        A look that fails ends the wait only where no other look would succeed; else the last one counts, at the
        deadline.
        """
        wait = self.poke_interval * random.uniform(*FIRST_WAIT)  # noqa: S311 - jitter
        failed: Exception | None = None
        logged = ""
        try:
            self._refuse_newer()
            while (left := self.deadline - time.time()) > 0:
                await asyncio.sleep(min(wait, left))
                if wait >= left:
                    break
                wait = self.poke_interval * random.uniform(*WAIT)  # noqa: S311 - jitter
                try:
                    looked = await self._look()
                except Exception as error:
                    failed = self._worth_another(error)
                    continue
                if looked is None:
                    # The worker takes the last look.
                    self.log.warning("No turn before the deadline: raise [seqfix] looks_at_once, or poke_interval")
                    break
                failed, (is_ok, said) = None, looked
                if is_ok:
                    yield TriggerEvent({"status": "in_sync", "deadline": self.deadline})
                    return
                # The whole of it where it is new.
                self.log.info("%s", said if said != logged else f"As at the last look: {said.splitlines()[0]}")
                logged = said
            if failed is not None:
                raise failed
            yield TriggerEvent({"status": "timeout", "deadline": self.deadline})
        except Exception as error:
            from airflow_seqfix.task.errors import to_event

            self.log.exception("Looking failed")
            yield TriggerEvent({"status": "error", "deadline": self.deadline, **to_event(error)})

    def _refuse_newer(self) -> None:
        if self.version > WIRE_VERSION:
            from airflow_seqfix.core import SeqfixError

            raise SeqfixError(
                f"a newer airflow-seqfix deferred the task: its trigger is of version {self.version}, and this "
                f"triggerer knows {WIRE_VERSION}; install the same airflow-seqfix here, and clear the task"
            )

    def _worth_another(self, error: Exception) -> Exception:
        """Return what went wrong with a look, or raise it where another look would come to the same."""
        from airflow_seqfix.task.errors import is_retryable

        if not is_retryable(error):
            raise error
        self.log.warning("Looking failed, and is tried again until the deadline: %s", error)
        return error

    async def _look(self) -> tuple[bool, str] | None:
        """Look once. None: it was not its turn in time."""
        left = max(0.0, self.deadline - time.time())
        report = await look(self.conn_id, self.database, self.hook_params, self.options, self._slot, left)
        return None if report is None else (report.ok, report.message)
