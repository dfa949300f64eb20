"""What the catalogs say of a column that is tied to a sequence."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum

from airflow_seqfix.core.model.quoted import Identifier, QualifiedName, RowVersion


class Feed(str, Enum):
    """How a column is tied to a sequence."""

    IDENTITY = "identity"  #: GENERATED … AS IDENTITY
    DEFAULT = "default"  #: DEFAULT nextval('s'), or what comes to that, whether or not the column owns the sequence
    DOMAIN = "domain"  #: the default of the column's domain is nextval('s')
    LATE_BOUND = "late_bound"  #: DEFAULT nextval('s'::text), and only one sequence can be meant
    AMBIGUOUS = "ambiguous"  #: DEFAULT nextval('s'::text), or a trigger's, and several sequences can be meant
    WRAPPED = "wrapped"  #: nextval() is part of a larger expression, or of a function that does more
    MAPPING = "mapping"  #: the user says so
    VIEW = "view"  #: the default of a view's column
    TRIGGER = "trigger"  #: a BEFORE INSERT trigger fills the column from this sequence, and from no other
    OWNED = "owned"  #: OWNED BY the column, and a BEFORE INSERT trigger draws in a way that was not understood
    UNDRAWN = "undrawn"  #: OWNED BY the column, which has no default from the sequence

    def __str__(self) -> str:
        return self.value


class TooMuch(str, Enum):
    """Kinds of objects of which there are more than are examined."""

    COLUMNS = "columns"  #: of one table, which all draw from the sequence
    LEVELS = "levels"  #: of inheritance children or partitions

    def __str__(self) -> str:
        return self.value


#: The feeds whose values land in the column as they are drawn.
DRAWN_AS_IS = frozenset(
    {Feed.IDENTITY, Feed.DEFAULT, Feed.DOMAIN, Feed.LATE_BOUND, Feed.MAPPING, Feed.TRIGGER, Feed.OWNED}
)


#: The types that hold integers up to a power of two, and no fractions.
BINARY_INTEGERS = ("smallint", "integer", "bigint", "oid")
#: The types that hold numbers. All others that can be compared hold integers as their digits: texts, and what an
#: extension has made of them.
NUMBERS = (*BINARY_INTEGERS, "numeric", "real", "double precision")


#: The types whose values bigint does not hold.
LARGER = {"numeric": "numeric", "real": "double precision"}


class Optimizer(str, Enum):
    """Which ids an application makes of one call of nextval() that returns n, where it makes k of each."""

    POOLED = "pooled"  #: n - k + 1 to n: Hibernate's default
    POOLED_LO = "pooled-lo"  #: n to n + k - 1: Entity Framework's HiLo, Hibernate's pooled-lo
    HILO = "hilo"  #: (n - 1) * k + 1 to n * k: Hibernate's hilo
    LEGACY_HILO = "legacy-hilo"  #: n * (k + 1) to n * (k + 1) + k: Hibernate's hilo before 5

    def __str__(self) -> str:
        return self.value


@dataclass(frozen=True, slots=True, kw_only=True)
class Extract:
    """How the values of a mapped column come from what nextval() has returned."""

    #: What stands before the digits of a text.
    prefix: str = ""
    #: Columns of the same table, quoted as SQL needs them, and what has to be in them.
    where: tuple[tuple[str, str], ...] = ()
    ids_per_call: int = 1
    optimizer: Optimizer = Optimizer.POOLED
    #: As the user has written it, in JSON.
    written: str

    def ids_of(self, call: int) -> tuple[int, int]:
        """Return the smallest and the largest id of which this is the last call that can have made them."""
        ids = self.ids_per_call
        if ids > 1:
            match self.optimizer:
                case Optimizer.POOLED:
                    return call - ids + 1, call - ids + 1
                case Optimizer.HILO:
                    return (call - 1) * ids + 1, call * ids
                case Optimizer.LEGACY_HILO:
                    return call * (ids + 1), call * (ids + 1) + ids
        return call, call


@dataclass(frozen=True, slots=True, kw_only=True)
class ColumnInfo:
    """A column that is tied to a sequence. Names are as the catalog holds them, `qualified_*` as SQL needs them."""

    feed: Feed
    #: The default expression where that is more than nextval(), or ambiguous; else None.
    source: str | None
    table_oid: int
    schema_name: str
    table_name: str
    column_name: str
    column_number: int
    qualified_table: QualifiedName
    quoted_column: Identifier
    data_type: str
    #: The type under all domains.
    base_type: str
    #: The integers that the column can hold, and that all casts on the way to it let through; None where it is no
    #: column for numbers.
    smallest_value: int | None
    largest_value: int | None
    #: What sets them if the type does not, a CHECK constraint, the bounds of partitions or a cast in the default, as a
    #: text. Rows may lie beyond: those that were there before the constraint, of inheritance children, or with ids from
    #: elsewhere.
    smallest_by: str | None
    largest_by: str | None
    #: A CHECK constraint that is not read, and may end the column anywhere: one of this column alone or of its domain,
    #: and one of several columns; None: there is none.
    unread_check: str | None
    unread_beside: str | None
    is_foreign: bool
    is_domain: bool
    #: Whether the table has partitions or inheritance children, or had some, or is a partition.
    has_members: bool
    has_foreign_partition: bool
    #: A partition or inheritance child that is read through the table above it.
    is_covered: bool
    is_owned: bool
    #: Whether it counts: the table's owner, and of a domain also the domain's, may use the sequence; or the column owns
    #: it, is its identity, or was mapped to it. A default that anybody can write says nothing.
    is_trusted: bool
    #: The owner of the table or of the column's domain on whom that depends, quoted as SQL needs it.
    drawer: Identifier
    #: The table's owner, quoted as SQL needs it.
    owner: Identifier
    #: What there is more of than is looked at; None: nothing.
    too_much: TooMuch | None
    #: A function of somebody else's that a read of the table calls; None: there is none, or it was not looked for.
    code: str | None
    #: A trigger that gives the column something else than what nextval() has returned; None: there is none.
    changed_by: str | None
    #: Another sequence that feeds the column as well; None: there is none.
    rival: QualifiedName | None
    #: Its START, where it runs in the same direction and begins further on than this one; else None.
    rival_start: int | None
    #: Another sequence that by a default feeds the same indexes, in the same direction; None: there is none.
    twin: QualifiedName | None
    twin_oid: int | None
    twin_start: int | None
    twin_increment: int | None
    may_read_twin: bool
    #: Whether min() and max() need not read the table from end to end.
    has_index: bool
    is_unique: bool
    #: Whether that holds for all rows that a read of the column returns, those of inheritance children included.
    is_unique_throughout: bool
    quoted_schema: Identifier
    may_use_schema: bool
    may_select: bool
    #: Whether a row-level security policy would hide rows from the role.
    hides_rows: bool
    #: That owner; None where the policies bind the owner too.
    exempt_owner: Identifier | None
    #: How many relations a read of the column opens: the table, its partitions or children, all their indexes.
    relations: int
    #: The planner's estimate of rows. Not compared: ANALYZE changes it, and no verdict rests on it.
    estimated_rows: int = field(compare=False)
    #: What the user says of its values; None: they are what nextval() returns.
    extract: Extract | None = None
    #: Whether it is GENERATED … AS IDENTITY from this sequence, whatever else is said of it.
    is_identity: bool = False
    #: Why ALTER TABLE cannot give it a larger type; None: it can, or nobody needs that. Not compared: it is only said.
    kept_by: str | None = field(default=None, compare=False)
    #: The versions of the catalog rows that all this rests on, which change with each DDL on them.
    version: RowVersion

    @property
    def qualified_name(self) -> str:
        return f"{self.qualified_table}.{self.quoted_column}"

    @property
    def is_drawn(self) -> bool:
        """Whether the catalogs say that it draws from the sequence, and not just that a trigger or a function may."""
        if self.feed is Feed.WRAPPED:
            return not self.is_hidden
        return self.feed is not Feed.UNDRAWN and (self.feed is not Feed.AMBIGUOUS or self.source is not None)

    @property
    def larger_type(self) -> str:
        """The type that holds more, and all that is there: fractions of a numeric or a real as well."""
        return LARGER.get(self.base_type, "text" if self.is_text else "bigint")

    @property
    def is_hidden(self) -> bool:
        """Whether its default leaves it to a function, which was not understood, to draw from the sequence."""
        return self.feed is Feed.WRAPPED and "nextval(" not in (self.source or "")

    @property
    def is_text(self) -> bool:
        return self.largest_value is not None and self.base_type not in NUMBERS

    def stored(self, call: int) -> int:
        """Return the value that the column holds for a call, or the call where that may be one of several."""
        first, last = (call, call) if self.extract is None else self.extract.ids_of(call)
        return first if first == last else call

    @property
    def is_in_order(self) -> bool:
        """Whether its values have the order of the calls of nextval() that they come from, so that its index serves."""
        return self.extract is None or (self.base_type in BINARY_INTEGERS and not self.extract.where)

    @property
    def is_comparable(self) -> bool:
        """Whether the values stored in the column can be set against the sequence's next value."""
        return self.is_trusted and self.would_compare

    @property
    def would_compare(self) -> bool:
        """Whether they could be, if the column counted."""
        return (
            self.feed in DRAWN_AS_IS and None not in (self.smallest_value, self.largest_value) and not self.is_covered
        )
