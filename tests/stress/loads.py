"""What repairs what in a run: this package in each way and role, and what people paste instead."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

COLUMNS = {"serial": "id bigserial", "identity": "id bigint GENERATED ALWAYS AS IDENTITY"}

#: What people paste, with `{table}` and `{sequence}`; the second of two statements gets the `{value}` of the first.
RECIPES = {
    "setval(max(id))": ("SELECT setval('{sequence}', (SELECT max(id) FROM {table}))",),
    "setval(greatest(max(id), last_value))": (
        "SELECT setval('{sequence}', greatest((SELECT max(id) FROM {table}), (SELECT last_value FROM {sequence})))",
    ),
    "setval(max(id)) WHERE max(id) > last_value": (
        """SELECT setval('{sequence}', (SELECT max(id) FROM {table}))
            WHERE (SELECT max(id) FROM {table}) > (SELECT last_value FROM {sequence})""",
    ),
    "ALTER SEQUENCE RESTART WITH max(id) + 1": (
        "SELECT max(id) + 1 FROM {table}",
        "ALTER SEQUENCE {sequence} RESTART WITH {value}",
    ),
}

#: Gaps as powers of ten.
UP_TO_TEN_MILLION = (0.0, 7.0)
UP_TO_TEN_THOUSAND = (0.0, 4.0)


@dataclass(frozen=True, kw_only=True)
class Load:
    """What repairs, as whom, on which sequences; the writers are always the same."""

    name: str
    #: `owner`, `update`, `usage`: what the role has on the sequences, beside SELECT.
    role: str = "owner"
    #: The options of core.fix(); None: a recipe, or nothing at all.
    options: dict[str, Any] | None = None
    recipe: str | None = None
    #: The way that core.fix() is to report.
    way: str | None = None
    caches: tuple[int, ...] = (1, 50)
    #: The usual gaps, as powers of ten. Where nextval() has to pass them, one in a hundred is larger, up to a million.
    gaps: tuple[float, float] = UP_TO_TEN_MILLION
    #: One writer stays idle inside its transactions for this many seconds.
    idle: float = 0.0
    repairers: int = 2
    #: Whether one more session changes the catalogs all the time.
    ddl: bool = False

    @property
    def tables(self) -> list[str]:
        return [f"{kind}_{cache}" for kind in COLUMNS for cache in self.caches]


ADVANCE = {"lock": "none", "max_jump": 10**12}
LOCKED = {"advance_up_to": 0, "max_jump": 10**12}
OURS = {
    load.name: load
    for load in (
        Load(name="advance, owner", way="advance", options=ADVANCE, gaps=UP_TO_TEN_THOUSAND),
        # The same threshold that makes an owner lock: a role that may not has to fall back.
        Load(name="advance, UPDATE", role="update", way="advance", options=LOCKED, gaps=UP_TO_TEN_THOUSAND),
        Load(name="advance, USAGE", role="usage", way="advance", options=LOCKED, gaps=UP_TO_TEN_THOUSAND),
        Load(name="locked with setval", way="locked", options=LOCKED, caches=(1,)),
        Load(name="locked with RESTART", way="locked", options=LOCKED, caches=(50,)),
    )
}
THEIRS = {name: Load(name=name, recipe=name, caches=(1,)) for name in RECIPES}
NOBODY = Load(name="nobody", repairers=0)
