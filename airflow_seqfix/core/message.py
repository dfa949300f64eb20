"""What a report says of the sequences that fail, as text: for exceptions, logs and chat."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Protocol

from airflow_seqfix.core.errors import printable
from airflow_seqfix.core.model import Grant, Obstacle, together

#: How many sequences a message names.
NAMED = 10
#: How wide it is, but for a name that is longer: as much as Airflow's page shows beside the grid.
WIDTH = 100

#: A word of SQL: what stands in quotes is never broken.
_WORD = re.compile(r"""(?:"[^"]*"|'[^']*'|\S)+""")
#: A remedy for a shell, where a line that goes on ends with a backslash.
_COMMAND = re.compile(r"\s*(?:Remedy: )?seqfix fix --")


class Failing(Protocol):
    """One sequence that fails."""

    @property
    def title(self) -> str: ...
    @property
    def reason(self) -> str | None: ...
    @property
    def remedy(self) -> str | None: ...
    @property
    def obstacle(self) -> Obstacle | None: ...


def message(headline: str, failing: Sequence[Failing]) -> str:
    """Return a headline, the first sequences that fail with reason and remedy, and the grants of all in the end."""
    grants = shared_grants(failing)
    lines = [headline]
    for row in failing[:NAMED]:
        said = [f"{row.reason}."]
        if row.remedy and not (grants and is_of_grants(row)):
            said.append(f"Remedy: {row.remedy}")
        lines += [
            printable(f"{row.title}:"),
            *(f"  {line}" for text in said for line in folded(text, indent=2, width=WIDTH - 2)),
        ]
    if len(failing) > NAMED:
        lines.append(f"and {len(failing) - NAMED} more")
    if grants:
        lines += [
            "Grants that are missing:",
            *(f"  {line}" for grant in grants for line in folded(grant, indent=2, width=WIDTH - 2)),
        ]
    return "\n".join(lines)


def shared_grants(rows: Iterable[Failing]) -> list[str]:
    """Return the grants that several sequences need, in as few statements as there are; none where one needs some."""
    lacking = [row for row in rows if is_of_grants(row)]
    return together(grant for row in lacking for grant in _grants(row)) if len(lacking) > 1 else []


def is_of_grants(row: Failing) -> bool:
    """Whether grants are all that helps."""
    grants = _grants(row)
    return bool(grants) and row.remedy == " ".join(map(str, grants))


def folded(text: str, *, indent: int, width: int = WIDTH) -> list[str]:
    """Break text between words. A statement or command in it means the same: quotes stay whole, comments stay comments.

    :param indent: How far the lines after the first are indented.
    """
    lines: list[str] = []
    start = " " * indent
    mark, end = ("#", " \\") if _COMMAND.match(text) else ("--", "")
    for word in _WORD.findall(printable(text)):
        if not lines:
            lines.append(word)
        elif word == mark and mark not in start:
            lines.append(start + word)
            start, end = f"{start}{mark} ", ""
        elif len(lines[-1]) + 1 + len(word) + len(end) <= width:
            lines[-1] += f" {word}"
        else:
            lines[-1] += end
            lines.append(start + word)
    return lines


def _grants(row: Failing) -> tuple[Grant, ...]:
    return row.obstacle.grants if row.obstacle is not None else ()
