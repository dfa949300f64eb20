"""Which sequences exact names can be about: of a large database the rest of the catalogs need not be read."""

from __future__ import annotations

import json
from collections.abc import Iterable

from airflow_seqfix.core import queries
from airflow_seqfix.core.database.session import Session
from airflow_seqfix.core.model.quoted import literal

#: A table or sequence, or all of a schema: the schema's name where it is given, and the relation's.
Place = tuple[str | None, str | None]


def sequences_named(session: Session, places: Iterable[Place], settings: str) -> list[int]:
    """Return the OIDs of the sequences of these names, and of those that feed the tables of these names.

    :param settings: Statements that say what else feeds, as the query for columns takes them.
    """
    session.run(f"SET LOCAL seqfix.names = {literal(json.dumps(sorted(set(places), key=str)))}")
    named = session.rows(queries.get("named"), oid=int, is_sequence=bool)
    tables = [oid for oid, is_sequence in named if not is_sequence]
    oids = {oid for oid, is_sequence in named if is_sequence}
    if tables:
        session.run(f"SET LOCAL seqfix.tables = {literal(json.dumps(tables))}; {settings}")
        # A trigger's and others' are found wherever they are.
        of_tables = f"WHERE found.table_oid = ANY ('{{{json.dumps(tables)[1:-1]}}}')"
        fed = f"SELECT DISTINCT found.sequence_oid FROM ({queries.get('columns')}) AS found {of_tables}"
        oids |= {oid for (oid,) in session.rows(fed, sequence_oid=int)}
    return sorted(oids)


def sequences_beside(session: Session, tables: Iterable[int], known: str) -> list[int]:
    """Return the OIDs of other sequences that may feed the same columns.

    They are those of these tables, of what is read through them, of what they are inserted through,
    and of views of them.

    :param known: The OIDs of those that are not meant, as JSON.
    """
    session.run(f"SET LOCAL seqfix.tables = {literal(json.dumps(sorted(set(tables))))}")
    beside = session.rows(queries.get("beside"), oid=int)
    return sorted({oid for (oid,) in beside} - set(json.loads(known)))
