"""The script in psql: what it refuses, what it survives, and what its exit status says."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from psycopg import conninfo

from airflow_seqfix.cli import main
from tests.support.cluster import Cluster, running, wheel_binaries
from tests.support.psql import Run, psql, reset, reset_script
from tests.support.scenario import states
from tests.support.servers import WHEELS, Database
from tests.support.waiting import until

BEHIND = """
    CREATE TABLE {0} (id serial PRIMARY KEY, note text);
    INSERT INTO {0} (id) SELECT generate_series(1, 100);
"""


@pytest.fixture
def two(newest_db: Database) -> Database:
    """Two tables that are behind."""
    newest_db.execute(BEHIND.format("orders") + BEHIND.format("customers"))
    return newest_db


@pytest.fixture
def script(tmp_path: Path) -> str:
    """The script as a file."""
    path = tmp_path / "reset_sequences.sql"
    path.write_text(reset_script(), encoding="utf-8")
    return str(path)


def test_the_command_prints_it(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["sql"]) == 0
    assert capsys.readouterr().out == reset_script()


def test_it_is_whole_and_readable() -> None:
    assert not re.findall(r"@\w+@", reset_script()), "a part is missing"
    assert max(map(len, reset_script().splitlines())) <= 160
    assert not re.findall(r"\bCREATE\b.*(TABLE|FUNCTION|SCHEMA|VIEW)", reset_script()), "it creates nothing"


@pytest.mark.parametrize(
    ("arguments", "before"),
    [
        (["-1"], ""),
        (["--single-transaction", "-v", "mode=check"], ""),
        ([], "BEGIN;\n"),
        ([], "BEGIN ISOLATION LEVEL SERIALIZABLE; SELECT 1;\n"),
        (["-v", "AUTOCOMMIT=off"], ""),
    ],
)
def test_it_refuses_to_run_inside_a_transaction(arguments: list[str], before: str, two: Database) -> None:
    fresh = states(two)
    done = psql(two.dsn, *arguments, "-f", "-", script=before + reset_script())
    assert done.returncode == 3
    assert "reset_sequences.sql is inside a transaction, and needs one for each sequence" in done.stderr
    assert "without -1 (--single-transaction)" in done.stderr
    assert "checking" not in done.stderr
    assert states(two) == fresh


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("mode", "chek"),
        ("mode", ""),
        ("lock", ""),
        ("lock", "sequence"),
        ("outliers", "on"),
        ("all", "1"),
        ("margin", "-1"),
        ("max_jump", "0"),
        ("max_jump", "1; DROP TABLE orders"),
        ("run_timeout", "'"),
        ("run_timeout", "5s"),
    ],
)
def test_an_option_that_cannot_be_meant_is_refused(variable: str, value: str, two: Database) -> None:
    fresh = states(two)
    run = reset(two.dsn, **{variable: value})
    assert run.status == 3
    assert f"{variable}={value}: give " in run.stderr
    assert not run.summary
    assert states(two) == fresh


@pytest.mark.parametrize(
    "variables", [{"schema": "nope"}, {"table": "order"}, {"sequence": "orders_id_seq", "table": "customers"}]
)
def test_a_selection_that_matches_nothing_is_no_success(variables: dict[str, str], two: Database) -> None:
    fresh = states(two)
    run = reset(two.dsn, **variables)
    assert run.status == 3
    assert "no sequence matches" in run.stderr
    assert states(two) == fresh


@pytest.mark.parametrize(
    ("variables", "moved"),
    [
        ({"table": "orders"}, {"public.orders_id_seq"}),
        ({"table": "public.cust*"}, {"public.customers_id_seq"}),
        ({"sequence": "?rders_id_seq"}, {"public.orders_id_seq"}),
        ({"schema": "publi_"}, None),
        ({"schema": "p*", "exclude": "orders"}, {"public.customers_id_seq"}),
        ({"exclude": "*_id_seq"}, None),
        ({"exclude": "*_id_seq", "allow_empty": "on"}, set()),
        ({"table": "o%"}, None),
    ],
)
def test_names_and_wildcards(variables: dict[str, str], moved: set[str] | None, two: Database) -> None:
    """% and _ stand for themselves."""
    fresh = states(two)
    run = reset(two.dsn, **variables)
    assert {name for name, state in states(two).items() if state != fresh[name]} == (moved or set())
    assert (run.status == 0) is (moved is not None)


def test_check_writes_nothing_and_says_with_its_status_what_it_found(two: Database) -> None:
    fresh = states(two)
    run = reset(two.dsn, mode="check")
    assert run.status == 3
    assert {name: (row["verdict"], row["gap"]) for name, row in run.rows.items()} == {
        "public.customers_id_seq": ("behind", "100"),
        "public.orders_id_seq": ("behind", "100"),
    }
    assert states(two) == fresh
    remedy = run.rows["public.orders_id_seq"]["cure"]
    assert psql(two.dsn, script=remedy).returncode == 0
    assert reset(two.dsn, mode="check", table="orders").status == 0
    assert reset(two.dsn).status == 0
    run = reset(two.dsn, mode="check")
    assert (run.status, run.rows, run.summary["in_sync"]) == (0, {}, "2")


@pytest.mark.parametrize("place", ["            -- Measure. ", "            -- Judge.\n", "    -- Discovery: "])
def test_check_could_not_write_if_it_tried(place: str, two: Database) -> None:
    assert place in reset_script()
    writing = reset_script().replace(place, f"PERFORM nextval('public.orders_id_seq');\n{place}")
    run = reset(two.dsn, script=writing, mode="check")
    assert run.status == 3
    assert "cannot execute nextval() in a read-only transaction" in run.stderr


def test_a_healthy_database_is_not_written_to(two: Database) -> None:
    assert reset(two.dsn).summary["repaired"] == "2"
    two.execute("VACUUM")
    repaired, xid = states(two), two.value("SELECT pg_snapshot_xmax(pg_current_snapshot())")
    assert reset(two.dsn).summary["repaired"] == "0"
    assert states(two) == repaired
    assert two.value("SELECT pg_snapshot_xmax(pg_current_snapshot())") == xid, "no transaction has written"


def test_the_session_that_includes_it_stays_as_it_was(two: Database, script: str) -> None:
    show = "SHOW statement_timeout; SHOW search_path; SHOW lock_timeout; SHOW row_security; SHOW application_name;\n"
    done = psql(
        two.dsn,
        "-At",
        script=f"SET statement_timeout = '7s'; SET search_path = app, public; SET lock_timeout = '9s';\n"
        f"{show}\\i '{script}'\n\\echo :QUIET :SHOW_CONTEXT\n{show}"
        "SELECT name FROM pg_settings WHERE name LIKE 'seqfix.%' AND setting <> '';\n"
        "SELECT relname FROM pg_class WHERE relpersistence = 't';\n",
    )
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    settings = lines[lines.index("7s") : lines.index("7s") + 5]
    assert settings == ["7s", "app, public", "9s", "on", "psql"]
    assert lines[lines.index("off errors") + 1 :] == settings


def test_nobody_can_slip_a_function_under_it(two: Database) -> None:
    """What lies in the search_path before pg_catalog is not used."""
    two.execute("""
        CREATE FUNCTION public.div(numeric, numeric) RETURNS numeric LANGUAGE sql AS 'SELECT 1000000::numeric';
        CREATE FUNCTION public.sign(bigint) RETURNS bigint LANGUAGE sql AS 'SELECT -1::bigint';
        CREATE FUNCTION public.format(text, text) RETURNS text LANGUAGE sql AS $$SELECT 'DROP TABLE orders'$$;
        CREATE TABLE public.pg_sequence (oid oid);
    """)
    two.execute(f"ALTER DATABASE {two.name} SET search_path = public, pg_catalog")
    run = reset(two.dsn)
    assert (run.status, run.summary["repaired"]) == (0, "2"), run.stderr
    assert two.state("orders_id_seq")[:2] == (100, True)


def test_one_that_cannot_be_read_costs_only_itself(two: Database) -> None:
    two.execute(BEHIND.format("locked"))
    with two.connect() as other, other.transaction():
        other.execute("LOCK TABLE locked")
        run = reset(two.dsn)
    assert run.status == 3
    assert {name: row["verdict"] for name, row in run.rows.items()} == {
        "public.locked_id_seq": "unknown",
        "public.customers_id_seq": "in_sync",
        "public.orders_id_seq": "in_sync",
    }
    assert run.rows["public.locked_id_seq"]["reason"] == "another session holds a lock that keeps readers out"


def waiting(*, seconds: int) -> str:
    """Return the script that waits for a lock for longer than its 100 ms: they are little on a busy machine."""
    setting = "SET LOCAL lock_timeout = 100"
    assert reset_script().count(setting) == 2
    return reset_script().replace(setting, f"SET LOCAL lock_timeout = {seconds * 1000}")


@pytest.mark.long
def test_one_that_is_in_use_is_asked_for_a_few_times_and_costs_only_itself(two: Database) -> None:
    two.execute("ALTER SEQUENCE orders_id_seq CACHE 5; ALTER SEQUENCE customers_id_seq CACHE 5")
    two.execute("INSERT INTO orders (id) VALUES (9000000)")
    with two.connect() as other, two.connect() as watcher, other.transaction():
        other.execute("SELECT nextval('orders_id_seq')")
        waits: list[float] = []
        over = threading.Event()

        def insert() -> None:
            # Everybody queues behind the lock while it is waited for.
            while not over.is_set():
                began = time.monotonic()
                watcher.execute("SELECT nextval('orders_id_seq')")
                waits.append(time.monotonic() - began)

        thread = threading.Thread(target=insert)
        thread.start()
        try:
            run = reset(two.dsn, script=waiting(seconds=1))
        finally:
            over.set()
            thread.join()
    row = run.rows["public.orders_id_seq"]
    assert (run.status, row["found"], row["verdict"], row["way"]) == (3, "behind", "behind", "locked")
    assert row["reason"] == "transactions that use public.orders_id_seq did not end within lock_timeout"
    assert run.rows["public.customers_id_seq"]["verdict"] == "in_sync"
    assert sum(wait > 0.8 for wait in waits) == 3, "three times"
    assert max(waits) < 2.5, "and no longer than lock_timeout, with what a busy machine adds"


@pytest.mark.parametrize("isolation", ["read committed", "repeatable read"])
def test_an_owner_that_changes_while_the_lock_is_waited_for(isolation: str, two: Database) -> None:
    role = two.role()
    two.execute(f"ALTER DATABASE {two.name} SET default_transaction_isolation = '{isolation}'")
    two.execute("ALTER SEQUENCE orders_id_seq CACHE 5; ALTER SEQUENCE orders_id_seq OWNED BY NONE")
    runs: list[Run] = []
    with two.connect() as other, two.connect() as watcher:
        other.execute("BEGIN ISOLATION LEVEL READ COMMITTED; SELECT nextval('orders_id_seq')")
        thread = threading.Thread(target=lambda: runs.append(reset(two.dsn, script=waiting(seconds=20))))
        thread.start()
        while not watcher.execute("SELECT FROM pg_locks WHERE NOT granted").fetchall():
            assert thread.is_alive(), "nobody has waited for the lock"
        other.execute(f"ALTER SEQUENCE orders_id_seq OWNER TO {role}; COMMIT")
        thread.join()
    assert two.value("SELECT pg_get_userbyid(relowner) FROM pg_class WHERE relname = 'orders_id_seq'") == role
    # It is undone, and what has changed is looked at again.
    assert runs[0].rows["public.orders_id_seq"]["verdict"] == "in_sync"
    two.execute(f"REASSIGN OWNED BY {role} TO postgres")


def test_a_role_without_rights_is_told_which(two: Database) -> None:
    role = two.role()
    dsn = conninfo.make_conninfo(two.dsn, user=role)
    run = reset(dsn)
    assert (run.status, run.summary["unknown"]) == (3, "2")
    row = run.rows["public.orders_id_seq"]
    assert row["reason"] == f"role {role} may not read sequence public.orders_id_seq, column public.orders.id"
    for row in run.rows.values():
        two.execute(row["cure"])
    run = reset(dsn)
    assert (run.status, run.summary["behind"]) == (3, "2")
    row = run.rows["public.orders_id_seq"]
    assert (row["reason"], row["way"]) == (f"role {role} may not move public.orders_id_seq", "")
    for row in run.rows.values():
        two.execute(row["cure"])
    run = reset(dsn)
    assert (run.status, run.summary["repaired"]) == (0, "2")
    assert {row["way"] for row in run.rows.values()} == {"advance"}
    two.execute(f"DROP OWNED BY {role}")


def test_row_level_security_does_not_hide_the_largest_id(two: Database) -> None:
    role = two.role()
    two.execute(f"""
        GRANT SELECT, INSERT ON orders TO {role}; GRANT ALL ON SEQUENCE orders_id_seq TO {role};
        ALTER TABLE orders ENABLE ROW LEVEL SECURITY; CREATE POLICY few ON orders USING (id < 10);
    """)
    run = reset(conninfo.make_conninfo(two.dsn, user=role), table="orders")
    row = run.rows["public.orders_id_seq"]
    assert (run.status, row["verdict"], row["cure"]) == (3, "unknown", f"ALTER ROLE {role} BYPASSRLS;")
    two.execute(f"DROP OWNED BY {role}")


def test_a_session_that_may_not_write(two: Database) -> None:
    two.execute(f"ALTER DATABASE {two.name} SET default_transaction_read_only = on")
    run = reset(two.dsn)
    assert run.status == 3
    assert {row["cure"] for row in run.rows.values()} == {"repair on the primary, in a session that may write"}


@pytest.mark.long
def test_run_timeout_leaves_the_rest_undone_and_says_so(two: Database) -> None:
    two.execute("INSERT INTO orders (id) VALUES (90000000)")
    began = time.monotonic()
    run = reset(two.dsn, lock="none", run_timeout=3, table="orders", max_jump=10**9)
    assert time.monotonic() - began < 20
    row = run.rows["public.orders_id_seq"]
    assert (run.status, row["verdict"], row["reason"]) == (
        3,
        "behind",
        "run_timeout of 3 s was over before it was done",
    )
    assert 100 < two.state("orders_id_seq")[0] < 90_000_000
    assert reset(two.dsn, max_jump=10**9).status == 0
    assert two.state("orders_id_seq")[0] == 90_000_000


def test_somebody_who_wants_to_stop_is_heard(two: Database) -> None:
    two.execute("INSERT INTO orders (id) VALUES (9000000)")
    runs = []
    thread = threading.Thread(target=lambda: runs.append(reset(two.dsn, lock="none")))
    thread.start()
    cancel = """
        SELECT pg_cancel_backend(pid) FROM pg_stat_activity
         WHERE datname = current_database() AND query LIKE 'DO $seqfix$%give_up_at%'
    """
    until(lambda: two.rows(cancel) or not thread.is_alive(), "the script's long statement")
    thread.join()
    assert runs[0].status == 3
    assert "canceling statement due to user request" in runs[0].stderr
    assert "the run was cut short, see the error above; what was moved stays moved" in runs[0].stderr


@pytest.fixture
def slow(two: Database) -> Database:
    """A table without an index beside the two, large enough to be caught in the middle of its read."""
    two.execute("CREATE TABLE slow (id bigserial); INSERT INTO slow SELECT generate_series(1, 2000000)")
    two.execute("ANALYZE slow")
    return two


def backend_that_reads(db: Database, table: str, run: threading.Thread) -> int:
    """Wait until a session reads the table, and return its pid."""
    reading = f"SELECT pid FROM pg_locks WHERE relation = '{table}'::regclass AND mode = 'AccessShareLock'"
    with db.connect() as conn:
        while run.is_alive():
            for (pid,) in conn.execute(f"{reading} AND pid <> pg_backend_pid()").fetchall():
                return int(pid)
    raise AssertionError("the read was over before it was seen")


@pytest.mark.long
def test_a_read_that_takes_too_long_is_ended_and_everything_else_is_reported(slow: Database) -> None:
    runs: list[Run] = []
    thread = threading.Thread(target=lambda: runs.append(reset(slow.dsn, run_timeout=1)))
    thread.start()
    pid = backend_that_reads(slow, "slow", thread)
    # Stopped, it is as slow as may be; its clock goes on.
    os.kill(pid, signal.SIGSTOP)
    time.sleep(6.5)
    os.kill(pid, signal.SIGCONT)
    thread.join()
    (run,) = runs
    assert run.status == 3
    assert {name: (row["verdict"], row["reason"]) for name, row in run.rows.items()} == {
        "public.slow_id_seq": ("unknown", "run_timeout of 1 s was over before it was done"),
        "public.customers_id_seq": ("in_sync", ""),
        "public.orders_id_seq": ("in_sync", ""),
    }


@pytest.mark.long
def test_somebody_who_wants_to_stop_a_read_is_heard(slow: Database) -> None:
    runs: list[Run] = []
    thread = threading.Thread(target=lambda: runs.append(reset(slow.dsn)))
    thread.start()
    slow.execute(f"SELECT pg_cancel_backend({backend_that_reads(slow, 'slow', thread)})")
    thread.join()
    assert runs[0].status == 3
    assert "canceling statement due to user request" in runs[0].stderr
    assert slow.state("orders_id_seq")[:2] == (100, True), "what was moved stays moved"


@pytest.mark.parametrize(("failures", "verdict"), [(2, "in_sync"), (100, "unknown")])
def test_a_sequence_that_is_just_being_rewritten_is_read_again(failures: int, verdict: str, two: Database) -> None:
    """Too rare to wait for: the error is put into the script."""
    read = "EXECUTE query INTO value, far_values, row_beyond, is_called, near_value, twin_next;"
    assert reset_script().count(read) == 1
    failing = f"IF rereads < {failures} THEN RAISE SQLSTATE 'XX001'; END IF;"
    run = reset(two.dsn, script=reset_script().replace(read, failing + read), all="on")
    assert {row["verdict"] for row in run.rows.values()} == {verdict}


@pytest.mark.long
def test_no_id_is_handed_out_twice_under_writers(newest_db: Database) -> None:
    """Rows with explicit ids arrive, and default inserts run, while the script repairs in both ways."""
    newest_db.execute("""
        CREATE TABLE small (id serial, explicit boolean);
        CREATE TABLE cached (id int GENERATED BY DEFAULT AS IDENTITY (CACHE 3), explicit boolean);
        CREATE TABLE large (id bigserial, explicit boolean);
    """)
    over = threading.Event()
    drawn: dict[str, list[int]] = {"small": [], "cached": [], "large": []}
    jumps = {"small": 500, "cached": 50, "large": 200_000}

    def insert(table: str) -> None:
        with newest_db.connect() as conn:
            while not over.is_set():
                drawn[table].append(conn.execute(f"INSERT INTO {table} DEFAULT VALUES RETURNING id").fetchone()[0])

    def load() -> None:
        with newest_db.connect() as conn:
            while not over.is_set():
                for table, jump in jumps.items():
                    conn.execute(f"INSERT INTO {table} SELECT coalesce(max(id), 0) + {jump}, true FROM {table}")
                time.sleep(0.1)

    threads = [threading.Thread(target=insert, args=[table]) for table in (*drawn, *drawn)]
    threads.append(threading.Thread(target=load))
    for thread in threads:
        thread.start()
    try:
        runs = [reset(newest_db.dsn) for _ in range(6)]
    finally:
        over.set()
        for thread in threads:
            thread.join()
    ways = {row["way"] for run in runs for row in run.rows.values()}
    assert ways >= {"advance", "locked"}
    for table, ids in drawn.items():
        assert len(ids) == len(set(ids)), f"{table}: an id was handed out twice"


@pytest.fixture(scope="module")
def narrow() -> Iterator[Cluster]:
    """A server whose lock table is full soon."""
    settings = {"max_locks_per_transaction": "10", "max_connections": "10", "autovacuum": "off"}
    with running(wheel_binaries(WHEELS["pg16"]), settings) as cluster:
        yield cluster


def create(conn: psycopg.Connection, count: int, statement: str) -> None:
    """Run a statement for each number, a few in one transaction."""
    for first in range(0, count, 50):
        numbers = f"{first}..{min(first + 50, count) - 1}"
        conn.execute(f"DO $$ BEGIN FOR i IN {numbers} LOOP EXECUTE format({statement!r}, i); END LOOP; END $$")


@pytest.mark.long
def test_locks_do_not_pile_up(narrow: Cluster) -> None:
    with narrow.connect() as conn:
        conn.execute("CREATE DATABASE many")
    with narrow.connect("many") as conn:
        create(conn, 2000, "CREATE TABLE t%s (id serial PRIMARY KEY)")
        conn.execute("INSERT INTO t1999 SELECT generate_series(1, 100)")
        conn.execute("CREATE TABLE parts (id serial, at int, PRIMARY KEY (id, at)) PARTITION BY LIST (at)")
        create(conn, 1500, "CREATE TABLE parts_%1$s PARTITION OF parts FOR VALUES IN (%1$s)")
        conn.execute("INSERT INTO parts (id, at) VALUES (70, 1499), (50, 3)")
        with pytest.raises(psycopg.errors.OutOfMemory):
            conn.execute("SELECT max(id) FROM parts")
        run = reset(narrow.dsn_for("many"))
        assert (run.status, run.summary["sequences"]) == (0, "2001"), run.stderr
        assert {name: row["next_value"] for name, row in run.rows.items()} == {
            "public.parts_id_seq": "71",
            "public.t1999_id_seq": "101",
        }


@pytest.mark.parametrize(("largest", "way"), [(100, "advance"), (100_000, "locked")])
def test_a_move_looks_up_what_it_needs_of_the_catalogs(db: Database, largest: int, way: str) -> None:
    """Else a repair takes four times as long with twice as many sequences."""
    count = 60
    db.execute("".join(f"CREATE TABLE t{n} (id serial); INSERT INTO t{n} VALUES ({largest});" for n in range(count)))
    read = "SELECT pg_stat_get_tuples_returned('pg_attribute_relid_attnum_index'::regclass)"
    before = db.value(read)
    run = reset(db.dsn)
    others = "datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend'"
    until(lambda: not db.value(f"SELECT count(*) FROM pg_stat_activity WHERE {others}"), "the session has told")
    assert {row["way"] for row in run.rows.values()} == {way}
    assert (run.status, len(run.rows)) == (0, count)
    assert db.value(read) - before < count * db.value("SELECT count(*) FROM pg_attribute") / 2


@pytest.mark.system
def test_20000_sequences_at_the_servers_defaults(newest_db: Database) -> None:
    with newest_db.connect() as conn:
        create(conn, 20_000, "CREATE TABLE t%s (id serial PRIMARY KEY)")
        create(conn, 200, "INSERT INTO t%s SELECT generate_series(1, 100)")
        most, over = [0], threading.Event()

        def watch() -> None:
            with newest_db.connect() as watcher:
                while not over.is_set():
                    most.append(watcher.execute("SELECT count(*) FROM pg_locks").fetchone()[0])
                    time.sleep(0.05)

        thread = threading.Thread(target=watch)
        thread.start()
        try:
            run = reset(newest_db.dsn)
        finally:
            over.set()
            thread.join()
    assert run.status == 0, run.stderr
    assert (run.summary["sequences"], run.summary["repaired"]) == ("20000", "200")
    assert re.search(r"NOTICE:  \d+ of 20000 sequences done", run.stderr)
    assert max(most) < 200


@pytest.fixture
def standby() -> Iterator[tuple[Cluster, Cluster]]:
    with running(wheel_binaries(WHEELS["pg18"])) as primary:
        replica = primary.standby(Path(f"{primary.base}-standby"))
        replica.start()
        with contextlib.closing(contextlib.ExitStack()) as stack:
            stack.callback(replica.remove)
            yield primary, replica


@pytest.mark.long
def test_a_standby_is_checked_and_not_repaired(standby: tuple[Cluster, Cluster]) -> None:
    primary, replica = standby
    with primary.connect() as conn:
        conn.execute(BEHIND.format("orders"))
        conn.execute("CREATE TABLE fresh (id serial PRIMARY KEY); INSERT INTO fresh SELECT FROM generate_series(1, 3)")
        (position,) = conn.execute("SELECT pg_current_wal_flush_lsn()").fetchone()
    with replica.connect() as conn:
        replayed = f"SELECT pg_last_wal_replay_lsn() >= '{position}'"
        until(lambda: conn.execute(replayed).fetchone()[0], "the standby follows")
    run = reset(replica.dsn)
    assert run.status == 3
    assert "this is a standby, which is read-only" in run.stderr
    run = reset(replica.dsn, mode="check")
    assert run.status == 3
    assert {name: row["verdict"] for name, row in run.rows.items()} == {
        "public.orders_id_seq": "behind",
        "public.fresh_id_seq": "unknown",
    }
    assert run.rows["public.fresh_id_seq"]["cure"] == "check on the primary"


def test_what_code_of_a_table_says_can_be_kept_off_the_terminal(newest_db: Database) -> None:
    """As docs/trust.md says: psql prints an INFO whatever client_min_messages is."""
    newest_db.execute(
        r"""CREATE TABLE t (id serial PRIMARY KEY); INSERT INTO t VALUES (9);
            CREATE FUNCTION one(int) RETURNS int LANGUAGE plpgsql IMMUTABLE AS
            $$BEGIN RAISE INFO '%', E'\x1b[31mred'; RETURN 1; END$$;
            CREATE INDEX ON t (id) WHERE one(1) = 1"""
    )
    assert "\x1b[31mred" in reset(newest_db.dsn, mode="check").stderr
    done = reset(newest_db.dsn, VERBOSITY="sqlstate")
    assert "\x1b" not in done.stderr
    assert (done.status, done.summary["repaired"]) == (0, "1")
