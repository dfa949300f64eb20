"""Which columns triggers fill from sequences. Pure: reads what `triggers.sql` has returned."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from airflow_seqfix.core.discover.plpgsql import Reading, read_function
from airflow_seqfix.core.discover.tokens import name_parts, tokens
from airflow_seqfix.core.model import SequenceInfo, Tie


@dataclass(frozen=True, slots=True, kw_only=True)
class SequenceName:
    """A sequence of which no more than its name is known."""

    oid: int
    schema_name: str
    sequence_name: str


Named = SequenceInfo | SequenceName


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """Where a function looks names up."""

    #: Its own setting; None: that of whoever calls it.
    search_path: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Trigger:
    """An enabled BEFORE INSERT row trigger, and the text of its function."""

    table_oid: int
    schema_name: str
    table_name: str
    qualified_table: str
    is_partitioned: bool
    trigger_name: str
    language: str
    #: None: too long to be read.
    source: str | None
    arguments: list[str]
    #: The function's own setting; None: that of whoever inserts.
    search_path: str | None
    #: The OID of the owner of a SECURITY DEFINER function, which draws with his rights; None: with the inserter's.
    definer: int | None
    column_names: list[str]
    column_numbers: list[int]

    @property
    def scope(self) -> Scope:
        return Scope(search_path=self.search_path)

    @property
    def known(self) -> dict[str, str | None]:
        """What the function is told. In a partition it is another table that it is told of."""
        table, schema = (None, None) if self.is_partitioned else (self.table_name, self.schema_name)
        known = {"tg_table_name": table, "tg_relname": table, "tg_table_schema": schema}
        return known | {f"tg_argv[{place}]": said for place, said in enumerate(self.arguments)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Hint:
    """A trigger that calls nextval() in a way that leaves open which column takes the value."""

    trigger: Trigger
    #: Sequences that its text names.
    sequences: frozenset[int]
    #: Columns whose value is more than what nextval() returns.
    changed: frozenset[int]
    #: What was not understood.
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TriggersRead:
    """What the triggers of a database have told."""

    #: And of each the owner of the function that draws, where it draws with his rights.
    ties: tuple[tuple[Tie, int | None], ...] = ()
    hints: tuple[Hint, ...] = ()

    def may_fill(self, table_oid: int, column_number: int) -> bool:
        """Whether a trigger that was not understood may fill a column with what nextval() returns."""
        hints = [hint for hint in self.hints if hint.trigger.table_oid == table_oid]
        return bool(hints) and not any(column_number in hint.changed for hint in hints)


def read_triggers(triggers: Iterable[Trigger], sequences: Iterable[Named]) -> TriggersRead:
    """Tie columns to the sequences that triggers fill them from: each from one, and each sequence for one column.

    :param sequences: Every sequence of the database: a name may stand for any of them.
    """
    by_name: dict[str, list[Named]] = defaultdict(list)
    for sequence in sequences:
        by_name[sequence.sequence_name].append(sequence)
    ties: dict[Tie, int | None] = {}
    hints: list[Hint] = []
    for trigger in triggers:
        reading = _read(trigger)
        numbers = dict(zip(trigger.column_names, trigger.column_numbers, strict=True))
        found = [(find(said, trigger.scope, by_name), numbers.get(column)) for column, said in sorted(reading.draws)]
        drawn = [(oid, number) for oid, number in found if oid is not None and number is not None]
        oids = [oid for oid, _ in drawn]
        tied = [(oid, trigger.table_oid, number) for oid, number in drawn if oids.count(oid) == 1]
        ties |= dict.fromkeys(tied, trigger.definer)
        if len(tied) < len(found) or reading.loose or reading.unread:
            names = {said for _, said in reading.draws} | reading.loose
            named = {oid for said in names for oid in meant(said, trigger.scope, by_name)}
            reason = reading.unread or "it cannot be told which column takes the value, or which sequence is meant"
            hints.append(
                Hint(
                    trigger=trigger,
                    sequences=frozenset(named - {oid for oid, *_ in tied}),
                    changed=frozenset(numbers[column] for column in reading.changed if column in numbers),
                    reason=reason,
                )
            )
    return TriggersRead(ties=tuple(ties.items()), hints=tuple(hints))


def _read(trigger: Trigger) -> Reading:
    if trigger.source is None:
        return Reading(unread="its function is too long to be read")
    if trigger.language == "c":
        # autoinc() of the extension of that name: columns and sequences in turn.
        return Reading(draws=frozenset(zip(trigger.arguments[::2], trigger.arguments[1::2], strict=False)))
    if trigger.language != "plpgsql":
        named = {word.text for word in tokens(trigger.source) if name_parts(word.text) is not None}
        return Reading(loose=frozenset(named), unread=f"its function is in {trigger.language}")
    return read_function(trigger.source, trigger.known)


def find(said: str, scope: Scope, by_name: Mapping[str, Sequence[Named]]) -> int | None:
    """Return the sequence of that name, where only one can be meant."""
    found = meant(said, scope, by_name)
    return found[0] if len(found) == 1 else None


def meant(said: str, scope: Scope, by_name: Mapping[str, Sequence[Named]]) -> list[int]:
    """Return the sequences that a name can mean: several, where it depends on the search_path of whoever calls."""
    parts = name_parts(said)
    if parts is None:
        return []
    found = list(by_name.get(parts[-1], ()))
    if len(parts) > 1:
        found = [sequence for sequence in found if sequence.schema_name == parts[-2]]
    elif scope.search_path is not None:
        path = [word.text for word in tokens(scope.search_path) if word.text != ","]
        if "$user" not in path:
            inside = [sequence for sequence in found if sequence.schema_name in path]
            found = sorted(inside, key=lambda sequence: path.index(sequence.schema_name))[:1]
    return [sequence.oid for sequence in found]
