"""Draws the pictures of the documentation into docs/pictures: python docs/draw.py.

The import graph and the order of the core's modules are read from the code; tests/test_pictures.py says when a picture
is stale. Each picture has a ground of its own, so that it can be read on a light page and on a dark one.
"""

from __future__ import annotations

import ast
import sys
from html import escape
from pathlib import Path

DOCS = Path(__file__).parent
PACKAGE = DOCS.parent / "airflow_seqfix"

STYLE = """
  .ground { fill: #fbfaf7; stroke: #d9d5cb }
  text { font: 14px system-ui, -apple-system, "Segoe UI", Roboto, sans-serif; fill: #26231d }
  .small { font-size: 12px }
  .faint { fill: #6d675b }
  .strong { font-weight: 600 }
  .mono { font-family: ui-monospace, SFMono-Regular, Menlo, Consolas, monospace; font-size: 13px }
  .box { fill: #ffffff; stroke: #8b8474 }
  .good { fill: #d7eee3; stroke: #2f8566 }
  .bad { fill: #f9dcd6; stroke: #b8442b }
  .mark { fill: #fbe8b8; stroke: #a67c10 }
  .line { stroke: #6d675b; fill: none; stroke-width: 1.5 }
  .thin { stroke: #d9d5cb; fill: none }
  .dot { fill: #2f8566 }
  .no { fill: #b8442b }
  @media (prefers-color-scheme: dark) {
    .ground { fill: #1d2022; stroke: #3b4145 }
    text { fill: #e7e5df }
    .faint { fill: #a5a196 }
    .box { fill: #2a2e31; stroke: #7d8488 }
    .good { fill: #1e463a; stroke: #5fc09c }
    .bad { fill: #57271d; stroke: #ef8a70 }
    .mark { fill: #4d3e14; stroke: #dcb343 }
    .line { stroke: #a5a196 }
    .thin { stroke: #3b4145 }
    .dot { fill: #5fc09c }
    .no { fill: #ef8a70 }
  }
"""


class Picture:
    """An SVG picture, put together from boxes, lines and words."""

    def __init__(self, width: int, height: int, title: str) -> None:
        self.width, self.height, self.title = width, height, title
        self.parts: list[str] = []

    def text(self, x: float, y: float, words: str, style: str = "", anchor: str = "start") -> None:
        self.parts.append(f'<text x="{x:g}" y="{y:g}" class="{style}" text-anchor="{anchor}">{escape(words)}</text>')

    def box(self, x: float, y: float, width: float, height: float, words: str = "", style: str = "box") -> None:
        self.parts.append(
            f'<rect x="{x:g}" y="{y:g}" width="{width:g}" height="{height:g}" rx="4" class="{style.split()[0]}"/>'
        )
        lines = words.split("\n") if words else []
        top = y + height / 2 + 5 - 9 * (len(lines) - 1)
        for number, line in enumerate(lines):
            self.text(x + width / 2, top + 18 * number, line, " ".join(style.split()[1:]), "middle")

    def line(self, *points: tuple[float, float], style: str = "line", arrow: bool = False) -> None:
        path = " ".join(f"{x:g},{y:g}" for x, y in points)
        end = ' marker-end="url(#arrow)"' if arrow else ""
        self.parts.append(f'<polyline points="{path}" class="{style}"{end}/>')

    def dot(self, x: float, y: float, radius: float, style: str) -> None:
        self.parts.append(f'<circle cx="{x:g}" cy="{y:g}" r="{radius:g}" class="{style}"/>')

    def __str__(self) -> str:
        return "\n".join(
            [
                (
                    f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {self.width} {self.height}" '
                    f'width="{self.width}" height="{self.height}" role="img">'
                ),
                f"<title>{escape(self.title)}</title>",
                f"<style>{STYLE}</style>",
                (
                    '<defs><marker id="arrow" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" '
                    'orient="auto"><path d="M0,0 L8,4 L0,8 z" class="faint"/></marker></defs>'
                ),
                f'<rect x="0.5" y="0.5" width="{self.width - 1}" height="{self.height - 1}" rx="8" class="ground"/>',
                *self.parts,
                "</svg>\n",
            ]
        )


def delayed() -> Picture:
    """The sequence is below a block of loaded ids."""
    picture = Picture(680, 210, "A delayed collision")
    size, left, top = 48, 28, 78
    for number in range(1, 14):
        x = left + (number - 1) * size
        style = "box" if number <= 3 else "mark" if number <= 7 else "bad" if number == 8 else "good"
        if number == 13:
            continue
        picture.box(x, top, size - 6, 42, str(number), f"{style} strong")
    picture.text(left, 58, "inserted", "small faint")
    picture.text(left + 3 * size, 58, "four inserts succeed", "small")
    picture.text(left + 7 * size, 58, "loaded with their ids", "small faint")
    arrow = left + 3 * size + 21
    picture.line((arrow, 172), (arrow, 126), arrow=True)
    picture.text(arrow, 190, "the next value is 4", "small", "middle")
    clash = left + 7 * size + 21
    picture.line((clash, 172), (clash, 126), arrow=True)
    picture.text(clash - 4, 190, "the fifth insert: duplicate key, id 8", "small strong")
    picture.text(left, 30, "Rows in the table, by id", "strong")
    return picture


def race() -> Picture:
    """Two sessions: one repairs with max() while the other has ids that cannot be seen yet."""
    picture = Picture(680, 420, "Why setval(max(id)) goes back")
    a, b, s = 150, 385, 600
    for x, name in ((a, "an application"), (b, "the repair"), (s, "the sequence")):
        picture.text(x, 34, name, "strong", "middle")
        picture.line((x, 48), (x, 404), style="thin")
    picture.box(s - 38, 58, 76, 30, "100", "box mono")
    picture.box(a - 122, 96, 244, 44, "BEGIN; ten inserts\nids 101 to 110", "mark small")
    picture.line((a + 126, 118), (s - 44, 118), arrow=True)
    picture.box(s - 38, 103, 76, 30, "110", "box mono")
    picture.box(b - 104, 160, 208, 44, "SELECT max(id)\n100: the ten are not visible", "box small")
    picture.box(b - 104, 222, 208, 32, "setval(…, 100)", "bad mono")
    picture.line((b + 108, 238), (s - 44, 238), arrow=True)
    picture.box(s - 38, 223, 76, 30, "100", "bad mono strong")
    picture.text(s, 274, "it went back", "small strong", "middle")
    picture.box(a - 122, 286, 244, 32, "COMMIT: 101 to 110 are there", "good small")
    picture.box(a - 122, 346, 244, 44, "the next insert gets 101:\nduplicate key", "bad small strong")
    picture.line((s - 44, 368), (a + 128, 368), arrow=True)
    picture.box(s - 38, 353, 76, 30, "101", "bad mono")
    return picture


def cache() -> Picture:
    """Sessions that keep values which a load has used."""
    picture = Picture(680, 330, "Cached values outlive the repair")
    picture.text(28, 32, "CACHE 20: a session takes twenty values at a time", "strong")
    picture.box(28, 52, 180, 44, "session A holds\n41 to 60", "mark small")
    picture.box(28, 108, 180, 44, "session B holds\n61 to 80", "mark small")
    picture.box(258, 80, 150, 44, "the sequence\nis at 80", "box small")
    picture.line((254, 96), (212, 78), arrow=True)
    picture.line((254, 110), (212, 128), arrow=True)
    picture.box(468, 80, 184, 44, "a load brings\nids up to 100", "good small")
    picture.text(28, 196, "After setval(…, 100)", "strong")
    picture.box(258, 214, 150, 44, "the sequence\nis at 100", "good small")
    picture.box(28, 214, 180, 44, "A still hands out 41,\nB 61: duplicate keys", "bad small")
    picture.text(
        28, 296, "After ALTER SEQUENCE … RESTART under its lock every session draws anew: 101, and on.", "small"
    )
    return picture


def architecture() -> Picture:
    """Faces, core and rendering, and the way of the data."""
    picture = Picture(720, 470, "airflow-seqfix: the architecture")
    picture.text(24, 34, "Faces", "strong")
    picture.text(24, 52, "open a connection, call one function, decide pass or fail; no SQL", "small faint")
    for number, words in enumerate(("operators", "sensor,\ntrigger", "command\nseqfix", "your\nprogram")):
        picture.box(24 + number * 172, 66, 156, 48, words, "good small")
    picture.box(24, 144, 672, 36, "check()    plan()    fix()    fix_sequence()", "mark mono")
    for number in range(4):
        picture.line((102 + number * 172, 116), (102 + number * 172, 140), arrow=True)
    picture.text(24, 212, "Core", "strong")
    picture.text(68, 212, "knows PostgreSQL, and nothing of Airflow; imports run one way", "small faint")
    steps = (
        ("discover", "which column\ndraws from what"),
        ("measure", "state and\nfurthest value"),
        ("judge", "verdict and target;\nno connection"),
        ("repair", "move, then\nread again"),
        ("report", "what was found\nand done"),
    )
    for number, (name, words) in enumerate(steps):
        x = 24 + number * 137
        picture.box(x, 228, 124, 30, name, "good strong" if name == "judge" else "box strong")
        for line_number, line in enumerate(words.split("\n")):
            picture.text(x + 62, 278 + 16 * line_number, line, "small faint", "middle")
        if number:
            picture.line((x - 12, 243), (x - 2, 243), arrow=True)
    picture.box(24, 322, 535, 40, "queries/*.sql: one statement a file; only the moves write", "box small")
    for number in (0, 1, 3):
        picture.line((86 + number * 137, 300), (86 + number * 137, 318), arrow=True)
    picture.box(24, 398, 535, 46, "PostgreSQL 13 and later", "box strong")
    picture.line((291, 364), (291, 394), arrow=True)
    picture.box(580, 322, 116, 122, "render\ntable, text,\nHTML: for\npeople", "good small")
    picture.line((634, 300), (634, 318), arrow=True)
    return picture


def module_name(path: Path) -> str:
    """Return a module's name below the package."""
    parts = path.relative_to(PACKAGE).with_suffix("").parts
    return ".".join(part for part in parts if part != "__init__") or "__init__"


def modules() -> dict[str, set[str]]:
    """Return which of its own modules each module of the package imports."""
    paths = {module_name(path): path for path in PACKAGE.rglob("*.py") if "example_dags" not in path.parts}
    found: dict[str, set[str]] = {}
    for name, path in paths.items():
        asked: set[str] = set()
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                asked |= {alias.name for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module:
                # What is imported from a module is a module itself, or a name in it.
                asked |= {
                    full if full.removeprefix("airflow_seqfix.") in paths else node.module
                    for full in (f"{node.module}.{alias.name}" for alias in node.names)
                }
        inside = {full.removeprefix("airflow_seqfix.") for full in asked if full.startswith("airflow_seqfix.")}
        found[name] = (inside & paths.keys()) - {name}
    return {name: used for name, used in found.items() if used or any(name in others for others in found.values())}


def folder_of(name: str) -> str:
    """Return the folder of a module, or the module where it has none: each stage of the core is a folder."""
    parts = name.split(".")
    return ".".join(parts[: 2 if parts[0] == "core" else 1])


def folders() -> dict[str, set[str]]:
    """Return which folders' modules the modules of each folder import."""
    found: dict[str, set[str]] = {}
    for name, used in modules().items():
        folder = folder_of(name)
        found[folder] = found.get(folder, set()) | {folder_of(other) for other in used} - {folder}
    return found


def in_order(graph: dict[str, set[str]]) -> list[str]:
    """Return modules so that each stands after all that it imports, the core first."""
    placed: list[str] = []
    left = dict(graph)
    while left:
        ready = [name for name, used in left.items() if not (used & left.keys()) - {name}]
        if not ready:
            raise SystemExit(f"imports run in a circle: {', '.join(sorted(left))}")
        name = min(ready, key=lambda name: (not name.startswith("core"), name))
        placed.append(name)
        del left[name]
    return placed


def imports() -> Picture:
    """A matrix: a dot where the folder of the row imports the folder of the column."""
    graph = folders()
    names = in_order(graph)
    size, left, top = 19, 176, 44
    width = left + size * len(names) + 24
    picture = Picture(width, top + size * len(names) + 48, "Who imports whom")
    picture.text(24, 28, "Each row imports the folders with a dot. All dots lie left of the diagonal.", "small")
    for row, name in enumerate(names):
        y = top + row * size
        picture.text(left - 8, y + 14, f"{name}  {row + 1}", "small", "end")
        picture.line((left, y + size), (left + row * size, y + size), style="thin")
        picture.box(left + row * size + 2, y + 2, size - 4, size - 4, "", "mark")
        for column, other in enumerate(names):
            if other in graph[name]:
                picture.dot(left + column * size + size / 2, y + size / 2, 4.5, "dot" if column < row else "no")
    for column in range(len(names)):
        x = left + column * size + size / 2
        picture.text(x, top + size * len(names) + 18, str(column + 1), "small faint", "middle")
    return picture


def outliers() -> Picture:
    """Five columns, and which of their values are outliers."""
    picture = Picture(760, 400, "Which gap sets outliers apart")
    left, right, top, height = 24, 736, 62, 68
    picture.text(left, 30, "Rows by value. Open circle: the next value. Bar: the end of the range.", "small")
    rows: list[tuple[str, list[float], list[float], tuple[float, float] | None, str]] = [
        (
            "strays",
            [0.02 + 0.006 * n for n in range(14)],
            [0.6, 0.78, 0.79],
            (0.11, 0.59),
            "the nearest long gap cuts: 3",
        ),
        ("a sentinel", [0.02, 0.03], [0.985], (0.05, 0.975), "long for this range: 1"),
        ("a load", [0.02, 0.03, 0.04], [0.6 + 0.006 * n for n in range(14)], None, "more than lie before it: none"),
        ("random ids", [0.03, 0.14, 0.2, 0.33, 0.41, 0.57, 0.63, 0.74, 0.9], [], None, "no gap stands out: none"),
        ("dense to the end", [0.02 + 0.0098 * n for n in range(98)], [], None, "nothing is free: exhausted"),
    ]
    for number, (name, before, beyond, gap, verdict) in enumerate(rows):
        y = top + number * height

        def at(share: float) -> float:
            return left + share * (right - left)

        picture.text(left, y, name, "strong")
        picture.text(right, y, verdict, "small", "end")
        picture.line((left, y + 26), (right, y + 26), style="thin")
        picture.line((right, y + 18), (right, y + 34))
        if gap is not None:
            picture.line((at(gap[0]), y + 26), (at(gap[1]), y + 26), arrow=True)
        for share in before:
            picture.dot(at(share), y + 26, 3, "dot")
        for share in beyond:
            picture.dot(at(share), y + 26, 3, "dot" if gap is None else "no")
        following = 0.006 if name == "dense to the end" else before[-1] + 0.012 if gap is not None else 0.006
        picture.dot(at(following), y + 26, 4.5, "box")
    return picture


PICTURES = {
    "delayed": delayed,
    "race": race,
    "cache": cache,
    "outliers": outliers,
    "architecture": architecture,
    "imports": imports,
}


def main() -> int:
    """Write all pictures."""
    folder = DOCS / "pictures"
    folder.mkdir(exist_ok=True)
    for name, draw in PICTURES.items():
        (folder / f"{name}.svg").write_text(str(draw()), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
