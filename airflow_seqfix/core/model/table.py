"""What the catalogs say of a table that somebody may name."""

from __future__ import annotations

from dataclasses import dataclass

from airflow_seqfix.core.model.quoted import Identifier, QualifiedName

#: Columns of tables that count in place of sequences: of Hibernate, EclipseLink, OpenJPA and by hand.
_COUNTERS = frozenset(
    {
        *("next_val", "next_value", "next_id", "nextid", "nextval", "seq_count"),
        *("sequence_next_hi_value", "next_hi", "gen_value", "sequence_value"),
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class TableInfo:
    """A table with its columns, to find what somebody names or to say what there is instead."""

    oid: int
    schema_name: str
    table_name: str
    qualified_name: QualifiedName
    is_view: bool
    #: The topmost table of which it is a partition.
    partition_of: QualifiedName | None
    column_names: list[str]
    column_numbers: list[int]
    #: The names, quoted as SQL needs them.
    columns: list[Identifier]

    @property
    def keeps_counters(self) -> bool:
        """Whether it has the columns in which an application counts by itself, such as Hibernate's table generator."""
        return len(self.column_names) <= 4 and not _COUNTERS.isdisjoint(self.column_names)
