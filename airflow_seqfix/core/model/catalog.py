"""What the catalogs say of the server, of sequences and of the columns tied to them."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum

from airflow_seqfix.core.errors import printable
from airflow_seqfix.core.model.quoted import Identifier, QualifiedName, RowVersion, StringLiteral

#: A sequence's OID, a table's, and the number of a column.
Tie = tuple[int, int, int]


class Feed(str, Enum):
    """How a column is tied to a sequence."""

    IDENTITY = "identity"  #: GENERATED … AS IDENTITY
    DEFAULT = "default"  #: DEFAULT nextval('s'), whether or not the column owns the sequence
    DOMAIN = "domain"  #: the default of the column's domain is nextval('s')
    LATE_BOUND = "late_bound"  #: DEFAULT nextval('s'::text), and only one sequence can be meant
    AMBIGUOUS = "ambiguous"  #: DEFAULT nextval('s'::text), and several sequences can be meant
    WRAPPED = "wrapped"  #: nextval() is part of a larger expression, or called by a function
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


def address(host: str, port: int) -> str:
    """Return host and port, as URIs have them."""
    host = f"[{host}]" if ":" in host else host or "local"
    return f"{printable(host)}:{port}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """Where the session is connected, and as whom."""

    #: Host name, address or socket directory, and port, as the driver knows them: of a pooler where there is one.
    host: str
    port: int
    #: When the server process began, ISO 8601 in UTC: whatever the address is, no two servers share it.
    server_started_at: str
    version_num: int
    version: str
    database: str
    #: `database` as a string literal, quoted by the server.
    database_literal: StringLiteral
    role: str
    quoted_role: Identifier
    #: What lets the role read everybody's tables, so that code of all their owners runs with its rights; None: nothing.
    privileged: str | None
    in_recovery: bool
    #: Whether a commit of this role waits for a synchronous standby.
    waits_for_standbys: bool
    #: Whether this role may run DO blocks: plpgsql is there, and not revoked. Without them only nextval() moves.
    may_run_blocks: bool

    @property
    def address(self) -> str:
        """Host and port, as URIs have them."""
        return address(self.host, self.port)

    @property
    def is_of(self) -> str:
        """Whether it is a primary or a standby."""
        return "standby" if self.in_recovery else "primary"

    @property
    def place(self) -> str:
        """Database, host and port."""
        return f"{printable(self.database)} on {self.address}"

    @property
    def where(self) -> str:
        """Database, host, port, primary or standby, and role: what tells two reports apart."""
        return f"{self.place} ({self.is_of}, as {printable(self.role)})"

    @property
    def advice(self) -> str | None:
        """Say as whom the code of table owners runs, where that is more than it should."""
        if self.privileged is None:
            return None
        return (
            f"role {self.role} has more rights than it needs ({self.privileged}), and code of the owners of tables "
            "runs with them: see Whom to trust"
        )

    @property
    def has_state_function(self) -> bool:
        """Whether there is pg_get_sequence_data(): four times faster, because no relation is planned.

        It returns NULL where a plain read raises an error.
        """
        return self.version_num >= 180000


#: The types that hold integers as their digits.
TEXTS = ("text", "character varying", "character")


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


@dataclass(frozen=True, slots=True, kw_only=True)
class ColumnInfo:
    """A column that is tied to a sequence. Names are as the catalog holds them, `qualified_*` as SQL needs them."""

    feed: Feed
    #: The default expression where that is more than nextval(); else None.
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
    is_foreign: bool
    has_foreign_partition: bool
    #: A partition or inheritance child that is read through the table above it.
    is_covered: bool
    is_owned: bool
    #: Whether it counts: the table's owner, and of a domain also the domain's, may use the sequence; or the column owns
    #: it, is its identity, or was mapped to it. A default that anybody can write says nothing.
    is_trusted: bool
    #: The owner of the table or of the column's domain on whom that depends, quoted as SQL needs it.
    drawer: Identifier
    #: What there is more of than is looked at; None: nothing.
    too_much: TooMuch | None
    #: A function of somebody else's that a read of the table calls; None: there is none, or it was not looked for.
    code: str | None
    #: Whether min() and max() need not read the table from end to end.
    has_index: bool
    is_unique: bool
    quoted_schema: Identifier
    may_use_schema: bool
    may_select: bool
    #: Whether a row-level security policy would hide rows from the role.
    hides_rows: bool
    #: The table's owner, quoted as SQL needs it; None where the policies bind the owner too.
    exempt_owner: Identifier | None
    #: How many relations a read of the column opens: the table, its partitions or children, all their indexes.
    relations: int
    #: The planner's estimate of rows.
    estimated_rows: int
    #: What the user says of its values; None: they are what nextval() returns.
    extract: Extract | None = None
    #: The versions of the catalog rows that all this rests on, which change with each DDL on them.
    version: RowVersion

    @property
    def qualified_name(self) -> str:
        return f"{self.qualified_table}.{self.quoted_column}"

    @property
    def is_text(self) -> bool:
        return self.base_type in TEXTS

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


@dataclass(frozen=True, slots=True, kw_only=True)
class SequenceInfo:
    """A sequence's definition: the columns of pg_sequence under the names of pg_sequences, and its columns."""

    oid: int
    schema_name: str
    sequence_name: str
    quoted_schema: Identifier
    #: Schema-qualified, quoted where PostgreSQL would quote.
    qualified_name: QualifiedName
    #: `qualified_name` as a string literal, quoted by the server.
    name_literal: StringLiteral
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
    #: The lowest and the highest value that are this sequence's own where several writers share a column.
    id_range: tuple[int, int] | None = None
    #: Whether only values on its own steps count, as the mapping says.
    interleaved: bool = False

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

    def usage_grant(self, column: ColumnInfo) -> str:
        """Return the statement after which such a column counts."""
        return f"GRANT USAGE ON SEQUENCE {self.qualified_name} TO {column.drawer};"

    @property
    def is_undrawn(self) -> bool:
        """Whether nothing in the catalogs draws from it, though an application may."""
        is_drawn = any(column.feed is not Feed.UNDRAWN for column in self.counted)
        return not (is_drawn or self.cycle or self.extension is not None)

    @property
    def is_ascending(self) -> bool:
        return self.increment_by > 0

    @property
    def own_values(self) -> tuple[int, int]:
        """The lowest and the highest value that the sequence is meant to hand out."""
        low, high = self.id_range or (self.min_value, self.max_value)
        return max(low, self.min_value), min(high, self.max_value)

    @property
    def limit(self) -> int:
        """The last value in the sequence's direction that can still be stored."""
        return self.highest if self.is_ascending else self.lowest


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
