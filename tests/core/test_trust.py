"""Roles that do not trust each other share a database: nobody decides about a sequence that he may not use."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from psycopg import conninfo

from airflow_seqfix.core import SelectionError, check, fix
from airflow_seqfix.render.table import summary, table
from tests.support.psql import reset
from tests.support.servers import Database


@dataclass
class Shared:
    """A database with an application's schema, and a schema of somebody who has no right on it."""

    db: Database
    owner: str
    mallory: str

    def as_mallory(self, statements: str) -> None:
        with self.db.connect(user=self.mallory) as conn:
            conn.execute(statements)


@pytest.fixture
def shared(db: Database) -> Iterator[Shared]:
    owner, mallory = db.role(), db.role()
    db.execute(f"""
        CREATE SCHEMA app AUTHORIZATION {owner};
        CREATE SCHEMA toy AUTHORIZATION {mallory};
        SET ROLE {owner};
        CREATE TABLE app.orders (id serial PRIMARY KEY, note text);
        INSERT INTO app.orders (id) SELECT generate_series(1, 100);
        CREATE SEQUENCE app.alone;
    """)
    yield Shared(db, owner, mallory)
    db.execute(f"DROP OWNED BY {owner}, {mallory} CASCADE")


FAR = "INSERT INTO toy.x (id) VALUES (2147483646), (2147483645)"
DRAWS: dict[str, str] = {
    "by name": "CREATE TABLE toy.x (id bigint DEFAULT nextval('app.{0}'::text))",
    "by OID": "CREATE TABLE toy.x (id bigint DEFAULT nextval('{1}'))",
    "domain": "CREATE DOMAIN toy.d AS bigint DEFAULT nextval('{1}'); CREATE TABLE toy.x (id toy.d)",
    "small": "CREATE TABLE toy.x (id smallint DEFAULT nextval('{1}'), far bigint)",
    "parent": "CREATE TABLE toy.x (id bigint DEFAULT nextval('{1}')); CREATE TABLE toy.y () INHERITS (toy.x)",
}


def draw(shared: Shared, how: str, sequence: str) -> None:
    oid = shared.db.value(f"SELECT 'app.{sequence}'::regclass::oid")
    shared.as_mallory(DRAWS[how].format(sequence, oid))
    shared.as_mallory(FAR if how != "small" else "INSERT INTO toy.x (id) VALUES (32767)")


@pytest.mark.parametrize("how", DRAWS)
def test_a_strangers_table_neither_moves_nor_narrows_a_sequence(how: str, shared: Shared) -> None:
    draw(shared, how, "orders_id_seq")
    with shared.db.connect() as conn:
        found = check(conn, sequences=["app.orders_id_seq"])
        assert found.rows[0].finding.measurement.furthest_value == 100
        row = found.to_dict()["sequences"][0]
        assert row["columns"] == ["app.orders.id"]
        assert "untrusted" in row["warnings"]
        assert row["untrusted"][0]["column"] == "toy.x.id"
        assert shared.mallory in row["untrusted"][0]["reason"]
        done = fix(conn, tables=["app.orders"])
    assert done.rows[0].is_fixed
    assert shared.db.value("INSERT INTO app.orders DEFAULT VALUES RETURNING id") == 101


@pytest.mark.parametrize("how", DRAWS)
def test_the_script_does_not_count_it_either(how: str, shared: Shared) -> None:
    draw(shared, how, "orders_id_seq")
    run = reset(shared.db.dsn, table="app.orders")
    assert run.status == 0, run.stderr
    assert run.rows["app.orders_id_seq"]["next_value"] == "101"
    assert run.rows["app.orders_id_seq"]["columns"] == "app.orders.id"


@pytest.mark.parametrize("how", DRAWS)
def test_a_sequence_that_only_a_stranger_draws_from_is_unknown(how: str, shared: Shared) -> None:
    draw(shared, how, "alone")
    db = shared.db
    with db.connect() as conn:
        row = check(conn, sequences=["app.alone"]).to_dict()["sequences"][0]
        assert row["verdict"] == "unknown"
        grant = f"GRANT USAGE ON SEQUENCE app.alone TO {shared.mallory};"
        assert grant in row["cure"]
        listed = reset(db.dsn, mode="check", sequence="app.alone").rows["app.alone"]
        assert (listed["verdict"], listed["cure"], listed["reason"]) == ("unknown", row["cure"], row["reason"])
        db.execute(grant)
        assert check(conn, sequences=["app.alone"]).to_dict()["sequences"][0]["verdict"] == "behind"


@pytest.mark.parametrize(
    "own",
    [
        "CREATE TABLE app.codes (code text DEFAULT 'ORD-' || nextval('app.alone'))",
        "CREATE TABLE app.codes (code int); ALTER SEQUENCE app.alone OWNED BY app.codes.code",
    ],
)
def test_a_stranger_is_not_passed_over_beside_a_column_that_cannot_be_compared(own: str, shared: Shared) -> None:
    shared.db.execute(f"SET ROLE {shared.owner}; {own}")
    draw(shared, "by OID", "alone")
    with shared.db.connect() as conn:
        found = check(conn, sequences=["app.alone"])
    row = found.to_dict()["sequences"][0]
    assert (row["verdict"], row["columns"], row["warnings"]) == ("unknown", ["app.codes.code"], ["untrusted"])
    assert f"GRANT USAGE ON SEQUENCE app.alone TO {shared.mallory};" in row["cure"]
    assert "untrusted: app.alone: " in table(found, width=200)
    listed = reset(shared.db.dsn, mode="check", sequence="app.alone").rows["app.alone"]
    assert (listed["verdict"], listed["cure"], listed["reason"]) == ("unknown", row["cure"], row["reason"])


def test_whoever_is_listed_is_warned_of_whatever_the_verdict(shared: Shared) -> None:
    draw(shared, "by OID", "orders_id_seq")
    shared.db.execute("ALTER SEQUENCE app.alone CYCLE")
    shared.as_mallory(
        "CREATE TABLE toy.z (id bigint DEFAULT nextval('{}'))".format(
            shared.db.value("SELECT 'app.alone'::regclass::oid")
        )
    )
    with shared.db.connect() as conn:
        found = check(conn, exclude=["app.orders"], allow_empty=True)
    rows = found.to_dict()["sequences"]
    assert {row["sequence"]: row["verdict"] for row in rows} == {"app.alone": "skipped", "app.orders_id_seq": "skipped"}
    assert all(row["untrusted"] and row["warnings"] == ["untrusted"] for row in rows)
    assert "untrusted: app.alone, app.orders_id_seq: " in table(found, width=200)


DRAWING = """
    CREATE FUNCTION app.draw() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS
    $$BEGIN NEW.id := nextval('app.alone'); RETURN NEW; END$$;
    ALTER FUNCTION app.draw() OWNER TO {function};
    CREATE TABLE app.filled (id int);
    INSERT INTO app.filled VALUES (500);
    CREATE TRIGGER t BEFORE INSERT ON app.filled FOR EACH ROW EXECUTE FUNCTION app.draw();
    ALTER TABLE app.filled OWNER TO {table};
"""


@pytest.mark.parametrize(
    ("function", "filled", "stranger"),
    [("owner", "owner", None), ("mallory", "owner", "mallory"), ("owner", "mallory", "mallory")],
)
def test_of_a_security_definer_trigger_both_owners_may_use_the_sequence(
    function: str, filled: str, stranger: str | None, shared: Shared
) -> None:
    db = shared.db
    db.execute(DRAWING.format(function=getattr(shared, function), table=getattr(shared, filled)))
    with db.connect() as conn:
        row = check(conn, sequences=["app.alone"]).to_dict()["sequences"][0]
    listed = reset(db.dsn, mode="check", sequence="app.alone").rows["app.alone"]
    assert row["verdict"] == listed["verdict"] == ("unknown" if stranger else "behind")
    if stranger:
        grant = f"GRANT USAGE ON SEQUENCE app.alone TO {getattr(shared, stranger)};"
        assert grant in row["cure"]
        assert grant in listed["cure"]


def test_a_trigger_that_only_the_library_reads_is_not_denied_by_the_script(shared: Shared) -> None:
    shared.db.execute(f"""
        SET ROLE {shared.owner};
        CREATE FUNCTION app.draw() RETURNS trigger LANGUAGE plpgsql AS
        $$BEGIN IF NEW.id IS NULL THEN EXECUTE 'SELECT nextval($1)' INTO NEW.id USING 'app.alone'::regclass;
        END IF; RETURN NEW; END$$;
        CREATE TABLE app.filled (id int);
        CREATE TRIGGER t BEFORE INSERT ON app.filled FOR EACH ROW EXECUTE FUNCTION app.draw();
    """)
    draw(shared, "by OID", "alone")
    listed = reset(shared.db.dsn, mode="check", sequence="app.alone").rows["app.alone"]
    assert listed["verdict"] == "unknown"
    assert listed["reason"].endswith("may not use, and no column that counts can be compared")


def test_what_the_user_maps_counts(shared: Shared) -> None:
    draw(shared, "by OID", "alone")
    with shared.db.connect() as conn:
        found = check(conn, sequences=["app.alone"], mapping={"app.alone": ["toy.x.id"]})
    assert found.rows[0].finding.measurement.furthest_value == 2147483646


def test_excluding_the_strangers_table_does_not_exclude_the_sequence(shared: Shared) -> None:
    draw(shared, "by OID", "orders_id_seq")
    with shared.db.connect() as conn:
        found = check(conn, exclude=["toy.*"])
    assert found.summary["behind"] == 1
    assert reset(shared.db.dsn, mode="check", exclude="toy.*").summary["behind"] == "1"


def test_naming_the_strangers_table_says_why_it_does_not_count(shared: Shared) -> None:
    draw(shared, "by OID", "orders_id_seq")
    with shared.db.connect() as conn, pytest.raises(SelectionError) as refused:
        check(conn, tables=["toy.x"])
    assert f"GRANT USAGE ON SEQUENCE app.orders_id_seq TO {shared.mallory};" in str(refused.value)


LATE = {
    "default": "CREATE TABLE app.late (id bigint DEFAULT nextval('ids'::text));",
    "trigger": """
        CREATE TABLE app.late (id bigint);
        CREATE FUNCTION app.draw() RETURNS trigger LANGUAGE plpgsql
        AS $$BEGIN NEW.id := nextval('ids'); RETURN NEW; END$$;
        CREATE TRIGGER t BEFORE INSERT ON app.late FOR EACH ROW EXECUTE FUNCTION app.draw();
    """,
}
LATE["trigger of its definer"] = LATE["trigger"].replace("AS $$", "SECURITY DEFINER AS $$")


@pytest.mark.parametrize("late", LATE)
@pytest.mark.parametrize(
    "homonym",
    [
        "CREATE SEQUENCE toy.ids",
        "CREATE SEQUENCE toy.ids; GRANT USAGE ON SCHEMA toy TO public; GRANT ALL ON SEQUENCE toy.ids TO public",
        "CREATE TABLE toy.x (id bigint DEFAULT nextval('ids'::text)); CREATE SEQUENCE toy.ids",
    ],
)
def test_nobody_makes_what_draws_for_somebody_elses_table_ambiguous(homonym: str, late: str, shared: Shared) -> None:
    db = shared.db
    db.execute(f"SET ROLE {shared.owner}; CREATE SEQUENCE app.ids; {LATE[late]}")
    db.execute("SET session_replication_role = replica; INSERT INTO app.late VALUES (7)")
    shared.as_mallory(homonym)
    with db.connect() as conn:
        verdicts = {row["sequence"]: row["verdict"] for row in check(conn).to_dict()["sequences"]}
    assert verdicts["app.ids"] == "behind"
    rows = reset(db.dsn, mode="check", all="on").rows
    assert rows["app.ids"]["verdict"] == "behind"
    with db.connect() as conn:
        fix(conn)
    with db.connect() as conn:
        conn.execute("SET search_path = app")
        assert conn.execute("INSERT INTO app.late DEFAULT VALUES RETURNING id").fetchone() == (8,)


@pytest.mark.parametrize("late", LATE)
def test_two_of_ones_own_are_still_ambiguous(late: str, shared: Shared) -> None:
    shared.db.execute(f"""
        CREATE SCHEMA other AUTHORIZATION {shared.owner};
        SET ROLE {shared.owner};
        CREATE SEQUENCE app.ids; CREATE SEQUENCE other.ids;
        {LATE[late]}
    """)
    with shared.db.connect() as conn:
        rows = {row["sequence"]: row for row in check(conn).to_dict()["sequences"]}
    listed = reset(shared.db.dsn, mode="check", all="on").rows
    for sequence in ("app.ids", "other.ids"):
        assert (rows[sequence]["verdict"], listed[sequence]["verdict"]) == ("unknown", "unknown")
        assert "several have that name" in rows[sequence]["reason"]
        assert "several have that name" in listed[sequence]["reason"]
        assert rows[sequence]["cure"] and listed[sequence]["cure"]


def test_each_of_many_tenants_is_told_that_its_sequence_is_ambiguous(newest_db: Database) -> None:
    db, tenants = newest_db, 30
    db.execute(
        "CREATE FUNCTION draw() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN NEW.id := nextval('ids'); RETURN NEW; END$$"
    )
    for tenant in range(tenants):
        db.execute(f"CREATE SCHEMA t{tenant}; CREATE SEQUENCE t{tenant}.ids; CREATE TABLE t{tenant}.orders (id bigint)")
        db.execute(f"CREATE TRIGGER draw BEFORE INSERT ON t{tenant}.orders FOR EACH ROW EXECUTE FUNCTION draw()")
    with db.connect() as conn:
        assert check(conn).summary["unknown"] == tenants
    rows = reset(db.dsn, mode="check", all="on").rows
    assert [row["verdict"] for row in rows.values()] == ["unknown"] * tenants


@pytest.mark.parametrize("settled", ["mapping", "owned"])
def test_what_says_which_sequence_a_trigger_means(settled: str, shared: Shared) -> None:
    shared.db.execute(f"""
        CREATE SCHEMA other AUTHORIZATION {shared.owner};
        SET ROLE {shared.owner};
        CREATE SEQUENCE app.ids; CREATE SEQUENCE other.ids;
        {LATE["trigger"]}
    """)
    if settled == "owned":
        shared.db.execute("ALTER SEQUENCE app.ids OWNED BY app.late.id")
    with shared.db.connect() as conn:
        report = check(conn, mapping={"app.ids": ["app.late.id"]} if settled == "mapping" else {})
    verdicts = {row["sequence"]: row["verdict"] for row in report.to_dict()["sequences"]}
    assert (verdicts["app.ids"], verdicts["other.ids"]) == ("in_sync", "skipped")


@pytest.mark.parametrize(
    "made",
    [
        # Deparsing the first takes more stack than many servers have.
        "SET max_stack_depth = '6MB'; CREATE TABLE toy.x (id bigint DEFAULT nextval('toy.s')" + " + 0" * 6_000 + ")",
        "SET max_stack_depth = '6MB'; CREATE TABLE toy.x (id int DEFAULT 1" + " + 0" * 6_000 + ")",
        "CREATE TABLE toy.x (id bigint DEFAULT nextval('" + '"' * 40_000 + "'::text))",
    ],
)
def test_no_default_takes_the_others_down(made: str, shared: Shared) -> None:
    shared.as_mallory("CREATE SEQUENCE toy.s")
    # Only a superuser may raise the limit, as somebody may have done for the database.
    shared.db.execute(f"{made}; ALTER TABLE toy.x OWNER TO {shared.mallory}")
    with shared.db.connect() as conn:
        rows = {row["sequence"]: row for row in check(conn).to_dict()["sequences"]}
    assert rows["app.orders_id_seq"]["verdict"] == "behind"
    if "toy.s" in made:
        assert rows["toy.s"]["reason"].endswith("too long to be read")
    assert reset(shared.db.dsn, mode="check").rows["app.orders_id_seq"]["verdict"] == "behind"


@pytest.mark.parametrize(
    ("made", "said"),
    [
        (
            "CREATE TABLE toy.t0 ({})".format(", ".join(f"c{n} bigint DEFAULT nextval('toy.s')" for n in range(30))),
            "more than 20 columns",
        ),
        (
            "CREATE TABLE toy.t0 (a bigint DEFAULT nextval('toy.s'));"
            + ";".join(f"CREATE TABLE toy.t{n} () INHERITS (toy.t{n - 1})" for n in range(1, 14)),
            "more than 10 levels deep",
        ),
    ],
)
def test_what_has_no_end_is_cut_and_said(made: str, said: str, shared: Shared) -> None:
    shared.as_mallory(f"CREATE SEQUENCE toy.s; {made}")
    with shared.db.connect() as conn:
        rows = {row["sequence"]: row for row in check(conn).to_dict()["sequences"]}
    assert rows["toy.s"]["verdict"] == "unknown"
    assert said in rows["toy.s"]["reason"]
    assert rows["app.orders_id_seq"]["verdict"] == "behind"
    assert said in reset(shared.db.dsn, mode="check").rows["toy.s"]["reason"]


@pytest.mark.parametrize(
    ("made", "said"),
    [
        ("ALTER DATABASE {database} SET role = {mallory}", "DATABASE {database}"),
        ("ALTER ROLE {login} SET role = {mallory}", "ROLE {login}"),
        ("ALTER ROLE {login} IN DATABASE {database} SET role = {mallory}", "ROLE {login} IN DATABASE {database}"),
        # The one of the role decides.
        (
            "ALTER DATABASE {database} SET role = none; ALTER ROLE {login} SET role = {mallory}",
            "ROLE {login}",
        ),
    ],
)
def test_a_run_that_goes_on_as_another_role_says_so(made: str, said: str, shared: Shared) -> None:
    db = shared.db
    names = {"database": db.name, "login": db.role("SUPERUSER"), "mallory": shared.mallory}
    db.execute(made.format(**names))
    undo = f"ALTER {said.format(**names)} RESET role"
    with db.connect(user=names["login"]) as conn:
        report = check(conn)
        where = f"as {shared.mallory}, logged in as {names['login']})"
        assert report.server.where.endswith(where) and where in summary(report)
        (advice,) = report.server.advice
        assert advice == (
            f"role {names['login']} logged in, and the run has the privileges of role {shared.mallory} "
            f"({undo.replace('RESET', 'SET')}): if that is not wanted, {undo}"
        )
        assert (report.to_dict()["role"], report.to_dict()["login"]) == (shared.mallory, names["login"])
    ran = reset(conninfo.make_conninfo(db.dsn, user=names["login"]), mode="check")
    assert ran.summary["role"] == f"{shared.mallory}, logged in as {names['login']}"
    with db.connect(options="-c role=none") as conn:
        conn.execute(undo)
    with db.connect(user=names["login"]) as conn:
        assert check(conn).server.acts_as == names["login"]
        conn.execute(f"SET ROLE {shared.mallory}")
        (advice,) = check(conn).server.advice
        assert advice.endswith("(SET ROLE): if that is not wanted, connect without it")
    assert reset(db.dsn, mode="check").summary["role"] == "postgres"
