"""The other side of a cutover: no id that it has handed out is handed out again."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator
from typing import Any

import pytest
from psycopg import sql

from airflow_seqfix import core
from airflow_seqfix.core.measure.validation import READS
from airflow_seqfix.core.obstacles import restless
from tests.support.psql import psql
from tests.support.servers import Database, Server, database_on
from tests.support.watched import Watched

TABLES = """
    CREATE TABLE orders (id serial PRIMARY KEY, note text);
    CREATE SEQUENCE tickets;
    CREATE TABLE labels (name text DEFAULT 'L-' || nextval('tickets'));
    CREATE SEQUENCE alone;
"""
#: Ids up to 1000 were handed out, and the rows from 201 on are gone.
LIVED = """
    INSERT INTO orders (note) SELECT '' FROM generate_series(1, 1000);
    DELETE FROM orders WHERE id > 200;
    SELECT setval('tickets', 70), setval('alone', 5000);
"""
COPIED = "INSERT INTO orders (id) SELECT generate_series(1, 200); INSERT INTO labels (name) VALUES ('L-1')"


@pytest.fixture
def old(newest_server: Server) -> Iterator[Database]:
    with database_on(newest_server) as database:
        database.execute(TABLES + LIVED)
        yield database


@pytest.fixture
def new(newest_db: Database) -> Database:
    newest_db.execute(TABLES + COPIED)
    return newest_db


def report_of(old: Database) -> dict[str, Any]:
    """Return a report that serves as a source, as it comes back from a file."""
    with old.connect() as conn:
        return json.loads(json.dumps(core.check(conn, all_positions=True).to_dict()))


def source_of(old: Database, kind: str) -> Any:
    return {
        "connection": old.connect,
        "uri": lambda: old.dsn,
        "psycopg2": old.psycopg2,
        "report": lambda: report_of(old),
    }[kind]()


def rows(report: core.Report) -> dict[str, dict[str, Any]]:
    return {row["sequence"].removeprefix("public."): row for row in report.to_dict()["sequences"]}


@pytest.mark.parametrize("kind", ["connection", "uri", "psycopg2", "report"])
@pytest.mark.parametrize("lock", ["auto", "none", "sequence", "guarded"])
def test_what_the_source_has_handed_out_is_passed(kind: str, lock: Any, old: Database, new: Database) -> None:
    with new.connect() as conn:
        before = rows(core.check(conn, source=source_of(old, kind)))
        report = core.fix(conn, source=source_of(old, kind), lock=lock)
        again = core.fix(conn, source=source_of(old, kind), lock=lock)
    assert {
        name: (row["verdict"], row["next_value"], row["source_next_value"], row["gap"]) for name, row in before.items()
    } == {
        "orders_id_seq": ("behind", 1, 1001, 1000),
        "tickets": ("behind", 1, 71, 70),
        "alone": ("behind", 1, 5001, 5000),
    }
    assert before["orders_id_seq"]["reason"] == "the next value is 1, and its source has handed out 1000"
    assert report.ok and report.summary["fixed"] == report.summary["verified"] == 3
    assert not any(row.outcome for row in again)
    assert new.value("INSERT INTO orders (note) VALUES ('') RETURNING id") == 1001
    assert new.value("INSERT INTO labels DEFAULT VALUES RETURNING name") == "L-71"
    assert new.value("SELECT nextval('alone')") == 5001


def test_without_it_ids_are_handed_out_again(old: Database, new: Database) -> None:
    with new.connect() as conn:
        core.fix(conn)
    assert new.value("INSERT INTO orders (note) VALUES ('') RETURNING id") == 201


SWAP = """
    BEGIN; ALTER SEQUENCE alone RENAME TO other; ALTER SEQUENCE tickets RENAME TO alone;
    ALTER SEQUENCE other RENAME TO tickets; COMMIT
"""


def reads_positions(statement: str) -> bool:
    return "SELECT 0, s.last_value" in statement


@pytest.mark.parametrize("times", [1, 100])
def test_sequences_that_are_renamed_while_the_source_is_read(times: int, db: Database, server: Server) -> None:
    with database_on(server) as old:
        old.execute(TABLES + LIVED)
        db.execute(TABLES + COPIED)
        swapped = 0

        def swap(statement: str) -> None:
            nonlocal swapped
            if reads_positions(statement) and swapped < times:
                swapped += 1
                old.execute(SWAP)

        watched = Watched(old.psycopg2())
        watched.before = swap
        with db.connect() as conn, contextlib.closing(watched):
            found = rows(core.check(conn, source=watched))
    assert swapped == min(times, READS)
    standing = {name: found[name]["source_next_value"] for name in ("alone", "tickets")}
    if times == 1:
        assert standing == {"alone": 71, "tickets": 5001}
    else:
        assert standing == {"alone": None, "tickets": None}
        assert {found[name]["verdict"] for name in standing} == {"unknown"}
        assert restless().reason in found["alone"]["reason"]


def test_the_source_is_only_read(old: Database, new: Database) -> None:
    old.execute(f"ALTER DATABASE {old.name} SET default_transaction_read_only = on")
    states = [old.state(name) for name in ("orders_id_seq", "tickets", "alone")]
    with new.connect() as conn, old.connect() as there:
        core.fix(conn, source=there)
        assert there.info.transaction_status == 0 and there.autocommit
    assert [old.state(name) for name in ("orders_id_seq", "tickets", "alone")] == states


def test_rows_that_have_come_further_count(old: Database, new: Database) -> None:
    new.execute("INSERT INTO orders (id) VALUES (1500)")
    with new.connect() as conn, old.connect() as there:
        core.fix(conn, source=there, margin=10)
    assert new.value("INSERT INTO orders (note) VALUES ('') RETURNING id") == 1511
    assert new.value("SELECT nextval('alone')") == 5011


def test_an_outlier_is_one_from_where_the_source_stands(old: Database, new: Database) -> None:
    old.execute("SELECT setval('orders_id_seq', 1200000000)")
    new.execute("INSERT INTO orders (id) SELECT generate_series(1199999900, 1199999905)")
    with new.connect() as conn, old.connect() as there:
        assert rows(core.check(conn))["orders_id_seq"]["outliers"]["count"] == 6, "without a source"
        report = core.fix(conn, source=there)
        assert rows(report)["orders_id_seq"]["outliers"] is None
        assert new.value("SELECT nextval('orders_id_seq')") == 1_200_000_001
        new.execute("INSERT INTO orders (id) VALUES (2147480000)")
        row = rows(core.check(conn, source=there))["orders_id_seq"]
    assert (row["verdict"], row["outliers"]["lowest"]) == ("behind", 2_147_480_000)


def test_downwards_with_other_steps(old: Database, new: Database) -> None:
    for database, step in ((old, -10), (new, -7)):
        database.execute(
            f"CREATE TABLE down (id bigint GENERATED BY DEFAULT AS IDENTITY (INCREMENT {step}) PRIMARY KEY)"
        )
    old.execute("INSERT INTO down SELECT FROM generate_series(1, 50)")
    last = old.value("SELECT min(id) FROM down")
    with new.connect() as conn, old.connect() as there:
        report = core.fix(conn, source=there)
    row = rows(report)["down_id_seq"]
    assert row["source_differs"] == "increment_by is -10 there and -7 here"
    assert "source_differs" in row["warnings"]
    # Every value before the next one there counts: an application may make several ids of one.
    assert last - 10 - 2 * 7 < new.value("INSERT INTO down DEFAULT VALUES RETURNING id") <= last - 10


def test_nothing_of_it_was_used(old: Database, new: Database) -> None:
    """A sequence that stands at its start has handed out nothing, and the same holds on the new side."""
    for database in (old, new):
        database.execute("CREATE SEQUENCE fresh START 100; CREATE SEQUENCE first")
    with new.connect() as conn, old.connect() as there:
        report = core.fix(conn, source=there)
        assert rows(core.check(conn, source=there, margin=10))["first"]["verdict"] == "in_sync"
    assert rows(report)["fresh"]["verdict"] == "in_sync"
    assert new.value("SELECT nextval('fresh')") == 100


def test_more_than_fits_here_is_exhausted(old: Database, new: Database) -> None:
    old.execute("ALTER SEQUENCE orders_id_seq AS bigint; SELECT setval('orders_id_seq', 3000000000)")
    with new.connect() as conn, old.connect() as there:
        report = core.fix(conn, source=there)
    row = rows(report)["orders_id_seq"]
    assert (row["verdict"], row["gap"]) == ("exhausted", 0)
    assert row["reason"].startswith(
        "its source has handed out 3000000000, and the last value that fits here is 2147483647, "
    )
    assert "ALTER TABLE public.orders ALTER id TYPE bigint;" in row["cure"]
    assert new.state("orders_id_seq")[:2] == (1, False)


@pytest.mark.parametrize("kind", ["connection", "report"])
@pytest.mark.parametrize(
    ("definition", "last"),
    [("", 2147483647), ("MAXVALUE 2147483647 INCREMENT 7", 2147483647), ("INCREMENT -1 MINVALUE -100 START -1", -100)],
)
def test_the_last_value_is_not_taken(kind: str, definition: str, last: int, old: Database, new: Database) -> None:
    for database in (old, new):
        database.execute(
            f"CREATE SEQUENCE far {definition}; CREATE TABLE d (id int PRIMARY KEY DEFAULT nextval('far'))"
        )
        database.execute("CREATE SEQUENCE lone MAXVALUE 100")
    old.execute(f"SELECT setval('far', {last}), setval('lone', 100)")
    with new.connect() as conn:
        found = rows(core.fix(conn, source=source_of(old, kind)))
    assert [found[name]["verdict"] for name in ("far", "lone")] == ["exhausted"] * 2
    assert not {"way", "before"} & (found["far"].keys() | found["lone"].keys())
    assert new.value("INSERT INTO d DEFAULT VALUES RETURNING id") == (-1 if last < 0 else 1)
    assert new.value("SELECT nextval('lone')") == 1


@pytest.mark.parametrize("kind", ["connection", "report"])
@pytest.mark.parametrize(
    "there",
    [
        "ALTER SEQUENCE s INCREMENT BY 50 RESTART WITH 501",
        "ALTER SEQUENCE s INCREMENT BY 1000 RESTART WITH 501",
        "ALTER SEQUENCE s MINVALUE 501 START 501 RESTART",
        "ALTER SEQUENCE s MINVALUE 500 START 500; SELECT setval('s', 501, false)",
        "ALTER SEQUENCE s INCREMENT BY 3; SELECT nextval('s')",
    ],
)
def test_a_definition_that_was_altered_there(kind: str, there: str, old: Database, new: Database) -> None:
    """What a sequence has handed out before does not change with its definition."""
    for database in (old, new):
        database.execute("CREATE SEQUENCE s; CREATE TABLE d (id int PRIMARY KEY DEFAULT nextval('s'))")
    old.execute(f"SELECT setval('s', 500); {there}")
    last = old.value("SELECT CASE WHEN is_called THEN last_value ELSE 500 END FROM s")
    with new.connect() as conn:
        assert core.fix(conn, source=source_of(old, kind)).ok
    assert new.value("INSERT INTO d DEFAULT VALUES RETURNING id") > last


@pytest.mark.parametrize("kind", ["connection", "report"])
def test_a_position_that_began_anew_tells_nothing(kind: str, old: Database, new: Database) -> None:
    old.execute("CREATE SEQUENCE s MAXVALUE 100 CYCLE; SELECT count(nextval('s')) FROM generate_series(1, 130)")
    new.execute("CREATE SEQUENCE s; CREATE TABLE d (id int PRIMARY KEY DEFAULT nextval('s'))")
    with new.connect() as conn:
        found = rows(core.fix(conn, source=source_of(old, kind)))
    assert found["s"]["verdict"] == "unknown" and "it has CYCLE there" in found["s"]["reason"]
    assert new.state("s")[:2] == (1, False)


def test_nearly_all_values_were_handed_out(old: Database, new: Database) -> None:
    old.execute("SELECT setval('orders_id_seq', 2147483640)")
    with new.connect() as conn, old.connect() as there:
        report = core.fix(conn, source=there)
    assert rows(report)["orders_id_seq"]["verified"]
    assert new.value("INSERT INTO orders (note) VALUES ('') RETURNING id") == 2_147_483_641


def test_what_one_side_alone_has_is_said(old: Database, new: Database) -> None:
    new.execute("CREATE TABLE added (id serial); CREATE SEQUENCE spare")
    old.execute("CREATE SEQUENCE dropped; CREATE SCHEMA other; CREATE SEQUENCE other.s")
    with new.connect() as conn, old.connect() as there:
        report = core.check(conn, source=there)
    found = rows(report)
    assert "not_at_source" in found["added_id_seq"]["warnings"] and found["added_id_seq"]["verdict"] == "in_sync"
    assert "not_at_source" in found["spare"]["warnings"] and found["spare"]["verdict"] == "skipped"
    assert report.to_dict()["source"]["only_there"] == ["public.dropped"]


def test_schemas_may_be_renamed(old: Database, new: Database) -> None:
    new.execute('ALTER SCHEMA public RENAME TO "New App"')
    with new.connect() as conn, old.connect() as there:
        with pytest.raises(core.ArgumentError, match=r"has none of the 3 sequences here; .*source_schemas"):
            core.check(conn, source=there)
        report = core.fix(conn, source=there, source_schemas={'"New App"': "public"})
        assert report.summary["fixed"] == 3
        with pytest.raises(core.SelectionError, match="there is no schema pulic with sequences in the source; did you"):
            core.check(conn, source=there, source_schemas={'"New App"': "pulic"})
        with pytest.raises(core.SelectionError, match="there is no schema app with sequences in "):
            core.check(conn, source=there, source_schemas={"app": "public"})
        with pytest.raises(core.ArgumentError, match="source_schemas: there is no source; give source as well"):
            core.check(conn, source_schemas={"app": "public"})


NAMES = [
    "a.b",
    'with "quotes"',
    "back\\slash",
    "st*r",
    "[0]",
    "größe",
    "new\nline",
    "'; DROP TABLE orders; --",
    "select",
    "UP",
]


@pytest.mark.parametrize("kind", ["uri", "report"])
def test_names_that_are_hard_to_write(kind: str, old: Database, new: Database) -> None:
    for database in (old, new):
        with database.connect() as conn:
            for name in NAMES:
                conn.execute(sql.SQL("CREATE SEQUENCE {}").format(sql.Identifier(name)))
    with old.connect() as conn:
        for number, name in enumerate(NAMES):
            conn.execute("SELECT setval(%s, %s)", [sql.Identifier(name).as_string(conn), 100 + number])
    with new.connect() as conn:
        report = core.fix(conn, source=source_of(old, kind))
        assert report.ok and report.only_at_source == ()
        for number, name in enumerate(NAMES):
            ((value,),) = conn.execute("SELECT nextval(%s)", [sql.Identifier(name).as_string(conn)]).fetchall()
            assert value == 101 + number, name


def test_what_is_altered_in_the_middle_does_not_end_a_run(old: Database, new: Database) -> None:
    """The schema that has another name in the source goes away while the others are moved."""
    new.execute("CREATE SCHEMA app; CREATE SEQUENCE app.s; ALTER SEQUENCE orders_id_seq OWNED BY NONE")
    old.execute("CREATE SCHEMA here; CREATE SEQUENCE here.s; SELECT setval('here.s', 7)")
    dropped = []

    def drop(progress: core.Progress) -> None:
        if progress.phase == "move" and not dropped:
            dropped.append(new.execute("DROP SCHEMA app CASCADE"))

    with new.connect() as conn, old.connect() as there:
        report = core.fix(conn, source=there, source_schemas={"app": "here"}, progress=drop)
    assert dropped
    assert rows(report)["alone"]["verified"]
    assert not rows(report)["app.s"]["verified"]


def test_a_role_that_may_not_read_there(old: Database, new: Database) -> None:
    role = old.role()
    old.execute(f"GRANT SELECT ON SEQUENCE orders_id_seq, tickets TO {role}")
    with new.connect() as conn, old.connect(user=role) as there:
        report = core.fix(conn, source=there)
    row = rows(report)["alone"]
    assert row["verdict"] == "unknown"
    assert row["reason"] == f"in its source, {old.place}: role {role} may not read sequence public.alone"
    assert row["cure"] == f"GRANT SELECT ON SEQUENCE public.alone TO {role};"
    assert rows(report)["orders_id_seq"]["verified"]
    assert new.state("alone")[:2] == (1, False)


def test_the_other_direction_is_unknown(old: Database, new: Database) -> None:
    old.execute("ALTER SEQUENCE alone INCREMENT -1 MINVALUE -100")
    with new.connect() as conn, old.connect() as there:
        row = rows(core.check(conn, source=there))["alone"]
    assert row["verdict"] == "unknown"
    assert "its increment is -1 there, and 1 here" in row["reason"]


def test_a_report_without_positions_is_not_taken_for_one(old: Database, new: Database) -> None:
    with old.connect() as conn, new.connect() as here:
        plain = core.check(conn)
        found = rows(core.check(here, source=plain))
    assert found["orders_id_seq"]["source_next_value"] == 1001
    assert found["alone"]["verdict"] == "unknown"
    assert found["alone"]["reason"].endswith(
        ": the report does not say where public.alone stands; it was skipped: no column draws from it"
    )
    assert found["alone"]["cure"] == "make the report with all_positions=True, as a role that may read it"


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (lambda report: {}, "source: this is not a report; make a new one"),
        (lambda report: report | {"report_version": 7}, "source: the report is of version 7, not 1; make a new one"),
        (lambda report: report | {"truncated": 3}, "source: the report was cut short"),
        (lambda report: report | {"all_sequences": False}, "source: the report is of a selection"),
        (lambda report: report | {"sequences": report["sequences"][:1] * 2}, "twice; make a new one"),
        (lambda report: report | {"in_recovery": True}, "is a standby, which may lag behind"),
        (
            lambda report: {k: v for k, v in report.items() if k != "host"},
            "the report has host=None, and str is expected",
        ),
        (lambda report: report | {"started_at": "once"}, "the report has started_at='once'"),
        (lambda report: report | {"sequences": [3]}, "sequence 1 of the report is not an object"),
        (
            lambda report: report | {"sequences": [{"sequence": "a.b"}]},
            "sequence 1 of the report has cycle=None, and bool is expected",
        ),
        (
            lambda report: report | {"sequences": [report["sequences"][0] | {"next_value": "1; DROP"}]},
            "sequence 1 of the report has next_value='1; DROP'",
        ),
        (
            lambda report: report | {"sequences": [report["sequences"][0] | {"next_value": 10**30}]},
            f"sequence 1 of the report has next_value={10**30}",
        ),
        (
            lambda report: (
                report | {"sequences": [report["sequences"][0] | {"max_value": 10**30, "next_value": 10**29}]}
            ),
            f"sequence 1 of the report has next_value={10**29}",
        ),
        *(
            (
                lambda report, name=name: report | {"sequences": [report["sequences"][0] | {"sequence": name}]},
                f"the report has a sequence {name!r}, which is not a name with its schema",
            )
            for name in ("*.*", "a.b.c.d", "tickets", "")
        ),
        (lambda report: report | {"sequences": []}, "has none of the 3 sequences here"),
    ],
)
def test_a_report_that_does_not_serve(spoil: Any, said: str, old: Database, new: Database) -> None:
    with new.connect() as conn, pytest.raises(core.ArgumentError) as refusal:
        core.fix(conn, source=spoil(report_of(old)))
    assert said in str(refusal.value)
    assert not refusal.value.retryable
    assert new.state("orders_id_seq")[:2] == (1, False)


def test_a_source_that_is_the_target(old: Database, new: Database) -> None:
    for source in (new.connect(), report_of(new), report_of(new) | {"host": "elsewhere"}):
        with new.connect() as conn, pytest.raises(core.ArgumentError, match="is the database that is checked; give"):
            core.fix(conn, source=source)
    assert new.state("orders_id_seq")[:2] == (1, False)


def test_a_report_of_what_stood_at_the_same_address(old: Database, new: Database) -> None:
    """The new side has taken over host, port and name."""
    address = {name: report_of(new)[name] for name in ("host", "port", "database")}
    with new.connect() as conn:
        assert core.fix(conn, source=report_of(old) | address | {"server_started_at": "2020-01-01"}).ok
    assert new.value("INSERT INTO orders (note) VALUES ('') RETURNING id") == 1001


@pytest.mark.parametrize("selection", [{"schemas": ["public"]}, {"tables": ["orders"]}, {"exclude": ["tickets"]}])
def test_a_report_of_a_selection_is_no_source(selection: Any, old: Database, new: Database) -> None:
    with old.connect() as there:
        part = core.check(there, all_positions=True, **selection).to_dict()
    with new.connect() as conn, pytest.raises(core.ArgumentError, match="of a selection and does not hold all"):
        core.fix(conn, source=part)


def test_what_the_source_does_not_have_can_fail_a_gate(old: Database, new: Database) -> None:
    new.execute("CREATE TABLE added (id serial)")
    with new.connect() as conn:
        core.fix(conn, source=old.connect)
        assert core.check(conn, source=old.connect).ok
        assert not core.check(conn, source=old.connect, fail_on=["not_at_source"]).ok


@pytest.mark.parametrize("source", [7, object(), ""])
def test_a_source_that_is_no_connection(source: Any, new: Database) -> None:
    with new.connect() as conn, pytest.raises(core.ArgumentError, match=r"^source: "):
        core.fix(conn, source=source)


def test_a_source_that_cannot_be_reached(new: Database) -> None:
    with new.connect() as conn:
        with pytest.raises(core.ConnectionFailedError, match=r"^source: .*port 1 failed") as failure:
            core.fix(conn, source="postgresql://u:s3cr3t@127.0.0.1:1/x")
        assert "s3cr3t" not in str(failure.value)
        with pytest.raises(core.ArgumentError, match=r"^source: it is not a connection string; give ") as refusal:
            core.fix(conn, source="postgresql://u:s3cr3t@[::1/x")
        assert "s3cr3t" not in str(refusal.value)
    assert new.state("orders_id_seq")[:2] == (1, False)


def test_a_plan_holds_it(old: Database, new: Database) -> None:
    with new.connect() as conn, old.connect() as there:
        plan = core.plan(conn, source=there)
        stored = json.loads(json.dumps(plan.to_dict()))
        assert stored["options"]["source"] == f"postgresql://{old.place.partition(' on ')[2]}/{old.name}"
        assert {m["sequence"]: m["source_next_value"] for m in stored["moves"]}["public.alone"] == 5001
        with pytest.raises(core.ArgumentError, match="source=None: the plan was made with 'postgresql://"):
            core.fix(conn, plan=stored)
        stored["moves"][0]["target"] += 1
        raised = core.fix(conn, plan=stored, source=there)
        assert len([row for row in raised if row.outcome and row.outcome.error]) == 1, "a target that somebody raised"
        assert core.fix(conn, plan=plan, source=there).ok
    assert new.value("SELECT nextval('alone')") == 5001


def test_a_plan_as_sql_holds_it(old: Database, new: Database) -> None:
    with new.connect() as conn, old.connect() as there:
        for lock in ("none", "sequence", "guarded"):
            script = core.plan(conn, source=there, lock=lock).to_sql()
            done = psql(new.dsn, "--csv", script=script)
            assert done.stderr == ""
            assert "public.alone,5001,5000,t" in done.stdout
            assert new.state("orders_id_seq")[:2] == (1000, True)
            new.execute(
                "SELECT setval('orders_id_seq', 1, false), setval('alone', 1, false), setval('tickets', 1, false)"
            )


def test_the_source_is_within_the_same_limits(old: Database, new: Database) -> None:
    with new.connect() as conn, old.connect() as there, old.connect() as other, other.transaction():
        other.execute("ALTER SEQUENCE alone OWNER TO CURRENT_USER")
        row = rows(core.check(conn, source=there, lock_timeout=0.05))["alone"]
    assert row["verdict"] == "unknown" and row["reason"].startswith("in its source, ")
