"""Which of the discovered sequences are selected."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from airflow_seqfix.core.discover.names import Name, NameSet, Parts, did_you_mean, parse_all
from airflow_seqfix.core.discover.narrowed import Place
from airflow_seqfix.core.errors import SelectionError
from airflow_seqfix.core.model import SequenceInfo, TableInfo
from airflow_seqfix.options import Names


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """The selection. Kinds narrow each other; within a kind, each name adds. Empty: everything.

    What belongs to an extension is listed, and checked only where it is named without a pattern.
    """

    schemas: tuple[Name, ...] = ()
    tables: tuple[Name, ...] = ()
    columns: tuple[Name, ...] = ()
    sequences: tuple[Name, ...] = ()
    exclude: tuple[Name, ...] = ()
    allow_empty: bool = False
    allow_skipped: bool = False

    @classmethod
    def parse(
        cls,
        *,
        schemas: Names = (),
        tables: Names = (),
        columns: Names = (),
        sequences: Names = (),
        exclude: Names = (),
        allow_empty: bool = False,
        allow_skipped: bool = False,
    ) -> Selection:
        """Read names as they are written in SQL, shell-style patterns (`app_*`), or names as they are in the catalog:
        tuples of their parts in a list, and `Identifier` of the drivers.

        :param schemas: Schemas of the sequences, or of the tables that they feed.
        :param tables: Tables that the sequences feed.
        :param columns: Columns that the sequences feed.
        :param sequences: The sequences themselves.
        :param exclude: Sequences, tables or columns whose sequences are listed as skipped.
        :param allow_empty: Whether a selection that matches no sequence is in order: schemas and patterns may then find
            nothing. A table, column or sequence that is named has to be there all the same.
        :param allow_skipped: Whether a run succeeds if a named object is skipped.
        :raises ArgumentError: when something is not a name.
        """
        return cls(
            schemas=parse_all(schemas, "schemas"),
            tables=parse_all(tables, "tables"),
            columns=parse_all(columns, "columns"),
            sequences=parse_all(sequences, "sequences"),
            exclude=parse_all(exclude, "exclude"),
            allow_empty=allow_empty,
            allow_skipped=allow_skipped,
        )

    @property
    def is_everything(self) -> bool:
        return not self.exclude and not any(getattr(self, kind) for kind in _CALLED)

    def allows_nothing(self) -> bool:
        """Whether it is in order that no sequence was checked."""
        names = (*self.tables, *self.columns, *self.sequences)
        return self.allow_empty or (self.allow_skipped and any(not name.is_pattern for name in names))

    @property
    def places(self) -> list[Place] | None:
        """The tables, sequences and schemas that are named; None: it takes the whole catalogs to say what is selected.

        What is excluded by its name is among them, so that it is found.
        """
        included = [name for kind in _CALLED for name in getattr(self, kind)]
        if not included or any(name.is_pattern for name in included):
            return None
        excluded = [name for name in self.exclude if not name.is_pattern]
        places = [_place(name) for name in (*included, *excluded)]
        return [place for place in places if place is not None] if None not in places else None

    def finds_all(self, sequences: list[SequenceInfo]) -> bool:
        """Whether each name finds something that has to."""
        return self._first_missing(sequences) is None

    def apply(self, sequences: list[SequenceInfo], list_tables: Callable[[], list[TableInfo]]) -> Selected:
        """Return the selected sequences. `list_tables` is called only when a name is not found.

        :raises SelectionError: when a name matches nothing, or nothing is left.
        """
        missing = self._first_missing(sequences)
        if missing is not None:
            raise self._not_found(missing, sequences, list_tables())
        kinds = {kind: NameSet.of(names) for kind in _CALLED if (names := getattr(self, kind))}
        chosen = [s for s in sequences if all(names.has_any(_CALLED[kind](s)) for kind, names in kinds.items())]
        if kinds and not chosen and not self.allow_empty:
            raise SelectionError(
                f"no sequence matches {' and '.join(kinds)} together, though each matches some",
                remedy="leave one out",
                allowed_by="allow_empty",
            )
        excluding = {kind: NameSet.of(names) for kind in _EXCLUDED if (names := self._given_to(kind))}
        named = [(_CALLED[kind], kinds[kind].exact) for kind in ("tables", "columns", "sequences") if kind in kinds]
        return Selected(
            sequences=chosen,
            excluded=frozenset(
                s.oid for s in chosen if any(names.has_any(_EXCLUDED[kind](s)) for kind, names in excluding.items())
            ),
            named=frozenset(s.oid for s in chosen if any(not exact.isdisjoint(called(s)) for called, exact in named)),
        )

    def _given_to(self, kind: str) -> tuple[Name, ...]:
        """Return the names of a kind: those that exclude stand together."""
        return getattr(self, kind) if kind in _CALLED else tuple(name for name in self.exclude if name.option == kind)

    def _first_missing(self, sequences: list[SequenceInfo]) -> Name | None:
        """Return the first name that finds nothing though it has to."""
        for kind, called in (_CALLED | _EXCLUDED).items():
            required = [name for name in self._given_to(kind) if not self._may_miss(name, sequences)]
            if not required:
                continue
            there = {parts for sequence in sequences for parts in called(sequence)}
            for name in required:
                if not (NameSet.of([name]).has_any(there) if name.is_pattern else name.plain in there):
                    return name
        return None

    def _may_miss(self, name: Name, sequences: list[SequenceInfo]) -> bool:
        # One exclude list serves many databases: a pattern in it may find nothing. A name that is misspelt would leave
        # nothing out, but where there is nothing.
        if name.option in _EXCLUDED:
            return name.is_pattern or (self.allow_empty and not sequences)
        # What may not be there yet: a schema, or what a pattern stands for.
        return self.allow_empty and (name.is_pattern or name.option == "schemas")

    def _not_found(self, name: Name, sequences: list[SequenceInfo], tables: list[TableInfo]) -> SelectionError:
        """Return the error that says what `name` did not find, and what there is."""
        kind = name.option

        def nothing(message: str, missing: Name, candidates: Iterable[str]) -> SelectionError:
            return SelectionError(
                message, option=kind, missing=missing.text, candidates=did_you_mean(missing, candidates)
            )

        if kind in _SCHEMAS:
            return nothing(f"no schema {name.text} has a sequence", name, [s.quoted_schema for s in sequences])
        if kind in (*_TABLES, "columns"):
            owner = name.owner if kind == "columns" else name
            table = next((t for t in tables if owner.parts and owner.matches(t.schema_name, t.table_name)), None)
            if table is not None and not name.is_pattern:
                if table.partition_of is not None:
                    return SelectionError(
                        f"{table.qualified_name} is a partition of {table.partition_of}",
                        option=kind,
                        remedy="name that",
                    )
                return _untrusted(name, sequences) or _drawing_nothing(name, table)
            if kind in _TABLES or len(name.parts) > 1:
                return nothing(f"there is no table {owner.text}", owner, [t.qualified_name for t in tables])
            columns = [c.quoted_column for s in sequences for c in s.columns]
            return nothing(f"no column {name.text} draws from a sequence", name, columns)
        tables_named = NameSet.of(self.tables)
        beside = [s for s in sequences if tables_named.has_any(_tables_of(s))] or sequences
        return nothing(f"there is no sequence {name.text}", name, [s.qualified_name for s in beside])


@dataclass(frozen=True, slots=True, kw_only=True)
class Selected:
    """The result of a selection."""

    sequences: list[SequenceInfo]
    #: OIDs of those that the user excluded: they are listed, and left alone.
    excluded: frozenset[int]
    #: OIDs of those that the user named one by one.
    named: frozenset[int]


def _drawing_nothing(name: Name, table: TableInfo) -> SelectionError:
    """Return the error that says why nothing of a table is known to draw from a sequence."""
    if table.keeps_counters:
        return SelectionError(
            f"{table.qualified_name} looks like a table of counters, which an application keeps in place of sequences",
            option=name.option,
            remedy="such a table is not checked; leave it out",
        )
    what = "no column" if name.option in _TABLES else f"no column {name.text}"
    return SelectionError(
        f"{what} of {table.qualified_name} is known to draw from a sequence",
        option=name.option,
        remedy=f"its columns are {', '.join(table.columns)}; seqfix suggest says which sequence may be theirs",
    )


def _untrusted(name: Name, sequences: list[SequenceInfo]) -> SelectionError | None:
    """Return the error that says why a table that draws from a sequence does not count for it."""
    for sequence in sequences:
        for column in sequence.columns:
            named = (column.schema_name, column.table_name, column.column_name)[: 2 if name.option in _TABLES else 3]
            if not column.is_trusted and name.matches(*named):
                return SelectionError(
                    sequence.why_untrusted(column), option=name.option, remedy=sequence.usage_grant(column)
                )
    return None


def _place(name: Name) -> Place | None:
    """Return the schema and the relation that a name is about; None: it may be about any."""
    parts = name.plain
    if name.option in _SCHEMAS:
        return parts[0], None
    if name.option == "columns" or len(parts) == 3:
        parts = parts[:-1]
    if not parts:
        return None
    return parts[-2] if len(parts) > 1 else None, parts[-1]


def _tails(*qualified: str) -> Iterator[Parts]:
    """Yield what an object may be called: its qualified name, which may leave out leading parts."""
    return (qualified[first:] for first in range(len(qualified)))


def _in_schemas(sequence: SequenceInfo) -> Iterator[Parts]:
    yield (sequence.schema_name,)
    yield from ((c.schema_name,) for c in sequence.counted)


def _tables_of(sequence: SequenceInfo) -> Iterator[Parts]:
    return (tail for c in sequence.counted for tail in _tails(c.schema_name, c.table_name))


def _columns_of(sequence: SequenceInfo) -> Iterator[Parts]:
    return (tail for c in sequence.counted for tail in _tails(c.schema_name, c.table_name, c.column_name))


def _names_of(sequence: SequenceInfo) -> Iterator[Parts]:
    return _tails(sequence.schema_name, sequence.sequence_name)


def _excluded_as(sequence: SequenceInfo) -> Iterator[Parts]:
    yield from _names_of(sequence)
    yield from _tables_of(sequence)
    # Of two parts the first is a schema: "audit.*" must not take the columns of a table "audit" for it.
    yield from (parts for parts in _columns_of(sequence) if len(parts) == 3)


#: By what names a sequence is selected, for each kind of the selection.
_CALLED: dict[str, Callable[[SequenceInfo], Iterator[Parts]]] = {
    "schemas": _in_schemas,
    "tables": _tables_of,
    "columns": _columns_of,
    "sequences": _names_of,
}

#: The same for what excludes: two of these are the command's own.
_EXCLUDED: dict[str, Callable[[SequenceInfo], Iterator[Parts]]] = {
    "exclude": _excluded_as,
    "exclude_schema": _in_schemas,
    "exclude_table": _tables_of,
}

#: What takes the names of schemas, and of tables.
_SCHEMAS, _TABLES = ("schemas", "exclude_schema"), ("tables", "exclude_table")
