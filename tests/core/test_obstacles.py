"""What the server ends before its time is told by its cause, and costs one sequence only."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest

from airflow_seqfix import core
from airflow_seqfix.core import queries
from airflow_seqfix.core.database.session import Session
from airflow_seqfix.core.errors import CatalogError
from airflow_seqfix.core.obstacles import immovable
from airflow_seqfix.core.policy import Limits
from tests.support.servers import Database
from tests.support.watched import Watched, reads_a_table

DRIVERS = ("psycopg", "psycopg2")
#: What stands in for a statement that takes long.
LONG = "SELECT pg_sleep(50)"
CANCEL = """
    SELECT pg_cancel_backend(pid) FROM pg_stat_activity
     WHERE datname = current_database() AND wait_event = 'PgSleep'
"""


@pytest.fixture
def tables(newest_db: Database) -> Database:
    newest_db.execute("""
        CREATE TABLE slow (id serial PRIMARY KEY);
        CREATE TABLE quick (id serial PRIMARY KEY);
        INSERT INTO slow VALUES (100);
        INSERT INTO quick VALUES (100)
    """)
    return newest_db


def open_one(db: Database, driver: str) -> Any:
    return db.psycopg2() if driver == "psycopg2" else db.connect()


@contextlib.contextmanager
def who_sleeps_is_cancelled(db: Database) -> Iterator[None]:
    over = threading.Event()

    def cancel() -> None:
        with db.connect() as conn:
            while not over.wait(0.02):
                conn.execute(CANCEL)

    thread = threading.Thread(target=cancel)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def rows_of(report: core.Report) -> dict[str, dict[str, Any]]:
    return {row["sequence"]: row for row in report.to_dict()["sequences"]}


def read_slowly(monkeypatch: pytest.MonkeyPatch) -> None:
    rows_apart = Session.rows_apart

    def watched(session: Session, statement: str, **kinds: Any) -> Any:
        is_slow = reads_a_table(statement) and "public.slow AS t" in statement
        return rows_apart(session, LONG if is_slow else statement, **kinds)

    monkeypatch.setattr(Session, "rows_apart", watched)


def move_slowly(monkeypatch: pytest.MonkeyPatch, db: Database) -> None:
    run_apart, rows = Session.run_apart, Session.rows
    # With others a sequence is moved by its OID, alone also by its name.
    oid = db.value("SELECT 'slow_id_seq'::regclass::oid::bigint")
    names = ["public.slow_id_seq", f"nextval({oid})"]

    def slowed(statement: str) -> str:
        return LONG if any(name in statement for name in names) else statement

    def watched_run(session: Session, statements: Any) -> None:
        run_apart(session, map(slowed, statements))

    def watched_rows(session: Session, statement: str, **kinds: Any) -> Any:
        return rows(session, slowed(statement) if "nextval" in statement else statement, **kinds)

    monkeypatch.setattr(Session, "run_apart", watched_run)
    monkeypatch.setattr(Session, "rows", watched_rows)


@pytest.mark.parametrize("indexed", [True, False], ids=["with an index", "without"])
@pytest.mark.parametrize("driver", DRIVERS)
def test_a_read_that_somebody_cancels(
    tables: Database, driver: str, indexed: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not indexed:
        tables.execute("ALTER TABLE slow DROP CONSTRAINT slow_pkey")
    read_slowly(monkeypatch)
    with contextlib.closing(open_one(tables, driver)) as conn, who_sleeps_is_cancelled(tables):
        rows = rows_of(core.check(conn))
    slow = rows["public.slow_id_seq"]
    assert (slow["verdict"], slow["cure"]) == ("unknown", "run again")
    assert slow["reason"] == "somebody cancelled the read before statement_timeout (60 s) was over"
    assert rows["public.quick_id_seq"]["verdict"] == "behind"


def sleep_instead_of(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    get = queries.get
    monkeypatch.setattr(queries, "get", lambda asked: LONG if asked == name else get(asked))


@pytest.mark.parametrize("name", ["server", "columns", "sequences", "tables", "writers"])
@pytest.mark.parametrize("driver", DRIVERS)
def test_a_read_of_the_catalogs_that_somebody_cancels(
    tables: Database, driver: str, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    sleep_instead_of(name, monkeypatch)
    named = ["nothing"] if name == "tables" else ()
    with (
        contextlib.closing(open_one(tables, driver)) as conn,
        who_sleeps_is_cancelled(tables),
        pytest.raises(CatalogError) as caught,
    ):
        core.check(conn, tables=named)
    assert str(caught.value).startswith(
        "the catalogs could not be read: somebody cancelled the read before statement_timeout (60 s) was over (57014): "
        "run again"
    )


@pytest.mark.parametrize("name", ["columns", "writers"])
@pytest.mark.parametrize("driver", DRIVERS)
def test_a_read_of_the_catalogs_that_takes_too_long(
    tables: Database, driver: str, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    sleep_instead_of(name, monkeypatch)
    with contextlib.closing(open_one(tables, driver)) as conn, pytest.raises(CatalogError) as caught:
        core.check(conn, statement_timeout=0.2)
    assert str(caught.value).startswith(
        "the catalogs could not be read: the read took longer than statement_timeout (0.2 s) (57014): "
        "a larger statement_timeout"
    )


@pytest.mark.parametrize("driver", DRIVERS)
@pytest.mark.long
def test_a_read_that_takes_too_long(tables: Database, driver: str, monkeypatch: pytest.MonkeyPatch) -> None:
    read_slowly(monkeypatch)
    with contextlib.closing(open_one(tables, driver)) as conn:
        rows = rows_of(core.check(conn, statement_timeout=1.5))
    slow = rows["public.slow_id_seq"]
    assert (slow["verdict"], slow["cure"]) == ("unknown", "a larger statement_timeout")
    assert slow["reason"] == "the read took longer than statement_timeout (1.5 s)"
    assert rows["public.quick_id_seq"]["verdict"] == "behind"


@pytest.mark.parametrize("driver", DRIVERS)
@pytest.mark.parametrize("lock", ["none", "sequence"])
def test_a_move_that_somebody_cancels(
    tables: Database, driver: str, lock: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    move_slowly(monkeypatch, tables)
    with contextlib.closing(open_one(tables, driver)) as conn, who_sleeps_is_cancelled(tables):
        rows = rows_of(core.fix(conn, lock=lock))
    assert rows["public.slow_id_seq"]["error"] == {
        "sqlstate": "57014",
        "reason": "somebody cancelled the move before statement_timeout (60 s) was over",
        "cure": "run again",
    }
    assert rows["public.quick_id_seq"]["verified"]


@pytest.mark.parametrize("driver", DRIVERS)
@pytest.mark.long
def test_a_move_that_takes_too_long(tables: Database, driver: str, monkeypatch: pytest.MonkeyPatch) -> None:
    move_slowly(monkeypatch, tables)
    with contextlib.closing(open_one(tables, driver)) as conn:
        rows = rows_of(core.fix(conn, lock="sequence", statement_timeout=1.5))
    assert rows["public.slow_id_seq"]["error"] == {
        "sqlstate": "57014",
        "reason": "the move took longer than statement_timeout (1.5 s)",
        "cure": "a larger statement_timeout",
    }
    assert rows["public.quick_id_seq"]["verified"]


NO_ROOM = {
    "sqlstate": "53200",
    "reason": "the server's lock table had no room for the {what}",
    "cure": "run again when others hold fewer locks (pg_locks shows them), or a larger max_locks_per_transaction",
}


@contextlib.contextmanager
def one_who_locks(db: Database) -> Iterator[psycopg.Connection]:
    with db.connect() as conn:
        try:
            yield conn
        finally:
            # Whoever comes next has room at once, and not when the server has seen that this client is gone.
            conn.execute("SELECT pg_advisory_unlock_all()")


def fill_the_lock_table(neighbour: psycopg.Connection) -> psycopg.Error:
    """Take locks, which the session keeps, until there is no room; return what the server says then."""
    with pytest.raises(psycopg.errors.OutOfMemory) as refused:
        neighbour.execute("SELECT pg_advisory_lock(i) FROM generate_series(1, 1000000) AS i")
    return refused.value


@pytest.mark.long
def test_a_read_for_which_the_lock_table_has_no_room(tables: Database) -> None:
    # More relations than a backend can lock without an entry in the table that all share.
    tables.execute("""
        CREATE TABLE parts (id serial, at int, PRIMARY KEY (id, at)) PARTITION BY LIST (at);
        DO $$ BEGIN
            FOR i IN 1..150 LOOP
                EXECUTE format('CREATE TABLE parts_%1$s PARTITION OF parts FOR VALUES IN (%1$s)', i);
            END LOOP;
        END $$
    """)
    full = []

    def fill(statement: str) -> None:
        if reads_a_table(statement):
            full.append(fill_the_lock_table(neighbour))
        elif full:
            # The catalogs have room again.
            neighbour.execute("SELECT pg_advisory_unlock_all()")

    watched = Watched(tables.psycopg2())
    watched.before = fill
    with one_who_locks(tables) as neighbour, contextlib.closing(watched):
        rows = rows_of(core.check(watched))
    assert full
    parts = rows["public.parts_id_seq"]
    assert (parts["verdict"], parts["cure"]) == ("unknown", NO_ROOM["cure"])
    assert parts["reason"] == NO_ROOM["reason"].format(what="read")
    assert [rows[f"public.{name}_id_seq"]["verdict"] for name in ("slow", "quick")] == ["behind"] * 2
    with tables.connect() as conn:
        assert core.check(conn, tables="parts").summary["in_sync"] == 1, "run again helps"


def test_a_move_for_which_the_lock_table_has_no_room(tables: Database) -> None:
    with one_who_locks(tables) as neighbour:
        refusal = fill_the_lock_table(neighbour)
    move, _ = core.plan(tables.connect).moves
    obstacle = immovable(move, refusal, Limits())
    assert (obstacle.sqlstate, obstacle.remedy) == ("53200", NO_ROOM["cure"])
    assert obstacle.reason == NO_ROOM["reason"].format(what="move")
    # Nor is any other lack of memory taken for it.
    assert immovable(move, psycopg.errors.OutOfMemory("out of memory"), Limits()).remedy == "see the server's log"


INDEX = "CREATE INDEX CONCURRENTLY ON public.far (id); -- or a larger statement_timeout; or "
TIMEOUT = "reading public.far.id took longer than statement_timeout (0.9 s): no index leads with it"
LOCKED = "another session holds a lock that keeps readers out"


@contextlib.contextmanager
def locked_before(part: str, db: Database) -> Iterator[Watched]:
    """Yield a connection; before a statement with such a part, somebody locks the table."""
    watched = Watched(db.psycopg2())
    with contextlib.closing(watched), db.connect() as holder, holder.transaction():

        def keep_out(statement: str) -> None:
            if part in statement:
                holder.execute("LOCK TABLE far")

        watched.before = keep_out
        yield watched


@pytest.mark.parametrize(
    ("data_type", "values", "said"),
    [
        ("int", "(30000000)", "that is more than max_jump (10,000,000) away, and the values before it"),
        ("smallint", "(20000)", "that is far for its range, and the values before it"),
    ],
)
@pytest.mark.parametrize(
    ("limits", "why", "remedy"),
    [
        ({"statement_timeout": 0.9, "lock_timeout": 1}, TIMEOUT, INDEX),
        ({"statement_timeout": 5, "lock_timeout": 0.1}, LOCKED, "run again when it is done"),
    ],
    ids=["statement_timeout", "lock_timeout"],
)
@pytest.mark.long
def test_a_second_read_that_takes_too_long_says_so(
    data_type: str, values: str, said: str, limits: dict[str, float], why: str, remedy: str, newest_db: Database
) -> None:
    db = newest_db
    db.execute(f"CREATE SEQUENCE far_seq AS {data_type}; CREATE TABLE far (id {data_type} DEFAULT nextval('far_seq'))")
    db.execute(f"INSERT INTO far VALUES {values}")
    # What lies behind: the values at the far end.
    with locked_before("array_to_string", db) as watched:
        (row,) = rows_of(core.check(watched, **limits)).values()  # type: ignore[arg-type]
    assert row["verdict"] == "behind"
    assert f"{said} " in row["reason"]
    assert f" could not be read: {why}" in row["reason"]
    assert row["cure"].startswith(remedy)
    assert 'outliers="follow"' in row["cure"]
    assert "remove" not in row["cure"]


def test_whether_values_are_free_may_not_be_known(newest_db: Database) -> None:
    """Only a unique index takes values: without one there is nothing to read."""
    db = newest_db
    db.execute("CREATE TABLE far (id smallserial PRIMARY KEY); INSERT INTO far SELECT generate_series(1, 32767)")
    with locked_before("lag(value", db) as watched:
        (row,) = rows_of(core.check(watched, lock_timeout=0.1)).values()
    assert row["verdict"] == "behind"
    assert "a move would leave no value that fits, and whether values " in row["reason"]
    assert f" could not be read: {LOCKED}" in row["reason"]
    assert row["cure"].startswith("run again when it is done")


def test_a_move_that_cannot_be_verified_says_that_it_was_made(tables: Database) -> None:
    with tables.connect() as holder, holder.transaction():

        def lock(progress: core.Progress) -> None:
            if progress.phase == "move":
                holder.execute("LOCK TABLE slow")

        with tables.connect() as conn:
            row = rows_of(core.fix(conn, progress=lock))["public.slow_id_seq"]
    assert (row["verdict"], row["verified"], row["error"]["sqlstate"]) == ("unknown", False, "55P03")
    assert row["error"]["reason"] == (
        "it was moved, and could not be read again: another session holds a lock that keeps readers out"
    )
    assert row["error"]["cure"].startswith("run again when it is done")
    furthest = tables.value("SELECT max(id) FROM slow")
    assert tables.value("INSERT INTO slow DEFAULT VALUES RETURNING id") == furthest + 1
