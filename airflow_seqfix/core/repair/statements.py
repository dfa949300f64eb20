"""The moves as SQL."""

from __future__ import annotations

from airflow_seqfix.core import queries
from airflow_seqfix.core.database.session import milliseconds
from airflow_seqfix.core.model import Move
from airflow_seqfix.core.policy import Limits


def statement(
    name: str,
    move: Move,
    limits: Limits,
    *,
    calls: int = 1,
    begin: str = "",
    by_function: bool = False,
    database: str = "current_database()",
) -> str:
    """Return one of the moves as SQL. All that is filled in are integers and names quoted by the server.

    :param begin: What it does first, as SQL.
    :param by_function: Whether the sequence's state is looked up with pg_get_sequence_data().
    :param database: The database in which it may run, as SQL.
    """
    sequence = move.sequence
    # By a name that may be another sequence's by now.
    by_name = f"(SELECT last_value, is_called FROM {sequence.qualified_name} WHERE tableoid = {sequence.oid})"
    return queries.get(name).format(
        oid=sequence.oid,
        begin=begin,
        state=f"pg_get_sequence_data({sequence.oid})" if by_function else by_name,
        quote=dollar_quote(sequence.name_literal, sequence.qualified_name, database),
        database=database,
        lock_timeout=milliseconds(limits.lock_timeout),
        name=sequence.name_literal,
        qualified_name=sequence.qualified_name,
        target=move.target,
        increment_by=sequence.increment_by,
        cache_size=sequence.cache_size,
        min_value=sequence.min_value,
        max_value=sequence.max_value,
        furthest="max" if sequence.is_ascending else "min",
        calls=calls,
    )


def dollar_quote(*texts: str) -> str:
    """Return what a DO block's body can stand in that holds `texts`: a name must not end it."""
    quote = "$seqfix$"
    while any(quote in text for text in texts):
        quote = f"{quote[:-1]}_$"
    return quote
