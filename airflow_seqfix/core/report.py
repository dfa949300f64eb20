"""What was found and done, as data: `Report` and `Plan`."""

from __future__ import annotations

import datetime
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from typing import Any

from airflow_seqfix.core import queries
from airflow_seqfix.core.catalog import Server
from airflow_seqfix.core.errors import Obstacle, printable
from airflow_seqfix.core.judge import Finding, Verdict
from airflow_seqfix.core.partitions import is_wide
from airflow_seqfix.core.policy import Policy
from airflow_seqfix.core.repair import Outcome, statement
from airflow_seqfix.core.session import Limits, milliseconds
from airflow_seqfix.core.stored import PLAN_VERSION, StoredMove
from airflow_seqfix.core.values import furthest_query
from airflow_seqfix.core.ways import SetVal, Way

#: The version of the dictionary that `to_dict()` returns. Keys are added under the same number; a key that goes or
#: changes its meaning raises it.
REPORT_VERSION = 1

#: How a move of a plan begins: inside a larger transaction, to whose end its lock would stay, COMMIT is an error.
_ALONE = """
    -- Refused inside another transaction. What others commit meanwhile has to be seen.
    COMMIT;
    SET TRANSACTION ISOLATION LEVEL READ COMMITTED;"""

#: Worst first.
ORDER = (Verdict.BEHIND, Verdict.EXHAUSTED, Verdict.UNKNOWN, Verdict.IN_SYNC, Verdict.SKIPPED)


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One sequence of a report: how it stands now, and what was done about it."""

    finding: Finding
    outcome: Outcome | None = None

    @property
    def verdict(self) -> Verdict:
        return self.finding.verdict

    @property
    def is_fixed(self) -> bool:
        """Whether it was behind, was moved, and was found in sync afterwards."""
        return self.outcome is not None and self.outcome.verified and self.outcome.way is not None

    def fails(self, policy: Policy) -> bool:
        """Whether a gate stays shut."""
        return self.finding.fails(policy) or (self.outcome is not None and self.outcome.error is not None)

    @property
    def caches_discarded(self) -> bool | None:
        """Whether other sessions have lost the values that they had cached; None where nothing was moved or cached."""
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
    def cure(self) -> str | None:
        """What helps: with what stood in the way of a repair, with the verdict, or with what the repair left behind."""
        if self.outcome is not None and self.outcome.error is not None:
            return self.outcome.error.cure
        if self.finding.cure is None and self.caches_discarded is False:
            return 'reconnect the sessions that have cached values, or repair with lock="sequence" as its owner'
        return self.finding.cure

    def to_dict(self) -> dict[str, Any]:
        finding, measurement = self.finding, self.finding.measurement
        furthest = measurement.furthest_column
        row: dict[str, Any] = {
            "sequence": finding.sequence.qualified_name,
            "columns": [c.qualified_name for c in finding.sequence.columns if not c.is_covered],
            "verdict": str(finding.verdict),
            "reason": finding.reason if self.caches_discarded is not False else self.reason,
            "cure": self.cure,
            "warnings": [str(caution) for caution in finding.warnings],
            "next_value": measurement.next_value,
            "furthest_value": measurement.furthest_value,
            "furthest_column": furthest.qualified_name if furthest else None,
            "gap": finding.gap,
            "inserts_until_collision": finding.inserts_until_collision,
            "inserts_until_collision_is_at_least": finding.is_at_least,
            "used_pct": finding.used_pct,
            "remaining": finding.remaining,
        }
        if self.outcome is not None:
            error = self.outcome.error
            setval = self.outcome.before.setval
            row |= {
                "way": str(self.outcome.way) if self.outcome.way else None,
                "why": setval.why if setval else None,
                "before": _state(self.outcome.before),
                "after": _state(self.outcome.after),
                "verified": self.outcome.verified,
                "caches_discarded": self.caches_discarded,
                "proven": self.outcome.way is not Way.GUARDED,
                "error": {"sqlstate": error.sqlstate, "reason": error.reason, "cure": error.cure} if error else None,
            }
        return row


def _state(finding: Finding) -> dict[str, Any]:
    return {
        "last_value": finding.measurement.last_value,
        "is_called": finding.measurement.is_called,
        "next_value": finding.measurement.next_value,
        "gap": finding.gap,
    }


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """Everything that a run found and did."""

    server: Server
    policy: Policy
    started_at: datetime.datetime
    rows: tuple[Row, ...]

    @property
    def failing(self) -> tuple[Row, ...]:
        """The rows that keep a gate shut, worst first."""
        return tuple(row for row in self.sorted_rows if row.fails(self.policy))

    @property
    def sorted_rows(self) -> tuple[Row, ...]:
        """All rows, worst verdict first, and within a verdict the largest gap."""
        return tuple(sorted(self.rows, key=lambda row: (ORDER.index(row.verdict), -(row.finding.gap or 0))))

    @property
    def summary(self) -> dict[str, int]:
        """Counts: by verdict, and of what was fixed, verified and failed."""
        return {
            "checked": sum(row.verdict is not Verdict.SKIPPED for row in self.rows),
            **{str(verdict): sum(row.verdict is verdict for row in self.rows) for verdict in Verdict},
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
            "database": self.server.database,
            "role": self.server.role,
            "in_recovery": self.server.in_recovery,
            "started_at": self.started_at.isoformat(timespec="seconds"),
            "summary": self.summary,
            "sequences": [row.to_dict() for row in (self.sorted_rows if rows is None else rows)],
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """The moves that a repair would make now."""

    report: Report
    #: The options that decide what is behind, and by how much: they have to be the same when the plan is applied.
    options: dict[str, Any]
    #: How long its SQL waits for a lock, and reads.
    limits: Limits = field(default_factory=Limits)

    def to_dict(self) -> dict[str, Any]:
        """Return the report and the moves, in plain JSON types that `fix(plan=…)` takes."""
        return self.report.to_dict() | {
            "plan_version": PLAN_VERSION,
            "options": self.options,
            "moves": [
                asdict(StoredMove.of(setval)) | {"way": str(setval.way) if setval.way else None, "why": setval.why}
                for setval in self.setvals
            ],
        }

    @property
    def setvals(self) -> tuple[SetVal, ...]:
        """The moves, worst first."""
        return tuple(row.finding.setval for row in self.report.sorted_rows if row.finding.setval is not None)

    def to_sql(self) -> str:
        """Return a psql script that makes the moves; safe to run twice, and late."""
        server, database = self.report.server, _comment(self.report.server.database)
        rows = [row for row in self.report.sorted_rows if row.finding.setval or row.fails(self.report.policy)]
        movable = sum(setval.obstacle is None for setval in self.setvals)
        when = self.report.started_at.isoformat(timespec="seconds")
        lines = [
            f"-- Moves {movable} of the {len(rows)} sequences of database {database} that are not in sync",
            f"-- PostgreSQL {server.version}, read {when} as role {_comment(server.role)}",
            "-- Each move is a transaction of its own, can be run alone, twice, or late, and leaves no setting behind.",
            '-- With psql -1, with AUTOCOMMIT off, or all sent at once: "invalid transaction termination".',
        ]
        for row in rows:
            setval = row.finding.setval
            lines += ["", f"-- {_comment(row.finding.sequence.qualified_name)}: {_comment(row.finding.reason or '')}"]
            if setval is None or setval.obstacle is not None:
                why = setval.obstacle.reason if setval and setval.obstacle else str(row.verdict)
                lines += [f"-- not moved: {'; '.join(_comment(text) for text in (why, row.finding.cure) if text)}"]
            else:
                name = "advance_to" if setval.way is Way.ADVANCE else str(setval.way)
                move = statement(name, setval, self.limits, begin=_ALONE, database=server.database_literal)
                lines += [f"-- {_comment(setval.why)}", f"{move};", f"{self._reread(setval)};"]
        return "\n".join(lines)

    def _reread(self, setval: SetVal) -> str:
        """Return a query that says how the sequence stands after the move."""
        sequence = setval.sequence
        furthest = f"{setval.target}::numeric"
        # Values that do not count, or more partitions than one statement may open: then the target has to do.
        if not (is_wide(sequence) or self.report.policy.interleaved):
            values = ", ".join(
                furthest_query(sequence, column, column.qualified_table) for column in sequence.comparable
            )
            furthest = f"{'greatest' if sequence.is_ascending else 'least'}({values})"
        return queries.get("reread").format(
            name=sequence.name_literal,
            qualified_name=sequence.qualified_name,
            increment_by=sequence.increment_by,
            furthest_value=furthest,
            lock_timeout=milliseconds(self.limits.lock_timeout),
            statement_timeout=milliseconds(self.limits.statement_timeout),
        )


def _comment(text: str) -> str:
    # A line break in a name would end the comment and start a statement.
    return printable(text)
