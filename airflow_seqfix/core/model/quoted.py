"""Text that is SQL as it stands: names and literals as the server quotes them.

A server, or whatever sits between, can answer anything, and these are put into statements and into files for psql. So
they are read by the rules of the grammar before they are believed, see `database/answers.py`.
"""

from __future__ import annotations

import re
from typing import NewType

#: One identifier, as quote_ident() returns it.
Identifier = NewType("Identifier", str)
#: Two with a dot between.
QualifiedName = NewType("QualifiedName", str)
#: The same, with ONLY before it where a table has children.
TableReference = NewType("TableReference", str)
#: A string literal, as quote_literal() returns it: with an E before it where it holds a backslash.
StringLiteral = NewType("StringLiteral", str)
#: What a version of catalog rows is made of.
RowVersion = NewType("RowVersion", str)

_IDENTIFIER = r'(?:[a-z_][a-z0-9_]*|"(?:[^"\0]|"")+")'
_QUALIFIED = rf"{_IDENTIFIER}\.{_IDENTIFIER}"

#: What such a text looks like from end to end.
PATTERNS = {
    RowVersion: re.compile(r"[0-9a-f ]*"),
    Identifier: re.compile(_IDENTIFIER),
    QualifiedName: re.compile(_QUALIFIED),
    TableReference: re.compile(rf"(?:ONLY )?{_QUALIFIED}"),
    StringLiteral: re.compile(r"'(?:[^'\\\0]|'')*'|E'(?:[^'\\\0]|''|\\\\)*'"),
}


def literal(text: str) -> StringLiteral:
    """Return a string constant that means the same whatever `standard_conforming_strings` is."""
    quoted = text.replace("'", "''")
    return StringLiteral("E'" + quoted.replace("\\", "\\\\") + "'" if "\\" in quoted else f"'{quoted}'")
