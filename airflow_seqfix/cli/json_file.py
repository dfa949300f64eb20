"""Files of JSON: plans and reports that a command has written, and mappings."""

from __future__ import annotations

from pathlib import Path
from typing import IO, Any

from airflow_seqfix import json_objects

#: How many characters one may have: a report or a plan of 100,000 sequences has at most a third as many.
LARGEST = 400_000_000


def read_path(path: str, *, option: str, made: str) -> dict[str, Any]:
    """Read a file by its name, as `read()` does.

    :raises ArgumentError: also when it cannot be opened.
    """
    from airflow_seqfix.core import ArgumentError

    try:
        with Path(path).open(encoding="utf-8") as file:
            return read(file, name=path, option=option, made=made)
    except OSError as error:
        raise ArgumentError(f"{path} cannot be read: {error.strerror}", option=option, remedy=made) from None


def read(file: IO[str], *, name: str, option: str, made: str) -> dict[str, Any]:
    """Read an object from an open file.

    :param name: What the file is called in a message.
    :param made: What to give, or how such a file is made.
    :raises ArgumentError: when it holds anything else.
    """
    from airflow_seqfix.core import ArgumentError

    try:
        text = file.read(LARGEST + 1)
        if len(text) > LARGEST:
            raise ArgumentError(f"{name} has more than {LARGEST:,} characters", option=option, remedy=made)
        found: Any = json_objects.read(text)
    except UnicodeDecodeError:
        raise ArgumentError(f"{name} is not text in UTF-8", option=option, remedy=made) from None
    except RecursionError:
        raise ArgumentError(f"{name} is nested too deep", option=option, remedy=made) from None
    except ValueError as error:
        raise ArgumentError(f"{name} is not JSON ({error})", option=option, remedy=made) from None
    if not isinstance(found, dict):
        raise ArgumentError(f"{name} is not a JSON object", option=option, remedy=made)
    return found
