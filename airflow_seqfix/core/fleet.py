"""The reports of many databases as one."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from airflow_seqfix.core.model import acting, address

#: The version of the dictionary that `Fleet.to_dict()` returns, as `REPORT_VERSION` is of a report's.
FLEET_VERSION = 1

#: How a database stands, the worst first.
STATES = ("error", "failing", "empty", "ok")


@dataclass(frozen=True, slots=True, kw_only=True)
class DatabaseResult:
    """What came of one database."""

    #: Its name, as it was asked for.
    database: str
    #: What `Report.to_dict()` returned; None: it did not come to a report.
    report: Mapping[str, Any] | None = None
    #: Why it was not checked, or not to the end.
    error: str | None = None

    @property
    def state(self) -> str:
        """One of `STATES`."""
        if self.error is not None or self.report is None:
            return "error"
        if not self.report["ok"]:
            return "failing"
        return "ok" if self.count("checked") else "empty"

    @property
    def where(self) -> str:
        """The database, with its server where that is known."""
        return self.database if self.report is None else f"{self.database} on {self.server}"

    @property
    def server(self) -> str | None:
        """Host and port, primary or standby, and the role; None where that is not known."""
        report = self.report
        if report is None:
            return None
        kind = "standby" if report["in_recovery"] else "primary"
        return f"{address(report['host'], report['port'])} ({kind}, as {acting(report['role'], report['login'])})"

    @property
    def moves(self) -> dict[str, Mapping[str, Any]]:
        """The moves that can be made, by their sequences, where the report is a plan."""
        moves = () if self.report is None else self.report.get("moves", ())
        return {move["sequence"]: move for move in moves if move["way"] is not None}

    def count(self, name: str) -> int:
        """Return a figure of the report's summary."""
        return 0 if self.report is None else int(self.report["summary"][name])

    @property
    def failing(self) -> list[Mapping[str, Any]]:
        """The sequences that fail, the worst first."""
        return [] if self.report is None else [row for row in self.report["sequences"] if row["fails"]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Fleet:
    """What came of many databases."""

    databases: tuple[DatabaseResult, ...]

    @classmethod
    def of(cls, results: Iterable[DatabaseResult]) -> Fleet:
        """Put results together, the worst first, and by their names."""
        return cls(databases=tuple(sorted(results, key=lambda one: (STATES.index(one.state), one.database))))

    @property
    def ok(self) -> bool:
        """Whether each was reached and is in order, and something was checked."""
        states = {one.state for one in self.databases}
        return "ok" in states and states <= {"ok", "empty"}

    @property
    def servers(self) -> list[str]:
        """Where all of them are, as `DatabaseResult.server` says it."""
        return sorted({one.server for one in self.databases if one.server is not None})

    def with_state(self, state: str) -> list[DatabaseResult]:
        return [one for one in self.databases if one.state == state]

    def count(self, name: str) -> int:
        """Return the sum of a figure of all summaries."""
        return sum(one.count(name) for one in self.databases)

    @property
    def summary(self) -> dict[str, int]:
        """How many databases there are of each state, and the sums of the reports' summaries."""
        figures = {name: None for one in self.databases if one.report for name in one.report["summary"]}
        return {
            "databases": len(self.databases),
            **{state: len(self.with_state(state)) for state in STATES},
            **{name: self.count(name) for name in figures},
        }

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON types."""
        return {
            "fleet_version": FLEET_VERSION,
            "ok": self.ok,
            "summary": self.summary,
            "databases": [
                {"database": one.database, "state": one.state, "error": one.error, "report": one.report}
                for one in self.databases
            ],
        }
