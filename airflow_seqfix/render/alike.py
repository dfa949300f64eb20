"""Rows that share a reason, which is said once."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace

from airflow_seqfix.core.model import Move, Way
from airflow_seqfix.core.model.quoted import QualifiedName
from airflow_seqfix.core.row import Row
from airflow_seqfix.render.phrases import count, move, state

#: How many sequences that share a reason are named.
NAMED = 3
#: More rows than this that share a reason and have no figures are one line of a table.
FOLDED = 10


def alike(rows: Iterable[Row], most: int | None = None) -> tuple[Iterator[list[Row]], int]:
    """Return the rows that share verdict, reason and remedy together, and how many rows are left out.

    :param most: How many such groups to return, in the order of the first row of each; None: all.
    """
    firsts: list[Row] = []
    first_of: dict[tuple[str, str | None, str | None], Row] = {}
    others: dict[int, list[Row]] = defaultdict(list)
    left_out = 0
    for row in rows:
        # A statement names its sequence, and nobody shares it: of thousands none is written to be compared.
        shared = None if row.finding.is_pasteable and row.outcome is None else (state(row), row.reason, row.remedy)
        first = None if shared is None else first_of.get(shared)
        if first is not None:
            others[id(first)].append(row)
        elif most is None or len(firsts) < most:
            firsts.append(row)
            if shared is not None:
                first_of[shared] = row
        else:
            left_out += 1
    return ([row, *others.get(id(row), ())] for row in firsts), left_out


def by_way(rows: Iterable[Row]) -> list[tuple[Move, list[Row]]]:
    """Return the rows that move in the same way for the same reason together, with the move of the first."""
    groups: dict[tuple[Way | None, str], list[Row]] = defaultdict(list)
    for row in rows:
        if (found := move(row)) is not None:
            groups[found.way, found.why].append(row)
    return [(found, group) for group in groups.values() if (found := move(group[0])) is not None]


def names(rows: list[Row], write: Callable[[str], str] = str) -> str:
    """Return the names of the first few, and how many more there are.

    :param write: Writes a name as it stands in text of that form.
    """
    left = len(rows) - NAMED
    return ", ".join(write(row.sequence) for row in rows[:NAMED]) + (f" and {left:,} more" if left > 0 else "")


def fold(rows: Iterable[Row], most: int | None = None) -> tuple[list[Row], int]:
    """Return the lines of a table, and how many rows it leaves out.

    Many rows that share a reason, and have no figures, are one line.

    :param most: How many lines it may have; None: as many as there are.
    """
    known = list(rows)
    groups, _ = alike(filter(_is_unread, known))
    many = {id(row): group for group in groups if len(group) > FOLDED for row in group}
    lines: list[Row] = []
    left_out = 0
    for row in known:
        group = many.get(id(row), [row])
        if row is not group[0]:
            continue
        if most is None or len(lines) < most:
            lines.append(row if len(group) == 1 else _stand_in(group))
        else:
            left_out += len(group)
    return lines, left_out


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
