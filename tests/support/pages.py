"""The pages of the documentation, and what is shown on them, for the tests that run it.

What a page shows is run, in the order of the page, on a database `shop` of its own. A comment on the page says what
is in it:

    <!-- database: shop -->      the shop of example_dags/, just loaded, which is behind; without it, nothing

How a fenced block is run goes by its language:

    console   each line after `$ ` is a command; what follows is what it prints, with … for what differs each time
    sql       statements
    text      what the block before printed
    python    a program; where it makes operators or sensors, what stands in a DAG, run by a test of the provider
    yaml      a CI job: what stands in `run` of its steps

A comment before a block says what the page does not show: `<!-- before: … -->` holds SQL to be run first,
`<!-- printed by: … -->` the SQL whose output a block of text is, and `<!-- not run: why -->` leaves the block alone. A
block of any other language needs the last one, or is a file: `<!-- file: path -->` makes it one of the folder that
commands run in, and `<!-- project: path -->` copies a folder of the repository there first.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from tests.support import ROOT

SHOP = ROOT / "example_dags" / "shop"
TABLES = ("customers", "orders", "invoices", "credit_notes", "page_views")

#: Pages whose blocks a test of their own runs.
RUN_ELSEWHERE = {
    "docs/grants.md": "tests/core/test_grants.py",
}

_PART = re.compile(
    r"^<!-- (?P<kind>before|printed by|not run|database|file|project): (?P<said>.*?) ?-->$"
    r"|^(?P<fence>```+)(?P<language>[^\n]*)\n(?P<text>.*?)^(?P=fence)$",
    re.MULTILINE | re.DOTALL,
)


@dataclass(frozen=True, kw_only=True)
class Block:
    """One fenced block of a page."""

    page: str
    line: int
    language: str
    text: str
    #: SQL to be run before it.
    before: str | None
    #: SQL that prints it.
    printed_by: str | None
    #: Why it is not run.
    not_run: str | None
    #: The file that it is, and not run by itself.
    file: str | None
    #: A folder of the repository that it is a part of.
    project: str | None

    @property
    def place(self) -> str:
        return f"{self.page}:{self.line}"

    @property
    def is_dag(self) -> bool:
        """Whether it is what stands in a DAG."""
        return self.language == "python" and re.search(r"import .*(Operator|Sensor)\b|\bDAG\b", self.text) is not None

    @property
    def is_directive(self) -> bool:
        return self.language.startswith("{")


def pages() -> list[str]:
    """Return the pages, as paths from the root."""
    found = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]
    return [str(path.relative_to(ROOT)) for path in found if "adr" not in path.parts]


def read(page: str) -> str:
    return (ROOT / page).read_text(encoding="utf-8")


def starts_with_shop(page: str) -> bool:
    return "<!-- database: shop -->" in read(page)


def blocks(page: str) -> list[Block]:
    """Return the fenced blocks of a page."""
    found: list[Block] = []
    said: dict[str, str] = {}
    text = read(page)
    for part in _PART.finditer(text):
        if part["kind"]:
            said[part["kind"]] = part["said"]
            continue
        found.append(
            Block(
                page=page,
                line=text.count("\n", 0, part.start()) + 1,
                language=part["language"].split(" ")[0],
                text=part["text"],
                before=said.pop("before", None),
                printed_by=said.pop("printed by", None),
                not_run=said.pop("not run", None),
                file=said.pop("file", None),
                project=said.pop("project", None),
            )
        )
    return found


def load_shop(conn) -> None:
    """Load the shop of the examples into a schema `shop`, and as they do: with COPY, ids included."""
    conn.execute((SHOP / "tables.sql").read_text(encoding="utf-8").replace("seqfix_example", "shop"))
    for table in TABLES:
        text = (SHOP / f"{table}.csv").read_text(encoding="utf-8")
        columns = text.split("\n", 1)[0]
        with (
            conn.cursor() as cursor,
            cursor.copy(f"COPY shop.{table} ({columns}) FROM STDIN (FORMAT csv, HEADER)") as copy,
        ):
            copy.write(text)
