"""Many databases in one run: one report, one question, the worst exit status."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator

import pytest

from tests.support.command import DRIFT, seqfix
from tests.support.servers import Database, Server, database_on
from tests.support.terminal import terminal


@pytest.fixture
def three(newest_server: Server) -> Iterator[list[Database]]:
    """Two databases that are behind, and one that is in order; by their names."""
    with contextlib.ExitStack() as stack:
        made = [stack.enter_context(database_on(newest_server)) for _ in range(3)]
        made.sort(key=lambda database: database.name)
        for database in made:
            database.execute(DRIFT)
        made[1].execute("SELECT setval('orders_id_seq', 100)")
        yield made


def asked(databases: list[Database]) -> list[str]:
    return [word for database in databases for word in ("-d", database.name)]


def at(database: Database) -> str:
    """Return a connection that names no database which is checked."""
    return f"{database.server.dsn}"


def test_one_report_over_all_of_them(three: list[Database]) -> None:
    done = seqfix("check", at(three[0]), *asked(three))
    assert (done.returncode, done.stderr) == (1, "")
    lines = done.stdout.splitlines()
    first, second, third = (database.name for database in three)
    width = len(first)
    assert lines[:4] == [
        f"         {'database':{width}}  checked  in sync  behind",
        f"failing  {first}        2        1       1",
        f"failing  {third}        2        1       1",
        f"ok       {second}        2        2       0",
    ]
    assert f"{three[0].where}" in lines and f"{three[2].where}" in lines and f"{three[1].where}" not in lines
    assert "  behind: public.orders_id_seq: the next value is 1, and public.orders.id has reached 3" in lines
    server = three[0].where.partition(" on ")[2]
    assert lines[-1] == f"3 databases on {server}: 1 in order, 2 failing; 6 sequences: 4 in sync, 2 behind"


def test_a_schema_to_leave_out_is_there_wherever_a_sequence_is(three: list[Database]) -> None:
    for database in three[:2]:
        database.execute("CREATE SCHEMA audit CREATE TABLE log (id serial)")
    done = seqfix("check", at(three[0]), *asked(three), "-d", "postgres", "-N", "audit", "--format", "json")
    found = {one["database"]: one for one in json.loads(done.stdout)["databases"]}
    states = [found[database.name]["state"] for database in three]
    assert (done.returncode, states, found["postgres"]["state"]) == (2, ["failing", "ok", "error"], "empty")
    assert "--exclude-schema: no schema audit has a sequence" in found[three[2].name]["error"]
    assert seqfix("check", at(three[0]), *asked(three), "-N", "audi[t]").returncode == 1


def test_all_of_the_server_s(three: list[Database]) -> None:
    done = seqfix("check", at(three[0]), "-a", "--exclude-database", three[2].name, "--format", "json")
    found = json.loads(done.stdout)
    states = {one["database"]: one["state"] for one in found["databases"]}
    assert (states[three[0].name], states[three[1].name], states["postgres"]) == ("failing", "ok", "empty")
    assert three[2].name not in states and "template1" not in states
    assert (found["ok"], found["summary"]["failing"]) == (False, list(states.values()).count("failing"))
    assert found["databases"][0]["state"] == "failing", "the worst first"
    assert done.returncode == (2 if "error" in states.values() else 1)


def test_a_pattern(three: list[Database]) -> None:
    name = three[0].name
    done = seqfix("check", at(three[0]), "-d", f"{name[:-1]}[{name[-1]}]", "--format", "json")
    assert [one["database"] for one in json.loads(done.stdout)["databases"]] == [name]


def test_one_that_cannot_be_reached_does_not_stop_the_others(three: list[Database]) -> None:
    first = three[0]
    role = first.role()
    for database in three:
        for kind in ("SELECT ON ALL TABLES", "ALL ON ALL SEQUENCES"):
            database.execute(f"GRANT {kind} IN SCHEMA public TO {role}")
    first.execute(f"ALTER DATABASE {first.name} CONNECTION LIMIT 0")
    done = seqfix("fix", f"{at(first)} user={role}", *asked(three), "-q")
    for database in three[1:]:
        assert database.value("INSERT INTO orders (note) VALUES ('') RETURNING id") in (4, 101)
        database.execute(f"DROP OWNED BY {role}")
    assert done.returncode == 2
    assert done.stdout.splitlines()[1].startswith(f"error  {first.name}")
    assert f'too many connections for database "{first.name}"' in done.stdout
    assert first.state("orders_id_seq")[:2] == (1, False)
    first.execute(f"DROP OWNED BY {role}")


def test_one_question_before_a_repair(three: list[Database]) -> None:
    with terminal("fix", at(three[0]), *asked(three), columns=200) as shown:
        shown.wait_for("Move 2 sequences? [y/N]")
        assert shown.text.count("[y/N]") == 1
        assert three[0].name in shown.text and three[2].name in shown.text
        shown.type("n\n")
        assert shown.end() == 1
    assert {database.state("orders_id_seq")[0] for database in three} == {1, 100}
    with terminal("fix", at(three[0]), *asked(three), columns=80) as shown:
        shown.wait_for("[y/N]")
        shown.type("y\n")
        assert shown.end() == 0
        assert [line for line in shown.text.splitlines() if len(line) > 80] == []
    for database, expected in zip(three, (4, 101, 4), strict=True):
        assert database.value("INSERT INTO orders (note) VALUES ('') RETURNING id") == expected


def test_no_is_the_worst_status_as_well(three: list[Database]) -> None:
    """That one could not be reached is no less true because nobody wanted the others repaired."""
    broken = three[0]
    role = broken.role()
    broken.execute(f"ALTER DATABASE {broken.name} CONNECTION LIMIT 0")
    for database in three[1:]:
        database.execute(f"GRANT ALL ON ALL SEQUENCES IN SCHEMA public TO {role}; GRANT SELECT ON orders TO {role}")
    with terminal("fix", f"{at(broken)} user={role}", *asked(three), columns=200) as shown:
        shown.wait_for("[y/N]")
        shown.type("n\n")
        assert shown.end() == 2
    assert "nothing was moved" in shown.text and "too many connections" in shown.text
    for database in three[1:]:
        database.execute(f"DROP OWNED BY {role}")
    broken.execute(f"ALTER DATABASE {broken.name} CONNECTION LIMIT -1")


def test_a_role_that_may_not_connect_is_told_the_grant(three: list[Database]) -> None:
    role = three[0].role()
    three[0].execute(f"REVOKE CONNECT ON DATABASE {three[0].name} FROM PUBLIC")
    done = seqfix("check", f"{at(three[0])} user={role}", *asked(three))
    assert done.returncode == 2
    assert f'; GRANT CONNECT ON DATABASE "{three[0].name}" TO "{role}";' in done.stdout


def test_what_fails_is_listed_and_nothing_else(three: list[Database]) -> None:
    three[0].execute("CREATE SEQUENCE loose; CREATE TABLE more (id serial); SELECT setval('more_id_seq', 5)")
    done = seqfix(
        "check", at(three[0]), *asked([three[0], three[1]]), "--min-remaining", "3000000000", "--format", "markdown"
    )
    assert done.returncode == 1
    assert "more_id_seq" in done.stdout and "loose" not in done.stdout
    only = seqfix("check", at(three[0]), *asked([three[0], three[1]]), "--fail-on", "exhausted", "--format", "markdown")
    assert only.returncode == 0
    assert "orders_id_seq" not in only.stdout


def test_what_fails_by_a_threshold_is_explained(three: list[Database]) -> None:
    done = seqfix("check", at(three[0]), *asked(three[1:2] * 2), "--min-remaining", "3000000000")
    assert done.returncode == 1
    assert "public.orders_id_seq: it has 2,147,483,547 values left, and --min-remaining is 3,000,000,000" in done.stdout


@pytest.mark.parametrize("form", ["markdown", "html"])
def test_forms_that_are_read(form: str, three: list[Database]) -> None:
    three[0].execute('CREATE TABLE "<b>|`x" (id serial); INSERT INTO "<b>|`x" VALUES (7)')
    done = seqfix("check", at(three[0]), *asked(three), "--format", form)
    assert done.returncode == 1
    for database in three:
        assert database.where in done.stdout
    assert "3 databases on " in done.stdout and "1 in order, 2 failing" in done.stdout
    if form == "html":
        assert "<b>" not in done.stdout and "script-src" not in done.stdout
        assert done.stdout.count("<section>") == 3


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (
            ["-d", "nothing_like_it", "-d", "postgres"],
            "--dbname: there is no database nothing_like_it that takes connections and is not a template; there are ",
        ),
        (
            ["-a", "--exclude-database", "postgrs"],
            "no database postgrs that takes connections and is not a template; did you mean postgres?",
        ),
        (["-d", "postgres", "-d", "template[0]", "-q"], "there is no database template[0]"),
        (["-a", "--exclude-database", "*"], "--exclude-database: no database is left; exclude fewer"),
        (["-a", "--format", "csv"], "--format csv is for one database: give one of table, json, markdown, html"),
        (["-a", "--source", "dbname=x"], "--source: a source is of one database; leave -a and the second -d out"),
        (["-d", "postgres", "-d", "host=x"], "two connections are given"),
    ],
)
def test_what_cannot_be_meant(arguments: list[str], said: str, newest_server: Server) -> None:
    done = seqfix("check", newest_server.dsn, *arguments)
    assert (done.returncode, done.stdout) == (2, "")
    assert said in done.stderr


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["-a", "-d", "x"], "-a and -d: give one of them"),
        (["-d", "x", "--exclude-database", "y"], "--exclude-database is for -a, or several -d"),
    ],
)
def test_what_cannot_be_meant_on_any_server(arguments: list[str], said: str) -> None:
    done = seqfix("check", *arguments)
    assert (done.returncode, done.stderr) == (2, f"seqfix: {said}\n")


def test_commands_that_take_one_database(newest_server: Server, three: list[Database]) -> None:
    for command, what in ((["plan"], "plan"), (["suggest"], "suggest"), (["fix", "--dry-run"], "--dry-run")):
        done = seqfix(*command, newest_server.dsn, *asked(three))
        assert (done.returncode, done.stdout) == (2, "")
        assert f"{what} takes one database: give one -d without wildcards; check and fix take many" in done.stderr


@pytest.mark.parametrize("command", ["check", "fix"])
def test_a_schema_that_none_of_them_has(newest_server: Server, three: list[Database], command: str) -> None:
    three[1].execute("CREATE SCHEMA audit CREATE TABLE t (id serial)")
    for names in (["public", "audt"], ["audt"], ["public", "tenant_*"]):
        schemas = [word for name in names for word in ("-n", name)]
        done = seqfix(command, newest_server.dsn, *asked(three), *schemas)
        assert done.returncode == 2
        assert f"no schema {names[-1]} has a sequence in any of the 3 databases" in done.stderr
        assert (done.stdout, three[0].state("orders_id_seq")[:2]) == ("", (1, False)), "nothing was begun"
    for schemas in (["-n", "public", "-n", "audit"], ["-n", "public", "-n", "audt", "--allow-empty"]):
        assert seqfix(command, newest_server.dsn, *asked(three), *schemas).returncode != 2


def test_nothing_is_checked_in_any_of_them(newest_server: Server) -> None:
    with database_on(newest_server) as one, database_on(newest_server) as other:
        done = seqfix("check", at(one), *asked([one, other]))
        assert done.returncode == 2
        assert "nothing was checked: none of the 2 databases has a sequence to check" in done.stderr
        assert "2 with nothing to check" in done.stdout
        assert seqfix("check", at(one), *asked([one, other]), "--allow-empty").returncode == 0


def test_one_database_stays_one_report(three: list[Database]) -> None:
    done = seqfix("check", at(three[1]).replace("dbname=postgres", ""), "-d", three[1].name)
    assert done.returncode == 2 and "two connections" in done.stderr
    parts = dict(part.split("=") for part in at(three[1]).split())
    done = seqfix("check", "-h", parts["host"], "-p", parts["port"], "-U", parts["user"], "-d", three[1].name)
    assert done.stdout == f"2 sequences in database {three[1].where}: 2 in sync\n"
