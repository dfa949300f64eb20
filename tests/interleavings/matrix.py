"""Pieces of DDL, the statements of a run, and the faces: each combination judged by what the next default inserts get.

Tables a (in sync), b (behind), c (behind, with CACHE) and p (partitioned, behind) are what is looked at and repaired.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import psycopg

from airflow_seqfix import core
from tests.interleavings.stops import Stops
from tests.support.psql import psql, reset_script
from tests.support.servers import Database

TABLES = """
    CREATE TABLE a (id serial PRIMARY KEY, n int); INSERT INTO a (id) SELECT generate_series(1, 100);
    SELECT setval('a_id_seq', 200);
    CREATE TABLE b (id serial PRIMARY KEY, n int); INSERT INTO b (id) SELECT generate_series(1, 900);
    SELECT setval('b_id_seq', 50);
    CREATE TABLE c (id bigserial PRIMARY KEY, n int); ALTER SEQUENCE c_id_seq CACHE 20;
    INSERT INTO c (id) SELECT generate_series(1, 700);
    CREATE TABLE p (id bigserial, k int DEFAULT 1) PARTITION BY LIST (k);
    CREATE TABLE p1 PARTITION OF p FOR VALUES IN (1); CREATE TABLE p2 PARTITION OF p FOR VALUES IN (2);
    INSERT INTO p SELECT n, 1 FROM generate_series(1, 30) AS n;
    INSERT INTO p SELECT n, 2 FROM generate_series(31, 400) AS n;
    CREATE SCHEMA other; CREATE TABLE other.b (id serial PRIMARY KEY, n int);
    CREATE DOMAIN d AS int DEFAULT 7; CREATE TABLE e (id d, n int);
"""

DDL = {
    "a table renamed": "ALTER TABLE b RENAME TO b2",
    "tables swapped": "ALTER TABLE a RENAME TO x; ALTER TABLE b RENAME TO a; ALTER TABLE x RENAME TO b",
    "sequences swapped": "ALTER SEQUENCE a_id_seq RENAME TO x; ALTER SEQUENCE c_id_seq RENAME TO a_id_seq;"
    " ALTER SEQUENCE x RENAME TO c_id_seq",
    "schemas swapped": "ALTER SCHEMA public RENAME TO x; ALTER SCHEMA other RENAME TO public",
    "columns swapped": "ALTER TABLE b RENAME id TO x; ALTER TABLE b RENAME n TO id; ALTER TABLE b RENAME x TO n",
    "a table dropped": "DROP TABLE b",
    "a table made anew": "DROP TABLE c; CREATE TABLE c (id serial PRIMARY KEY, n int); INSERT INTO c (id) VALUES (3)",
    "a wider type": "ALTER TABLE b ALTER id TYPE bigint; INSERT INTO b (id) VALUES (5000)",
    "other bounds": "ALTER SEQUENCE b_id_seq MAXVALUE 5000; ALTER SEQUENCE c_id_seq MAXVALUE 6000",
    "an increment": "ALTER SEQUENCE c_id_seq INCREMENT 10",
    "the other direction": "ALTER SEQUENCE c_id_seq INCREMENT -1 MINVALUE -1000",
    "cycle": "ALTER SEQUENCE b_id_seq CYCLE",
    "a cache": "ALTER SEQUENCE b_id_seq CACHE 30",
    "a default of another sequence": "ALTER TABLE b ALTER id SET DEFAULT nextval('a_id_seq')",
    "no default": "ALTER TABLE c ALTER id DROP DEFAULT",
    "a domain's default": "ALTER DOMAIN d SET DEFAULT nextval('a_id_seq'); INSERT INTO e (id) VALUES (500)",
    "one more table that draws": "CREATE TABLE g (id int DEFAULT nextval('a_id_seq')); INSERT INTO g VALUES (900)",
    "an owner": "ALTER TABLE c OWNER TO CURRENT_USER",
    "another schema": "ALTER TABLE c SET SCHEMA other",
    "detached": "ALTER TABLE p DETACH PARTITION p2",
    "attached": "CREATE TABLE p3 (id bigint NOT NULL, k int); INSERT INTO p3 VALUES (9000, 3);"
    " ALTER TABLE p ATTACH PARTITION p3 FOR VALUES IN (3)",
    "truncate": "TRUNCATE b; TRUNCATE c",
    "truncate a leaf": "TRUNCATE p2",
    "restart identity": "TRUNCATE b, c RESTART IDENTITY",
    "a restart": "ALTER SEQUENCE b_id_seq RESTART; ALTER SEQUENCE c_id_seq RESTART",
    "truncate and load": "BEGIN; TRUNCATE a; INSERT INTO a (id) SELECT generate_series(1, 1000); COMMIT",
    "a grant": "GRANT SELECT ON a, b, c, p TO PUBLIC; GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO PUBLIC",
}

#: Each sequence with where it stands, and the furthest value of the columns whose default is nextval() of it.
FED = """
    WITH feed AS (
        SELECT r.refobjid AS sequence, d.adrelid AS relation, d.adnum AS number
          FROM pg_depend r JOIN pg_attrdef d ON d.oid = r.objid
         WHERE r.classid = 'pg_attrdef'::regclass AND r.refclassid = 'pg_class'::regclass AND r.deptype = 'n'
         UNION ALL
        SELECT r.refobjid, a.attrelid, a.attnum
          FROM pg_depend r JOIN pg_attribute a ON a.atttypid = r.objid AND NOT a.atthasdef
         WHERE r.classid = 'pg_type'::regclass AND r.refclassid = 'pg_class'::regclass AND r.deptype = 'n'
    )
    SELECT s.oid::int8, f.relation::regclass::text, quote_ident(a.attname), s.oid::regclass::text
      FROM pg_class s
      LEFT JOIN (feed f JOIN pg_class t ON t.oid = f.relation AND t.relkind IN ('r', 'p') AND NOT t.relispartition
                 JOIN pg_attribute a ON a.attrelid = f.relation AND a.attnum = f.number) ON f.sequence = s.oid
     WHERE s.relkind = 'S'
"""


@dataclass
class Standing:
    """Where a sequence stands, and whether the next value that it gives is in a column that draws from it."""

    last_value: int
    is_called: bool
    step: int
    is_behind: bool = False


@dataclass
class Case:
    face: str
    ddl: str
    stop: int | None
    #: How the sequences stood when the DDL was done.
    then: dict[int, Standing] = field(default_factory=dict)
    blocked: bool = False
    statements: int = 0
    failures: list[str] = field(default_factory=list)


def standings(conn: psycopg.Connection) -> dict[int, Standing]:
    found: dict[int, Standing] = {}
    for oid, table, column, name in conn.execute(FED).fetchall():
        if oid not in found:
            last, called = conn.execute(f"SELECT last_value, is_called FROM {name}").fetchone() or (0, False)
            (step,) = conn.execute(f"SELECT seqincrement FROM pg_sequence WHERE seqrelid = {oid}").fetchone() or (1,)
            found[oid] = Standing(last, called, step)
        one = found[oid]
        after = one.last_value + one.step if one.is_called else one.last_value
        if table is not None:
            far, before = ("max", ">=") if one.step > 0 else ("min", "<=")
            query = f"SELECT coalesce({far}({column}) {before} {after}, false) FROM {table}"
            one.is_behind |= bool((conn.execute(query).fetchone() or (False,))[0])
    return found


def check(dsn: str) -> dict[str, str] | None:
    with psycopg.connect(dsn, autocommit=True) as conn:
        report = core.check(conn)
    return {row.finding.sequence.qualified_name: str(row.verdict) for row in report.rows}


def fix(dsn: str, lock: core.Lock) -> dict[str, str]:
    with psycopg.connect(dsn, autocommit=True) as conn:
        report = core.fix(conn, lock=lock, advance_up_to=100)
    return {row.finding.sequence.qualified_name: str(row.verdict) for row in report.rows}


def script(dsn: str) -> None:
    psql(dsn, script=reset_script())


@contextlib.contextmanager
def prepared(db: Database, face: str) -> Iterator[Callable[[str], object]]:
    """Yield what is to be run over the line."""
    if face == "plan":
        with db.connect() as conn:
            text = core.plan(conn, advance_up_to=100).to_sql()
        yield lambda dsn: psql(dsn, script=text)
    elif face == "script":
        yield script
    elif face == "check":
        yield check
    else:
        yield lambda dsn: fix(dsn, "none" if face == "fix by nextval" else "auto")


FACES = ("check", "fix", "fix by nextval", "script", "plan")


def run(db: Database, case: Case) -> Case:
    """Run one case in a fresh database, and note what is wrong."""
    db.execute(TABLES)

    def at_stop() -> None:
        try:
            with db.connect(options="-c lock_timeout=300ms") as other:
                other.execute(DDL[case.ddl])
        except psycopg.errors.LockNotAvailable:
            case.blocked = True
        except psycopg.Error as error:
            case.failures.append(f"the DDL itself failed: {error}")
        with db.connect() as other:
            case.then = standings(other)

    with prepared(db, case.face) as work, Stops(db.dsn, case.stop, at_stop).open() as stops:
        said = work(stops.dsn)
        case.statements = len(stops.statements)
    if case.stop is not None and case.then:
        judge(db, case, said if isinstance(said, dict) else {})
    return case


def judge(db: Database, case: Case, said: dict[str, str]) -> None:
    with db.connect() as conn:
        now = standings(conn)
        for oid, after in now.items():
            before = case.then.get(oid)
            if before is None:
                continue
            moved = (after.last_value - before.last_value) * before.step
            if moved < 0:
                case.failures.append(f"{oid} went back from {before.last_value} to {after.last_value}")
            if moved > 0 and not before.is_behind:
                case.failures.append(f"{oid} was healthy, and was moved from {before.last_value} to {after.last_value}")
        conn.execute("SET search_path = public, x, other")
        names = dict(
            conn.execute("SELECT oid::int8, format('%I.%I', relnamespace::regnamespace, relname) FROM pg_class")
        )
        for oid, after in now.items():
            if said.get(names[oid]) == "in_sync" and after.is_behind:
                case.failures.append(f"{names[oid]} is said to be in sync, and its next insert fails")
