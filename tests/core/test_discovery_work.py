"""Discovery does as much work as there is to discover: no table pays for the number of others."""

from __future__ import annotations

from typing import Any

import psycopg
import pytest

from airflow_seqfix.core import queries
from tests.support.servers import Database

#: What autovacuum analyzes one after the other.
CATALOGS = (
    "pg_attrdef",
    "pg_attribute",
    "pg_class",
    "pg_constraint",
    "pg_depend",
    "pg_index",
    "pg_sequence",
    "pg_type",
)

#: What there are many of.
KINDS = {
    "tables": "CREATE TABLE t@ (id serial PRIMARY KEY, a integer, b text)",
    "domains": """
        CREATE SEQUENCE s@;
        CREATE DOMAIN d@ AS bigint DEFAULT nextval('s@') CHECK (VALUE > 0);
        CREATE TABLE t@ (id d@ PRIMARY KEY);
    """,
    "functions": """
        CREATE SEQUENCE s@;
        CREATE FUNCTION f@() RETURNS bigint LANGUAGE sql AS $$SELECT nextval('s@')$$;
        CREATE FUNCTION g@() RETURNS bigint LANGUAGE sql AS $$SELECT nextval('s@') + 1$$;
        CREATE TABLE t@ (
            id bigint PRIMARY KEY DEFAULT f@(), n bigint DEFAULT g@(), m bigint UNIQUE DEFAULT currval('s@')
        );
    """,
    "rules": """
        CREATE TABLE t@ (id serial PRIMARY KEY);
        CREATE RULE r AS ON INSERT TO t@ DO ALSO DELETE FROM t@ WHERE id > new.id;
    """,
    "partitions": """
        CREATE TABLE t@ (id serial PRIMARY KEY) PARTITION BY RANGE (id);
        CREATE TABLE p@ PARTITION OF t@ FOR VALUES FROM (0) TO (50);
        CREATE TABLE q@ PARTITION OF t@ FOR VALUES FROM (50) TO (100);
        CREATE SEQUENCE s@;
        ALTER TABLE q@ ALTER id SET DEFAULT nextval('s@');
    """,
}


def work(conn: psycopg.Connection, query: str = "columns") -> float:
    """Return how many rows a query of the discovery has passed from node to node, and made room for in hash tables."""
    ((plan,),) = conn.execute(f"EXPLAIN (ANALYZE, TIMING OFF, FORMAT JSON) {queries.get(query)}").fetchone()

    def of(node: dict[str, Any]) -> float:
        # The table in which UNION looks for what it has seen is as large as the planner expects.
        room = node.get("Hash Buckets", node["Plan Rows"] if node["Node Type"] == "Recursive Union" else 0)
        here = node["Actual Rows"] + node.get("Rows Removed by Filter", 0) + room
        return here * node["Actual Loops"] + sum(of(below) for below in node.get("Plans", []))

    return of(plan["Plan"])


def fill(conn: psycopg.Connection, first: int, last: int) -> None:
    """Make that many tables with a sequence and a CHECK, and partitions of two; those of q have their own sequences."""
    for n in range(first, last):
        conn.execute(f"CREATE TABLE t_{n} (id serial PRIMARY KEY CHECK (id > 0), x integer)")
        conn.execute(f"CREATE TABLE p_{n} PARTITION OF p FOR VALUES FROM ({n}) TO ({n + 1})")
        conn.execute(f"CREATE TABLE q_{n} PARTITION OF q FOR VALUES FROM ({n}) TO ({n + 1})")
        conn.execute(f"ALTER TABLE q_{n} ALTER id SET DEFAULT nextval('t_{n}_id_seq')")


@pytest.mark.long
def test_work_grows_with_what_there_is(newest_db: Database) -> None:
    with newest_db.connect() as conn:
        conn.execute("CREATE TABLE p (id serial, day integer) PARTITION BY RANGE (id)")
        conn.execute("CREATE TABLE q (id serial, day integer) PARTITION BY RANGE (id)")
        counts: dict[int, tuple[float, float]] = {}
        made = 0
        for size in (100, 400):
            fill(conn, made, size)
            made = size
            conn.execute("DELETE FROM pg_statistic")
            before = work(conn)
            conn.execute("ANALYZE")
            counts[size] = before, work(conn)
    # Four times as much. Where it was quadratic, it came to more than ten times.
    for small, large in zip(counts[100], counts[400], strict=True):
        assert large / small < 6, counts


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.long
def test_whichever_catalogs_have_statistics(kind: str, newest_db: Database) -> None:
    """After a restore, autovacuum analyzes one catalog after the other."""
    counts: dict[str, list[float]] = {}
    made = 0
    with newest_db.connect() as conn:
        # Its domains have constraints: that not all of pg_constraint are of tables is what a sample may miss.
        conn.execute("DROP SCHEMA information_schema CASCADE")
        for size in (400, 1600):
            for n in range(made, size):
                conn.execute(KINDS[kind].replace("@", str(n)))
            made = size
            for analyzed in ("nothing", *CATALOGS, "all"):
                conn.execute("DELETE FROM pg_statistic")
                if analyzed != "nothing":
                    conn.execute(f"ANALYZE {analyzed if analyzed != 'all' else ''}")
                counts.setdefault(analyzed, []).append(work(conn))
    assert {name: large / small for name, (small, large) in counts.items() if large / small > 6} == {}


def test_names_that_everybody_has_are_looked_up_in_one_go(newest_db: Database) -> None:
    counts: dict[int, float] = {}
    made = 0
    with newest_db.connect() as conn:
        for size in (100, 400):
            for n in range(made, size):
                conn.execute(f"CREATE SCHEMA s{n}; CREATE SEQUENCE s{n}.ids")
            made = size
            wanted = "json_agg(json_build_array(nspowner::bigint, oid::bigint, 'ids'))"
            wanted = f"SELECT {wanted} FROM pg_namespace WHERE nspname ~ '^s[0-9]'"
            conn.execute(f"SELECT set_config('seqfix.lookups', ({wanted})::text, false)")
            conn.execute("ANALYZE")
            counts[size] = work(conn, "closest")
            # For each the one beside it, and two more.
            assert len(conn.execute(queries.get("closest")).fetchall()) == 3 * size
    assert counts[400] / counts[100] < 6, counts
