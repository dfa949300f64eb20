"""A long plan as SQL: the text that its moves share stands once, and each of them has every guard all the same."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import psycopg
import pytest

from airflow_seqfix import core
from airflow_seqfix.core import queries
from airflow_seqfix.core.policy import Limits
from airflow_seqfix.core.repair import plan_shared, plan_sql
from airflow_seqfix.core.repair.statements import statement
from airflow_seqfix.sql import reset_sequences
from tests.support.psql import psql
from tests.support.servers import Database, Server, database_on

MOVES = plan_sql.SELF_CONTAINED + 5
NAMES = (
    "it's",
    'quo"te',
    "back\\slash \\! id",
    "colon :seqfix_move",
    "$seqfix$",
    "two\nlines",
    "{oid} %s",
    "-- comment",
)


@pytest.fixture
def many(newest_db: Database) -> Database:
    """A database with more moves than a short plan has, some with names that try to be something else."""
    names = [*NAMES, *(f"t{number}" for number in range(MOVES - len(NAMES)))]
    for name in names:
        quoted = '"{}"'.format(name.replace('"', '""'))
        newest_db.execute(f"CREATE TABLE {quoted} (id serial PRIMARY KEY); INSERT INTO {quoted} VALUES (1), (50)")
    return newest_db


def unlike(text: str) -> str:
    """Return the block of a move without what tells one move from another, and without layout."""
    text = re.sub(r"\(VALUES .*?\) AS v \(table_oid|unnest\(.*?\) AS v \(table_oid", "(VALUES) AS v (table_oid", text)
    return " ".join(text.split())


@pytest.mark.parametrize("lock", ["none", "sequence", "guarded"])
def test_a_move_has_the_very_guards_of_a_short_plan(lock: Any, many: Database) -> None:
    with many.connect() as conn:
        plan = core.plan(conn, lock=lock, sequences=["public.t1_id_seq"])
    (finding,) = (row.finding for row in plan.report.rows)
    assert finding.move is not None
    name = plan_sql._query_of(finding.move)
    server = plan.report.server
    lines = plan_shared.definitions(
        {name}, server, Limits(), begin=plan_sql._ALONE, statement_timeout=60000, kinds="view, foreign-table"
    )
    (shared,) = (line for line in lines if line.startswith(f"\\set seqfix_{name} "))
    shared = shared.split(" '", 1)[1][:-1].replace("''", "'").split("; ", 1)[1].removesuffix("; END")
    values = dict(zip(plan_shared.VALUES, plan_shared._values(finding).split(", "), strict=True))
    shared = shared.replace("coalesce(p_shown, p_name)", "p_name")
    for variable, value in values.items():
        shared = shared.replace(f"p_{variable}", value)
    block = statement(name, finding, Limits(), begin=plan_sql._ALONE, database=server.database_literal)
    alone = plan_shared._plain(block.split("$seqfix$")[1])
    # What is shared is for columns of every kind.
    shared = unlike(shared)
    for part in ("domain_version", "members_version"):
        needless = unlike(plan_shared._plain(queries.get(f"parts/{part}")))
        assert needless in shared
        shared = shared.replace(needless, "NULL")
    assert shared == unlike(alone)


@pytest.mark.parametrize("lock", ["auto", "none", "sequence", "guarded"])
def test_it_moves_every_sequence_once(lock: Any, many: Database) -> None:
    with many.connect() as conn:
        script = core.plan(conn, lock=lock).to_sql()
        assert script.count("DO :'seqfix_move';") == 2 * MOVES
        done = psql(many.dsn, "--csv", script=script)
        assert done.stderr == ""
        assert done.stdout.count(",51,50,t\n") == MOVES
        assert core.check(conn).ok
        states = many.rows("SELECT sequencename, last_value FROM pg_sequences ORDER BY 1")
        assert psql(many.dsn, "--csv", script=script).stderr == "", "twice"
        assert many.rows("SELECT sequencename, last_value FROM pg_sequences ORDER BY 1") == states
        assert many.value('INSERT INTO "$seqfix$" DEFAULT VALUES RETURNING id') == 51


#: What a terminal obeys, what shows a reader another order, what breaks a line, and what is beyond \\uFFFF.
UNPRINTABLE = (
    "\x1b]0;owned\x07\x1b[31m",
    "\x9b31m \x85",
    "\u202egnp.exe",
    "\u2028 \u2029",
    "\r\v\f\x7f",
    'a"\x1b""\\\\ \\u0041 \\0041',
    "it's\x1b\\ $seqfix$",
    "\U000e0041",
)


@pytest.mark.parametrize("standard", ["on", "off"])
@pytest.mark.parametrize("form", ["short", "long"])
@pytest.mark.parametrize("lock", ["none", "sequence", "guarded"])
def test_names_that_do_not_print_do_so_in_a_plan(
    lock: Any, form: str, standard: str, db: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(plan_sql, "SELF_CONTAINED", 20 if form == "short" else 0)
    # From 19 on there is neither.
    if db.server.version_num < 19_00_00:
        db.execute(f"SET escape_string_warning = off; ALTER DATABASE {db.name} SET escape_string_warning = off")
        db.execute(f"ALTER DATABASE {db.name} SET standard_conforming_strings = {standard}")
    for name in UNPRINTABLE:
        quoted = '"{}"'.format(name.replace('"', '""'))
        db.execute(f"CREATE TABLE {quoted} ({quoted} serial PRIMARY KEY); INSERT INTO {quoted} VALUES (1), (50)")
    with db.connect() as conn:
        script = core.plan(conn, lock=lock).to_sql()
        assert all(line.isprintable() for line in script.split("\n"))
        done = psql(db.dsn, "--csv", script=script)
        assert done.stderr == ""
        assert done.stdout.count(",51,50,t\n") == len(UNPRINTABLE)
        assert all(line.isprintable() for line in done.stdout.split("\n"))
        assert core.check(conn).ok
    db.execute(
        """DO $$ DECLARE s oid; BEGIN FOR s IN SELECT seqrelid FROM pg_sequence LOOP
             EXECUTE format('ALTER SEQUENCE %s INCREMENT 2', s::regclass); END LOOP; END $$"""
    )
    refused = psql(db.dsn, script=script).stderr
    assert refused.count("has changed since it was read") == len(UNPRINTABLE)
    assert all(line.isprintable() for line in refused.split("\n"))


@pytest.mark.parametrize(
    ("encoding", "name"), [("LATIN1", "\x1b \x9b \xa0"), ("EUC_JP", "\x1b \u3000"), ("SQL_ASCII", "\x1b \xe9")]
)
def test_names_that_do_not_print_do_so_in_any_encoding(encoding: str, name: str, newest_server: Server) -> None:
    with database_on(newest_server, encoding) as db:
        db = replace(db, server=replace(db.server, dsn=f"{db.server.dsn} client_encoding=utf8"))
        db.execute(f'CREATE TABLE "{name}" (id serial PRIMARY KEY); INSERT INTO "{name}" VALUES (1), (50)')
        with db.connect() as conn:
            script = core.plan(conn).to_sql()
            assert all(line.isprintable() for line in script.split("\n"))
            assert psql(db.dsn, script=script).stderr == ""
            assert core.check(conn).ok


def test_what_is_refused_says_why_and_stops_no_other(many: Database) -> None:
    with many.connect() as conn:
        script = core.plan(conn, lock="sequence").to_sql()
    many.execute("ALTER SEQUENCE t1_id_seq RENAME TO other")
    many.execute("TRUNCATE t2; ALTER SEQUENCE t3_id_seq INCREMENT 2; DROP TABLE t4")
    done = psql(many.dsn, script=script)
    assert "sequence public.t1_id_seq does not have OID" in done.stderr
    assert "sequence public.t2_id_seq or what it feeds has changed since it was read" in done.stderr
    assert "sequence public.t3_id_seq or what it feeds has changed since it was read" in done.stderr
    assert "sequence public.t4_id_seq does not have OID" in done.stderr
    assert many.state("other")[:2] == many.state("t2_id_seq")[:2] == (1, False)
    with many.connect() as conn:
        assert {row.sequence for row in core.check(conn).failing} == {"public.other", "public.t3_id_seq"}


def test_one_that_was_set_back_is_left_alone(many: Database) -> None:
    many.execute("SELECT setval('t1_id_seq', 20)")
    with many.connect() as conn:
        script = core.plan(conn).to_sql()
    many.execute("SELECT setval('t1_id_seq', 3)")
    said = "sequence public.t1_id_seq was set back since it was read: it stood at 20, and stands at 3"
    assert said in psql(many.dsn, script=script).stderr
    assert many.state("t1_id_seq")[:2] == (3, True)


@pytest.mark.parametrize("form", ["short", "long"])
def test_sent_whole_it_moves_nothing(form: str, many: Database) -> None:
    with many.connect() as conn:
        script = core.plan(conn, **({"tables": ["t1"]} if form == "short" else {})).to_sql()
        # As pgAdmin and JDBC do: all in one message, which is one transaction.
        with pytest.raises(psycopg.Error) as refused:
            conn.execute(script.encode())
    error = psycopg.errors.InvalidTransactionTermination if form == "short" else psycopg.errors.SyntaxError
    assert isinstance(refused.value, error)
    # As DBeaver does: statement after statement, with autocommit; none of them is longer than its line.
    with many.connect() as conn:
        for line in script.splitlines() if form == "long" else ():
            try:
                conn.execute(line.encode())
            except psycopg.Error:
                conn.rollback()
    assert many.state("t1_id_seq")[:2] == (1, False)
    assert many.state("t0_id_seq")[:2] == (1, False)


@pytest.mark.parametrize("option", ["-1", "--set=AUTOCOMMIT=off"])
def test_in_a_transaction_a_move_is_refused(option: str, many: Database) -> None:
    with many.connect() as conn:
        script = core.plan(conn).to_sql()
    done = psql(many.dsn, option, "-v", "ON_ERROR_STOP=1", "-f", "-", script=script)
    assert "invalid transaction termination" in done.stderr
    assert many.state("t1_id_seq")[:2] == (1, False)


def test_it_is_short(many: Database) -> None:
    with many.connect() as conn:
        plan = core.plan(conn)
        short, long = core.plan(conn, tables=["t1"]).to_sql(), plan.to_sql()
    moves = long[long.index("\\set seqfix_begin") :].split("\n\n")[1:-1]
    assert len(moves) == MOVES
    assert max(map(len, moves)) < 1500 < len(short) / 4
    assert all(len(move.splitlines()) == 7 for move in moves if move.startswith("-- public.t"))


def test_the_script_sent_whole_moves_nothing(many: Database) -> None:
    with many.connect() as conn, pytest.raises(psycopg.errors.SyntaxError):
        conn.execute(reset_sequences().encode())
    assert many.state("t1_id_seq")[:2] == (1, False)


def test_the_remedy_runs_in_any_client(many: Database) -> None:
    with many.connect() as conn:
        (row,) = core.check(conn, tables=["t1"]).failing
        conn.execute(str(row.remedy).encode(), prepare=True)
    assert many.state("t1_id_seq")[:2] == (50, True)


@pytest.mark.parametrize("lock", ["none", "sequence"])
def test_a_short_plan_runs_statement_by_statement(lock: Any, many: Database) -> None:
    """As DBeaver sends it: the parts between semicolons that stand outside of quotes, with autocommit."""
    with many.connect() as conn:
        script = core.plan(conn, lock=lock, tables=["t1", "t2"]).to_sql()
        for part in re.findall(r"(?:\$seqfix\$.*?\$seqfix\$|'(?:[^']|'')*'|--[^\n]*|[^;])+;", script, re.DOTALL):
            conn.execute(part.encode())
    assert many.state("t1_id_seq")[:2] == many.state("t2_id_seq")[:2] == (50, True)
