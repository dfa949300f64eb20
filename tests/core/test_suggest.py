"""Sequences that nothing is known to draw from: what is suggested for them, and that nothing of it is taken unasked."""

from __future__ import annotations

import json
from typing import Any

import pytest

from airflow_seqfix import core
from tests.support.command import seqfix
from tests.support.servers import Database

HIBERNATE = """
    CREATE SEQUENCE hibernate_sequence;
    CREATE TABLE users (id bigint PRIMARY KEY, name text);
    CREATE TABLE groups (id bigint PRIMARY KEY, name text);
    CREATE TABLE members (
        user_id bigint REFERENCES users, group_id bigint REFERENCES groups, PRIMARY KEY (user_id, group_id)
    );
    INSERT INTO users VALUES (40);
"""
#: A table, the sequence's name, and whether the two belong together.
NAMED = [
    ("orders", "orders_seq", True),
    ("orders", "seq_orders", True),
    ("orders", "order_seq", True),
    ("order_item", "order_items_id_seq", True),
    ("order_items", "orderitemsseq", True),
    ("db", "dbs_id_seq", True),
    ("orders", "S_ORDERS", True),
    ("orders", "invoices_seq", False),
    ("orders", "reorders_seq", False),
    ("orders", "seq", False),
    ("orders", "id_seq", False),
]
#: Sequences of frameworks, with the columns that draw from them, and how many ids are made of one call.
FRAMEWORKS = {
    "JHipster": (
        """
        CREATE SEQUENCE sequence_generator START 1050 INCREMENT 50;
        CREATE TABLE databasechangeloglock (id int PRIMARY KEY, locked boolean);
        INSERT INTO databasechangeloglock VALUES (1);
        CREATE TABLE jhi_user (id bigint PRIMARY KEY); CREATE TABLE task (id bigint PRIMARY KEY);
        INSERT INTO task SELECT generate_series(1001, 1120);
        """,
        {"jhi_user.id": 50, "task.id": 50},
    ),
    "EclipseLink": (
        """
        CREATE SEQUENCE seq_gen_sequence START 50 INCREMENT 50;
        CREATE TABLE a (id bigint PRIMARY KEY); CREATE TABLE b (id bigint PRIMARY KEY);
        INSERT INTO b SELECT generate_series(1, 60);
        """,
        {"a.id": 50, "b.id": 50},
    ),
    "Spring Batch": (
        """
        CREATE SEQUENCE batch_job_seq; CREATE SEQUENCE batch_job_execution_seq;
        CREATE SEQUENCE batch_step_execution_seq;
        CREATE TABLE batch_job_instance (job_instance_id bigint PRIMARY KEY);
        CREATE TABLE batch_job_execution (
            job_execution_id bigint PRIMARY KEY, job_instance_id bigint REFERENCES batch_job_instance
        );
        CREATE TABLE batch_step_execution (
            step_execution_id bigint PRIMARY KEY, job_execution_id bigint REFERENCES batch_job_execution
        );
        INSERT INTO batch_job_instance SELECT generate_series(1, 9);
        INSERT INTO batch_job_execution SELECT n, n FROM generate_series(1, 9) AS n;
        INSERT INTO batch_step_execution SELECT n, n FROM generate_series(1, 9) AS n;
        """,
        {
            "batch_job_instance.job_instance_id": 1,
            "batch_job_execution.job_execution_id": 1,
            "batch_step_execution.step_execution_id": 1,
        },
    ),
    "Hibernate, a table per class": (
        """
        CREATE SEQUENCE vehicle_seq INCREMENT 50; CREATE TABLE flyway_schema_history (installed_rank int PRIMARY KEY);
        CREATE TABLE car (id bigint PRIMARY KEY); CREATE TABLE truck (id bigint PRIMARY KEY);
        INSERT INTO truck SELECT generate_series(1, 60);
        """,
        {"car.id": 50, "truck.id": 50},
    ),
    "a number beside the key": (
        """
        CREATE SEQUENCE order_number_seq;
        CREATE TABLE orders (id serial PRIMARY KEY, order_number bigint UNIQUE);
        INSERT INTO orders (order_number) SELECT generate_series(1, 60);
        """,
        {"orders.order_number": 1},
    ),
}


def suggested(db: Database, **options: Any) -> dict[str, list[str]]:
    with db.connect() as conn:
        return core.suggest(conn, **options).mapping


@pytest.mark.parametrize(("table", "sequence", "belongs"), NAMED)
def test_names(table: str, sequence: str, belongs: bool, newest_db: Database) -> None:
    newest_db.execute(f'CREATE TABLE {table} (id bigint PRIMARY KEY); CREATE SEQUENCE "{sequence}"')
    assert list(suggested(newest_db).values()) == ([[f"public.{table}.id"]] if belongs else [])


@pytest.mark.parametrize(("made", "columns"), FRAMEWORKS.values(), ids=FRAMEWORKS)
def test_frameworks(made: str, columns: dict[str, int], db: Database) -> None:
    """What is suggested is all of it, and after the move the next call gives ids that nobody has."""
    db.execute(made)
    with db.connect() as conn:
        suggested = core.suggest(conn)
        assert {str(item.finding.verdict) for item in suggested.items if item.finding} == {"behind"}
        core.fix(conn, mapping=suggested.mapping)
    drawn = {candidate.column: item.sequence for item in suggested.items for candidate in item.suggestion.candidates}
    assert set(drawn) == {f"public.{column}" for column in columns}
    for column, ids in columns.items():
        table, name = column.split(".")
        first = db.value(f"SELECT nextval('{drawn['public.' + column]}')") - ids + 1
        for number in range(first, first + ids):
            db.execute(f"INSERT INTO {table} ({name}) VALUES ({number})")


def test_what_no_framework_makes_is_not_taken_for_its(newest_db: Database) -> None:
    newest_db.execute("""
        CREATE SEQUENCE vehicle_seq INCREMENT 50; CREATE SEQUENCE plant_seq INCREMENT 50;
        CREATE TABLE car (id bigint PRIMARY KEY); CREATE TABLE tree (id bigint PRIMARY KEY);
    """)
    assert suggested(newest_db) == {}, "either may be of either"
    newest_db.execute("DROP SEQUENCE plant_seq; ALTER SEQUENCE vehicle_seq INCREMENT 1")
    assert suggested(newest_db) == {}


def test_one_sequence_for_all_tables(db: Database) -> None:
    db.execute(HIBERNATE)
    with db.connect() as conn:
        found = core.suggest(conn)
        (item,) = found.items
        assert found.mapping == {"public.hibernate_sequence": ["public.groups.id", "public.users.id"]}
        assert item.to_dict()["verdict"] == "behind"
        assert core.check(conn, allow_empty=True).summary["undrawn"] == 1, "nothing was taken"
        assert core.fix(conn, mapping=found.mapping).summary["fixed"] == 1
    assert db.value("SELECT nextval('hibernate_sequence')") == 41
    with db.connect() as conn:
        assert core.suggest(conn, tables=["users"]).mapping == found.mapping
        assert core.suggest(conn, mapping=found.mapping).server.database == db.name


@pytest.mark.parametrize(
    ("made", "evidence"),
    [
        (
            "CREATE TABLE t (id int PRIMARY KEY); CREATE SEQUENCE x OWNED BY t.id",
            "OWNED BY, and its default is gone or was never there",
        ),
        (
            """
            CREATE TABLE t (id int PRIMARY KEY, n text); CREATE SEQUENCE x;
            CREATE FUNCTION add(n text) RETURNS void LANGUAGE sql AS
                $$ INSERT INTO t (n, id) VALUES ('a, b', nextval('x')) $$
            """,
            "function public.add inserts what nextval() returns",
        ),
        (
            """
            CREATE TABLE t (id int PRIMARY KEY, n text); CREATE SEQUENCE x;
            CREATE FUNCTION add(n text) RETURNS void LANGUAGE plpgsql AS
                $$ DECLARE i int; BEGIN i := nextval('x'); INSERT INTO t (n, id) VALUES (n, i); END $$
            """,
            "function public.add inserts what nextval() returns",
        ),
        (
            """
            CREATE TABLE t (id int PRIMARY KEY, n text); CREATE SEQUENCE x;
            CREATE FUNCTION add(n text) RETURNS void LANGUAGE plpgsql AS
                $$ DECLARE i int; BEGIN SELECT nextval('x') INTO i; INSERT INTO t (n, id) SELECT n, i; END $$
            """,
            "function public.add inserts what nextval() returns",
        ),
        (
            """
            CREATE TABLE t (id int PRIMARY KEY); CREATE SEQUENCE x;
            CREATE FUNCTION add() RETURNS trigger LANGUAGE plpgsql AS
                $$ DECLARE v int; BEGIN FOR v IN SELECT nextval('x') LOOP NEW.id := v; END LOOP; RETURN NEW; END $$;
            CREATE TRIGGER add BEFORE INSERT ON t FOR EACH ROW EXECUTE FUNCTION add()
            """,
            "trigger add of public.t calls nextval(): for v in select nextval ( x )",
        ),
    ],
)
def test_evidence(made: str, evidence: str, newest_db: Database) -> None:
    newest_db.execute(made)
    with newest_db.connect() as conn:
        (item,) = core.suggest(conn).items
    (candidate,) = item.suggestion.candidates
    assert candidate.column == "public.t.id"
    assert candidate.evidence.startswith(evidence)


def test_a_stored_body_is_evidence_where_it_inserts(newest_db: Database) -> None:
    """From 14 on the catalogs know what it refers to."""
    is_stored = newest_db.server.version_num >= 14_00_00
    begin, end = ("BEGIN ATOMIC", "END") if is_stored else ("LANGUAGE sql AS $$", "$$")
    newest_db.execute(f"""
        CREATE TABLE t (id int PRIMARY KEY, n text); CREATE SEQUENCE x; CREATE SEQUENCE y;
        CREATE FUNCTION add(n text) RETURNS void {begin} INSERT INTO t (n, id) VALUES (n, nextval('x')); {end};
        CREATE FUNCTION number() RETURNS bigint {begin} SELECT count(id) FROM t; SELECT nextval('y'); {end};
    """)
    with newest_db.connect() as conn:
        found = {item.sequence: item.suggestion.candidates for item in core.suggest(conn).items}
    (candidate,) = found["public.x"]
    assert candidate.column == "public.t.id"
    evidence = "inserts into it, and refers to the sequence" if is_stored else "inserts what nextval() returns"
    assert candidate.evidence.startswith(f"function public.add {evidence}")
    assert found["public.y"] == ()


@pytest.mark.parametrize(
    "column",
    [
        "id int DEFAULT 7 PRIMARY KEY",
        "id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY",
        "id uuid PRIMARY KEY",
        "id int",
    ],
)
def test_what_is_no_candidate(column: str, newest_db: Database) -> None:
    newest_db.execute(f"CREATE TABLE t ({column}); CREATE SEQUENCE t_seq; CREATE TABLE other (id int PRIMARY KEY)")
    assert "public.t_seq" not in suggested(newest_db)


def test_a_gate_can_be_told_to_fail_on_them(newest_db: Database) -> None:
    newest_db.execute(f"{HIBERNATE}; CREATE TABLE t (id serial PRIMARY KEY)")
    done = seqfix("check", newest_db.dsn)
    assert done.returncode == 0
    assert done.stdout.splitlines()[-1].endswith(
        "1 in sync, 1 skipped; 1 sequence that nothing is known to draw from: seqfix suggest"
    )
    assert seqfix("check", "--fail-on", "undrawn", newest_db.dsn).returncode == 1
    with newest_db.connect() as conn:
        report = core.check(conn, fail_on=["undrawn"])
        assert [row.finding.sequence.qualified_name for row in report.failing] == ["public.hibernate_sequence"]


def test_whoever_names_such_a_table_is_told(newest_db: Database) -> None:
    newest_db.execute(
        f"{HIBERNATE}; CREATE TABLE hibernate_sequences (sequence_name text PRIMARY KEY, next_val bigint)"
    )
    with newest_db.connect() as conn:
        with pytest.raises(core.SelectionError, match="; seqfix suggest says which sequence may be theirs"):
            core.check(conn, tables=["users"])
        with pytest.raises(core.SelectionError, match="hibernate_sequences looks like a table of counters"):
            core.check(conn, tables=["hibernate_sequences"])


def test_the_command(newest_db: Database) -> None:
    newest_db.execute(HIBERNATE)
    done = seqfix("suggest", newest_db.dsn)
    assert done.returncode == 0
    assert "public.hibernate_sequence, if it feeds what follows: behind" in done.stdout
    assert "--map public.hibernate_sequence=public.groups.id,public.users.id" in done.stdout
    mapping = json.loads(seqfix("suggest", "--format", "mapping", newest_db.dsn).stdout)
    assert mapping == {"public.hibernate_sequence": ["public.groups.id", "public.users.id"]}
    assert json.loads(seqfix("suggest", "--format", "json", newest_db.dsn).stdout)["mapping"] == mapping
