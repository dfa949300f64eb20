"""Ctrl-C, a terminated job and a closed pipe: in each phase the run ends, and the server's statement."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time

import pytest

from airflow_seqfix.cli.signals import AGAIN, Interrupted, as_exceptions
from tests.cli.slow import slow_table
from tests.support.servers import Database
from tests.support.terminal import CTRL_C, Terminal, terminal

pytestmark = pytest.mark.long

INTERRUPTED = "seqfix: interrupted; no sequence has gone back, and running again finishes the work"

#: What the command's own session is doing, by its application_name.
RUNNING = "SELECT state, query FROM pg_stat_activity WHERE application_name = 'seqfix' AND datname = current_database()"


def wait_until(database: Database, condition: str) -> None:
    deadline = time.monotonic() + 30
    while not database.value(condition):
        assert time.monotonic() < deadline, (condition, database.rows(RUNNING))
        time.sleep(0.05)


def assert_gone(database: Database) -> None:
    """Nothing of the command is left on the server."""
    wait_until(
        database,
        "SELECT NOT EXISTS (SELECT FROM pg_stat_activity WHERE datname = current_database() "
        "AND application_name = 'seqfix')",
    )


def interrupt(shown: Terminal, status: int = -signal.SIGINT) -> None:
    shown.type(CTRL_C)
    started = time.monotonic()
    assert shown.end() == status
    # Of the sixty seconds that a slow table takes.
    assert time.monotonic() - started < 30
    assert INTERRUPTED in " ".join(shown.text.split())
    assert "Traceback" not in shown.text
    # The cursor is there again.
    assert shown.raw.rfind("\x1b[?25h") >= shown.raw.rfind("\x1b[?25l")


def test_while_connecting() -> None:
    with socket.create_server(("127.0.0.1", 0)) as deaf:
        port = deaf.getsockname()[1]
        with terminal("check", f"postgresql://u@127.0.0.1:{port}/x") as shown:
            connection, _ = deaf.accept()
            with connection:
                connection.recv(8)
                interrupt(shown)


@pytest.mark.parametrize("jobs", ["1", "3"])
def test_while_reading(newest_db: Database, jobs: str) -> None:
    slow_table(newest_db, seconds=60)
    newest_db.execute("CREATE TABLE t (id serial); CREATE TABLE u (id serial)")
    with terminal("check", newest_db.dsn, "--foreign", "-j", jobs) as shown:
        wait_until(newest_db, f"SELECT count(*) > 0 FROM ({RUNNING}) s WHERE query LIKE '%max%' AND state = 'active'")
        interrupt(shown)
        assert_gone(newest_db)
        # Nor does what it asked for go on behind it.
        wait_until(newest_db, "SELECT NOT EXISTS (SELECT FROM pg_stat_activity WHERE wait_event = 'PgSleep')")


@pytest.mark.parametrize("signum", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_while_moving(newest_db: Database, signum: signal.Signals) -> None:
    newest_db.execute("CREATE TABLE t (id bigserial PRIMARY KEY); INSERT INTO t VALUES (90000000)")
    with terminal("fix", newest_db.dsn, "--yes", "--lock", "none", "--outliers", "follow") as shown:
        wait_until(newest_db, "SELECT last_value > 50000 FROM t_id_seq")
        if signum == signal.SIGINT:
            interrupt(shown)
        else:
            shown.process.send_signal(signum)
            assert shown.end() == -signum
            assert INTERRUPTED in " ".join(shown.text.split())
        assert_gone(newest_db)
    reached = newest_db.value("SELECT last_value FROM t_id_seq")
    time.sleep(0.5)
    assert newest_db.value("SELECT last_value FROM t_id_seq") == reached < 90000000


def test_while_waiting_for_a_lock(newest_db: Database) -> None:
    newest_db.execute("CREATE TABLE t (id bigserial PRIMARY KEY); INSERT INTO t VALUES (5)")
    with newest_db.connect() as other:
        other.execute("BEGIN")
        other.execute("SELECT nextval('t_id_seq')")
        with terminal("fix", newest_db.dsn, "--yes", "--lock", "sequence", "--lock-timeout", "1") as shown:
            wait_until(newest_db, f"SELECT count(*) > 0 FROM ({RUNNING}) s WHERE query LIKE '%ALTER SEQUENCE%'")
            interrupt(shown)
            assert_gone(newest_db)
        other.execute("ROLLBACK")


def test_while_writing(newest_db: Database) -> None:
    """Nobody reads from the pipe that the report goes to; a second Ctrl-C is not needed."""
    newest_db.execute("DO $$ BEGIN FOR n IN 1..1500 LOOP EXECUTE format('CREATE SEQUENCE s%s', n); END LOOP; END $$")
    reader, writer = os.pipe()
    command = [sys.executable, "-m", "airflow_seqfix", "check", newest_db.dsn, "--format", "json"]
    process = subprocess.Popen(command, stdout=writer, stderr=subprocess.PIPE, text=True)
    os.close(writer)
    assert os.read(reader, 1) == b"{"
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=60)
    os.close(reader)
    assert process.returncode == -signal.SIGINT
    assert INTERRUPTED in said
    assert "Traceback" not in said


def test_an_ignored_signal_stays_ignored(newest_db: Database) -> None:
    newest_db.execute("CREATE TABLE t (id bigserial PRIMARY KEY); INSERT INTO t VALUES (1500000)")
    command = [sys.executable, "-m", "airflow_seqfix", "fix", newest_db.dsn, "--lock", "none"]
    process = subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=lambda: signal.signal(signal.SIGHUP, signal.SIG_IGN),
    )
    wait_until(newest_db, "SELECT last_value > 50000 FROM t_id_seq")
    process.send_signal(signal.SIGHUP)
    process.communicate(timeout=120)
    assert process.returncode == 0


@pytest.mark.parametrize(("statements", "status"), [("", 0), ("INSERT INTO t VALUES (3)", 1)])
@pytest.mark.parametrize("options", [["--all"], ["--all", "--format", "json"]])
def test_a_closed_pipe(newest_db: Database, options: list[str], statements: str, status: int) -> None:
    newest_db.execute("DO $$ BEGIN FOR n IN 1..3000 LOOP EXECUTE format('CREATE SEQUENCE s%s', n); END LOOP; END $$")
    newest_db.execute(f"CREATE TABLE t (id serial); {statements}")
    command = f"'{sys.executable}' -m airflow_seqfix check '{newest_db.dsn}' {' '.join(options)} | head -1"
    done = subprocess.run(["bash", "-c", f"{command}; exit ${{PIPESTATUS[0]}}"], capture_output=True, text=True)
    assert done.stderr == ""
    assert len(done.stdout.splitlines()) == 1
    assert done.returncode == status


def test_an_exception_that_is_lost_comes_again(monkeypatch: pytest.MonkeyPatch) -> None:
    said: list[object] = []
    monkeypatch.setattr(sys, "unraisablehook", said.append)

    class Ends:
        """Python ignores what is raised while an object is destroyed."""

        def __del__(self) -> None:
            signal.raise_signal(signal.SIGTERM)

    def work() -> None:
        Ends()
        time.sleep(30)

    with pytest.raises(Interrupted), as_exceptions():
        work()
    assert not said


def test_cleaning_up_is_left_to_its_end() -> None:
    ended = []

    def work() -> None:
        try:
            signal.raise_signal(signal.SIGTERM)
        finally:
            time.sleep(3 * AGAIN)
            ended.append(True)

    with pytest.raises(Interrupted), as_exceptions():
        work()
    assert ended


#: A signal comes while a thread starts, and what is asked of that thread later is an error.
DURING_A_START = """
import os, signal, sys, threading
from airflow_seqfix.cli import main

def start(self):
    try:
        os.kill(os.getpid(), signal.SIGTERM)
    finally:
        raise RuntimeError("cannot join thread before it is started")

threading.Thread.start = start
sys.exit(main(["check", sys.argv[1]]))
"""


def test_an_error_that_follows_from_a_signal(newest_db: Database) -> None:
    ended = subprocess.run([sys.executable, "-c", DURING_A_START, newest_db.dsn], capture_output=True, text=True)
    assert ended.returncode == -signal.SIGTERM
    assert ended.stderr == f"{INTERRUPTED}\n"
