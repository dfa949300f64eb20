"""Triggers that fill a column from a sequence: what is read from the text of their functions, and what is judged."""

from __future__ import annotations

import sys
from types import FrameType
from typing import Any

import pytest

from airflow_seqfix import core
from airflow_seqfix.core.discover.hints import inserted
from airflow_seqfix.core.discover.plpgsql import read_function
from airflow_seqfix.core.discover.tokens import Kind, name_parts, tokens
from tests.support.psql import reset
from tests.support.servers import Database

TOLD = {
    "tg_table_name": "Orders",
    "tg_relname": "Orders",
    "tg_table_schema": "shop",
    "tg_argv[0]": "orders_s",
    "tg_argv[1]": None,
}

#: Bodies, with the one column and the one name that they are about.
CERTAIN = [
    ("NEW.id := nextval('s');", "id", "s"),
    ('NEW."Id" = nextval(\'shop."S"\'::regclass);', "Id", 'shop."S"'),
    ("IF NEW.id IS NULL OR NEW.id = 0 THEN NEW.id := pg_catalog.nextval('s')::int; END IF;", "id", "s"),
    ("SELECT nextval('s') INTO NEW.id;", "id", "s"),
    ("SELECT nextval('s') AS next INTO STRICT NEW.id FROM dual;", "id", "s"),
    ("SELECT INTO NEW.id nextval('s');", "id", "s"),
    ("SELECT now(), nextval('s') INTO NEW.at, NEW.id;", "id", "s"),
    ("NEW.id := COALESCE(NEW.id, nextval('s'::text));", "id", "s"),
    ("NEW.id := (SELECT nextval('s'));", "id", "s"),
    ("NEW.id := CAST(nextval('s') AS numeric(12, 0))::text;", "id", "s"),
    ("IF NEW.id < 0 THEN NEW.id := NULL; END IF; NEW.id := nextval('s');", "id", "s"),
    ("NEW.id := nextval(TG_ARGV[0]);", "id", "orders_s"),
    ("NEW.id := nextval(TG_TABLE_NAME || '_id_seq');", "id", "Orders_id_seq"),
    (
        "NEW.id := nextval(quote_ident(TG_TABLE_SCHEMA) || '.' || quote_ident(TG_RELNAME || '_s'));",
        "id",
        'shop."Orders_s"',
    ),
    ("NEW.id := nextval(format('%I.%I', TG_TABLE_SCHEMA, TG_TABLE_NAME || '_s')::regclass);", "id", 'shop."Orders_s"'),
    ("NEW.id := nextval($s$it's$s$); RAISE NOTICE 'NEW.id := nextval(''other'')';", "id", "it's"),
    ("-- NEW.id := nextval('old');\n/* NEW.id := nextval('older'); /* */ */ NEW.id := nextval(E's\\x');", "id", "sx"),
    ("PERFORM setval('s', 5); NEW.id := nextval('s');", "id", "s"),
]


@pytest.mark.parametrize(("body", "column", "name"), CERTAIN)
def test_what_is_certain(body: str, column: str, name: str) -> None:
    reading = read_function(f"DECLARE v text; BEGIN {body} RETURN NEW; END", TOLD)
    assert (reading.draws, reading.loose, reading.unread) == ({(column, name)}, frozenset(), None)


@pytest.mark.parametrize(
    "source",
    [
        "DECLARE v bigint := 0; BEGIN v := nextval('s'); NEW.id := v; RETURN NEW; END",
        "DECLARE v bigint := nextval('s'); BEGIN NEW.id := v::int; RETURN NEW; END",
        "DECLARE v numeric(12) DEFAULT nextval('s'); BEGIN NEW.id = v; RETURN NEW; END",
        "DECLARE v bigint; BEGIN SELECT nextval('s') INTO v; IF true THEN NEW.id := v; END IF; RETURN NEW; END",
    ],
)
def test_a_variable_on_the_way(source: str) -> None:
    assert read_function(source, TOLD).draws == {("id", "s")}


#: Bodies of which nothing is certain, with the names that they give to nextval().
UNCERTAIN = [
    ("IF x THEN NEW.id := nextval('a'); ELSE NEW.id := nextval('b'); END IF;", {"a", "b"}),
    ("NEW.id := nextval('a') * 10;", {"a"}),
    ("NEW.id := nextval('a'); NEW.id := NEW.id + 1000;", {"a"}),
    ("NEW.code := 'A-' || nextval('a');", {"a"}),
    ("PERFORM nextval('a'); NEW.id := currval('a');", {"a"}),
    ("INSERT INTO log (id) VALUES (nextval('a'));", {"a"}),
    ("EXECUTE 'SELECT nextval(''a'')' INTO NEW.id;", set()),
    ("NEW.id := nextval('a'); NEW := other;", {"a"}),
    ("NEW.id := shop.nextval('a');", {"a"}),
    ("NEW.id := nextval('a' || now());", set()),
    ("NEW.id := nextval(TG_ARGV[1]);", set()),
    ("NEW.id := nextval('a')::money;", {"a"}),
    ("v := nextval('a'); SELECT max(id) INTO v FROM t; NEW.id := v;", {"a"}),
    ("FOR v IN SELECT nextval('a') LOOP NEW.id := v; END LOOP;", {"a"}),
]


@pytest.mark.parametrize(("body", "names"), UNCERTAIN)
def test_what_is_not_certain_is_not_taken_for_it(body: str, names: set[str]) -> None:
    reading = read_function(f"DECLARE v bigint; BEGIN {body} RETURN NEW; END", TOLD)
    assert (reading.draws, reading.loose) == (frozenset(), names)
    assert reading.loose or reading.unread


@pytest.mark.parametrize(
    "text", ["'", '"', "$a$", "/*", "E'\\", "NEW.id := nextval('s", ") ) (", "case case end", "", "\0;= =", "(" * 99]
)
def test_a_text_that_is_no_function_is_read_to_its_end(text: str) -> None:
    assert read_function(text * 3, TOLD).draws in (frozenset(), {("id", "s")})


PIECES = [
    *(
        "a.",
        "/*",
        "$a$",
        "''",
        "E'\\'",
        "(",
        "case ",
        "NEW.id := ",
        "nextval(",
        "nextval('a'),",
        "NEW.id := nextval('a');",
    ),
    *("select ", "select a into b,", "coalesce(NEW.id, ", "('a' || ", "format('%I', ", "quote_ident(", "::int", "[("),
    *("insert into ", "insert into a (b) ", "insert into a (b) select ", "insert into a (nextval('a')) values ("),
]
#: A text so many times as long may take so many times the work: twice what it would take if each word took as much.
LONGER, DEARER = 8, 16


@pytest.mark.parametrize("closed", ["", ")"], ids=["open", "closed"])
@pytest.mark.parametrize("piece", PIECES)
def test_the_work_grows_with_the_text_alone(piece: str, closed: str) -> None:
    """What a neighbour writes into a function must not keep a check busy."""

    def work(length: int) -> int:
        """Return how many lines are run: unlike seconds they are the same on every machine."""
        # Odd, so that what opens and closes a quote is open in the end.
        times, lines = length // len(piece) | 1, 0

        def count(frame: FrameType, event: str, argument: Any) -> Any:
            nonlocal lines
            lines += event == "line"
            return count

        text = f"NEW.id := {piece * times}1{closed * times}"
        before = sys.gettrace()
        sys.settrace(count)
        try:
            read_function(text, TOLD)
            list(inserted(list(tokens(text))))
        finally:
            sys.settrace(before)
        return lines

    assert work(LONGER * 1_000) < DEARER * work(1_000)


def test_words() -> None:
    found = [(token.kind, token.text) for token in tokens('Ab."C""d" U&\'x\' 1.5::INT -- e\n||$1')]
    assert found[:5] == [
        (Kind.WORD, "ab"),
        (Kind.SIGN, "."),
        (Kind.NAME, 'C"d'),
        (Kind.STRING, "x"),
        (Kind.NUMBER, "1.5"),
    ]
    assert name_parts('a."B.c"') == ("a", "B.c")
    assert [name_parts(text) for text in ("", "a b", "a.", ".a", "1", "a..b")] == [None] * 6


GITLAB = """
    CREATE TABLE p_builds (id bigint, partition_id bigint, note text, PRIMARY KEY (id, partition_id))
        PARTITION BY LIST (partition_id);
    CREATE TABLE builds_100 PARTITION OF p_builds FOR VALUES IN (100);
    CREATE SEQUENCE builds_id_seq OWNED BY p_builds.id;
    INSERT INTO p_builds (id, partition_id) VALUES (40, 100);
    CREATE FUNCTION assign_id() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        IF NEW."id" IS NOT NULL THEN RAISE WARNING 'ids are not assigned by hand'; END IF;
        NEW."id" := nextval('builds_id_seq'::regclass);
        RETURN NEW;
    END $$;
    CREATE TRIGGER assign BEFORE INSERT ON p_builds FOR EACH ROW EXECUTE FUNCTION assign_id();
"""
ORACLE = """
    CREATE SEQUENCE foo_seq;
    CREATE TABLE foo (id numeric(12) PRIMARY KEY, note text);
    INSERT INTO foo (id) SELECT generate_series(1, 9);
    CREATE FUNCTION fill_foo() RETURNS trigger LANGUAGE plpgsql AS
        $$ BEGIN SELECT nextval('foo_seq') INTO NEW.id; RETURN NEW; END $$;
    CREATE TRIGGER fill BEFORE INSERT ON foo FOR EACH ROW WHEN (NEW.id IS NULL) EXECUTE FUNCTION fill_foo();
"""
#: A function for many tables; the sequence is an argument of the trigger.
ARGUMENTS = r"""
    CREATE SCHEMA shop; CREATE SEQUENCE shop."It's \ a seq"; CREATE TABLE shop.parts ("No" int PRIMARY KEY, note text);
    INSERT INTO shop.parts VALUES (30);
    CREATE FUNCTION fill() RETURNS trigger LANGUAGE plpgsql SET search_path = elsewhere, shop AS
        $$ BEGIN IF NEW."No" IS NULL THEN NEW."No" := nextval(TG_ARGV[1]); END IF; RETURN NEW; END $$;
    CREATE TRIGGER fill BEFORE INSERT ON shop.parts FOR EACH ROW EXECUTE FUNCTION fill('x', '"It''s \ a seq"');
"""
#: Which sequence a text built at run time names cannot be told, but only one belongs to the column.
OPAQUE = """
    CREATE TABLE bar (id int PRIMARY KEY, note text);
    CREATE SEQUENCE bar_s OWNED BY bar.id;
    INSERT INTO bar VALUES (7);
    CREATE FUNCTION fill_bar() RETURNS trigger LANGUAGE plpgsql AS
        $$ BEGIN EXECUTE 'SELECT nextval(' || quote_literal('bar_' || 's') || ')' INTO NEW.id; RETURN NEW; END $$;
    CREATE TRIGGER fill BEFORE INSERT ON bar FOR EACH ROW EXECUTE FUNCTION fill_bar();
"""


@pytest.mark.parametrize(
    ("made", "sequence", "insert", "got"),
    [
        (GITLAB, "builds_id_seq", "INSERT INTO p_builds (partition_id) VALUES (100) RETURNING id", 41),
        (ORACLE, "foo_seq", "INSERT INTO foo (note) VALUES ('') RETURNING id", 10),
        (ARGUMENTS, "It's \\ a seq", 'INSERT INTO shop.parts (note) VALUES (NULL) RETURNING "No"', 31),
        (OPAQUE, "bar_s", "INSERT INTO bar (note) VALUES ('') RETURNING id", 8),
    ],
    ids=["partitioned", "oracle", "arguments", "owned"],
)
def test_what_a_trigger_fills_is_judged(made: str, sequence: str, insert: str, got: int, db: Database) -> None:
    db.execute(made)
    with db.connect() as conn:
        (row,) = core.check(conn).rows
        assert (row.finding.sequence.sequence_name, str(row.verdict)) == (sequence, "behind")
        (fixed,) = core.fix(conn).rows
        assert fixed.is_fixed
    assert db.value(insert) == got


@pytest.mark.parametrize(
    "spoiled",
    [
        "ALTER TABLE foo DISABLE TRIGGER fill",
        "ALTER TABLE foo ENABLE REPLICA TRIGGER fill",
        "DROP TRIGGER fill ON foo; CREATE TRIGGER fill AFTER INSERT ON foo FOR EACH ROW EXECUTE FUNCTION fill_foo()",
        "DROP TRIGGER fill ON foo; CREATE TRIGGER fill BEFORE UPDATE ON foo FOR EACH ROW EXECUTE FUNCTION fill_foo()",
        "ALTER FUNCTION fill_foo() SET search_path = elsewhere",
    ],
)
def test_a_trigger_that_does_not_draw_ties_nothing(spoiled: str, newest_db: Database) -> None:
    newest_db.execute(f"{ORACLE}; {spoiled}")
    with newest_db.connect() as conn:
        assert {str(row.verdict) for row in core.check(conn, allow_empty=True).rows} == {"skipped"}


def test_one_of_several_sequences_that_a_trigger_may_mean_is_not_guessed(newest_db: Database) -> None:
    spoiled = "CREATE SCHEMA a CREATE SEQUENCE foo_seq; CREATE SCHEMA b CREATE SEQUENCE foo_seq; DROP SEQUENCE foo_seq"
    newest_db.execute(f"{ORACLE}; {spoiled}")
    with newest_db.connect() as conn:
        assert {str(row.verdict) for row in core.check(conn).rows} == {"unknown"}


def test_a_column_that_draws_by_its_default_as_well_is_one_column(newest_db: Database) -> None:
    newest_db.execute(f"{ORACLE}; ALTER TABLE foo ALTER id SET DEFAULT nextval('foo_seq')")
    with newest_db.connect() as conn:
        (row,) = core.check(conn).rows
    assert row.to_dict()["columns"] == ["public.foo.id"]
    assert "shared" not in row.to_dict()["warnings"]


def test_what_is_done_to_the_value_is_not_guessed(newest_db: Database) -> None:
    newest_db.execute(f"{OPAQUE}; SELECT 1")
    newest_db.execute("""
        CREATE OR REPLACE FUNCTION fill_bar() RETURNS trigger LANGUAGE plpgsql AS
            $$ BEGIN NEW.id := nextval('bar_s') * 10; RETURN NEW; END $$
    """)
    with newest_db.connect() as conn:
        (row,) = core.check(conn, allow_empty=True).rows
    assert (str(row.verdict), row.reason) == ("skipped", "public.bar.id owns it, and is not known to draw from it")


@pytest.mark.parametrize(
    ("made", "sequence", "insert", "got"),
    [
        (GITLAB, "public.builds_id_seq", "INSERT INTO p_builds (partition_id) VALUES (100) RETURNING id", 41),
        (ORACLE, "public.foo_seq", "INSERT INTO foo (note) VALUES ('') RETURNING id", 10),
        (OPAQUE, "public.bar_s", "INSERT INTO bar (note) VALUES ('') RETURNING id", 8),
    ],
    ids=["partitioned", "oracle", "owned"],
)
def test_the_script_reads_the_plain_ones(made: str, sequence: str, insert: str, got: int, db: Database) -> None:
    db.execute(made)
    run = reset(db.dsn)
    assert run.rows[sequence]["found"] == "behind"
    assert db.value(insert) == got


def test_the_script_leaves_the_others_to_the_command(newest_db: Database) -> None:
    newest_db.execute(ARGUMENTS)
    run = reset(newest_db.dsn, all="on", allow_empty="on")
    assert {row["verdict"] for row in run.rows.values()} == {"skipped"}
