"""What every form of a report says of one sequence, in the same words."""

from __future__ import annotations

from airflow_seqfix.core.judge import Verdict
from airflow_seqfix.core.report import Row


def words(verdict: Verdict) -> str:
    return str(verdict).replace("_", " ")


def state(row: Row) -> str:
    """Return the verdict, or that it was repaired."""
    return "fixed" if row.is_fixed else words(row.verdict)


def number(value: int | None) -> str:
    return "-" if value is None else str(value)


def fed_column(row: Row) -> str:
    """Return the column that decides, and how many others there are."""
    furthest = row.finding.measurement.furthest_column
    columns = [column for column in row.finding.sequence.columns if not column.is_covered]
    column = furthest or (columns[0] if columns else None)
    if column is None:
        return "-"
    return f"{column.qualified_name} +{len(columns) - 1}" if len(columns) > 1 else column.qualified_name


def inserts_left(row: Row) -> str:
    inserts = row.finding.inserts_until_collision
    if inserts is None:
        return "-"
    return f"{'≥ ' if row.finding.is_at_least else ''}{inserts}"


def used(row: Row) -> str:
    return "-" if row.finding.used_pct is None else f"{row.finding.used_pct:.0f} %"


def next_was(row: Row) -> int | None:
    """Return the next value before the repair."""
    return row.outcome.before.measurement.next_value if row.outcome else None


def count(number: int, noun: str) -> str:
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"
