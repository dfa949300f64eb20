"""The one table that `fix_sequence()` names."""

from __future__ import annotations

from airflow_seqfix.core.database.session import Session
from airflow_seqfix.core.discover.catalog import list_tables
from airflow_seqfix.core.discover.names import Name, as_written, did_you_mean
from airflow_seqfix.core.errors import ArgumentError, SelectionError
from airflow_seqfix.core.model.quoted import literal
from airflow_seqfix.options import Name as GivenName
from airflow_seqfix.options import SelectionOptions


def parse_table(table: GivenName) -> Name:
    """Read the name of one table.

    :raises ArgumentError: when it is none, or could be several.
    """
    name = Name.parse(table, "tables")
    if name.is_pattern:
        raise ArgumentError(f"{table!r} is a pattern", option="table", remedy="name one table, or use fix(tables=…)")
    return name


def locate(session: Session, name: Name) -> Name:
    """Return the name, with its schema, of the table that a name means on this connection.

    On its search_path, as in a statement of the caller's; beside it, if there is only one of that name.

    :raises SelectionError: when there are several, or none.
    """
    # Outside a transaction of ours, which would have a search_path of its own: so every name is qualified.
    regclass = f"pg_catalog.to_regclass({literal(name.quoted)}::pg_catalog.text)"
    found = session.rows(
        "SELECT n.nspname::pg_catalog.text, c.relname::pg_catalog.text FROM pg_catalog.pg_class c "
        "JOIN pg_catalog.pg_namespace n ON n.oid OPERATOR(pg_catalog.=) c.relnamespace "
        f"WHERE c.oid OPERATOR(pg_catalog.=) {regclass}::pg_catalog.oid",
        schema_name=str,
        table_name=str,
    )
    if not found:
        tables = list_tables(session)
        meant = [table for table in tables if name.matches(table.schema_name, table.table_name)]
        if len(meant) > 1:
            choice = ", ".join(table.qualified_name for table in meant)
            raise SelectionError(
                f"{name.text} is not on the search_path, and could be {choice}",
                option="table",
                remedy="write the schema as well",
            )
        if not meant:
            raise SelectionError(
                f"there is no table {name.text}",
                option="table",
                missing=name.text,
                candidates=did_you_mean(name, [table.qualified_name for table in tables]),
            )
        found = [(meant[0].schema_name, meant[0].table_name)]
    return Name.parse(tuple(map(str, found[0])), "tables")


def selection(table: Name, column: GivenName | None, sequence: GivenName | None) -> SelectionOptions:
    """Return what selects the sequences of one table, of one of its columns, or one of those sequences."""
    options: SelectionOptions = {"tables": [table.text]}
    if column is not None:
        options["columns"] = [f"{table.text}.{as_written(column)}"]
    if sequence is not None:
        options["sequences"] = [sequence]
    return options
