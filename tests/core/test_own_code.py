"""Code of other owners that runs when their tables are read, and the option that leaves such tables alone."""

from __future__ import annotations

import pytest

from airflow_seqfix import core
from tests.support.servers import Database

#: Says with whose rights it runs.
SPY = """
    CREATE FUNCTION {0}.spy(bigint) RETURNS bigint IMMUTABLE LANGUAGE plpgsql AS
        $$ BEGIN RAISE WARNING 'spy as %', current_user; RETURN $1; END $$;
    CREATE OPERATOR {0}.~~~ (FUNCTION = {0}.spy, RIGHTARG = bigint);
"""
TABLE = "CREATE TABLE {0}.t (id bigserial PRIMARY KEY, note bigint)"
CALLS = {
    "index": TABLE + "; CREATE INDEX ON {0}.t (({0}.spy(1) + note))",
    "predicate": TABLE + "; CREATE INDEX ON {0}.t (note) WHERE {0}.spy(1) > note",
    "operator": TABLE + "; CREATE INDEX ON {0}.t (((OPERATOR({0}.~~~) 1::bigint) + note))",
    "statistics": TABLE + "; CREATE STATISTICS {0}.s ON ({0}.spy(1) + note), id FROM {0}.t",
    "constraint": TABLE + "; ALTER TABLE {0}.t ADD CHECK (note < {0}.spy(1))",
    "child": TABLE + "; CREATE TABLE {0}.c (CHECK (note < {0}.spy(1))) INHERITS ({0}.t)",
    "index of a partition": "CREATE TABLE {0}.t (id bigserial, note bigint) PARTITION BY LIST (note);"
    " CREATE TABLE {0}.c PARTITION OF {0}.t DEFAULT; CREATE INDEX ON {0}.c (({0}.spy(1) + note))",
    "partition key": "CREATE TABLE {0}.t (id bigserial, note bigint) PARTITION BY LIST (({0}.spy(1) + note));"
    " CREATE TABLE {0}.c PARTITION OF {0}.t DEFAULT",
}
GRANTS = "GRANT USAGE ON SCHEMA {0} TO {1}; GRANT SELECT ON ALL TABLES IN SCHEMA {0} TO {1};"


def fill(db: Database, owner: str, made: str, reader: str) -> None:
    db.execute(f"CREATE SCHEMA {owner} AUTHORIZATION {owner}")
    with db.connect(user=owner) as conn:
        if conn.info.server_version < 14_00_00 and "STATISTICS" in made:
            made = TABLE
        conn.execute((SPY + made + ";" + GRANTS).format(owner, reader))
        conn.execute(f"GRANT SELECT ON ALL SEQUENCES IN SCHEMA {owner} TO {reader}")
        conn.execute(f"INSERT INTO {owner}.t (id, note) VALUES (1, -1), (2, -2)")


def check(db: Database, user: str, **options: bool) -> tuple[dict[str, core.Row], list[str]]:
    warned: list[str] = []
    with db.connect(user=user) as conn:
        conn.add_notice_handler(lambda said: warned.append(said.message_primary or ""))
        rows = {row.sequence: row for row in core.check(conn, **options).rows}
    return rows, warned


@pytest.fixture
def roles(db: Database) -> tuple[str, str]:
    return db.role(), db.role()


@pytest.mark.parametrize("how", CALLS)
def test_nothing_of_somebody_elses_is_called(how: str, roles: tuple[str, str], db: Database) -> None:
    owner, reader = roles
    fill(db, owner, CALLS[how], reader)
    db.execute(
        f"CREATE SCHEMA {reader} AUTHORIZATION {reader}; SET ROLE {reader}; CREATE TABLE {reader}.mine (id serial);"
        f"{SPY.format(reader)} CREATE INDEX ON {reader}.mine (({reader}.spy(1) + id));"
        f"INSERT INTO {reader}.mine VALUES (4);"
    )
    rows, warned = check(db, reader, own_code_only=True)
    row = rows[f"{owner}.t_id_seq"]
    if db.server.version_num < 14_00_00 and how == "statistics":
        assert str(row.verdict) == "behind", "there are no statistics of expressions"
    else:
        assert (str(row.verdict), row.reason) == (
            "unknown",
            f"a read of {owner}.t calls {owner}.spy(), a function of role {owner}",
        )
        if how not in ("constraint", "partition key"):
            # Those are read where constraint_exclusion is on.
            assert f"spy as {reader}" in check(db, reader)[1]
    assert str(rows[f"{reader}.mine_id_seq"].verdict) == "behind", "one's own code may run"
    assert len(warned) == warned.count(f"spy as {reader}")
    assert str(check(db, owner, own_code_only=True)[0][f"{owner}.t_id_seq"].verdict) == "behind"


def test_the_servers_own_and_a_superusers_functions_are_no_strangers(roles: tuple[str, str], db: Database) -> None:
    owner, reader = roles
    db.execute("CREATE FUNCTION safe(bigint) RETURNS bigint IMMUTABLE LANGUAGE sql AS 'SELECT $1'")
    fill(db, owner, f"{TABLE}; CREATE INDEX ON {{0}}.t (abs(note), public.safe(note))", reader)
    rows, _ = check(db, reader, own_code_only=True)
    assert str(rows[f"{owner}.t_id_seq"].verdict) == "behind"


def test_a_plan_is_applied_as_it_was_made(roles: tuple[str, str], db: Database) -> None:
    owner, reader = roles
    fill(db, owner, CALLS["index"], reader)
    with db.connect() as conn:
        plan = core.plan(conn, own_code_only=True)
        assert plan.report.summary["unknown"] == 1
        with pytest.raises(core.ArgumentError, match="own_code_only"):
            core.fix(conn, plan=plan)
        assert core.fix(conn, plan=plan, own_code_only=True).summary["fixed"] == 0
