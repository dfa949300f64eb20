"""What is no connection is refused with what to pass; what a callable gives goes back the way it came."""

from __future__ import annotations

import asyncio
import contextlib
import functools
from collections.abc import Callable, Iterator
from typing import Any

import asyncpg
import django.db
import psycopg
import psycopg2
import psycopg2.pool
import psycopg_pool
import pytest
import sqlalchemy as sa
import sqlalchemy.ext.asyncio
import sqlalchemy.orm
from airflow.models import Connection as AirflowConnection
from airflow.providers.postgres.hooks.postgres import PostgresHook
from django.db.backends.postgresql.base import DatabaseWrapper
from psycopg import conninfo
from psycopg2 import extensions

from airflow_seqfix import core
from tests.support.behaviours import tools
from tests.support.servers import Database

#: Three sequences, so that as many connections have something to do.
TABLES = "; ".join(
    f"CREATE TABLE t{n} (id serial PRIMARY KEY); INSERT INTO t{n} SELECT generate_series(1, 5)" for n in range(3)
)


@pytest.fixture
def behind(wheel_db: Database) -> Database:
    # Django refuses servers that this package still takes.
    wheel_db.execute(TABLES)
    return wheel_db


def url(db: Database, driver: str = "psycopg") -> sa.URL:
    parts = conninfo.conninfo_to_dict(db.dsn)
    return sa.URL.create(
        f"postgresql+{driver}",
        username=str(parts["user"]),
        host=str(parts["host"]),
        port=int(str(parts["port"])),
        database=db.name,
    )


def django_connection(db: Database) -> DatabaseWrapper:
    parts = conninfo.conninfo_to_dict(db.dsn)
    settings = {"NAME": db.name, "USER": parts["user"], "HOST": parts["host"], "PORT": parts["port"], "PASSWORD": ""}
    defaults = {
        "AUTOCOMMIT": True,
        "ATOMIC_REQUESTS": False,
        "CONN_HEALTH_CHECKS": False,
        "CONN_MAX_AGE": 0,
        "OPTIONS": {},
        "TIME_ZONE": None,
    }
    return DatabaseWrapper(settings | defaults)


def assert_refused(value: Any, said: str) -> None:
    for call in (core.check, core.plan, core.fix):
        with pytest.raises(core.ArgumentTypeError, match=said) as caught:
            call(value)
        assert isinstance(caught.value, TypeError)
    with pytest.raises(core.ArgumentTypeError, match=said):
        core.fix_sequence(value, "t0")


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (5, r"conn is a int, .*: pass psycopg\.connect"),
        (None, r"conn is None, .*ensure_connection"),
        (object(), "conn is a object"),
        ("postgresql://me:geheim@localhost/shop", r"conn is a str, .*: pass psycopg\.connect\(…\)"),
        (b"dbname=shop", "conn is a bytes"),
        (django.db.connection, r"Proxy, .*: call connection\.ensure_connection\(\), and pass connection\.connection"),
        ({"host": "localhost"}, "conn is a dict"),
    ],
    ids=["int", "None", "object", "DSN", "bytes", "Django", "dict"],
)
def test_no_connection(value: Any, said: str) -> None:
    assert_refused(value, said)


def test_a_password_is_not_repeated() -> None:
    with pytest.raises(core.ArgumentTypeError) as caught:
        core.check("postgresql://me:geheim@localhost/shop")  # type: ignore[arg-type]
    assert "geheim" not in str(caught.value)


def test_cursors(behind: Database) -> None:
    with behind.connect() as conn:
        assert_refused(conn.cursor(), r"conn is a psycopg\.Cursor, .*: pass cursor\.connection")
        core.check(conn.cursor().connection)
    with contextlib.closing(behind.psycopg2()) as other:
        assert_refused(other.cursor(), r"pass cursor\.connection")
        core.check(other.cursor().connection)


def test_sqlalchemy(behind: Database) -> None:
    for driver in ("psycopg", "psycopg2"):
        engine = sa.create_engine(url(behind, driver))
        assert_refused(engine, r"Engine, .*: with engine\.connect\(\) as connection, pass connection\.conn")
        assert_refused(engine.connect, r"pass connection\.connection\.driver_connection")
        assert_refused(engine.raw_connection, r"pass connection\.driver_connection")
        assert_refused(sa.orm.sessionmaker(engine), r"pass session\.connection\(\)\.connection\.driver_connection")
        assert_refused(sa.orm.scoped_session(sa.orm.sessionmaker(engine)), r"pass session\.connection\(\)")
        assert engine.pool.checkedout() == 0  # type: ignore[attr-defined]
        with engine.connect() as conn:
            assert_refused(conn, r"pass connection\.connection\.driver_connection")
            assert_refused(conn.connection, r"pass connection\.driver_connection")
            assert core.check(conn.connection.driver_connection).summary["behind"] == 3
        with sa.orm.Session(engine) as session:
            assert_refused(session, r"pass session\.connection\(\)\.connection\.driver_connection")
            assert core.check(session.connection().connection.driver_connection).summary["behind"] == 3
        engine.dispose()
    lazy = sa.ext.asyncio.create_async_engine(url(behind, "asyncpg"))
    assert_refused(lazy, r"AsyncEngine, .*: use a synchronous engine")
    assert_refused(lazy.sync_engine, r"driver_connection")


def test_django(behind: Database) -> None:
    tools.set_up_django()
    connection = django_connection(behind)
    assert_refused(
        connection, r"DatabaseWrapper, .*: call connection\.ensure_connection\(\), and pass connection\.conn"
    )
    assert_refused(connection.connection, r"conn is None, .*ensure_connection\(\)")
    connection.ensure_connection()
    assert_refused(connection, r"pass connection\.connection")
    assert core.check(connection.connection).summary["behind"] == 3
    connection.close()


def test_a_connection_of_psycopg2_that_is_asynchronous(behind: Database) -> None:
    with contextlib.closing(psycopg2.connect(behind.dsn, async_=True)) as conn:
        assert_refused(conn, r"psycopg2.extensions.connection, .*to_thread")


def test_what_is_asynchronous(behind: Database) -> None:
    async def ask() -> None:
        async with await psycopg.AsyncConnection.connect(behind.dsn) as conn:
            assert_refused(conn, r"AsyncConnection, .*to_thread")
            assert_refused(conn.cursor(), r"AsyncCursor, .*to_thread")
        assert_refused(psycopg_pool.AsyncConnectionPool(behind.dsn, open=False), r"AsyncConnectionPool, .*to_thread")
        parts = conninfo.conninfo_to_dict(behind.dsn)
        other = await asyncpg.connect(host=parts["host"], port=parts["port"], user=parts["user"], database=behind.name)
        assert_refused(other, r"asyncpg\.connection\.Connection, .*to_thread")
        await other.close()
        report = await asyncio.to_thread(core.check, lambda: psycopg.connect(behind.dsn))
        assert report.summary["behind"] == 3

    asyncio.run(ask())
    assert_refused(lambda: asyncpg.connect(behind.dsn), r"conn is a coroutine, .*to_thread")


def test_airflow(behind: Database) -> None:
    parts = conninfo.conninfo_to_dict(behind.dsn)
    stored = AirflowConnection(
        conn_id="shop", conn_type="postgres", host=str(parts["host"]), port=int(str(parts["port"])), login="postgres"
    )
    hook = PostgresHook(connection=stored, database=behind.name)
    assert_refused(hook, r"PostgresHook, .*: pass hook\.get_conn")
    assert core.check(hook.get_conn).summary["behind"] == 3


def open_psycopg_pool(db: Database, **options: Any) -> psycopg_pool.ConnectionPool:
    return psycopg_pool.ConnectionPool(db.dsn, min_size=1, max_size=2, timeout=5, open=True, **options)


@contextlib.contextmanager
def taken(pool: psycopg2.pool.AbstractConnectionPool) -> Iterator[Any]:
    conn = pool.getconn()
    try:
        yield conn
    finally:
        pool.putconn(conn)


#: How a pool of psycopg 3 hands out its connections.
FROM_POOL: dict[str, Callable[[psycopg_pool.ConnectionPool], Callable[[], Any]]] = {
    "getconn": lambda pool: pool.getconn,
    "getconn of a lambda": lambda pool: lambda: pool.getconn(),
    "getconn with a timeout": lambda pool: functools.partial(pool.getconn, timeout=3),
    "connection": lambda pool: pool.connection,
    "connection of a lambda": lambda pool: lambda: pool.connection(timeout=3),
}
FROM_POOL2: dict[str, Callable[[psycopg2.pool.AbstractConnectionPool], Callable[[], Any]]] = {
    "getconn": lambda pool: pool.getconn,
    "getconn with a key": lambda pool: functools.partial(pool.getconn, None),
    "a context manager": lambda pool: functools.partial(taken, pool),
}


@pytest.mark.parametrize("jobs", [1, 2])
@pytest.mark.parametrize("how", FROM_POOL)
def test_a_pool_of_psycopg_is_not_drained(behind: Database, how: str, jobs: int) -> None:
    with open_psycopg_pool(behind) as pool:
        connect = FROM_POOL[how](pool)
        for _ in range(3):
            assert core.check(connect, jobs=jobs).summary["behind"] == 3
            with pytest.raises(core.SelectionError):
                core.check(connect, tables="nothing", jobs=jobs)
        assert core.fix(connect, jobs=jobs).summary["verified"] == 3
        assert pool.get_stats()["pool_available"] == pool.get_stats()["pool_size"]
        with pool.connection() as first, pool.connection() as second:
            assert not first.autocommit
            assert not second.autocommit


@pytest.mark.parametrize("jobs", [1, 2])
@pytest.mark.parametrize("how", FROM_POOL2)
def test_a_pool_of_psycopg2_is_not_drained(behind: Database, how: str, jobs: int) -> None:
    pool = psycopg2.pool.ThreadedConnectionPool(1, 2, behind.dsn)
    connect = FROM_POOL2[how](pool)
    for _ in range(3):
        assert core.check(connect, jobs=jobs).summary["behind"] == 3
        with pytest.raises(core.SelectionError):
            core.check(connect, tables="nothing", jobs=jobs)
    assert core.fix(connect, jobs=jobs).summary["verified"] == 3
    both = [pool.getconn(), pool.getconn()]
    assert [conn.autocommit for conn in both] == [False, False]
    pool.closeall()


def test_pools_themselves(behind: Database) -> None:
    with open_psycopg_pool(behind) as pool:
        assert_refused(pool, r"ConnectionPool, .*: pass pool\.connection")
        with pool.connection() as conn:
            assert core.check(conn).summary["behind"] == 3
            assert not conn.closed
    other = psycopg2.pool.SimpleConnectionPool(1, 2, behind.dsn)
    assert_refused(other, r"SimpleConnectionPool, .*: pass pool\.getconn")
    other.closeall()


def test_an_empty_pool_is_a_connection_that_could_not_be_opened(behind: Database) -> None:
    with psycopg_pool.ConnectionPool(behind.dsn, min_size=1, max_size=1, timeout=0.2, open=True) as pool:
        with pool.connection(), pytest.raises(core.ConnectionFailedError, match="couldn't get a connection"):
            core.check(pool.connection)
        assert core.check(pool.connection).summary["behind"] == 3


def test_a_manager_that_swallows_errors_hides_none(behind: Database) -> None:
    @contextlib.contextmanager
    def swallowing() -> Iterator[Any]:
        with contextlib.suppress(Exception), behind.connect() as conn:
            yield conn

    with pytest.raises(core.SelectionError, match="there is no table nothing"):
        core.check(swallowing, tables="nothing")


def test_what_a_callable_opened_in_vain_is_closed(behind: Database) -> None:
    opened: list[Any] = []

    def cursor() -> Any:
        opened.append(behind.psycopg2().cursor())
        return opened[-1]

    with pytest.raises(core.ArgumentTypeError, match=r"pass cursor\.connection"):
        core.check(cursor)
    assert opened[0].closed
    assert isinstance(opened[0].connection, extensions.connection)
