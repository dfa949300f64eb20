"""Defaults that leave it to a function to draw: what is plain is judged, the rest is named, and no function runs."""

from __future__ import annotations

import pytest

from airflow_seqfix import core
from tests.support.command import seqfix
from tests.support.psql import reset
from tests.support.servers import Database

BODIES = {
    "sql": "LANGUAGE sql AS $$ SELECT nextval('ids') AS next; $$",
    "in capitals": "LANGUAGE sql AS $$ SELECT PG_CATALOG.NEXTVAL ( 'public.ids'::regclass )::bigint $$",
    "plpgsql": "LANGUAGE plpgsql AS $$ BEGIN RETURN nextval('ids'); END $$",
    "plpgsql, a query": "LANGUAGE plpgsql AS $$ BEGIN /* x */ RETURN (SELECT nextval('ids')); END; $$",
}
#: What more they do, or what else they return.
OTHERS = {
    "arithmetic": "LANGUAGE sql AS $$ SELECT nextval('ids') * 2 $$",
    "a condition": "LANGUAGE plpgsql AS $$ BEGIN IF true THEN RETURN nextval('ids'); END IF; RETURN 7; END $$",
    "a variable": "LANGUAGE plpgsql AS $$ DECLARE v bigint; BEGIN v := nextval('ids'); RETURN v; END $$",
    "two queries": "LANGUAGE sql AS $$ SELECT nextval('ids'); SELECT 7::bigint $$",
    "from a table": "LANGUAGE sql AS $$ SELECT nextval('ids') FROM pg_class $$",
    "a comment that ends": "LANGUAGE sql AS $$ /* */ SELECT 2 * /* */ nextval('ids') $$",
}


def made(body: str, default: str = "next_id()", returns: str = "bigint") -> str:
    return f"""
        CREATE SEQUENCE ids; CREATE TABLE kept (id serial PRIMARY KEY);
        CREATE FUNCTION next_id() RETURNS {returns} {body};
        CREATE TABLE t (id bigint PRIMARY KEY DEFAULT {default}, note text);
        INSERT INTO t (id) SELECT generate_series(1, 100);
    """


def verdict(db: Database, sequence: str = "public.ids") -> str:
    """Return the verdict, which the script has to share."""
    with db.connect() as conn:
        rows = {row.sequence: str(row.verdict) for row in core.check(conn).rows}
    assert reset(db.dsn, mode="check", all="on").rows[sequence]["verdict"] == rows[sequence]
    return rows[sequence]


@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES)
def test_plain(body: str, newest_db: Database) -> None:
    newest_db.execute(made(body))
    assert verdict(newest_db) == "behind"
    with newest_db.connect() as conn:
        assert core.fix(conn).summary["fixed"] == 1
    assert newest_db.value("INSERT INTO t (note) VALUES ('x') RETURNING id") == 101


@pytest.mark.parametrize("body", OTHERS.values(), ids=OTHERS)
def test_others_are_named_and_not_followed(body: str, newest_db: Database) -> None:
    newest_db.execute(made(body))
    assert verdict(newest_db) == "skipped"
    done = seqfix("check", newest_db.dsn)
    assert done.returncode == 0
    assert "not_compared: public.ids: feeds a column whose values cannot be compared" in " ".join(done.stdout.split())
    assert done.stdout.rstrip().endswith("1 sequence that nothing is known to draw from: seqfix suggest")
    assert seqfix("check", "--fail-on", "undrawn", newest_db.dsn).returncode == 1
    with newest_db.connect() as conn:
        (item,) = core.suggest(conn).items
    assert item.mapped == ["public.t.id"]
    assert item.suggestion.candidates[0].evidence.startswith("its default, public.next_id(), ")
    assert item.finding is not None
    assert str(item.finding.verdict) == "behind"


@pytest.mark.parametrize(
    ("default", "column"),
    [
        ("next_id() + 0", None),
        ("abs(next_id())", "public.t.id"),
        ("nextval('ids') + 0", None),
        ("nextval('ids'::text) + 0", None),
    ],
)
def test_what_is_calculated_is_not_suggested(default: str, column: str | None, newest_db: Database) -> None:
    newest_db.execute(made(BODIES["sql"], default))
    assert verdict(newest_db) == "skipped"
    with newest_db.connect() as conn:
        report = core.check(conn)
        assert "not_compared" in {str(warning) for row in report.rows for warning in row.finding.warnings}
        assert core.suggest(conn).mapping == ({} if column is None else {"public.ids": [column]})


def test_what_is_said_where_it_is_the_only_one(newest_db: Database) -> None:
    """Whoever is sent to suggest finds the sequence there."""
    newest_db.execute(made(OTHERS["arithmetic"]) + "DROP TABLE kept")
    with newest_db.connect() as conn:
        with pytest.raises(core.NothingCheckedError, match="seqfix suggest says who may draw"):
            core.check(conn)
        assert [item.sequence for item in core.suggest(conn).items] == ["public.ids"]
        conn.execute("ALTER TABLE t ALTER id SET DEFAULT nextval('ids') * 2")
        with pytest.raises(core.NothingCheckedError) as refusal:
            core.check(conn)
        assert "suggest" not in str(refusal.value)
        assert core.suggest(conn).items == ()


def test_a_name_that_is_given_to_a_function(newest_db: Database) -> None:
    newest_db.execute(
        made(OTHERS["arithmetic"])
        + """
        CREATE FUNCTION next_of(name text) RETURNS bigint LANGUAGE plpgsql AS
            $$ DECLARE v bigint; BEGIN v := nextval(name); RETURN v; END $$;
        CREATE SEQUENCE "It's";
        CREATE TABLE u (id bigint PRIMARY KEY DEFAULT next_of('"It''s"'));
        """
    )
    assert verdict(newest_db, 'public."It\'s"') == "skipped"
    with newest_db.connect() as conn:
        assert core.suggest(conn).mapping == {'public."It\'s"': ["public.u.id"], "public.ids": ["public.t.id"]}


def test_a_hidden_column_beside_one_that_counts_is_warned_of(db: Database) -> None:
    db.execute(made(OTHERS["a variable"]) + "CREATE TABLE u (id bigint PRIMARY KEY DEFAULT nextval('ids'))")
    with db.connect() as conn:
        (row,) = (row for row in core.check(conn).rows if row.sequence == "public.ids")
    assert "not_compared" in {str(warning) for warning in row.finding.warnings}


def test_a_function_that_draws_with_its_owners_rights(newest_db: Database) -> None:
    """Whoever may not use the sequence has written it for the table's owner: it fails, and nothing is followed."""
    owner, other = newest_db.role(), newest_db.role()
    newest_db.execute(f"""
        GRANT CREATE ON SCHEMA public TO {owner}, {other};
        SET ROLE {owner}; CREATE SEQUENCE ids; RESET ROLE;
        SET ROLE {other};
        CREATE FUNCTION next_id() RETURNS bigint LANGUAGE sql SECURITY DEFINER AS $$ SELECT nextval('ids') $$;
        RESET ROLE; SET ROLE {owner};
        CREATE TABLE t (id bigint PRIMARY KEY DEFAULT next_id()); INSERT INTO t VALUES (7); RESET ROLE;
        CREATE TABLE kept (id serial PRIMARY KEY);
    """)
    assert verdict(newest_db) == "unknown"
    newest_db.execute(f"GRANT USAGE ON SEQUENCE ids TO {other}")
    assert verdict(newest_db) == "behind"


def test_no_function_runs(newest_db: Database) -> None:
    newest_db.execute(
        made("LANGUAGE plpgsql AS $$ BEGIN PERFORM nextval('ids'); RAISE EXCEPTION 'it runs'; END $$").replace(
            "100)", "0)"
        )
    )
    with newest_db.connect() as conn:
        core.fix(conn)
        core.suggest(conn)
    assert newest_db.value("SELECT is_called FROM ids") is False


@pytest.mark.parametrize(
    "piece", ["/*", "'", "/* */ ", "nextval((", "nextval('a') ", "(", "::text", "-- \n", " begin return ", "$1"]
)
def test_a_text_without_end_keeps_nobody_busy(piece: str, newest_db: Database) -> None:
    newest_db.execute("CREATE SEQUENCE ids; CREATE TABLE kept (id serial PRIMARY KEY); SET check_function_bodies = off")
    with newest_db.connect() as conn:
        conn.execute("SET check_function_bodies = off")
        for number, (language, begin) in enumerate((("sql", "SELECT "), ("plpgsql", "BEGIN RETURN "))):
            body = begin + piece * (19_000 // len(piece))
            conn.execute(f"CREATE FUNCTION f{number}() RETURNS bigint LANGUAGE {language} AS $x${body}$x$")
            conn.execute(f"CREATE TABLE t{number} (id bigint DEFAULT f{number}())")
        assert core.check(conn, statement_timeout=10).summary["in_sync"] == 1


def test_a_sequence_that_is_named_twice_feeds_a_column_once(db: Database) -> None:
    db.execute(
        made("LANGUAGE sql AS $$ SELECT coalesce(nextval('ids'), nextval('public.ids')) $$")
        + "CREATE TABLE u (id bigint DEFAULT nextval('ids') + next_id())"
    )
    with db.connect() as conn:
        (row,) = (row for row in core.check(conn).rows if row.sequence == "public.ids")
    assert [column.qualified_name for column in row.finding.sequence.columns] == ["public.t.id", "public.u.id"]


def test_a_nextval_of_somebodys_own_is_not_taken_for_the_servers(newest_db: Database) -> None:
    newest_db.execute(
        made(BODIES["sql"]) + "CREATE FUNCTION nextval(text) RETURNS bigint LANGUAGE sql AS 'SELECT 7::bigint'"
    )
    assert verdict(newest_db) == "skipped"
