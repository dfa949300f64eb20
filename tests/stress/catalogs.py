"""DDL among the traffic: pieces that leave writers alone, and change what a repair has just read in the catalogs.

The sessions of a run address sequences by OID, and tables by a name that one of two schemas in the path has.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable

import psycopg

#: Where the tables are: each moves between the two, and their names are swapped.
SCHEMAS = ("public", "elsewhere")

Piece = Callable[[list[str], random.Random], str]


def _sequence(table: str) -> str:
    """Return SQL for the sequence of a table, whatever it is called now."""
    return f"pg_get_serial_sequence('{table}', 'id')::regclass"


def _sequences_swapped(tables: list[str], rng: random.Random) -> str:
    one, other = rng.sample(tables, 2)
    return f"""
        DO $do$ DECLARE one regclass := {_sequence(one)}; other regclass := {_sequence(other)};
            names text[] := (SELECT array_agg(relname ORDER BY oid = other) FROM pg_class WHERE oid IN (one, other));
        BEGIN
            EXECUTE format('ALTER SEQUENCE %s RENAME TO %I', one, 'in_between');
            EXECUTE format('ALTER SEQUENCE %s RENAME TO %I', other, names[1]);
            EXECUTE format('ALTER SEQUENCE %s RENAME TO %I', one, names[2]);
        END $do$;
    """


def _schemas_swapped(tables: list[str], rng: random.Random) -> str:
    one, other = SCHEMAS
    return f"""
        ALTER SCHEMA {one} RENAME TO in_between; ALTER SCHEMA {other} RENAME TO {one};
        ALTER SCHEMA in_between RENAME TO {other};
    """


def _moved_to_a_schema(tables: list[str], rng: random.Random) -> str:
    return f"ALTER TABLE {rng.choice(tables)} SET SCHEMA {rng.choice(SCHEMAS)}"


def _one_more_that_draws(tables: list[str], rng: random.Random) -> str:
    return f"""
        DROP TABLE IF EXISTS one_more;
        DO $do$ BEGIN
            EXECUTE format('CREATE TABLE one_more (id bigint DEFAULT nextval(%L))', {_sequence(rng.choice(tables))});
            GRANT SELECT ON one_more TO PUBLIC;
        END $do$;
    """


def _other_bounds(tables: list[str], rng: random.Random) -> str:
    statement = f"ALTER SEQUENCE %s MAXVALUE {2**63 - 1 - rng.randint(0, 9)}"
    return f"DO $do$ BEGIN EXECUTE format('{statement}', {_sequence(rng.choice(tables))}); END $do$"


def _same_owner_by_another(tables: list[str], rng: random.Random) -> str:
    table = rng.choice(tables)
    return f"""
        DO $do$ DECLARE owner name := (SELECT tableowner FROM pg_tables WHERE tablename = '{table}');
        BEGIN
            ALTER TABLE {table} OWNER TO CURRENT_USER;
            EXECUTE format('ALTER TABLE {table} OWNER TO %I', owner);
        END $do$;
    """


def _a_column(tables: list[str], rng: random.Random) -> str:
    table = rng.choice(tables)
    return f"ALTER TABLE {table} ADD COLUMN note text; ALTER TABLE {table} DROP COLUMN note"


def _renamed_and_back(tables: list[str], rng: random.Random) -> str:
    table = rng.choice(tables)
    return f"ALTER TABLE {table} RENAME TO in_between; ALTER TABLE in_between RENAME TO {table}"


def _a_grant(tables: list[str], rng: random.Random) -> str:
    table = rng.choice(tables)
    return f"GRANT SELECT ON {table} TO pg_monitor; REVOKE SELECT ON {table} FROM pg_monitor"


def _an_option(tables: list[str], rng: random.Random) -> str:
    return f"ALTER TABLE {rng.choice(tables)} SET (fillfactor = {rng.randint(50, 100)})"


PIECES: tuple[Piece, ...] = (
    _sequences_swapped,
    _schemas_swapped,
    _moved_to_a_schema,
    _one_more_that_draws,
    _other_bounds,
    _same_owner_by_another,
    _a_column,
    _renamed_and_back,
    _a_grant,
    _an_option,
)


def change(conn: psycopg.Connection, tables: list[str], rng: random.Random) -> bool:
    """Run one piece in a transaction; return whether it had its locks in time."""
    piece = rng.choice(PIECES)
    try:
        with conn.transaction():
            conn.execute("SET LOCAL lock_timeout = '100ms'")
            conn.execute(piece(tables, rng))
    except (psycopg.errors.LockNotAvailable, psycopg.errors.DeadlockDetected):
        return False
    time.sleep(rng.uniform(0.01, 0.4))
    return True
