"""Databases in other encodings than UTF-8: the server translates all that it is sent, comments too."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import Any

import psycopg2
import pytest
from psycopg import conninfo, sql

import airflow_seqfix
from airflow_seqfix import core
from tests.support.psql import psql, reset
from tests.support.servers import Database, Server, database_on

#: Letters that each has; SQL_ASCII takes all.
LETTERS = {"LATIN1": "é", "LATIN9": "€", "EUC_JP": "駅", "KOI8R": "ж", "SQL_ASCII": "é"}
WAYS = ("none", "sequence", "guarded")


def fill(db: Database, table: str) -> None:
    """Make a table whose sequence is behind."""
    with db.connect(client_encoding="utf8") as conn:
        for statement in (
            "DROP TABLE IF EXISTS {}",
            "CREATE TABLE {} (id serial PRIMARY KEY)",
            "INSERT INTO {} SELECT generate_series(1, 100)",
        ):
            conn.execute(sql.SQL(statement).format(sql.Identifier(table)))


@pytest.mark.parametrize("encoding", LETTERS)
@pytest.mark.long
def test_everything_works(encoding: str, newest_server: Server) -> None:
    table = f"t_{LETTERS[encoding]}"
    with database_on(newest_server, encoding) as db:
        dsn = conninfo.make_conninfo(db.dsn, client_encoding="utf8")
        for connect in (lambda: db.connect(client_encoding="utf8"), lambda: psycopg2.connect(dsn)):
            for lock in WAYS:
                fill(db, table)
                with contextlib.closing(connect()) as conn:
                    assert_repaired(conn, table, lock)
        for lock in WAYS:
            fill(db, table)
            with contextlib.closing(db.connect(client_encoding="utf8")) as conn:
                script = core.plan(conn, lock=lock).to_sql()
            done = psql(dsn, "--csv", script=script)
            assert (done.stderr, done.stdout.count(",101,100,t")) == ("", 1)
        fill(db, table)
        assert reset(dsn).summary["repaired"] == "1"


def assert_repaired(conn: Any, table: str, lock: Any) -> None:
    named = f'"{table}"'
    assert core.check(conn, tables=[named], mapping={f'"{table}_id_seq"': [f"{named}.id"]}).summary["behind"] == 1
    with pytest.raises(core.SelectionError, match="there is no table nothing"):
        core.check(conn, tables=["nothing"])
    (row,) = core.fix(conn, lock=lock).rows
    assert row.is_fixed
    assert table in row.finding.sequence.qualified_name


#: Where bytes that are no UTF-8 stand, and which sequences of others are unknown for them.
NO_TEXT = {
    "a table": (b'CREATE TABLE "\xff" (id serial); INSERT INTO "\xff" VALUES (9)', {'public."\ufffd_id_seq"'}),
    "a schema": (b'CREATE SCHEMA "\xc3("; CREATE TABLE "\xc3(".u (id serial)', {'"\ufffd(".u_id_seq'}),
    "a sequence": (
        b'CREATE SEQUENCE "s\xed\xa0\x80"; CREATE TABLE u (id int DEFAULT nextval(\'"s\xed\xa0\x80"\'))',
        {'public."s\ufffd"'},
    ),
    "a column": (b"CREATE SEQUENCE s; CREATE TABLE u (\"\x80\" int DEFAULT nextval('s'))", {"public.s"}),
    "another column": (b'CREATE TABLE u (id serial, "\xc0\x80" int)', set()),
    "a partition": (
        b'CREATE TABLE u (id serial, k int) PARTITION BY LIST (k); CREATE TABLE "\xfe" PARTITION OF u DEFAULT',
        set(),
    ),
    "a child": (b'CREATE TABLE u (id serial); CREATE TABLE "\xf5" () INHERITS (u)', set()),
    "an index": (b'CREATE TABLE u (id serial); CREATE UNIQUE INDEX "\xff" ON u (id)', set()),
    "a CHECK constraint": (b'CREATE TABLE u (id serial CONSTRAINT "\xff" CHECK (id < 1000))', set()),
    "a domain": (b'CREATE DOMAIN "\xf8" AS int CHECK (VALUE < 100); CREATE TABLE u (id "\xf8" DEFAULT 1)', set()),
    "a trigger": (
        b"""CREATE SEQUENCE s; CREATE TABLE u (id int);
        CREATE FUNCTION "\xff"() RETURNS trigger LANGUAGE plpgsql
        AS $$ BEGIN /* \xff */ NEW.id := nextval('s'); RETURN NEW; END $$;
        CREATE TRIGGER "\xff" BEFORE INSERT ON u FOR EACH ROW EXECUTE FUNCTION "\xff"()""",
        set(),
    ),
    "a default": (b"CREATE SEQUENCE s; CREATE TABLE u (id text DEFAULT '\xff' || nextval('s'))", set()),
    "a role": (b'CREATE ROLE "\xff"; CREATE TABLE u (id serial); ALTER TABLE u OWNER TO "\xff"', set()),
    "a view": (b'CREATE VIEW "\xff" AS SELECT 1 AS "\xfe"', set()),
}


@pytest.mark.parametrize("driver", ["psycopg", "psycopg2"])
@pytest.mark.parametrize("place", NO_TEXT)
def test_a_name_that_is_no_text_costs_only_what_hangs_on_it(place: str, driver: str, newest_server: Server) -> None:
    statements, unknown = NO_TEXT[place]
    with database_on(newest_server, "SQL_ASCII") as db:
        with db.connect(client_encoding="sql_ascii") as conn:
            conn.execute(
                b'CREATE TABLE t (id serial PRIMARY KEY, "\xc3\xa9" int); INSERT INTO t VALUES (9); ' + statements
            )
        try:
            connect = db.psycopg2 if driver == "psycopg2" else db.connect
            with contextlib.closing(connect(client_encoding="utf8")) as conn:
                found = {row.sequence: row.finding for row in core.check(conn).rows}
                assert str(found["public.t_id_seq"].verdict) == "behind"
                assert {name for name, finding in found.items() if str(finding.verdict) == "unknown"} == unknown
                for name in unknown:
                    assert found[name].remedy
                assert [row.sequence for row in core.fix(conn).rows if row.is_fixed][-1] == "public.t_id_seq"
                assert core.check(conn, sequences=["t_id_seq"]).summary["in_sync"] == 1
                core.suggest(conn)
        finally:
            with db.connect(client_encoding="sql_ascii") as conn:
                conn.execute(b'DROP TABLE IF EXISTS u CASCADE; DROP ROLE IF EXISTS "\xff"')


@pytest.mark.parametrize("driver", ["psycopg", "psycopg2"])
def test_every_byte_is_a_character_of_latin1(driver: str, newest_server: Server) -> None:
    with database_on(newest_server, "SQL_ASCII") as db:
        with db.connect(client_encoding="sql_ascii") as conn:
            conn.execute(b'CREATE TABLE "\xff" (id serial); INSERT INTO "\xff" VALUES (9); CREATE TABLE t (id serial)')
        connect = db.psycopg2 if driver == "psycopg2" else db.connect
        with contextlib.closing(connect(client_encoding="latin1")) as conn:
            assert {row.sequence: str(row.verdict) for row in core.check(conn).rows} == {
                'public."ÿ_id_seq"': "behind",
                "public.t_id_seq": "in_sync",
            }


def test_a_name_that_the_client_has_no_letters_for(newest_server: Server) -> None:
    with database_on(newest_server, "UTF8") as db:
        fill(db, "ж")
        with db.connect(client_encoding="latin1") as conn, pytest.raises(core.CatalogError) as refusal:
            core.check(conn)
    assert refusal.value.remedy == "connect with client_encoding=utf8"


def test_what_is_sent_has_letters_of_ascii_only() -> None:
    home = Path(airflow_seqfix.__file__).parent
    files = [*home.glob("core/queries/*.sql"), *home.glob("sql/*.sql")]
    assert len(files) > 10
    assert [path.name for path in files if not path.read_text(encoding="utf-8").isascii()] == []
