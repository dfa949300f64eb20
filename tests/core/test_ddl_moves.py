"""What others do to a sequence between the look at it and its move: nothing healthy is moved, nothing goes back."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable

import pytest

from airflow_seqfix import core
from airflow_seqfix.core.judge.remedies import paste
from airflow_seqfix.sql import reset_sequences
from tests.support.command import seqfix
from tests.support.psql import patient, psql
from tests.support.servers import Database
from tests.support.tables import TABLE
from tests.support.waiting import LOCK_AWAITED, until

#: A cached sequence that is 5,000 behind, and another one with which it will change places.
SWAP = """
    CREATE SCHEMA app; CREATE SCHEMA other;
    CREATE SEQUENCE app.ids CACHE 20;
    CREATE TABLE app.t (id bigint PRIMARY KEY DEFAULT nextval('app.ids'));
    INSERT INTO app.t SELECT generate_series(1, 5000);
    CREATE SEQUENCE app.ids_new CACHE 20; SELECT setval('app.ids_new', 20000);
    CREATE SEQUENCE other.ids CACHE 20; SELECT setval('other.ids', 20000);
"""
SWAPS = {
    "sequences": "ALTER SEQUENCE app.ids RENAME TO ids_old; ALTER SEQUENCE app.ids_new RENAME TO ids",
    "schemas": "ALTER SCHEMA app RENAME TO old; ALTER SCHEMA other RENAME TO app",
}


def library(db: Database) -> None:
    with db.connect() as conn:
        core.fix(conn, lock="sequence", lock_timeout=0.99)


def script(db: Database) -> None:
    psql(db.dsn, script=patient(reset_sequences()))


def plan_sql(db: Database) -> Callable[[Database], None]:
    with db.connect() as conn:
        text = patient(core.plan(conn, lock="sequence").to_sql())
    return lambda db: psql(db.dsn, script=text) and None


def long_plan_sql(db: Database) -> Callable[[Database], None]:
    """As if there were many more moves: the text that they share stands once."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("airflow_seqfix.core.repair.plan_sql.SELF_CONTAINED", 0)
        return plan_sql(db)


@pytest.mark.parametrize("face", ["library", "script", "plan", "long plan"])
@pytest.mark.parametrize("swap", SWAPS)
def test_the_lock_is_on_the_sequence_and_not_on_its_name(swap: str, face: str, db: Database) -> None:
    db.execute(SWAP)
    owner = db.role()
    db.execute(f"ALTER SEQUENCE app.ids_new OWNER TO {owner}; ALTER SEQUENCE other.ids OWNER TO {owner}")
    oids = {name: db.value(f"SELECT '{name}'::regclass::oid::int8") for name in ("app.ids", "app.ids_new", "other.ids")}
    repair = {"library": library, "script": script, "plan": plan_sql(db), "long plan": long_plan_sql(db)}[face]
    with db.connect() as writer, db.connect() as watcher:
        writer.execute("BEGIN; SELECT nextval('app.ids')")
        thread = threading.Thread(target=repair, args=[db])
        thread.start()
        until(lambda: watcher.execute(LOCK_AWAITED).fetchall() or not thread.is_alive(), "somebody who waits")
        writer.execute(f"{SWAPS[swap]}; COMMIT")
        thread.join()
    owners = "SELECT pg_get_userbyid(relowner) FROM pg_class WHERE oid = "
    assert [db.value(f"{owners} {oids[name]}") for name in ("app.ids_new", "other.ids")] == [owner, owner]
    for name in ("app.ids_new", "other.ids"):
        assert db.value(f"SELECT pg_sequence_last_value({oids[name]})") == 20000
    assert db.value(f"SELECT pg_sequence_last_value({oids['app.ids']})") in (20, 5000), "where it was, or past the data"
    db.execute(f"DROP OWNED BY {owner} CASCADE")


SHARES = {
    "grants": "GRANT SELECT ON SEQUENCE public.orders_id_seq TO PUBLIC;",
    "revokes and grants": "REVOKE ALL ON SEQUENCE public.orders_id_seq FROM {role};"
    " GRANT SELECT ON SEQUENCE public.orders_id_seq TO {role};",
}


@pytest.mark.parametrize("face", ["library", "script", "plan", "long plan"])
@pytest.mark.parametrize("shares", SHARES)
@pytest.mark.parametrize("owned_by", ["the superuser", "a role"])
def test_an_event_trigger_that_grants_is_no_new_owner(owned_by: str, shares: str, face: str, db: Database) -> None:
    grantee = db.role()
    db.execute(TABLE + f"ALTER SEQUENCE orders_id_seq CACHE 5; GRANT SELECT ON SEQUENCE orders_id_seq TO {grantee}")
    if owned_by == "a role":
        db.execute(f"ALTER TABLE orders OWNER TO {db.role()}")
    db.execute(f"""
        CREATE FUNCTION share() RETURNS event_trigger LANGUAGE plpgsql AS
            $$ BEGIN {SHARES[shares].format(role=grantee)} END $$;
        CREATE EVENT TRIGGER share ON ddl_command_end WHEN tag IN ('ALTER SEQUENCE') EXECUTE FUNCTION share();
    """)
    {"library": library, "script": script, "plan": plan_sql(db), "long plan": long_plan_sql(db)}[face](db)
    assert db.state("orders_id_seq")[:2] == (100, True)
    db.execute("DROP EVENT TRIGGER share")
    for role in db.roles:
        db.execute(f"REASSIGN OWNED BY {role} TO postgres")


@pytest.mark.parametrize("code", ["P0001", "42501", "55000", "XX000"])
@pytest.mark.parametrize("cache", [1, 5])
def test_an_event_trigger_that_refuses_ddl_is_named_with_the_way_out(code: str, cache: int, db: Database) -> None:
    db.execute(TABLE + f"ALTER SEQUENCE orders_id_seq CACHE {cache}")
    db.execute(f"""
        CREATE FUNCTION refuse() RETURNS event_trigger LANGUAGE plpgsql AS
            $$ BEGIN RAISE EXCEPTION 'no DDL today' USING ERRCODE = '{code}'; END $$;
        CREATE EVENT TRIGGER refuse ON ddl_command_start EXECUTE FUNCTION refuse();
    """)
    reason, remedy = "an event trigger refuses ALTER SEQUENCE (no DDL today)", "which needs no DDL"
    for open_one in (db.connect, db.psycopg2):
        with contextlib.closing(open_one()) as conn:
            (row,) = core.fix(conn, lock="sequence").to_dict()["sequences"]
        assert (row["verdict"], row["error"]["reason"]) == ("behind", reason)
        assert row["error"]["cure"] == f'lock="none", {remedy}'
    done = seqfix("fix", db.dsn, "--yes", "--lock", "sequence")
    assert done.returncode == 1 and f"--lock none, {remedy}" in done.stdout
    if cache > 1:
        # The script moves this one by nextval() otherwise.
        assert f"{reason}|run with lock=none, {remedy}" in psql(db.dsn, "-At", script=reset_sequences()).stdout
    done = seqfix("fix", db.dsn, "--yes", "--lock", "none")
    assert done.returncode == 0, done.stdout
    assert db.value("INSERT INTO orders (note) VALUES ('') RETURNING id") > 100
    db.execute("DROP EVENT TRIGGER refuse")


@pytest.mark.parametrize("fires", ["nothing", "an event trigger"])
@pytest.mark.parametrize("face", ["library", "script", "plan", "long plan"])
def test_an_owner_that_it_got_meanwhile_stays(face: str, fires: str, db: Database) -> None:
    db.execute(TABLE + "ALTER SEQUENCE orders_id_seq CACHE 5; ALTER SEQUENCE orders_id_seq OWNED BY NONE;")
    owner = db.role()
    db.execute(f"GRANT SELECT ON SEQUENCE orders_id_seq TO {owner}")
    if fires == "an event trigger":
        db.execute(f"""
            CREATE FUNCTION share() RETURNS event_trigger LANGUAGE plpgsql AS
                $$ BEGIN {SHARES["revokes and grants"].format(role=owner)} END $$;
            CREATE EVENT TRIGGER share ON ddl_command_end WHEN tag IN ('ALTER SEQUENCE') EXECUTE FUNCTION share();
        """)
    repair = {"library": library, "script": script, "plan": plan_sql(db), "long plan": long_plan_sql(db)}[face]
    with db.connect() as other, db.connect() as watcher:
        other.execute(f"BEGIN; ALTER SEQUENCE orders_id_seq OWNER TO {owner}")
        thread = threading.Thread(target=repair, args=[db])
        thread.start()
        until(lambda: watcher.execute(LOCK_AWAITED).fetchall() or not thread.is_alive(), "somebody who waits")
        other.execute("COMMIT")
        thread.join()
    assert db.value("SELECT pg_get_userbyid(relowner) FROM pg_class WHERE relname = 'orders_id_seq'") == owner
    db.execute("DROP EVENT TRIGGER IF EXISTS share")
    db.execute(f"REASSIGN OWNED BY {owner} TO postgres")


def at_once(number: int, work: Callable[[], object]) -> None:
    barrier = threading.Barrier(number)
    failures: list[Exception] = []

    def one() -> None:
        barrier.wait()
        try:
            work()
        except Exception as error:
            failures.append(error)

    threads = [threading.Thread(target=one) for _ in range(number)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []


@pytest.mark.parametrize("step", [1, -1])
@pytest.mark.parametrize("face", ["library", "script", "plan", "remedy"])
def test_six_repairs_at_once_pass_the_target_by_six_at_most(face: str, step: int, newest_db: Database) -> None:
    db = newest_db
    db.execute(f"""
        CREATE SEQUENCE s AS smallint INCREMENT {step} {"MINVALUE -32768 MAXVALUE -1" if step < 0 else ""};
        CREATE TABLE t (id smallint PRIMARY KEY DEFAULT nextval('s'));
        INSERT INTO t SELECT {step} * n FROM generate_series(1, 9000) AS n;
    """)
    with db.connect() as conn:
        plan = core.plan(conn, lock="none")
    text = plan.to_sql()
    (remedy,) = (row.remedy for row in plan.report.rows)
    assert remedy == paste(plan.report.rows[0].finding.sequence, 9000 * step)

    def repair() -> None:
        if face == "library":
            with db.connect() as conn:
                assert core.fix(conn, lock="none").failing == ()
        elif face == "remedy":
            db.execute(remedy)
        else:
            variables = ["-v", "lock=none"] if face == "script" else []
            psql(db.dsn, *variables, script=reset_sequences() if face == "script" else text)

    at_once(6, repair)
    assert 9000 <= abs(db.state("s")[0]) <= 9006
    repair()
    assert abs(db.state("s")[0]) <= 9006, "and once it has passed, none is taken"
    assert abs(db.value("INSERT INTO t DEFAULT VALUES RETURNING id")) <= 9007


SET_BACK = {
    "restart identity": "TRUNCATE orders RESTART IDENTITY",
    "setval": "TRUNCATE orders; SELECT setval('orders_id_seq', 5)",
}


@pytest.mark.parametrize("lock", ["none", "sequence", "guarded"])
@pytest.mark.parametrize("happening", SET_BACK)
def test_a_plan_that_is_not_due_any_more_is_refused(happening: str, lock: core.Lock, db: Database) -> None:
    db.execute(TABLE + "SELECT setval('orders_id_seq', 10);")
    with db.connect() as conn:
        plan = core.plan(conn, lock=lock)
    db.execute(SET_BACK[happening])
    state = db.state("orders_id_seq")
    done = psql(db.dsn, script=plan.to_sql())
    assert db.state("orders_id_seq") == state
    assert "has changed since it was read" in done.stderr
    with db.connect() as conn:
        core.fix(conn, plan=plan, lock=lock)
    assert db.state("orders_id_seq") == state


@pytest.mark.parametrize("lock", ["none", "sequence", "guarded"])
def test_a_sequence_that_was_set_back_is_not_moved(lock: core.Lock, db: Database) -> None:
    db.execute(TABLE + "SELECT setval('orders_id_seq', 10);")
    with db.connect() as conn:
        text = core.plan(conn, lock=lock).to_sql()
    # No row of the catalogs tells of it.
    db.execute("SELECT setval('orders_id_seq', 5)")
    done = psql(db.dsn, script=text)
    assert db.state("orders_id_seq")[:2] == (5, True)
    assert "was set back since it was read: it stood at 10, and stands at 5" in done.stderr
    assert "check again" in done.stderr


@pytest.mark.parametrize("lock", ["none", "sequence", "guarded"])
def test_a_view_under_the_name_of_a_sequence_is_not_looked_at(lock: core.Lock, db: Database) -> None:
    db.execute(TABLE + "CREATE TABLE ran (n int);")
    with db.connect() as conn:
        plan = core.plan(conn, lock=lock)
    db.execute("""
        CREATE FUNCTION evil() RETURNS bigint LANGUAGE plpgsql AS $$ BEGIN INSERT INTO ran VALUES (1); RETURN 1; END $$;
        ALTER SEQUENCE orders_id_seq RENAME TO real_seq;
    """)
    oid = db.value("SELECT 'real_seq'::regclass::oid::int8")
    db.execute(f"CREATE VIEW orders_id_seq AS SELECT evil() AS last_value, true AS is_called, {oid}::oid AS tableoid")
    psql(db.dsn, script=plan.to_sql())
    assert db.rows("SELECT * FROM ran") == [], "the block that moves it has not looked at the view"


def test_what_has_become_a_view_is_not_read_after_a_move(db: Database) -> None:
    db.execute(TABLE + "CREATE TABLE ran (n int);")
    with db.connect() as conn:
        plan = core.plan(conn)
    db.execute("""
        CREATE FUNCTION evil() RETURNS bigint IMMUTABLE LANGUAGE plpgsql AS
            $$ BEGIN PERFORM set_config('seqfix_test.ran', 'yes', false); RETURN 1; END $$;
        ALTER TABLE orders RENAME TO orders_old;
        CREATE VIEW orders AS SELECT evil() AS id;
    """)
    done = psql(
        db.dsn, script=plan.to_sql() + "SELECT 'ran: ' || coalesce(current_setting('seqfix_test.ran', true), 'no')"
    )
    assert "ran: no" in done.stdout
    assert done.stderr.count("has changed since it was read") == 2, "the move and the read after it"


def test_a_plan_reads_what_others_have_committed_meanwhile(db: Database) -> None:
    db.execute(TABLE)
    with db.connect() as conn:
        plan = core.plan(conn)
    given = "SET default_transaction_isolation = 'repeatable read'; SET default_transaction_read_only = off;\n"
    done = psql(db.dsn, "-A", "-t", script=given + plan.to_sql().replace("SELECT 'public.orders_id_seq' AS", ISOLATION))
    assert "read committed" in done.stdout


#: Beside how it stands.
ISOLATION = "SELECT current_setting('transaction_isolation'), 'public.orders_id_seq' AS"
