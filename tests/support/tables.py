"""Tables that several tests look at."""

from __future__ import annotations

from pathlib import Path

from tests.support.servers import Database

TABLE = """
    CREATE TABLE orders (id serial PRIMARY KEY, note text);
    INSERT INTO orders (id) SELECT generate_series(1, 100);
"""
INSERT = "INSERT INTO orders (note) VALUES ('') RETURNING id"

#: A database with every verdict.
EVERY_VERDICT = Path(__file__).with_name("every_verdict.sql").read_text(encoding="utf-8")


def make_tables(db: Database, count: int, *, rows: int = 0, indexes: int = 0) -> None:
    """Make tables t0, t1, … with a serial primary key each."""
    for first in range(0, count, 500):
        db.execute(f"""
            DO $$ BEGIN
                FOR i IN {first}..{min(first + 500, count) - 1} LOOP
                    EXECUTE format('CREATE TABLE t%s (id serial PRIMARY KEY, a int)', i);
                    FOR j IN 1..{indexes} LOOP
                        EXECUTE format('CREATE INDEX ON t%s (a)', i);
                    END LOOP;
                    IF {rows} > 0 THEN
                        EXECUTE format('INSERT INTO t%s SELECT generate_series(1, {rows})', i);
                    END IF;
                END LOOP;
            END $$
        """)
