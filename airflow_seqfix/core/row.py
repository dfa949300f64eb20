"""One line of a report: how a sequence stands, and what was done."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from airflow_seqfix.core.errors import printable
from airflow_seqfix.core.judge import remedies
from airflow_seqfix.core.model import Finding, Obstacle, Outcome, Outliers, Verdict, Way
from airflow_seqfix.core.policy import Policy


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
        return self.finding.measurement.furthest_stored

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
        found = remedies.of(self.finding)
        if found is None and self.caches_discarded is False:
            return 'reconnect the sessions that have cached values, or repair with lock="sequence" as its owner'
        return found

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
            "furthest_value": measurement.furthest_stored,
            "furthest_column": furthest.qualified_name if furthest else None,
            "gap": finding.gap,
            "inserts_until_collision": finding.inserts_until_collision,
            "inserts_until_collision_is_at_least": finding.is_at_least,
            "margin": finding.margin,
            "needed_value": finding.needed_value,
            "outliers": _apart(finding.outliers),
            "used_pct": finding.used_pct,
            "remaining": finding.remaining,
            "used_per_day": rounded(finding.use.used_per_day),
            "days_left": rounded(finding.use.days_left),
        }
        return row if self.outcome is None else row | self._repair(self.outcome)

    def _repair(self, outcome: Outcome) -> dict[str, Any]:
        error, move = outcome.error, outcome.before.move
        return {
            "way": str(outcome.way) if outcome.way else None,
            "why": move.why if move else None,
            "before": _state(outcome.before),
            "after": _state(outcome.after),
            "verified": outcome.verified,
            "caches_discarded": self.caches_discarded,
            "proven": outcome.way is not Way.GUARDED,
            "error": {"sqlstate": error.sqlstate, "reason": error.reason, "cure": error.remedy} if error else None,
        }


def _phrase(verdict: Verdict) -> str:
    return str(verdict).replace("_", " ")


def rounded(value: float | None) -> float | None:
    """Return a figure of the use over time, as exactly as it is known."""
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
