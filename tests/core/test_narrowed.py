"""Exact names narrow what is read of the catalogs, and change nothing of what is found."""

from __future__ import annotations

import fnmatch
from typing import Any

import pytest

from airflow_seqfix import core
from airflow_seqfix.core.database.sessions import open_sessions
from airflow_seqfix.core.discover.catalog import discover
from airflow_seqfix.core.model import SequenceInfo
from airflow_seqfix.core.policy import Limits
from tests.support.servers import Database
from tests.support.watched import Watched

#: Each way to draw, each with something that a look at one table or one sequence alone would miss.
TIES = """
    CREATE SCHEMA a; CREATE SCHEMA b; CREATE SCHEMA c;
    CREATE TABLE a.serials (id serial PRIMARY KEY);
    CREATE TABLE b.copies (LIKE a.serials INCLUDING ALL);
    CREATE TABLE a.identities (id int GENERATED ALWAYS AS IDENTITY, n int DEFAULT 0);
    CREATE TABLE a.parents (id bigserial, k int) PARTITION BY LIST (k);
    CREATE TABLE b.children PARTITION OF a.parents FOR VALUES IN (1);
    CREATE TABLE c.heirs () INHERITS (a.serials);
    CREATE SEQUENCE a.by_domain;
    CREATE DOMAIN a.number AS bigint DEFAULT nextval('a.by_domain');
    CREATE TABLE b.of_domain (id a.number);
    CREATE TABLE c.of_domain (id a.number);
    CREATE SEQUENCE a.late; CREATE SEQUENCE b.late; CREATE SEQUENCE c.alone;
    CREATE TABLE a.ambiguous (id int DEFAULT nextval('late'::text));
    CREATE TABLE c.ambiguous (id int DEFAULT nextval('late'::text));
    CREATE TABLE c.qualified (id int DEFAULT nextval('b.late'::text));
    CREATE TABLE b.by_name (id int DEFAULT nextval('alone'::text));
    CREATE SEQUENCE a.numbered;
    DO $$ BEGIN EXECUTE replace(
        'CREATE TABLE c.numbered (id int DEFAULT nextval(oid), code text DEFAULT ''A'' || nextval(oid))',
        'oid', 'a.numbered'::regclass::oid::text); END $$;
    CREATE SEQUENCE a.drawn; CREATE SEQUENCE b.drawn;
    CREATE FUNCTION a.draw() RETURNS trigger LANGUAGE plpgsql AS
        $$ BEGIN NEW.id := nextval('drawn'); RETURN NEW; END $$;
    CREATE TABLE a.triggered (id int);
    CREATE TRIGGER draw BEFORE INSERT ON a.triggered FOR EACH ROW EXECUTE FUNCTION a.draw();
    CREATE TABLE b.dropped (id serial); ALTER TABLE b.dropped ALTER id DROP DEFAULT;
    CREATE SEQUENCE c.wrapped;
    CREATE TABLE c.texts (id text DEFAULT 'A-' || nextval('c.wrapped'));
    CREATE VIEW c.seen AS SELECT id FROM a.serials;
    ALTER VIEW c.seen ALTER id SET DEFAULT nextval('a.serials_id_seq');
"""
IN_FUNCTION = """
    CREATE SEQUENCE c.inside;
    CREATE FUNCTION c.number() RETURNS bigint LANGUAGE sql BEGIN ATOMIC SELECT nextval('c.inside'); END;
    CREATE TABLE b.by_function (id bigint DEFAULT c.number());
"""


def rows_of(report: core.Report) -> dict[str, dict[str, Any]]:
    return {row["sequence"]: row for row in report.to_dict()["sequences"]}


@pytest.fixture
def ties(db: Database) -> Database:
    db.execute(TIES)
    if db.server.version_num >= 140000:
        db.execute(IN_FUNCTION)
    return db


@pytest.mark.long
def test_a_name_finds_what_a_look_at_everything_finds(ties: Database) -> None:
    def draws(sequence: SequenceInfo, schema: str, name: str) -> bool:
        return (schema, name) in {(c.schema_name, c.table_name) for c in sequence.columns}

    with ties.connect() as conn, open_sessions(conn, Limits()) as sessions:
        everything = discover(sessions.session)
        assert len(everything) >= 11
        places = {(c.schema_name, c.table_name) for s in everything for c in s.columns}
        for schema, name in places | {(s.schema_name, s.sequence_name) for s in everything}:
            expected = [
                s for s in everything if draws(s, schema, name) or (s.schema_name, s.sequence_name) == (schema, name)
            ]
            assert discover(sessions.session, places=[(schema, name)]) == expected, (schema, name)
            for wider in ((None, name), (schema, None)):
                found = discover(sessions.session, places=[wider])
                assert all(sequence in found for sequence in expected), wider
                assert all(sequence in everything for sequence in found), wider


SELECTIONS: list[dict[str, Any]] = [
    {"tables": ["a.serials"]},
    {"tables": ["serials", "copies"], "schemas": ["b"]},
    {"sequences": ["late"]},
    {"columns": ["c.of_domain.id"]},
    {"schemas": ["c"]},
    {"tables": ["a.parents", "b.children"]},
    {"tables": ["a.serials", "a.parents"], "exclude": ["b.copies", "c.alone", "a.parents.id", "x*"]},
]


@pytest.mark.parametrize("selection", SELECTIONS, ids=str)
def test_a_selection_by_name_reports_what_one_by_pattern_reports(selection: dict[str, Any], ties: Database) -> None:
    by_pattern = {kind: [*names, "nothing_is_called_this*"] for kind, names in selection.items()}
    with ties.connect() as conn:
        expected = rows_of(core.check(conn, **by_pattern, allow_empty=True, allow_skipped=True))
        assert rows_of(core.check(conn, **selection, allow_empty=True, allow_skipped=True)) == expected


def test_a_name_does_not_cost_the_whole_catalog(newest_db: Database) -> None:
    newest_db.execute("".join(f"CREATE TABLE t{i} (id serial);" for i in range(200)))
    rows = {}
    for tables in ("t7", "t[7]"):
        watched = Watched(newest_db.psycopg2())
        assert len(core.check(watched, tables=tables).rows) == 1
        rows[tables] = watched.rows
        watched.close()
    assert rows["t7"] < 20 < 400 < rows["t[7]"]


def test_exact_names_are_looked_up(newest_db: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    newest_db.execute("".join(f"CREATE TABLE t{i} (id serial);" for i in range(100)))
    compared: list[str] = []
    matches = fnmatch.fnmatchcase
    monkeypatch.setattr(fnmatch, "fnmatchcase", lambda name, text: compared.append(name) or matches(name, text))
    with newest_db.connect() as conn:
        report = core.check(conn, exclude=[f"t{i}" for i in range(99)])
    assert report.summary["skipped"] == 99
    assert not compared


@pytest.mark.parametrize("name", ["prises", "\udcff", "a\0b", "größe", "o'clock", "back\\slash"])
def test_a_name_that_finds_nothing_is_said_whatever_is_in_it(name: str, newest_db: Database) -> None:
    newest_db.execute("CREATE TABLE prices (id serial)")
    with newest_db.connect() as conn, pytest.raises(core.SelectionError, match="there is no table") as caught:
        core.check(conn, tables=[(name,)])
    assert caught.value.candidates is not None
    assert caught.value.candidates.known == ("public.prices",)


def test_names_that_need_quotes_are_found(newest_db: Database) -> None:
    names = ["größe", "o'clock", "back\\slash", 'say "no"', "a*", "[x]"]
    for name in names:
        quoted = name.replace('"', '""')
        newest_db.execute(f'CREATE TABLE "{quoted}" (id serial)')
    with newest_db.connect() as conn:
        for name in names:
            assert len(core.check(conn, tables=[(name,)]).rows) == 1
