"""Stand-ins for the server's own functions, operators, types and relations, in a schema that a search_path names first.

Each says so in a WARNING when it runs, which reaches the client whatever becomes of the transaction.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import asdict, dataclass

import psycopg
from psycopg import sql

#: What every warning of a stand-in begins with.
MARK = "shadow of"

#: Types under the names that the grammar has for them; the grammar itself never looks those up.
KEYWORDS = {"bigint": "int8", "integer": "int4", "smallint": "int2", "boolean": "bool", "real": "float4"}
#: Operators that IN, CASE … WHEN, BETWEEN and LIKE stand for.
IMPLIED = {"=", "<>", "<", "<=", ">", ">=", "~~", "!~~"}

_NAMES = """
    CREATE FUNCTION evil.warns(what pg_catalog.text) RETURNS boolean LANGUAGE plpgsql IMMUTABLE
        AS 'BEGIN RAISE WARNING ''shadow of %'', what; RETURN true; END'
"""

#: As PL/pgSQL, for the server's functions by name: plain ones for aggregates too, which FILTER then refuses.
_FUNCTIONS = """
    SELECT p.proname,
           pg_catalog.array_agg(DISTINCT pg_catalog.format(
           'CREATE FUNCTION evil.%I(%s) RETURNS %s%s LANGUAGE plpgsql IMMUTABLE AS '
           '''BEGIN RAISE WARNING ''''shadow of function %s''''; RETURN%s; END''',
           p.proname, x.args, CASE WHEN p.proretset THEN 'SETOF ' END,
           CASE WHEN p.prorettype = 'record'::regtype THEN 'pg_catalog.name'
                ELSE 'pg_catalog.' || quote_ident((SELECT typname FROM pg_type WHERE oid = p.prorettype)) END,
           p.proname, CASE WHEN NOT p.proretset AND p.prorettype <> 'void'::regtype THEN ' NULL' END))
      FROM pg_proc p
     CROSS JOIN LATERAL (
           -- Neither SQL nor PL/pgSQL takes "any": some arguments that it stands for.
           SELECT pg_catalog.string_agg('pg_catalog.' || quote_ident(t.typname), ', ' ORDER BY a.place)
             FROM unnest(p.proargtypes::oid[]) WITH ORDINALITY AS a (type_oid, place)
             JOIN pg_type t ON t.oid = a.type_oid
           HAVING NOT coalesce(bool_or(t.typname IN ('any', 'internal', 'cstring')), false)
            UNION ALL
           SELECT repeat('pg_catalog.text, ', greatest(p.pronargs - 1, 0)) ||
                  repeat('pg_catalog.' || t.name || ', ', n) || 'pg_catalog.' || t.name
             FROM unnest('{text,int8,int4,bool,numeric,name,oid,jsonb}'::text[]) t (name), generate_series(0, 4) n
            WHERE '"any"'::regtype = ANY (p.proargtypes::oid[])
              AND (n = 0 OR p.provariadic <> 0)) x (args)
     WHERE p.pronamespace = 'pg_catalog'::regnamespace AND p.proname = ANY (@names@)
       AND p.prorettype NOT IN ('internal'::regtype, 'trigger'::regtype, 'event_trigger'::regtype, 'cstring'::regtype)
     GROUP BY p.proname
"""

_OPERATORS = """
    SELECT o.oprname, pg_catalog.array_agg(pg_catalog.format(
           'CREATE FUNCTION evil.operator_%s(%s) RETURNS pg_catalog.%I LANGUAGE plpgsql IMMUTABLE AS '
           '''BEGIN RAISE WARNING ''''shadow of operator %s''''; RETURN NULL; END'';'
           'CREATE OPERATOR evil.%s (FUNCTION = evil.operator_%s%s%s)',
           o.oid, concat_ws(', ', 'pg_catalog.' || l.typname, 'pg_catalog.' || quote_ident(r.typname)), t.typname,
           replace(o.oprname, '%', '%%'), o.oprname, o.oid, ', LEFTARG = pg_catalog.' || quote_ident(l.typname),
           ', RIGHTARG = pg_catalog.' || quote_ident(r.typname)))
      FROM pg_operator o
      JOIN pg_type t ON t.oid = o.oprresult
      LEFT JOIN pg_type l ON l.oid = o.oprleft
      JOIN pg_type r ON r.oid = o.oprright
     WHERE o.oprnamespace = 'pg_catalog'::regnamespace AND o.oprname = ANY (@names@)
     GROUP BY o.oprname
"""

_TYPES = """
    SELECT t.typname, ARRAY[CASE WHEN t.typname = 'record' THEN 'CREATE TYPE evil.record AS (value bigint)'
           ELSE pg_catalog.format(
           'CREATE DOMAIN evil.%1$I AS pg_catalog.%1$I CHECK (evil.warns(''type %1$s''))', t.typname) END]
      FROM pg_type t
     WHERE t.typnamespace = 'pg_catalog'::regnamespace AND t.typname = ANY (@names@)
       AND (t.typtype = 'b' AND t.typelem = 0 OR t.typname IN ('name', 'record'))
"""

_RELATIONS = """
    SELECT c.relname, ARRAY[pg_catalog.format(
           'CREATE VIEW evil.%1$I AS SELECT %2$s FROM pg_catalog.%1$I WHERE evil.warns(''relation %1$s'')', c.relname,
           (SELECT string_agg(quote_ident(a.attname), ', ') FROM pg_attribute a
             WHERE a.attrelid = c.oid AND a.attnum > 0 AND a.atttypid <> 'anyarray'::regtype))]
      FROM pg_class c
     WHERE c.relnamespace = 'pg_catalog'::regnamespace AND c.relkind IN ('r', 'v') AND c.relname = ANY (@names@)
"""


@dataclass(frozen=True, kw_only=True)
class Shadows:
    """What stands in front of the server's own, by name."""

    functions: set[str]
    operators: set[str]
    types: set[str]
    relations: set[str]

    def __str__(self) -> str:
        return ", ".join(f"{len(names)} {kind}" for kind, names in asdict(self).items())


def shadow(conn: psycopg.Connection, texts: Iterable[str]) -> Shadows:
    """Create a stand-in in schema `evil` for all that the SQL in `texts` could mean, as the role of `conn`.

    :param conn: In autocommit mode, with a search_path on which the server's own come first.
    """
    text = "\n".join(texts)
    words = set(re.findall(r"[a-z_][a-z0-9_]*", text))
    words |= {KEYWORDS[word] for word in words & KEYWORDS.keys()}
    called = set(re.findall(r"([a-z_][a-z0-9_]*)\s*\(", text))
    operators = set(re.findall(r"[-+*/<>=~!@#%^&|`?]+", text)) | IMPLIED
    conn.execute("CREATE SCHEMA evil; GRANT USAGE ON SCHEMA evil TO public")
    conn.execute(_NAMES)
    # The types at last: until then their names mean the server's own.
    return Shadows(
        functions=_create(conn, _FUNCTIONS, called),
        operators=_create(conn, _OPERATORS, operators),
        relations=_create(conn, _RELATIONS, words),
        types=_create(conn, _TYPES, words),
    )


def _create(conn: psycopg.Connection, query: str, names: set[str]) -> set[str]:
    made = set()
    listed = sql.Literal(sorted(names)).as_string(conn)
    for name, statements in conn.execute(query.replace("@names@", listed)).fetchall():
        for statement in statements:
            conn.execute(statement)
        made.add(name)
    return made
