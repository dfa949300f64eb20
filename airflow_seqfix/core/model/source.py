"""The other side of a cutover: where its sequences stand. Pure."""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from urllib.parse import quote

from airflow_seqfix.core.errors import printable
from airflow_seqfix.core.model.measurement import Obstacle, SourcePosition
from airflow_seqfix.core.model.sequence import SequenceInfo
from airflow_seqfix.core.model.server import address

#: A schema and a sequence, as the catalog holds them.
Key = tuple[str, str]

#: In what the definitions of a sequence on both sides are compared.
COMPARED = ("increment_by", "min_value", "max_value")


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceSequence:
    """A sequence of the source."""

    qualified_name: str
    increment_by: int
    min_value: int
    max_value: int
    cycle: bool
    #: What nextval() would return there; None where it could not be read.
    next_value: int | None
    obstacle: Obstacle | None = None

    @property
    def is_untouched(self) -> bool:
        """Whether no value lies before the next one."""
        first = self.min_value if self.increment_by > 0 else self.max_value
        return self.next_value is not None and (self.next_value - first) * self.increment_by <= 0

    def handed_out(self, increment_by: int) -> int | None:
        """Return the last value that may have been handed out, for a sequence with that increment.

        By steps that are the same on both sides. Else every value before the next one counts: the increment may have
        been another, and an application may make several ids of one.
        """
        if self.next_value is None:
            return None
        step = self.increment_by if self.increment_by == increment_by else (1 if self.increment_by > 0 else -1)
        return self.next_value - step


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """The database whose ids must not be handed out again, as it was read."""

    host: str
    port: int
    database: str
    server_started_at: str
    read_at: datetime.datetime
    #: Whether it comes from a report that was stored.
    is_stored: bool
    sequences: Mapping[Key, SourceSequence]
    #: What schemas of the database that is judged are called in the source.
    schemas: Mapping[str, str]

    @property
    def place(self) -> str:
        """Database, host and port."""
        return f"{printable(self.database)} on {address(self.host, self.port)}"

    @property
    def said(self) -> str:
        """The same, with when it was read, and whether from a stored report."""
        stored = ", from a stored report" if self.is_stored else ""
        return f"{self.place}, read {self.read_at.strftime('%Y-%m-%d %H:%M:%S UTC')}{stored}"

    @property
    def uri(self) -> str:
        """The same, as a connection is named; a password is no part of it."""
        return f"postgresql://{address(quote(self.host, safe=':'), self.port)}/{quote(self.database, safe='')}"

    @property
    def argument(self) -> str:
        """What `--source` takes; how the file of a stored report is called is not known here."""
        return "REPORT.json" if self.is_stored else self.uri

    def key_of(self, sequence: SequenceInfo) -> Key:
        """Return the schema and the name that a sequence has in the source."""
        return self.schemas.get(sequence.schema_name, sequence.schema_name), sequence.sequence_name

    def position_of(self, sequence: SequenceInfo) -> SourcePosition:
        """Return where a sequence stands in the source."""
        found = self.sequences.get(self.key_of(sequence))
        if found is None:
            return SourcePosition(place=self.place, argument=self.argument)
        obstacle = found.obstacle
        if (found.increment_by > 0) != sequence.is_ascending:
            obstacle = Obstacle(
                reason=f"its increment is {found.increment_by} there, and {sequence.increment_by} here",
                remedy=f"let {sequence.qualified_name} run in the same direction on both sides",
            )
        if obstacle is None and found.cycle and not sequence.cycle:
            obstacle = Obstacle(
                reason="it has CYCLE there, so it may have handed out all of its values",
                remedy=f"exclude {sequence.qualified_name}, and choose its position by hand",
            )
        differences = [
            f"{name} is {getattr(found, name)} there and {getattr(sequence, name)} here"
            for name in COMPARED
            if getattr(found, name) != getattr(sequence, name)
        ]
        return SourcePosition(
            place=self.place,
            argument=self.argument,
            is_there=True,
            is_untouched=found.is_untouched,
            next_value=found.next_value,
            handed_out=found.handed_out(sequence.increment_by),
            differs=", ".join(differences) or None,
            obstacle=obstacle,
        )

    def only_there(self, here: Iterable[SequenceInfo]) -> tuple[str, ...]:
        """Return the sequences that only the source has, in the schemas that both have."""
        known = {self.key_of(sequence) for sequence in here}
        schemas = {schema for schema, _ in known}
        return tuple(
            found.qualified_name
            for key, found in sorted(self.sequences.items())
            if key not in known and key[0] in schemas
        )
