"""`fix_sequence()` repairs one table, and the one that is meant; names from metadata need no quoting."""

from __future__ import annotations

import inspect
from typing import Any

import pytest
from psycopg import sql
from psycopg2 import sql as sql2

from airflow_seqfix import core
from airflow_seqfix.options import SelectionOptions
from tests.support.servers import Database

DRIVERS = ("psycopg", "psycopg2")
#: Thirty tenants with a table of the same name each.
TENANTS = "; ".join(
    f"CREATE SCHEMA tenant{n}; CREATE TABLE tenant{n}.t1 (id serial PRIMARY KEY, other serial);"
    f"INSERT INTO tenant{n}.t1 SELECT n, n FROM generate_series(1, 9) AS n"
    for n in range(30)
)


@pytest.fixture
def tenants(newest_db: Database) -> Database:
    newest_db.execute(TENANTS)
    return newest_db


def connect(db: Database, driver: str, **options: Any) -> Any:
    return db.connect(**options) if driver == "psycopg" else db.psycopg2(**options)


def run(conn: Any, statement: str) -> None:
    with conn.cursor() as cursor:
        cursor.execute(statement)


def names(report: core.Report) -> list[str]:
    return sorted(row.sequence for row in report)


@pytest.mark.parametrize("driver", DRIVERS)
def test_a_bare_name_means_what_the_search_path_means(tenants: Database, driver: str) -> None:
    conn = connect(tenants, driver)
    run(conn, "SET search_path = nowhere, tenant7, tenant8")
    assert names(core.fix_sequence(conn, "t1", "id")) == ["tenant7.t1_id_seq"]
    with tenants.connect() as other:
        assert core.check(other).summary["behind"] == 59
    # Also where the first of that name draws from no sequence.
    run(conn, "CREATE SCHEMA nowhere; CREATE TABLE nowhere.t1 (id int)")
    with pytest.raises(core.SelectionError, match=r"no column of nowhere\.t1"):
        core.fix_sequence(conn, "t1")
    run(conn, "CREATE TEMP TABLE t1 (id serial); INSERT INTO t1 VALUES (5)")
    assert names(core.fix_sequence(conn, "t1"))[0].startswith("pg_temp")
    conn.close()


@pytest.mark.parametrize("driver", DRIVERS)
def test_several_beside_the_search_path_are_refused(tenants: Database, driver: str) -> None:
    conn = connect(tenants, driver)
    said = r"t1 is not on the search_path, and could be tenant0\.t1, .*tenant9\.t1; write the schema as well"
    with pytest.raises(core.SelectionError, match=said):
        core.fix_sequence(conn, "t1")
    with pytest.raises(core.SelectionError, match=r"there is no table t2; there are tenant0"):
        core.fix_sequence(conn, "t2")
    assert core.check(conn).summary["behind"] == 60
    run(conn, "CREATE TABLE tenant3.alone (id serial); INSERT INTO tenant3.alone VALUES (7)")
    assert names(core.fix_sequence(conn, "alone")) == ["tenant3.alone_id_seq"]
    conn.close()


def test_a_search_path_of_somebody_else_s_functions(tenants: Database) -> None:
    """Nothing is looked up in it but the table."""
    tenants.execute(
        """
        CREATE SCHEMA evil;
        CREATE FUNCTION evil.to_regclass(text) RETURNS regclass LANGUAGE sql AS $$ SELECT 1/0; SELECT NULL::regclass $$;
        CREATE FUNCTION evil.same(oid, oid) RETURNS bool LANGUAGE sql AS $$ SELECT 1/0 > 0 $$;
        CREATE OPERATOR evil.= (LEFTARG = oid, RIGHTARG = oid, FUNCTION = evil.same);
        CREATE DOMAIN evil.text AS int;
        CREATE DOMAIN evil.oid AS int
        """
    )
    with tenants.connect() as conn:
        conn.execute("SET search_path = evil, pg_catalog, tenant4")
        assert names(core.fix_sequence(conn, "t1", "id")) == ["tenant4.t1_id_seq"]


@pytest.mark.parametrize("driver", DRIVERS)
@pytest.mark.parametrize("name", ['It\'s "quoted"', "back\\slash", "wild*card[1]", "Upper", "ü.dot"])
@pytest.mark.long
def test_names_as_they_are_in_the_catalog(newest_db: Database, driver: str, name: str) -> None:
    with newest_db.connect() as conn:
        conn.execute(
            sql.SQL("CREATE TABLE {} (id serial, {} serial)").format(sql.Identifier(name), sql.Identifier("No"))
        )
        conn.execute("CREATE TABLE upper (id serial); CREATE TABLE wildxcard1 (id serial)")
    identifier = (sql if driver == "psycopg" else sql2).Identifier
    forms: list[Any] = [
        (name,),
        ("public", name),
        identifier(name),
        identifier("public", name),
        '"' + name.replace('"', '""') + '"',
    ]
    conn = connect(newest_db, driver)
    conn.autocommit = True
    for form in forms:
        newest_db.execute(f"INSERT INTO {sql.Identifier(name).as_string()} VALUES (5)")
        assert len(core.fix_sequence(conn, form)) == 2
        assert len(core.check(conn, tables=[form])) == 2
        assert len(core.check(conn, tables=[("public", "upper"), form])) == 3
        assert len(core.fix_sequence(conn, form, ("No",))) == 1
        assert len(core.fix_sequence(conn, form, identifier("No"))) == 1
        assert len(core.fix_sequence(conn, form, '"No"')) == 1
        (row,) = core.fix_sequence(conn, form, "id")
        assert len(core.check(conn, tables=[form], sequences=[sequence_of(row)])) == 1
        assert len(core.fix_sequence(conn, form, sequence=sequence_of(row))) == 1
    assert len(core.check(conn, tables=identifier("public", name))) == 2
    assert len(core.check(conn, columns=[("public", name, "No")])) == 1
    conn.close()


def sequence_of(row: core.Row) -> tuple[str, str]:
    return row.finding.sequence.schema_name, row.finding.sequence.sequence_name


def test_one_table_only(tenants: Database) -> None:
    with tenants.connect() as conn:
        with pytest.raises(core.ArgumentError, match=r"table: 't\*' is a pattern; name one table, or use fix"):
            core.fix_sequence(conn, "t*")
        for name in SelectionOptions.__annotations__:
            with pytest.raises(TypeError, match=rf"fix_sequence\(\) takes no {name}: it repairs one table"):
                core.fix_sequence(conn, "tenant1.t1", **{name: ["x"]})  # type: ignore[arg-type]
        assert core.check(conn).summary["behind"] == 60


@pytest.mark.parametrize("call", [core.check, core.plan, core.fix])
def test_an_unknown_keyword_is_a_type_error(newest_db: Database, call: Any) -> None:
    with newest_db.connect() as conn:
        with pytest.raises(TypeError, match=r"unknown option margn; did you mean margin\?"):
            call(conn, margn=1)
        with pytest.raises(core.ArgumentTypeError):
            core.fix_sequence(conn, "t", margn=1)  # type: ignore[call-arg]


@pytest.mark.parametrize("given", [5, ["a"], ("a", 5), (), b"users", ("a", ""), ("a", "b", "c")])
def test_what_is_no_name(newest_db: Database, given: Any) -> None:
    with newest_db.connect() as conn, pytest.raises(core.ArgumentError, match="is not a name"):
        core.fix_sequence(conn, given)


def test_a_callable_is_used_as_it_is(tenants: Database) -> None:
    opened = []

    def connect() -> Any:
        opened.append(tenants.connect(options="-c search_path=tenant9"))
        return opened[-1]

    assert names(core.fix_sequence(connect, "t1")) == ["tenant9.t1_id_seq", "tenant9.t1_other_seq"]
    assert all(conn.closed for conn in opened)


def test_its_options_are_fix_s_but_for_the_selection() -> None:
    common = inspect.signature(core.fix).parameters.keys() & inspect.signature(core.fix_sequence).parameters.keys()
    assert common == {"conn", "progress", "options"}
