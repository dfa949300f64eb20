"""Objects that are mistaken for a connection, and what to pass instead."""

from __future__ import annotations

from typing import Any

_ASYNC = "connect in a thread: await asyncio.to_thread(core.check, lambda: psycopg.connect(…))"
_DJANGO = "call connection.ensure_connection(), and pass connection.connection"

#: The module and the name of a class or of one of its parents, and the remedy. The first that fits counts.
_REMEDIES: tuple[tuple[str, str, str], ...] = (
    ("builtins", "NoneType", "Django's connection.connection is None before connection.ensure_connection()"),
    ("builtins", "coroutine", _ASYNC),
    ("psycopg", "AsyncCursor", _ASYNC),
    ("psycopg", "AsyncConnection", _ASYNC),
    ("psycopg", "BaseCursor", "pass cursor.connection"),
    ("psycopg2", "cursor", "pass cursor.connection"),
    # One that was opened with async_=True: any other is what is wanted.
    ("psycopg2.extensions", "connection", _ASYNC),
    ("psycopg_pool", "AsyncConnectionPool", _ASYNC),
    (
        "psycopg_pool",
        "ConnectionPool",
        "pass pool.connection, or the connection of: with pool.connection() as connection",
    ),
    ("psycopg2.pool", "AbstractConnectionPool", "pass pool.getconn"),
    ("asyncpg", "", _ASYNC),
    ("aiopg", "", _ASYNC),
    ("sqlalchemy.ext.asyncio", "", "use a synchronous engine, and pass connection.connection.driver_connection"),
    ("sqlalchemy", "Engine", "with engine.connect() as connection, pass connection.connection.driver_connection"),
    ("sqlalchemy", "Connection", "pass connection.connection.driver_connection"),
    ("sqlalchemy", "Session", "pass session.connection().connection.driver_connection"),
    ("sqlalchemy", "PoolProxiedConnection", "pass connection.driver_connection"),
    ("django", "ConnectionProxy", _DJANGO),
    ("django", "BaseDatabaseWrapper", _DJANGO),
    ("airflow", "DbApiHook", "pass hook.get_conn"),
)


def refusal(value: Any) -> str:
    """Say what to pass instead of something that is not a connection; never what it holds: that may be a password."""
    parents = [(parent.__module__, parent.__name__) for parent in type(value).__mro__]
    remedy = next(
        (remedy for module, name, remedy in _REMEDIES if any(_fits(parent, module, name) for parent in parents)),
        "pass psycopg.connect(…), or lambda: psycopg.connect(…)",
    )
    name = f"{type(value).__module__}.{type(value).__qualname__}".removeprefix("builtins.")
    name = "None" if value is None else f"a {name}"
    return f"conn is {name}, not a connection of psycopg 3 or psycopg2: {remedy}"


def _fits(parent: tuple[str, str], module: str, name: str) -> bool:
    return parent[0].split(".")[: module.count(".") + 1] == module.split(".") and name in ("", parent[1])
