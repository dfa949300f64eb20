"""The usual recipes for resetting sequences, as they are written in scripts and answers, for comparison."""

from __future__ import annotations

import contextlib

import psycopg

_OWNED = """
    SELECT format('%I.%I', tn.nspname, t.relname), quote_ident(a.attname), format('%I.%I', sn.nspname, s.relname)
      FROM pg_class s
      JOIN pg_depend d ON d.classid = 'pg_class'::regclass AND d.objid = s.oid AND d.deptype IN ('a', 'i')
      JOIN pg_class t ON d.refclassid = 'pg_class'::regclass AND t.oid = d.refobjid
      JOIN pg_attribute a ON a.attrelid = t.oid AND a.attnum = d.refobjsubid
      JOIN pg_namespace tn ON tn.oid = t.relnamespace
      JOIN pg_namespace sn ON sn.oid = s.relnamespace
     WHERE s.relkind = 'S'"""

_DEFAULTS = """
    SELECT format('%I.%I', table_schema, table_name), quote_ident(column_name),
           pg_get_serial_sequence(format('%I.%I', table_schema, table_name), column_name)
      FROM information_schema.columns
     WHERE column_default LIKE 'nextval(%' AND table_schema NOT IN ('pg_catalog', 'information_schema')"""

_NAMES = """
    SELECT format('%I.%I', table_schema, table_name), quote_ident(column_name),
           format('%I', table_name || '_' || column_name || '_seq')
      FROM information_schema.columns
     WHERE column_name = 'id' AND table_schema = 'public'"""

_TO_MAX = "SELECT setval('{sequence}', coalesce(max({column}), 1)) FROM {table}"
_IF_GREATER = (
    "SELECT setval('{sequence}', max({column})) FROM {table} HAVING max({column}) > (SELECT last_value FROM {sequence})"
)

#: By what a page calls it: how it finds columns and their sequences, and what it runs for each.
RECIPES = {
    "`setval(<table>_id_seq, max(id))` for each column `id`": (_NAMES, _TO_MAX),
    "`setval(pg_get_serial_sequence(…), max(…))` for each default `nextval(…)`": (_DEFAULTS, _TO_MAX),
    "`setval(…, max(…))` for each owned sequence": (_OWNED, _TO_MAX),
    "the same, where `max(…) > last_value`": (_OWNED, _IF_GREATER),
}


def run(conn: psycopg.Connection, recipe: str) -> None:
    """Run a recipe; what fails for one column does not keep the others from being run."""
    find, move = RECIPES[recipe]
    for table, column, sequence in conn.execute(find).fetchall():
        with contextlib.suppress(psycopg.Error):
            quoted = (sequence or "").replace("'", "''")
            statement = (
                move.replace("'{sequence}'", f"'{quoted}'") if sequence else move.replace("'{sequence}'", "NULL")
            )
            conn.execute(statement.format(table=table, column=column, sequence=sequence))
