"""What the code of a table's owner, which runs whenever the table is read, can do to a run and to its caller."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import psycopg
import psycopg2
import pytest

from airflow_seqfix import core
from tests.support.psql import psql
from tests.support.servers import Database

DRIVERS: dict[str, Callable[[str], Any]] = {"psycopg": psycopg.connect, "psycopg2": psycopg2.connect}
FACES = {"check": core.check, "plan": core.plan, "fix": core.fix}


def load(db: Database, body: str) -> None:
    """Make a table whose index calls the code, and one that is behind."""
    db.execute(f"""
        CREATE TABLE hostile (id serial PRIMARY KEY);
        INSERT INTO hostile SELECT generate_series(1, 100);
        CREATE FUNCTION code(int) RETURNS int LANGUAGE plpgsql IMMUTABLE AS $$BEGIN RETURN 1; END$$;
        CREATE INDEX ON hostile ((code(1)));
        CREATE OR REPLACE FUNCTION code(int) RETURNS int LANGUAGE plpgsql IMMUTABLE
            AS $$BEGIN {body}; RETURN 1; END$$;
        CREATE TABLE fine (id serial PRIMARY KEY);
        INSERT INTO fine VALUES (1), (2);
    """)


@pytest.mark.parametrize("driver", DRIVERS)
@pytest.mark.parametrize("face", FACES)
@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("search_path", "public,pg_catalog"),
        ("statement_timeout", "7min"),
        ("lock_timeout", "7min"),
        ("default_transaction_read_only", "on"),
        ("row_security", "off"),
    ],
)
def test_what_it_sets_does_not_stay(name: str, value: str, face: str, driver: str, db: Database) -> None:
    load(db, f"PERFORM set_config('{name}', '{value}', false)")
    conn = DRIVERS[driver](db.dsn)
    conn.autocommit = True
    cursor = conn.cursor()
    cursor.execute(f"SHOW {name}")
    before = cursor.fetchone()
    FACES[face](conn)
    cursor.execute(f"SHOW {name}")
    assert cursor.fetchone() == before
    conn.close()


def test_nobody_becomes_a_superuser_by_it(db: Database) -> None:
    owner = db.role()
    db.execute(f"CREATE SCHEMA theirs AUTHORIZATION {owner}")
    with db.connect() as conn:
        conn.execute(f"SET ROLE {owner}; SET search_path = theirs")
        conn.execute(f"""
            CREATE TABLE t (id serial PRIMARY KEY);
            CREATE FUNCTION f(int) RETURNS int LANGUAGE plpgsql IMMUTABLE AS $$BEGIN
                PERFORM set_config('search_path', 'theirs, public, pg_catalog', false); RETURN 1; END$$;
            CREATE INDEX ON t ((f(1)));
            CREATE FUNCTION lower(text) RETURNS text LANGUAGE plpgsql AS $$BEGIN
                IF pg_catalog.current_setting('is_superuser') = 'on' THEN ALTER ROLE {owner} SUPERUSER; END IF;
                RETURN pg_catalog.lower($1); END$$;
        """)
    with psycopg.connect(db.dsn) as conn:
        conn.autocommit = True
        core.fix(conn, allow_empty=True)
        conn.execute("SELECT lower('X'::text)")
    assert db.value(f"SELECT rolsuper FROM pg_roles WHERE rolname = '{owner}'") is False


@pytest.mark.parametrize("state", ["08000", "08006", "57P01", "57P02", "57P03", "57P05", "57014", "P0004", "SQF00"])
@pytest.mark.parametrize("driver", DRIVERS)
def test_what_it_raises_stops_no_other_table(state: str, driver: str, db: Database) -> None:
    load(db, f"RAISE SQLSTATE '{state}'")
    report = core.fix(lambda: DRIVERS[driver](db.dsn))
    found = {row.sequence: row for row in report.rows}
    assert found["public.hostile_id_seq"].verdict == "unknown"
    assert found["public.fine_id_seq"].is_fixed
    assert db.value("INSERT INTO fine DEFAULT VALUES RETURNING id") == 3


@pytest.mark.parametrize("jobs", [1, 2])
@pytest.mark.parametrize("driver", DRIVERS)
def test_one_that_ends_the_session_is_found(driver: str, jobs: int, db: Database) -> None:
    load(db, "PERFORM pg_terminate_backend(pg_backend_pid())")
    for number in range(20):
        db.execute(f"CREATE TABLE t{number} (id serial PRIMARY KEY); INSERT INTO t{number} VALUES (1), (2)")
    report = core.fix(lambda: DRIVERS[driver](db.dsn), jobs=jobs)
    (left,) = [row for row in report.rows if not row.is_fixed]
    assert left.sequence == "public.hostile_id_seq"
    assert left.verdict == "unknown"
    assert left.reason == "the connection was lost while it was read, and another one while it was read alone"
    for name in ("fine", *(f"t{number}" for number in range(20))):
        assert db.value(f"INSERT INTO {name} DEFAULT VALUES RETURNING id") == 3


@pytest.mark.parametrize("jobs", [1, 2])
def test_however_many_of_them_one_owner_has(jobs: int, newest_db: Database) -> None:
    owner, db = newest_db.role(), newest_db
    load(db, "RETURN 1")
    db.execute(f"CREATE SCHEMA theirs AUTHORIZATION {owner}")
    with db.connect() as conn:
        conn.execute(f"SET ROLE {owner}")
        conn.execute("CREATE FUNCTION theirs.f(int) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT 1'")
        for number in range(50):
            conn.execute(f"CREATE TABLE theirs.t{number} (id serial PRIMARY KEY)")
            conn.execute(f"CREATE INDEX ON theirs.t{number} ((id + theirs.f(1)))")
        conn.execute("""
            CREATE OR REPLACE FUNCTION theirs.f(int) RETURNS int LANGUAGE plpgsql IMMUTABLE
                AS $$BEGIN PERFORM pg_terminate_backend(pg_backend_pid()); RETURN 1; END$$
        """)
    report = core.fix(db.connect, jobs=jobs)
    found = {row.sequence: row for row in report.rows}
    assert {str(row.verdict) for name, row in found.items() if name.startswith("theirs.")} == {"unknown"}
    assert f"not read: reads of several tables of role {owner} have ended the connection" in {
        row.reason for row in found.values()
    }
    assert found["public.fine_id_seq"].is_fixed
    assert db.value("INSERT INTO fine DEFAULT VALUES RETURNING id") == 3


def test_nobody_else_is_blamed_for_them(newest_db: Database) -> None:
    """The one draws through the other's domain, from the other's sequence."""
    db = newest_db
    theirs, ours = db.role(), db.role()
    db.execute(f"CREATE SCHEMA theirs AUTHORIZATION {theirs}; CREATE SCHEMA ours AUTHORIZATION {ours}")
    db.execute(f"GRANT USAGE ON SCHEMA ours TO {theirs}")
    with db.connect() as conn:
        conn.execute(f"SET ROLE {ours}")
        for number in range(8):
            conn.execute(f"CREATE SEQUENCE ours.s{number}; GRANT USAGE ON SEQUENCE ours.s{number} TO {theirs}")
            conn.execute(f"CREATE DOMAIN ours.d{number} AS integer DEFAULT nextval('ours.s{number}')")
        for number in range(20):
            conn.execute(f"CREATE TABLE ours.t{number} (id serial PRIMARY KEY); INSERT INTO ours.t{number} VALUES (1)")
        conn.execute(f"RESET ROLE; SET ROLE {theirs}")
        conn.execute("CREATE FUNCTION theirs.f(int) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT 1'")
        for number in range(8):
            conn.execute(f"CREATE TABLE theirs.t{number} (id ours.d{number} PRIMARY KEY)")
            conn.execute(f"CREATE INDEX ON theirs.t{number} ((id + theirs.f(1)))")
        conn.execute("""
            CREATE OR REPLACE FUNCTION theirs.f(int) RETURNS int LANGUAGE plpgsql IMMUTABLE
                AS $$BEGIN PERFORM pg_terminate_backend(pg_backend_pid()); RETURN 1; END$$
        """)
    found = {row.sequence: str(row.verdict) for row in core.check(db.connect).rows}
    assert {found[f"ours.t{number}_id_seq"] for number in range(20)} == {"behind"}
    assert {found[f"ours.s{number}"] for number in range(8)} == {"unknown"}


@pytest.mark.parametrize("state", ["08006", "57P01", "57014", "P0004", "SQF00", "22012"])
def test_the_script_cannot_be_told_that_all_is_well(state: str, db: Database) -> None:
    from airflow_seqfix.sql import reset_sequences

    load(db, f"RAISE SQLSTATE '{state}'")
    said = psql(db.dsn, "-v", "all=on", "-f", "-", script=reset_sequences())
    about = said.stdout[said.stdout.index("public.hostile_id_seq") :].partition("public.fine_id_seq")[0]
    assert "unknown" in about and "in_sync" not in about
    assert said.returncode != 0
    assert db.value("INSERT INTO fine DEFAULT VALUES RETURNING id") == 3


@pytest.mark.parametrize("driver", DRIVERS)
def test_a_foreign_server_that_is_down_stops_no_other_table(driver: str, newest_db: Database) -> None:
    db = newest_db
    db.execute("""
        CREATE EXTENSION postgres_fdw;
        CREATE SERVER down FOREIGN DATA WRAPPER postgres_fdw OPTIONS (host '127.0.0.1', port '1');
        CREATE USER MAPPING FOR CURRENT_USER SERVER down;
        CREATE SEQUENCE far;
        CREATE FOREIGN TABLE theirs (id bigint DEFAULT nextval('far')) SERVER down;
        CREATE TABLE fine (id serial PRIMARY KEY);
        INSERT INTO fine VALUES (1), (2);
    """)
    report = core.fix(lambda: DRIVERS[driver](db.dsn), foreign=True)
    found = {row.sequence: row for row in report.rows}
    assert found["public.far"].verdict == "unknown"
    assert "could not connect to server" in (found["public.far"].reason or "")
    assert db.value("INSERT INTO fine DEFAULT VALUES RETURNING id") == 3
