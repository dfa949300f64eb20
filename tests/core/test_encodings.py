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


@pytest.mark.parametrize("driver", ["psycopg", "psycopg2"])
def test_a_name_in_no_encoding_is_told_with_what_helps(driver: str, newest_server: Server) -> None:
    with database_on(newest_server, "SQL_ASCII") as db:
        with db.connect(client_encoding="sql_ascii") as conn:
            conn.execute(b'CREATE TABLE "\xff" (id serial); INSERT INTO "\xff" VALUES (9); CREATE TABLE t (id serial)')

        def check(encoding: str) -> core.Report:
            connect = db.psycopg2 if driver == "psycopg2" else db.connect
            with contextlib.closing(connect(client_encoding=encoding)) as conn:
                return core.check(conn)

        with pytest.raises(core.CatalogError) as refusal:
            check("utf8")
        assert refusal.value.remedy == "connect with client_encoding=latin1, in which every byte is a character"
        assert {row.sequence: str(row.verdict) for row in check("latin1").rows} == {
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
