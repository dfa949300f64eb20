"""Names as people write them."""

from __future__ import annotations

import pytest

from airflow_seqfix.core import ArgumentError
from airflow_seqfix.core.discover.names import Name
from airflow_seqfix.splitting import split, unquoted


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
