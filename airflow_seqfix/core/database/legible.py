"""Names of a database of SQL_ASCII, which can be any bytes: what is not UTF-8 in them is replaced on the server.

Such a database translates nothing, and ends a statement with 22021 at the first name that the client's UTF-8 cannot
hold (wchar.c, `pg_utf8_islegal`). Anybody who may make a table could so end every run.
"""

from __future__ import annotations

import types
import typing
from collections.abc import Mapping
from typing import Any

from airflow_seqfix.core import queries

#: Stands for all bytes of a name that are not ASCII, where they are not UTF-8.
REPLACEMENT = "\N{REPLACEMENT CHARACTER}"


def needs_replacing(connection: Any) -> bool:
    """Whether names may come that are no text for the client."""
    status = connection.info.parameter_status
    return (status("server_encoding"), status("client_encoding")) == ("SQL_ASCII", "UTF8")


def legible(statement: str, kinds: Mapping[str, Any]) -> str:
    """Return a query with the same rows, each text of them as UTF-8.

    :param kinds: The type of each column by its name.
    """
    columns = ", ".join(f"{_expression(name, kind)} AS {name}" for name, kind in kinds.items())
    return f"SELECT {columns} FROM ({statement}) AS answer"


def _expression(name: str, kind: Any) -> str:
    column = f"answer.{name}"
    if typing.get_origin(kind) is list and _is_text(*typing.get_args(kind)):
        legible = queries.get("parts/legible").format(text="each.text")
        return queries.get("parts/legible_list").format(legible=legible, texts=column)
    return queries.get("parts/legible").format(text=column) if _is_text(kind) else column


def _is_text(kind: Any) -> bool:
    """Whether a type is str, or a kind of it, or either of them or None."""
    if isinstance(kind, types.UnionType) or typing.get_origin(kind) is typing.Union:
        return any(_is_text(part) for part in typing.get_args(kind))
    return getattr(kind, "__supertype__", kind) is str
