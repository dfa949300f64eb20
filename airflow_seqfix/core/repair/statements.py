"""The moves as SQL."""

from __future__ import annotations

from collections.abc import Callable

from airflow_seqfix.core import queries
from airflow_seqfix.core.database.opening import milliseconds, tables_only
from airflow_seqfix.core.model import Finding
from airflow_seqfix.core.model.quoted import literal
from airflow_seqfix.core.policy import Limits

#: Of a sequence that the other side of a cutover alone says something of.
_NO_COLUMNS = "SELECT 0::oid, 0, '' WHERE false"


def statement(
    query: str,
    finding: Finding,
    limits: Limits,
    *,
    calls: int = 1,
    begin: str = "",
    database: str = "current_database()",
    write: Callable[[str], str] = str,
    **more: object,
) -> str:
    """Return the move of a finding as SQL. All that is filled in are integers and names quoted by the server.

    :param query: How it is moved: the name of a query.
    :param calls: How often nextval() may be called.
    :param begin: What it does first, as SQL.
    :param database: The database in which it may run, as SQL.
    :param write: Writes a quoted name or a literal.
    :param more: What else the query leaves open, as SQL.
    """
    if query == "advance":
        # In the same round trip; what is looked at after it cannot be altered any more.
        begin = f"{queries.get('hold').format(oid=finding.sequence.oid)};\n{tables_only()};\n"
    sequence, measured, move = finding.sequence, finding.measurement, finding.move
    assert move is not None
    name, qualified_name = write(sequence.name_literal), write(sequence.qualified_name)
    columns = ", ".join(
        f"({column.table_oid}::oid, {column.column_number}, '{column.version}')" for column in sequence.comparable
    )
    return _query(query, finding).format(
        oid=sequence.oid,
        columns=f"({f'VALUES {columns}' if columns else _NO_COLUMNS}) AS v (table_oid, column_number, version)",
        last_value=measured.last_value,
        is_called=measured.is_called,
        begin=begin,
        quote=dollar_quote(name, database),
        database=database,
        lock_timeout=milliseconds(limits.lock_timeout),
        name=name,
        shown=literal(qualified_name),
        qualified_name=qualified_name,
        target=move.target,
        direction=1 if sequence.is_ascending else -1,
        increment_by=sequence.increment_by,
        cache_size=sequence.cache_size,
        min_value=sequence.min_value,
        max_value=sequence.max_value,
        calls=calls,
        **more,
    )


def _query(name: str, finding: Finding) -> str:
    """Return the query of a move, without the versions of what its columns do not have.

    Most of a move's time is planning, and half of that was for these. The first partition or child that a table gets
    changes its own row of pg_class, as becoming a partition does, and another type the column's of pg_attribute.
    """
    text, columns = queries.get(name), finding.sequence.comparable
    if not any(column.is_domain for column in columns):
        text = text.replace(queries.get("parts/domain_version"), "NULL")
    if not any(column.has_members for column in columns):
        text = text.replace(queries.get("parts/members_version"), "NULL")
    return text


def dollar_quote(*texts: str) -> str:
    """Return what a DO block's body can stand in that holds `texts`: a name must not end it."""
    quote = "$seqfix$"
    while any(quote in text for text in texts):
        quote = f"{quote[:-1]}_$"
    return quote
