"""What is compared. Each runs in a process of its own, and prints how it went from its connection on.

    python -m benchmarks.competitors check "per-sequence loop" "host=… dbname=…"

One line of JSON: how many seconds it took, and the most memory that the process had, in kB, at the end and before it
began.
"""

from __future__ import annotations

import importlib
import json
import re
import sys
import time
from collections.abc import Callable
from pathlib import Path

import psycopg

#: Tables and columns by the sequence that they own: what a script of a few lines looks up.
OWNED = """
    SELECT s.oid::regclass::text, d.refobjid::regclass::text, quote_ident(a.attname)
      FROM pg_class s
      JOIN pg_depend d ON d.classid = 'pg_class'::regclass AND d.objid = s.oid
                      AND d.refclassid = 'pg_class'::regclass AND d.refobjsubid > 0 AND d.deptype IN ('a', 'i')
      JOIN pg_attribute a ON a.attrelid = d.refobjid AND a.attnum = d.refobjsubid
     WHERE s.relkind = 'S'
"""

#: The server's own work: the same reads in one loop inside it, no client, nothing judged.
FLOOR = f"""
DO $$
DECLARE
    fed record; furthest bigint; last_value bigint; is_called boolean; done int := 0;
BEGIN
    FOR fed IN SELECT * FROM ({OWNED}) AS owned (sequence, tab, col) LOOP
        EXECUTE format('SELECT s.last_value, s.is_called, (SELECT max(%s) FROM %s) FROM %s s',
                       fed.col, fed.tab, fed.sequence)
           INTO last_value, is_called, furthest;
        IF {{move}} AND last_value + is_called::int <= furthest THEN
            PERFORM setval(fed.sequence, furthest);
        END IF;
        done := done + 1;
        IF done % 100 = 0 THEN COMMIT; END IF;
    END LOOP;
END $$
"""

#: A `statement_timeout` that ten million rows without an index do not keep, in seconds.
HURRY = 0.1


def seqfix(dsn: str, work: str, jobs: int) -> None:
    from airflow_seqfix import core

    report = (core.check if work == "check" else core.fix)(lambda: psycopg.connect(dsn), jobs=jobs, run_timeout=900)
    assert work == "check" or not report.failing


def seqfix_locked(dsn: str, work: str) -> None:
    """As a sequence is moved that is behind by more than is passed with nextval()."""
    from airflow_seqfix import core

    assert not core.fix(lambda: psycopg.connect(dsn), lock="sequence", run_timeout=900).failing


def seqfix_in_a_hurry(dsn: str, work: str) -> None:
    """What becomes of a column that cannot be read in time."""
    from airflow_seqfix import core

    assert core.check(lambda: psycopg.connect(dsn), statement_timeout=HURRY).summary["unknown"]


def loop(dsn: str, work: str) -> None:
    with psycopg.connect(dsn, autocommit=True) as conn:
        for sequence, table, column in conn.execute(OWNED).fetchall():
            furthest = conn.execute(f"SELECT max({column}) FROM {table}").fetchone()[0]
            if work == "fix":
                conn.execute("SELECT setval(%s, %s)", [sequence, furthest])
            else:
                conn.execute(f"SELECT last_value, is_called FROM {sequence}").fetchone()


def recipe(dsn: str, work: str) -> None:
    """The shape of the recipe that everybody finds: one query writes a statement for each sequence."""
    with psycopg.connect(dsn, autocommit=True) as conn:
        statements = [
            f"SELECT setval('{sequence}', coalesce(max({column}), 1)) FROM {table}"
            for sequence, table, column in conn.execute(OWNED).fetchall()
        ]
        for statement in statements:
            conn.execute(statement)


def one_transaction(dsn: str, work: str) -> None:
    """The recipe with a transaction around it, as many tools do."""
    with psycopg.connect(dsn) as conn:
        for sequence, table, column in conn.execute(OWNED).fetchall():
            conn.execute(f"SELECT setval('{sequence}', coalesce(max({column}), 1)) FROM {table}")


def floor(dsn: str, work: str) -> None:
    with psycopg.connect(dsn, autocommit=True) as conn:
        conn.execute(FLOOR.format(move="true" if work == "fix" else "false"))


def django(dsn: str, work: str) -> None:
    """What `sqlsequencereset` prints, run statement by statement."""
    from django.conf import settings

    parameters = psycopg.conninfo.conninfo_to_dict(dsn)
    database = {name.upper(): parameters[key] for name, key in (("name", "dbname"), ("host", "host"), ("user", "user"))}
    settings.configure(
        DATABASES={"default": {"ENGINE": "django.db.backends.postgresql", "PORT": parameters["port"], **database}},
        DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
    )
    import django as package
    from django.core.management.color import no_style
    from django.db import connection, models

    package.setup()
    with connection.cursor() as cursor:
        cursor.execute(OWNED)
        tables = [table for _, table, _ in cursor.fetchall()]
        made = [
            type(
                table,
                (models.Model,),
                {"__module__": "bench", "Meta": type("Meta", (), {"app_label": "bench", "db_table": table})},
            )
            for table in tables
        ]
        for statement in connection.ops.sequence_reset_sql(no_style(), made):
            cursor.execute(statement)


#: What can be asked of them.
CHECK, FIX, TIMEOUT = "check", "fix", "timeout"
#: By name: what it can do, and how.
COMPETITORS: dict[str, tuple[tuple[str, ...], Callable[[str, str], None]]] = {
    "seqfix": ((CHECK, FIX), lambda dsn, work: seqfix(dsn, work, 1)),
    "seqfix, jobs=2": ((CHECK, FIX), lambda dsn, work: seqfix(dsn, work, 2)),
    'seqfix, lock="sequence"': ((FIX,), seqfix_locked),
    f"seqfix, statement_timeout={HURRY}": ((TIMEOUT,), seqfix_in_a_hurry),
    "server-side loop": ((CHECK, FIX), floor),
    "per-sequence loop": ((CHECK, FIX), loop),
    "recipe": ((FIX,), recipe),
    "recipe in one transaction": ((FIX,), one_transaction),
    "Django": ((FIX,), django),
}


def most_memory() -> int:
    """Return the most memory that this process has had, in kB: getrusage() would count what its parent had."""
    found = re.search(r"VmHWM:\s+(\d+) kB", Path("/proc/self/status").read_text())
    assert found
    return int(found[1])


def main(work: str, name: str, dsn: str) -> None:
    # What a program imports is not counted, whose it may be.
    needed = {"Django": "django.db.models", "seqfix": "airflow_seqfix.core"}
    importlib.import_module(needed.get(name.split(",")[0], "psycopg"))
    before = most_memory()
    begun = time.perf_counter()
    COMPETITORS[name][1](dsn, work)
    print(json.dumps({"seconds": time.perf_counter() - begun, "memory": most_memory(), "memory_before": before}))


if __name__ == "__main__":
    main(*sys.argv[1:])
