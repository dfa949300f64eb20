"""SQL and PL/pgSQL as words: comments are gone, strings and names are read. Pure.

By the rules of the server's own scanner (scan.l), with standard_conforming_strings on.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum


class Kind(Enum):
    WORD = "word"  #: a keyword or a name without quotes, folded to lower case
    NAME = "name"  #: a name in double quotes
    STRING = "string"  #: a string constant, whatever its quotes
    NUMBER = "number"
    SIGN = "sign"  #: an operator, or punctuation


@dataclass(frozen=True, slots=True)
class Token:
    kind: Kind
    #: What it stands for: of strings and names what is between the quotes.
    text: str

    @property
    def is_identifier(self) -> bool:
        return self.kind in (Kind.WORD, Kind.NAME)


_TOKEN = re.compile(
    r"""
      (?P<space>   \s+ | --[^\n]* )
    | (?P<comment> /\* )
    | (?P<dollar>  \$(?:[^\W\d]\w*)?\$ )
    | [eE]'                     (?P<escape> (?:[^'\\]|\\.|'')* ) (?:'|\Z)
    | (?:[uU]&|[nNbBxX])?'      (?P<plain>  (?:[^']|'')* )       (?:'|\Z)
    | (?:[uU]&)?"               (?P<name>   (?:[^"]|"")* )       (?:"|\Z)
    | (?P<word>    [^\W\d][\w$]* )
    | (?P<number>  \d[\w.]* )
    | (?P<sign>    :: | := | <> | <= | >= | \|\| | << | >> | . )
    """,
    re.VERBOSE | re.DOTALL,
)
#: What a backslash stands for in an E string; others stand for themselves.
_ESCAPES = {"n": "\n", "t": "\t", "r": "\r", "b": "\b", "f": "\f"}


def tokens(text: str) -> Iterator[Token]:
    """Yield the words of a text; what has no end goes to the end of the text."""
    position = 0
    while position < len(text):
        found = _TOKEN.match(text, position)
        assert found is not None and found.lastgroup is not None, "a sign is any character"
        kind, said, position = found.lastgroup, found[found.lastgroup], found.end()
        match kind:
            case "comment":
                position = _end_of_comment(text, position)
            case "dollar":
                end = text.find(said, position)
                end = len(text) if end < 0 else end
                yield Token(Kind.STRING, text[position:end])
                position = end + len(said)
            case "escape":
                yield Token(Kind.STRING, re.sub(r"\\(.)|''", _unescaped, said, flags=re.DOTALL))
            case "plain":
                yield Token(Kind.STRING, said.replace("''", "'"))
            case "name":
                yield Token(Kind.NAME, said.replace('""', '"'))
            case "word":
                yield Token(Kind.WORD, folded(said))
            case "number" | "sign":
                yield Token(Kind(kind), said)


def folded(name: str) -> str:
    """Return a name without quotes as the server keeps it: only ASCII letters are folded, see downcase_identifier()."""
    return re.sub("[A-Z]+", lambda found: found[0].lower(), name)


def name_parts(text: str) -> tuple[str, ...] | None:
    """Return the parts of a dotted name as nextval() reads it; None where it is none."""
    found = list(tokens(text))
    names, dots = found[::2], found[1::2]
    if not names or len(names) != len(dots) + 1 or not all(token.is_identifier for token in names):
        return None
    return tuple(token.text for token in names) if all(token.text == "." for token in dots) else None


def _unescaped(found: re.Match[str]) -> str:
    return "'" if found[1] is None else _ESCAPES.get(found[1], found[1])


def _end_of_comment(text: str, position: int) -> int:
    """Return where a comment ends; comments can hold comments."""
    depth = 1
    for found in re.compile(r"/\*|\*/").finditer(text, position):
        depth += 1 if found[0] == "/*" else -1
        if not depth:
            return found.end()
    return len(text)
