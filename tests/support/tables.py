"""Tables that several tests look at."""

from __future__ import annotations

from pathlib import Path

TABLE = """
    CREATE TABLE orders (id serial PRIMARY KEY, note text);
    INSERT INTO orders (id) SELECT generate_series(1, 100);
"""
INSERT = "INSERT INTO orders (note) VALUES ('') RETURNING id"

#: A database with every verdict.
EVERY_VERDICT = Path(__file__).with_name("every_verdict.sql").read_text(encoding="utf-8")
