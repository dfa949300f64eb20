"""The page with the tables: each part has a place on it, between two marks, and each table replaces the one before."""

from __future__ import annotations

import os
import platform
import re
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

import psycopg

from benchmarks.database import MIXES
from benchmarks.measuring import ACTIVE_RECORD, DJANGO, PGLOADER, Result, version

#: Those that all are held against: the one below which nobody gets, and what everybody would write first.
FLOOR, LOOP = "server-side loop", "per-sequence loop"

#: What was written, or not.
WRITES = ("records of sequences", "new file nodes", "moved back", "still behind")


#: The places on the page, in its order.
PLACES = ("check", "fix", "distance", "memory", "large", "pgloader", "airflow", "fleet")

#: Whose versions are told where.
OTHERS = dict.fromkeys(("fix", "distance", "large"), (DJANGO, ACTIVE_RECORD)) | {"pgloader": (PGLOADER,)}


@dataclass(frozen=True, kw_only=True)
class Page:
    """Where tables go: to the terminal, and into a file if there is one."""

    path: Path | None
    #: What was run, and on which server.
    command: str
    server: str

    def put(self, place: str, title: str, lines: list[str]) -> None:
        """Show a table at once, and write it: a run that is interrupted loses nothing."""
        text = "\n".join([f"### {title}", "", *lines, "", f"<small>{self._origin(place)}</small>", ""])
        print(text, flush=True)
        if self.path is not None:
            self.path.write_text(replaced(self.path.read_text(encoding="utf-8"), place, title, text), encoding="utf-8")

    def _origin(self, place: str) -> str:
        memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
        cores = len(os.sched_getaffinity(0))
        versions = {"PostgreSQL": self.server, "psycopg": psycopg.__version__, "Python": platform.python_version()}
        versions |= {name: version(name) or "is not installed" for name in OTHERS.get(place, ())}
        if place in ("airflow", "fleet"):
            versions["Airflow"] = metadata.version("apache-airflow")
        said = ", ".join(f"{name} {number}" for name, number in versions.items())
        return f"`{self.command}`; {said}; {cores} cores, {memory:.0f} GB."


def refuse_other_pages(page: str) -> None:
    """Refuse a page without a place for every table, before hours have gone into one.

    :raises ValueError: that says which lines are missing.
    """
    for place in PLACES:
        _cut(page, place)


def replaced(page: str, place: str, title: str, text: str) -> str:
    """Return the page with the section of this title replaced, or added, in its place."""
    before, there, after = _cut(page, place)
    sections = {section.split("\n", 1)[0]: section for section in re.split(r"^(?=### )", there, flags=re.MULTILINE)}
    sections[f"### {title}"] = f"{text}\n"
    return "".join([before, *(sections[heading] for heading in sorted(sections, key=_order)), after])


def _order(heading: str) -> tuple[int, int]:
    """By how many there are, then by how many of them are behind; what is alike stays as it came."""
    found = re.search(r"\d[\d,]*", heading)
    mixes = [number for number, mix in enumerate(MIXES) if mix in heading]
    return int(found[0].replace(",", "")) if found else 0, mixes[0] if mixes else 0


def _cut(page: str, place: str) -> tuple[str, str, str]:
    """Return what comes before a place, what is there, and what comes after."""
    begin, end = f"<!-- bench: {place} -->\n", f"<!-- /bench: {place} -->\n"
    if page.count(begin) != 1 or page.count(end) != 1:
        raise ValueError(f"the page needs the lines {begin.strip()} and {end.strip()}, once each")
    before, rest = page.split(begin)
    there, after = rest.split(end)
    return before + begin, there, end + after


def rows(cells: list[list[str]]) -> list[str]:
    """Return a Markdown table; the first row is its head."""
    head, *body = [f"| {' | '.join(row)} |" for row in cells]
    return [head, "|---" * len(cells[0]) + "|", *body]


def comparison(results: dict[str, Result]) -> list[str]:
    """Return the table of a comparison, and below it what was counted, where something was."""
    times = [["", "seconds", "lowest to highest (runs)", "to the floor", "to the loop"]]
    for name, result in results.items():
        times.append([name, *_times(result), *(_ratio(result, results.get(to)) for to in (FLOOR, LOOP))])
    counted = [(name, result.memory, result.counted) for name, result in results.items() if result.counted]
    if not counted:
        return rows(times)
    counts = [["", "round trips", "client memory", "locks seen", "WAL", *WRITES]]
    for name, memory, seen in counted:
        cells = [f"{seen.messages:,}", f"{memory / 1e6:.0f} MB" if memory else "-", f"{seen.locks:,}"]
        writes = [seen.sequence_records, seen.new_files, seen.moved_back, seen.left_behind]
        counts.append([name, *cells, f"{seen.wal / 1e3:,.0f} kB", *(f"{number:,}" for number in writes)])
    return [*rows(times), "", *rows(counts)]


def _times(result: Result) -> list[str]:
    if result.median is None:
        return [f"failed: {result.error}", "-"]
    lowest, highest = min(result.seconds), max(result.seconds)
    return [f"{result.median:.2f}", f"{lowest:.2f} to {highest:.2f} ({len(result.seconds)})"]


def _ratio(result: Result, other: Result | None) -> str:
    if result.median is None or other is None or other.median is None:
        return "-"
    return f"{result.median / other.median:.2f}"
