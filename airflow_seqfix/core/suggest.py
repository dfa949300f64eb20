"""Who may draw from the sequences that nothing is known to draw from, and how they would stand if it were so."""

from __future__ import annotations

import datetime
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, get_type_hints

from airflow_seqfix.core import queries
from airflow_seqfix.core.database.sessions import Sessions
from airflow_seqfix.core.discover.catalog import discover, identify, list_tables, tied_by_triggers
from airflow_seqfix.core.discover.mapping import parse_mapping, resolve_mapping
from airflow_seqfix.core.discovery import catalogs_read
from airflow_seqfix.core.model import Finding, Server
from airflow_seqfix.core.run import Examination
from airflow_seqfix.core.settings import Settings

if TYPE_CHECKING:
    from airflow_seqfix.core.discover.hints import Suggestion

SUGGESTIONS_VERSION = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Suggested:
    """A suggestion, and how the sequence stands if it is taken."""

    suggestion: Suggestion
    #: None where there is no candidate.
    finding: Finding | None

    @property
    def sequence(self) -> str:
        return self.suggestion.sequence.qualified_name

    @property
    def mapped(self) -> list[str | dict[str, Any]]:
        """The columns as the option `mapping` takes them."""
        return [candidate.mapped for candidate in self.suggestion.candidates]

    def to_dict(self) -> dict[str, Any]:
        measured = self.finding.measurement if self.finding else None
        return {
            "sequence": self.sequence,
            "candidates": [
                {"column": candidate.column, "evidence": candidate.evidence} for candidate in self.suggestion.candidates
            ],
            "mentions": list(self.suggestion.mentions),
            "verdict": str(self.finding.verdict) if self.finding else None,
            "reason": self.finding.reason if self.finding else None,
            "next_value": measured.next_value if measured else None,
            "furthest_value": measured.furthest_stored if measured else None,
            "gap": self.finding.gap if self.finding else None,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Suggestions:
    """What a person may put into a mapping. Nothing of it is taken unasked."""

    server: Server
    started_at: datetime.datetime
    items: tuple[Suggested, ...]

    @property
    def mapping(self) -> dict[str, list[str | dict[str, Any]]]:
        """The candidates as the option `mapping` takes them."""
        return {item.sequence: item.mapped for item in self.items if item.mapped}

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON types."""
        return {
            "suggestions_version": SUGGESTIONS_VERSION,
            "server": self.server.version,
            "host": self.server.host,
            "port": self.server.port,
            "database": self.server.database,
            "role": self.server.role,
            "login": self.server.login,
            "started_at": self.started_at.isoformat(timespec="seconds"),
            "suggestions": [item.to_dict() for item in self.items],
            "mapping": self.mapping,
        }


def run_suggest(sessions: Sessions, settings: Settings) -> Suggestions:
    """Look for candidates, and read how their sequences stand. Reads only."""
    from airflow_seqfix.core.discover.candidates import Key
    from airflow_seqfix.core.discover.hints import Function, Stored, propose

    session = sessions.session
    with catalogs_read(settings):
        server = identify(session)
        known = discover(session)
        with session.transaction():
            hints = tied_by_triggers(session, known).hints
            keys = session.fetch(queries.get("keys"), Key, get_type_hints(Key))
            functions = session.fetch(queries.get("functions"), Function, get_type_hints(Function))
            stored = session.fetch(queries.get("stored"), Stored, get_type_hints(Stored))
        tables = list_tables(session)
        suggestions = propose(known, keys, hints, functions, stored)
        # A table is selected by what may feed it.
        mapped = discover(session, resolve_mapping(parse_mapping(_mapping(suggestions)), known, tables))
        chosen = {sequence.oid for sequence in settings.selection.apply(mapped, lambda: tables).sequences}
    suggestions = [suggestion for suggestion in suggestions if suggestion.sequence.oid in chosen]
    mapping = _mapping(suggestions)
    findings: dict[int, Finding] = {}
    if mapping:
        taken = replace(settings, mapping=parse_mapping(mapping))
        found = Examination(sessions, taken).check(frozenset(mapping))
        findings = {finding.sequence.oid: finding for finding in found}
    return Suggestions(
        server=server,
        started_at=session.started_at,
        items=tuple(Suggested(suggestion=s, finding=findings.get(s.sequence.oid)) for s in suggestions),
    )


def _mapping(suggestions: Iterable[Suggestion]) -> dict[str, list[str | dict[str, Any]]]:
    return {str(s.sequence.qualified_name): [c.mapped for c in s.candidates] for s in suggestions if s.candidates}
