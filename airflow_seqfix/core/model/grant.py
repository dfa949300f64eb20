"""Privileges that a role lacks, and the statements that grant them. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from airflow_seqfix.core.model.quoted import in_print

#: From so many objects of a schema on, all that are in it are named at once.
ALL_FROM = 50

_ALL = {"SEQUENCE": "ALL SEQUENCES IN SCHEMA", "TABLE": "ALL TABLES IN SCHEMA"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Grant:
    """One privilege on one object. Its text is the statement."""

    #: With a column where it is of one.
    privilege: str
    kind: Literal["SCHEMA", "SEQUENCE", "TABLE"]
    #: The object's schema, and its name with the schema, as written in SQL.
    schema: str
    name: str
    role: str
    #: The column, as written in SQL.
    column: str | None = None

    def __str__(self) -> str:
        return _statement(self, self.name)


def together(grants: Iterable[Grant]) -> list[str]:
    """Return as few statements as PostgreSQL has for several grants: one for each schema, kind and column."""
    groups: dict[tuple[str, ...], dict[str, Grant]] = {}
    for grant in grants:
        where = "" if grant.kind == "SCHEMA" else grant.schema
        key = (grant.role, where, grant.kind, grant.privilege, grant.column or "")
        groups.setdefault(key, {})[grant.name] = grant
    # Without the right to a schema, no other of its grants helps.
    order = sorted(groups.values(), key=lambda group: next(iter(group.values())).kind != "SCHEMA")
    return [_of_one_kind(list(group.values())) for group in order]


def _of_one_kind(grants: list[Grant]) -> str:
    first = grants[0]
    if len(grants) >= ALL_FROM and first.kind in _ALL:
        return in_print(f"GRANT {first.privilege} ON {_ALL[first.kind]} {first.schema} TO {first.role};")
    return _statement(first, ", ".join(sorted(grant.name for grant in grants)))


def _statement(grant: Grant, names: str) -> str:
    column = f" ({grant.column})" if grant.column else ""
    kind = "" if grant.kind == "TABLE" else f"{grant.kind} "
    return in_print(f"GRANT {grant.privilege}{column} ON {kind}{names} TO {grant.role};")
