"""The blocks of README.md, for the tests that run them."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
SHOP = ROOT / "example_dags" / "shop"
TABLES = ("customers", "orders", "invoices", "credit_notes", "page_views")


def blocks(language: str) -> list[str]:
    """Return what stands in the fenced blocks of a language, in order."""
    return re.findall(rf"^```{language}\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)


def load_shop(conn) -> None:
    """Load the shop as the examples do: with COPY, ids included."""
    conn.execute((SHOP / "tables.sql").read_text(encoding="utf-8"))
    for table in TABLES:
        text = (SHOP / f"{table}.csv").read_text(encoding="utf-8")
        columns = text.split("\n", 1)[0]
        with (
            conn.cursor() as cursor,
            cursor.copy(f"COPY shop.{table} ({columns}) FROM STDIN (FORMAT csv, HEADER)") as copy,
        ):
            copy.write(text)
