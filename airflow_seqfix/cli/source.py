"""The other side of a cutover, as given on the command line."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from airflow_seqfix.cli.connecting import Address, is_connection
from airflow_seqfix.splitting import split

#: How many characters a report may have: one of 100,000 sequences has a quarter as many.
LARGEST_REPORT = 400_000_000


def read_source(text: str | None) -> Any:
    """Return what opens a connection to the source, or the report that a file holds; None: there is no source.

    :raises ArgumentError: when it is neither.
    """
    from airflow_seqfix.core import ArgumentError

    if text is None:
        return None
    if is_connection(text):
        return Address.read(text)
    path = Path(text)
    try:
        with path.open(encoding="utf-8") as file:
            read = file.read(LARGEST_REPORT + 1)
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is no text in UTF-8"
        raise ArgumentError(
            f"{text!r} cannot be read: {reason}",
            option="source",
            remedy="give a file that seqfix check --all-positions -o has written, or postgresql://user@host:port/dbname",
        ) from None
    if len(read) > LARGEST_REPORT:
        raise ArgumentError(f"{text} has more than {LARGEST_REPORT:,} characters", option="source")
    try:
        return json.loads(read)
    except (ValueError, RecursionError) as error:
        raise ArgumentError(
            f"{text} is no JSON ({error})",
            option="source",
            remedy="give a report that seqfix check --all-positions --format json has printed",
        ) from None


def read_schemas(given: tuple[str, ...]) -> dict[str, str]:
    """Read HERE=THERE.

    :raises ArgumentError: when it is something else, or names a schema twice.
    """
    from airflow_seqfix.core import ArgumentError

    schemas: dict[str, str] = {}
    for text in given:
        here, *there = split(text, "=")
        if not here or len(there) != 1 or not there[0]:
            raise ArgumentError(f"{text!r} is not HERE=THERE", option="source_schemas")
        if here in schemas:
            raise ArgumentError(f"{here} is given twice", option="source_schemas")
        schemas[here] = there[0]
    return schemas
