"""Candidates by names: those that people and frameworks give to the sequences of a table, or of all tables. Pure."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from airflow_seqfix.core.discover.extract import MOST_IDS_PER_CALL
from airflow_seqfix.core.model import Optimizer, SequenceInfo

#: Names that an application framework gives to the one sequence of all its tables, and the ids it makes of one call.
FOR_ALL = {
    "hibernate_sequence": ("Hibernate", Optimizer.POOLED),
    "sequence_generator": ("JHipster", Optimizer.POOLED),
    "seq_gen_sequence": ("EclipseLink", Optimizer.POOLED),
    "entityframeworkhilosequence": ("Entity Framework", Optimizer.POOLED_LO),
}
#: Sequences of frameworks whose names are not those of their tables, and the columns.
OF_COLUMN = {"batch_job_seq": ("Spring Batch", "batch_job_instance", "job_instance_id")}
#: Tables of tools that have a number for a key and make it by themselves.
_OF_TOOLS = frozenset({"flyway_schema_history", "databasechangeloglock", "schema_migrations", "spatial_ref_sys"})
#: Parts of a sequence's name that say nothing of its table.
_FILLERS = frozenset({"seq", "sequence", "sq", "s", "gen", "generator", "id", "pk", "key", "no", "num", "tbl", "t"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Key:
    """A column that an application or a trigger may fill: of a key, a number, without a generator."""

    table_oid: int
    schema_name: str
    table_name: str
    column_name: str
    column_number: int
    qualified_name: str
    #: Whether it is a key by itself.
    is_alone: bool


@dataclass(frozen=True, slots=True)
class Candidate:
    """A column that may draw from a sequence."""

    #: Qualified, quoted as SQL needs it.
    column: str
    evidence: str
    #: How many ids the application makes of one call, as its increment says, and how.
    ids_per_call: int = 1
    optimizer: Optimizer = Optimizer.POOLED

    @property
    def mapped(self) -> str | dict[str, Any]:
        """The column as the option `mapping` takes it."""
        if self.ids_per_call == 1:
            return self.column
        return {"column": self.column, "ids_per_call": self.ids_per_call, "optimizer": str(self.optimizer)}


Ranked = Mapping[int, tuple[Candidate, ...]]


def by_name(undrawn: list[SequenceInfo], free: list[Key]) -> Ranked:
    """Return the keys that sequences are named after."""
    by_core: dict[tuple[str | None, str], list[Key]] = defaultdict(list)
    by_column: dict[tuple[str, str], list[Key]] = defaultdict(list)
    for key in free:
        by_column[key.schema_name, key.column_name.lower()].append(key)
        for core in _cores(key):
            by_core[key.schema_name, core].append(key)
            by_core[None, core].append(key)
    found = {}
    for sequence in undrawn:
        schema, name, core = sequence.schema_name, sequence.sequence_name, _core(sequence.sequence_name)
        framework, table, column = OF_COLUMN.get(name.lower(), (None, None, None))
        keys = (
            [key for key in by_column.get((schema, column), ()) if key.table_name.lower() == table]
            if column is not None
            else by_core.get((schema, core)) or by_core.get((None, core)) or by_column.get((schema, _bare(name)), [])
        )
        # A key by itself, and then the first of its table.
        alone = [key for key in keys if key.is_alone] or keys
        tables = dict.fromkeys(key.table_oid for key in alone)
        if core and len(tables) == 1:
            said = f"{framework} names its sequence so" if framework else f"the name {name}"
            found[sequence.oid] = (_of_application(sequence, alone[0], f"{said}, and it is a key without a generator"),)
    return found


def for_all(undrawn: list[SequenceInfo], found: Ranked, free: list[Key]) -> Ranked:
    """Return the keys that have no other sequence, for those that a framework has for several tables.

    :param found: What is known without.
    """
    claimed = {candidate.column for candidates in found.values() for candidate in candidates}
    left: dict[str, list[Key]] = defaultdict(list)
    for key in free:
        if key.is_alone and key.qualified_name not in claimed and key.table_name.lower() not in _OF_TOOLS:
            left[key.schema_name].append(key)
    more: dict[int, tuple[Candidate, ...]] = {}
    orphans: dict[str, list[SequenceInfo]] = defaultdict(list)
    for sequence in undrawn:
        if found.get(sequence.oid):
            continue
        framework, optimizer = FOR_ALL.get(sequence.sequence_name.lower(), (None, Optimizer.POOLED))
        if framework:
            evidence = f"{framework} has one sequence of that name for all tables, and it is a key without another"
            keys = left[sequence.schema_name]
            more[sequence.oid] = tuple(_of_application(sequence, key, evidence, optimizer) for key in keys)
        if framework or (sequence.increment_by > 1 and sequence.sequence_name.lower().endswith("_seq")):
            orphans[sequence.schema_name].append(sequence)
    for schema, (sequence, *others) in orphans.items():
        # A class that has no table of its own, and a table for each class below it.
        keys = [key for key in left[schema] if key.column_name.lower() == "id"]
        if not others and sequence.oid not in more and len(keys) > 1:
            evidence = "Hibernate has one sequence, by the name of the class above, for a table per class"
            more[sequence.oid] = tuple(_of_application(sequence, key, evidence) for key in keys)
    return more


def _of_application(
    sequence: SequenceInfo, key: Key, evidence: str, optimizer: Optimizer = Optimizer.POOLED
) -> Candidate:
    """Return a candidate that an application fills, which makes as many ids of one call as the increment says."""
    ids = sequence.increment_by
    if not 1 < ids <= MOST_IDS_PER_CALL:
        return Candidate(key.qualified_name, evidence)
    evidence += f"; its increment of {ids} says that the application makes {ids} ids of one call ({optimizer})"
    return Candidate(key.qualified_name, evidence, ids, optimizer)


def _cores(key: Key) -> set[str]:
    """Return what is left of the names that sequences of the column have."""
    return {_core(key.table_name), _core(f"{key.table_name}_{key.column_name}")} - {""}


def _core(name: str) -> str:
    """Return a name without the words that every sequence's name has, and without a plural."""
    spaced = re.sub("(?<=[a-z0-9])(?=[A-Z])", "_", name)
    parts = [part for part in re.split("[^a-z0-9]+", spaced.lower()) if part and part not in _FILLERS]
    return re.sub("(seq|sequence)$", "", "".join(parts)).removesuffix("s")


def _bare(name: str) -> str:
    """Return what a sequence is called, without the word for what it is."""
    return re.sub("^seq_|_seq$|_sequence$", "", name.lower())
