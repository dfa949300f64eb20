"""Patterns of schemas in which no default draws: each sequence is judged, suggested, or left to a person."""

from __future__ import annotations

import pytest

from airflow_seqfix import core
from tests.support.servers import Database


def _trigger(body: str, *, table: str = "t", declare: str = "", arguments: str = "", options: str = "") -> str:
    return f"""
        CREATE FUNCTION fill() RETURNS trigger LANGUAGE plpgsql {options} AS
            $f$ {declare} BEGIN {body} RETURN NEW; END $f$;
        CREATE TRIGGER fill BEFORE INSERT ON {table} FOR EACH ROW EXECUTE FUNCTION fill({arguments});
    """


TABLE = "CREATE TABLE t (id bigint PRIMARY KEY, code text, note text); CREATE SEQUENCE s;"
KEY = "public.t.id"
#: What is judged without being asked.
JUDGED = {
    "assignment": TABLE + _trigger("NEW.id := nextval('s');"),
    "where_null": TABLE + _trigger("IF NEW.id IS NULL THEN NEW.id := nextval('s'); END IF;"),
    "on_insert_only": TABLE + _trigger("IF TG_OP = 'INSERT' THEN NEW.id = nextval('s'::regclass); END IF;"),
    "ora2pg": TABLE + _trigger("SELECT nextval('s') INTO NEW.id;"),
    "ora2pg_strict": TABLE
    + _trigger("SELECT nextval('s') INTO STRICT NEW.id FROM pg_type LIMIT 1;").replace(" LIMIT 1", ""),
    "select_into_first": TABLE + _trigger("SELECT INTO NEW.id nextval('s');"),
    "coalesce": TABLE + _trigger("NEW.id := COALESCE(NEW.id, nextval('s'));"),
    "variable": TABLE + _trigger("v := nextval('s'); NEW.id := v;", declare="DECLARE v bigint;"),
    "declared": TABLE + _trigger("NEW.id := v;", declare="DECLARE v bigint := nextval('s');"),
    "qualified": TABLE + _trigger("NEW.id := nextval('public.s');", options="SET search_path = ''"),
    "search_path": TABLE + _trigger("NEW.id := nextval('s');", options="SET search_path = public"),
    "argument": TABLE + _trigger("NEW.id := nextval(TG_ARGV[0]);", arguments="'s'"),
    "by_table_name": TABLE
    + _trigger("NEW.id := nextval(TG_TABLE_NAME || '_id');")
    + "ALTER SEQUENCE s RENAME TO t_id;",
    "by_format": TABLE + _trigger("NEW.id := nextval(format('%I.%I', TG_TABLE_SCHEMA, 's'));"),
    "kept_ahead": TABLE
    + _trigger("IF NEW.id IS NULL THEN NEW.id := nextval('s'); ELSE PERFORM setval('s', NEW.id); END IF;"),
    "two_columns_two_sequences": TABLE
    + "ALTER TABLE t ADD n int; CREATE SEQUENCE s2;"
    + _trigger("NEW.id := nextval('s'); NEW.n := nextval('s2');"),
    "cast": TABLE + _trigger("NEW.id := nextval('s')::int;"),
    "owned_and_dynamic": TABLE
    + "ALTER SEQUENCE s OWNED BY t.id;"
    + _trigger("EXECUTE 'SELECT nextval(''s'')' INTO NEW.id;"),
    "owned_and_case": TABLE
    + "ALTER SEQUENCE s OWNED BY t.id;"
    + _trigger("NEW.id := CASE WHEN NEW.id IS NULL THEN nextval('s') ELSE NEW.id END;"),
}
#: What is suggested, as the column of the table's key.
SUGGESTED = {
    "hibernate": TABLE + "ALTER SEQUENCE s RENAME TO hibernate_sequence",
    "sqlalchemy": TABLE + "ALTER TABLE t RENAME TO users; ALTER SEQUENCE s RENAME TO users_id_seq",
    "jpa": TABLE
    + "ALTER TABLE t RENAME TO users; ALTER SEQUENCE s RENAME TO users_seq; ALTER SEQUENCE users_seq INCREMENT 50",
    "prefix_seq": TABLE + "ALTER TABLE t RENAME TO users; ALTER SEQUENCE s RENAME TO seq_users",
    "oracle_upper": TABLE + 'ALTER TABLE t RENAME TO users; ALTER SEQUENCE s RENAME TO "USERS_SEQ"',
    "singular": TABLE + "ALTER TABLE t RENAME TO users; ALTER SEQUENCE s RENAME TO user_seq",
    "entity_framework": TABLE + 'ALTER SEQUENCE s RENAME TO "EntityFrameworkHiLoSequence"',
    "dropped_default": "CREATE TABLE t (id serial PRIMARY KEY); ALTER TABLE t ALTER id DROP DEFAULT",
    "function": TABLE
    + "CREATE FUNCTION add() RETURNS void LANGUAGE sql AS $$ INSERT INTO t (id) VALUES (nextval('s')) $$",
    "function_select": TABLE + "CREATE FUNCTION add() RETURNS void LANGUAGE plpgsql AS"
    " $$ BEGIN INSERT INTO public.t (code, id) SELECT 'a', nextval('public.s') FROM pg_class; END $$",
    "case": TABLE + _trigger("NEW.id := CASE WHEN NEW.id IS NULL THEN nextval('s') ELSE NEW.id END;"),
    "loop": TABLE + _trigger("FOR v IN SELECT nextval('s') LOOP NEW.id := v; END LOOP;", declare="DECLARE v bigint;"),
}
#: What is left to a person: nothing is suggested, and the sequence is counted.
LEFT = {
    "text": TABLE + _trigger("NEW.code := 'A-' || nextval('s');") + "ALTER TABLE t ALTER id SET DEFAULT 0",
    "arithmetic": TABLE + _trigger("NEW.id := nextval('s') * 100;"),
    "batch_numbers": "CREATE SEQUENCE batch_number_seq; CREATE TABLE orders (id uuid PRIMARY KEY)",
    "another_table": "CREATE SEQUENCE invoices_seq; CREATE TABLE orders (id int PRIMARY KEY)",
    "identity": "CREATE SEQUENCE orders_seq; CREATE TABLE orders (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY)",
    "no_key": "CREATE SEQUENCE orders_seq; CREATE TABLE orders (id int)",
    "two_tables": "CREATE SEQUENCE order_seq; CREATE TABLE orders (id int PRIMARY KEY);"
    ' CREATE TABLE "order" (id int PRIMARY KEY)',
}


@pytest.mark.parametrize("name", JUDGED)
def test_judged(name: str, newest_db: Database) -> None:
    newest_db.execute(JUDGED[name])
    with newest_db.connect() as conn:
        report = core.check(conn)
    assert {str(row.verdict) for row in report.rows} == {"in_sync"}


@pytest.mark.parametrize("name", SUGGESTED)
def test_suggested(name: str, newest_db: Database) -> None:
    newest_db.execute(SUGGESTED[name])
    with newest_db.connect() as conn:
        assert core.check(conn, allow_empty=True).summary["undrawn"] == 1
        (item,) = core.suggest(conn).items
    assert [candidate.column.split(".")[-1] for candidate in item.suggestion.candidates] == ["id"]


@pytest.mark.parametrize("name", LEFT)
def test_left_to_a_person(name: str, newest_db: Database) -> None:
    newest_db.execute(LEFT[name])
    with newest_db.connect() as conn:
        assert core.check(conn, allow_empty=True).summary["undrawn"] == 1
        assert core.suggest(conn).mapping == {}
