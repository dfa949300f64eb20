"""Candidates for columns that draw from sequences that no default names, with evidence. Pure.

Nothing here is certain enough to act on: a person decides.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from airflow_seqfix.core.discover.candidates import Candidate, Key, Ranked, by_name, for_all
from airflow_seqfix.core.discover.expression import bare, drawn, in_parentheses, is_deep, split, texts
from airflow_seqfix.core.discover.plpgsql import variables_drawn
from airflow_seqfix.core.discover.tokens import Kind, Token, name_parts, tokens
from airflow_seqfix.core.discover.triggers import Hint, Scope, find
from airflow_seqfix.core.model import SequenceInfo
from airflow_seqfix.core.model.column import NUMBERS


@dataclass(frozen=True, slots=True, kw_only=True)
class Function:
    """A function whose text has nextval in it."""

    name: str
    source: str
    search_path: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Stored:
    """A sequence and a column that a function refers to whose body is stored as a tree, and inserts."""

    name: str
    sequence_oid: int
    table_oid: int
    column_number: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Suggestion:
    """A sequence that no default names, and the columns that may draw from it."""

    sequence: SequenceInfo
    candidates: tuple[Candidate, ...]
    #: Where its name stands besides, for a person to look at.
    mentions: tuple[str, ...] = ()


def propose(
    sequences: Iterable[SequenceInfo],
    keys: list[Key],
    hints: Iterable[Hint],
    functions: Iterable[Function],
    stored: Iterable[Stored] = (),
) -> list[Suggestion]:
    """Return what may draw from each sequence that nothing is known to draw from.

    Only the best evidence is kept: a trigger, a default, OWNED BY, a function, a name.
    """
    known = list(sequences)
    hints = list(hints)
    undrawn = [sequence for sequence in known if sequence.is_undrawn]
    taken = {(c.table_oid, c.column_number) for s in known for c in s.columns if c.is_drawn}
    taken |= {(hint.trigger.table_oid, number) for hint in hints for number in hint.changed}
    free = [key for key in keys if (key.table_oid, key.column_number) not in taken]
    named = defaultdict(list)
    for sequence in known:
        named[sequence.sequence_name].append(sequence)
    inserts, mentions = _in_functions(functions, named)
    ranks = (
        _by_triggers(hints, free),
        _by_default(undrawn),
        _by_owner(undrawn),
        _resolved(inserts, keys),
        _by_stored(stored, free),
        by_name(undrawn, free),
    )
    found = {
        sequence.oid: next((rank[sequence.oid] for rank in ranks if rank.get(sequence.oid)), ()) for sequence in undrawn
    }
    found |= for_all(undrawn, found, free)
    return [
        Suggestion(
            sequence=sequence, candidates=tuple(found[sequence.oid]), mentions=tuple(mentions.get(sequence.oid, ()))
        )
        for sequence in undrawn
    ]


def _by_triggers(hints: Iterable[Hint], free: list[Key]) -> Ranked:
    found: dict[int, tuple[Candidate, ...]] = {}
    for hint in hints:
        columns = [
            key for key in free if key.table_oid == hint.trigger.table_oid and key.column_number not in hint.changed
        ]
        # A key of several columns is filled in one of them only.
        columns = [key for key in columns if key.is_alone] or columns[:1]
        evidence = (
            f"trigger {hint.trigger.trigger_name} of {hint.trigger.qualified_table} calls nextval(): {hint.reason}"
        )
        for oid in hint.sequences:
            more = tuple(Candidate(key.qualified_name, evidence) for key in columns[:1])
            found[oid] = found.get(oid, ()) + more
    return found


def _by_owner(undrawn: list[SequenceInfo]) -> Ranked:
    return {
        sequence.oid: tuple(
            Candidate(column.qualified_name, "OWNED BY, and its default is gone or was never there")
            for column in sequence.columns
            if not column.is_hidden
        )
        for sequence in undrawn
    }


def _by_default(undrawn: list[SequenceInfo]) -> Ranked:
    return {
        sequence.oid: tuple(
            Candidate(column.qualified_name, f"its default, {column.source}, calls a function that names the sequence")
            for column in sequence.columns
            if column.is_hidden and column.base_type in NUMBERS and _is_call(column.source or "")
        )
        for sequence in undrawn
    }


def _is_call(source: str) -> bool:
    """Whether an expression takes what a function returns as it is: what is calculated from it is not guessed."""
    return all(word.kind is not Kind.SIGN or word.text in ("(", ")", ",", ".", "::") for word in tokens(source))


def _in_functions(
    functions: Iterable[Function], by_name: dict[str, list[SequenceInfo]]
) -> tuple[dict[int, list[tuple[str, Scope, str]]], dict[int, list[str]]]:
    """Return which columns functions insert into, by sequence, and the functions that name it."""
    inserts: dict[int, list[tuple[str, Scope, str]]] = defaultdict(list)
    mentions: dict[int, list[str]] = defaultdict(list)
    for function in functions:
        scope = Scope(search_path=function.search_path)
        words = list(tokens(function.source))
        for column, name in inserted(words, variables_drawn(function.source)):
            oid = find(name, scope, by_name)
            if oid is not None:
                inserts[oid].append((column, scope, f"function {function.name} inserts what nextval() returns"))
        for name in dict.fromkeys(word.text for word in words):
            oid = find(name, scope, by_name) if name in by_name or "." in name or '"' in name else None
            if oid is not None:
                mentions[oid].append(f"function {function.name}")
    return inserts, mentions


def inserted(words: list[Token], variables: Mapping[str, str] | None = None) -> Iterable[tuple[str, str]]:
    """Yield table.column, and the name that nextval() is given, of INSERT INTO table (columns) VALUES (…) or SELECT.

    :param variables: Those that hold what nextval() has returned, with that name.
    """
    said = texts(words)
    if is_deep(words):
        return
    for place in range(len(words) - 3):
        if said[place : place + 2] != ["insert", "into"]:
            continue
        end = place + 2
        while end < len(words) and said[end] != "(" and said[end] not in ("select", "values", "insert", ";"):
            end += 1
        if end >= len(words) or said[end] != "(":
            continue
        table = "".join(_written(word) for word in words[place + 2 : end])
        columns, after = in_parentheses(words, end)
        if said[after : after + 2] == ["values", "("]:
            values, _ = in_parentheses(words, after + 1)
        elif said[after : after + 1] == ["select"]:
            stop = after + 1
            while stop < len(words) and said[stop] not in ("from", "insert", ";"):
                stop += 1
            values = words[after + 1 : stop]
        else:
            continue
        for column, value in zip(split(columns), split(values), strict=False):
            plain = bare(value)
            name = drawn(plain, None, {}) or (variables.get(plain[0].text) if variables and len(plain) == 1 else None)
            if name is not None and len(column) == 1:
                yield f"{table}.{_written(column[0])}", name


def _written(word: Token) -> str:
    plain = re.fullmatch("[a-z_][a-z0-9_$]*", word.text) or word.text == "."
    return word.text if plain else '"' + word.text.replace('"', '""') + '"'


def _resolved(inserts: dict[int, list[tuple[str, Scope, str]]], keys: list[Key]) -> Ranked:
    found = {}
    for oid, entries in inserts.items():
        candidates = {}
        for column, _, evidence in entries:
            parts = name_parts(column) or ()
            for key in keys:
                if (key.schema_name, key.table_name, key.column_name)[-len(parts) :] == parts:
                    candidates[key.qualified_name] = Candidate(key.qualified_name, evidence)
        found[oid] = tuple(candidates.values())
    return found


def _by_stored(stored: Iterable[Stored], free: list[Key]) -> Ranked:
    """Return the keys of what functions insert that refer to one sequence."""
    by_function: dict[str, list[Stored]] = defaultdict(list)
    for entry in stored:
        by_function[entry.name].append(entry)
    found: dict[int, tuple[Candidate, ...]] = defaultdict(tuple)
    places = {(key.table_oid, key.column_number): key for key in free}
    for name, entries in by_function.items():
        keys = [key for e in entries if (key := places.get((e.table_oid, e.column_number))) is not None]
        if len({entry.sequence_oid for entry in entries}) == 1:
            evidence = f"function {name} inserts into it, and refers to the sequence"
            found[entries[0].sequence_oid] += tuple(Candidate(key.qualified_name, evidence) for key in keys)
    return found
