"""Through PgBouncer in transaction mode: the next transaction may run in another session, or in somebody else's."""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psycopg
import psycopg2
import pytest
from psycopg import conninfo

from airflow_seqfix import core
from tests.support.cluster import UNPRIVILEGED, free_port
from tests.support.psql import psql, reset
from tests.support.servers import Database

pytestmark = pytest.mark.system

DRIVERS = {"psycopg": psycopg.connect, "psycopg2": psycopg2.connect}
SETTINGS = (
    "lock_timeout",
    "statement_timeout",
    "idle_in_transaction_session_timeout",
    "search_path",
    "row_security",
    "jit",
    "application_name",
)
TABLE = """
    CREATE TABLE {0} (id serial PRIMARY KEY, note text);
    INSERT INTO {0} (id) SELECT generate_series(1, 100);
"""

Pool = Callable[[int], str]


def binary() -> str:
    """Return where PgBouncer is; Debian keeps it out of a user's path."""
    found = shutil.which("pgbouncer", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
    if found is None:
        raise RuntimeError("pgbouncer is not installed: apt-get install pgbouncer")
    return found


@contextlib.contextmanager
def pooled(db: Database, size: int) -> Iterator[str]:
    """Start PgBouncer with so many sessions for the database, and return how to connect through it."""
    server, port = conninfo.conninfo_to_dict(db.dsn), free_port()
    base = Path(tempfile.mkdtemp(prefix="seqfix-pgbouncer-"))
    config = base / "pgbouncer.ini"
    config.write_text(f"""
[databases]
* = host={server["host"]} port={server["port"]} user={server["user"]}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {port}
unix_socket_dir =
auth_type = any
pool_mode = transaction
default_pool_size = {size}
ignore_startup_parameters = extra_float_digits
""")
    # It refuses to run as root, and another account has to get at the file.
    base.chmod(0o755)
    process = subprocess.Popen(
        [binary(), "--quiet", str(config)],
        user=UNPRIVILEGED if os.geteuid() == 0 else None,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
    )
    try:
        give_up = time.monotonic() + 30
        while True:
            assert process.poll() is None, "PgBouncer has ended"
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port)):
                break
            assert time.monotonic() < give_up, "PgBouncer does not listen"
            time.sleep(0.02)
        yield conninfo.make_conninfo(db.dsn, host="127.0.0.1", port=port)
    finally:
        process.terminate()
        process.wait()
        shutil.rmtree(base)


@pytest.fixture
def pool(newest_db: Database) -> Iterator[Pool]:
    with contextlib.ExitStack() as stack:
        yield lambda size: stack.enter_context(pooled(newest_db, size))


def client(dsn: str, **options: Any) -> psycopg.Connection:
    """Connect as an application does."""
    return psycopg.connect(conninfo.make_conninfo(dsn, **options), autocommit=True, prepare_threshold=None)


def settings(conn: psycopg.Connection) -> dict[str, str]:
    return {name: conn.execute(f"SHOW {name}").fetchone()[0] for name in SETTINGS}


def sessions(dsn: str, size: int) -> dict[int, dict[str, str]]:
    """Return the settings of each session of the pool, by the pid of its backend."""
    with contextlib.ExitStack() as stack:
        found = {}
        for _ in range(size):
            conn = stack.enter_context(client(dsn))
            stack.enter_context(conn.transaction())
            found[conn.execute("SELECT pg_backend_pid()").fetchone()[0]] = settings(conn)
        return found


@pytest.mark.parametrize("size", [1, 2])
@pytest.mark.parametrize("driver", DRIVERS)
def test_check_and_fix_leave_nothing_in_a_shared_session(
    driver: str, size: int, newest_db: Database, pool: Pool
) -> None:
    for name in ("orders", "customers", "busy"):
        newest_db.execute(TABLE.format(name))
    dsn = pool(size)
    before = sessions(dsn, size)
    assert len(before) == size
    with contextlib.closing(DRIVERS[driver](dsn)) as conn, newest_db.connect() as writer:
        assert core.check(conn).summary["behind"] == 3
        assert core.fix(conn, tables=["orders"]).summary["verified"] == 1
        assert core.fix(conn, tables=["customers"], lock="sequence").summary["verified"] == 1
        with pytest.raises(core.SelectionError):
            core.fix(conn, tables=["nothing"])
        with writer.transaction():
            writer.execute("SELECT nextval('busy_id_seq')")
            assert core.fix(conn, tables=["busy"], lock="sequence").summary["failed"] == 1
        assert core.check(conn, exclude=["busy"]).summary["in_sync"] == 2
        assert sessions(dsn, size) == before
    assert sessions(dsn, size) == before


@pytest.mark.parametrize("driver", DRIVERS)
def test_clients_in_between_keep_what_is_theirs(driver: str, newest_db: Database, pool: Pool) -> None:
    for number in range(20):
        newest_db.execute(TABLE.format(f"t{number}"))
    newest_db.execute("CREATE TABLE log (id bigserial PRIMARY KEY, note text)")
    dsn, done = pool(2), threading.Event()
    inserts: list[str] = []
    failures: list[BaseException] = []

    def work(name: str) -> None:
        with client(dsn, application_name=name) as conn:
            defaults = settings(conn)
            assert defaults["application_name"] == name
            while not done.is_set():
                with conn.transaction():
                    conn.execute("SET LOCAL statement_timeout = '7s'; INSERT INTO log (note) VALUES ('')")
                    assert conn.execute("SHOW lock_timeout").fetchone() == (defaults["lock_timeout"],)
                assert settings(conn) == defaults
                inserts.append(name)

    def guarded(name: str) -> None:
        try:
            work(name)
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=guarded, args=(f"app{number}",)) for number in range(3)]
    for thread in threads:
        thread.start()
    try:
        with contextlib.closing(DRIVERS[driver](dsn)) as conn:
            for furthest, lock in enumerate(("none", "sequence", "guarded"), start=1000):
                newest_db.execute("".join(f"INSERT INTO t{number} (id) VALUES ({furthest});" for number in range(20)))
                assert core.fix(conn, lock=lock, tables=["t*"]).summary["verified"] == 20
    finally:
        done.set()
        for thread in threads:
            thread.join()
    assert failures == []
    assert set(inserts) == {"app0", "app1", "app2"}


@pytest.mark.parametrize("driver", [*DRIVERS, None])
def test_values_cached_in_a_shared_session_are_discarded(driver: str | None, newest_db: Database, pool: Pool) -> None:
    newest_db.execute("CREATE TABLE orders (id int GENERATED ALWAYS AS IDENTITY (CACHE 20) PRIMARY KEY, note text)")
    insert = "INSERT INTO orders (note) VALUES ('') RETURNING id, pg_backend_pid()"
    dsn = pool(2)
    with client(dsn) as conn, client(dsn) as other:
        value, backend = conn.execute(insert).fetchone()
        assert value == 1
        newest_db.execute("INSERT INTO orders (id) OVERRIDING SYSTEM VALUE SELECT generate_series(2, 100)")
        # Whoever comes next gets the session that was used last: while it is taken, the repair gets the other one.
        with other.transaction():
            assert other.execute("SELECT pg_backend_pid()").fetchone() == (backend,)
            if driver:
                with contextlib.closing(DRIVERS[driver](dsn)) as repairing:
                    (row,) = core.fix(repairing).rows
                assert row.to_dict()["way"] == "locked"
            else:
                newest_db.execute("SELECT setval('orders_id_seq', 100)")
        if driver:
            assert conn.execute(insert).fetchone() == (101, backend)
        else:
            with pytest.raises(psycopg.errors.UniqueViolation):
                conn.execute(insert)


@pytest.mark.parametrize("driver", DRIVERS)
def test_the_admin_console_is_refused(driver: str, pool: Pool) -> None:
    console = conninfo.make_conninfo(pool(1), dbname="pgbouncer")
    with (
        contextlib.closing(DRIVERS[driver](console)) as conn,
        pytest.raises(core.UnsupportedServerError, match="connect to a database, not to a pooler's admin console"),
    ):
        core.check(conn)


def test_without_pgbouncer_the_tests_fail(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "which", lambda *_, **__: None)
    with pytest.raises(RuntimeError, match="apt-get install pgbouncer"):
        binary()


def test_a_plan_as_sql_leaves_nothing_in_a_shared_session(newest_db: Database, pool: Pool) -> None:
    for name in ("orders", "customers", "busy"):
        newest_db.execute(TABLE.format(name))
    dsn = conninfo.make_conninfo(pool(2), application_name="cron")
    before = sessions(dsn, 2)
    with client(dsn) as conn:
        script = core.plan(conn, lock="sequence").to_sql()
    with newest_db.connect() as writer, writer.transaction():
        writer.execute("SELECT nextval('busy_id_seq')")
        # It goes no further than to the one that is in use.
        assert psql(dsn, "-v", "ON_ERROR_STOP=1", script=script).returncode == 3
        assert sessions(dsn, 2) == before
    assert psql(dsn, "--csv", script=script).stdout.count(",101,100,t") == 3
    assert sessions(dsn, 2) == before


def test_the_script_for_psql_leaves_nothing_in_a_shared_session(newest_db: Database, pool: Pool) -> None:
    newest_db.execute(TABLE.format("orders"))
    dsn = conninfo.make_conninfo(pool(1), application_name="cron")
    before = sessions(dsn, 1)
    assert reset(dsn, mode="check").status == 3
    run = reset(dsn)
    assert (run.status, run.summary["repaired"]) == (0, "1"), run.stderr
    assert reset(dsn, table="nothing").status == 3
    assert sessions(dsn, 1) == before
    with client(dsn) as conn:
        left = "SELECT name FROM pg_settings WHERE name LIKE 'seqfix.%' AND setting <> ''"
        assert conn.execute(left).fetchall() == []


def test_the_script_for_psql_never_takes_a_lost_statement_for_a_success(newest_db: Database, pool: Pool) -> None:
    """Other clients come between its statements, which then reach different sessions."""
    newest_db.execute(TABLE.format("orders"))
    dsn, over = pool(2), threading.Event()

    def disturb() -> None:
        with client(dsn) as conn:
            while not over.is_set():
                conn.execute("SELECT pg_sleep(0.003)")

    threads = [threading.Thread(target=disturb) for _ in range(2)]
    for thread in threads:
        thread.start()
    try:
        runs = [reset(dsn, mode="check") for _ in range(10)]
    finally:
        over.set()
        for thread in threads:
            thread.join()
    assert newest_db.state("orders_id_seq")[:2] == (1, False)
    for run in runs:
        assert run.status == 3
        assert run.summary.get("behind") == "1" or "pooler in transaction mode" in run.stderr
    assert any("pooler in transaction mode" in run.stderr for run in runs), "nothing came between"
