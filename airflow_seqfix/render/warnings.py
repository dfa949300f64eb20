"""The warnings that a person is told beside the verdicts, each with the sequences and their figures."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from airflow_seqfix.core.measure.chunks import SLOW_ROWS
from airflow_seqfix.core.model import SequenceWarning, Verdict
from airflow_seqfix.core.report import Report
from airflow_seqfix.core.row import Row
from airflow_seqfix.render.phrases import count, lasts

#: How many sequences a warning names.
NAMED = 5

#: The warnings that are told, and what they mean; the report as JSON has all of them.
MEANINGS = {
    SequenceWarning.EXHAUSTING: "most values are used",
    SequenceWarning.OPEN_WRITERS: "transactions were writing whose rows could not be seen yet",
    SequenceWarning.SAME_VALUES: "another sequence hands out the same values into the same unique column",
    SequenceWarning.CACHED: "open sessions may hand out values that they have cached",
    SequenceWarning.NO_INDEX: "no index leads with the column, which is read from end to end",
    SequenceWarning.NOT_COMPARED: "feeds a column whose values cannot be compared",
    SequenceWarning.UNREAD_CHECK: "a CHECK constraint or the partitioning may end a column, and is not read",
    SequenceWarning.UNTRUSTED: "a table draws from it whose owner may not use it, and does not count",
    SequenceWarning.NOT_AT_SOURCE: "the source has no such sequence",
    SequenceWarning.SOURCE_DIFFERS: "the source has it with another increment or other bounds",
    SequenceWarning.STANDBY: "a standby reads sequences ahead of the primary",
}


@dataclass(frozen=True, slots=True)
class Warned:
    """One warning, and the sequences that it is about: each with its figure, or an empty string."""

    warning: SequenceWarning
    sequences: tuple[tuple[str, str], ...]

    @property
    def meaning(self) -> str:
        return MEANINGS[self.warning]

    @property
    def more(self) -> str:
        """How many are not named."""
        left = len(self.sequences) - NAMED
        return f" and {left:,} more" if left > 0 else ""


def warned(report: Report) -> Iterator[Warned]:
    """Yield what to know, the sequences of each in the report's order; the nearest to its end first."""
    for warning in MEANINGS:
        rows = [row for row in report.sorted_rows if warning in row.finding.warnings and _is_shown(row, warning)]
        if warning is SequenceWarning.EXHAUSTING:
            rows.sort(key=lambda row: -(row.finding.used_pct or 0))
        if rows:
            yield Warned(warning, tuple((row.sequence, figure(row, warning)) for row in rows))


def _is_shown(row: Row, warning: SequenceWarning) -> bool:
    if warning is SequenceWarning.NO_INDEX:
        return unindexed_rows(row) > SLOW_ROWS
    return row.verdict is not Verdict.EXHAUSTED


def unindexed_rows(row: Row) -> int:
    """Return about how many rows are read from end to end."""
    columns = row.finding.sequence.comparable
    return sum(max(column.estimated_rows, 0) for column in columns if not column.has_index)


def figure(row: Row, warning: SequenceWarning) -> str:
    """Return the figure behind a warning."""
    finding, sequence = row.finding, row.finding.sequence
    match warning:
        case SequenceWarning.EXHAUSTING:
            days_left = finding.use.days_left
            lasting = "" if days_left is None else f", {lasts(days_left)} at the present pace"
            return f"{finding.used_pct:g} % used, {finding.remaining:,} left{lasting}"
        case SequenceWarning.OPEN_WRITERS:
            return count(finding.measurement.open_writers, "transaction")
        case SequenceWarning.SAME_VALUES:
            return next((column.twin for column in sequence.comparable if column.twin is not None), "")
        case SequenceWarning.CACHED:
            return f"CACHE {sequence.cache_size}"
        case SequenceWarning.NO_INDEX:
            return f"about {count(unindexed_rows(row), 'row')}"
        case SequenceWarning.UNREAD_CHECK:
            checks = ((c.unread_check or c.unread_beside, c.qualified_name) for c in sequence.comparable)
            return ", ".join(f"{check} of {column}" for check, column in checks if check)
        case SequenceWarning.SOURCE_DIFFERS if finding.measurement.source is not None:
            return finding.measurement.source.differs or ""
    return ""
