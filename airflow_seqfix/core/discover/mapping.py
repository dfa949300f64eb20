"""Facts that no catalog shows: columns that triggers or applications feed, and ranges of several writers."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from airflow_seqfix.core.discover.extract import parse_extract, resolve_extract
from airflow_seqfix.core.discover.names import Name, did_you_mean, parse_all
from airflow_seqfix.core.errors import ArgumentError, SelectionError
from airflow_seqfix.core.model import Extract, Feed, SequenceInfo, TableInfo, Tie

#: What can be said of a sequence.
KEYS = ("columns", "id_range", "interleaved")


@dataclass(frozen=True, slots=True)
class Range:
    """A sequence, and the values that are its own."""

    sequence: Name
    low: int
    high: int


@dataclass(frozen=True, slots=True)
class Fed:
    """A sequence, and the columns that somebody says it feeds."""

    sequence: Name
    columns: tuple[Name, ...]
    #: What is said of the values of each.
    extracts: tuple[Extract | None, ...]
    #: The values that are its own; None: all.
    id_range: Range | None = None
    #: Whether only values on its own steps count.
    interleaved: bool = False

    @property
    def written(self) -> Any:
        """What was given, in JSON types."""
        columns = [
            column.text if extract is None else json.loads(extract.written)
            for column, extract in zip(self.columns, self.extracts, strict=True)
        ]
        said: dict[str, Any] = {} if self.id_range is None else {"id_range": [self.id_range.low, self.id_range.high]}
        said |= {"interleaved": True} if self.interleaved else {}
        if not said:
            return columns
        return {"columns": columns, **said} if columns else said


def parse_mapping(value: Mapping[str, Any]) -> tuple[Fed, ...]:
    """Read `{sequence: [table.column, …]}`.

    A column may be an object with `column` and more, and what is said of a sequence one with `columns` and more: see
    docs/mapping.schema.json.

    :raises ArgumentError: when it is nothing of the kind.
    """
    if not isinstance(value, Mapping):
        raise ArgumentError(
            option="mapping", value=value, remedy='give {"schema.sequence": ["schema.table.column", …]}'
        )
    mapping = []
    for sequence, said in value.items():
        about = said if isinstance(said, Mapping) and "column" not in said else {"columns": said}
        id_range, interleaved = _parse_about(sequence, about)
        entries = [
            entry if isinstance(entry, Mapping) else {"column": entry}
            for entry in _listed(sequence, about.get("columns"))
        ]
        columns = parse_all([entry.get("column") for entry in entries] or (), "columns")
        for column in columns:
            if len(column.parts) < 2 or column.is_pattern:
                raise ArgumentError(
                    f"{column.text!r} is not a column",
                    option="mapping",
                    remedy="give table.column or schema.table.column",
                )
        if not columns and id_range is None and not interleaved:
            raise ArgumentError(f"{sequence!r} feeds no column", option="mapping", remedy="give at least one")
        extracts = tuple(parse_extract(entry) if len(entry) > 1 else None for entry in entries)
        mapping.append(Fed(_exact(sequence, "mapping"), columns, extracts, id_range, interleaved))
    return tuple(mapping)


def _listed(sequence: object, given: Any) -> list[Any]:
    """Return the columns of a sequence, of which one need not be in a list."""
    if isinstance(given, str | Mapping) or hasattr(given, "as_string"):
        return [given]
    if given is not None and not isinstance(given, Iterable):
        raise ArgumentError(
            f"{sequence!r} has {given!r}",
            option="mapping",
            remedy='give a column, or a list: ["schema.table.column", …]',
        )
    return list(given or ())


def _parse_about(sequence: object, about: Mapping[str, Any]) -> tuple[Range | None, bool]:
    """Read what is said of a sequence beside its columns."""
    for key in sorted(map(str, about.keys() - set(KEYS))):
        raise ArgumentError(f"{key!r} is not known", option="mapping", remedy=f"give {', '.join(KEYS)}")
    interleaved = about.get("interleaved", False)
    if type(interleaved) is not bool:
        raise ArgumentError(f"interleaved is {interleaved!r}", option="mapping", remedy="give true or false")
    if about.get("id_range") is None:
        return None, interleaved
    (own,) = parse_id_range({str(sequence): about["id_range"]})
    return own, interleaved


def parse_id_range(value: Mapping[str, tuple[int, int]]) -> tuple[Range, ...]:
    """Read `{sequence: (lowest, highest)}`.

    :raises ArgumentError: when it is nothing of the kind.
    """
    if not isinstance(value, Mapping):
        raise ArgumentError(option="id_range", value=value, remedy='give {"schema.sequence": (lowest, highest)}')
    ranges = []
    for sequence, bounds in value.items():
        numbers = list(bounds) if isinstance(bounds, list | tuple) else []
        if len(numbers) != 2 or not all(type(number) is int for number in numbers) or numbers[0] > numbers[1]:
            raise ArgumentError(
                f"{sequence!r} has {bounds!r}", option="id_range", remedy="give (lowest, highest), two integers"
            )
        ranges.append(Range(_exact(sequence, "id_range"), *numbers))
    return tuple(ranges)


def resolve_mapping(
    mapping: tuple[Fed, ...], sequences: list[SequenceInfo], tables: list[TableInfo]
) -> dict[Tie, Extract | None]:
    """Find what a mapping names.

    :raises SelectionError: when it is not there, or could be several.
    """
    ties: dict[Tie, Extract | None] = {}
    for fed in mapping:
        sequence = _one_sequence(fed.sequence, sequences, "mapping")
        for column, extract in zip(fed.columns, fed.extracts, strict=True):
            table = _one_table(column, tables)
            ties[sequence.oid, table.oid, _number(column, table)] = extract and resolve_extract(extract, table)
    return ties


def _one_table(column: Name, tables: list[TableInfo]) -> TableInfo:
    name = column.owner
    found = [t for t in tables if name.matches(t.schema_name, t.table_name)]
    if not found:
        raise SelectionError(
            f"there is no table {name.text}",
            option="mapping",
            missing=name.text,
            candidates=did_you_mean(name, [t.qualified_name for t in tables]),
        )
    if len(found) > 1:
        choice = ", ".join(t.qualified_name for t in found)
        raise SelectionError(f"{column.text} could be of {choice}", option="mapping", remedy="write the schema as well")
    if found[0].is_view:
        raise SelectionError(
            f"{found[0].qualified_name} is a view, and may not show all rows",
            option="mapping",
            remedy="name the columns of the tables that it reads",
        )
    return found[0]


def _number(column: Name, table: TableInfo) -> int:
    """Return the number that a column has in its table."""
    bare = Name("", column.parts[-1:], False, column.option)
    for name, number in zip(table.column_names, table.column_numbers, strict=True):
        if bare.matches(name):
            return number
    raise SelectionError(
        f"{table.qualified_name} has no column {column.text.rpartition('.')[2]}",
        option="mapping",
        remedy=f"its columns are {', '.join(table.columns)}",
    )


def refuse_incomparable(sequences: list[SequenceInfo]) -> None:
    """Raise where a mapping names a column that cannot be set against a sequence: it would be skipped unseen.

    :raises SelectionError: that says which.
    """
    for column in (column for sequence in sequences for column in sequence.columns):
        if column.feed is Feed.MAPPING and column.largest_value is None:
            raise SelectionError(
                f"{column.qualified_name} is of type {column.data_type}, which cannot be compared with a sequence",
                option="mapping",
                remedy="map a column of numbers, or of texts that hold them",
            )


def narrow(
    sequences: list[SequenceInfo], ranges: tuple[Range, ...], mapping: tuple[Fed, ...] = ()
) -> list[SequenceInfo]:
    """Return the sequences, each with the range that is its own, and whether only its own steps count.

    :raises SelectionError: when a range is for a sequence that is not there, or could be several.
    :raises ArgumentError: when the sequence can hand out none of the values.
    """
    bounds: dict[int, tuple[int, int]] = {}
    for own in (*ranges, *(fed.id_range for fed in mapping if fed.id_range is not None)):
        sequence = _one_sequence(own.sequence, sequences, "id_range")
        if sequence.oid in bounds:
            raise ArgumentError(f"{sequence.qualified_name} has two ranges", option="id_range", remedy="give one")
        if own.high < sequence.lowest or own.low > sequence.highest:
            raise ArgumentError(
                f"{sequence.qualified_name} has {own.low} to {own.high}, and the values that it and its columns can "
                f"hold are {sequence.lowest} to {sequence.highest}",
                option="id_range",
                remedy="give a range within those",
            )
        bounds[sequence.oid] = (own.low, own.high)
    on_steps = {_one_sequence(fed.sequence, sequences, "mapping").oid for fed in mapping if fed.interleaved}
    return [
        replace(sequence, id_range=bounds.get(sequence.oid), interleaved=sequence.oid in on_steps)
        if sequence.oid in bounds or sequence.oid in on_steps
        else sequence
        for sequence in sequences
    ]


def _exact(text: object, option: str) -> Name:
    name = Name.parse(text, option)
    if name.is_pattern:
        raise ArgumentError(f"{text!r} is a pattern", option=option, remedy="name one sequence")
    return name


def _one_sequence(name: Name, sequences: list[SequenceInfo], option: str) -> SequenceInfo:
    found = [s for s in sequences if name.matches(s.schema_name, s.sequence_name)]
    if len(found) == 1:
        return found[0]
    if found:
        choice = ", ".join(s.qualified_name for s in found)
        raise SelectionError(f"{name.text} could be {choice}", option=option, remedy="write the schema as well")
    raise SelectionError(
        f"there is no sequence {name.text}",
        option=option,
        missing=name.text,
        candidates=did_you_mean(name, [s.qualified_name for s in sequences]),
    )
