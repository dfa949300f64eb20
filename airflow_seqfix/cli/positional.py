"""The arguments that are no options: a connection, tables, or the short form for one table."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from airflow_seqfix.cli.connecting import is_connection, looks_like_one
from airflow_seqfix.options import OPTIONS
from airflow_seqfix.rules import BySequence
from airflow_seqfix.splitting import split

if TYPE_CHECKING:
    from airflow_seqfix.core.model import TableInfo

Names = tuple[str, ...]

_WILDCARD = re.compile(r"[*?\[]")

#: How many arguments the short form has: TABLE COLUMN [SEQUENCE].
SHORT_FORM = (2, 3)


def sort_positional(positional: Sequence[str], dbnames: Sequence[str]) -> tuple[str | None, Names, Names]:
    """Return the connection, if there is one, the other arguments, and names or patterns of several databases."""
    from airflow_seqfix.core import ArgumentError

    connections = [word for word in (*positional, *dbnames) if is_connection(word)]
    databases = tuple(name for name in dbnames if name and not is_connection(name))
    if len(databases) == 1 and not _WILDCARD.search(databases[0]):
        connections += databases
        databases = ()
    if len(connections) > 1:
        raise ArgumentError("two connections are given: leave one of -d and the connection string out")
    names = tuple(word for word in positional if not is_connection(word))
    if any(looks_like_one(name) for name in names):
        raise ArgumentError(
            "one of the arguments has an @ or a colon outside double quotes: a connection URI begins with "
            "postgresql://, and a table's name holds neither"
        )
    return (connections[0] if connections else None), names, databases


@dataclass(frozen=True, slots=True)
class Meant:
    """The meaning of the positional arguments."""

    #: What they add to the core's options.
    options: dict[str, Any]
    #: Assumptions, to be reported.
    assumed: str | None = None


def understand(names: tuple[str, ...], list_tables: Callable[[], list[TableInfo]]) -> Meant:
    """Tell tables from the short form: its second word is a column of the first, and no table.

    :param list_tables: Called only where it could be the short form.
    :raises ArgumentError: when it could be both, or several tables have such a column.
    """
    from airflow_seqfix.core import ArgumentError
    from airflow_seqfix.core.discover.names import Name

    if len(names) not in SHORT_FORM:
        return Meant({"tables": names})
    first, second, *rest = names
    table_name, column_name = Name.parse(first, "tables"), Name.parse(second, "tables")
    if table_name.is_pattern or column_name.is_pattern:
        return Meant({"tables": names})
    tables = list_tables()
    is_table = any(column_name.matches(table.schema_name, table.table_name) for table in tables)
    named = [table for table in tables if table_name.matches(table.schema_name, table.table_name)]
    holders = [(table, column) for table in named if (column := _column(table, column_name))]
    if not holders:
        if named and not is_table:
            columns = ", ".join(named[0].columns)
            raise ArgumentError(
                f"{second} is neither a table nor a column of {named[0].qualified_name}, whose columns are {columns}"
            )
        return Meant({"tables": names})
    (table, column), *others = holders
    if is_table:
        raise ArgumentError(
            f"{second} is a table, and a column of {table.qualified_name}: write -t {first} -t {second} for two "
            f"tables, or --column {table.qualified_name}.{column}"
        )
    if others:
        choice = " or ".join(other.qualified_name for other, _ in holders)
        raise ArgumentError(f"{first} could be {choice}: write the schema as well")
    qualified = f"{table.qualified_name}.{column}"
    options: dict[str, Any] = {"tables": [table.qualified_name], "columns": [qualified]}
    if not rest:
        return Meant(options, f"{second} is taken as the column {qualified}, and not as a table")
    (sequence,) = rest
    return Meant(
        options | {"sequences": [sequence], "mapping": {sequence: [qualified]}},
        f"{second} is taken as the column {qualified}, and {sequence} as a sequence that feeds it, as with "
        f"--map {sequence}={qualified}",
    )


def _column(table: TableInfo, name: Any) -> str | None:
    """Return the column of that name, quoted as SQL needs it."""
    if len(name.parts) != 1:
        return None
    return next((q for raw, q in zip(table.column_names, table.columns, strict=True) if name.matches(raw)), None)


def read_mapping(texts: Sequence[str]) -> dict[str, list[str]]:
    """Read SEQ=TABLE.COLUMN[,...], each; a sequence may come several times."""
    mapping: dict[str, list[str]] = {}
    for sequence, columns in (_pair(text, "mapping", _columns) for text in texts):
        mapping[sequence] = mapping.get(sequence, []) + columns
    return mapping


def read_ranges(texts: Sequence[str]) -> dict[str, tuple[int, int]]:
    """Read SEQ=LOW:HIGH, each."""
    from airflow_seqfix.core import ArgumentError

    ranges = [_pair(text, "id_range", _bounds) for text in texts]
    if len(dict(ranges)) < len(ranges):
        raise ArgumentError("a sequence has two ranges", option="id_range", remedy="give one")
    return dict(ranges)


def _pair(text: str, option: str, read: Callable[[str], Any]) -> tuple[str, Any]:
    """Read SEQ=VALUE."""
    from airflow_seqfix.core import ArgumentError

    name, *rest = split(text, "=")
    try:
        if not name or not rest:
            raise ValueError
        return name, read("=".join(rest))
    except ValueError:
        rule = OPTIONS[option].rule
        assert isinstance(rule, BySequence)
        raise ArgumentError(f"{text!r} is not {rule.shape}", option=option) from None


def _columns(text: str) -> list[str]:
    return [column for column in split(text, ",") if column]


def _bounds(text: str) -> tuple[int, int]:
    low, high = text.split(":")
    return int(low), int(high)
