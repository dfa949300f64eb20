"""What a person sees before anything is moved, and is asked."""

from __future__ import annotations

import contextlib
import shutil
import sys
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import click

from airflow_seqfix.cli import messages
from airflow_seqfix.cli.messages import announce, is_terminal

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

    from airflow_seqfix.core import Plan, Report, Row

#: What a person types on; closed afterwards where it was opened for the answer.
Keyboard = AbstractContextManager[IO[str]]

#: How many moves are listed before the question; `seqfix plan` lists all.
LISTED = 40
#: Below this width each move has lines of its own; from this one on there is room for the reason of each way.
NARROW, WIDE = 60, 110

CANNOT = "cannot be moved"

WAYS = {
    "advance": "calls nextval() until past the data; cannot go back, blocks nobody",
    "locked": "locks the sequence (ALTER SEQUENCE) and checks again; cannot go back, nextval() waits for a moment",
    "guarded": "one setval() that compares first; not proven against writers",
}


def keyboard() -> Keyboard | None:
    """Return where a person would answer; None where there is none to ask.

    Where stdin is no terminal and stderr is one, somebody sees what happens: stdin is a plan, or the list that a loop
    of the shell reads. The answer then comes from the terminal itself.

    :raises ArgumentError: when there is a person who would not see the question.
    """
    from airflow_seqfix.core import ArgumentError

    if is_terminal(sys.stderr):
        if is_terminal(sys.stdin):
            return contextlib.nullcontext(sys.stdin)
        try:
            return Path("/dev/tty").open(encoding="utf-8", errors="replace")
        except OSError:
            # A terminal to write to, and none to read from: nobody can answer.
            return None
    if is_terminal(sys.stdin):
        raise ArgumentError("stderr is not a terminal, so nobody would see the question: give --yes to skip it")
    return None


def show(made: Plan, where: str) -> None:
    """Show on stderr what a plan moves and where."""
    plan = made.to_dict()
    width = shutil.get_terminal_size().columns
    console = messages.console(width=width)
    _show_target(console, made.report, where)
    moves = {move["sequence"]: move for move in plan["moves"]}
    found = {row.get("sequence"): row for row in plan.get("sequences", ()) if isinstance(row, Mapping)}
    if width < NARROW:
        for name, *cells in _rows(plan, moves, found):
            console.print("{}\n  next value {}, then {}, {}".format(name, *cells), markup=False, soft_wrap=True)
    else:
        console.print(_table(plan, moves, found, width))
    if len(moves) > LISTED:
        console.print(f"… and {len(moves) - LISTED:,} more, which plan lists.")
    left = sum(
        row.get("verdict") in ("behind", "exhausted", "unknown") for name, row in found.items() if name not in moves
    )
    if left:
        console.print(f"{left:,} more {'is' if left == 1 else 'are'} not in sync and cannot be moved: check says why.")
    console.print()
    for way in dict.fromkeys(str(move.get("way")) for move in moves.values()):
        if way in WAYS:
            console.print(f"{way}: {WAYS[way]}", style="dim", markup=False, soft_wrap=True)


def _show_target(console: Console, report: Report, where: str) -> None:
    """Show what would be changed."""
    from rich.text import Text

    from airflow_seqfix.core.errors import printable

    server = report.server
    lines = {"server": f"PostgreSQL {server.version} at {where} ({server.is_of})"}
    lines |= {"database": server.database, "role": server.role}
    if report.source is not None:
        lines["source"] = report.source.said
    for label, value in lines.items():
        console.print(Text.assemble((f"{label:<10}", "dim"), (printable(value), "bold")), soft_wrap=True)
    console.print()


def _table(
    plan: Mapping[str, Any], moves: Mapping[str, Mapping[str, Any]], found: Mapping[Any, Any], width: int
) -> Table:
    """Return a table of the first moves, with the reason of each way where there is room."""
    from rich.table import Table
    from rich.text import Text

    from airflow_seqfix.render.layout import elide

    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), show_edge=False, header_style="bold")
    table.add_column("sequence", no_wrap=True)
    for heading in ("next value", "then"):
        table.add_column(heading, justify="right", no_wrap=True)
    table.add_column("way", no_wrap=True)
    if width >= WIDE:
        table.add_column("because", no_wrap=True)
    for name, *cells in _rows(plan, moves, found):
        cells = [elide(name, width - (60 if width >= WIDE else 42)), *cells][: len(table.columns)]
        table.add_row(*(Text(cell, style="yellow" if CANNOT in cells else "") for cell in cells))
    return table


def _rows(
    plan: Mapping[str, Any], moves: Mapping[str, Mapping[str, Any]], found: Mapping[Any, Any]
) -> Iterator[list[str]]:
    """Yield of each of the first moves its sequence, the next value now and then, the way, and why that."""
    from airflow_seqfix.core.errors import printable
    from airflow_seqfix.core.repair.plan import StoredPlan

    for move in StoredPlan.read(plan).moves[:LISTED]:
        given = moves[move.sequence]
        now = found.get(move.sequence, {}).get("next_value", "?")
        cells = [
            move.sequence,
            now,
            move.target + move.increment_by,
            given.get("way") or CANNOT,
            given.get("why") or "",
        ]
        yield [printable(str(cell)) for cell in cells]


def announce_differences(stored: Mapping[str, Any], fresh: Plan) -> None:
    """Say where a stored plan is not what would be done now: it may be old, or somebody may have edited it."""
    from airflow_seqfix.core.repair.plan import StoredPlan

    rows: dict[str, Row] = {row.finding.sequence.qualified_name: row for row in fresh.report.rows}
    said = {row.get("sequence"): row for row in stored.get("sequences", ()) if isinstance(row, Mapping)}
    ways = {move["sequence"]: move.get("way") for move in stored["moves"]}
    for move in StoredPlan.read(stored).moves:
        row = rows[move.sequence]
        measurement, now = row.finding.measurement, row.finding.move
        if row.outcome is not None and row.outcome.error is not None:
            announce(f"{move.sequence}: {row.outcome.error.reason}: {row.outcome.error.remedy}")
        elif now is None:
            announce(f"{move.sequence}: it is {row.verdict} by now, and is not moved")
        elif str(ways[move.sequence]) != str(now.way):
            announce(
                f"{move.sequence}: the plan says {ways[move.sequence]}, and the way would be {now.way} ({now.why})"
            )
        for key in ("next_value", "furthest_value"):
            was, value = said.get(move.sequence, {}).get(key), getattr(measurement, key)
            if was != value and value is not None and now is not None:
                announce(f"{move.sequence}: the plan says {key} = {was}, and it is {value}")


def agreed(count: int, keys: Keyboard) -> bool:
    """Ask, on stderr, whether to make that many moves."""
    click.echo(f"\nMove {count:,} {'sequence' if count == 1 else 'sequences'}? [y/N] ", nl=False, err=True)
    with keys as stream:
        answer = stream.readline()
    if not answer.endswith("\n"):
        click.echo(err=True)
    return answer.strip().lower() in ("y", "yes")
