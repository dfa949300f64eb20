"""Tables of one owner that are slow to read: the others' sequences are read and repaired all the same."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from airflow_seqfix import core
from airflow_seqfix.core.obstacles import PUT_OFF
from tests.support.servers import Database

#: What the function of an index becomes.
SLOW = {
    "sleeps": "BEGIN PERFORM pg_sleep(1000); RETURN 1; END",
    "works": "DECLARE n bigint := 0; BEGIN LOOP n := n + 1; END LOOP; RETURN 1; END",
    "just in time": "BEGIN PERFORM pg_sleep(0.8); RETURN 1; END",
    "ignores cancels": """
        BEGIN LOOP BEGIN PERFORM pg_sleep(1000); EXCEPTION WHEN query_canceled THEN NULL; END; END LOOP; END""",
}


def made(db: Database, slow: int, *, owners: int = 1, others: int = 120) -> None:
    """Make tables that are behind: of one owner with an index function, and of others, before and after by name."""
    names = [db.role() for _ in range(owners + 1)]
    for owner in names:
        db.execute(f"CREATE SCHEMA {owner} AUTHORIZATION {owner}")
    theirs = names[0]
    db.execute(f"ALTER SCHEMA {theirs} RENAME TO theirs")
    with db.connect() as conn:
        conn.execute(f"SET ROLE {theirs}")
        conn.execute("CREATE FUNCTION theirs.f(int) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT 1'")
        for number in range(slow):
            conn.execute(f"CREATE TABLE theirs.t{number} (id serial PRIMARY KEY)")
            conn.execute(f"INSERT INTO theirs.t{number} VALUES (1); CREATE INDEX ON theirs.t{number} ((theirs.f(1)))")
        for number in range(others):
            owner = names[1 + number % owners]
            conn.execute(f"SET ROLE {owner}; CREATE TABLE {owner}.o{number} (id serial PRIMARY KEY)")
            conn.execute(f"INSERT INTO {owner}.o{number} VALUES (1)")


def slowed(db: Database, how: str) -> None:
    db.execute(f"""
        CREATE OR REPLACE FUNCTION theirs.f(int) RETURNS int LANGUAGE plpgsql IMMUTABLE AS $${SLOW[how]}$$
    """)


def split(report: core.Report) -> tuple[list[core.Row], list[core.Row]]:
    rows = list(report.rows)
    return [r for r in rows if r.sequence.startswith("theirs.")], [
        r for r in rows if not r.sequence.startswith("theirs.")
    ]


@pytest.mark.parametrize("how", SLOW)
@pytest.mark.parametrize(("slow", "jobs"), [(1, 1), (60, 1), (60, 3)])
@pytest.mark.long
def test_the_others_are_repaired(slow: int, jobs: int, how: str, newest_db: Database) -> None:
    made(newest_db, slow, owners=3)
    slowed(newest_db, how)
    report = core.fix(newest_db.connect, statement_timeout=1, run_timeout=12, jobs=jobs)
    theirs, others = split(report)
    assert len(others) == 120 and len(theirs) == slow
    assert all(row.is_fixed for row in others)
    assert how == "just in time" or {str(row.verdict) for row in theirs} == {"unknown"}


@pytest.mark.parametrize("how", SLOW)
@pytest.mark.long
def test_the_others_are_known(how: str, newest_db: Database) -> None:
    made(newest_db, 20, owners=30, others=40)
    slowed(newest_db, how)
    theirs, others = split(core.check(newest_db.connect, statement_timeout=1, run_timeout=9))
    assert {str(row.verdict) for row in others} == {"behind"} and len(others) == 40
    assert how == "just in time" or {str(row.verdict) for row in theirs} == {"unknown"}


@pytest.mark.long
def test_what_is_quick_of_a_slow_owner_is_repaired(newest_db: Database) -> None:
    db = newest_db
    made(db, 1, others=3)
    slowed(db, "sleeps")
    db.execute("".join(f"CREATE TABLE theirs.q{n} (id serial PRIMARY KEY); INSERT INTO theirs.q{n} VALUES (1);"
                       for n in range(120)))  # fmt: skip
    db.execute("".join(f"ALTER TABLE theirs.q{n} OWNER TO {db.roles[0]};" for n in range(120)))
    report = core.fix(db.connect, statement_timeout=1, run_timeout=60)
    (left,) = [row for row in report.rows if not row.is_fixed]
    assert (left.sequence, str(left.verdict)) == ("theirs.t0_id_seq", "unknown")
    assert left.reason == "the read took longer than statement_timeout (1 s)"


@pytest.mark.long
def test_slow_partitions_add_up(newest_db: Database) -> None:
    """No statement reaches its timeout, and there are many."""
    db = newest_db
    made(db, 0, others=10)
    db.execute(f"""
        SET ROLE {db.roles[0]};
        CREATE TABLE theirs.parted (id serial, part int) PARTITION BY LIST (part);
    """)
    with db.connect() as conn:
        for number in range(1, 1301):
            conn.execute(f"CREATE TABLE theirs.p{number} PARTITION OF theirs.parted FOR VALUES IN ({number})")
            if number % 100 == 0:
                conn.execute(f"CREATE INDEX ON theirs.p{number} ((theirs.f(1)))")
    db.execute("""
        CREATE OR REPLACE FUNCTION theirs.f(int) RETURNS int LANGUAGE plpgsql IMMUTABLE AS
            $$ BEGIN PERFORM pg_sleep(0.9); RETURN 1; END $$
    """)
    report = core.fix(db.connect, statement_timeout=6, run_timeout=20)
    _, others = split(report)
    assert len(others) == 10 and all(row.is_fixed for row in others)


@pytest.mark.parametrize(("slow", "seconds", "is_alone"), [(60, 0.6, True), (400, 0.018, False)])
@pytest.mark.long
def test_reads_that_are_not_quite_slow_add_up(slow: int, seconds: float, is_alone: bool, newest_db: Database) -> None:
    db = newest_db
    made(db, slow, owners=3)
    db.execute(f"""
        CREATE OR REPLACE FUNCTION theirs.f(int) RETURNS int LANGUAGE plpgsql IMMUTABLE AS
            $$ BEGIN PERFORM pg_sleep({seconds}); RETURN 1; END $$
    """)
    for number in range(slow * is_alone):
        db.execute(f"""
            ALTER TABLE theirs.t{number} DROP CONSTRAINT t{number}_pkey;
            UPDATE pg_class SET reltuples = 1000000, relpages = 10000 WHERE oid = 'theirs.t{number}'::regclass
        """)
    _, others = split(core.fix(db.connect, statement_timeout=3, run_timeout=20))
    assert len(others) == 120 and all(row.is_fixed for row in others)


@pytest.mark.parametrize("fix", [core.check, core.fix])
@pytest.mark.long
def test_many_tables_that_each_take_a_little(fix: Callable[..., core.Report], newest_db: Database) -> None:
    """None of them is slow, and fifty of them are."""
    db = newest_db
    made(db, 250, others=0)
    db.execute("""
        CREATE OR REPLACE FUNCTION theirs.f(int) RETURNS int LANGUAGE plpgsql IMMUTABLE AS
            $$ BEGIN PERFORM pg_sleep(0.03); RETURN 1; END $$
    """)
    report = fix(db.connect, statement_timeout=1, run_timeout=25)
    assert {str(row.verdict) for row in report.rows} == {"behind" if fix is core.check else "in_sync"}


@pytest.mark.long
def test_whoever_draws_from_many_owners_sequences_is_one(newest_db: Database) -> None:
    db = newest_db
    made(db, 1, owners=9, others=90)
    db.execute("CREATE SCHEMA drawing")
    for number, owner in enumerate(db.roles[1:]):
        db.execute(f"""
            GRANT USAGE ON SCHEMA {owner} TO {db.roles[0]};
            GRANT USAGE ON ALL SEQUENCES IN SCHEMA {owner} TO {db.roles[0]};
            CREATE TABLE drawing.t{number} (id int DEFAULT nextval('{owner}.o{number}_id_seq') PRIMARY KEY);
            INSERT INTO drawing.t{number} VALUES (1);
            CREATE INDEX ON drawing.t{number} ((theirs.f(1)));
            ALTER TABLE drawing.t{number} OWNER TO {db.roles[0]};
        """)
    slowed(db, "sleeps")
    _, others = split(core.fix(db.connect, statement_timeout=2, run_timeout=14))
    assert len(others) == 90 and sum(row.is_fixed for row in others) == 81
    assert {str(row.verdict) for row in others if not row.is_fixed} == {"unknown"}


@pytest.mark.long
@pytest.mark.parametrize("sorts", ["first", "last"])
def test_long_moves_of_one_owner(sorts: str, newest_db: Database) -> None:
    db = newest_db
    made(db, 40, owners=2, others=51)
    db.execute(f"ALTER SCHEMA theirs RENAME TO {'a' if sorts == 'first' else 'z'}_theirs")
    schema = db.value("SELECT nspname FROM pg_namespace WHERE nspname LIKE '%theirs'")
    for number in range(40):
        far = 10**12 if number == 0 else 300_000
        db.execute(f"""
            ALTER TABLE {schema}.t{number} ALTER id TYPE bigint; ALTER SEQUENCE {schema}.t{number}_id_seq AS bigint
        """)
        db.execute(f"INSERT INTO {schema}.t{number} SELECT generate_series({far}, {far} + 150)")
    own, other = db.roles[1], "o0"
    db.execute(f"INSERT INTO {own}.{other} SELECT generate_series(400000, 400150)")
    report = core.fix(db.connect, lock="none", run_timeout=12)
    left = [row for row in report.rows if not row.is_fixed]
    assert left and {row.sequence.split(".")[0] for row in left} == {schema}


@pytest.mark.long
def test_sequences_that_somebody_keeps_in_use(newest_db: Database) -> None:
    db = newest_db
    made(db, 40, others=50)
    for number in range(40):
        db.execute(f"INSERT INTO theirs.t{number} SELECT generate_series(20000, 20150)")
    with db.connect() as holder, holder.transaction():
        for number in range(40):
            holder.execute(f"SELECT nextval('theirs.t{number}_id_seq')")
        theirs, others = split(core.fix(db.connect, run_timeout=12))
    assert all(row.is_fixed for row in others) and len(others) == 50
    errors = {row.outcome.error.sqlstate for row in theirs if row.outcome and row.outcome.error}
    assert "55P03" in errors and errors <= {"55P03", None}, "a lock, or run_timeout"
    assert [row for row in core.fix(db.connect).rows if row.verdict != "in_sync"] == []


@pytest.mark.parametrize("is_stored", [False, True])
@pytest.mark.long
def test_what_was_in_one_statement_with_slow_tables(is_stored: bool, newest_db: Database) -> None:
    """All of one owner: whatever is found behind is moved before the next slow read."""
    db = newest_db
    made(db, 63, others=0)
    plan = core.plan(db.connect).to_dict() if is_stored else None
    for number in range(60):
        db.execute(f"DROP INDEX theirs.t{number}_f_idx")
    slowed(db, "sleeps")
    report = core.fix(db.connect, plan=plan, statement_timeout=2, run_timeout=16)
    left = {row.sequence: row for row in report.rows if not row.is_fixed}
    assert left.keys() == {f"theirs.t{number}_id_seq" for number in (60, 61, 62)}
    assert {str(row.verdict) for row in left.values()} == {"unknown"}
    errors = [row.outcome.error for row in left.values() if row.outcome and row.outcome.error]
    assert len(errors) == (3 if is_stored else 0)
    assert {error.remedy for error in errors} <= {"a larger statement_timeout", "a larger run_timeout", PUT_OFF.remedy}
    assert db.value("INSERT INTO theirs.t59 DEFAULT VALUES RETURNING id") == 2


@pytest.mark.parametrize("options", [{}, {"lock": "none"}, {"lock": "sequence"}, {"jobs": 3}])
@pytest.mark.long
def test_sequences_that_somebody_keeps_locked(options: dict[str, Any], newest_db: Database) -> None:
    db = newest_db
    made(db, 120, others=150)
    with db.connect() as holder, holder.transaction():
        for number in range(60):
            holder.execute(f"ALTER SEQUENCE theirs.t{number}_id_seq CACHE 1")
        theirs, others = split(core.fix(db.connect, run_timeout=20, **options))
    assert all(row.is_fixed for row in others) and len(others) == 150
    errors = {row.outcome.error.sqlstate for row in theirs if row.outcome and row.outcome.error}
    # On a slow machine run_timeout comes before the first lock.
    assert errors and errors <= {"55P03", None}, "a lock, or run_timeout"
    assert [row for row in core.fix(db.connect).rows if row.verdict != "in_sync"] == []


@pytest.mark.long
def test_what_is_not_locked_of_an_owner_is_moved(newest_db: Database) -> None:
    db = newest_db
    made(db, 60, others=3)
    with db.connect() as holder, holder.transaction():
        for number in range(0, 60, 3):
            holder.execute(f"ALTER SEQUENCE theirs.t{number}_id_seq CACHE 1")
        report = core.fix(db.connect, run_timeout=60)
    left = {row.sequence for row in report.rows if not row.is_fixed}
    assert left == {f"theirs.t{number}_id_seq" for number in range(0, 60, 3)}


@pytest.mark.parametrize("is_stored", [False, True])
@pytest.mark.long
def test_a_plan_of_slow_tables_is_made_in_full(is_stored: bool, newest_db: Database) -> None:
    """Large tables without an index are slow as well, and often all tables have one owner."""
    db = newest_db
    made(db, 4, others=3)
    db.execute("""
        CREATE OR REPLACE FUNCTION theirs.f(int) RETURNS int LANGUAGE plpgsql IMMUTABLE AS
            $$ BEGIN PERFORM pg_sleep(1.1); RETURN 1; END $$
    """)
    for number in range(4):
        db.execute(f"""
            ALTER TABLE theirs.t{number} DROP CONSTRAINT t{number}_pkey;
            UPDATE pg_class SET reltuples = 1000000, relpages = 10000 WHERE oid = 'theirs.t{number}'::regclass
        """)
    plan = core.plan(db.connect, statement_timeout=10)
    assert len(plan.moves) == 7
    report = core.fix(db.connect, plan=plan.to_dict() if is_stored else plan, statement_timeout=10)
    assert [row.sequence for row in report.rows if not row.is_fixed] == []
    for number in range(4):
        assert db.value(f"INSERT INTO theirs.t{number} DEFAULT VALUES RETURNING id") == 2


@pytest.mark.long
def test_what_takes_longer_than_a_round_is_read_to_the_end(newest_db: Database) -> None:
    """Its state and its probe are read one after the other, each longer than one owner may take in a round."""
    db = newest_db
    made(db, 0, others=0)
    with db.connect() as conn:
        conn.execute(f"SET ROLE {db.roles[0]}")
        for number in range(2):
            # The planner evaluates the constraint for each statement with a condition, which id_range makes.
            conn.execute(f"""
                CREATE TABLE theirs.t{number} (id serial PRIMARY KEY) PARTITION BY RANGE (id);
                CREATE TABLE theirs.p{number} PARTITION OF theirs.t{number} FOR VALUES FROM (MINVALUE) TO (MAXVALUE);
                ALTER TABLE theirs.p{number} ADD CHECK (theirs.f(1) = 1);
                INSERT INTO theirs.t{number} VALUES (1)
            """)
    db.execute("""
        CREATE OR REPLACE FUNCTION theirs.f(int) RETURNS int LANGUAGE plpgsql IMMUTABLE AS
            $$ BEGIN PERFORM pg_sleep(0.6); RETURN 1; END $$
    """)
    ranges = {f"theirs.t{number}_id_seq": (1, 10**6) for number in range(2)}
    report = core.check(db.connect, id_range=ranges, statement_timeout=6, run_timeout=40)
    assert [row.finding.inserts_until_collision for row in report.rows] == [0, 0]


@pytest.mark.parametrize("is_dropped", [False, True])
@pytest.mark.long
def test_what_is_renamed_before_its_turn_is_not_the_plans_any_more(is_dropped: bool, newest_db: Database) -> None:
    db = newest_db
    made(db, 3, others=3)
    plan = core.plan(db.connect).to_dict()
    slowed(db, "sleeps")
    done: list[str] = []
    told: list[core.Progress] = []

    def rename(progress: core.Progress) -> None:
        told.append(progress)
        if progress.phase == "move" and not done:
            done.append("now")
            db.execute("CREATE OR REPLACE FUNCTION theirs.f(int) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT 1'")
            db.execute("DROP TABLE theirs.t1" if is_dropped else "ALTER SEQUENCE theirs.t1_id_seq RENAME TO other")

    report = core.fix(db.connect, plan=plan, statement_timeout=1, run_timeout=40, progress=rename)
    assert len(told) < 200, "it ends when all are looked at"
    (left,) = [row for row in report.rows if not row.is_fixed]
    assert left.sequence == "theirs.t1_id_seq" and left.outcome and left.outcome.error
    if not is_dropped:
        assert left.reason == "not moved: it is no longer there"
        assert db.value("SELECT is_called FROM theirs.other") is False


@pytest.mark.long
def test_what_changes_after_all_others_were_read(newest_db: Database) -> None:
    """Their owner has used up his turns by then, and nobody is left who comes first."""
    db = newest_db
    made(db, 50, others=50)
    for number in range(50):
        db.execute(f"SELECT setval('theirs.t{number}_id_seq', 10)")
    db.execute("""
        CREATE OR REPLACE FUNCTION theirs.f(int) RETURNS int LANGUAGE plpgsql IMMUTABLE AS
            $$ BEGIN PERFORM pg_sleep(0.05); RETURN 1; END $$
    """)
    done: list[str] = []

    def alter(progress: core.Progress) -> None:
        if progress.phase == "move" and not done:
            done.append("now")
            db.execute("ALTER SEQUENCE theirs.t0_id_seq CACHE 2; ALTER SEQUENCE theirs.t1_id_seq CACHE 2")

    report = core.fix(db.connect, statement_timeout=10, run_timeout=40, progress=alter)
    assert done and {str(row.verdict) for row in report.rows} == {"in_sync"}
