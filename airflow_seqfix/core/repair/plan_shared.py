r"""The text that the moves of a long plan share, written once: in variables of psql.

`\set` joins its arguments, so that a move is the shared text before its values, the values, and the shared text behind.
`:'name'` makes a literal of that, which `DO` runs: each move is still a block and a transaction of its own, with every
guard of the block that a short plan prints, from the same file.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterable

from airflow_seqfix.core import queries
from airflow_seqfix.core.database.opening import milliseconds
from airflow_seqfix.core.model import Finding, Server
from airflow_seqfix.core.model.quoted import in_print, literal
from airflow_seqfix.core.policy import Limits

#: The values of a move, as variables of its block with their types; these are qualified, as no search_path is set yet.
VALUES = {
    "oid": "pg_catalog.oid",
    "name": "pg_catalog.text",
    #: As an error says it; NULL: as it is.
    "shown": "pg_catalog.text",
    "target": "bigint",
    "direction": "numeric",
    "last_value": "bigint",
    "is_called": "boolean",
    "increment_by": "bigint",
    "cache_size": "bigint",
    "min_value": "bigint",
    "max_value": "bigint",
    "tables": "pg_catalog.oid[]",
    "numbers": "smallint[]",
    "versions": "pg_catalog.text[]",
}


def definitions(names: set[str], server: Server, limits: Limits, *, begin: str, **more: object) -> list[str]:
    """Return the lines that define the variables.

    :param names: The queries that move: each gets a variable of its name for what follows the values.
    :param begin: What a move does first, as SQL.
    :param more: What the look afterwards leaves open.
    """
    filled: dict[str, object] = {name: f"p_{name}" for name in VALUES} | {
        "columns": "unnest(p_tables, p_numbers, p_versions) AS v (table_oid, column_number, version)",
        "shown": "coalesce(p_shown, p_name)",
        "database": in_print(server.database_literal),
        "lock_timeout": milliseconds(limits.lock_timeout),
        "begin": f" {_plain(begin)}",
        **more,
    }
    opened, guard, _ = _parts_of_reread()
    declared = " ".join(f"p_{name} {kind};" for name, kind in VALUES.items())
    into = f" INTO STRICT {', '.join(f'p_{value}' for value in VALUES)}; "
    blocks = {name: _block(queries.get(name)) for name in sorted(names)} | {"look": guard}
    return [
        _set("seqfix_values", f"DECLARE {declared} BEGIN SELECT "),
        *(_set(f"seqfix_{name}", f"{into}{_plain(block).format(**filled)}; END") for name, block in blocks.items()),
        _set("seqfix_begin", _plain(opened).format(**filled)),
    ]


def move(name: str, finding: Finding) -> list[str]:
    """Return the lines that make a move; those of the look afterwards follow them."""
    return [_set("seqfix_given", _values(finding)), _joined(name), "DO :'seqfix_move';"]


def look(finding: Finding, **filled: object) -> list[str]:
    """Return the lines that say how the sequence stands now.

    :param filled: What the query leaves open.
    """
    sequence = finding.sequence
    _, _, query = _parts_of_reread()
    text = _plain(query).format(
        oid=sequence.oid,
        name=in_print(sequence.name_literal),
        shown=literal(in_print(sequence.qualified_name)),
        qualified_name=in_print(sequence.qualified_name),
        increment_by=sequence.increment_by,
        **filled,
    )
    return [_joined("look"), f":seqfix_begin DO :'seqfix_move'; {text};"]


def _joined(name: str) -> str:
    return f"\\set seqfix_move :seqfix_values :seqfix_given :seqfix_{name}"


def _values(finding: Finding) -> str:
    sequence, measured, found = finding.sequence, finding.measurement, finding.move
    assert found is not None
    columns, is_plain = sequence.comparable, sequence.qualified_name.isprintable()
    values: dict[str, object] = {
        "oid": sequence.oid,
        "name": in_print(sequence.name_literal),
        "shown": "NULL" if is_plain else literal(in_print(sequence.qualified_name)),
        "target": found.target,
        "direction": 1 if sequence.is_ascending else -1,
        "last_value": measured.last_value,
        "is_called": measured.is_called,
        "increment_by": sequence.increment_by,
        "cache_size": sequence.cache_size,
        "min_value": sequence.min_value,
        "max_value": sequence.max_value,
        "tables": _array(column.table_oid for column in columns),
        "numbers": _array(column.column_number for column in columns),
        "versions": _array(f'"{column.version}"' for column in columns),
    }
    return ", ".join(str(values[name]) for name in VALUES)


def _array(elements: Iterable[object]) -> str:
    return f"'{{{','.join(map(str, elements))}}}'"


def _block(text: str) -> str:
    """Return the block that a DO of ours runs."""
    found = re.search(r"^DO \{quote\}\n(.*)\n\{quote\}$", text, re.DOTALL | re.MULTILINE)
    assert found is not None
    return found[1]


@functools.cache
def _parts_of_reread() -> tuple[str, str, str]:
    """Return what begins the transaction of the look afterwards, its guard, and the query."""
    found = re.fullmatch(r"(.*?)DO \{quote\}\n(.*?)\n\{quote\};\n(.*)", queries.get("reread").strip(), re.DOTALL)
    assert found is not None
    return found[1], found[2], found[3]


@functools.cache
def _plain(text: str) -> str:
    """Return SQL of ours, with nothing filled in yet, without comments and line breaks."""
    lines = (re.sub(r"^((?:[^'-]|'[^']*'|-(?!-))*)--.*", r"\1", line).strip() for line in text.splitlines())
    return " ".join(filter(None, lines))


def _set(name: str, text: str) -> str:
    return f"\\set {name} {_quoted(text)}"


def _quoted(text: str) -> str:
    """Quote an argument of a command of psql: between single quotes only these and backslashes mean anything."""
    escaped = text.replace("\\", "\\\\").replace("'", "''").replace("\n", "\\n").replace("\r", "\\r")
    return f"'{escaped}'"
