"""What a trigger's function draws from sequences, read from its text. Pure.

The few forms in which people write it are read; where there is another, that is said, and nothing is taken for certain.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field

from airflow_seqfix.core.discover.expression import (
    Known,
    bare,
    calls,
    column_of_new,
    drawn,
    is_deep,
    name,
    split,
    texts,
    until,
)
from airflow_seqfix.core.discover.tokens import Kind, Token, tokens

#: Where a statement ends, beside the semicolon.
_ENDS = ("begin", "then", "else", "loop", "declare", "exception")
#: Statements in which = compares.
_NO_ASSIGNMENT = frozenset(
    {
        *("if", "elsif", "elseif", "while", "when", "for", "foreach", "case", "exit", "continue"),
        *("return", "perform", "raise", "assert", "open", "call"),
    }
)
#: What is said of a function of which nothing is certain.
_AS_A_WHOLE = "NEW is assigned as a whole"
_DEEP = "it has an expression too deep to be read"
_QUERIES = frozenset({"select", "with", "execute", "fetch", "insert", "update", "delete", "merge"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """What was read of a function."""

    #: Columns of NEW, each with the name that nextval() is given whose value it takes as it is.
    draws: frozenset[tuple[str, str]] = frozenset()
    #: Names that nextval() is given, where it is not known for sure which column takes the value.
    loose: frozenset[str] = frozenset()
    #: Columns that take what nextval() returns after something was done to it.
    changed: frozenset[str] = frozenset()
    #: What was not understood, as it begins; None: nothing.
    unread: str | None = None


def read_function(source: str, known: Known) -> Reading:
    """Read the text of a function in PL/pgSQL."""
    reader = _Reader(known)
    for statement in _statements(tokens(source)):
        reader.read(statement)
    return reader.end()


def variables_drawn(source: str) -> dict[str, str]:
    """Return the variables that take what nextval() returns, each with the one name that it is given."""
    reader = _Reader({})
    for statement in _statements(tokens(source)):
        reader.read(statement)
    given = {variable: found - {None} for variable, found in reader.variables.items()}
    return {
        variable: said for variable, found in given.items() if len(found) == 1 for said in found if said is not None
    }


@dataclass(slots=True)
class _Reader:
    known: Known
    #: What columns of NEW and variables are given: names of sequences; None stands for anything else.
    columns: dict[str, set[str | None]] = field(default_factory=lambda: defaultdict(set))
    variables: dict[str, set[str | None]] = field(default_factory=lambda: defaultdict(set))
    #: Columns, with the variables that they are given.
    copies: list[tuple[str, str]] = field(default_factory=list)
    loose: set[str] = field(default_factory=set)
    changed: set[str] = field(default_factory=set)
    unread: list[str] = field(default_factory=list)

    def read(self, statement: list[Token]) -> None:
        """Take note of what a statement assigns, and of the calls of nextval() that it does not understand."""
        if is_deep(statement):
            self.unread.append(_DEEP)
            return
        understood = sum([self._assign(target, value) for target, value in _assignments(statement)])
        found = list(calls(statement))
        if len(found) > understood:
            self.loose.update(said for call in found if (said := name(call, self.known)) is not None)
            self._skip(statement)
        elif texts(statement)[0] == "execute" and any("nextval" in word.text.lower() for word in statement):
            self._skip(statement)

    def end(self) -> Reading:
        """Put together what was noted."""
        for column, variable in self.copies:
            self.columns[column] |= self.variables.get(variable, {None})
        copied = {variable for _, variable in self.copies}
        given = [*self.columns.values(), *(self.variables[v] for v in self.variables.keys() - copied)]
        certain = {column: found for column, found in self.columns.items() if len(found) == 1 and None not in found}
        for found in given:
            if not any(found is other for other in certain.values()):
                self.loose.update(said for said in found if said is not None)
        draws = {(column, said) for column, found in certain.items() for said in found if said is not None}
        if _AS_A_WHOLE in self.unread or _DEEP in self.unread:
            self.loose |= {said for _, said in draws}
            draws = set()
        return Reading(
            draws=frozenset(draws),
            loose=frozenset(self.loose),
            changed=frozenset(self.changed),
            unread=self.unread[0] if self.unread else None,
        )

    def _assign(self, target: list[Token], value: list[Token]) -> bool:
        """Take note of an assignment; return whether it is one of what nextval() returns."""
        column = column_of_new(target)
        if texts(target) == ["new"]:
            self.unread.append(_AS_A_WHOLE)
            return False
        if column is None and not (len(target) == 1 and target[0].is_identifier):
            return False
        noted = self.variables[target[0].text] if column is None else self.columns[column]
        said = drawn(value, column, self.known)
        if said is not None:
            noted.add(said)
            return True
        left = bare(value)
        if column is not None and len(left) == 1 and left[0].is_identifier and left[0].text != "null":
            self.copies.append((column, left[0].text))
        elif not _says_nothing(left, is_column=column is not None):
            noted.add(None)
            if column is not None and texts(left)[:1] != ["case"] and any(calls(left)):
                self.changed.add(column)
        return False

    def _skip(self, statement: list[Token]) -> None:
        self.unread.append(" ".join(word.text for word in statement[:8]))


def _says_nothing(value: list[Token], *, is_column: bool) -> bool:
    """Whether it is NULL, or for a variable a constant to begin with."""
    return len(value) == 1 and (value[0].text == "null" or (not is_column and not value[0].is_identifier))


def _statements(words: Iterator[Token]) -> Iterator[list[Token]]:
    """Cut a text into statements, and at the words after which a statement of its own begins."""
    statement: list[Token] = []
    depth = cases = 0
    for word in words:
        said = word.text if word.kind in (Kind.WORD, Kind.SIGN) else ""
        depth += {"(": 1, ")": -1}.get(said, 0)
        # A CASE at the beginning holds statements; elsewhere it is an expression, with a THEN and an END of its own.
        if said == "case" and statement and statement[0].text not in ("end", "case"):
            cases += 1
        elif said == "end" and cases:
            cases -= 1
        if said == ";" or (said in _ENDS and not cases and depth <= 0):
            if statement:
                yield statement
            statement, depth, cases = [], 0, 0
        else:
            statement.append(word)
    if statement:
        yield statement


def _assignments(statement: list[Token]) -> Iterator[tuple[list[Token], list[Token]]]:
    """Yield what a statement assigns to, with what."""
    said = texts(statement)
    if said[0] in _QUERIES:
        yield from _into(statement, said)
        return
    if said[0] in _NO_ASSIGNMENT:
        return
    signs = [place for place, sign in enumerate(said) if sign in (":=", "=", "default")]
    if signs and signs[0]:
        target = statement[: signs[0]]
        # A declaration: variable type := value.
        is_declared = len(target) > 1 and said[1] != "."
        yield target[:1] if is_declared else target, statement[signs[0] + 1 :]


def _into(statement: list[Token], said: list[str]) -> Iterator[tuple[list[Token], list[Token]]]:
    """Yield what SELECT … INTO assigns; of others only to what."""
    places = [place for place, word in enumerate(said) if word == "into"]
    if said[0] in ("insert", "merge"):
        places = places[1:]
    if not places:
        return
    into = places[-1]
    targets, rest = _targets(statement[into + 1 + (said[into + 1 : into + 2] == ["strict"]) :])
    values = list(split(until(statement[1:into] if into > 1 else rest, "from"))) if said[0] == "select" else []
    if len(values) != len(targets):
        values = [[] for _ in targets]
    for target, value in zip(targets, values, strict=True):
        yield target, until(value, "as")


def _targets(words: list[Token]) -> tuple[list[list[Token]], list[Token]]:
    """Return the targets that a list begins with, and what follows."""
    targets: list[list[Token]] = []
    place, said = 0, texts(words)
    while place < len(words) and words[place].is_identifier:
        end = place + 1
        while said[end : end + 1] == ["."]:
            end += 2
        targets.append(words[place:end])
        place = end
        if said[end : end + 1] != [","]:
            break
        place += 1
    return targets, words[place:]
