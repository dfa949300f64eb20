"""Discovery on a database that somebody has filled on purpose, beside a friendly one with as many objects.

    python -m benchmarks.hostile 'host=… dbname=postgres' [case ...]

Each case is a database of its own, checked by a process of its own.
"""

from __future__ import annotations

import resource
import subprocess
import sys
import time
import uuid

import psycopg
from psycopg import conninfo, sql

#: How many objects a case has.
OBJECTS = 10_000

#: As PL/pgSQL, with {n} for the number of objects. A victim's sequence is there in each.
CASES = {
    "friendly": "FOR i IN 1 .. {n} / 2 LOOP EXECUTE format('CREATE TABLE t%s (id serial)', i); END LOOP;",
    "no sequences": "FOR i IN 1 .. {n} LOOP EXECUTE format('CREATE TABLE t%s (a int DEFAULT 1 + %s)', i, i); END LOOP;",
    "deep defaults": """
        FOR i IN 1 .. {n} / 100 LOOP
            EXECUTE format('CREATE TABLE t%s (a bigint DEFAULT nextval(''app.victim''){deep})', i);
        END LOOP;""",
    "long names": """
        FOR i IN 1 .. {n} / 100 LOOP
            EXECUTE format('CREATE TABLE t%s (a bigint DEFAULT nextval(%L::text))', i, repeat('"', 40000));
        END LOOP;""",
    "homonyms": """
        FOR i IN 1 .. {n} / 3 LOOP
            EXECUTE format('CREATE SCHEMA s%1$s CREATE TABLE t (a bigint DEFAULT nextval(''ids''::text))', i);
            EXECUTE format('CREATE SEQUENCE s%s.ids', i);
        END LOOP;""",
    "one for all": """
        FOR i IN 1 .. {n} LOOP
            EXECUTE format('CREATE TABLE t%s (a bigint DEFAULT nextval(''app.victim''))', i);
        END LOOP;""",
    "wide": """
        EXECUTE (SELECT format('CREATE TABLE parent (%s)', string_agg(
                 format('c%s bigint DEFAULT nextval(''app.victim'')', i), ', ')) FROM generate_series(1, 1500) i);
        FOR i IN 1 .. 200 LOOP EXECUTE format('CREATE TABLE t%s () INHERITS (parent)', i); END LOOP;""",
    "nested": """
        CREATE TABLE t0 (a bigint DEFAULT nextval('app.victim'));
        FOR i IN 1 .. 2000 LOOP EXECUTE format('CREATE TABLE t%s () INHERITS (t%s)', i, i - 1); END LOOP;""",
}


def fill(dsn: str, case: str) -> None:
    with psycopg.connect(dsn, autocommit=True) as conn:
        conn.execute(
            "CREATE SCHEMA app; CREATE SEQUENCE app.victim; SET max_stack_depth = '6MB'; SET synchronous_commit = off"
        )
        body = CASES[case].replace("{n}", str(OBJECTS)).replace("{deep}", " + 0" * 2_500)
        # Committed now and then: one transaction would run out of locks.
        body = body.replace("END LOOP", "IF i % 50 = 0 THEN COMMIT; END IF; END LOOP")
        conn.execute(f"DO $do$ BEGIN {body} END $do$")


def measure(dsn: str) -> None:
    """In a process of its own: check, and print what it took."""
    from airflow_seqfix.core import check

    began = time.monotonic()
    report = check(lambda: psycopg.connect(dsn), allow_empty=True)
    seconds = time.monotonic() - began
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    counts = {name: count for name, count in report.summary.items() if count}
    print(f"{seconds:6.1f} s {memory:6.0f} MB  {counts}")


def main(dsn: str, *cases: str) -> None:
    for case in cases or CASES:
        name = f"hostile{uuid.uuid4().hex[:8]}"
        with psycopg.connect(dsn, autocommit=True) as conn:
            conn.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
            try:
                own = conninfo.make_conninfo(dsn, dbname=name)
                fill(own, case)
                print(f"{case:<16}", end="", flush=True)
                subprocess.run([sys.executable, "-m", "benchmarks.hostile", "--measure", own], check=False)
            finally:
                conn.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


if __name__ == "__main__":
    if sys.argv[1] == "--measure":
        measure(sys.argv[2])
    else:
        main(*sys.argv[1:])
