"""Drift as an event: once for each edge, over restarts, with one look for several watchers."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import json
import logging
import tracemalloc
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import pytest

from tests.support.airflow import airflow_uri
from tests.support.servers import Database
from tests.support.tasks import DRIFT

REPAIR = "SELECT setval('orders_id_seq', 100), setval('customers_id_seq', 7)"
NAMES = {"public.orders_id_seq", "public.customers_id_seq"}


class Store:
    """Stands where Airflow keeps what belongs to an asset: it takes JSON, and outlives a triggerer."""

    def __init__(self) -> None:
        self.kept: dict[str, str] = {}

    async def aget(self, key: str, default: Any = None) -> Any:
        return json.loads(self.kept[key]) if key in self.kept else default

    async def aset(self, key: str, value: Any) -> None:
        self.kept[key] = json.dumps(value)


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("airflow_seqfix.triggers.watch.STORED_AFTER", 0.05)


def watcher(store: Store | None = None, **arguments: Any) -> Any:
    """Return a trigger as the triggerer makes it: from its arguments, as they are stored."""
    from airflow_seqfix.triggers.watch import PostgresSequenceDriftTrigger

    made = PostgresSequenceDriftTrigger(**{"conn_id": "shop", "poke_interval": 0.1} | arguments)
    _, stored = made.serialize()
    again = PostgresSequenceDriftTrigger(**json.loads(json.dumps(stored)))
    again.asset_state_store = store  # type: ignore[assignment]
    return again


class Watch:
    """A trigger that runs, and what it has told so far."""

    def __init__(self, events: AsyncIterator[Any]) -> None:
        self.told: list[dict[str, Any]] = []
        self._task = asyncio.ensure_future(self._run(events))

    async def _run(self, events: AsyncIterator[Any]) -> None:
        async for event in events:
            self.told.append(json.loads(json.dumps(event.payload)))

    async def until(self, count: int) -> dict[str, Any]:
        """Wait for so many events, and return the last of them."""
        async with asyncio.timeout(30):
            while len(self.told) < count:
                if self._task.done():
                    self._task.result()
                await asyncio.sleep(0.02)
        assert len(self.told) == count
        return self.told[-1]

    async def stay(self, count: int, seconds: float = 1.0) -> None:
        """Look for some time, and tell nothing more."""
        await asyncio.sleep(seconds)
        assert len(self.told) == count

    async def stop(self) -> None:
        self._task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self._task


def names(event: dict[str, Any]) -> set[str]:
    return {row["sequence"] for row in event["new"]}


def test_each_edge_once(shop: Database) -> None:
    shop.execute(DRIFT)

    async def scene() -> None:
        watch = Watch(watcher().run())
        event = await watch.until(1)
        assert names(event) == NAMES
        assert (event["failing"], event["checked"], event["new_count"], event["database"]) == (2, 3, 2, shop.name)
        row = next(row for row in event["new"] if row["sequence"] == "public.orders_id_seq")
        assert (row["verdict"], row["next_value"], row["furthest_value"], row["gap"]) == ("behind", 1, 100, 100)
        await watch.stay(1)
        # Another one, beside those that are behind already.
        shop.execute("INSERT INTO fine (id) VALUES (5)")
        assert names(await watch.until(2)) == {"public.fine_id_seq"}
        # Repaired, which is no event, and drifted again, which is.
        shop.execute(REPAIR)
        await watch.stay(2)
        shop.execute("INSERT INTO orders (id) VALUES (200)")
        assert names(await watch.until(3)) == {"public.orders_id_seq"}
        # No longer behind: no value is left.
        shop.execute("ALTER SEQUENCE orders_id_seq MAXVALUE 200; SELECT setval('orders_id_seq', 200)")
        event = await watch.until(4)
        assert [row["verdict"] for row in event["new"]] == ["exhausted"]
        await watch.stop()

    asyncio.run(scene())


def test_a_triggerer_that_is_started_again_tells_nothing_twice_and_misses_nothing(shop: Database) -> None:
    shop.execute(DRIFT)
    store = Store()

    async def scene() -> None:
        first = Watch(watcher(store).run())
        await first.until(1)
        await asyncio.sleep(0.5)
        await first.stop()
        # While nobody looks: one is repaired, another one falls behind.
        shop.execute("SELECT setval('orders_id_seq', 100)")
        shop.execute("INSERT INTO fine (id) VALUES (5)")
        second = Watch(watcher(store).run())
        assert names(await second.until(1)) == {"public.fine_id_seq"}
        await asyncio.sleep(0.5)
        await second.stop()
        third = Watch(watcher(store).run())
        await third.stay(0)
        shop.execute("INSERT INTO orders (id) VALUES (300)")
        assert names(await third.until(1)) == {"public.orders_id_seq"}
        await third.stop()

    asyncio.run(scene())


def test_what_airflow_has_not_stored_yet_is_told_again(shop: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    """A triggerer that is killed in the moment after an event: told twice, and not never."""
    shop.execute(DRIFT)
    store = Store()
    monkeypatch.setattr("airflow_seqfix.triggers.watch.STORED_AFTER", 60)

    async def scene() -> None:
        for _ in range(2):
            watch = Watch(watcher(store).run())
            assert names(await watch.until(1)) == NAMES
            await watch.stop()

    asyncio.run(scene())
    assert store.kept == {}


def test_a_lock_that_passes_is_no_event_and_one_that_stays_is(shop: Database) -> None:
    shop.execute(DRIFT + REPAIR)

    async def scene() -> None:
        watch = Watch(watcher(lock_timeout=0.05).run())
        with shop.connect() as other:
            other.execute("BEGIN; LOCK TABLE orders IN ACCESS EXCLUSIVE MODE")
            event = await watch.until(1)
            assert [(row["sequence"], row["verdict"]) for row in event["new"]] == [("public.orders_id_seq", "unknown")]
            await watch.stay(1)
            other.execute("ROLLBACK")
        await watch.stay(1)
        with shop.connect() as other:
            other.execute("BEGIN; LOCK TABLE orders IN ACCESS EXCLUSIVE MODE")
            await asyncio.sleep(0.1)
            other.execute("ROLLBACK")
        await watch.stay(1)
        await watch.stop()

    asyncio.run(scene())


def test_what_nobody_could_read_for_a_while_is_the_same_drift_afterwards(shop: Database) -> None:
    shop.execute(DRIFT)

    async def scene() -> None:
        watch = Watch(watcher(lock_timeout=0.05).run())
        assert names(await watch.until(1)) == NAMES
        with shop.connect() as other:
            other.execute("BEGIN; LOCK TABLE orders IN ACCESS EXCLUSIVE MODE")
            assert [row["verdict"] for row in (await watch.until(2))["new"]] == ["unknown"]
            other.execute("ROLLBACK")
        await watch.stay(2)
        with shop.connect() as other:
            other.execute("BEGIN; LOCK TABLE orders IN ACCESS EXCLUSIVE MODE")
            assert [row["verdict"] for row in (await watch.until(3))["new"]] == ["unknown"]
            other.execute("SELECT setval('orders_id_seq', 100); INSERT INTO orders (id) VALUES (200); COMMIT")
        (row,) = (await watch.until(4))["new"]
        assert (row["sequence"], row["verdict"], row["furthest_value"]) == ("public.orders_id_seq", "behind", 200)
        await watch.stop()

    asyncio.run(scene())


@pytest.mark.parametrize(
    "between",
    [
        "SELECT setval('orders_id_seq', 100); INSERT INTO orders (id) VALUES (200)",
        "DROP TABLE orders; CREATE TABLE orders (id serial PRIMARY KEY); INSERT INTO orders VALUES (50)",
    ],
    ids=["repaired and drifted", "made anew"],
)
@pytest.mark.parametrize("restarted", [False, True], ids=["", "restarted"])
def test_an_edge_between_two_looks(shop: Database, between: str, restarted: bool) -> None:
    """It is behind at each look, and behind something else."""
    shop.execute(DRIFT)
    store = Store()

    async def scene() -> None:
        watch = Watch(watcher(store).run())
        await watch.until(1)
        if restarted:
            await asyncio.sleep(0.5)
            await watch.stop()
            watch = Watch(watcher(store).run())
            await watch.stay(0, 0.3)
        # In one transaction: no look sees what lies between.
        with shop.connect() as conn:
            conn.execute(f"BEGIN; {between}; COMMIT")
        assert names(await watch.until(1 if restarted else 2)) == {"public.orders_id_seq"}
        await watch.stop()

    asyncio.run(scene())


def test_drift_that_grows_is_the_same(shop: Database) -> None:
    shop.execute(DRIFT)

    async def scene() -> None:
        watch = Watch(watcher().run())
        await watch.until(1)
        shop.execute("INSERT INTO orders (id) VALUES (5000)")
        # As a failed insert does.
        shop.execute("SELECT nextval('orders_id_seq')")
        await watch.stay(1)
        await watch.stop()

    asyncio.run(scene())


def test_drift_in_the_time_that_a_database_was_away(shop: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    shop.execute(DRIFT)

    async def scene() -> None:
        watch = Watch(watcher().run())
        assert names(await watch.until(1)) == NAMES
        monkeypatch.setenv("AIRFLOW_CONN_SHOP", "postgres://postgres@127.0.0.1:1/gone")
        assert names(await watch.until(2)) == {None}
        shop.execute("SELECT setval('orders_id_seq', 100); INSERT INTO orders (id) VALUES (200)")
        monkeypatch.setenv("AIRFLOW_CONN_SHOP", airflow_uri(shop))
        assert names(await watch.until(3)) == {"public.orders_id_seq"}
        await watch.stop()

    asyncio.run(scene())


def test_a_database_that_cannot_be_looked_at_is_told_once(shop: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    shop.execute(DRIFT)
    monkeypatch.setenv("AIRFLOW_CONN_SHOP", "postgres://postgres@127.0.0.1:1/gone")

    async def scene() -> None:
        watch = Watch(watcher().run())
        away = await watch.until(1)
        (row,) = away["new"]
        assert (row["sequence"], row["verdict"]) == (None, "unknown")
        assert "port=1 dbname=gone" in row["reason"]
        await watch.stay(1)
        monkeypatch.setenv("AIRFLOW_CONN_SHOP", airflow_uri(shop))
        back = await watch.until(2)
        assert names(back) == NAMES
        assert (back.keys(), back["new"][0].keys()) == (away.keys(), row.keys())
        monkeypatch.setenv("AIRFLOW_CONN_SHOP", "postgres://postgres@127.0.0.1:1/gone")
        await watch.until(3)
        await watch.stop()

    asyncio.run(scene())


def test_a_watcher_that_tells_other_verdicts_shares_the_looks(shop: Database) -> None:
    shop.execute(DRIFT)
    shop.execute("CREATE TABLE little (id smallserial PRIMARY KEY); SELECT setval('little_id_seq', 32767)")
    behind, exhausted = watcher(), watcher(fail_on=["exhausted"])
    assert behind.shared_stream_key() == exhausted.shared_stream_key()
    assert watcher(tables=["orders"]).shared_stream_key() != behind.shared_stream_key()
    looks: list[Any] = []

    async def scene() -> None:
        queues: list[asyncio.Queue[Any]] = [asyncio.Queue(), asyncio.Queue()]

        async def of(queue: asyncio.Queue[Any]) -> AsyncIterator[Any]:
            while True:
                yield await queue.get()

        watches = [
            Watch(one.filter_shared_stream(of(queue))) for one, queue in zip((behind, exhausted), queues, strict=True)
        ]
        # Whoever comes first has opened the look that both share.
        _, arguments = exhausted.serialize()
        async for report in type(behind).open_shared_stream(arguments):
            looks.append(report)
            for queue in queues:
                queue.put_nowait(report)
            if len(looks) == 3:
                break
        assert names(await watches[0].until(1)) == NAMES | {"public.little_id_seq"}
        assert names(await watches[1].until(1)) == {"public.little_id_seq"}
        for watch in watches:
            await watch.stop()

    asyncio.run(scene())


@pytest.fixture
def quiet() -> Iterator[None]:
    """pytest keeps what is logged, and Airflow 3.0 logs each look."""
    logging.disable(logging.INFO)
    yield
    logging.disable(logging.NOTSET)


@pytest.mark.usefixtures("quiet")
def test_a_day_of_looks_leaves_no_connection_and_no_memory(shop: Database) -> None:
    """288 looks are a day at the default interval."""
    shop.execute(DRIFT)
    others = "datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend'"
    sizes: dict[int, int] = {}

    async def scene() -> None:
        one = watcher(poke_interval=0.001)
        _, arguments = one.serialize()

        async def counted() -> AsyncIterator[Any]:
            looks = 0
            async for looked in type(one).open_shared_stream(arguments):
                yield looked
                del looked
                looks += 1
                if looks in (48, 288):
                    # What waits for the collector is no growth; the first looks import and cache.
                    gc.collect()
                    sizes[looks] = tracemalloc.get_traced_memory()[0]
                if looks == 288:
                    return

        tracemalloc.start()
        events = [event async for event in one.filter_shared_stream(counted())]
        tracemalloc.stop()
        assert len(events) == 1

    asyncio.run(scene())
    assert shop.value(f"SELECT count(*) FROM pg_stat_activity WHERE {others}") == 0
    assert sizes[288] - sizes[48] < 100_000


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"margin": -1}, "margin=-1: give an integer of at least 0"),
        ({"poke_interval": 0}, "poke_interval=0: give a number of seconds greater than 0"),
        ({"conn_id": ""}, "conn_id is '', perhaps from a template"),
        ({"tables": []}, "tables is []"),
        ({"lock": "none"}, "a watcher takes no lock: it takes the options of a check"),
        ({"tabels": ["a"]}, "a watcher takes no tabels"),
    ],
)
def test_refused_while_the_dag_is_parsed(arguments: dict[str, Any], said: str) -> None:
    with pytest.raises((ValueError, TypeError)) as refused:
        watcher(**arguments)
    assert str(refused.value).startswith(said)


@pytest.fixture
def assets() -> Iterator[Callable[..., Any]]:
    from tests.support.sdk import Asset

    def make(trigger: Any) -> Any:
        from airflow.sdk import AssetWatcher

        return Asset("drift", watchers=[AssetWatcher(name="drift", trigger=trigger)])

    yield make


def test_airflow_takes_it_and_tells_it_apart(assets: Callable[..., Any]) -> None:
    from airflow.triggers.base import BaseEventTrigger

    one, same, other = watcher(tables=("orders",)), watcher(tables=["orders"]), watcher(tables=["fine"])
    assert assets(one).watchers
    hashes = [BaseEventTrigger.hash(*trigger.serialize()) for trigger in (one, same, other)]
    assert hashes[0] == hashes[1] != hashes[2]
