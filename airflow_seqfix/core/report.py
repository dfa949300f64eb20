"""Findings and outcomes as data: `Report` and `Plan`."""

from __future__ import annotations

import datetime
import math
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, field
from typing import Any

from airflow_seqfix.core.errors import DriftError, FailingError, LockTimeoutError, PrivilegeError, printable
from airflow_seqfix.core.message import message
from airflow_seqfix.core.model import (
    Finding,
    Move,
    Obstacle,
    Outcome,
    Outliers,
    SequenceWarning,
    Server,
    Source,
    Verdict,
    Way,
)
from airflow_seqfix.core.policy import Limits, Policy
from airflow_seqfix.core.repair.plan import PLAN_VERSION, StoredMove
from airflow_seqfix.core.repair.plan_sql import plan_sql

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
class Row:
    """One sequence of a report: its state now, and what was done."""

    finding: Finding
    outcome: Outcome | None = None

    def __repr__(self) -> str:
        gap = f" by {self.gap}" if self.gap else ""
        state = "fixed" if self.is_fixed else f"{_phrase(self.verdict)}{gap}"
        return f"<Row {printable(self.sequence)}: {state}>"

    @property
    def sequence(self) -> str:
        """The sequence's name, with its schema, quoted where PostgreSQL would quote."""
        return self.finding.sequence.qualified_name

    @property
    def title(self) -> str:
        """Its name, the column that decides, and the verdict."""
        column = self.finding.measurement.furthest_column
        name = self.sequence + (f" ({column.qualified_name})" if column else "")
        return f"{name}: {_phrase(self.verdict)}"

    @property
    def verdict(self) -> Verdict:
        """How the sequence stands now."""
        return self.finding.verdict

    @property
    def gap(self) -> int | None:
        """How many values the sequence is behind; None: not known."""
        return self.finding.gap

    @property
    def next_value(self) -> int | None:
        """What `nextval()` would return; None: could not be read."""
        return self.finding.measurement.next_value

    @property
    def furthest_value(self) -> int | None:
        """The furthest value in the columns that it feeds; None where there are no rows, or they could not be read."""
        return self.finding.measurement.furthest_value

    @property
    def is_fixed(self) -> bool:
        """Whether it was behind, was moved, and was found in sync afterwards."""
        return self.outcome is not None and self.outcome.verified and self.outcome.way is not None

    def fails(self, policy: Policy) -> bool:
        """Whether a gate stays shut."""
        return self.finding.fails(policy) or (self.outcome is not None and self.outcome.error is not None)

    @property
    def caches_discarded(self) -> bool | None:
        """Whether the cached values of other sessions were discarded; None if nothing was moved or cached."""
        if self.outcome is None or self.outcome.way is None or self.finding.sequence.cache_size == 1:
            return None
        return self.outcome.way is Way.LOCKED and self.outcome.error is None

    @property
    def obstacle(self) -> Obstacle | None:
        """What stood in the way of a repair, or of reading."""
        error = self.outcome.error if self.outcome is not None else None
        return error or self.finding.measurement.obstacle

    @property
    def reason(self) -> str | None:
        """What stood in the way of a repair, or the reason of the verdict, or what the repair left behind."""
        if self.outcome is not None and self.outcome.error is not None:
            return self.outcome.error.reason
        if self.finding.reason is None and self.caches_discarded is False:
            return "it was moved, and open sessions may still hand out values that they have cached"
        return self.finding.reason

    @property
    def remedy(self) -> str | None:
        """What helps: with what stood in the way of a repair, with the verdict, or with what the repair left behind."""
        if self.outcome is not None and self.outcome.error is not None:
            return self.outcome.error.remedy
        if self.finding.remedy is None and self.caches_discarded is False:
            return 'reconnect the sessions that have cached values, or repair with lock="sequence" as its owner'
        return self.finding.remedy

    def to_dict(self) -> dict[str, Any]:
        finding, measurement = self.finding, self.finding.measurement
        furthest = measurement.furthest_column
        row: dict[str, Any] = {
            "sequence": finding.sequence.qualified_name,
            "oid": finding.sequence.oid,
            "columns": [c.qualified_name for c in finding.sequence.counted if not c.is_covered],
            "verdict": str(finding.verdict),
            "reason": finding.reason if self.caches_discarded is not False else self.reason,
            "cure": self.remedy,
            "warnings": [str(warning) for warning in finding.warnings],
            "untrusted": [
                {
                    "column": column.qualified_name,
                    "reason": finding.sequence.why_untrusted(column),
                    "cure": finding.sequence.usage_grant(column),
                }
                for column in finding.sequence.untrusted
            ],
            "increment_by": finding.sequence.increment_by,
            "min_value": finding.sequence.min_value,
            "max_value": finding.sequence.max_value,
            "cycle": finding.sequence.cycle,
            "next_value": measurement.next_value,
            "source_next_value": measurement.source.next_value if measurement.source else None,
            "source_differs": measurement.source.differs if measurement.source else None,
            "furthest_value": measurement.furthest_value,
            "furthest_column": furthest.qualified_name if furthest else None,
            "gap": finding.gap,
            "inserts_until_collision": finding.inserts_until_collision,
            "inserts_until_collision_is_at_least": finding.is_at_least,
            "margin": finding.margin,
            "needed_value": finding.needed_value,
            "outliers": _apart(finding.outliers),
            "used_pct": finding.used_pct,
            "remaining": finding.remaining,
            "used_per_day": _rounded(finding.use.used_per_day),
            "days_left": _rounded(finding.use.days_left),
        }
        if self.outcome is not None:
            error = self.outcome.error
            move = self.outcome.before.move
            row |= {
                "way": str(self.outcome.way) if self.outcome.way else None,
                "why": move.why if move else None,
                "before": _state(self.outcome.before),
                "after": _state(self.outcome.after),
                "verified": self.outcome.verified,
                "caches_discarded": self.caches_discarded,
                "proven": self.outcome.way is not Way.GUARDED,
                "error": {"sqlstate": error.sqlstate, "reason": error.reason, "cure": error.remedy} if error else None,
            }
        return row


def _phrase(verdict: Verdict) -> str:
    return str(verdict).replace("_", " ")


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 1)


def _apart(outliers: Outliers | None) -> dict[str, int] | None:
    if outliers is None:
        return None
    return {"count": outliers.count, "lowest": outliers.lowest, "highest": outliers.highest}


def _state(finding: Finding) -> dict[str, Any]:
    return {
        "last_value": finding.measurement.last_value,
        "is_called": finding.measurement.is_called,
        "next_value": finding.measurement.next_value,
        "gap": finding.gap,
    }


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
        """The exception that its worst rows ask for."""
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

        def urgency(row: Row) -> tuple[int, float, int]:
            inserts = row.finding.inserts_until_collision
            return ORDER.index(row.verdict), math.inf if inserts is None else inserts, -(row.finding.gap or 0)

        return tuple(sorted(self.rows, key=urgency))

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
        return {
            "report_version": REPORT_VERSION,
            "server": self.server.version,
            "host": self.server.host,
            "port": self.server.port,
            "server_started_at": self.server.server_started_at,
            "database": self.server.database,
            "role": self.server.role,
            "privileged": self.server.privileged,
            "in_recovery": self.server.in_recovery,
            "started_at": self.started_at.isoformat(timespec="seconds"),
            "source": self._source,
            "standbys_confirmed": self.standbys_confirmed,
            "ok": self.ok,
            "all_sequences": self.is_whole,
            "summary": self.summary,
            "sequences": [
                row.to_dict() | {"fails": row.fails(self.policy)}
                for row in (self.sorted_rows if rows is None else rows)
            ],
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
        return self.report.to_dict() | {
            "plan_version": PLAN_VERSION,
            "options": self.options,
            "moves": [
                asdict(StoredMove.of(row.finding.move))
                | {
                    "way": str(row.finding.move.way) if row.finding.move.way else None,
                    "why": row.finding.move.why,
                    "source_next_value": row.to_dict()["source_next_value"],
                }
                for row in self.report.sorted_rows
                if row.finding.move is not None
            ],
        }

    @property
    def moves(self) -> tuple[Move, ...]:
        """The moves, worst first."""
        return tuple(row.finding.move for row in self.report.sorted_rows if row.finding.move is not None)

    def to_sql(self) -> str:
        """Return a psql script that makes the moves; safe to run twice, and late."""
        report = self.report
        findings = [row.finding for row in report.sorted_rows]
        return plan_sql(report.server, findings, report.policy, self.limits, report.started_at, source=report.source)
