"""The words that are no options: tables, or the short form for one table."""

from __future__ import annotations

import json
import re

import pytest
from psycopg import conninfo

from tests.support.command import seqfix
from tests.support.servers import Database

USERS = """
    CREATE TABLE users (user_id serial PRIMARY KEY, name text);
    INSERT INTO users (user_id) VALUES (7);
    CREATE TABLE orders (id serial PRIMARY KEY);
    INSERT INTO orders VALUES (5);
    CREATE SEQUENCE custom_users_sequence;
"""


def test_tables(newest_db: Database) -> None:
    newest_db.execute(USERS)
    done = seqfix("fix", newest_db.dsn, "users")
    assert done.returncode == 0
    assert done.stderr == "seqfix: looked at public.users.user_id, fed by public.users_user_id_seq\n"
    assert newest_db.state("users_user_id_seq")[:2] == (7, True)
    assert newest_db.state("orders_id_seq")[:2] == (1, False)
    done = seqfix("check", newest_db.dsn, "users", "orders", "--all")
    assert done.returncode == 1
    assert "2 sequences in database" in done.stdout


def test_table_and_column(newest_db: Database) -> None:
    newest_db.execute(USERS)
    done = seqfix("fix", newest_db.dsn, "users", "user_id")
    assert done.returncode == 0
    assert done.stderr.splitlines() == [
        "seqfix: user_id is taken as the column public.users.user_id, and not as a table",
        "seqfix: looked at public.users.user_id, fed by public.users_user_id_seq",
    ]
    assert newest_db.state("users_user_id_seq")[:2] == (7, True)


def test_table_column_and_a_sequence_that_no_catalog_ties_to_it(newest_db: Database) -> None:
    newest_db.execute(USERS)
    done = seqfix("fix", newest_db.dsn, "users", "user_id", "custom_users_sequence")
    assert done.returncode == 0
    assert done.stderr.splitlines() == [
        (
            "seqfix: user_id is taken as the column public.users.user_id, and custom_users_sequence as a sequence that "
            "feeds it, as with --map custom_users_sequence=public.users.user_id"
        ),
        "seqfix: looked at public.users.user_id, fed by public.custom_users_sequence",
    ]
    assert newest_db.state("custom_users_sequence")[:2] == (7, True)
    assert newest_db.state("users_user_id_seq")[:2] == (1, False)


def test_quiet_does_not_tell(newest_db: Database) -> None:
    newest_db.execute(USERS)
    assert seqfix("check", newest_db.dsn, "users", "user_id", "-q").stderr == ""


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (
            ["users", "orders"],
            "orders is a table, and a column of public.users: write -t users -t orders for two tables",
        ),
        (["users", "usr_id"], "usr_id is neither a table nor a column of public.users, whose columns are user_id, "),
        (
            ["users", "name"],
            "no column public.users.name of public.users is known to draw from a sequence; its col",
        ),
        (["users", "user_id", "custom_user_sequence"], "did you mean public.custom_users_sequence"),
        (["users", "user_id", "a", "b"], "seqfix: there is no table user_id"),
        (["customers", "id"], "seqfix: there is no table customers"),
        (["users", "user_id", "-t", "orders"], "that already selects a table, leave the other options out"),
        (["users@home"], "one of the arguments has an @ or a colon outside double quotes"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_what_cannot_be_meant(newest_db: Database, words: list[str], said: str) -> None:
    newest_db.execute("CREATE TABLE orders (id serial); CREATE TABLE users (user_id serial, orders int, name text);")
    newest_db.execute("CREATE SEQUENCE custom_users_sequence")
    done = seqfix("fix", newest_db.dsn, *words)
    assert (done.returncode, done.stdout) == (2, "")
    assert said in done.stderr


def test_a_database_where_psql_would_take_one(newest_db: Database) -> None:
    server = conninfo.conninfo_to_dict(newest_db.server.dsn)
    where = {"PGHOST": server["host"], "PGPORT": server["port"], "PGUSER": server["user"]}
    done = seqfix("check", newest_db.name, **where)
    said = f"seqfix: there is no table {newest_db.name}"
    place = f"(database postgres on {server['host']}:{server['port']})"
    assert (done.returncode, done.stderr) == (
        2,
        f"{said}; for the database of that name: -d {newest_db.name} {place}\n",
    )
    assert seqfix("check", newest_db.name, **where, PGDATABASE="postgres").stderr == done.stderr
    assert (
        seqfix("check", "no_database", **where).stderr
        == f"seqfix: there is no table no_database; there are none {place}\n"
    )


def test_a_table_in_two_schemas(newest_db: Database) -> None:
    newest_db.execute("CREATE SCHEMA app; CREATE TABLE app.users (id serial); CREATE TABLE users (id serial)")
    done = seqfix("fix", newest_db.dsn, "users", "id")
    assert (done.returncode, done.stderr) == (
        2,
        "seqfix: users could be app.users or public.users: write the schema as well\n",
    )
    done = seqfix("check", newest_db.dsn, "app.users", "id")
    assert done.returncode == 0
    assert "looked at app.users.id, fed by app.users_id_seq" in done.stderr
    done = seqfix("check", newest_db.dsn, "users")
    assert "looked at app.users.id" in done.stderr
    assert "looked at public.users.id" in done.stderr


def test_names_that_need_quotes(newest_db: Database) -> None:
    newest_db.execute('CREATE TABLE "a@b:c" ("User Id" serial); INSERT INTO "a@b:c" VALUES (5)')
    done = seqfix("fix", newest_db.dsn, '"a@b:c"', '"User Id"')
    assert done.returncode == 0
    assert 'taken as the column public."a@b:c"."User Id"' in done.stderr


def test_patterns(newest_db: Database) -> None:
    newest_db.execute(
        "CREATE SCHEMA app; CREATE SCHEMA app_old; CREATE TABLE app.users (id serial); "
        "CREATE TABLE app_old.users (id serial); CREATE TABLE users_old (id serial)"
    )

    def looked_at(*options: str) -> int:
        done = seqfix("check", newest_db.dsn, "--all", "--format", "json", *options)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)["summary"]["in_sync"]

    assert looked_at() == 3
    assert looked_at("-n", "app*") == 2
    assert looked_at("-n", "app*", "-N", "*_old") == 1
    assert looked_at("-N", "app") == 2
    assert looked_at("-T", "users*", "--allow-empty") == 0
    assert looked_at("-T", "app.users") == 2
    assert looked_at("-t", "app*.user?") == 2
    assert looked_at("--exclude", "users_old_id_seq") == 2
    assert looked_at("--sequence", "users_[io]*") == 3
    assert looked_at("users*") == 3


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["-N", "archvie"], "--exclude-schema: no schema archvie has a sequence; did you mean archive?"),
        (
            ["-n", "archive", "-N", "archvie"],
            "--exclude-schema: no schema archvie has a sequence; did you mean archive?",
        ),
        (
            ["-N", "archive", "-N", "archive.log"],
            "--exclude-schema: 'archive.log' is not a name; give schema, in double",
        ),
        (["-T", "lgo"], "--exclude-table: there is no table lgo; did you mean archive.log?"),
        (
            ["-T", "notes"],
            "--exclude-table: no column of public.notes is known to draw from a sequence; its columns are",
        ),
        (["-T", "log_id_seq"], "--exclude-table: there is no table log_id_seq; there are archive.log, public.notes"),
        (["-T", "archive.log.id"], "--exclude-table: 'archive.log.id' is not a name; give table or schema.table, in"),
        (["--exclude", "lgo_id_seq"], "--exclude: there is no sequence lgo_id_seq; did you mean archive.log_id_seq?"),
    ],
)
def test_what_is_to_be_left_out_and_is_not_there(options: list[str], said: str, newest_db: Database) -> None:
    newest_db.execute("CREATE SCHEMA archive CREATE TABLE log (id serial); CREATE TABLE notes (id int)")
    newest_db.execute("INSERT INTO archive.log VALUES (7)")
    for allowed in ([], ["--allow-empty"]):
        done = seqfix("fix", newest_db.dsn, "--yes", *options, *allowed)
        assert (done.returncode, done.stdout) == (2, "")
        assert done.stderr.startswith(f"seqfix: {said}")
    assert newest_db.value("SELECT is_called FROM archive.log_id_seq") is False


def test_a_pattern_may_leave_out_nothing(newest_db: Database) -> None:
    newest_db.execute("CREATE TABLE notes (id serial)")
    assert seqfix("check", newest_db.dsn, "-N", "archvi*", "-T", "lg*", "--exclude", "x.*").returncode == 0


def test_the_connection_in_parts(newest_db: Database) -> None:
    newest_db.execute("CREATE TABLE t (id serial)")
    parts = dict(part.split("=", 1) for part in newest_db.dsn.split())
    options = ["-h", parts["host"], "-p", parts["port"], "-U", parts["user"], "-d", newest_db.name]
    done = seqfix("check", "-v", *options)
    assert (done.returncode, done.stdout) == (0, f"1 sequence in database {newest_db.where}: 1 in sync\n")
    connected, read, rights = done.stderr.splitlines()
    assert connected == f"seqfix: connected to 127.0.0.1:{parts['port']}, database {newest_db.name}, as postgres"
    assert re.fullmatch(r"seqfix: PostgreSQL [\d.]+, 1 sequence in \d+\.\d s", read)
    assert rights.startswith("seqfix: role postgres has more rights than it needs (superuser), and code of the owners ")
    # As in psql, the connection string goes first.
    assert seqfix("check", newest_db.dsn, "-p", "1").returncode == 0


def test_without_any_connection() -> None:
    done = seqfix("check", PGUSER="nobody-at-all", PGSSLMODE="disable")
    assert done.returncode == 2
    assert (
        "no connection is given: postgresql://user@host/dbname, or -h and -d, or PGHOST and PGDATABASE" in done.stderr
    )


def test_jobs(newest_db: Database) -> None:
    newest_db.execute("".join(f"CREATE TABLE t{n} (id serial); INSERT INTO t{n} VALUES (5);" for n in range(20)))
    assert "20 sequences in database" in seqfix("check", newest_db.dsn, "-j", "4").stdout
    assert seqfix("fix", newest_db.dsn, "--jobs", "4").returncode == 0
    assert seqfix("check", newest_db.dsn).returncode == 0
    assert seqfix("check", newest_db.dsn, "-j", "auto").returncode == 0
    for wrong in ("0", "many", "-1", "2.5"):
        done = seqfix("check", newest_db.dsn, "-j", wrong)
        assert (done.returncode, done.stdout) == (2, "")
        assert f"jobs={wrong}: give an integer from 1 to 16, or auto" in done.stderr.replace("'", "")
