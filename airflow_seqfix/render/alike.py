"""Rows that share a reason, which is said once."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import replace

from airflow_seqfix.core.model.quoted import QualifiedName
from airflow_seqfix.core.row import Row
from airflow_seqfix.render.phrases import count, state

#: How many sequences that share a reason are named.
NAMED = 3
#: More rows than this that share a reason and have no figures are one line of a table.
FOLDED = 10


def alike(rows: Iterable[Row]) -> list[list[Row]]:
    """Return the rows that share verdict, reason and remedy together, in the order of the first of each."""
    found: dict[tuple[str, str | None, str | None], list[Row]] = defaultdict(list)
    for row in rows:
        found[state(row), row.reason, row.remedy].append(row)
    return list(found.values())


def names(rows: list[Row]) -> str:
    """Return the names of the first few, and how many more there are."""
    left = len(rows) - NAMED
    return ", ".join(row.sequence for row in rows[:NAMED]) + (f" and {left:,} more" if left > 0 else "")


def fold(rows: Iterable[Row], most: int | None = None) -> tuple[list[Row], int]:
    """Return the lines of a table, and how many rows it leaves out.

    Many rows that share a reason, and have no figures, are one line.

    :param most: How many lines it may have; None: as many as there are.
    """
    known = list(rows)
    many = {id(row): group for group in alike(filter(_is_unread, known)) if len(group) > FOLDED for row in group}
    lines: list[tuple[Row, int]] = []
    for row in known:
        group = many.get(id(row))
        if group is None:
            lines.append((row, 1))
        elif row is group[0]:
            lines.append((_stand_in(group), len(group)))
    return [row for row, _ in lines[:most]], 0 if most is None else sum(number for _, number in lines[most:])


def _is_unread(row: Row) -> bool:
    return row.next_value is None and row.outcome is None and row.reason is not None


def _stand_in(rows: list[Row]) -> Row:
    """Return a row that a table shows in place of these: how many they are stands where a name would."""
    finding = rows[0].finding
    counted = replace(
        finding.measurement.sequence, qualified_name=QualifiedName(count(len(rows), "sequence")), columns=()
    )
    return replace(
        rows[0], finding=replace(finding, measurement=replace(finding.measurement, sequence=counted, furthest=()))
    )
