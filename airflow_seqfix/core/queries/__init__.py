"""The SQL: one statement a file, each of which runs in psql as it stands (`SET search_path = pg_catalog` first)."""

from functools import cache
from importlib import resources


@cache
def get(name: str) -> str:
    """Return the text of `<name>.sql`."""
    return (resources.files(__name__) / f"{name}.sql").read_text(encoding="utf-8")
