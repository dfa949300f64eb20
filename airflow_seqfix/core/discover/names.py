"""Names as people write them: PostgreSQL's quoting, shell-style patterns, and what was probably meant."""

from __future__ import annotations

import difflib
import fnmatch
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from airflow_seqfix.core.errors import ArgumentError, Candidates
from airflow_seqfix.splitting import split

_WILDCARD = re.compile(r"[*?\[]")

#: How many names are offered in place of one that is not there.
MEANT = 3

#: The parts of a name as they are in the catalog, outermost first.
Parts = tuple[str, ...]

#: How many parts a name may have, by the option that it is given to, and how to write it.
SHAPES = {
    "schemas": (1, "schema"),
    "tables": (2, "table or schema.table"),
    "columns": (3, "column, table.column or schema.table.column"),
    "sequences": (2, "sequence or schema.sequence"),
    "mapping": (2, "sequence or schema.sequence"),
    "id_range": (2, "sequence or schema.sequence"),
    "exclude": (3, "a sequence, schema.table or schema.table.column"),
    # The command's own.
    "exclude_schema": (1, "schema"),
    "exclude_table": (2, "table or schema.table"),
}


@dataclass(frozen=True, slots=True)
class Name:
    """A name or pattern, read by PostgreSQL's rules: folded to lower case unless in double quotes."""

    text: str
    #: What fnmatch takes, outermost first.
    parts: tuple[str, ...]
    is_pattern: bool
    #: What it was given to.
    option: str

    @classmethod
    def parse(cls, given: object, option: str) -> Name:
        """Read a name that was given to `option`: as written in SQL, or its parts as they are in the catalog.

        :raises ArgumentError: when it cannot be one.
        """
        text = as_written(given)
        most, shape = SHAPES[option]
        refusal = ArgumentError(
            f"{given!r} is not a name",
            option=option,
            remedy=f"give {shape}, in double quotes where SQL needs them, or a pattern such as app_*",
        )
        if not isinstance(text, str):
            raise refusal
        parts: list[str] = []
        is_pattern = False
        for part in split(text, "."):
            literal = _literal(part)
            if literal is not None:
                # In brackets a wildcard stands for itself.
                parts.append(_WILDCARD.sub(r"[\g<0>]", literal))
            elif part.strip() and '"' not in part:
                is_pattern = is_pattern or bool(_WILDCARD.search(part))
                parts.append(part.strip().lower())
            else:
                raise refusal
        if len(parts) > most:
            raise refusal
        return cls(text, tuple(parts), is_pattern, option)

    @property
    def plain(self) -> tuple[str, ...]:
        """The parts as they are in the catalog; of one that is no pattern."""
        return tuple(re.sub(r"\[([*?\[])\]", r"\1", part) for part in self.parts)

    @property
    def quoted(self) -> str:
        """The name in double quotes; of one that is no pattern."""
        return str(as_written(self.plain))

    @property
    def owner(self) -> Name:
        """The name without its last part: of a column, the table."""
        return Name(".".join(split(self.text, ".")[:-1]), self.parts[:-1], self.is_pattern, self.option)

    def matches(self, *qualified: str) -> bool:
        """Whether this name, which may leave out leading parts, means the object with that qualified name."""
        tail = qualified[len(qualified) - len(self.parts) :]
        return len(tail) == len(self.parts) and all(map(fnmatch.fnmatchcase, tail, self.parts))


@dataclass(frozen=True, slots=True)
class NameSet:
    """Names and patterns to look objects up in: exact names in a hash, however many there are."""

    exact: frozenset[Parts]
    patterns: tuple[Name, ...]

    @classmethod
    def of(cls, names: Iterable[Name]) -> NameSet:
        known = tuple(names)
        return cls(
            frozenset(name.plain for name in known if not name.is_pattern),
            tuple(name for name in known if name.is_pattern),
        )

    def has_any(self, called: Iterable[Parts]) -> bool:
        """Whether one of the names means an object that is called so, by its parts."""
        known = tuple(called) if self.patterns else called
        return not self.exact.isdisjoint(known) or any(
            len(name.parts) == len(parts) and name.matches(*parts) for name in self.patterns for parts in known
        )


def as_written(given: object) -> object:
    """Return a name from metadata, a tuple or an `Identifier` of the drivers, as it is written in SQL."""
    # psycopg2 shows the parts of an Identifier; psycopg 3 writes them.
    parts = getattr(given, "strings", given)
    if isinstance(parts, tuple) and all(isinstance(part, str) for part in parts):
        return ".".join('"' + part.replace('"', '""') + '"' for part in parts)
    return given.as_string(None) if hasattr(given, "as_string") else given


def parse_all(value: object, option: str) -> tuple[Name, ...]:
    """Read one name or several; () stands for no restriction, and so does `*`.

    :raises ArgumentError: when there is something else, or nothing.
    """
    names = [value] if isinstance(value, str) or hasattr(value, "as_string") else value
    if not isinstance(names, Iterable):
        raise ArgumentError(option=option, value=value, remedy="give a name, or a list of names")
    # One that was read already may have been given to an option of the command's own.
    read = tuple(name if isinstance(name, Name) else Name.parse(name, option) for name in names)
    if option.startswith("exclude"):
        return read
    # An empty tuple is the default. An empty list comes from somewhere, and does not mean everything.
    if not read and value != ():
        raise ArgumentError(
            "is empty", option=option, value=value, remedy="give at least one name, or * for everything"
        )
    return () if any(name.parts == ("*",) and name.is_pattern for name in read) else read


def did_you_mean(name: Name, candidates: Iterable[str]) -> Candidates:
    """Return what there is instead of `name`: in the schema that it names, if something there has a similar name.

    :param candidates: Qualified names, quoted as SQL needs them.
    """
    known = {candidate: parts_of(candidate) for candidate in dict.fromkeys(candidates)}
    schema = name.owner
    inside = {candidate: parts for candidate, parts in known.items() if schema.parts and schema.matches(*parts[:-1])}
    return Candidates(near=tuple(_nearest(name, inside) or _nearest(name, known)), known=tuple(known))


def _nearest(name: Name, known: Mapping[str, Parts]) -> list[str]:
    """Return a few with a similar name, those in schemas with a similar name first."""
    bare = {candidate: parts[-1].lower() for candidate, parts in known.items()}
    near = difflib.get_close_matches(name.parts[-1].lower(), set(bare.values()), n=MEANT)
    schemas = {candidate: ".".join(known[candidate][:-1]) for candidate in known if bare[candidate] in near}
    nearest = difflib.get_close_matches(".".join(name.parts[:-1]), set(schemas.values()), n=MEANT)
    rank = {schema: place for place, schema in enumerate(nearest)}
    return sorted(schemas, key=lambda candidate: rank.get(schemas[candidate], MEANT))[:MEANT]


def parts_of(qualified: str) -> Parts:
    """Return the parts of a qualified name, as they are in the catalog."""
    return tuple(_literal(part) or part for part in split(qualified, "."))


def _literal(part: str) -> str | None:
    """Return what a part in double quotes stands for; None where it is none."""
    if len(part) < 3 or not (part.startswith('"') and part.endswith('"')):
        return None
    inner = part[1:-1]
    return None if '"' in inner.replace('""', "") else inner.replace('""', '"')
