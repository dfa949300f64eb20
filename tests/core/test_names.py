"""Names as people write them, and texts as SQL."""

from __future__ import annotations

import pytest

from airflow_seqfix.core import ArgumentError
from airflow_seqfix.core.discover.names import Name
from airflow_seqfix.core.model.quoted import literal
from airflow_seqfix.splitting import split, unquoted
from tests.support.servers import Database


@pytest.mark.parametrize(
    ("text", "separator", "parts"),
    [
        ("a.b", ".", ["a", "b"]),
        ('"a.b".c', ".", ['"a.b"', "c"]),
        ('"a"".b".c', ".", ['"a"".b"', "c"]),
        ('a,"b,c",d', ",", ["a", '"b,c"', "d"]),
        ('"open.b', ".", ['"open', "b"]),
        ("", ".", [""]),
        ("a\n.b", ".", ["a\n", "b"]),
    ],
)
def test_split(text: str, separator: str, parts: list[str]) -> None:
    assert split(text, separator) == parts


def test_unquoted() -> None:
    assert unquoted('a"@"b:"c"""') == "ab:"


@pytest.mark.parametrize(
    ("text", "parts", "owner"),
    [
        ("Shop.Orders.Id", ("shop", "orders", "id"), "Shop.Orders"),
        ('shop."Or.ders"."i""d"', ("shop", "Or.ders", 'i"d'), 'shop."Or.ders"'),
        ('""""', ('"',), ""),
        ("app_*.*", ("app_*", "*"), "app_*"),
        ('"app_*"', ("app_[*]",), ""),
    ],
)
def test_parts(text: str, parts: tuple[str, ...], owner: str) -> None:
    name = Name.parse(text, "columns")
    assert (name.parts, name.owner.text) == (parts, owner)


@pytest.mark.parametrize(
    "text", ["", ".", "a.", ".a", '""', '"', '"a', 'a"b', '"a"b', 'a "b"', '"a" ', '"a"b"', "a..b", " "]
)
def test_no_name(text: str) -> None:
    with pytest.raises(ArgumentError, match="is not a name"):
        Name.parse(text, "columns")


@pytest.mark.parametrize("conforming", ["on", "off"])
def test_a_text_is_itself_on_the_server(conforming: str, newest_db: Database) -> None:
    texts = [
        "",
        "'",
        "''",
        "\\",
        "\\'",
        "'\\''",
        "a\nb",
        "$x$",
        "%s",
        "é\u2028",
        "E'",
        ":name",
        *map(chr, range(1, 256)),
    ]
    with newest_db.connect() as conn:
        # From 19 on they always are.
        if newest_db.server.version_num < 19_00_00:
            conn.execute(f"SET standard_conforming_strings = {conforming}")
        for text in texts:
            assert conn.execute(f"SELECT {literal(text)}".encode()).fetchone() == (text,)
