"""Reads where the sequences on the other side of a cutover stand: over a connection, or from a report of it."""

from __future__ import annotations

import datetime
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from airflow_seqfix.core import queries
from airflow_seqfix.core.database.connection import Connectable, Connection
from airflow_seqfix.core.database.libpq import bounded
from airflow_seqfix.core.database.sessions import Sessions, open_sessions
from airflow_seqfix.core.discover.catalog import SEQUENCE, identify
from airflow_seqfix.core.discover.names import Name, did_you_mean
from airflow_seqfix.core.errors import ArgumentError, ArgumentTypeError, SelectionError, SeqfixError, sqlstate
from airflow_seqfix.core.measure.positions import positions
from airflow_seqfix.core.measure.validation import READS
from airflow_seqfix.core.model import Measurement, Obstacle, SequenceInfo, Server, Source, SourceSequence
from airflow_seqfix.core.model.source import COMPARED, Key
from airflow_seqfix.core.obstacles import ended, restless
from airflow_seqfix.core.report import REPORT_VERSION, Report
from airflow_seqfix.core.settings import Settings
from airflow_seqfix.secrets import remember_fields

#: Where the ids come from: a connection, a callable or a URI that opens one, or a report of that database.
SourceLike = Connectable | Report | Mapping[str, Any] | str

#: As far as a sequence can go, in either direction.
LARGEST = 2**63

#: What a report says of itself, and of each sequence, that is needed here.
_OF_REPORT = {"host": str, "port": int, "database": str, "server_started_at": str, "started_at": str}
_OF_SEQUENCE = {"sequence": str, "cycle": bool} | dict.fromkeys(COMPARED, int)


def read_source(given: SourceLike, schemas: Mapping[str, str], settings: Settings, deadline: float) -> Source:
    """Read the positions of all sequences of the source; every transaction is READ ONLY.

    :param schemas: What schemas of the database that is judged are called in the source.
    :param deadline: When the run has to be over, by `time.monotonic()`.
    :raises ArgumentError: when it is a standby, or no report that serves.
    :raises SeqfixError: as a run on it would, with `source` as its option.
    """
    if given == "":
        raise ArgumentError("it is empty", option="source", remedy="give a connection, a URI or a report")
    if not isinstance(schemas, Mapping):
        raise ArgumentTypeError(
            f"{schemas!r} is not a mapping", option="source_schemas", remedy='give {"here": "there"}'
        )
    renamed = {_schema(here): _schema(there) for here, there in schemas.items()}
    try:
        if isinstance(given, Report | Mapping):
            source = _from_report(given.to_dict() if isinstance(given, Report) else given, renamed)
        else:
            connectable = _opener(given) if isinstance(given, str) else given
            source = _from_connection(connectable, renamed, settings, deadline)
    except SeqfixError as error:
        error.option = error.option or "source"
        raise
    known = {schema for schema, _ in source.sequences}
    for there in renamed.values():
        if there not in known:
            raise _no_schema(there, "the source", known)
    return source


def refuse_unrelated(source: Source, server: Server, here: Iterable[SequenceInfo]) -> None:
    """Refuse a source that says nothing of the database that is judged.

    :raises ArgumentError: when it is that database itself, or has none of its sequences.
    """
    # Not by its address: the new side may have taken over the old one's.
    if (source.database, source.server_started_at) == (server.database, server.server_started_at):
        raise ArgumentError(
            f"{source.place} is the database that is checked",
            option="source",
            remedy="give the one from which the data came",
        )
    sequences = list(here)
    known = {sequence.schema_name for sequence in sequences}
    for schema in source.schemas:
        if schema not in known:
            raise _no_schema(schema, server.place, known)
    if sequences and not any(source.key_of(sequence) in source.sequences for sequence in sequences):
        raise ArgumentError(
            f"{source.place} has none of the {len(sequences):,} sequences here",
            option="source",
            remedy="give the database from which the data came, and source_schemas where its schemas have other names",
        )


def _opener(uri: str) -> Callable[[], Connection]:
    """Return what opens a connection to a URI; no message holds its password."""
    import psycopg
    from psycopg import conninfo

    try:
        parts = conninfo.conninfo_to_dict(uri)
    except psycopg.Error:
        # libpq quotes the part that it cannot read, which may be the password.
        raise ArgumentError(
            "it is not a connection string", option="source", remedy="give postgresql://user@host:port/dbname"
        ) from None
    remember_fields(parts.items())
    whole = conninfo.make_conninfo(**bounded({"client_encoding": "utf8"} | parts))
    return lambda: psycopg.connect(whole)


def _from_connection(given: Connectable, schemas: Mapping[str, str], settings: Settings, deadline: float) -> Source:
    with open_sessions(
        given, settings.limits, application_name=settings.application_name, deadline=deadline
    ) as sessions:
        session = sessions.session
        try:
            server = identify(session)
            _refuse_standby(server.in_recovery, server.place)
            read = _positions(sessions, server)
        except Exception as error:
            if sqlstate(error) is None:
                raise
            reason, remedy = ended("read", error, settings.limits)
            raise SeqfixError(
                f"it could not be read: {reason} ({sqlstate(error)})", option="source", remedy=remedy
            ) from error
        return Source(
            host=server.host,
            port=server.port,
            database=server.database,
            server_started_at=server.server_started_at,
            read_at=session.started_at,
            is_stored=False,
            sequences={(m.sequence.schema_name, m.sequence.sequence_name): _measured(m) for m in read},
            schemas=schemas,
        )


def _positions(sessions: Sessions, server: Server) -> list[Measurement]:
    """Read where every sequence stands, and again what DDL has changed meanwhile: its name may be another's by now."""
    read: dict[int, Measurement] = {}
    known = _sequences(sessions)
    for _ in range(READS):
        unread = [sequence for sequence in known if not _is_settled(sequence, read)]
        if not unread:
            break
        read |= {m.sequence.oid: m for chunk in positions(sessions, server, unread) for m in chunk}
        known = _sequences(sessions)
    return [
        read[sequence.oid] if _is_settled(sequence, read) else Measurement(sequence=sequence, obstacle=restless())
        for sequence in known
    ]


def _sequences(sessions: Sessions) -> list[SequenceInfo]:
    with sessions.session.transaction():
        return sessions.session.fetch(queries.get("sequences"), SequenceInfo, SEQUENCE)


def _is_settled(sequence: SequenceInfo, read: Mapping[int, Measurement]) -> bool:
    """Whether it was read, and is as it was then; its version tells."""
    return sequence.oid in read and read[sequence.oid].sequence == sequence


def _measured(measurement: Measurement) -> SourceSequence:
    sequence = measurement.sequence
    return SourceSequence(
        qualified_name=sequence.qualified_name,
        increment_by=sequence.increment_by,
        min_value=sequence.min_value,
        max_value=sequence.max_value,
        cycle=sequence.cycle,
        next_value=measurement.next_value,
        obstacle=measurement.obstacle,
    )


def _from_report(report: Mapping[str, Any], schemas: Mapping[str, str]) -> Source:
    """Read a report that was stored: untrusted, as a plan is."""
    if "fleet_version" in report:
        raise _refused("this is a report over many databases, and a source is one")
    if type(report.get("report_version")) is not int or not isinstance(report.get("sequences"), list):
        raise _refused("this is not a report")
    if report["report_version"] != REPORT_VERSION:
        raise _refused(f"the report is of version {report['report_version']!r}, not {REPORT_VERSION}")
    if report.get("truncated"):
        raise _refused("the report was cut short and does not hold all sequences")
    if report.get("all_sequences") is not True:
        raise _refused("the report is of a selection and does not hold all sequences")
    _expect(report, _OF_REPORT, "the report")
    place = f"{report['database']} on {report['host']}:{report['port']}"
    _refuse_standby(report.get("in_recovery") is not False, place)
    sequences: dict[Key, SourceSequence] = {}
    for number, row in enumerate(report["sequences"], start=1):
        if not isinstance(row, Mapping):
            raise _refused(f"sequence {number} of the report is not an object")
        _expect(row, _OF_SEQUENCE, f"sequence {number} of the report")
        if not _is_position(row):
            raise _refused(f"sequence {number} of the report has next_value={row.get('next_value')!r}")
        key = _key(row["sequence"])
        if key in sequences:
            raise _refused(f"the report has {row['sequence']} twice")
        sequences[key] = _stored(row)
    try:
        read_at = datetime.datetime.fromisoformat(report["started_at"])
    except ValueError:
        raise _refused(f"the report has started_at={report['started_at']!r}") from None
    return Source(
        **{name: report[name] for name in ("host", "port", "database", "server_started_at")},
        read_at=read_at,
        is_stored=True,
        sequences=sequences,
        schemas=schemas,
    )


def _is_position(row: Mapping[str, Any]) -> bool:
    """Whether a sequence of that definition can stand there: on its values, or one step past its end."""
    value, step = row.get("next_value"), row["increment_by"]
    if value is None:
        return True
    is_bounded = row["min_value"] - abs(step) <= value <= row["max_value"] + abs(step) if type(value) is int else False
    return is_bounded and step != 0 and max(map(abs, (row["min_value"], row["max_value"], step))) <= LARGEST


def _stored(row: Mapping[str, Any]) -> SourceSequence:
    obstacle = None
    if row.get("next_value") is None:
        said = f"{row.get('verdict')}: {row['reason']}" if row.get("reason") else row.get("verdict")
        obstacle = Obstacle(
            reason=f"the report does not say where {row['sequence']} stands; it was {said}",
            remedy="make the report with all_positions=True, as a role that may read it",
        )
    return SourceSequence(
        qualified_name=row["sequence"],
        **{name: row[name] for name in COMPARED},
        cycle=row["cycle"],
        next_value=row.get("next_value"),
        obstacle=obstacle,
    )


def _expect(found: Mapping[str, Any], kinds: Mapping[str, type], what: str) -> None:
    for name, kind in kinds.items():
        if type(found.get(name)) is not kind:
            raise _refused(f"{what} has {name}={found.get(name)!r}, and {kind.__name__} is expected")


def _refused(message: str) -> ArgumentError:
    return ArgumentError(
        message, option="source", remedy="make a new one: seqfix check --all-positions --format json, on the source"
    )


def _refuse_standby(is_standby: bool, place: str) -> None:
    if is_standby:
        raise ArgumentError(
            f"{place} is a standby, which may lag behind what its primary has handed out",
            option="source",
            remedy="give the primary",
        )


def _key(text: str) -> Key:
    try:
        name = Name.parse(text, "sequences")
    except ArgumentError:
        name = None
    if name is None or name.is_pattern or len(name.parts) != 2:
        raise _refused(f"the report has a sequence {text!r}, which is not a name with its schema")
    schema, sequence = name.plain
    return schema, sequence


def _schema(text: object) -> str:
    if not isinstance(text, str):
        raise ArgumentTypeError(f"{text!r} is not a schema", option="source_schemas", remedy="give names")
    name = Name.parse(text, "schemas")
    if name.is_pattern:
        raise ArgumentError(f"{text!r} is a pattern", option="source_schemas", remedy="name one schema")
    return name.plain[0]


def _no_schema(schema: str, where: str, known: Iterable[str]) -> SelectionError:
    return SelectionError(
        f"there is no schema {schema} with sequences in {where}",
        option="source_schemas",
        missing=schema,
        candidates=did_you_mean(Name.parse((schema,), "schemas"), sorted(known)),
    )
