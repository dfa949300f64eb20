"""One look at a database from a triggerer: in a thread of a few that all triggers share."""

from __future__ import annotations

import asyncio
import functools
import importlib
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

from airflow_seqfix.task.sdk import conf

if TYPE_CHECKING:
    from airflow_seqfix.core import Report
    from airflow_seqfix.task.connection import Slot

#: How many looks a triggerer takes at once, unless `[seqfix] looks_at_once` says otherwise.
LOOKS_AT_ONCE = 8


async def look(
    conn_id: str,
    database: str | None,
    hook_params: dict[str, Any] | None,
    options: dict[str, Any],
    slot: Slot,
    patience: float | None = None,
) -> Report | None:
    """Check in a thread: a slow query must not hold up the other triggers.

    :param patience: How many seconds to wait for a turn and the answer; None: as long as it takes.
    :return: The report; None: it was not its turn in time.
    """
    # The first look of a triggerer imports what it needs beside the loop, which others wait for.
    await asyncio.wrap_future(_threads().submit(_import))
    where = (conn_id, database, hook_params, await fetch(conn_id))
    job = _threads().submit(_check, where, options, slot)
    looked = asyncio.wrap_future(job)
    try:
        await asyncio.wait({looked}, timeout=patience)
        if job.cancel():
            return None
        return await looked
    except asyncio.CancelledError:
        if not job.cancel():
            # Not awaited, and not on the loop: the others must not wait for the server's answer.
            threading.Thread(target=slot.cancel, name="seqfix-cancel", daemon=True).start()
        raise


async def fetch(conn_id: str) -> Any:
    """Return what Airflow knows of a connection. In the triggerer it can only be fetched on the event loop.

    :raises ConnectionFailedError: when there is none, as in the worker.
    """
    from airflow_seqfix.task.connection import not_defined
    from airflow_seqfix.task.sdk import AirflowNotFoundException, BaseHook

    wait_for = getattr(BaseHook, "aget_connection", None)
    try:
        return await wait_for(conn_id) if wait_for else BaseHook.get_connection(conn_id)
    except AirflowNotFoundException as error:
        raise not_defined(conn_id) from error


def _check(where: tuple[str, str | None, dict[str, Any] | None, Any], options: dict[str, Any], slot: Slot) -> Report:
    from airflow_seqfix import core
    from airflow_seqfix.task.connection import open_connection

    with open_connection(*where) as connection, slot.hold(connection):
        return core.check(connection, **options)


def _import() -> None:
    for module in ("airflow_seqfix.core", "airflow_seqfix.task.errors", "airflow.providers.postgres.hooks.postgres"):
        importlib.import_module(module)


@functools.cache
def _threads() -> ThreadPoolExecutor:
    """Return the threads that all triggers of this triggerer share; each has one connection at a time."""
    at_once = conf.getint("seqfix", "looks_at_once", fallback=LOOKS_AT_ONCE)
    return ThreadPoolExecutor(max_workers=max(1, at_once), thread_name_prefix="seqfix")
