"""Text on a terminal: columns that fit, shortened names, lines that end between words."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import chain
from typing import Any, Generic, Literal, TypeVar

from airflow_seqfix.core.errors import printable

T = TypeVar("T")

#: How narrow a name may get before another column is left out.
NARROWEST_NAME = 18
#: Figures of more characters are rounded where nothing is left to leave out.
LONGEST_FIGURE = 10
GUTTER = "  "


@dataclass(frozen=True, slots=True, eq=False)
class Column(Generic[T]):
    """A column: its heading, in one line or two, and what stands in it."""

    heading: str
    value: Callable[[T], str]
    #: A name may be shortened in its middle; figures stand on the right, and may be rounded where all else fails.
    kind: Literal["name", "word", "figure"] = "figure"
    #: Those with the highest number go first where room is short; 0 stays.
    dispensable: int = 0

    @property
    def is_name(self) -> bool:
        return self.kind == "name"


def lay_out(columns: list[Column[T]], rows: list[T], width: int | None) -> Iterator[list[str]]:
    """Return lines of cells, the headings' first: as many columns as fit, each padded to its width.

    :param width: None: there is no end to a line, and nothing is shortened.
    """
    rounded: set[Column[T]] = set()

    # Written twice, to be measured and to be shown: all cells of a long table are more than the report.
    def text(column: Column[T], row: T) -> str:
        said = printable(column.value(row))
        return _rounded(said) if column in rounded else said

    def natural() -> dict[Column[T], int]:
        return {c: _width(chain(c.heading.split("\n"), (text(c, row) for row in rows))) for c in columns}

    sizes = _fit(natural(), width)
    if sizes is None:
        rounded |= {column for column in columns if column.kind == "figure" and not column.dispensable}
        sizes = _fit(natural(), width, is_final=True) or {}
    headings = {column: column.heading.split("\n") for column in columns}
    height = max(len(headings[column]) for column in sizes)
    for number in range(-height, 0):
        yield [_cell(column, _line(headings[column], number), size) for column, size in sizes.items()]
    for row in rows:
        yield [_cell(column, text(column, row), size) for column, size in sizes.items()]


def cell_len(text: str) -> int:
    """Return how many columns of a terminal a text takes."""
    if text.isascii():
        return len(text)
    from rich import cells

    return cells.cell_len(text)


def elide(text: str, width: int) -> str:
    """Shorten a name in its middle: both ends tell names apart."""
    if cell_len(text) <= width:
        return text
    head = (width - 1) // 2
    return f"{_beginning(text, head)}…{_beginning(text[::-1], width - 1 - head)[::-1]}"


def wrap(text: str, width: int | None, *, indent: str = "") -> list[str]:
    """Break a sentence between words, and never before a percent sign; a word that is longer than a line stays whole.

    :param width: None: there is no end to a line.
    :param indent: Of each line but the first.
    """
    if width is None:
        return [printable(text)]
    first, *words = re.split(r" (?!%)", printable(text))
    wrapped = [first]
    for word in words:
        if cell_len(f"{wrapped[-1]} {word}") <= width:
            wrapped[-1] += f" {word}"
        else:
            wrapped.append(indent + word)
    return wrapped


def flow(pieces: Iterable[str], width: int, *, separator: str) -> Iterator[str]:
    """Yield lines that end between pieces; a piece that is longer than a line is broken between its words."""
    line = ""
    for piece in pieces:
        joined = f"{line}{separator}{piece}" if line else piece
        if cell_len(joined + separator.rstrip()) <= width:
            line = joined
            continue
        if line:
            yield f"{line}{separator}".rstrip()
        *full, line = wrap(piece, width)
        yield from full
    if line:
        yield line


def _fit(natural: dict[Column[T], int], width: int | None, *, is_final: bool = False) -> dict[Column[T], int] | None:
    """Return the columns that fit with their sizes: figures in full, names as long as room is left.

    None where names would be too short to tell anything, unless it `is_final`.

    :param natural: How wide each would be.
    """
    if width is None:
        return natural
    while True:
        names = [column for column in natural if column.is_name]
        room = width - len(GUTTER) * (len(natural) - 1) - sum(natural[c] for c in natural if not c.is_name)
        sizes = _shares([natural[column] for column in names], room)
        is_cramped = any(size < min(NARROWEST_NAME, natural[c]) for c, size in zip(names, sizes, strict=True))
        least = max(natural, key=lambda column: column.dispensable)
        if not is_cramped or (is_final and not least.dispensable):
            return natural | dict(zip(names, sizes, strict=True))
        if not least.dispensable:
            return None
        del natural[least]


def _shares(wanted: list[int], room: int) -> list[int]:
    """Divide `room`: who wants less than a fair share leaves the rest to the others."""
    shares = dict.fromkeys(range(len(wanted)), 0)
    for left, index in enumerate(sorted(shares, key=lambda index: wanted[index])):
        shares[index] = max(8, min(wanted[index], room // (len(wanted) - left)))
        room -= shares[index]
    return list(shares.values())


def _width(texts: Iterable[str]) -> int:
    return max(map(cell_len, texts))


def _line(heading: list[str], number: int) -> str:
    """Return a line of a heading, counted from the last."""
    return heading[number] if -number <= len(heading) else ""


def _cell(column: Column[Any], text: str, size: int) -> str:
    text = elide(text, size)
    padding = " " * (size - cell_len(text))
    return padding + text if column.kind == "figure" else text + padding


def _rounded(text: str) -> str:
    digits = text.removeprefix("≥ ")
    if len(digits) <= LONGEST_FIGURE:
        return text
    return f"~{float(digits.replace(',', '')):.1e}".replace("e+", "e")


def _beginning(text: str, width: int) -> str:
    """Return as much of the text as fits: a wide character that would stand half outside is left out."""
    taken = ""
    for character in text:
        if cell_len(taken + character) > width:
            break
        taken += character
    return taken
