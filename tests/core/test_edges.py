"""Edges where the package was once wrong, most of them found by random sequences: now as the oracle and inserts say."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import psycopg
import pytest

from airflow_seqfix import core
from tests.support.properties.oracle import Fed, Wish, judge
from tests.support.servers import Database

PLAIN = Wish()


@dataclass(frozen=True, kw_only=True)
class Edge:
    #: Makes the sequence s and the table t with the column id, perhaps more.
    sql: str
    types: dict[str, str]
    wish: Wish = PLAIN
    own: tuple[int, int] | None = None
    #: What the report has to say.
    report: dict[str, Any]
    #: What default inserts yield after a repair, or the SQLSTATE that they end with.
    inserts: tuple[int | str, ...] = ()


LOWEST = -(2**63)

EDGES = {
    "no value that the sequence has fits the column": Edge(
        sql="""CREATE SEQUENCE s AS integer INCREMENT -1 MINVALUE 2147483646 MAXVALUE 2147483647;
               CREATE TABLE t (id smallint DEFAULT nextval('s'))""",
        types={"id": "smallint"},
        report={"verdict": "exhausted", "remaining": 0},
        inserts=("22003", "22003", "2200H"),
    ),
    "only the last values that the sequence has fit the column": Edge(
        sql="""CREATE SEQUENCE s MINVALUE -40000 START -32770; CREATE TABLE t (id smallint DEFAULT nextval('s'))""",
        types={"id": "smallint"},
        report={"verdict": "in_sync", "remaining": 65536},
        inserts=("22003", "22003", -32768, -32767),
    ),
    "a margin that would take the column's last values": Edge(
        sql="""CREATE SEQUENCE s; CREATE TABLE t (id integer PRIMARY KEY DEFAULT nextval('s'));
               INSERT INTO t VALUES (2147483644); SELECT setval('s', 2147483645)""",
        types={"id": "integer"},
        wish=Wish(margin=3),
        report={"verdict": "exhausted", "remaining": 2, "gap": 0},
        inserts=(2147483646, 2147483647, "22003"),
    ),
    "a margin that would take the sequence's last values": Edge(
        sql="""CREATE SEQUENCE s MAXVALUE 10; CREATE TABLE t (id integer PRIMARY KEY DEFAULT nextval('s'));
               INSERT INTO t VALUES (7); SELECT setval('s', 4)""",
        types={"id": "integer"},
        wish=Wish(margin=3),
        report={"verdict": "behind", "gap": 3, "inserts_until_collision": 2},
        inserts=(8, 9, 10, "2200H"),
    ),
    "a margin where no value is left at all": Edge(
        sql="""CREATE SEQUENCE s AS integer INCREMENT -1 MINVALUE 2147483645 MAXVALUE 2147483647;
               CREATE TABLE t (id integer DEFAULT nextval('s'), small smallint DEFAULT nextval('s'));
               INSERT INTO t VALUES (2147483647, NULL); SELECT setval('s', 2147483647)""",
        types={"id": "integer", "small": "smallint"},
        wish=Wish(margin=1),
        report={"verdict": "exhausted", "remaining": 0},
        inserts=("22003",),
    ),
    "a margin and values off the steps": Edge(
        sql="""CREATE SEQUENCE s INCREMENT 10; CREATE TABLE t (id integer PRIMARY KEY DEFAULT nextval('s'));
               INSERT INTO t VALUES (1), (15); SELECT setval('s', 11)""",
        types={"id": "integer"},
        wish=Wish(interleaved=True, margin=1),
        report={"verdict": "in_sync", "gap": 0, "furthest_value": 15},
        inserts=(21, 31),
    ),
    "an outlier on the steps, with a neighbour off them": Edge(
        sql="""CREATE SEQUENCE s INCREMENT 10; CREATE TABLE t (id bigint PRIMARY KEY DEFAULT nextval('s'));
               INSERT INTO t VALUES (1), (11), (999999991), (999999995)""",
        types={"id": "bigint"},
        wish=Wish(interleaved=True),
        report={
            "verdict": "behind",
            "gap": 100000000,
            "inserts_until_collision": 0,
            "warnings": ["outlier", "not_owned"],
        },
    ),
    "values on the steps all along, and outliers off them": Edge(
        sql="""CREATE SEQUENCE s INCREMENT 10; CREATE TABLE t (id bigint PRIMARY KEY DEFAULT nextval('s'));
               INSERT INTO t SELECT generate_series(1, 5001, 100); INSERT INTO t VALUES (600000), (700000)""",
        types={"id": "bigint"},
        wish=Wish(interleaved=True, max_jump=1000),
        report={"verdict": "behind", "gap": 501, "inserts_until_collision": 0},
        inserts=(5011,),
    ),
    "values further apart than a bigint can say": Edge(
        sql=f"""CREATE SEQUENCE s INCREMENT 10 MINVALUE {LOWEST} START {LOWEST};
                CREATE TABLE t (id bigint PRIMARY KEY DEFAULT nextval('s'));
                INSERT INTO t VALUES ({LOWEST + 20}), (9223372036854775802)""",
        types={"id": "bigint"},
        wish=Wish(outliers="follow"),
        report={"verdict": "behind", "inserts_until_collision": 2, "furthest_value": 9223372036854775802},
        inserts=("2200H",),
    ),
    "fractions": Edge(
        sql="""CREATE SEQUENCE s; CREATE TABLE t (id numeric PRIMARY KEY DEFAULT nextval('s'));
               INSERT INTO t VALUES (1.5), (3), (3.5)""",
        types={"id": "numeric"},
        report={"verdict": "behind", "furthest_value": 3, "gap": 3, "inserts_until_collision": 2},
        inserts=(4, 5),
    ),
    "a range of its own that is still to come": Edge(
        sql="""CREATE SEQUENCE s; CREATE TABLE t (id bigint PRIMARY KEY DEFAULT nextval('s'));
               INSERT INTO t VALUES (3), (1000000000)""",
        types={"id": "bigint"},
        own=(1_000_000_000, 2_000_000_000),
        report={"verdict": "behind", "gap": 1_000_000_000, "inserts_until_collision": 2, "remaining": 1_000_000_001},
        inserts=(1_000_000_001,),
    ),
}


@pytest.mark.parametrize("name", EDGES)
def test_edge(name: str, newest_db: Database) -> None:
    edge = EDGES[name]
    newest_db.execute(edge.sql)
    fed = [Fed(table="t", column=column, type=type_name) for column, type_name in edge.types.items()]
    options: dict[str, Any] = {**asdict(edge.wish), "id_range": {"s": edge.own} if edge.own else {}}
    with newest_db.connect() as conn:
        opinion = judge(conn, "s", fed, edge.wish, edge.own)
        (row,) = core.check(conn, **options).to_dict()["sequences"]
        assert {key: row[key] for key in edge.report} == edge.report
        assert {key: row[key] for key in ("verdict", "furthest_value", "gap", "remaining")} == {
            key: getattr(opinion, key) for key in ("verdict", "furthest_value", "gap", "remaining")
        }
        core.fix(conn, **options)
        got: list[int | str | None] = []
        for _ in edge.inserts:
            try:
                got.append(conn.execute("INSERT INTO t DEFAULT VALUES RETURNING id").fetchone()[0])
            except psycopg.Error as error:
                got.append(error.sqlstate)
        assert tuple(got) == edge.inserts


def test_a_partition_that_is_half_detached_is_read_by_itself(wheel_db: Database) -> None:
    """From 14 on there is DETACH … CONCURRENTLY."""
    wheel_db.execute("""
        CREATE TABLE p (id serial, k int) PARTITION BY LIST (k);
        CREATE TABLE p1 PARTITION OF p FOR VALUES IN (1);
        CREATE TABLE p2 PARTITION OF p FOR VALUES IN (2);
        INSERT INTO p SELECT n, 1 FROM generate_series(1, 5) AS n;
        INSERT INTO p VALUES (70, 2);
        SELECT setval('p_id_seq', 5)
    """)
    with wheel_db.connect() as reader, wheel_db.connect() as conn:
        reader.execute("BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT FROM p")
        conn.execute("SET statement_timeout = 300")
        with pytest.raises(psycopg.errors.QueryCanceled):
            conn.execute("ALTER TABLE p DETACH PARTITION p2 CONCURRENTLY")
    assert wheel_db.value("SELECT max(id) FROM p") == 5
    with wheel_db.connect() as conn:
        (row,) = core.fix(conn).to_dict()["sequences"]
    assert (row["columns"], row["furthest_value"]) == (["public.p.id", "public.p2.id"], 70)
    assert wheel_db.value("INSERT INTO p (k) VALUES (1) RETURNING id") == 71
