"""Expressions as lists of words: which are nextval() and nothing else, and which text a name comes to. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

from airflow_seqfix.core.discover.tokens import Kind, Token

#: What a trigger's function is told, such as tg_table_name and tg_argv[0]; None: not known.
Known = Mapping[str, str | None]

#: Casts to these change no integer.
_TYPES = frozenset(
    {
        *("int", "int2", "int4", "int8", "integer", "smallint", "bigint", "numeric", "decimal"),
        *("real", "double", "precision", "float4", "float8", "oid"),
        *("text", "varchar", "character", "varying", "char", "regclass", "name", "pg_catalog"),
    }
)
#: What is taken off an expression, layer by layer: nobody writes more, and each costs a walk through what is left.
DEEPEST = 50
_DEPTH = {"(": 1, "[": 1, ")": -1, "]": -1}
_PLAIN_NAME = re.compile("[a-z_][a-z0-9_$]*")


def texts(words: Sequence[Token]) -> list[str]:
    """Return keywords, names and signs; what is in quotes is left blank."""
    return [_text(word) for word in words]


def _text(word: Token) -> str:
    return word.text if word.kind in (Kind.WORD, Kind.SIGN) else ""


def is_deep(words: Sequence[Token]) -> bool:
    """Whether more parentheses stand inside each other than are taken off."""
    depth = 0
    for word in words:
        depth += _DEPTH.get(_text(word), 0)
        if depth > DEEPEST:
            return True
    return False


def split(words: Sequence[Token], separator: str = ",") -> Iterator[list[Token]]:
    """Cut at commas, or another sign, outside parentheses."""
    part: list[Token] = []
    depth = 0
    for word, said in zip(words, texts(words), strict=True):
        depth += _DEPTH.get(said, 0)
        if not depth and said == separator:
            yield part
            part = []
        else:
            part.append(word)
    yield part


def until(words: list[Token], keyword: str) -> list[Token]:
    """Return what stands before a keyword outside parentheses."""
    depth = 0
    for place, said in enumerate(texts(words)):
        depth += {"(": 1, ")": -1}.get(said, 0)
        if not depth and said == keyword:
            return words[:place]
    return words


def in_parentheses(words: list[Token], place: int) -> tuple[list[Token], int]:
    """Return what the parentheses that open at `place` hold, and where they have ended."""
    depth = 0
    for end in range(place, len(words)):
        depth += {"(": 1, ")": -1}.get(_text(words[end]), 0)
        if not depth:
            return words[place + 1 : end], end + 1
    return words[place + 1 :], len(words)


def calls(words: list[Token]) -> Iterator[list[Token]]:
    """Yield what nextval() is given, wherever it is called."""
    for place, word in enumerate(words[:-1]):
        if word.is_identifier and word.text == "nextval" and texts(words[place + 1 : place + 2]) == ["("]:
            yield in_parentheses(words, place + 1)[0]


def column_of_new(words: list[Token]) -> str | None:
    """Return the column where the words are NEW.column."""
    if len(words) == 3 and texts(words)[:2] == ["new", "."] and words[2].is_identifier:
        return words[2].text
    return None


def drawn(words: list[Token], column: str | None, known: Known) -> str | None:
    """Return the name that nextval() is given, where a value is what nextval() returns.

    :param column: The column of NEW that takes the value, which may stand in coalesce() before it.
    """
    words = bare(words, column)
    if texts(words)[:2] == ["pg_catalog", "."]:
        words = words[2:]
    argument = _argument(words, "nextval")
    return None if argument is None else name(argument, known)


def bare(words: list[Token], column: str | None = None) -> list[Token]:
    """Return an expression without what changes no number: parentheses, casts, SELECT, coalesce(NEW.column, …)."""
    for _ in range(2 * DEEPEST):
        before = words
        words = _without_casts(words)
        if texts(words)[:1] == ["("] and in_parentheses(words, 0)[1] == len(words):
            words = words[1:-1]
        elif texts(words)[:1] == ["select"]:
            words = until(words[1:], "from")
        elif (inner := _argument(words, "cast")) is not None:
            words = until(inner, "as")
        elif column is not None and (inner := _argument(words, "coalesce")) is not None:
            first, *others = split(inner)
            words = others[0] if len(others) == 1 and column_of_new(first) == column else words
        if words == before:
            break
    return words


def name(words: list[Token], known: Known) -> str | None:
    """Return the text that an expression comes to; None where that is not known."""
    parts = [_term(part, known) for part in split(words, "||")]
    return None if None in parts else "".join(part for part in parts if part is not None)


def _term(words: list[Token], known: Known) -> str | None:
    words = bare(words)
    if len(list(split(words, "||"))) > 1:
        return name(words, known)
    if len(words) == 1:
        return words[0].text if words[0].kind is Kind.STRING else known.get(words[0].text)
    if (inner := _argument(words, "quote_ident")) is not None:
        said = name(inner, known)
        return None if said is None else _quoted(said)
    if (inner := _argument(words, "format")) is not None:
        return _formatted([name(part, known) for part in split(inner)])
    return known.get("".join(word.text for word in words))


def _formatted(arguments: list[str | None]) -> str | None:
    """Return what format() makes of plain arguments."""
    pattern, *values = arguments
    if pattern is None:
        return None
    said = ""
    for piece in re.split("(%[a-zA-Z%])", pattern):
        if piece in ("%I", "%s"):
            value = values.pop(0) if values else None
            if value is None:
                return None
            said += _quoted(value) if piece == "%I" else value
        elif "%" in piece:
            return None
        else:
            said += piece
    return said


def _quoted(identifier: str) -> str:
    return identifier if _PLAIN_NAME.fullmatch(identifier) else '"' + identifier.replace('"', '""') + '"'


def _argument(words: list[Token], function: str) -> list[Token] | None:
    """Return what a function is given, where the words are a call of it and nothing else."""
    if texts(words)[:2] == [function, "("]:
        inner, end = in_parentheses(words, 1)
        return inner if end == len(words) else None
    return None


def _without_casts(words: list[Token]) -> list[Token]:
    first, *casts = split(words, "::")
    are_types = all(
        cast and all(word.text in _TYPES or word.kind is Kind.NUMBER or word.text in "(),." for word in cast)
        for cast in casts
    )
    return first if casts and are_types else words
