"""What a person sees before anything is moved, and is asked."""

from __future__ import annotations

import contextlib
import shutil
import sys
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import replace
from operator import itemgetter
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Literal

import click

from airflow_seqfix.cli import messages
from airflow_seqfix.cli.messages import announce, is_terminal
from airflow_seqfix.cli.option_names import with_options

if TYPE_CHECKING:
    from rich.text import Text

    from airflow_seqfix.core import Plan, Report, Row

#: What a person types on; closed afterwards where it was opened for the answer.
Keyboard = AbstractContextManager[IO[str]]

#: How many moves are listed before the question; `seqfix plan` lists all.
LISTED = 40
#: Below this width each move has lines of its own.
NARROW = 60
#: To how many characters a name may be shortened for the reason of its move.
LEGIBLE = 40
#: How wide the labels are of what would be changed.
LABEL = 10
#: What is said of each move, and how.
COLUMNS: dict[str, Literal["name", "word", "figure"]] = {
    "sequence": "name",
    "next value": "figure",
    "then": "figure",
    "way": "word",
    "because": "word",
}

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
    from airflow_seqfix.render.layout import wrap

    plan = made.to_dict()
    width = shutil.get_terminal_size().columns
    console = messages.console(width=width)
    for line in _target(made.report, where, width):
        console.print(line, soft_wrap=True)
    moves = {move["sequence"]: move for move in plan["moves"]}
    found = {row.get("sequence"): row for row in plan.get("sequences", ()) if isinstance(row, Mapping)}
    for text, style in _listed(list(_rows(plan, moves, found)), width):
        console.print(text, style=style, markup=False, soft_wrap=True)
    said = []
    if len(moves) > LISTED:
        said.append(f"… and {len(moves) - LISTED:,} more, which plan lists.")
    left = sum(
        row.get("verdict") in ("behind", "exhausted", "unknown") for name, row in found.items() if name not in moves
    )
    if left:
        said.append(f"{left:,} more {'is' if left == 1 else 'are'} not in sync and cannot be moved: check says why.")
    console.print(*(line for text in said for line in wrap(text, width)), "", sep="\n", markup=False, soft_wrap=True)
    for way in dict.fromkeys(str(move.get("way")) for move in moves.values()):
        if way in WAYS:
            text = "\n".join(wrap(f"{way}: {WAYS[way]}", width, indent="  "))
            console.print(text, style="dim", markup=False, soft_wrap=True)


def _target(report: Report, where: str, width: int) -> Iterator[Text]:
    """Yield the lines that name what would be changed."""
    from rich.text import Text

    from airflow_seqfix.render.layout import wrap

    server = report.server
    lines = {"server": f"PostgreSQL {server.version} at {where} ({server.is_of})"}
    lines |= {"database": server.database, "role": server.acts_as}
    if report.source is not None:
        lines["source"] = report.source.said
    for label, value in lines.items():
        text = "\n".join(wrap(value, width - LABEL)).replace("\n", "\n" + " " * LABEL)
        yield Text.assemble((label.ljust(LABEL), "dim"), (text, "bold"))
    yield Text()


def _listed(rows: list[list[str]], width: int) -> Iterator[tuple[str, str]]:
    """Yield lines and their styles: a line for each move, with its reason if that leaves its name legible."""
    from airflow_seqfix.render.layout import GUTTER, NARROWEST_NAME, Column, cell_len, flow, lay_out

    columns: list[Column[list[str]]] = [
        Column(heading, itemgetter(place), kind=kind) for place, (heading, kind) in enumerate(COLUMNS.items())
    ]
    longest, *others = map(cell_len, next(lay_out(columns, rows, None)))
    room = width - sum(len(GUTTER) + size for size in others)
    if room < min(longest, LEGIBLE):
        columns.pop()
        room += len(GUTTER) + others[-1]
    if width < NARROW or room < min(longest, NARROWEST_NAME):
        for name, now, then, way, _ in rows:
            yield name, ""
            for line in flow([f"next value {now}", f"then {then}", way], width - 2, separator=", "):
                yield f"  {line}", ""
        return
    laid_out = (GUTTER.join(cells).rstrip() for cells in lay_out(columns, rows, width))
    yield next(laid_out), "bold"
    for line, row in zip(laid_out, rows, strict=True):
        yield line, "yellow" if CANNOT in row else ""


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
            with_options(given.get("why") or ""),
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


def shown_and_agreed(plan: Plan, where: str, keys: Keyboard) -> bool:
    """Show what a plan moves and where, and ask whether to.

    Where nothing can be moved there is nothing to agree to, and the report will say why.
    """
    movable = sum(move.way is not None for move in plan)
    if not movable:
        return True
    show(plan, where)
    return agreed(movable, keys)


def agreed(count: int, keys: Keyboard) -> bool:
    """Ask, on stderr, whether to make that many moves."""
    click.echo(f"\nMove {count:,} {'sequence' if count == 1 else 'sequences'}? [y/N] ", nl=False, err=True)
    with keys as stream:
        answer = stream.readline()
    if not answer.endswith("\n"):
        click.echo(err=True)
    return answer.strip().lower() in ("y", "yes")


def with_rest(done: Report, plan: Plan) -> Report:
    """Return the report of the moves of a plan, with the plan's rows for all else."""
    by_oid = {row.finding.sequence.oid: row for row in done.rows}
    return replace(done, rows=tuple(by_oid.get(row.finding.sequence.oid, row) for row in plan.report.rows))
