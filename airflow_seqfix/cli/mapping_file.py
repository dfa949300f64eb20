"""A mapping that lives in a file, beside what the command line says."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any


def with_file(mapping: dict[str, list[str]], file: str | None) -> dict[str, Any]:
    """Return the mapping of the command line together with that of a file.

    :param file: A path, or the JSON itself; None: there is none.
    :raises ArgumentError: when it cannot be read, or a sequence is in both.
    """
    from airflow_seqfix.core import ArgumentError

    if file is None:
        return dict(mapping)
    try:
        read = json.loads(file if file.lstrip().startswith("{") else Path(file).read_text(encoding="utf-8"))
    except OSError as error:
        raise ArgumentError(f"--mapping {file}: {error.strerror}") from None
    except (ValueError, RecursionError) as error:
        raise ArgumentError(f"--mapping {file} is no JSON: {error}") from None
    if not isinstance(read, dict):
        raise ArgumentError(
            f"--mapping {file} is no JSON object", remedy='give {"schema.sequence": ["schema.table.column", …]}'
        )
    twice = sorted(read.keys() & mapping.keys())
    if twice:
        raise ArgumentError(f"--map and --mapping both have {', '.join(twice)}", remedy="say it in one of them")
    return read | mapping
