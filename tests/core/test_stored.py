"""A plan that was stored, and comes back late, or changed, or from somewhere else."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from psycopg import sql

from airflow_seqfix import core
from tests.support.psql import psql
from tests.support.servers import Database, Server, database_on
from tests.support.tables import INSERT, TABLE


@pytest.fixture
def two(newest_server: Server) -> Iterator[Database]:
    with database_on(newest_server) as database:
        database.execute(TABLE)
        database.execute(TABLE.replace("orders", "customers"))
        yield database


def stored(db: Database) -> dict[str, Any]:
    """Return a plan as it comes back from a file."""
    with db.connect() as conn:
        return json.loads(json.dumps(core.plan(conn).to_dict()))


def apply(db: Database, plan: Any, **options: Any) -> dict[str, dict[str, Any]]:
    with db.connect() as conn:
        return {row.finding.sequence.qualified_name: row.to_dict() for row in core.fix(conn, plan=plan, **options).rows}


def test_a_plan_is_applied(two: Database) -> None:
    rows = apply(two, stored(two))
    assert {row["verified"] for row in rows.values()} == {True}
    assert two.value(INSERT) == 101


def test_only_its_moves_are_made(two: Database) -> None:
    plan = stored(two)
    plan["moves"] = [move for move in plan["moves"] if move["sequence"] == "public.orders_id_seq"]
    rows = apply(two, plan)
    assert two.state("customers_id_seq")[:2] == (1, False)
    assert {name: (row["verdict"], row.get("way")) for name, row in rows.items()} == {
        "public.orders_id_seq": ("in_sync", "advance"),
        "public.customers_id_seq": ("behind", None),
    }


def test_one_with_a_sequence_twice_is_refused(two: Database) -> None:
    plan = stored(two)
    plan["moves"].append(plan["moves"][0] | {"target": 7})
    with pytest.raises(core.ArgumentError, match=r"it moves public\.customers_id_seq twice"):
        apply(two, plan)
    assert two.state("customers_id_seq")[:2] == (1, False)


def test_what_it_leaves_is_looked_at_again(two: Database) -> None:
    two.execute(
        "CREATE SEQUENCE used_up MAXVALUE 9; CREATE TABLE few (id integer PRIMARY KEY DEFAULT nextval('used_up'))"
    )
    two.execute("INSERT INTO few SELECT generate_series(1, 9); SELECT setval('used_up', 9)")
    plan = stored(two)
    assert "public.used_up" not in {move["sequence"] for move in plan["moves"]}
    with two.connect() as conn:
        report = core.fix(conn, plan=plan)
        assert not report.ok
        assert {row.sequence: str(row.verdict) for row in report.rows} == {
            "public.orders_id_seq": "in_sync",
            "public.customers_id_seq": "in_sync",
            "public.used_up": "exhausted",
        }
        assert not core.fix(conn, plan=plan | {"moves": []}).ok, "none of it has a move"
        conn.execute("ALTER SEQUENCE used_up NO MAXVALUE")
        assert core.fix(conn, plan=plan).ok
        conn.execute("DROP SEQUENCE used_up CASCADE")
        assert core.fix(conn, plan=plan).ok, "nothing is left of it"


@pytest.mark.parametrize(
    "happening",
    [
        "CREATE TABLE child () INHERITS (orders); INSERT INTO child (id) VALUES (5000)",
        "CREATE TABLE child (LIKE orders); INSERT INTO child (id) VALUES (5000); ALTER TABLE child INHERIT orders",
        "CREATE DOMAIN few AS integer CHECK (VALUE < 4000); ALTER TABLE orders ALTER id TYPE few",
    ],
    ids=["a first child", "a table that becomes one", "a domain"],
)
def test_what_its_columns_did_not_have_is_seen(happening: str, two: Database) -> None:
    """A move compares no versions of partitions, children and domains where there were none."""
    with two.connect() as conn:
        script = core.plan(conn, tables=["orders"]).to_sql()
    two.execute(happening)
    assert "has changed since it was read" in psql(two.dsn, script=script).stderr
    assert two.state("orders_id_seq")[:2] == (1, False)


def test_a_second_time_there_is_nothing_to_do(two: Database) -> None:
    plan = stored(two)
    apply(two, plan)
    two.value(INSERT)
    state = two.state("orders_id_seq")
    row = apply(two, plan)["public.orders_id_seq"]
    assert (row["verified"], row["way"], row["error"]) == (True, None, None)
    assert two.state("orders_id_seq") == state


def test_data_that_have_gone_further_are_reported(two: Database) -> None:
    plan = stored(two)
    two.execute("INSERT INTO orders (id) VALUES (150)")
    row = apply(two, plan)["public.orders_id_seq"]
    assert two.state("orders_id_seq")[:2] == (100, True)
    assert (row["verdict"], row["verified"]) == ("behind", False)
    assert row["error"]["reason"].startswith("it was moved, and the data have gone further")


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ("ALTER SEQUENCE orders_id_seq INCREMENT 2", "increment_by was 1 and is 2"),
        ("ALTER SEQUENCE orders_id_seq CACHE 5", "cache_size was 1 and is 5"),
        ("ALTER SEQUENCE orders_id_seq MAXVALUE 5000", "max_value was 2147483647 and is 5000"),
        ("ALTER SEQUENCE orders_id_seq AS bigint", "data_type was integer and is bigint"),
        ("DELETE FROM orders WHERE id > 50", "the plan goes to 100, and the data ask for 50"),
        ("DROP TABLE orders", "it is no longer there"),
        ("ALTER SEQUENCE orders_id_seq RENAME TO other", "it is no longer there"),
        (f"DROP TABLE orders; {TABLE}", "oid was"),
        ("ALTER SEQUENCE orders_id_seq CYCLE", "it has CYCLE"),
    ],
)
def test_what_has_changed_is_refused_and_the_rest_is_done(change: str, reason: str, two: Database) -> None:
    plan = stored(two)
    two.execute(change)
    rows = apply(two, plan)
    assert rows["public.customers_id_seq"]["verified"]
    error = rows["public.orders_id_seq"]["error"]
    assert reason in error["reason"]
    assert error["cure"] == "make a new plan"
    assert not rows["public.orders_id_seq"]["verified"]
    for name in ("orders_id_seq", "other"):
        if two.value(f"SELECT to_regclass('{name}') IS NOT NULL"):
            assert two.state(name)[:2] == (1, False)


def test_a_target_that_somebody_raised_is_refused(two: Database) -> None:
    plan = stored(two)
    for move in plan["moves"]:
        move["target"] = 2_000_000_000
    rows = apply(two, plan)
    assert all("the plan goes to 2000000000" in row["error"]["reason"] for row in rows.values())
    assert two.state("orders_id_seq")[:2] == (1, False)


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (lambda plan: [], "this is not a plan"),
        (lambda plan: plan | {"plan_version": 7}, "it is of version 7, not 1"),
        (lambda plan: plan | {"moves_left_out": 3}, "it was cut short"),
        (
            lambda plan: plan | {"database": "elsewhere"},
            "for database elsewhere, and this is .*; connect to elsewhere, or make a new plan here",
        ),
        (lambda plan: plan | {"moves": "all"}, "move 1 is not an object"),
        (lambda plan: plan | {"moves": [plan["moves"][0] | {"target": "1; DROP TABLE orders"}]}, "move 1 has target="),
        (
            lambda plan: plan | {"moves": [plan["moves"][0] | {"target": True}]},
            "move 1 has target=True, and int is expected; make a new one",
        ),
        (
            lambda plan: plan | {"moves": [plan["moves"][0] | {"sequence": None}]},
            "move 1 has sequence=None, and str is expected",
        ),
    ],
)
def test_what_is_no_plan_is_refused_before_anything_is_written(spoil: Any, said: str, two: Database) -> None:
    plan = spoil(stored(two))
    with pytest.raises(core.ArgumentError, match=said):
        apply(two, plan)
    assert two.state("orders_id_seq")[:2] == (1, False)


def test_a_plan_and_a_selection_exclude_each_other(two: Database) -> None:
    with pytest.raises(core.ArgumentError, match="leave the selection out"):
        apply(two, stored(two), tables=["orders"])


@pytest.mark.parametrize(
    ("made", "given", "said"),
    [
        ({"margin": 10}, {}, "margin=0: the plan was made with 10; give the same"),
        ({}, {"outliers": "follow"}, "outliers='follow': the plan was made with 'report'"),
        ({"mapping": {"orders_id_seq": ["customers.id"]}}, {}, "mapping={}: the plan was made with {'orders_id_seq':"),
        ({"id_range": {"orders_id_seq": (1, 900)}}, {}, "id_range={}: the plan was made with {"),
    ],
)
def test_other_options_than_it_was_made_with(made: Any, given: Any, said: str, two: Database) -> None:
    with two.connect() as conn:
        plan = json.loads(json.dumps(core.plan(conn, **made).to_dict()))
    with pytest.raises(core.ArgumentError) as failure:
        apply(two, plan, **given)
    assert said in str(failure.value)
    assert all(row["verified"] for row in apply(two, plan, **made).values())


def test_what_somebody_else_has_repaired_is_not_called_fixed(two: Database) -> None:
    plan = stored(two)
    two.execute("SELECT setval('orders_id_seq', 100)")
    with two.connect() as conn:
        report = core.fix(conn, plan=plan)
    assert (report.summary["fixed"], report.summary["verified"], report.failing) == (1, 2, ())


def test_a_refused_move_fails_the_run(two: Database) -> None:
    plan = stored(two)
    two.execute("ALTER SEQUENCE orders_id_seq MAXVALUE 5000; SELECT setval('orders_id_seq', 100)")
    with two.connect() as conn:
        report = core.fix(conn, plan=plan)
    assert report.summary["failed"] == 1
    assert [row.finding.sequence.sequence_name for row in report.failing] == ["orders_id_seq"]


@pytest.mark.parametrize("lock", ["none", "sequence", "guarded"])
def test_the_plan_as_sql_does_not_touch_a_sequence_of_another_name(lock: Any, two: Database) -> None:
    with two.connect() as conn:
        script = core.plan(conn, lock=lock, tables=["orders"]).to_sql()
    two.execute("ALTER SEQUENCE orders_id_seq RENAME TO other")
    assert psql(two.dsn, "-v", "ON_ERROR_STOP=1", script=script).returncode == 3
    assert two.state("other")[:2] == (1, False)


@pytest.mark.parametrize("evil", ["x\nSELECT 1/0; --", "x$seqfix$; SELECT 1/0; --", "x';SELECT 1/0;--", "{quote}{0}%s"])
def test_names_cannot_become_statements(evil: str, newest_server: Server) -> None:
    with database_on(newest_server) as db:
        db.execute(f'CREATE TABLE "{evil}" (id serial PRIMARY KEY); INSERT INTO "{evil}" VALUES (90000)')
        with db.connect() as conn:
            script = core.plan(conn).to_sql()
            assert psql(db.dsn, script=script).stderr == ""
            assert core.check(conn).failing == ()


@pytest.mark.parametrize("lock", ["none", "sequence", "guarded"])
def test_the_plan_as_sql_moves_nothing_in_a_copy_of_its_database(lock: Any, two: Database) -> None:
    """A copy has the same names, and even the same OIDs."""
    with two.connect() as conn:
        script = core.plan(conn, lock=lock).to_sql()
    copy = Database(two.server, f"{two.name}_copy")
    with psycopg.connect(two.server.dsn, autocommit=True) as conn:
        conn.execute(f"CREATE DATABASE {copy.name} TEMPLATE {two.name}")
        try:
            done = psql(copy.dsn, script=script)
            assert f"this plan was made for database {two.name}, and this is {copy.name}" in done.stderr
            assert copy.state("orders_id_seq")[:2] == (1, False)
            assert psql(copy.dsn, "-v", "ON_ERROR_STOP=1", script=script).returncode == 3
            # A part of it, pasted.
            psql(copy.dsn, script=script[script.index("-- public.") :])
            assert copy.state("orders_id_seq")[:2] == (1, False)
        finally:
            conn.execute(f"DROP DATABASE {copy.name}")


@pytest.mark.parametrize("arguments", [["-1", "-v", "ON_ERROR_STOP=1"], ["-v", "AUTOCOMMIT=off"]])
@pytest.mark.parametrize("lock", ["none", "sequence", "guarded"])
def test_the_plan_as_sql_is_refused_inside_a_transaction(lock: Any, arguments: list[str], two: Database) -> None:
    with two.connect() as conn:
        script = core.plan(conn, lock=lock).to_sql()
    done = psql(two.dsn, *arguments, "-f", "-", script=script)
    assert "invalid transaction termination" in done.stderr
    assert "invalid transaction termination" in script
    assert two.state("orders_id_seq")[:2] == two.state("customers_id_seq")[:2] == (1, False)


@pytest.mark.parametrize("lock", ["none", "sequence", "guarded"])
def test_a_move_of_the_plan_as_sql_can_be_run_alone(lock: Any, two: Database) -> None:
    with two.connect() as conn:
        move, *_ = re.findall(
            r"^DO .*?^\$seqfix\$", core.plan(conn, lock=lock, tables=["orders"]).to_sql(), re.M | re.S
        )
        # As a client does that binds parameters: such a statement begins later than its transaction.
        conn.execute(move, prepare=True)
    assert two.state("orders_id_seq")[:2] == (100, True)


@pytest.mark.parametrize("lock", ["none", "sequence", "guarded"])
def test_the_plan_as_sql_leaves_the_session_as_it_was(lock: Any, two: Database) -> None:
    with two.connect() as conn:
        script = core.plan(conn, lock=lock).to_sql()
    own = """
        SET search_path = elsewhere; SET row_security = on; SET lock_timeout = 777; SET statement_timeout = 77777;
        SET default_transaction_isolation = 'repeatable read';
    """
    show = "SELECT string_agg(name || '=' || setting, ' ' ORDER BY name) FROM pg_settings WHERE {};".format(
        "source = 'session' AND name <> 'transaction_isolation'"
    )
    done = psql(two.dsn, "-A", "-t", "-q", script=f"{own} {show} {script} {show}")
    assert done.stderr == ""
    before, *moved, after = done.stdout.splitlines()
    assert "lock_timeout=777 row_security=on search_path=elsewhere statement_timeout=77777" in before
    assert after == before
    assert set(moved) == {"public.orders_id_seq|101|100|t", "public.customers_id_seq|101|100|t"}


@pytest.mark.parametrize("lock", ["none", "sequence", "guarded"])
def test_nothing_stands_in_for_what_the_plan_as_sql_means(lock: Any, two: Database) -> None:
    with two.connect() as conn:
        script = core.plan(conn, lock=lock).to_sql()
    two.execute("CREATE SCHEMA evil")
    for name in ("regclass", "text", "xid"):
        two.execute(f"CREATE DOMAIN evil.{name} AS pg_catalog.{name} CHECK (false)")
    for name in ("nextval(pg_catalog.regclass)", "setval(pg_catalog.regclass, bigint, boolean)", "current_database()"):
        two.execute(f"CREATE FUNCTION evil.{name} RETURNS bigint LANGUAGE plpgsql AS 'BEGIN RAISE ''evil''; END'")
    two.execute(f"ALTER DATABASE {two.name} SET search_path = evil, pg_catalog")
    assert psql(two.dsn, script=script).stderr == ""
    two.execute(f"ALTER DATABASE {two.name} RESET search_path")
    assert two.state("orders_id_seq")[:2] == two.state("customers_id_seq")[:2] == (100, True)


@pytest.mark.long
def test_the_plan_as_sql_looks_no_longer_than_it_was_told(two: Database) -> None:
    with two.connect() as conn:
        script = core.plan(conn, tables=["orders"], lock_timeout=1, statement_timeout=0.9).to_sql()
    with two.connect() as other, other.transaction():
        other.execute("LOCK TABLE orders")
        assert "canceling statement due to statement timeout" in psql(two.dsn, script=script).stderr
    assert two.state("orders_id_seq")[:2] == (100, True)


def test_the_plan_as_sql_looks_at_the_end_how_it_went(two: Database) -> None:
    with two.connect() as conn:
        script = core.plan(conn, tables=["orders"]).to_sql()
    furthest = two.value("SELECT max(id) FROM orders")
    assert f"public.orders_id_seq,{furthest + 1},{furthest},t" in psql(two.dsn, "--csv", script=script).stdout
    two.execute("INSERT INTO orders (id) VALUES (700000)")
    assert f"public.orders_id_seq,{furthest + 1},700000,f" in psql(two.dsn, "--csv", script=script).stdout, "late"
    two.execute("SELECT setval('orders_id_seq', 800000)")
    assert "public.orders_id_seq,800001,700000,t" in psql(two.dsn, "--csv", script=script).stdout, "later"


def test_the_plan_as_sql_says_what_it_is_for_and_waits_as_long_as_it_was_told(two: Database) -> None:
    with two.connect() as conn:
        plan = core.plan(conn, lock="sequence", lock_timeout=0.03)
    script = plan.to_sql()
    first, second, *_ = script.splitlines()
    assert first == f"-- Moves 2 of the 2 sequences of database {two.name} that are not in sync"
    server = plan.report.server
    assert second.startswith(f"-- PostgreSQL {server.version} at {server.address} (primary), read 20")
    with two.connect() as writer, writer.transaction():
        writer.execute("SELECT nextval('orders_id_seq')")
        done = psql(two.dsn, script=script)
    assert "canceling statement due to lock timeout" in done.stderr
    assert re.findall(r"lock_timeout = (\d+)", script) == ["30"] * 4
    assert (two.state("orders_id_seq")[0], two.state("customers_id_seq")[0]) == (1, 100)


def test_the_plan_as_sql_says_what_it_leaves_alone(two: Database) -> None:
    two.execute("INSERT INTO customers (id) VALUES (999999999)")
    role = two.role()
    two.execute(f"GRANT SELECT ON customers, customers_id_seq, orders TO {role}")
    with two.connect(user=role) as conn:
        script = core.plan(conn).to_sql()
        two.execute("SELECT setval('customers_id_seq', 100)")
        later = core.plan(conn).to_sql()
    two.execute(f"DROP OWNED BY {role}")
    for text in (script, later):
        assert text.startswith(f"-- Moves 0 of the 2 sequences of database {two.name} that are not in sync\n")
    refused, unread = script.split("\n\n")[1:]
    reached = "and public.customers.id has reached 999999999; that is an outlier, "
    assert refused.startswith(f"-- public.customers_id_seq: the next value is 1, {reached}")
    assert refused.splitlines()[1] == (
        f"-- not moved: role {role} may not move public.customers_id_seq; "
        f"GRANT USAGE ON SEQUENCE public.customers_id_seq TO {role};"
    )
    assert unread.splitlines()[1] == f"-- not moved: unknown; GRANT SELECT ON SEQUENCE public.orders_id_seq TO {role};"
    undecided = later.split("\n\n")[1]
    assert undecided.startswith(f"-- public.customers_id_seq: the next value is 101, {reached}")
    assert '\n-- not moved: behind; outliers="follow", which moves past them; ' in undecided


@pytest.mark.parametrize("isolation", ["read committed", "repeatable read"])
def test_the_plan_as_sql_leaves_a_new_owner_in_place(isolation: str, two: Database) -> None:
    role = two.role()
    with two.connect() as conn:
        script = core.plan(conn, lock="sequence", lock_timeout=1, tables=["orders"]).to_sql()
    two.execute("ALTER SEQUENCE orders_id_seq OWNED BY NONE")
    two.execute(f"ALTER DATABASE {two.name} SET default_transaction_isolation = '{isolation}'")
    with two.connect() as other, two.connect() as watcher:
        other.execute("BEGIN ISOLATION LEVEL READ COMMITTED; SELECT nextval('orders_id_seq')")
        said: list[str] = []
        patient = script.replace("= 1000;", "= 10000;")
        thread = threading.Thread(target=lambda: said.append(psql(two.dsn, script=patient).stderr))
        thread.start()
        while not watcher.execute("SELECT FROM pg_locks WHERE NOT granted").fetchall():
            assert thread.is_alive()
        other.execute(f"ALTER SEQUENCE orders_id_seq OWNER TO {role}; COMMIT")
        thread.join()
    assert "the owner of sequence orders_id_seq has changed" in said[0].replace("public.", "")
    assert two.value("SELECT pg_get_userbyid(relowner) FROM pg_class WHERE relname = 'orders_id_seq'") == role
    two.execute(f"REASSIGN OWNED BY {role} TO postgres")


@pytest.mark.parametrize("isolation", ["read committed", "repeatable read"])
@pytest.mark.parametrize("change", ["ALTER SEQUENCE orders_id_seq RESTART", "GRANT SELECT ON orders_id_seq TO public"])
def test_the_plan_as_sql_takes_nothing_else_for_a_new_owner(change: str, isolation: str, two: Database) -> None:
    with two.connect() as conn:
        script = core.plan(conn, lock="sequence", lock_timeout=1, tables=["orders"]).to_sql()
    two.execute(f"ALTER DATABASE {two.name} SET default_transaction_isolation = '{isolation}'")
    with two.connect() as other, two.connect() as watcher:
        other.execute("BEGIN ISOLATION LEVEL READ COMMITTED; LOCK TABLE orders; SELECT nextval('orders_id_seq')")
        thread = threading.Thread(
            target=psql, args=(two.dsn,), kwargs={"script": script.replace("= 1000;", "= 10000;")}
        )
        thread.start()
        while not watcher.execute("SELECT FROM pg_locks WHERE NOT granted").fetchall():
            assert thread.is_alive()
        # What this writes has a younger xid than the one that waits.
        other.execute(f"SAVEPOINT younger; {change}; COMMIT")
        thread.join()
    assert two.value("INSERT INTO orders DEFAULT VALUES RETURNING id") == 101


def test_a_database_cannot_become_a_statement(newest_server: Server) -> None:
    name = "x';SELECT 1/0;-- $seqfix$\n\"%s {quote}"
    if newest_server.version_num >= 19_00_00:
        # There the name of a database holds no line break.
        name = name.replace("\n", " ")
    db = Database(newest_server, name)
    with psycopg.connect(newest_server.dsn, autocommit=True) as conn:
        conn.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        try:
            db.execute("CREATE TABLE t (id serial PRIMARY KEY); INSERT INTO t VALUES (90000)")
            with db.connect() as inside:
                script = core.plan(inside).to_sql()
            assert psql(db.dsn, "-v", "ON_ERROR_STOP=1", script=script).returncode == 0
            assert db.state("t_id_seq")[0] == 90000
        finally:
            conn.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))
