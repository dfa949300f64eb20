"""Which sequences there are, and which columns they feed: catalog rows become `SequenceInfo` and `ColumnInfo`."""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import fields, replace
from functools import partial
from typing import Any, get_type_hints

from airflow_seqfix.core import queries
from airflow_seqfix.core.database.answers import SHOWN
from airflow_seqfix.core.database.legible import REPLACEMENT
from airflow_seqfix.core.database.session import Session
from airflow_seqfix.core.discover.narrowed import Place, sequences_beside, sequences_named
from airflow_seqfix.core.discover.triggers import (
    Lookup,
    Named,
    SequenceName,
    Trigger,
    TriggersRead,
    lookups,
    read_functions,
    read_triggers,
)
from airflow_seqfix.core.errors import (
    ArgumentError,
    UnexpectedAnswerError,
    UnsupportedServerError,
    first_line,
    printable,
    sqlstate,
)
from airflow_seqfix.core.model import DRAWN_AS_IS, ColumnInfo, Feed, SequenceInfo, Server, TableInfo, Tie
from airflow_seqfix.core.model.quoted import literal

#: A sequence's OID, a column that is tied to it, and the tables above the column's own.
Found = tuple[int, ColumnInfo, tuple[int, ...]]

#: The oldest server whose catalogs and behaviour are tested.
OLDEST_SERVER = 13

#: How often the catalogs are read again because an object has vanished meanwhile.
VANISHED = 2

#: The class of the SQLSTATEs of texts that the database cannot hold.
NOT_A_TEXT = "22"

#: What `SELECT version()` holds, the product, and why it is refused.
OTHER_PRODUCTS = (
    ("Redshift", "Amazon Redshift", "it has no sequences, and its identity columns cannot be moved"),
    ("CockroachDB", "CockroachDB", "it does not store is_called, and has no lock on a sequence"),
    ("-YB-", "YugabyteDB", "its sequences are cached elsewhere, and it has no lock on a sequence"),
    ("Greenplum", "Greenplum", "a sequence and its tables cannot be read in one statement"),
)


#: The types of what the queries for the server, for columns and for sequences answer.
SERVER = {name: kind for name, kind in get_type_hints(Server).items() if name not in ("host", "port")}
COLUMN = {
    name: kind
    for name, kind in get_type_hints(ColumnInfo).items()
    if name not in ("is_covered", "extract", "is_identity")
} | {
    "sequence_oid": int,
    "ancestors": list[int],
}
_SEQUENCE = get_type_hints(SequenceInfo)
SEQUENCE = {
    field.name: _SEQUENCE[field.name]
    for field in fields(SequenceInfo)
    if field.init and field.name not in ("columns", "id_range", "interleaved", "ends_before", "is_legible")
}


def identify(session: Session) -> Server:
    """Ask the server who it is.

    :raises UnsupportedServerError: when it is not PostgreSQL of version 13 or later.
    """
    try:
        answered = session.rows_alone("SELECT pg_catalog.version()", version=str | bytes)
    except Exception as error:
        if sqlstate(error) is None:
            raise
        raise UnsupportedServerError(
            f"the server does not answer SELECT pg_catalog.version() ({first_line(error)}): "
            "connect to a database, not to a pooler's admin console"
        ) from error
    banner = answered[0][0] if answered else ""
    if isinstance(banner, bytes):
        raise ArgumentError("the connection's client_encoding is SQL_ASCII: connect with client_encoding=utf8")
    refuse_other_products(banner)
    with session.transaction():
        host, port = session.endpoint
        answer = session.fetch(queries.get("server"), partial(Server, host=host, port=port), SERVER)
    if len(answer) != 1:
        raise UnexpectedAnswerError(f"{len(answer)} rows that say who it is")
    return answer[0]


def refuse_other_products(banner: str) -> None:
    """Refuse what speaks PostgreSQL's protocol and whose sequences are something else.

    :param banner: What `SELECT version()` returned.
    :raises UnsupportedServerError: when it is not PostgreSQL, or one older than 13.
    """
    for mark, product, why in OTHER_PRODUCTS:
        if mark in banner:
            raise UnsupportedServerError(f"this is {product}, not PostgreSQL: {why}; nothing was read or written")
    version = re.match(r"(?:PostgreSQL|EnterpriseDB) (\d+)", banner)
    if version is None:
        raise UnsupportedServerError(
            f"this is not PostgreSQL: it calls itself {printable(banner[:SHOWN])!r}; nothing was read or written"
        )
    if int(version[1]) < OLDEST_SERVER:
        raise UnsupportedServerError(
            f"this is PostgreSQL {version[1]}, and {OLDEST_SERVER} or later is needed; nothing was read or written"
        )


def discover(
    session: Session,
    mapping: Iterable[Tie] = (),
    *,
    own_code_only: bool = False,
    places: Iterable[Place] | None = None,
) -> list[SequenceInfo]:
    """Return every sequence of the database with the columns tied to it, in order of schema and name.

    :param mapping: Ties that no catalog shows.
    :param own_code_only: Whether to look for functions of others that a read of the tables calls.
    :param places: Tables and sequences by name: of the sequences these alone, and those that feed one of them, each
        with all of its columns; None: every sequence.
    """
    mapping, places = list(mapping), None if places is None else list(places)
    for _ in range(VANISHED):
        try:
            return _discover(session, mapping, own_code_only, places)
        except Exception as error:
            # An object was dropped between its catalog row and the look at it: "cache lookup failed".
            if sqlstate(error) != "XX000":
                if places is None or not str(sqlstate(error)).startswith(NOT_A_TEXT):
                    raise
                # A name that the database's encoding has no letters for: no object has it.
                places = None
    return _discover(session, mapping, own_code_only, places, wary=True)


def _discover(
    session: Session, mapping: list[Tie], own_code_only: bool, places: list[Place] | None, *, wary: bool = False
) -> list[SequenceInfo]:
    """Look once.

    :param wary: Whether to leave expressions alone that call functions which somebody made, and may drop.
    """
    everything = queries.get("sequences")
    with session.transaction():
        sequences = session.fetch(everything, SequenceInfo, SEQUENCE) if places is None else []
        triggers = tied_by_triggers(session, sequences)
        ties: list[list[Any]] = [list(tie) for tie in mapping]
        ties += [[*tie, str(Feed.TRIGGER), definer] for tie, definer in triggers.ties]
        ties += [[*tie, str(Feed.AMBIGUOUS), definer] for tie, definer in triggers.ambiguous]
        # Integers and words of ours; the settings end with the transaction.
        said = {"mapping": json.dumps(ties), "wary": _word(wary), "own_code_only": _word(own_code_only)}
        oids = "" if places is None else json.dumps(sequences_named(session, places, _settings(**said, sequences="")))
        session.run(_settings(**said, tables="", sequences=oids))
        if places is not None:
            chosen = f"SELECT * FROM ({everything}) AS found WHERE found.oid = ANY ('{{{oids[1:-1]}}}')"
            sequences = session.fetch(chosen, SequenceInfo, SEQUENCE)
        tied: dict[int, list[ColumnInfo]] = defaultdict(list)
        found: list[Found] = session.fetch(queries.get("columns"), _column, COLUMN)
        others = [] if places is None else sequences_beside(session, (column.table_oid for _, column, _ in found), oids)
        if others:
            session.run(_settings(**said, tables="", sequences=json.dumps([*json.loads(oids), *others])))
            found = session.fetch(queries.get("columns"), _column, COLUMN)
        for oid, column in _mark_covered(_merged(found, triggers)):
            tied[oid].append(column)
        # Each in place of the one without columns: both of a hundred thousand are a quarter of the run's memory.
        for place, sequence in enumerate(sequences):
            sequences[place] = replace(sequence, columns=tuple(tied.pop(sequence.oid, ())))
            if session.replaces_names and not _is_legible(sequences[place]):
                sequences[place] = replace(sequences[place], is_legible=False)
        return sequences


def _is_legible(sequence: SequenceInfo) -> bool:
    """Whether no name that a statement on it would hold has had bytes replaced."""
    names = (sequence.qualified_name, *(column.qualified_name for column in sequence.comparable))
    return not any(REPLACEMENT in name for name in names)


def tied_by_triggers(session: Session, sequences: Sequence[SequenceInfo]) -> TriggersRead:
    """Read what triggers draw, inside a transaction.

    :param sequences: Every sequence; empty: their names are read where they are needed.
    """
    read = read_functions(session.fetch(queries.get("triggers"), Trigger))
    known: Sequence[Named] = sequences
    if read and not sequences:
        names = f"SELECT found.oid, found.schema_name, found.sequence_name FROM ({queries.get('sequences')}) AS found"
        known = session.fetch(names, SequenceName)
    return read_triggers(read, known, _closest(session, lookups(read, known)))


def _closest(session: Session, wanted: Sequence[Lookup]) -> dict[Lookup, list[int]]:
    """Return the OIDs of the sequences that names can mean for whoever looks them up."""
    closest: dict[Lookup, list[int]] = defaultdict(list)
    if wanted:
        session.run(f"SET LOCAL seqfix.lookups = {literal(json.dumps(wanted))}")
        for place, oid in session.rows(queries.get("closest"), place=int, sequence_oid=int):
            closest[wanted[place - 1]].append(oid)
    return closest


def _settings(**values: str) -> str:
    return "; ".join(f"SET LOCAL seqfix.{name} = '{value}'" for name, value in values.items())


def _word(is_on: bool) -> str:
    return "on" if is_on else "off"


def list_tables(session: Session) -> list[TableInfo]:
    """Return every table of the database, in order of schema and name."""
    with session.transaction():
        return session.fetch(queries.get("tables"), TableInfo)


def list_databases(session: Session) -> list[str]:
    """Return the names of the server's databases that one can connect to."""
    with session.transaction():
        return session.fetch(queries.get("databases"), lambda name: str(name), {"name": str})


def list_schemas(session: Session) -> list[str]:
    """Return the names of the schemas that have a sequence, quoted as SQL needs them."""
    with session.transaction():
        return session.fetch(queries.get("schemas"), lambda name: str(name), {"name": str})


def _column(*, sequence_oid: int, feed: str, source: str | None, ancestors: list[int], **row: Any) -> Found:
    """Return a sequence's OID, a column that is tied to it, and the tables above the column's own."""
    source = source if feed in (Feed.WRAPPED, Feed.AMBIGUOUS) else None
    row |= {"feed": Feed(feed), "is_identity": feed == Feed.IDENTITY}
    return sequence_oid, ColumnInfo(source=source, is_covered=False, **row), tuple(ancestors)


def _merged(found: list[Found], triggers: TriggersRead) -> list[Found]:
    """Leave out what a column has twice, and let OWNED BY decide where a trigger was not understood."""
    said = {(oid, c.table_oid, c.column_number) for oid, c, _ in found if c.feed is Feed.MAPPING}
    drawn = {(oid, c.table_oid, c.column_number) for oid, c, _ in found if c.feed is not Feed.TRIGGER}
    identities = {(oid, c.table_oid, c.column_number) for oid, c, _ in found if c.is_identity} & said
    settled = []
    for oid, column, ancestors in found:
        tie = (oid, column.table_oid, column.column_number)
        if (tie in said and column.feed is not Feed.MAPPING) or (column.feed is Feed.TRIGGER and tie in drawn):
            continue
        if column.feed is Feed.UNDRAWN and triggers.may_fill(column.table_oid, column.column_number):
            column = replace(column, feed=Feed.OWNED)
        elif tie in identities:
            column = replace(column, is_identity=True)
        settled.append((oid, column, ancestors))
    # Which of several sequences a trigger means, another tie of the column may say.
    known = {(c.table_oid, c.column_number) for _, c, _ in settled if c.feed in (Feed.MAPPING, Feed.OWNED)}
    return [
        (oid, column, ancestors)
        for oid, column, ancestors in settled
        if not (
            column.feed is Feed.AMBIGUOUS
            and column.source is None
            and (column.table_oid, column.column_number) in known
        )
    ]


def _mark_covered(found: list[Found]) -> Iterator[tuple[int, ColumnInfo]]:
    """Mark what is read through a table above it: partitions and inheritance children."""
    above = {oid for _, _, ancestors in found for oid in ancestors}
    read = {
        (oid, c.table_oid, c.column_name)
        for oid, c, _ in found
        if c.table_oid in above and c.feed in DRAWN_AS_IS and c.is_trusted
    }
    for oid, column, ancestors in found:
        is_covered = any((oid, ancestor, column.column_name) in read for ancestor in ancestors)
        yield oid, replace(column, is_covered=True) if is_covered else column
