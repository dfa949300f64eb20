"""Roles that do not trust each other share a database: nobody decides about a sequence that he may not use."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from airflow_seqfix.core import SelectionError, check, fix
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


@pytest.mark.parametrize(
    "homonym",
    [
        "CREATE SEQUENCE toy.ids",
        "CREATE SEQUENCE toy.ids; GRANT USAGE ON SCHEMA toy TO public; GRANT ALL ON SEQUENCE toy.ids TO public",
        "CREATE TABLE toy.x (id bigint DEFAULT nextval('ids'::text)); CREATE SEQUENCE toy.ids",
    ],
)
def test_nobody_makes_the_default_of_somebody_elses_table_ambiguous(homonym: str, shared: Shared) -> None:
    db = shared.db
    db.execute(f"""
        SET ROLE {shared.owner};
        CREATE SEQUENCE app.ids;
        CREATE TABLE app.late (id bigint DEFAULT nextval('ids'::text));
        INSERT INTO app.late VALUES (7);
    """)
    shared.as_mallory(homonym)
    with db.connect() as conn:
        verdicts = {row["sequence"]: row["verdict"] for row in check(conn).to_dict()["sequences"]}
    assert verdicts["app.ids"] == "behind"
    rows = reset(db.dsn, mode="check", all="on").rows
    assert rows["app.ids"]["verdict"] == "behind"


def test_two_of_ones_own_are_still_ambiguous(shared: Shared) -> None:
    shared.db.execute(f"""
        CREATE SCHEMA other AUTHORIZATION {shared.owner};
        SET ROLE {shared.owner};
        CREATE SEQUENCE app.ids; CREATE SEQUENCE other.ids;
        CREATE TABLE app.late (id bigint DEFAULT nextval('ids'::text));
    """)
    with shared.db.connect() as conn:
        rows = {row["sequence"]: row for row in check(conn).to_dict()["sequences"]}
    assert "several have that name" in rows["app.ids"]["reason"]
    assert "several have that name" in rows["other.ids"]["reason"]


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
