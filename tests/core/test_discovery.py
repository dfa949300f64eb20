"""What is found where it is hard to see, and what is left alone unless it is asked for."""

from __future__ import annotations

from typing import Any

import pytest

from airflow_seqfix import core
from airflow_seqfix.core import queries
from tests.support.servers import Database


def found(db: Database, **options) -> dict[str, str]:
    with db.connect() as conn:
        return {row.finding.sequence.qualified_name: str(row.verdict) for row in core.check(conn, **options).rows}


@pytest.mark.long
def test_temporary_tables_of_other_sessions_are_not_looked_at(db: Database) -> None:
    with db.connect() as other, db.connect() as conn:
        for session in (other, conn):
            session.execute("CREATE TEMP TABLE t (id serial PRIMARY KEY, note text)")
            session.execute("INSERT INTO t (id) VALUES (1), (2)")
        (row,) = core.fix(conn).rows
        assert row.is_fixed
        assert conn.execute("INSERT INTO t (note) VALUES ('') RETURNING id").fetchone() == (3,)
        assert other.execute("SELECT last_value, is_called FROM t_id_seq").fetchone() == (1, False)


@pytest.mark.timeout(120)
def test_a_partition_that_is_named_has_the_sequence_of_its_table(db: Database) -> None:
    db.execute("""
        CREATE SCHEMA "View s";
        CREATE TABLE "View s".pages (id bigint GENERATED ALWAYS AS IDENTITY, year int) PARTITION BY LIST (year);
        CREATE TABLE "View s".recent PARTITION OF "View s".pages FOR VALUES IN (2025, 2026) PARTITION BY LIST (year);
        CREATE TABLE pages_2026 PARTITION OF "View s".recent FOR VALUES IN (2026)
    """)
    with db.connect() as conn:
        for named in ({"tables": ["pages_2026"]}, {"columns": ["pages_2026.id"]}):
            with pytest.raises(core.SelectionError) as refusal:
                core.check(conn, **named)
            assert ': public.pages_2026 is a partition of "View s".pages; name that' in str(refusal.value)


@pytest.mark.parametrize("named", [None, 5])
def test_what_is_no_list_of_names_is_refused(named: Any, newest_db: Database) -> None:
    with newest_db.connect() as conn, pytest.raises(core.ArgumentError) as refusal:
        core.check(conn, tables=named)
    assert str(refusal.value) == f"tables={named}: give a name, or a list of names"


@pytest.mark.long
def test_thousands_of_schemas_with_the_same_names(newest_db: Database) -> None:
    newest_db.execute("""
        DO $$ BEGIN
            FOR n IN 1..2000 LOOP
                EXECUTE format('CREATE SCHEMA tenant_%s CREATE TABLE users (id serial PRIMARY KEY)', n);
                IF n % 100 = 0 THEN COMMIT; END IF;
            END LOOP;
        END $$
    """)
    newest_db.execute("INSERT INTO tenant_7.users VALUES (1)")
    verdicts = found(newest_db)
    assert len(verdicts) == 2000
    assert [name for name, verdict in verdicts.items() if verdict == "behind"] == ["tenant_7.users_id_seq"]
    assert len(found(newest_db, schemas=["tenant_1?"])) == 10
    assert found(newest_db, tables=["tenant_7.users"]) == {"tenant_7.users_id_seq": "behind"}


def test_levels_of_children_cost_no_more_each_the_more_there_are(db: Database) -> None:
    """Counted in rows that pass through the plan, in catalogs that nobody has analyzed."""

    def rows(node: dict[str, Any]) -> float:
        return node["Actual Rows"] * node["Actual Loops"] + sum(map(rows, node.get("Plans", ())))

    def work(levels: int) -> float:
        with db.connect() as conn:
            conn.execute("DROP SCHEMA public CASCADE; CREATE SCHEMA public; CREATE TABLE t0 (id bigserial)")
            for level in range(1, levels):
                conn.execute(f"CREATE TABLE t{level} () INHERITS (t{level - 1})")
            conn.execute("SET search_path = pg_catalog")
            ((plan,),) = conn.execute(f"EXPLAIN (ANALYZE, FORMAT JSON) {queries.get('columns')}")
        return rows(plan[0]["Plan"])

    assert work(400) < 6 * work(100)
