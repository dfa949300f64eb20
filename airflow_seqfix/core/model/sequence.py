"""What the catalogs say of a sequence, and what follows from its columns."""

from __future__ import annotations

from dataclasses import dataclass, field

from airflow_seqfix.core.model.column import ColumnInfo
from airflow_seqfix.core.model.grant import Grant
from airflow_seqfix.core.model.quoted import Identifier, QualifiedName, RowVersion, StringLiteral, in_print, literal

#: A sequence's OID, a table's, and the number of a column.
Tie = tuple[int, int, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class SequenceInfo:
    """A sequence's definition: the columns of pg_sequence under the names of pg_sequences, and its columns."""

    oid: int
    schema_name: str
    sequence_name: str
    quoted_schema: Identifier
    #: Schema-qualified, quoted where PostgreSQL would quote.
    qualified_name: QualifiedName
    data_type: str
    start_value: int
    min_value: int
    max_value: int
    increment_by: int
    cycle: bool
    cache_size: int
    #: Quoted as SQL needs it.
    owner: Identifier
    #: The extension that it is a part of, quoted as SQL needs it; None where its rows are the user's.
    extension: Identifier | None
    may_use_schema: bool
    may_select: bool
    #: Whether the role may lock and alter the sequence (it owns it).
    may_alter: bool
    #: Whether the role is a member of the owner, be it without inheriting its rights.
    is_owners_member: bool
    #: Whether the role may call nextval().
    may_nextval: bool
    #: Whether the role may call setval().
    may_setval: bool
    #: The versions of the catalog rows that all this rests on, which change with each DDL on them.
    version: RowVersion
    columns: tuple[ColumnInfo, ...] = ()
    #: Whether its name, and those of the columns that count, are text for the client; else they cannot be sent.
    is_legible: bool = True
    #: The lowest and the highest value that are this sequence's own where several writers share a column.
    id_range: tuple[int, int] | None = None
    #: Whether only values on its own steps count, as the mapping says.
    interleaved: bool = False
    #: Where another sequence of its columns begins, which this one has not reached and the data have: only the values
    #: before that are looked at. No fact of the catalogs, and no part of what the sequence is.
    ends_before: int | None = field(default=None, compare=False)

    #: The columns whose furthest value decides.
    comparable: tuple[ColumnInfo, ...] = field(init=False, repr=False)
    #: The smallest and the largest value that is the sequence's own, and that its narrowest column can hold.
    lowest: int = field(init=False, repr=False)
    highest: int = field(init=False, repr=False)

    def __post_init__(self) -> None:
        # Once, and not each time that they are asked for: that took a third of the time of a check.
        comparable = tuple(column for column in self.columns if column.is_comparable)
        if comparable == self.columns:
            comparable = self.columns
        low, high = self.own_values
        smallest = (column.smallest_value for column in comparable if column.smallest_value is not None)
        largest = (column.largest_value for column in comparable if column.largest_value is not None)
        object.__setattr__(self, "comparable", comparable)
        object.__setattr__(self, "lowest", max((low, *smallest)))
        object.__setattr__(self, "highest", min((high, *largest)))

    @property
    def name_literal(self) -> StringLiteral:
        """`qualified_name` as a string literal."""
        return literal(self.qualified_name)

    @property
    def counted(self) -> tuple[ColumnInfo, ...]:
        """The columns that say what the sequence is for: those that count, or all where none does."""
        return tuple(column for column in self.columns if column.is_trusted) or self.columns

    @property
    def untrusted(self) -> tuple[ColumnInfo, ...]:
        """The columns that draw from it and do not count."""
        return tuple(column for column in self.columns if not column.is_trusted)

    @property
    def stranger(self) -> ColumnInfo | None:
        """The column that does not count, and on which the verdict would rest if it did; None: there is none."""
        if self.comparable:
            return None
        strangers = self.untrusted
        is_alone = len(strangers) == len(self.columns)
        return next((column for column in strangers if is_alone or column.would_compare), None)

    def why_untrusted(self, column: ColumnInfo) -> str:
        """Say why a column that draws from the sequence does not count for it."""
        return f"{column.qualified_name} draws from {self.qualified_name}, which its owner {column.drawer} may not use"

    def grant(self, privilege: str, role: str) -> Grant:
        """Return what gives a role a privilege on the sequence."""
        schema, name = self.quoted_schema, self.qualified_name
        return Grant(privilege=privilege, kind="SEQUENCE", schema=schema, name=name, role=role)

    def usage_grant(self, column: ColumnInfo) -> str:
        """Return the statement after which such a column counts."""
        return in_print(f"GRANT USAGE ON SEQUENCE {self.qualified_name} TO {column.drawer};")

    @property
    def is_undrawn(self) -> bool:
        """Whether nothing in the catalogs draws from it, though an application may."""
        is_drawn = any(column.is_drawn for column in self.counted)
        return not (is_drawn or self.cycle or self.extension is not None)

    @property
    def is_ascending(self) -> bool:
        return self.increment_by > 0

    @property
    def own_values(self) -> tuple[int, int]:
        """The lowest and the highest value that the sequence is meant to hand out."""
        low, high = self.id_range or (self.min_value, self.max_value)
        if self.ends_before is not None:
            low, high = (low, self.ends_before - 1) if self.is_ascending else (self.ends_before + 1, high)
        return max(low, self.min_value), min(high, self.max_value)

    @property
    def rivalled(self) -> tuple[ColumnInfo, ...]:
        """The columns that another sequence feeds as well, where nobody has said which values are whose."""
        if self.id_range is not None or self.interleaved:
            return ()
        return tuple(column for column in self.comparable if column.rival is not None)

    @property
    def limit(self) -> int:
        """The last value in the sequence's direction that can still be stored."""
        return self.highest if self.is_ascending else self.lowest
