"""A sequence and the columns that it feeds, as the SQL that makes them."""

from __future__ import annotations

from dataclasses import dataclass

from tests.support.properties.oracle import Fed

#: What exists once in the database, before any case.
PREPARE = """
CREATE DOMAIN public.whole AS integer;
CREATE DOMAIN public.positive_or_not AS public.whole CHECK (VALUE % 1 = 0);
"""

#: The pseudo-types that bring a sequence along.
SERIALS = {"smallint": "smallserial", "integer": "serial", "bigint": "bigserial"}


@dataclass(frozen=True, kw_only=True)
class Column:
    name: str
    kind: str
    #: The type under any domain.
    type: str
    declared: str
    #: serial, always, by default, default, late, domain
    feed: str
    #: none, unique, primary, plain, partial, leading, second
    index: str
    #: SQL literals
    rows: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Case:
    """One sequence and its tables, by names that are unique within a batch."""

    number: int
    goal: str
    data_type: str
    options: str
    increment: int
    cycle: bool
    cache: int
    owned: bool
    #: The values that other writers leave to this sequence.
    own: tuple[int, int] | None
    #: SQL that brings the sequence to its state; {} is its name
    state: tuple[str, ...]
    tables: tuple[tuple[Column, ...], ...]

    def table(self, index: int) -> str:
        return f"{{schema}}.t{self.number}_{index}"

    @property
    def sequence(self) -> str:
        """The name that serial columns give; {schema} is still open in it."""
        return f"{self.table(0)}_{self.tables[0][0].name}_seq"

    def fed(self, schema: str) -> list[list[Fed]]:
        """Return the fed columns, table by table."""
        return [
            [
                Fed(
                    table=self.table(i).format(schema=schema),
                    column=c.name,
                    type=c.type,
                    is_unique=c.index in ("unique", "primary"),
                )
                for c in columns
            ]
            for i, columns in enumerate(self.tables)
        ]

    @property
    def direction(self) -> str:
        return "ascending" if self.increment > 0 else "descending"

    @property
    def kind(self) -> str:
        first = self.tables[0][0]
        return first.kind

    def sql(self, schema: str) -> str:
        """Return the statements that make the case."""
        first = self.tables[0][0]
        parts = []
        if first.feed not in ("serial", "always", "by default"):
            parts.append(f"CREATE SEQUENCE {self.sequence} AS {self.data_type} {self.options}")
        for i, columns in enumerate(self.tables):
            parts += [f"CREATE DOMAIN {self._domain(i)} AS integer DEFAULT nextval('{self.sequence}')"] * any(
                column.feed == "domain" for column in columns
            )
            body = ", ".join(f"{c.name} {self._type(i, c)}" for c in columns)
            parts.append(f"CREATE TABLE {self.table(i)} ({body}, note integer)")
            parts += [index for c in columns for index in self._index(i, c)]
            parts += [
                f"INSERT INTO {self.table(i)} ({', '.join(c.name for c in columns)}) OVERRIDING SYSTEM VALUE VALUES "
                + ", ".join(f"({', '.join(row)})" for row in rows)
                for rows in [_filled([c.rows for c in columns])]
                if rows
            ]
        if first.feed == "serial":
            parts.append(f"ALTER SEQUENCE {self.sequence} {self.options} RESTART")
        elif self.owned:
            parts.append(f"ALTER SEQUENCE {self.sequence} OWNED BY {self.table(0)}.{first.name}")
        parts += [statement.format(self.sequence) for statement in self.state]
        return ";\n".join(parts).format(schema=schema)

    def _domain(self, table: int) -> str:
        return f"{self.table(table)}_domain"

    def _type(self, table: int, column: Column) -> str:
        match column.feed:
            case "serial":
                return SERIALS[column.type]
            case "always" | "by default":
                return (
                    f"{column.declared} GENERATED {column.feed.upper()} AS IDENTITY "
                    f"(SEQUENCE NAME {self.sequence} {self.options})"
                )
            case "domain":
                return self._domain(table)
            case "late":
                return f"{column.declared} DEFAULT nextval('{self.sequence}'::text)"
        return f"{column.declared} DEFAULT nextval('{self.sequence}')"

    def _index(self, table: int, column: Column) -> list[str]:
        name = self.table(table)
        match column.index:
            case "none":
                return []
            case "primary":
                return [f"ALTER TABLE {name} ADD PRIMARY KEY ({column.name})"]
            case "second":
                return [f"CREATE INDEX ON {name} (note, {column.name})"]
        unique = "UNIQUE " if column.index == "unique" else ""
        rest = {"leading": f"({column.name}, note)", "partial": f"({column.name}) WHERE note > 5"}
        return [f"CREATE {unique}INDEX ON {name} {rest.get(column.index, f'({column.name})')}"]


def _filled(columns: list[tuple[str, ...]]) -> list[list[str]]:
    longest = max(map(len, columns))
    return [[column[i] if i < len(column) else "NULL" for column in columns] for i in range(longest)]
