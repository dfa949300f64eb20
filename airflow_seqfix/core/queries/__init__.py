"""The SQL: one statement a file, which runs in psql as it stands unless it has `{…}` or `@…@` in it.

`{…}` is filled in for each use. `@name@` stands for `parts/name.sql`, what several statements have in common.
"""

import re
from functools import cache
from importlib import resources


@cache
def get(name: str) -> str:
    """Return the text of `<name>.sql`, with all that it refers to."""
    return _read(name)


def _read(path: str) -> str:
    text = (resources.files(__name__) / f"{path}.sql").read_text(encoding="utf-8").rstrip()
    return re.sub(r"@(\w+)@", lambda found: _read(f"parts/{found[1]}"), text)
