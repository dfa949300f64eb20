"""Which columns triggers fill from sequences. Pure: reads what `triggers.sql` has returned."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from airflow_seqfix.core.model import SequenceInfo, Tie

if TYPE_CHECKING:
    from airflow_seqfix.core.discover.plpgsql import Reading


@dataclass(frozen=True, slots=True, kw_only=True)
class SequenceName:
    """A sequence of which no more than its name is known."""

    oid: int
    schema_name: str
    sequence_name: str


Named = SequenceInfo | SequenceName

#: Of how many sequences that a name can mean it is said.
SEVERAL = 3


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
    schema_oid: int
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
    #: The OID of that owner, or of the table's: who is taken for the one that draws.
    drawer: int
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
    #: The same of columns that one of several sequences is drawn for, a few of each.
    ambiguous: tuple[tuple[Tie, int | None], ...] = ()
    hints: tuple[Hint, ...] = ()

    def may_fill(self, table_oid: int, column_number: int) -> bool:
        """Whether a trigger that was not understood may fill a column with what nextval() returns."""
        hints = [hint for hint in self.hints if hint.trigger.table_oid == table_oid]
        return bool(hints) and not any(column_number in hint.changed for hint in hints)


#: Who looks a name without a schema up, for tables in which schema: the OIDs of a role and a schema, and the name.
Lookup = tuple[int, int, str]


class Read(NamedTuple):
    """A trigger, and what is understood of its function."""

    trigger: Trigger
    reading: Reading


def read_functions(triggers: Iterable[Trigger]) -> list[Read]:
    """Read the texts of the triggers' functions."""
    return [Read(trigger, _read(trigger)) for trigger in triggers]


def lookups(read: Iterable[Read], sequences: Iterable[Named]) -> list[Lookup]:
    """Return the names that several sequences have, and for whom it has to be asked which of them are meant."""
    names = _Names(sequences, {})
    said = ((trigger, name) for trigger, reading in read for name in _said(reading))
    several = {_lookup(trigger, name) for trigger, name in said if len(names.meant(trigger, name)) > 1}
    return sorted(lookup for lookup in several if lookup is not None)


def read_triggers(
    read: Iterable[Read], sequences: Iterable[Named], closest: Mapping[Lookup, list[int]]
) -> TriggersRead:
    """Tie columns to the sequences that triggers fill them from: each from one, and each sequence for one column.

    :param sequences: Every sequence of the database: a name may stand for any of them.
    :param closest: The answers to `lookups()`, a few sequences for each.
    """
    names = _Names(sequences, closest)
    ties: dict[Tie, int | None] = {}
    ambiguous: dict[Tie, int | None] = {}
    hints: list[Hint] = []
    for trigger, reading in read:
        numbers = dict(zip(trigger.column_names, trigger.column_numbers, strict=True))
        drawn: list[tuple[int, int]] = []
        for column, said in sorted(reading.draws):
            number, oids = numbers.get(column), names.meant(trigger, said)
            if number is not None and len(oids) == 1:
                drawn.append((oids[0], number))
            elif number is not None:
                several = [(oid, trigger.table_oid, number) for oid in oids[:SEVERAL]]
                ambiguous |= dict.fromkeys(several, trigger.definer)
        once = Counter(oid for oid, _ in drawn)
        tied = [(oid, trigger.table_oid, number) for oid, number in drawn if once[oid] == 1]
        ties |= dict.fromkeys(tied, trigger.definer)
        if len(tied) < len(reading.draws) or reading.loose or reading.unread:
            named = {oid for said in _said(reading) for oid in names.meant(trigger, said)}
            reason = reading.unread or "it cannot be told which column takes the value, or which sequence is meant"
            hints.append(
                Hint(
                    trigger=trigger,
                    sequences=frozenset(named - {oid for oid, *_ in tied}),
                    changed=frozenset(numbers[column] for column in reading.changed if column in numbers),
                    reason=reason,
                )
            )
    return TriggersRead(ties=tuple(ties.items()), ambiguous=tuple(ambiguous.items()), hints=tuple(hints))


def _said(reading: Reading) -> frozenset[str]:
    """Return the names in a function that may be a sequence's."""
    return frozenset(said for _, said in reading.draws) | reading.loose


class _Names:
    """What names mean, worked out once for each: a function may be that of thousands of triggers."""

    def __init__(self, sequences: Iterable[Named], closest: Mapping[Lookup, list[int]]) -> None:
        self._by_name: dict[str, list[Named]] = defaultdict(list)
        for sequence in sequences:
            self._by_name[sequence.sequence_name].append(sequence)
        self._closest = closest
        self._known: dict[tuple[str, str | None], list[int]] = {}

    def meant(self, trigger: Trigger, said: str) -> list[int]:
        """Return the OIDs of the sequences that a name in the function of a trigger can mean."""
        lookup = _lookup(trigger, said)
        if lookup is not None and lookup in self._closest:
            return self._closest[lookup]
        key = (said, trigger.search_path)
        if key not in self._known:
            self._known[key] = meant(said, trigger.scope, self._by_name)
        return self._known[key]


def _lookup(trigger: Trigger, said: str) -> Lookup | None:
    """Return what is looked up with the search_path of whoever draws; None: the name has its schema."""
    from airflow_seqfix.core.discover.tokens import name_parts

    parts = name_parts(said)
    return (trigger.drawer, trigger.schema_oid, parts[0]) if parts is not None and len(parts) == 1 else None


def _read(trigger: Trigger) -> Reading:
    # Most databases have no such trigger, and need no scanner.
    from airflow_seqfix.core.discover.plpgsql import Reading, read_function
    from airflow_seqfix.core.discover.tokens import name_parts, tokens

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
    from airflow_seqfix.core.discover.tokens import name_parts, tokens

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
