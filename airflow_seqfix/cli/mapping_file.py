"""A mapping that lives in a file, beside what the command line says."""

from __future__ import annotations

import io
from typing import Any

from airflow_seqfix.cli import json_file

MADE = 'give {"schema.sequence": ["schema.table.column", …]}'


def with_file(mapping: dict[str, list[str]], file: str | None) -> dict[str, Any]:
    """Return the mapping of the command line together with that of a file.

    :param file: A path, or the JSON itself; None: there is none.
    :raises ArgumentError: when it cannot be read, or a sequence is in both.
    """
    from airflow_seqfix.core import ArgumentError

    if file is None:
        return dict(mapping)
    if file.lstrip().startswith("{"):
        read = json_file.read(io.StringIO(file), name="the JSON", option="mapping", made=MADE)
    else:
        read = json_file.read_path(file, option="mapping", made=MADE)
    twice = sorted(read.keys() & mapping.keys())
    if twice:
        raise ArgumentError(f"--map and --mapping both have {', '.join(twice)}", remedy="say it in one of them")
    return read | mapping
