"""The other side of a cutover, as given on the command line."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import Any

from airflow_seqfix.cli import json_file
from airflow_seqfix.cli.connecting import Address, is_connection, looks_like_one
from airflow_seqfix.splitting import split

MADE = "give postgresql://user@host:port/dbname, or a file that seqfix check --all-positions --format json has written"


def read_source(text: str | None) -> Any:
    """Return what opens a connection to the source, or the report that a file holds; None: there is no source.

    :raises ArgumentError: when it is neither.
    """
    from airflow_seqfix.core import ArgumentError

    if text is None:
        return None
    if is_connection(text):
        return Address.read(text)
    if looks_like_one(text) and not _is_file(text):
        # A URI with a typing error, whose password no message may hold.
        raise ArgumentError("it is not a file, and a connection URI begins with postgresql://", option="source")
    return json_file.read_path(text, option="source", made=MADE)


def _is_file(text: str) -> bool:
    with contextlib.suppress(OSError):
        return Path(text).exists()
    return False


def read_schemas(given: tuple[str, ...]) -> dict[str, str]:
    """Read HERE=THERE.

    :raises ArgumentError: when it is something else, or names a schema twice.
    """
    from airflow_seqfix.core import ArgumentError

    schemas: dict[str, str] = {}
    for text in given:
        here, *there = split(text, "=")
        if not here or len(there) != 1 or not there[0]:
            raise ArgumentError(
                f"{text!r} is not HERE=THERE",
                option="source_schemas",
                remedy="give the schema's name in this database, and its name in the source",
            )
        if here in schemas:
            raise ArgumentError(f"{here} is given twice", option="source_schemas", remedy="give each schema once")
        schemas[here] = there[0]
    return schemas
