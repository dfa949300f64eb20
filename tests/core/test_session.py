"""The connection comes back as it was borrowed, whatever was done with it and whatever it was set up to do."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import psycopg
import psycopg2.extras
import pytest
from psycopg import pq
from psycopg.rows import dict_row, namedtuple_row

from airflow_seqfix import core
from airflow_seqfix.core import queries
from airflow_seqfix.core.database.sessions import open_sessions
from airflow_seqfix.core.policy import Limits
from tests.support.psql import psql, reset
from tests.support.servers import Database

#: Three sequences that are behind, and one way of moving for each: advance, locked because of the gap, and of CACHE.
BEHIND = """
    CREATE TABLE small (id serial PRIMARY KEY);
    INSERT INTO small SELECT generate_series(1, 10);
    CREATE TABLE large (id serial PRIMARY KEY);
    INSERT INTO large SELECT generate_series(1, 20000);
    CREATE TABLE cached (id int GENERATED ALWAYS AS IDENTITY (CACHE 20) PRIMARY KEY);
    INSERT INTO cached OVERRIDING SYSTEM VALUE SELECT generate_series(1, 10)
"""

DRIVERS = ("psycopg", "psycopg2")


@pytest.fixture
def behind(db: Database) -> Database:
    db.execute(BEHIND)
    return db


def connect(db: Database, driver: str, **options: Any) -> Any:
    if driver == "psycopg2":
        return db.psycopg2(**options)
    return db.connect(**options)


def ask(conn: Any, query: str) -> list[tuple[Any, ...]]:
    """Ask the session itself, in a way that both drivers know."""
    cursor = conn.cursor()
    cursor.execute(query)
    rows = cursor.fetchall()
    cursor.close()
    return rows


def run(conn: Any, statement: str) -> None:
    cursor = conn.cursor()
    cursor.execute(statement)
    cursor.close()


def settings(conn: Any) -> dict[str, str]:
    return dict(ask(conn, "SELECT name, setting FROM pg_catalog.pg_settings WHERE source = 'session'"))


@pytest.mark.parametrize("driver", DRIVERS)
def test_nothing_is_left_in_the_session(behind: Database, driver: str) -> None:
    conn = connect(behind, driver)
    for own in (
        "statement_timeout = '7min'",
        "search_path = pg_temp",
        "row_security = on",
        "application_name = 'mine'",
    ):
        run(conn, f"SET {own}")
    before = settings(conn)
    assert {"statement_timeout", "search_path", "row_security", "application_name"} <= set(before)

    core.check(conn)
    with pytest.raises(core.SelectionError):
        core.check(conn, tables="nothing")
    with pytest.raises(core.ArgumentError):
        core.check(conn, margin=-1)
    assert core.fix(conn).summary["verified"] == 3

    assert settings(conn) == before
    assert ask(conn, "SELECT count(*) FROM pg_catalog.pg_prepared_statements") == [(0,)]
    assert ask(conn, "SELECT count(*) FROM pg_catalog.pg_cursors WHERE name <> ''") == [(0,)]
    assert ask(conn, "SELECT count(*) FROM pg_catalog.pg_locks WHERE relation >= 16384 AND pid = pg_backend_pid()") == [
        (0,)
    ]
    assert ask(conn, "SELECT count(*) FROM pg_catalog.pg_class WHERE relnamespace = pg_my_temp_schema()") == [(0,)]
    assert conn.info.transaction_status == pq.TransactionStatus.IDLE
    conn.close()


@pytest.mark.parametrize("autocommit", [True, False])
@pytest.mark.parametrize("driver", DRIVERS)
def test_autocommit_is_restored(behind: Database, driver: str, autocommit: bool) -> None:
    conn = connect(behind, driver)
    conn.autocommit = autocommit
    assert core.fix(conn).summary["verified"] == 3
    assert conn.autocommit is autocommit
    with pytest.raises(core.SelectionError):
        core.check(conn, tables="nothing")
    assert conn.autocommit is autocommit
    assert conn.info.transaction_status == pq.TransactionStatus.IDLE
    conn.close()
    with behind.connect() as other:
        assert core.check(other).summary["in_sync"] == 3, "what was moved without autocommit is committed"


@pytest.mark.parametrize("threshold", [None, 0, 5])
def test_no_statement_is_prepared_and_the_threshold_is_restored(behind: Database, threshold: int | None) -> None:
    with behind.connect() as conn:
        conn.prepare_threshold = threshold
        for _ in range(7):
            core.check(conn)
        assert conn.prepare_threshold == threshold
        conn.prepare_threshold = None
        assert ask(conn, "SELECT count(*) FROM pg_prepared_statements") == [(0,)]


@pytest.mark.parametrize("driver", DRIVERS)
def test_a_connection_inside_a_transaction_is_refused(behind: Database, driver: str) -> None:
    conn = connect(behind, driver)
    conn.autocommit = False
    run(conn, "INSERT INTO small VALUES (11)")
    for call in (core.check, core.plan, core.fix):
        with pytest.raises(
            core.ArgumentError, match="the connection is inside a transaction: commit or roll back first"
        ):
            call(conn)
    assert conn.autocommit is False
    conn.commit()
    assert behind.value("SELECT max(id) FROM small") == 11, "the transaction was not touched"

    with pytest.raises((psycopg.Error, psycopg2.Error)):
        run(conn, "SELECT 1/0")
    with pytest.raises(core.ArgumentError, match="inside a transaction"):
        core.check(conn)
    conn.rollback()
    assert core.check(conn).summary["behind"] == 3
    conn.close()
    with pytest.raises(core.ArgumentError, match="the connection is closed"):
        core.check(conn)


@pytest.mark.parametrize("driver", DRIVERS)
def test_a_callable_gets_its_connection_closed(behind: Database, driver: str) -> None:
    opened = []

    def open_one() -> Any:
        opened.append(connect(behind, driver))
        return opened[-1]

    assert core.check(open_one).summary["behind"] == 3
    with pytest.raises(core.SelectionError):
        core.check(open_one, tables="nothing")
    assert [bool(conn.closed) for conn in opened] == [True, True]


@pytest.mark.parametrize("factory", [dict_row, namedtuple_row])
def test_row_factories_of_psycopg(behind: Database, factory: Any) -> None:
    with behind.connect() as conn:
        conn.row_factory = factory
        assert core.fix(conn).summary["verified"] == 3
        assert conn.row_factory is factory


def test_other_cursors_of_psycopg(behind: Database) -> None:
    with behind.connect() as conn:
        conn.cursor_factory = psycopg.ClientCursor
        assert core.fix(conn).summary["verified"] == 3
        assert conn.cursor_factory is psycopg.ClientCursor


@pytest.mark.parametrize("name", ["RealDictCursor", "DictCursor", "NamedTupleCursor"])
def test_cursors_of_psycopg2(behind: Database, name: str) -> None:
    factory = getattr(psycopg2.extras, name)
    conn = behind.psycopg2()
    conn.cursor_factory = factory
    assert core.fix(conn).summary["verified"] == 3
    assert conn.cursor_factory is factory
    conn.close()


@pytest.mark.parametrize("driver", DRIVERS)
def test_a_session_with_another_isolation_level_can_be_borrowed(behind: Database, driver: str) -> None:
    conn = connect(behind, driver)
    run(conn, "SET default_transaction_isolation = 'serializable'")
    before = settings(conn)
    assert core.fix(conn).summary["verified"] == 3
    assert settings(conn) == before
    conn.close()


def test_no_statement_has_a_backslash_in_a_plain_string() -> None:
    """There it is a letter, or not: the server takes a message apart before a SET in it counts."""
    strings = re.compile(r"--[^\n]*|\$re\$.*?\$re\$|E?'(?:[^']|'')*'", re.DOTALL)
    for path in Path(queries.__file__).parent.rglob("*.sql"):
        found = strings.findall(path.read_text(encoding="utf-8"))
        assert not [text for text in found if text.startswith("'") and "\\" in text], path.name


@pytest.mark.parametrize("driver", DRIVERS)
def test_backslashes_are_letters_whatever_the_session_takes_them_for(behind: Database, driver: str) -> None:
    behind.execute(
        r'CREATE TABLE "back\table" (id serial); CREATE TABLE late (id int DEFAULT nextval($$small_id_seq$$::text))'
    )
    # From 19 on they always are.
    if behind.server.version_num < 19_00_00:
        behind.execute(f"ALTER DATABASE {behind.name} SET standard_conforming_strings = off")
    conn = connect(behind, driver)
    for lock in ("none", "sequence", "guarded"):
        behind.execute(r'INSERT INTO "back\table" SELECT max(id) + 50 FROM small')
        behind.execute("INSERT INTO small SELECT max(id) + 50 FROM small")
        report = core.fix(conn, lock=lock)
        assert (report.summary["in_sync"], report.summary["failed"]) == (4, 0)
    conn.close()
    behind.execute("SELECT setval('small_id_seq', 1)")
    run_of_script = reset(behind.dsn)
    assert (run_of_script.summary["in_sync"], run_of_script.summary["repaired"]) == ("4", "1")


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("quote_all_identifiers", "on"),
        ("plpgsql.extra_errors", "all"),
        ("plpgsql.variable_conflict", "use_column"),
        ("plpgsql.variable_conflict", "use_variable"),
        ("default_transaction_isolation", "serializable"),
        ("default_transaction_deferrable", "on"),
        ("session_replication_role", "replica"),
        ("plan_cache_mode", "force_generic_plan"),
        ("transform_null_equals", "on"),
        ("array_nulls", "off"),
        ("extra_float_digits", "-15"),
        ("row_security", "off"),
    ],
)
@pytest.mark.parametrize("driver", DRIVERS)
def test_what_a_database_is_set_to_makes_no_difference(behind: Database, driver: str, setting: str, value: str) -> None:
    behind.execute(f"ALTER DATABASE {behind.name} SET {setting} = '{value}'")
    conn = connect(behind, driver)
    for lock in ("none", "sequence", "guarded"):
        behind.execute("INSERT INTO small SELECT max(id) + 50 FROM small")
        report = core.fix(conn, lock=lock)
        assert (report.summary["in_sync"], report.summary["failed"]) == (3, 0)
        behind.execute("INSERT INTO small SELECT max(id) + 50 FROM small")
        assert psql(behind.dsn, script=core.plan(conn, lock=lock).to_sql()).stderr == ""
        assert core.check(conn).summary["in_sync"] == 3
    conn.close()
    behind.execute("INSERT INTO small SELECT max(id) + 50 FROM small")
    assert reset(behind.dsn).summary["repaired"] == "1"


@pytest.mark.parametrize("driver", DRIVERS)
def test_a_session_that_was_made_read_only_stays_so(behind: Database, driver: str) -> None:
    conn = connect(behind, driver)
    run(conn, "SET default_transaction_read_only = on")
    before = settings(conn)
    assert core.check(conn).summary["behind"] == 3
    for lock in ("auto", "none", "sequence", "guarded"):
        report = core.fix(conn, lock=lock)
        assert report.summary["failed"] == 3
        assert {row["error"]["sqlstate"] for row in report.to_dict()["sequences"]} == {"25006"}
        assert {row["error"]["cure"] for row in report.to_dict()["sequences"]} == {
            "repair on the primary, in a session that may write"
        }
    assert settings(conn) == before
    conn.close()
    with behind.connect() as other:
        assert core.check(other).summary["behind"] == 3


def test_a_check_runs_read_only_and_names_itself(behind: Database) -> None:
    from tests.support.watched import Watched, reads_a_table

    seen = set()
    watched = Watched(behind.psycopg2())

    def look(statement: str) -> None:
        if reads_a_table(statement):
            with watched._connection.cursor() as cursor:
                cursor.execute("SELECT current_setting('transaction_read_only'), current_setting('application_name')")
                seen.add(cursor.fetchone())

    watched.after = look
    core.check(watched, application_name="it's a \n check")
    assert seen == {("on", "it?s a ? check")}


@pytest.mark.parametrize("driver", DRIVERS)
def test_the_server_looks_whether_its_client_is_there(driver: str, db: Database) -> None:
    ask_for = "SELECT current_setting('client_connection_check_interval', true)"
    conn = connect(db, driver)
    before = ask(conn, ask_for)
    with open_sessions(conn, Limits()) as sessions:
        for read_only in (True, False):
            with sessions.session.transaction(read_only=read_only):
                inside = sessions.session.rows(ask_for, interval=str | None)
            assert inside == [("1s",)] if db.server.version_num >= 140000 else before
    assert ask(conn, ask_for) == before
    conn.close()
