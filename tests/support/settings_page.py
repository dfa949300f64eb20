"""The tables of docs/reference/settings.md, from the code."""

from __future__ import annotations

from collections.abc import Iterator

from airflow_seqfix.core.database.server_settings import OVERRIDDEN, RESPECTED


def overridden() -> Iterator[str]:
    for setting in OVERRIDDEN:
        used = " and ".join(name for name, used in (("reads", setting.reads), ("moves", setting.moves)) if used)
        value = "the run's own" if setting.value is None else f"`{setting.value.strip(chr(39))}`"
        yield f"| `{setting.name}` | {value} | {used} | {setting.since} | {setting.why} |"


def respected() -> Iterator[str]:
    for name, why in RESPECTED.items():
        yield f"| `{name}` | {why} |"
