"""The reports of many databases as one table, Markdown text or page; from reports as data, such as XComs hold."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from airflow_seqfix.core.errors import printable
from airflow_seqfix.core.fleet import DatabaseResult, Fleet
from airflow_seqfix.render.layout import cell_len, elide, wrap
from airflow_seqfix.render.phrases import count

#: How many sequences of a database are explained in a table and in Markdown, and listed in a page.
EXPLAINED, LISTED = 10, 250
#: The figures of each database.
FIGURES = ("checked", "in_sync", "behind", "exhausted", "unknown", "skipped", "fixed")
#: How narrow the name of a database may get.
NARROWEST_NAME = 12
#: Of the lines of a sentence but the first.
HANGING = "    "

Spell = Callable[[str], str]


def table(fleet: Fleet, *, width: int | None, spell: Spell = str) -> str:
    """Return a line for each database, and below them what explains those that are not in order.

    :param width: None: lines have no end.
    """
    lines = [*_overview(fleet, width)]
    for one in fleet.databases:
        if one.state in ("error", "failing"):
            lines += ["", printable(one.where), *_explained(one, spell, width=width)]
    return "\n".join([*lines, "", *wrap(summary(fleet), width, indent=HANGING)])


def summary(fleet: Fleet) -> str:
    """Return the counts as one sentence."""
    counts = fleet.summary
    states = {
        "ok": "in order",
        "failing": "failing",
        "empty": "with nothing to check",
        "error": "could not be checked",
    }
    found = [f"{counts[state]:,} {said}" for state, said in states.items() if counts[state]]
    verdicts = [f"{counts[name]:,} {spaced(name)}" for name in FIGURES[1:] if counts.get(name)]
    # A report in an XCom does not list all of them.
    sequences = count(fleet.count("checked") + fleet.count("skipped"), "sequence")
    where = f" on {', '.join(fleet.servers)}" if len(fleet.servers) in (1, 2, 3) else ""
    said = f"{count(len(fleet.databases), 'database')}{where}: {', '.join(found)}"
    return f"{said}; {sequences}: {', '.join(verdicts)}" if verdicts else said


def markdown(fleet: Fleet, *, spell: Spell = str) -> str:
    """Return a table of all databases, and a section for each that is not in order."""
    from airflow_seqfix.render.markdown import code, fence

    headings = ["", "database", *map(spaced, FIGURES)]
    rows = [
        [one.state, code(one.where), *(f"{one.count(name):,}" if one.report else "-" for name in FIGURES)]
        for one in fleet.databases
    ]
    lines = [headings, ["---", "---", *["--:"] * len(FIGURES)], *rows]
    parts = [f"### {summary(fleet)}", "\n".join(f"| {' | '.join(line)} |" for line in lines)]
    for one in fleet.databases:
        if one.state in ("error", "failing"):
            parts += [f"#### {code(one.where)}", fence("\n".join(_explained(one, spell, comment="-- ")), "sql")]
    return "\n\n".join(parts) + "\n"


def html(fleet: Fleet, *, spell: Spell = str) -> str:
    """Return a page that needs nothing else, with a section for each database."""
    from airflow_seqfix import __version__
    from airflow_seqfix.render.html import page

    pieces = page(
        "fleet.html",
        headings=["next value", "furthest value", "gap"],
        of_databases=list(map(spaced, FIGURES)),
        fleet=fleet,
        summary=summary(fleet),
        figures=FIGURES,
        spaced=spaced,
        spell=spell,
        then=then,
        listed=LISTED,
        version=__version__,
    )
    return "".join(pieces)


def spaced(name: str) -> str:
    return name.replace("_", " ")


def _overview(fleet: Fleet, width: int | None) -> Iterator[str]:
    """Yield a line for each database; figures that are 0 everywhere are left out."""
    figures = [name for name in FIGURES if name == "checked" or fleet.count(name)]
    cells = [["", "database", *map(spaced, figures)]]
    for one in fleet.databases:
        shown = [f"{one.count(name):,}" if one.report else "-" for name in figures]
        cells.append([one.state, printable(one.database), *shown])
    sizes = [max(cell_len(line[place]) for line in cells) for place in range(len(cells[0]))]
    if width is not None:
        sizes[1] = min(sizes[1], max(NARROWEST_NAME, width - sum(sizes) + sizes[1] - 2 * (len(sizes) - 1)))
    for state, name, *numbers in cells:
        name = elide(name, sizes[1])
        padded = [state.ljust(sizes[0]), name + " " * (sizes[1] - cell_len(name))]
        padded += [number.rjust(size) for number, size in zip(numbers, sizes[2:], strict=True)]
        yield "  ".join(padded).rstrip()


def _explained(one: DatabaseResult, spell: Spell, *, comment: str = "  ", width: int | None = None) -> Iterator[str]:
    """Yield why a database is not in order, and what helps; of its sequences the first few.

    What can be pasted stays on one line.
    """
    if one.error is not None:
        yield from wrap(f"{comment}{printable(spell(one.error))}", width, indent=HANGING)
    elif one.report is None:
        yield f"{comment}there is no report"
    if one.moves:
        yield f"{comment}plan of {count(len(one.moves), 'move')}, SHA-256 {(one.report or {}).get('plan_sha256')}"
    # A person who approves a plan sees each of its moves.
    shown = LISTED if one.moves else EXPLAINED
    for row in one.failing[:shown]:
        said = f"{spaced(row['verdict'])}: {printable(row['sequence'])}: {printable(spell(_reason(row)))}"
        yield from wrap(f"{comment}{said}", width, indent=HANGING)
        if row["sequence"] in one.moves:
            yield from wrap(f"{comment}  {then(row, one.moves[row['sequence']])}", width, indent=HANGING)
        elif row.get("cure"):
            yield f"{comment}  {printable(spell(row['cure']))}"
    if len(one.failing) > shown:
        yield f"{comment}and {len(one.failing) - shown:,} more"


def then(row: Mapping[str, Any], move: Mapping[str, Any]) -> str:
    """Say what a move of a plan does with a sequence, given as dictionaries."""
    return f"next value {row['next_value']}, then {move['target'] + move['increment_by']} ({printable(move['way'])})"


def _reason(row: Mapping[str, Any]) -> str:
    error = row.get("error")
    return str((error or {}).get("reason") or row.get("reason") or "")
