"""The message of what fails: each remedy on lines of its own that fit a page, and mean the same as on one line."""

from __future__ import annotations

import re

import pytest

from airflow_seqfix import core
from airflow_seqfix.core.message import WIDTH, folded
from airflow_seqfix.core.model.grant import ALL_FROM
from tests.support.servers import Database

TWO_SCHEMAS = """
    CREATE SCHEMA app; CREATE SCHEMA "Other One";
    CREATE TABLE app.users (id serial); CREATE TABLE app.orders (id serial); CREATE TABLE app.codes (nr serial);
    CREATE TABLE "Other One"."T T" (id serial);
"""


def message(conn: core.Connection, **options: object) -> str:
    with pytest.raises(core.FailingError) as caught:
        core.check(conn, **options).raise_for_failing()  # type: ignore[arg-type]
    return str(caught.value)


def missing(said: str) -> list[str]:
    """Return the statements in the end of a message."""
    _, _, grants = said.partition("\nGrants that are missing:\n")
    return [" ".join(statement.split()) + ";" for statement in grants.split(";")[:-1]]


def test_a_remedy_has_lines_of_its_own_that_fit_and_run(newest_db: Database) -> None:
    name = "a table, with a name that has spaces and 'quotes'; -- as few have"
    quoted = '"' + name + '"'
    newest_db.execute(f"CREATE TABLE {quoted} (id serial); INSERT INTO {quoted} VALUES (70)")
    newest_db.execute("CREATE TABLE orders (id serial); INSERT INTO orders VALUES (60)")
    with newest_db.connect() as conn:
        said = message(conn)
        assert all(len(line) <= WIDTH + 4 for line in said.splitlines() if "quotes" not in line)
        for remedy in re.findall(r"\n  Remedy: (.+?;)(?=\n\S|\Z)", said, re.DOTALL):
            assert "\n" in remedy
            conn.execute(remedy.encode())
        assert core.check(conn).ok


def test_grants_stand_together_and_are_all_that_is_missing(newest_db: Database) -> None:
    newest_db.execute(TWO_SCHEMAS)
    role = newest_db.role()
    with newest_db.connect(user=role) as conn:
        said = message(conn)
        assert missing(said) == [
            f'GRANT USAGE ON SCHEMA "Other One", app TO {role};',
            f'GRANT SELECT ON SEQUENCE "Other One"."T T_id_seq" TO {role};',
            f'GRANT SELECT (id) ON "Other One"."T T" TO {role};',
            f"GRANT SELECT ON SEQUENCE app.codes_nr_seq, app.orders_id_seq, app.users_id_seq TO {role};",
            f"GRANT SELECT (nr) ON app.codes TO {role};",
            f"GRANT SELECT (id) ON app.orders, app.users TO {role};",
        ]
        assert "Remedy" not in said
        for statement in missing(said):
            newest_db.execute(statement)
        assert core.check(conn).ok


def test_many_of_a_schema_are_granted_at_once(newest_db: Database) -> None:
    newest_db.execute(
        f"DO $$ BEGIN FOR n IN 1..{ALL_FROM} LOOP EXECUTE format('CREATE TABLE t%s (id serial)', n); END LOOP; END $$"
    )
    role = newest_db.role()
    with newest_db.connect(user=role) as conn:
        said = message(conn)
        assert missing(said) == [
            f"GRANT SELECT ON ALL SEQUENCES IN SCHEMA public TO {role};",
            f"GRANT SELECT ON ALL TABLES IN SCHEMA public TO {role};",
        ]
        for statement in missing(said):
            newest_db.execute(statement)
        assert core.check(conn).ok


def test_a_role_that_may_read_and_not_move(newest_db: Database) -> None:
    newest_db.execute(TWO_SCHEMAS + "INSERT INTO app.users VALUES (7); INSERT INTO app.orders VALUES (8)")
    role = newest_db.role()
    newest_db.execute(
        f"GRANT USAGE ON SCHEMA app TO {role}; GRANT SELECT ON ALL TABLES IN SCHEMA app TO {role}; "
        f"GRANT SELECT ON ALL SEQUENCES IN SCHEMA app TO {role}"
    )
    with newest_db.connect(user=role) as conn:
        with pytest.raises(core.PrivilegeError) as caught:
            core.fix(conn, schemas="app").raise_for_failing()
        assert missing(str(caught.value)) == [f"GRANT USAGE ON SEQUENCE app.orders_id_seq, app.users_id_seq TO {role};"]


def test_one_that_lacks_a_grant_has_it_as_its_remedy(newest_db: Database) -> None:
    newest_db.execute("CREATE TABLE orders (id serial)")
    role = newest_db.role()
    with newest_db.connect(user=role) as conn:
        said = message(conn)
    assert f"\n  Remedy: GRANT SELECT ON SEQUENCE public.orders_id_seq TO {role};" in said
    assert "Grants that are missing" not in said


@pytest.mark.parametrize("width", [20, 60])
def test_what_is_folded_means_the_same(width: int) -> None:
    statement = (
        "SELECT nextval('a b  c') FROM \"d  e\" WHERE v < 12; -- then, for the others: something that takes long"
    )
    lines = folded(statement, indent=2, width=width)
    code = " ".join(line for line in lines if not line.lstrip().startswith("--"))
    assert " ".join(code.split()) == "SELECT nextval('a b c') FROM \"d e\" WHERE v < 12;"
    assert "'a b  c'" in code
    assert '"d  e"' in code
    comment = [line.strip() for line in lines if line.lstrip().startswith("--")]
    assert len(comment) > (width == 20)
    assert all(line.startswith("-- ") for line in comment)


def test_a_command_goes_on_with_a_backslash() -> None:
    command = "Remedy: seqfix fix --sequence 'app.a b_seq' --map app.one=app.two.three --margin 1000"
    first, *others = folded(command, indent=2, width=40)
    assert others
    assert all(line.endswith(" \\") for line in (first, *others[:-1]))
    assert not others[-1].endswith("\\")


def test_what_is_said_of_a_command_stays_a_comment() -> None:
    command = (
        "Remedy: seqfix fix --sequence 'app.a b_seq' --margin 1000 # as boss, which owns it: only that discards more"
    )
    lines = folded(command, indent=2, width=40)
    comment = [line for line in lines if line.lstrip().startswith("#")]
    said = lines[: -len(comment)]
    assert len(comment) > 1
    assert all(line.startswith("  # ") and not line.endswith("\\") for line in comment)
    assert [line.endswith(" \\") for line in said] == [True] * (len(said) - 1) + [False]
