"""Text that is SQL as it stands: names and literals as the server quotes them.

A server, or whatever sits between, can answer anything, and these are put into statements and into files for psql. So
they are read by the rules of the grammar before they are believed, see `database/answers.py`.
"""

from __future__ import annotations

import re
from typing import NewType

from airflow_seqfix.core.errors import printable

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

#: What helps where a name is no text in the client's encoding.
EVERY_BYTE = "connect with client_encoding=latin1, in which every byte is a character"

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

#: A quoted name, or a literal, in SQL without comments.
_QUOTED = re.compile(r'"(?:[^"]|"")++"|E\'(?:[^\'\\]|\'\'|\\.)*+\'|\'(?:[^\']|\'\')*+\'')
#: The statements that a remedy begins with: no sentence begins with capitals.
_STATEMENTS = re.compile(rf"""(?:[A-Z]{{2,}}(?: (?:{_QUOTED.pattern}|[^;"'])*+)?;\s*)*""")


def literal(text: str) -> StringLiteral:
    """Return a string constant that means the same whatever `standard_conforming_strings` is."""
    quoted = text.replace("'", "''")
    return StringLiteral("E'" + quoted.replace("\\", "\\\\") + "'" if "\\" in quoted else f"'{quoted}'")


def in_print(sql: str) -> str:
    """Return SQL of names and literals that means the same, and holds no character that does not print.

    Such a character would be obeyed by a terminal, or show a reader other SQL than is run. It stands there by its
    number: in a name as U&"..", which needs `standard_conforming_strings`, and in a literal as E'..', which does not.
    """
    return sql if sql.isprintable() else _QUOTED.sub(lambda found: _in_print(found[0]), sql)


def noted(sql: str, note: str) -> str:
    """Return statements with what is said of them, in one line that can be pasted: behind SQL it is a comment.

    A line break in a name would end the comment, and what comes after it would be run.
    """
    return " -- ".join(filter(None, [sql, printable(note)]))


def or_else(first: str, second: str) -> str:
    """Return two remedies to choose from: where the first is a statement, that is what is pasted."""
    return noted(first, f"or {second}") if first.endswith(";") else f"{first}; or {second}"


def statements(remedy: str) -> str:
    """Return the statements that a remedy begins with; an empty text where it begins otherwise."""
    found = _STATEMENTS.match(remedy)
    return found[0] if found else ""


def _in_print(quoted: str) -> str:
    if quoted.isprintable():
        return quoted
    if quoted.startswith('"'):
        return "U&" + _numbered(quoted.replace("\\", "\\\\"), "\\{:04X}", "\\+{:06X}")
    escaped = quoted.removeprefix("E") if quoted.startswith("E") else quoted.replace("\\", "\\\\")
    return "E" + _numbered(escaped, "\\u{:04X}", "\\U{:08X}")


def _numbered(text: str, short: str, long: str) -> str:
    return "".join(c if c.isprintable() else (long if ord(c) > 0xFFFF else short).format(ord(c)) for c in text)
