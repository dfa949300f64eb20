"""Whatever a connection was set up to do, it comes back as it was, or is refused with a sentence and left alone."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Callable, Iterator
from typing import Any

import psycopg
import psycopg2
import pytest
from psycopg import adapt, sql
from psycopg.types.numeric import IntLoader
from psycopg2 import extensions, extras

from airflow_seqfix import core
from tests.support.servers import Database

#: What psycopg 3 and psycopg2 keep of what a caller has set.
KEPT = {
    "psycopg": (
        *("autocommit", "isolation_level", "read_only", "deferrable", "prepare_threshold", "prepared_max"),
        *("row_factory", "cursor_factory", "server_cursor_factory"),
    ),
    "psycopg2": ("autocommit", "isolation_level", "readonly", "deferrable", "cursor_factory", "encoding", "status"),
}
QUESTIONS = {
    "settings": "SELECT name, setting FROM pg_catalog.pg_settings WHERE source = 'session' ORDER BY name",
    "prepared": "SELECT name, statement FROM pg_catalog.pg_prepared_statements ORDER BY name",
    "values": "SELECT 1::int8, 2::oid, true, 1.5",
}


class TextLoader(adapt.Loader):
    """Gives text where others give a number."""

    def load(self, data: Any) -> str:
        return bytes(data).decode()


def isolation(level: Any) -> Callable[[Any], None]:
    def set_level(conn: Any) -> None:
        conn.isolation_level = level

    return set_level


def isolation_of_the_session(conn: Any) -> None:
    conn.cursor().execute("SET SESSION CHARACTERISTICS AS TRANSACTION ISOLATION LEVEL SERIALIZABLE")
    conn.commit()


def isolation_twice(conn: Any) -> None:
    isolation_of_the_session(conn)
    conn.isolation_level = "REPEATABLE READ"


def deferrable(conn: Any) -> None:
    conn.deferrable = True


def not_read_only(conn: Any) -> None:
    conn.read_only = conn.readonly = False


def loads_text(conn: Any) -> None:
    for name in ("int2", "int4", "int8", "oid", "numeric", "bool", "float8", "name"):
        conn.adapters.register_loader(name, TextLoader)


def casts_to_text(conn: Any) -> None:
    every = extensions.new_type((16, 19, 20, 21, 23, 25, 26, 701, 1700), "TEXT", lambda value, cursor: f"<{value}>")
    extensions.register_type(every, conn)
    extensions.register_type(extensions.new_array_type((1016, 1007, 1005, 1028, 1009), "TEXTS", every), conn)


def cursors(name: str) -> Callable[[Any], None]:
    def set_factory(conn: Any) -> None:
        conn.cursor_factory = getattr(psycopg, name, None) or getattr(extras, name)

    return set_factory


def rows(name: str) -> Callable[[Any], None]:
    def set_factory(conn: Any) -> None:
        conn.row_factory = getattr(psycopg.rows, name)

    return set_factory


def scalar_rows(conn: Any) -> None:
    conn.row_factory = psycopg.rows.scalar_row


def prepared(conn: Any) -> None:
    conn.execute("PREPARE own AS SELECT 1")
    for _ in range(3):
        conn.execute("SELECT %s::int", (1,), prepare=True)
    conn.commit()
    conn.prepare_threshold = 0


def prepared_in_sql(conn: Any) -> None:
    with contextlib.closing(conn.cursor()) as cursor:
        cursor.execute("PREPARE own AS SELECT 1")
    conn.commit()


def own_settings(conn: Any) -> None:
    with contextlib.closing(conn.cursor()) as cursor:
        cursor.execute("SET statement_timeout = '7min'; SET search_path = pg_temp; SET application_name = 'mine'")
        cursor.execute("SET client_min_messages = debug1")
    conn.commit()


def latin(conn: Any) -> None:
    conn.set_client_encoding("LATIN1")


#: What a caller can have set, by the driver.
STATES: dict[str, dict[str, Callable[[Any], None]]] = {
    "psycopg": {
        "nothing": lambda conn: None,
        "read committed": isolation(psycopg.IsolationLevel.READ_COMMITTED),
        "repeatable read": isolation(psycopg.IsolationLevel.REPEATABLE_READ),
        "serializable": isolation(psycopg.IsolationLevel.SERIALIZABLE),
        "serializable in the session": isolation_of_the_session,
        "deferrable": deferrable,
        "int8 as text": loads_text,
        "dict_row": rows("dict_row"),
        "namedtuple_row": rows("namedtuple_row"),
        "scalar_row": rows("scalar_row"),
        "ClientCursor": cursors("ClientCursor"),
        "RawCursor": cursors("RawCursor"),
        "prepared statements": prepared,
        "settings": own_settings,
    },
    "psycopg2": {
        "nothing": lambda conn: None,
        "read uncommitted": isolation(extensions.ISOLATION_LEVEL_READ_UNCOMMITTED),
        "read committed": isolation(extensions.ISOLATION_LEVEL_READ_COMMITTED),
        "repeatable read": isolation(extensions.ISOLATION_LEVEL_REPEATABLE_READ),
        "serializable": isolation(extensions.ISOLATION_LEVEL_SERIALIZABLE),
        "serializable in the session": isolation_of_the_session,
        "two isolation levels": isolation_twice,
        "set_session": lambda conn: conn.set_session(isolation_level="SERIALIZABLE", readonly=False, deferrable=True),
        "deferrable": deferrable,
        "int8 as text": casts_to_text,
        "RealDictCursor": cursors("RealDictCursor"),
        "DictCursor": cursors("DictCursor"),
        "NamedTupleCursor": cursors("NamedTupleCursor"),
        "LATIN1": latin,
        "prepared statements": prepared_in_sql,
        "settings": own_settings,
    },
}
EVERY = [
    pytest.param(driver, state, autocommit, id=f"{driver}, {state}, autocommit={autocommit}")
    for driver, states in STATES.items()
    for state in states
    for autocommit in (False, True)
]


@pytest.fixture
def behind(newest_db: Database) -> Database:
    newest_db.execute(
        """
        CREATE TABLE small (id bigserial PRIMARY KEY);
        INSERT INTO small SELECT generate_series(1, 10);
        CREATE TABLE cached (id int GENERATED ALWAYS AS IDENTITY (CACHE 20) PRIMARY KEY);
        INSERT INTO cached OVERRIDING SYSTEM VALUE SELECT generate_series(1, 10)
        """
    )
    return newest_db


def connect(db: Database, driver: str) -> Any:
    """Open a connection as the driver opens it."""
    return psycopg.connect(db.dsn) if driver == "psycopg" else psycopg2.connect(db.dsn)


def state_of(conn: Any, driver: str) -> dict[str, Any]:
    """Return what the driver knows of a connection, and what the server does."""
    kept = {name: getattr(conn, name) for name in KEPT[driver]}
    if driver == "psycopg":
        cursor = psycopg.Cursor(conn, row_factory=psycopg.rows.tuple_row)
        options = {"prepare": False}
    else:
        cursor = conn.cursor(cursor_factory=extensions.cursor)
        options = {}
    with contextlib.closing(cursor):
        for name, query in QUESTIONS.items():
            cursor.execute(query, **options)
            kept[name] = cursor.fetchall()
    # A rollback of psycopg 3 would drop prepared statements.
    conn.commit()
    return kept


@pytest.mark.parametrize(("driver", "state", "autocommit"), EVERY)
def test_it_comes_back_as_it_was(behind: Database, driver: str, state: str, autocommit: bool) -> None:
    with contextlib.closing(connect(behind, driver)) as conn:
        conn.autocommit = autocommit
        STATES[driver][state](conn)
        before = state_of(conn, driver)

        assert core.check(conn).summary["behind"] == 2
        with pytest.raises(core.SelectionError):
            core.check(conn, tables="nothing")
        assert core.plan(conn).to_dict()["summary"]["behind"] == 2
        assert state_of(conn, driver) == before
        assert core.fix(conn).summary["verified"] == 2
        assert state_of(conn, driver) == before
        assert_rolls_back(conn, behind, autocommit)


def assert_rolls_back(conn: Any, db: Database, autocommit: bool) -> None:
    """What the caller does next is undone, or is not, as it was before."""
    with contextlib.closing(conn.cursor()) as cursor:
        cursor.execute("INSERT INTO public.small DEFAULT VALUES")
    conn.rollback()
    assert db.value("SELECT count(*) FROM small") == (11 if autocommit else 10)


@pytest.mark.parametrize("autocommit", [False, True])
@pytest.mark.parametrize("driver", KEPT)
def test_in_a_block_of_the_connection(behind: Database, driver: str, autocommit: bool) -> None:
    """psycopg2 begins a transaction with each statement in there, and commits at the end."""
    conn = connect(behind, driver)
    conn.autocommit = autocommit
    with contextlib.suppress(ZeroDivisionError), conn:
        assert core.check(conn).summary["behind"] == 2
        with pytest.raises(core.SelectionError):
            core.check(conn, tables="nothing")
        assert core.fix(conn).summary["verified"] == 2
        assert conn.autocommit is autocommit
        with contextlib.closing(conn.cursor()) as cursor:
            cursor.execute("INSERT INTO small DEFAULT VALUES")
        _ = 1 / 0
    undone = not autocommit or driver == "psycopg2"
    assert behind.value("SELECT count(*) FROM small") == (10 if undone else 11)
    conn.close()


def test_notices_are_heard_as_before(behind: Database) -> None:
    heard: list[str] = []
    with psycopg.connect(behind.dsn) as conn:
        conn.add_notice_handler(lambda diagnostic: heard.append(diagnostic.message_primary))
        core.fix(conn)
        assert heard == []
        conn.execute("DO $$ BEGIN RAISE NOTICE 'mine'; END $$")
        assert heard == ["mine"]
    with contextlib.closing(psycopg2.connect(behind.dsn)) as other:
        core.fix(other)
        assert other.notices == []


def test_typecasters_of_the_whole_program(behind: Database) -> None:
    """What is registered for every connection does not reach what is read here either."""
    own = extensions.new_type((20, 26), "TEXT", lambda value, cursor: f"<{value}>")
    loaders = {name: psycopg.adapters.get_loader(psycopg.postgres.types[name].oid, 0) for name in ("int8", "oid")}
    extensions.register_type(own)
    for name in loaders:
        psycopg.adapters.register_loader(name, TextLoader)
    try:
        for driver in KEPT:
            with contextlib.closing(connect(behind, driver)) as conn:
                assert core.check(conn).summary["behind"] == 2
    finally:
        extensions.register_type(extensions.LONGINTEGER)
        extensions.register_type(psycopg2.ROWID)
        for name, loader in loaders.items():
            psycopg.adapters.register_loader(name, loader or IntLoader)


def test_a_connection_that_logs(behind: Database, caplog: pytest.LogCaptureFixture) -> None:
    conn = psycopg2.connect(behind.dsn, connection_factory=extras.LoggingConnection)
    conn.initialize(logging.getLogger("sql"))
    assert core.fix(conn).summary["verified"] == 2
    conn.close()


@contextlib.contextmanager
def pipeline(conn: Any) -> Iterator[None]:
    with conn.pipeline():
        yield


@contextlib.contextmanager
def transaction(conn: Any) -> Iterator[None]:
    with conn.transaction():
        yield


@contextlib.contextmanager
def running(conn: Any) -> Iterator[None]:
    cursor = conn.cursor()
    rows = cursor.stream("SELECT generate_series(1, 3)")
    next(rows)
    yield
    rows.close()
    conn.rollback()


@contextlib.contextmanager
def statement(conn: Any) -> Iterator[None]:
    with contextlib.closing(conn.cursor()) as cursor:
        cursor.execute("SELECT 1")
    yield
    conn.rollback()


@contextlib.contextmanager
def failed(conn: Any) -> Iterator[None]:
    with contextlib.suppress(psycopg.Error, psycopg2.Error), contextlib.closing(conn.cursor()) as cursor:
        cursor.execute("SELECT 1/0")
    yield
    conn.rollback()


@contextlib.contextmanager
def two_phases(conn: Any) -> Iterator[None]:
    conn.tpc_begin(conn.xid(1, "gtrid", "bqual"))
    yield
    conn.tpc_rollback()


REFUSED = [
    ("psycopg", pipeline, "the connection is in pipeline mode: call this outside of the block"),
    ("psycopg", transaction, "the connection is inside a transaction: commit or roll back first"),
    ("psycopg", running, "the connection is in the middle of a statement: read its result to the end first"),
    ("psycopg", statement, "inside a transaction: commit or roll back first"),
    ("psycopg2", statement, "inside a transaction: commit or roll back first"),
    ("psycopg", failed, "inside a transaction"),
    ("psycopg2", failed, "inside a transaction"),
    ("psycopg", two_phases, "inside a transaction|cannot be used as it is: .*two-phase"),
    ("psycopg2", two_phases, "inside a transaction|cannot be used as it is: .*two-phase"),
]


@pytest.mark.parametrize(("driver", "state", "said"), REFUSED, ids=[f"{d}, {s.__name__}" for d, s, _ in REFUSED])
def test_what_cannot_be_kept_is_refused(
    behind: Database, driver: str, state: Callable[[Any], contextlib.AbstractContextManager[None]], said: str
) -> None:
    with contextlib.closing(connect(behind, driver)) as conn:
        before = {name: getattr(conn, name) for name in KEPT[driver]}
        with state(conn):
            inside = {name: getattr(conn, name) for name in KEPT[driver]}
            for call in (core.check, core.plan, core.fix):
                with pytest.raises(core.ArgumentError, match=said):
                    call(conn)
            assert {name: getattr(conn, name) for name in KEPT[driver]} == inside
        assert {name: getattr(conn, name) for name in KEPT[driver]} == before
        assert core.check(conn).summary["behind"] == 2, "nothing was moved, and the connection can be used"


def test_an_asynchronous_connection_of_psycopg2_is_refused(behind: Database) -> None:
    conn = psycopg2.connect(behind.dsn, async_=True)
    extras.wait_select(conn)
    with pytest.raises(core.ArgumentError, match="connect in a thread"):
        core.check(conn)
    conn.close()


def set_read_only(conn: Any) -> None:
    conn.read_only = True


READ_ONLY: list[tuple[str, str, Callable[[Any], None]]] = [
    ("psycopg", "read_only", set_read_only),
    ("psycopg2", "readonly", lambda conn: setattr(conn, "readonly", True)),
    ("psycopg2", "set_session", lambda conn: conn.set_session(readonly=True)),
    ("psycopg2", "set_session with autocommit", lambda conn: conn.set_session(readonly=True, autocommit=True)),
]
READ_ONLY_SESSION = {
    "SET": "SET default_transaction_read_only = on",
    "SET SESSION CHARACTERISTICS": "SET SESSION CHARACTERISTICS AS TRANSACTION READ ONLY",
}


@pytest.mark.parametrize("autocommit", [False, True])
@pytest.mark.parametrize(("driver", "how", "make"), READ_ONLY, ids=[f"{d}, {how}" for d, how, _ in READ_ONLY])
def test_a_connection_that_was_made_read_only_repairs_nothing(
    behind: Database, driver: str, how: str, make: Callable[[Any], None], autocommit: bool
) -> None:
    with contextlib.closing(connect(behind, driver)) as conn:
        conn.autocommit = autocommit
        make(conn)
        before = state_of(conn, driver)
        stored = core.plan(conn)
        for lock in ("auto", "none", "sequence", "guarded"):
            with pytest.raises(core.ArgumentError, match="the connection was made read-only: repair on one that may"):
                core.fix(conn, lock=lock)
        with pytest.raises(core.ArgumentError, match="made read-only"):
            core.fix(conn, plan=stored)
        with pytest.raises(core.ArgumentError, match="made read-only"):
            core.fix_sequence(conn, "small")
        assert core.check(conn).summary["behind"] == 2
        assert state_of(conn, driver) == before


@pytest.mark.parametrize("autocommit", [False, True])
@pytest.mark.parametrize("statement", READ_ONLY_SESSION.values(), ids=READ_ONLY_SESSION.keys())
@pytest.mark.parametrize("driver", KEPT)
def test_a_session_that_was_made_read_only_repairs_nothing(
    behind: Database, driver: str, statement: str, autocommit: bool
) -> None:
    with contextlib.closing(connect(behind, driver)) as conn:
        conn.autocommit = autocommit
        with contextlib.closing(conn.cursor()) as cursor:
            cursor.execute(statement)
        conn.commit()
        for lock in ("auto", "none", "sequence", "guarded"):
            report = core.fix(conn, lock=lock)
            assert {row["error"]["sqlstate"] for row in report.to_dict()["sequences"]} == {"25006"}
        assert core.check(conn).summary["behind"] == 2


def test_what_cannot_be_put_back_is_said_and_closed(behind: Database) -> None:
    class Stubborn(psycopg.Connection):
        def _set_autocommit(self, value: bool) -> None:
            if not value:
                raise psycopg.ProgrammingError("no longer")
            super()._set_autocommit(value)

    with contextlib.closing(Stubborn.connect(behind.dsn)) as conn:
        with pytest.raises(core.ConnectionFailedError, match=r"could not be put back as it was \(no longer\), and is"):
            core.check(conn)
        assert conn.closed


def test_names_are_still_quoted_by_the_driver(behind: Database) -> None:
    """What the caller's own cursors give is as it was, after a run in between."""
    with psycopg.connect(behind.dsn) as conn:
        loads_text(conn)
        core.check(conn)
        assert conn.execute(sql.SQL("SELECT {}").format(7)).fetchone() == ("7",)
