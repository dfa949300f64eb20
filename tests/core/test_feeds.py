"""Columns that hold something else than what one sequence hands out: nothing is moved by a guess."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import psycopg
import pytest
from psycopg import sql

from airflow_seqfix import core
from airflow_seqfix.core import queries
from tests.support.psql import psql, reset
from tests.support.servers import Database

Repair = Callable[[Database], None]


def by_library(db: Database) -> None:
    with db.connect() as conn:
        core.fix(conn, allow_empty=True)


def by_plan_as_sql(db: Database) -> None:
    with db.connect() as conn:
        script = core.plan(conn, allow_empty=True).to_sql()
    psql(db.dsn, "-v", "ON_ERROR_STOP=1", script=script)


def by_script(db: Database) -> None:
    reset(db.dsn, allow_empty="on")


EACH_WAY = pytest.mark.parametrize("repair", [by_library, by_plan_as_sql, by_script])


def found(db: Database, sequence: str, **options: Any) -> tuple[str, str | None]:
    """Return the verdict and the reason, which the script has to share where it has the options."""
    with db.connect() as conn:
        rows = {row["sequence"]: row for row in core.check(conn, allow_empty=True, **options).to_dict()["sequences"]}
    verdict, reason = rows[sequence]["verdict"], rows[sequence]["reason"]
    if not options:
        row = reset(db.dsn, mode="check", all="on", allow_empty="on").rows[sequence]
        assert (row["verdict"], row["reason"] or None if verdict == "unknown" else reason) == (verdict, reason)
    return verdict, reason


def triggered(body: str, table: str = "t", name: str = "tf", when: str = "") -> str:
    return f"""
        CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $$ {body} $$;
        CREATE TRIGGER {name} BEFORE INSERT ON {table} FOR EACH ROW {when} EXECUTE FUNCTION {name}();
    """


SERIAL = "CREATE TABLE t (id serial PRIMARY KEY, note text, updated_at timestamptz);"


@EACH_WAY
@pytest.mark.parametrize(
    ("made", "insert"),
    [
        (
            f"{SERIAL} SELECT setval('t_id_seq', 30000000);"
            + triggered("BEGIN NEW.id := NEW.id * 10; RETURN NEW; END"),
            "INSERT INTO t (note) VALUES ('x')",
        ),
        (
            "CREATE SEQUENCE t_id_seq; CREATE TABLE t (id int PRIMARY KEY, note text);"
            "SELECT setval('t_id_seq', 30000000);"
            + triggered("BEGIN NEW.id := nextval('t_id_seq'); RETURN NEW; END", name="a")
            + triggered("BEGIN NEW.id := NEW.id * 10; RETURN NEW; END", name="b"),
            "INSERT INTO t (note) VALUES ('x')",
        ),
        (
            "CREATE TABLE t (id serial, note text, PRIMARY KEY (id, note)) PARTITION BY LIST (note);"
            "CREATE TABLE p PARTITION OF t FOR VALUES IN ('x'); SELECT setval('t_id_seq', 30000000);"
            + triggered("BEGIN NEW.id := NEW.id * 10; RETURN NEW; END", table="p"),
            "INSERT INTO t (note) VALUES ('x')",
        ),
    ],
    ids=["default", "two triggers", "partition"],
)
def test_what_a_trigger_changes_is_not_followed(made: str, insert: str, repair: Repair, db: Database) -> None:
    db.execute(made)
    db.execute(insert)
    for _ in range(2):
        repair(db)
        assert db.value(f"{insert} RETURNING id") < 300_000_100


#: What a trigger does beside it, with the verdict of a sequence that is behind.
BODIES = [
    ("unknown", "NEW.id := NEW.id + 1000;"),
    ("unknown", "NEW.note := 'it''s --'; NEW.\"id\" = -NEW.id;"),
    ("unknown", "IF NEW.note = 'x' THEN NEW.id := NEW.id * 10; END IF;"),
    ("unknown", "IF NEW.note IS NULL THEN NEW.id := NEW.id * 10; END IF;"),
    ("unknown", "SELECT max(id) + 1 INTO STRICT NEW.id FROM t;"),
    ("unknown", "SELECT now(), 7 INTO NEW.updated_at, NEW.id;"),
    ("unknown", "v := NEW.id * 10; NEW.id := v;"),
    ("unknown", "NEW.id := nextval('t_id_seq') * 10;"),
    ("unknown", "NEW.id := coalesce(NEW.id, 0) * 10;"),
    ("unknown", "r := new; r.id := -r.id; return r;"),
    ("unknown", "r := NEW; r.id := -r.id; NEW := r;"),
    ("unknown", "NEW = row(-NEW.id, NEW.note, now());"),
    ("unknown", "RETURN row(-NEW.id, NEW.note, now())::t;"),
    ("unknown", "SELECT -NEW.id, NEW.note, now() INTO NEW;"),
    ("unknown", "SELECT 1, -NEW.id INTO STRICT v, NEW;"),
    ("unknown", "EXECUTE 'SELECT ($1).*' INTO NEW USING r;"),
    ("unknown", "FOR NEW IN SELECT -NEW.id, NEW.note, now() LOOP RETURN NEW; END LOOP;"),
    ("unknown", "FOREACH NEW.id IN ARRAY ARRAY[7] LOOP NULL; END LOOP;"),
    ("unknown", "RETURN jsonb_populate_record(NEW, jsonb_build_object('id', -NEW.id));"),
    ("unknown", "NEW := jsonb_populate_record(NEW, jsonb_build_object('id', -NEW.id));"),
    ("unknown", "n.id := -n.id;"),
    ("unknown", "f.new.id := -new.id;"),
    ("unknown", '"new"."id" := -"new".id;'),
    ("unknown", 'NEW.U&"\\0069d" := -NEW.id;'),
    ("unknown", "CALL negate(NEW.id);"),
    ("unknown", "GET DIAGNOSTICS NEW.id = ROW_COUNT;"),
    ("unknown", "GET CURRENT DIAGNOSTICS v = ROW_COUNT, NEW.id = ROW_COUNT;"),
    ("unknown", "EXECUTE 'SELECT ' || v INTO NEW.id;"),
    ("unknown", "EXECUTE 'SELECT $1, $2' INTO STRICT v, f.new.id USING NEW.id, nextval('t_id_seq');"),
    ("unknown", "NEW.id := nextval('t_id_seq'); EXECUTE 'SELECT $1 * 10' USING NEW.id INTO NEW.\"id\";"),
    ("unknown", "VALUES (7, 8) INTO v, NEW.id;"),
    ("unknown", "SELECT nextval('t_id_seq'), 7 INTO v, NEW.id;"),
    ("unknown", "SELECT least(nextval('t_id_seq'), 7) INTO NEW.id;"),
    ("unknown", "SELECT INTO NEW.id least(nextval('t_id_seq'), 7);"),
    ("unknown", "UPDATE t SET id = nextval('t_id_seq') RETURNING 7 INTO NEW.id;"),
    ("unknown", "SELECT nextval('t_id_seq') INTO NEW.id FROM t WHERE false UNION SELECT 7;"),
    ("unknown", "NEW.id := NEW.id::bool::int;"),
    ("behind", "SELECT now(), nextval('t_id_seq')::int AS next INTO STRICT NEW.updated_at, NEW.id FROM dual;"),
    ("behind", "SELECT INTO NEW.id nextval('t_id_seq');"),
    ("behind", "SELECT coalesce(NEW.id, nextval('t_id_seq'::regclass)) INTO NEW.id;"),
    ("behind", "SELECT CAST(nextval('t_id_seq') AS int) INTO NEW.\"id\";"),
    ("unknown", "FETCH c INTO NEW.id;"),
    ("unknown", "NEW.id := coalesce(OLD.id, NEW.id * 10);"),
    ("behind", "EXECUTE 'SELECT $1' INTO v USING NEW.id; EXECUTE 'SELECT 1' INTO NEW.note;"),
    ("behind", "IF NEW.id IS NULL THEN EXECUTE 'SELECT 7' INTO NEW.id; END IF;"),
    ("behind", "EXECUTE $q$SELECT 1; NEW.id := 7;$q$; RAISE NOTICE $m$return it's %; $m$, 1;"),
    ("behind", "RETURN ((NEW)); RETURN coalesce(OLD, NULL, NEW);"),
    ("behind", "CASE TG_OP WHEN 'INSERT' THEN RETURN NEW; WHEN 'DELETE' THEN RETURN OLD; ELSE RETURN NULL; END CASE;"),
    ("behind", "IF NEW.note = 'x' THEN RETURN NULL; END IF; RETURN (NEW);"),
    ("behind", "RETURN COALESCE(NEW, OLD);"),
    ("behind", "IF TG_OP = 'DELETE' THEN RETURN OLD; END IF;"),
    ("behind", "PERFORM note(OLD, NEW, 'x'); INSERT INTO log SELECT NEW.*; NEW.note := note(NEW);"),
    ("behind", "SELECT NEW.id, now() INTO v, NEW.updated_at; r := NEW; RAISE NOTICE 'return r; new := r;';"),
    ("behind", "NEW.updated_at := now();"),
    ("behind", "NEW.note := NEW.id * 10; NEW.updated_at = now();"),
    ("behind", "IF NEW.id IS NULL THEN NEW.id := nextval('t_id_seq'); END IF;"),
    ("behind", "IF NEW.id IS NULL THEN SELECT coalesce(max(id), 0) + 1 INTO NEW.id FROM t; END IF;"),
    ("behind", "NEW.id := COALESCE(NEW.id, nextval('t_id_seq'::regclass));"),
    ("behind", "NEW.id := nextval(pg_get_serial_sequence(TG_TABLE_NAME, 'id'))::int;"),
    ("behind", "v := nextval('t_id_seq'); NEW.id := v;"),
    ("behind", "SELECT NEW.id, nextval('t_id_seq') INTO v, NEW.id;"),
    ("behind", "IF TG_OP = 'UPDATE' THEN NEW.id := OLD.id; END IF;"),
    ("behind", "IF NEW.id = 5 THEN RAISE NOTICE '; NEW.id := 7;'; END IF; -- ; NEW.id := 7;\n /* ; NEW.id := 7; */"),
]


@pytest.mark.parametrize(("verdict", "body"), BODIES)
def test_what_changes_the_value(verdict: str, body: str, newest_db: Database) -> None:
    newest_db.execute(f"{SERIAL} INSERT INTO t (id) SELECT generate_series(1, 9);")
    declared = "DECLARE v bigint; r t; n ALIAS FOR NEW;" if body.startswith("n.") else "DECLARE v bigint; r t;"
    newest_db.execute("SET check_function_bodies = off; " + triggered(f"<<f>> {declared} BEGIN {body} RETURN NEW; END"))
    said = "trigger tf of public.t may change what nextval() has returned for public.t.id"
    got, reason = found(newest_db, "public.t_id_seq")
    assert (got, reason == said) == (verdict, verdict == "unknown")


#: Functions that store 9 whatever was drawn.
NINES = {
    "execute": "BEGIN EXECUTE 'SELECT $1 - $1 + 9' INTO NEW.id USING NEW.id; RETURN NEW; END",
    "values": "BEGIN VALUES (9) INTO NEW.id; RETURN NEW; END",
    "qualified": 'BEGIN "tf".new.id := 9; RETURN NEW; END',
    "the row, qualified": "BEGIN SELECT 9, 'x', now() INTO \"tf\".new; RETURN NEW; END",
    "coalesce": "BEGIN RETURN coalesce(NULL, ROW(9, 'x', now())::t); END",
    "coalesce with NEW": "BEGIN RETURN coalesce(NULL, ROW(9, 'x', now())::t, NEW); END",
    "case": "BEGIN RETURN CASE WHEN true THEN ROW(9, 'x', now())::t END; END",
    "behind a quote in dollars": "BEGIN RAISE NOTICE $m$it's %$m$, $m$/* $1$m$; NEW.id := 9; RETURN NEW; END",
    "a row of its own": "DECLARE r t := ROW(9, 'x', now()); BEGIN RETURN r; END",
    "another NEW": "DECLARE new t := ROW(9, 'x', now()); BEGIN RETURN new; END",
    "OLD": "BEGIN OLD := ROW(9, 'x', now())::t; RETURN OLD; END",
    "a column of OLD": "BEGIN OLD.id := 9; RETURN OLD; END",
}


@pytest.mark.parametrize("function", NINES.values(), ids=NINES)
def test_what_a_trigger_stores_instead_of_the_value(function: str, newest_db: Database) -> None:
    newest_db.execute(f"{SERIAL} INSERT INTO t (id) SELECT generate_series(1, 9); SELECT setval('t_id_seq', 50);")
    newest_db.execute(triggered(function))
    with pytest.raises(psycopg.errors.UniqueViolation):
        newest_db.execute("INSERT INTO t (note) VALUES ('x')")
    assert found(newest_db, "public.t_id_seq")[0] == "unknown"


#: Rules that send what was drawn elsewhere, or draw again.
RULES = {
    "instead": "CREATE RULE r AS ON INSERT TO t DO INSTEAD INSERT INTO u VALUES (NEW.id)",
    "also": "CREATE RULE r AS ON INSERT TO t DO ALSO INSERT INTO u VALUES (NEW.id)",
    "currval": "CREATE RULE r AS ON INSERT TO t DO ALSO INSERT INTO u VALUES (currval('t_id_seq'))",
    "where": "CREATE RULE r AS ON INSERT TO t WHERE NEW.note = 'x' DO INSTEAD INSERT INTO u SELECT NEW.id",
    "always": (
        "CREATE RULE r AS ON INSERT TO t DO INSTEAD INSERT INTO u VALUES (NEW.id); ALTER TABLE t ENABLE ALWAYS RULE r"
    ),
}


@EACH_WAY
@pytest.mark.parametrize("rule", RULES.values(), ids=RULES)
def test_what_a_rule_takes_is_not_followed(rule: str, repair: Repair, newest_db: Database) -> None:
    newest_db.execute(
        f"{SERIAL} INSERT INTO t (id) SELECT generate_series(1, 40); CREATE TABLE u (id int PRIMARY KEY);"
    )
    newest_db.execute(f"INSERT INTO u SELECT generate_series(1, 80); {rule}")
    said = "rule r of public.t may change what nextval() has returned for public.t.id"
    for _ in range(2):
        assert found(newest_db, "public.t_id_seq") == ("unknown", said)
        repair(newest_db)
    with pytest.raises(psycopg.errors.UniqueViolation):
        newest_db.execute("INSERT INTO t (note) VALUES ('x')")
    both = {"t_id_seq": ["t.id", "u.id"]}
    with newest_db.connect() as conn:
        core.fix(conn, mapping=both)
    newest_db.execute("INSERT INTO t (note) VALUES ('x')")


def test_a_rule_that_comes_meanwhile_is_noticed(newest_db: Database) -> None:
    """What a second rule changes is in no other catalog."""
    newest_db.execute(f"{SERIAL} CREATE TABLE u (id int); CREATE RULE first AS ON INSERT TO t DO INSTEAD NOTHING")
    seen = []
    with newest_db.connect() as conn:
        for statement in (RULES["instead"], "ALTER TABLE t DISABLE RULE r", "DROP RULE r ON t", "SELECT 1"):
            conn.execute(statement)
            seen.append(conn.execute(queries.get("versions")).fetchone())
    assert len(set(seen)) == 3
    assert seen[2] == seen[3]


def test_a_rule_of_a_partition_meets_what_is_inserted_there(db: Database) -> None:
    db.execute("""
        CREATE TABLE t (id serial, note text) PARTITION BY LIST (note); CREATE TABLE u (id int);
        CREATE TABLE p PARTITION OF t FOR VALUES IN ('x'); INSERT INTO t (id, note) VALUES (9, 'x');
        CREATE RULE "a b" AS ON INSERT TO p DO INSTEAD INSERT INTO u VALUES (NEW.id);
    """)
    verdict, reason = found(db, "public.t_id_seq")
    assert (verdict, (reason or "").split(" may ")[0]) == ("unknown", 'rule "a b" of public.p')


@pytest.mark.parametrize(
    "rule",
    [
        "CREATE RULE r AS ON INSERT TO t DO INSTEAD NOTHING",
        "CREATE RULE r AS ON INSERT TO t WHERE EXISTS (SELECT FROM t x WHERE x.id = NEW.id) DO INSTEAD NOTHING",
        "CREATE RULE r AS ON INSERT TO t DO ALSO NOTIFY inserted",
        "CREATE RULE r AS ON UPDATE TO t DO ALSO INSERT INTO u VALUES (NEW.id)",
        "CREATE RULE r AS ON INSERT TO u DO INSTEAD DELETE FROM t WHERE id = NEW.id",
        f"{RULES['instead']}; ALTER TABLE t DISABLE RULE r",
        f"{RULES['instead']}; ALTER TABLE t ENABLE REPLICA RULE r",
        f"{RULES['instead']}; DROP RULE r ON t",
    ],
)
def test_a_rule_that_takes_no_drawn_value_changes_nothing(rule: str, db: Database) -> None:
    db.execute(f"{SERIAL} INSERT INTO t (id) VALUES (9); CREATE TABLE u (id int); {rule}")
    assert found(db, "public.t_id_seq")[0] == "behind"


@pytest.mark.parametrize(
    "spared",
    [
        "ALTER TABLE t DISABLE TRIGGER tf",
        "DROP TRIGGER tf ON t; CREATE TRIGGER tf BEFORE UPDATE ON t FOR EACH ROW EXECUTE FUNCTION tf()",
        (
            "DROP TRIGGER tf ON t; CREATE TRIGGER tf BEFORE INSERT ON t FOR EACH ROW WHEN (NEW.id IS NULL) "
            "EXECUTE FUNCTION tf()"
        ),
        (
            "CREATE TABLE u (id int); DROP TRIGGER tf ON t; "
            "CREATE TRIGGER tf BEFORE INSERT ON u FOR EACH ROW EXECUTE FUNCTION tf()"
        ),
    ],
)
def test_a_trigger_that_does_not_meet_a_drawn_value_changes_nothing(spared: str, newest_db: Database) -> None:
    newest_db.execute(f"{SERIAL} INSERT INTO t (id) VALUES (9);")
    newest_db.execute(triggered("BEGIN NEW.id := 7; RETURN NEW; END"))
    newest_db.execute(spared)
    assert found(newest_db, "public.t_id_seq")[0] == "behind"


def test_a_mapping_says_that_a_changed_column_counts(newest_db: Database) -> None:
    newest_db.execute(f"{SERIAL} INSERT INTO t (id) VALUES (9);")
    newest_db.execute(triggered("BEGIN IF NEW.note = 'x' THEN NEW.id := -NEW.id; END IF; RETURN NEW; END"))
    assert found(newest_db, "public.t_id_seq", mapping={"t_id_seq": "t.id"})[0] == "behind"


@pytest.mark.long
def test_a_hostile_text_keeps_nobody_busy(newest_db: Database) -> None:
    """Each piece opens what it does not close, through the longest text that is read: pytest has a timeout."""
    newest_db.execute(f"{SERIAL} INSERT INTO t (id) VALUES (9); SET check_function_bodies = off")
    for number, piece in enumerate(
        (
            "/*",
            "'",
            '"',
            "E'\\",
            "; new.a := (",
            "nextval((",
            "then new.id := coalesce(new.id,(",
            "into a,",
            "return ( ",
            "$a$ ",
            " $a$ $1",
        )
    ):
        body = f"BEGIN NEW.id := NEW.id * 10; {piece * (99_000 // len(piece))}"
        with psycopg.connect(newest_db.dsn, autocommit=True) as conn:
            conn.execute("SET check_function_bodies = off")
            conn.execute(triggered(body, name=f"f{number}"))
    with newest_db.connect() as conn:
        assert core.check(conn).summary["unknown"] == 1


#: Two sequences of one name: a trigger draws from the one that comes first on the search_path of whoever inserts.
HOMONYMS = """
    CREATE SCHEMA a; CREATE SCHEMA b; CREATE SEQUENCE a.s; CREATE SEQUENCE b.s;
    CREATE TABLE a.keep (id int PRIMARY KEY DEFAULT nextval('a.s'), note text); INSERT INTO a.keep (note) VALUES ('x');
    CREATE TABLE a.t (id int PRIMARY KEY, note text); INSERT INTO a.t (id) SELECT generate_series(1, 5000);
"""
DRAWS_BY_NAME = triggered("BEGIN NEW.id := nextval('s'); RETURN NEW; END", table="a.t", name="a.tf")


@EACH_WAY
def test_a_name_that_several_have_moves_none(repair: Repair, db: Database) -> None:
    db.execute(HOMONYMS + DRAWS_BY_NAME.replace("TRIGGER a.tf", "TRIGGER tf"))
    repair(db)
    assert db.value("INSERT INTO a.keep (note) VALUES ('x') RETURNING id") == 2
    with db.connect() as conn:
        assert core.suggest(conn).mapping == {"b.s": ["a.t.id"]}


def test_a_search_path_of_the_function_decides(db: Database) -> None:
    db.execute(HOMONYMS + DRAWS_BY_NAME.replace("TRIGGER a.tf", "TRIGGER tf"))
    db.execute("ALTER FUNCTION a.tf() SET search_path = b, a")
    by_library(db)
    assert db.value("INSERT INTO a.t (note) VALUES ('x') RETURNING id") == 5001
    assert db.value("INSERT INTO a.keep (note) VALUES ('x') RETURNING id") == 2


@EACH_WAY
def test_a_default_by_a_name_that_somebody_granted_is_ambiguous(repair: Repair, newest_db: Database) -> None:
    db = newest_db
    owner, other = db.role(), db.role()
    db.execute(f"""
        CREATE SCHEMA a AUTHORIZATION {owner}; CREATE SCHEMA b AUTHORIZATION {other};
        SET ROLE {other}; CREATE SEQUENCE b.s; GRANT USAGE ON SCHEMA b TO {owner};
        GRANT USAGE ON SEQUENCE b.s TO {owner}; RESET ROLE;
        SET ROLE {owner}; CREATE SEQUENCE a.s;
        CREATE TABLE a.t (id int PRIMARY KEY DEFAULT nextval('s'::text), note text);
        INSERT INTO a.t SELECT generate_series(1, 9); RESET ROLE;
    """)
    repair(db)
    assert [db.value(f"SELECT nextval('{name}')") for name in ("a.s", "b.s")] == [1, 1]
    for sequence in ("a.s", "b.s"):
        verdict, reason = found(db, sequence)
        assert (verdict, "several have that name" in (reason or "")) == ("unknown", True)


#: Texts of triggers' functions that an owner wrote to keep everybody else waiting: none ends, or each has many ends.
ENDLESS = {
    "parentheses": "begin new.id := " + "(" * 90_000,
    "calls": "begin new.id := coalesce(new.id, " + "f(" * 30_000,
    "queries": "begin select 1 into new.id " * 3_500,
    "targets": "begin select 1 " + "".join(f"into new.id{number}, new.id " for number in range(4_000)),
    "lists": "begin select 1 " + "into new.id, " * 7_000,
    "dots": "begin select 1 into " + "new . " * 16_000,
    "quotes": "begin new.id := '" * 5_000,
    "comments": "begin new.id := 1; /*" + "*" * 90_000,
    "draws": "begin new.id := " + "nextval(" * 12_000,
    "casts": "begin new.id := 1" + "::int" * 18_000,
    "cases": "begin new.id := " + "case when new.id is null then 1 else " * 2_500,
    "statements": "begin new.id := 1;" * 5_000,
}


def flooded(db: Database, text: str, count: int) -> None:
    db.execute("CREATE TABLE theirs (id serial PRIMARY KEY); CREATE TABLE t (id serial PRIMARY KEY)")
    with db.connect() as conn:
        conn.execute("SET check_function_bodies = off")
        for number in range(count):
            made = sql.SQL("CREATE FUNCTION f{}() RETURNS trigger LANGUAGE plpgsql AS {}")
            conn.execute(made.format(sql.SQL(str(number)), sql.Literal(text)))
            conn.execute(f"CREATE TRIGGER g{number} BEFORE INSERT ON theirs FOR EACH ROW EXECUTE FUNCTION f{number}()")


@pytest.mark.parametrize("text", ENDLESS.values(), ids=ENDLESS)
def test_no_text_stops_the_check_of_other_tables(text: str, newest_db: Database) -> None:
    flooded(newest_db, text, 1)
    assert found(newest_db, "public.t_id_seq", statement_timeout=20)[0] == "in_sync"


@pytest.mark.long
def test_nor_do_many(newest_db: Database) -> None:
    """One owner's texts are read up to a million characters."""
    flooded(newest_db, ENDLESS["statements"], 200)
    assert found(newest_db, "public.t_id_seq", statement_timeout=20)[0] == "in_sync"
