"""What a run has found and done, as data: `Report` and `Plan`."""

from __future__ import annotations

import datetime
import math
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, field
from typing import Any

from airflow_seqfix.core.errors import DriftError, FailingError, LockTimeoutError, PrivilegeError
from airflow_seqfix.core.message import message
from airflow_seqfix.core.model import (
    Move,
    SequenceWarning,
    Server,
    Source,
    Verdict,
)
from airflow_seqfix.core.policy import Limits, Policy
from airflow_seqfix.core.repair.plan import PLAN_VERSION, StoredMove
from airflow_seqfix.core.row import Row

#: The version of the dictionary that `to_dict()` returns. Keys are added under the same number; a key that goes or
#: changes its meaning raises it.
REPORT_VERSION = 1

#: Worst first.
ORDER = (Verdict.BEHIND, Verdict.EXHAUSTED, Verdict.UNKNOWN, Verdict.IN_SYNC, Verdict.SKIPPED)

#: What a report says of itself in one line.
_COUNTED = (*map(str, ORDER), "fixed")

#: SQLSTATEs: a lock that could not be had, a privilege that is missing.
LOCK_NOT_AVAILABLE, INSUFFICIENT_PRIVILEGE = "55P03", "42501"


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Report:
    """All findings and outcomes of a run. Iterating gives its rows, worst first."""

    server: Server
    policy: Policy
    started_at: datetime.datetime
    rows: tuple[Row, ...]
    #: Whether it has a row for each sequence of the database: nothing was selected.
    is_whole: bool = False
    #: The other side of a cutover; None: there is none.
    source: Source | None = None
    #: The sequences that only the source has.
    only_at_source: tuple[str, ...] = ()
    #: Whether the synchronous standbys have confirmed the moves; None where nobody had to ask them.
    standbys_confirmed: bool | None = None

    def __iter__(self) -> Iterator[Row]:
        return iter(self.sorted_rows)

    def __len__(self) -> int:
        return len(self.rows)

    def __bool__(self) -> bool:
        """Refuse: truth could mean that the report lists something, or that all is well."""
        raise TypeError("a report is neither true nor false: ask report.ok, or len(report)")

    def __repr__(self) -> str:
        summary = self.summary
        found = [f"{summary[name]} {name}" for name in _COUNTED if summary[name]]
        counts = ", ".join(found).replace("_", " ") or "no sequences"
        return f"<Report of {self.server.place}: {'ok' if self.ok else 'failing'}, {counts}>"

    @property
    def ok(self) -> bool:
        """Whether no row fails: everything is in sync or skipped, and no repair was refused or failed."""
        return not any(row.fails(self.policy) for row in self.rows)

    def raise_for_failing(self) -> None:
        """Raise if rows fail.

        :raises LockTimeoutError: when a lock was not available in time: a retry may help.
        :raises PrivilegeError: when a privilege is missing for every row that fails.
        :raises DriftError: when it is something else. All three are a `FailingError`, with this report as `report`.
        """
        if not self.ok:
            raise self.failure

    @property
    def failure(self) -> FailingError:
        """The exception that `raise_for_failing()` raises."""
        obstacles = [row.obstacle for row in self.failing]
        states = {obstacle.sqlstate if obstacle else None for obstacle in obstacles}
        if LOCK_NOT_AVAILABLE in states:
            return LockTimeoutError(self.message, self)
        if states == {INSUFFICIENT_PRIVILEGE}:
            return PrivilegeError(self.message, self)
        return DriftError(self.message, self)

    @property
    def failing_state(self) -> str:
        """What is wrong with the rows that fail, as the end of a sentence."""
        failing = self.failing
        if all(row.verdict is Verdict.UNKNOWN for row in failing):
            return "could not be read"
        return "is not in sync" if len(failing) == 1 else "are not in sync"

    @property
    def message(self) -> str:
        """Which rows fail, why, and what helps: for exceptions, callbacks and chat."""
        return message(self.headline, self.failing)

    @property
    def headline(self) -> str:
        """How many rows fail."""
        noun = "sequence" if len(self.rows) == 1 else "sequences"
        where = f"database {self.server.where}"
        return f"{len(self.failing)} of {len(self.rows)} {noun} in {where} {self.failing_state}"

    @property
    def failing(self) -> tuple[Row, ...]:
        """The rows that keep a gate shut, worst first."""
        return tuple(row for row in self.sorted_rows if row.fails(self.policy))

    @property
    def sorted_rows(self) -> tuple[Row, ...]:
        """All rows, worst verdict first; within a verdict the one that collides first, then the largest gap."""

        def inserts(row: Row) -> float:
            left = row.finding.inserts_until_collision
            return math.inf if left is None else left

        # By one key after the other: a tuple of them for each row would be a tenth of a report's memory.
        rows = sorted(self.rows, key=lambda row: -(row.finding.gap or 0))
        rows.sort(key=inserts)
        rows.sort(key=lambda row: ORDER.index(row.verdict))
        return tuple(rows)

    @property
    def summary(self) -> dict[str, int]:
        """Counts: by verdict, and of what was fixed, verified and failed."""
        return {
            "checked": sum(row.verdict is not Verdict.SKIPPED for row in self.rows),
            **{str(verdict): sum(row.verdict is verdict for row in self.rows) for verdict in Verdict},
            "undrawn": sum(SequenceWarning.UNDRAWN in row.finding.warnings for row in self.rows),
            "fixed": sum(row.is_fixed for row in self.rows),
            "verified": sum(row.outcome is not None and row.outcome.verified for row in self.rows),
            "failed": sum(row.outcome is not None and row.outcome.error is not None for row in self.rows),
        }

    def to_dict(self, rows: Iterable[Row] | None = None) -> dict[str, Any]:
        """Return plain JSON types.

        :param rows: The rows to list; None: all, worst first. The summary always counts all.
        """
        return _read(self.members(rows))

    def members(self, rows: Iterable[Row] | None = None) -> dict[str, Any]:
        """Return what `to_dict()` does, with an iterator in place of each list that is as long as the report."""
        return {
            "report_version": REPORT_VERSION,
            "server": self.server.version,
            "host": self.server.host,
            "port": self.server.port,
            "server_started_at": self.server.server_started_at,
            "database": self.server.database,
            "role": self.server.role,
            "login": self.server.login,
            "privileged": self.server.privileged,
            "in_recovery": self.server.in_recovery,
            "started_at": self.started_at.isoformat(timespec="seconds"),
            "source": self._source,
            "standbys_confirmed": self.standbys_confirmed,
            "ok": self.ok,
            "all_sequences": self.is_whole,
            "summary": self.summary,
            "sequences": (
                row.to_dict() | {"fails": row.fails(self.policy)}
                for row in (self.sorted_rows if rows is None else rows)
            ),
        }

    @property
    def _source(self) -> dict[str, Any] | None:
        if self.source is None:
            return None
        return {
            "host": self.source.host,
            "port": self.source.port,
            "database": self.source.database,
            "read_at": self.source.read_at.isoformat(timespec="seconds"),
            "is_stored": self.source.is_stored,
            "only_there": list(self.only_at_source),
        }


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Plan:
    """The moves that a repair would make now. Iterating gives them, worst first."""

    report: Report
    #: The options that decide what is behind, and by how much: they have to be the same when the plan is applied.
    options: dict[str, Any]
    #: How long its SQL waits for a lock, and reads.
    limits: Limits = field(default_factory=Limits)

    def __iter__(self) -> Iterator[Move]:
        return iter(self.moves)

    def __len__(self) -> int:
        return len(self.moves)

    def __bool__(self) -> bool:
        """Refuse: a plan without moves is one where nothing can be moved, or nothing has to be."""
        raise TypeError("a plan is neither true nor false: ask len(plan), or plan.report.ok")

    def __repr__(self) -> str:
        return f"<Plan of {len(self)} {'move' if len(self) == 1 else 'moves'}, made from {self.report!r}>"

    def to_dict(self) -> dict[str, Any]:
        """Return the report and the moves, in plain JSON types that `fix(plan=…)` takes."""
        return _read(self.members())

    def members(self) -> dict[str, Any]:
        """Return what `to_dict()` does, with an iterator in place of each list that is as long as the report."""
        return self.report.members() | {
            "plan_version": PLAN_VERSION,
            "options": self.options,
            "moves": (
                asdict(StoredMove.of(row.finding.move))
                | {
                    "way": str(row.finding.move.way) if row.finding.move.way else None,
                    "why": row.finding.move.why,
                    "source_next_value": row.to_dict()["source_next_value"],
                }
                for row in self.report.sorted_rows
                if row.finding.move is not None
            ),
        }

    @property
    def moves(self) -> tuple[Move, ...]:
        """The moves, worst first."""
        return tuple(row.finding.move for row in self.report.sorted_rows if row.finding.move is not None)

    def to_sql(self) -> str:
        """Return a psql script that makes the moves; safe to run twice, and late."""
        return "\n".join(self.sql_lines())

    def sql_lines(self) -> Iterator[str]:
        """Yield the same, line by line."""
        from airflow_seqfix.core.repair.plan_sql import plan_sql

        report = self.report
        findings = [row.finding for row in report.sorted_rows]
        return plan_sql(report.server, findings, report.policy, self.limits, report.started_at, source=report.source)


def _read(members: dict[str, Any]) -> dict[str, Any]:
    return {name: list(value) if isinstance(value, Iterator) else value for name, value in members.items()}
