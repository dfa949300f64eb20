"""Which of the discovered sequences are selected."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from airflow_seqfix.core.discover.names import Name, did_you_mean, parse_all
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
        return not any(getattr(self, kind) for kind in (*_MATCHES, "exclude"))

    def allows_nothing(self) -> bool:
        """Whether it is in order that no sequence was checked."""
        names = (*self.tables, *self.columns, *self.sequences)
        return self.allow_empty or (self.allow_skipped and any(not name.is_pattern for name in names))

    def apply(self, sequences: list[SequenceInfo], list_tables: Callable[[], list[TableInfo]]) -> Selected:
        """Return the selected sequences. `list_tables` is called only when a name is not found.

        :raises SelectionError: when a name matches nothing, or nothing is left.
        """
        kinds = {kind: names for kind in _MATCHES if (names := getattr(self, kind))}
        for kind, names in (*kinds.items(), ("exclude", self.exclude)):
            matches = _MATCHES.get(kind, _excludes)
            for name in names:
                # One exclude list serves many databases: a pattern in it may find nothing.
                optional = name.is_pattern if kind == "exclude" else self.allow_empty and _may_come(kind, name)
                if not optional and not any(matches(name, sequence) for sequence in sequences):
                    raise self._not_found(kind, name, sequences, list_tables())
        chosen = [
            sequence
            for sequence in sequences
            if all(any(_MATCHES[kind](name, sequence) for name in names) for kind, names in kinds.items())
        ]
        if kinds and not chosen and not self.allow_empty:
            raise SelectionError(
                f"no sequence matches {' and '.join(kinds)} together, though each matches some",
                remedy="leave one out",
                allowed_by="allow_empty",
            )
        return Selected(
            sequences=chosen,
            excluded=frozenset(s.oid for s in chosen if any(_excludes(name, s) for name in self.exclude)),
            named=frozenset(s.oid for s in chosen if self._names(s)),
        )

    def _names(self, sequence: SequenceInfo) -> bool:
        """Whether the sequence, or a table or column that it feeds, is named without a pattern."""
        return any(
            not name.is_pattern and _MATCHES[kind](name, sequence)
            for kind in ("tables", "columns", "sequences")
            for name in getattr(self, kind)
        )

    def _not_found(
        self, kind: str, name: Name, sequences: list[SequenceInfo], tables: list[TableInfo]
    ) -> SelectionError:
        """Return the error that says what `name` did not find, and what there is."""

        def nothing(message: str, missing: Name, candidates: Iterable[str]) -> SelectionError:
            return SelectionError(
                message, option=kind, missing=missing.text, candidates=did_you_mean(missing, candidates)
            )

        if kind == "schemas":
            return nothing(f"no schema {name.text} has a sequence", name, [s.quoted_schema for s in sequences])
        if kind in ("tables", "columns"):
            owner = name.owner if kind == "columns" else name
            table = next((t for t in tables if owner.parts and owner.matches(t.schema_name, t.table_name)), None)
            if table is not None and not name.is_pattern:
                if table.partition_of is not None:
                    return SelectionError(
                        f"{table.qualified_name} is a partition of {table.partition_of}",
                        option=kind,
                        remedy="name that",
                    )
                if stranger := _untrusted(name, kind, sequences):
                    return stranger
                if table.keeps_counters:
                    return SelectionError(
                        f"{table.qualified_name} looks like a table of counters, which an application keeps in place "
                        "of sequences",
                        option=kind,
                        remedy="it is none of what is looked at here; leave it out",
                    )
                what = "no column" if kind == "tables" else f"no column {name.text}"
                return SelectionError(
                    f"{what} of {table.qualified_name} was seen to draw from a sequence",
                    option=kind,
                    remedy=f"its columns are {', '.join(table.columns)}; "
                    "seqfix suggest says which sequence may be theirs",
                )
            if kind == "tables" or len(name.parts) > 1:
                return nothing(f"there is no table {owner.text}", owner, [t.qualified_name for t in tables])
            columns = [c.quoted_column for s in sequences for c in s.columns]
            return nothing(f"no column {name.text} draws from a sequence", name, columns)
        beside = [s for s in sequences if any(_feeds_table(table, s) for table in self.tables)] or sequences
        return nothing(f"there is no sequence {name.text}", name, [s.qualified_name for s in beside])


@dataclass(frozen=True, slots=True, kw_only=True)
class Selected:
    """The result of a selection."""

    sequences: list[SequenceInfo]
    #: OIDs of those that the user excluded: they are listed, and left alone.
    excluded: frozenset[int]
    #: OIDs of those that the user named one by one.
    named: frozenset[int]


def _may_come(kind: str, name: Name) -> bool:
    """Whether what is named may not be there yet: a schema, or what a pattern stands for."""
    return kind == "schemas" or name.is_pattern


def _untrusted(name: Name, kind: str, sequences: list[SequenceInfo]) -> SelectionError | None:
    """Return the error that says why a table that draws from a sequence does not count for it."""
    for sequence in sequences:
        for column in sequence.columns:
            named = (column.schema_name, column.table_name, column.column_name)[: 2 if kind == "tables" else 3]
            if not column.is_trusted and name.matches(*named):
                return SelectionError(sequence.why_untrusted(column), option=kind, remedy=sequence.usage_grant(column))
    return None


def _in_schema(name: Name, sequence: SequenceInfo) -> bool:
    return name.matches(sequence.schema_name) or any(name.matches(c.schema_name) for c in sequence.counted)


def _feeds_table(name: Name, sequence: SequenceInfo) -> bool:
    return any(name.matches(c.schema_name, c.table_name) for c in sequence.counted)


def _feeds_column(name: Name, sequence: SequenceInfo) -> bool:
    return any(name.matches(c.schema_name, c.table_name, c.column_name) for c in sequence.counted)


def _is_sequence(name: Name, sequence: SequenceInfo) -> bool:
    return name.matches(sequence.schema_name, sequence.sequence_name)


def _excludes(name: Name, sequence: SequenceInfo) -> bool:
    return (
        _is_sequence(name, sequence)
        or _feeds_table(name, sequence)
        # Of two parts the first is a schema: "audit.*" must not take the columns of a table "audit" for it.
        or (len(name.parts) == 3 and _feeds_column(name, sequence))
    )


_MATCHES: dict[str, Callable[[Name, SequenceInfo], bool]] = {
    "schemas": _in_schema,
    "tables": _feeds_table,
    "columns": _feeds_column,
    "sequences": _is_sequence,
}
