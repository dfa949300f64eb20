"""The trigger of an `AssetWatcher`: drift becomes an event, once for each sequence that is newly out of order."""

from __future__ import annotations

import asyncio
import hashlib
import json
import random
from collections.abc import AsyncIterator, Callable, Hashable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from airflow.triggers.base import BaseEventTrigger, TriggerEvent

from airflow_seqfix.task.arguments import refuse_early
from airflow_seqfix.task.connection import Slot
from airflow_seqfix.triggers.looking import look

if TYPE_CHECKING:
    from airflow_seqfix.core import Report
    from airflow_seqfix.core.row import Row

#: The waits between two looks, as shares of `poke_interval`: watchers do not all look at the same moment.
FIRST_WAIT, WAIT = (0.0, 0.25), (0.9, 1.1)
#: How long Airflow takes to store an event, in seconds. Only then it is noted as told: a triggerer that is killed in
#: between tells it twice, and not never.
STORED_AFTER = 5.0
#: How many looks in a row have to fail, or to find a sequence unknown, until that is an event: a lock passes by itself.
LOOKS_THAT_FAIL = 3
#: How many sequences an event lists.
LISTED = 50
#: What an event says of each.
KEYS = (
    "sequence",
    "verdict",
    "reason",
    "cure",
    "next_value",
    "furthest_value",
    "furthest_column",
    "gap",
    "inserts_until_collision",
    "used_pct",
    "remaining",
)
#: What stands for the database itself, which could not be looked at.
DATABASE = ""

#: What has been reported of a sequence that is out of order: its OID, and its verdict; for `behind` with how far the
#: data reached, for others with None. `unknown` stands beside the verdict before it, which holds while nobody can read.
Reported = dict[str, int | None]
#: What has been reported of each sequence that is out of order, by name.
State = dict[str, Reported]


@dataclass(frozen=True, slots=True)
class _Seen:
    """What a look found of one sequence that is out of order, and what an event says of it."""

    verdict: str
    row: dict[str, Any]
    oid: int | None = None
    #: How far the data reach, and whether the sequence has passed a value.
    reach: int | None = None
    has_passed: Callable[[int], bool] = lambda value: False

    def reported_after(self, earlier: Reported) -> Reported:
        """Return what has been reported of it after this look."""
        if earlier.get("oid") != self.oid:
            earlier = {}
        if self.verdict == "unknown":
            return earlier | {"oid": self.oid, "unknown": None}
        reach = earlier.get(self.verdict)
        if self.verdict in earlier and (reach is None or not self.has_passed(reach)):
            return {"oid": self.oid, self.verdict: reach}
        # Newly so; or behind other data than those that were reported: it was repaired where nobody looked.
        return {"oid": self.oid, self.verdict: self.reach}


#: What one look found, by name, and what an event says of the database.
Look = tuple[dict[str, _Seen], dict[str, Any]]


class PostgresSequenceDriftTrigger(BaseEventTrigger):
    """Make an event of each sequence that is newly behind, exhausted or unknown.

    Of an edge, and not of a level: drift that stays is told once, and told again after it was repaired. What has been
    told is kept in the asset's state store, from Airflow 3.3 on, over restarts of the triggerer; before 3.3 a triggerer
    that starts again tells anew what is out of order. Watchers with the same connection, selection and interval share
    one look, from 3.3 on.

    :param conn_id: The PostgreSQL connection.
    :param database: Another database than the connection's.
    :param hook_params: More arguments for `PostgresHook`.
    :param poke_interval: Seconds between two looks.
    :param options: The options of `airflow_seqfix.core.check`: the selection, what counts as in sync, and the limits.
        `fail_on` says which verdicts are told.
    :raises ValueError: when an argument is invalid.
    """

    def __init__(
        self,
        *,
        conn_id: str = "postgres_default",
        database: str | None = None,
        hook_params: dict[str, Any] | None = None,
        poke_interval: float = 300.0,
        **options: Any,
    ) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        _refuse(conn_id=conn_id, database=database, hook_params=hook_params, poke_interval=poke_interval, **options)
        self.conn_id = conn_id
        self.database = database
        self.hook_params = hook_params
        self.poke_interval = poke_interval
        # Airflow tells triggers apart by their arguments as JSON.
        self.options: dict[str, Any] = json.loads(json.dumps(options))
        self._reported: State | None = None

    def serialize(self) -> tuple[str, dict[str, Any]]:
        """Return what the triggerer makes this trigger from."""
        where = {"conn_id": self.conn_id, "database": self.database, "hook_params": self.hook_params}
        kind = type(self)
        return f"{kind.__module__}.{kind.__qualname__}", {**where, "poke_interval": self.poke_interval, **self.options}

    def shared_stream_key(self) -> Hashable | None:
        """Say which watchers share one look: all that differ in nothing but what they tell."""
        path, arguments = self.serialize()
        return path, json.dumps({**arguments, "fail_on": None}, sort_keys=True)

    @classmethod
    async def open_shared_stream(cls, kwargs: dict[str, Any]) -> AsyncIterator[Report | Exception]:
        """Look forever, and yield each report, or why there is none."""
        watcher, slot = cls(**kwargs), Slot()
        options = {**watcher.options, "jobs": 1, "application_name": "seqfix watch"}
        wait = watcher.poke_interval * random.uniform(*FIRST_WAIT)  # noqa: S311 - jitter
        while True:
            await asyncio.sleep(wait)
            wait = watcher.poke_interval * random.uniform(*WAIT)  # noqa: S311 - jitter
            try:
                report = await look(watcher.conn_id, watcher.database, watcher.hook_params, options, slot)
                assert report is not None
                yield report
            except Exception as error:
                watcher.log.warning("Looking failed, and is tried again: %s", error)
                yield error

    async def filter_shared_stream(
        self, shared_stream: AsyncIterator[Report | Exception]
    ) -> AsyncIterator[TriggerEvent]:
        """Yield an event for each look that finds something new."""
        self._reported = reported = await self._recall()
        in_a_row: dict[str, int] = {}
        async for looked in shared_stream:
            # A look that failed says nothing new of the sequences.
            state = dict(reported) if isinstance(looked, Exception) else {}
            seen, where = self._failed(looked) if isinstance(looked, Exception) else self._found(looked)
            for name, one in seen.items():
                earlier = reported.get(name, {})
                state[name] = one.reported_after(earlier)
                if one.verdict != "unknown" or state[name] == earlier:
                    in_a_row.pop(name, None)
                    continue
                in_a_row[name] = in_a_row.get(name, 0) + 1
                if in_a_row[name] < LOOKS_THAT_FAIL:
                    # As it was, until it has been so for some looks.
                    state[name] = earlier
            in_a_row = {name: looks for name, looks in in_a_row.items() if name in seen}
            state = {name: now for name, now in state.items() if now}
            new = [name for name in seen if not state.get(name, {}).items() <= reported.get(name, {}).items()]
            if new:
                rows = [seen[name].row for name in new[:LISTED]]
                yield TriggerEvent({**where, "new": rows, "new_count": len(new)})
                await asyncio.sleep(STORED_AFTER)
            if state != reported:
                reported = state
                await self._note(reported)

    async def run(self) -> AsyncIterator[TriggerEvent]:
        """Yield an event for each look that finds something new; where Airflow knows no shared looks."""
        _, arguments = self.serialize()
        async for event in self.filter_shared_stream(self.open_shared_stream(arguments)):
            yield event

    def _found(self, report: Report) -> Look:
        """Return what a report says, by the verdicts that this watcher tells."""
        from dataclasses import replace

        from airflow_seqfix.core import Policy

        # The report is that of whichever watcher has opened the shared look.
        fail_on = self.options.get("fail_on")
        own = Policy() if fail_on is None else Policy(fail_on=fail_on)
        policy = replace(report.policy, fail_on=own.fail_on)
        failing = [row for row in report.sorted_rows if row.fails(policy)]
        return (
            {row.sequence: _seen(row) for row in failing},
            {
                "conn_id": self.conn_id,
                "host": report.server.host,
                "port": report.server.port,
                "database": report.server.database,
                "looked_at": report.started_at.isoformat(timespec="seconds"),
                "failing": len(failing),
                "checked": report.summary["checked"],
            },
        )

    def _failed(self, error: Exception) -> Look:
        """Return what a look that failed says: of the database itself."""
        from airflow_seqfix.task.errors import to_event

        row = {**dict.fromkeys(KEYS), "verdict": "unknown", "reason": to_event(error)["message"]}
        return (
            {DATABASE: _Seen("unknown", row)},
            {
                "conn_id": self.conn_id,
                "host": None,
                "port": None,
                "database": self.database,
                "looked_at": datetime.now(UTC).isoformat(timespec="seconds"),
                "failing": None,
                "checked": None,
            },
        )

    async def _recall(self) -> State:
        """Return what has been told before the triggerer was started again."""
        if self._reported is not None:
            return self._reported
        while (store := self._store()) is not None:
            try:
                kept = await store.aget(self._key, {}) or {}
                return {name: earlier for name, earlier in kept.items() if isinstance(earlier, dict)}
            except ValueError as error:
                # Of several assets nobody says which one is meant.
                self.log.warning(
                    "What is told is kept in memory alone, give each asset a watcher of its own: %s", error
                )
                self.asset_state_store = None
            except Exception:
                self.log.exception("What has been told could not be read yet")
                await asyncio.sleep(STORED_AFTER)
        return {}

    async def _note(self, reported: State) -> None:
        """Keep what has been told."""
        self._reported = reported
        store = self._store()
        if store is not None:
            try:
                await store.aset(self._key, reported)
            except Exception:
                self.log.exception("What has been told could not be kept: after a restart it is told again")

    def _store(self) -> Any:
        """Return where Airflow keeps what belongs to the asset; None where it has no such place."""
        return getattr(self, "asset_state_store", None)

    @property
    def _key(self) -> str:
        """What this watcher's state is kept under, beside that of others of the same asset."""
        text = json.dumps(self.serialize(), sort_keys=True)
        return f"seqfix {hashlib.sha256(text.encode()).hexdigest()[:16]}"


def _seen(row: Row) -> _Seen:
    """Return what an event says of one sequence, and what tells its drift from another."""
    from airflow_seqfix.core import Verdict
    from airflow_seqfix.core.judge.arithmetic import is_beyond

    sequence, next_value = row.finding.sequence, row.next_value
    whole = row.to_dict()
    return _Seen(
        verdict=str(row.verdict),
        row={name: whole[name] for name in KEYS},
        oid=sequence.oid,
        reach=row.finding.needed_value if row.verdict is Verdict.BEHIND else None,
        has_passed=lambda value: next_value is not None and is_beyond(sequence, next_value, value),
    )


def _refuse(**given: Any) -> None:
    """Refuse arguments that are invalid, while the DAG is parsed."""
    from airflow_seqfix.options import OPTIONS, Group

    taken = {name for name, option in OPTIONS.items() if option.group is not Group.MOVING} - {"application_name"}
    unknown = sorted(given.keys() - taken - {"conn_id", "database", "hook_params", "poke_interval"})
    if unknown:
        raise TypeError(f"a watcher takes no {unknown[0]}: it takes the options of a check, and poke_interval")
    refuse_early(given, ())
