"""Phrases about one sequence, shared by every form of a report."""

from __future__ import annotations

from collections.abc import Callable

from airflow_seqfix.core.errors import printable
from airflow_seqfix.core.model import Move, SequenceWarning, Verdict
from airflow_seqfix.core.model.quoted import statements
from airflow_seqfix.core.report import Report
from airflow_seqfix.core.row import Row

#: After a repair whose moves are on the primary only.
NOT_ON_STANDBYS = (
    "the moves have not reached the synchronous standbys yet: after a failover to one of them, run this again"
)


def phrase(verdict: Verdict) -> str:
    return str(verdict).replace("_", " ")


def state(row: Row) -> str:
    """Return the verdict, or that it was repaired."""
    return "fixed" if row.is_fixed else phrase(row.verdict)


def next_then(row: Row) -> int | None:
    """Return the next value after the move that a repair would make; None where it would make none."""
    found = move(row)
    return None if found is None else found.target + found.sequence.increment_by


def is_mended(row: Row) -> bool:
    """Whether the move that a repair would make mends it, with nothing left for a person to decide."""
    return move(row) is not None and row.finding.outliers is None


def number(value: int | None) -> str:
    """Return a value as SQL takes it, to be searched for and pasted; what is counted has commas."""
    return "-" if value is None else str(value)


def fed_column(row: Row) -> str:
    """Return the column that decides, and how many others there are."""
    furthest = row.finding.measurement.furthest_column
    columns = [column for column in row.finding.sequence.counted if not column.is_covered]
    column = furthest or (columns[0] if columns else None)
    if column is None:
        return "-"
    return f"{column.qualified_name} +{len(columns) - 1}" if len(columns) > 1 else column.qualified_name


def inserts_left(row: Row) -> str:
    """Return how many inserts are left until one collides."""
    inserts = row.finding.inserts_until_collision
    if inserts is None:
        return "-"
    return f"{'≥ ' if row.finding.is_at_least else ''}{inserts:,}"


def gap(row: Row) -> str:
    """Return how many values it is behind."""
    return "-" if row.gap is None else f"{row.gap:,}"


def used(row: Row) -> str:
    if row.finding.used_pct is None:
        return "-"
    days_left = row.finding.use.days_left
    return f"{row.finding.used_pct:.0f} %" + (f", {lasts(days_left)}" if days_left is not None else "")


def lasts(days: float) -> str:
    """Return how long something lasts, no more exactly than it is known."""
    if days < 2 * 365:
        return count(round(days), "day")
    return f"{days / 365:,.0f} years" if days < 100 * 365 else "> 100 years"


def next_was(row: Row) -> int | None:
    """Return the next value before the repair."""
    return row.outcome.before.measurement.next_value if row.outcome else None


def moved_from(row: Row) -> int | None:
    """Return the next value before it was moved; None where it was not."""
    was = next_was(row)
    return was if was != row.finding.measurement.next_value else None


def way(row: Row) -> str:
    """Return how it was moved."""
    return str(row.outcome.way or "-") if row.outcome else "-"


def move(row: Row) -> Move | None:
    """Return the move that a repair would make."""
    move = row.finding.move
    return move if move is not None and move.way is not None else None


def statement(row: Row, spell: Callable[[str], str] = str) -> str | None:
    """Return the remedy where it is a statement that moves the sequence, and reads as it runs."""
    is_printable = (row.remedy or "").isprintable()
    return remedy(row, spell) if _is_pasteable(row) and is_printable else None


def remedy(row: Row, spell: Callable[[str], str] = str) -> str | None:
    """Return what helps, in one line.

    :param spell: Writes the options in it as the reader does; not in a statement, but in what is said behind it.
    """
    if _is_a_move(row) and not (row.remedy or "").isprintable():
        return "seqfix fix; its name holds characters that do not print, and cannot be pasted"
    return row.remedy and spelled(row.remedy, spell)


def spelled(remedy: str, spell: Callable[[str], str]) -> str:
    """Return a remedy with its options as the reader writes them: in what is said, not in statements before that."""
    pasted = statements(remedy)
    return pasted + spell(printable(remedy.removeprefix(pasted)))


def _is_pasteable(row: Row) -> bool:
    return row.finding.is_pasteable and _is_a_move(row)


def _is_a_move(row: Row) -> bool:
    """Whether the remedy is what moves the sequence."""
    is_of_the_finding = row.outcome is None or row.outcome.error is None
    return move(row) is not None and is_of_the_finding and row.remedy is not None


def count(number: int, noun: str) -> str:
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def sentence(row: Row) -> str:
    """Return the reason as a sentence of its own."""
    reason = printable(row.reason or "")
    return f"{reason[:1].upper()}{reason[1:]}."


def explained_at(row: Row) -> str | None:
    """Return where the documentation explains the reason: an anchor of docs/reference/messages.md."""
    if row.reason is None:
        return None
    if row.outcome is not None and row.outcome.error is not None:
        return "not-moved"
    match row.verdict:
        case Verdict.UNKNOWN:
            return "could-not-be-read-unknown"
        case Verdict.SKIPPED:
            return "not-compared-skipped"
        case Verdict.BEHIND:
            return "outliers" if row.finding.outliers else "the-cure-of-a-sequence-that-is-behind"
        case Verdict.EXHAUSTED:
            return "the-limit-that-binds"
        case Verdict.IN_SYNC:
            return "a-sequence-is-behind-exhausted-or-nearly-so"


def consequence(row: Row) -> str | None:
    """Say what happens to the next inserts."""
    inserts = row.finding.inserts_until_collision
    if row.verdict is Verdict.EXHAUSTED:
        return "The next insert fails."
    if row.verdict is not Verdict.BEHIND or inserts is None:
        return None
    if row.finding.is_at_least:
        return f"At least {count(inserts, 'more insert')} succeed before one fails."
    return (
        f"{count(inserts, 'more insert')} {'succeeds' if inserts == 1 else 'succeed'} before one fails."
        if inserts
        else "The next insert fails."
    )


def remarks(row: Row) -> str:
    """Return what the figures of a row do not say."""
    is_plain = row.verdict is Verdict.BEHIND and row.obstacle is None
    said = "" if is_plain else printable(row.reason or "")
    return "; ".join(filter(None, (said, ", ".join(map(str, row.finding.warnings)))))


def planned(row: Row) -> str | None:
    """Say where a plan moves it, in which way, and why in that one; None where it does not."""
    found, then = move(row), next_then(row)
    return None if found is None else f"Would be moved by {found.way}, to the next value {then}: {found.why}."


def plan_headline(report: Report) -> str:
    """Return how many sequences a plan moves."""
    moving = sum(move(row) is not None for row in report.rows)
    left = sum(row.fails(report.policy) and move(row) is None for row in report.rows)
    said = f"{count(moving, 'sequence')} would be moved forward" if moving else "No sequence would be moved"
    return f"{said}, {left:,} left alone" if left else said


#: How many sequences that only the source has are named.
ONLY_THERE = 5


def source_of(report: Report) -> str:
    """Say what the other side of a cutover was, and what only that has."""
    source, only = report.source, report.only_at_source
    assert source is not None
    said = f"source: {source.said}"
    if only:
        more = f" and {len(only) - ONLY_THERE:,} more" if len(only) > ONLY_THERE else ""
        said += f"; only there: {', '.join(only[:ONLY_THERE])}{more}"
    return said


def next_there(row: Row) -> int | None:
    """Return the next value in the source."""
    source = row.finding.measurement.source
    return None if source is None else source.next_value


#: What is said of sequences that nothing is known to draw from.
UNDRAWN = "an application may, and its next insert can fail then: seqfix suggest says which columns may be theirs"


def undrawn(report: Report) -> list[str]:
    """Return the names of the sequences that nothing is known to draw from."""
    return [row.sequence for row in report.sorted_rows if SequenceWarning.UNDRAWN in row.finding.warnings]


def headline(report: Report) -> str:
    """Return how it stands, in a few words."""
    total, failing = len(report.rows), len(report.failing)
    if not total:
        return "No sequences to look at"
    if not failing:
        return f"None of {count(total, 'sequence')} is out of order"
    return f"{failing:,} of {count(total, 'sequence')} {report.failing_state}"
