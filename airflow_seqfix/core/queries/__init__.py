"""The SQL: one statement a file, which runs in psql as it stands unless it has `{…}` in it (SET search_path first)."""

from functools import cache
from importlib import resources


@cache
def get(name: str) -> str:
    """Return the text of `<name>.sql`."""
    return (resources.files(__name__) / f"{name}.sql").read_text(encoding="utf-8").rstrip()
