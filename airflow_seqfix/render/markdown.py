"""A report and a plan as Markdown: for pull requests, chat, and whoever approves a repair.

What a database or a person named stands in code only, where no dialect of Markdown finds links, mentions or HTML.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import replace

from airflow_seqfix.core.errors import printable
from airflow_seqfix.core.policy import Follow, Policy
from airflow_seqfix.core.repair.plan_sql import SELF_CONTAINED
from airflow_seqfix.core.report import Plan, Report
from airflow_seqfix.core.row import Row
from airflow_seqfix.render.alike import alike, by_way, fold, names
from airflow_seqfix.render.phrases import (
    NOT_ON_STANDBYS,
    UNDRAWN,
    count,
    fed_column,
    gap,
    inserts_left,
    move,
    next_then,
    next_was,
    number,
    remedy,
    source_of,
    state,
    statement,
    undrawn,
    used,
    way,
)
from airflow_seqfix.render.warnings import NAMED, warned

#: How many sequences a report lists, and explains.
LISTED = 50
#: How many characters of SQL a person is shown: a few moves.
LONGEST_SCRIPT = 60_000

#: A column of a table: its heading, how it is aligned, and what stands in it as Markdown.
Cell = tuple[str, str, Callable[[Row], str]]
Spell = Callable[[str], str]


def markdown(report: Report, *, spell: Spell = str) -> str:
    """Return what is not in sync or was repaired, why, the statements to paste, and the warnings.

    :param spell: Writes the options in a sentence as the reader does.
    """
    rows = [row for row in report.sorted_rows if row.outcome or row.fails(report.policy)]
    failing = len(report.failing)
    title = f"{failing:,} of {count(len(report.rows), 'sequence')} {report.failing_state}"
    parts = [f"### {title if failing else 'Sequences: nothing to do'}", _head(report)]
    if rows:
        listed, left_out = fold(rows, LISTED)
        parts.append(_table(_report_cells(any(row.outcome for row in rows)), listed))
        parts += _more(left_out)
        parts += _remarks((row for row in rows if row.reason is not None), spell)
    parts += _warnings(report)
    parts += _undrawn(report)
    return "\n\n".join(parts) + "\n"


def plan_markdown(plan: Plan, *, rows: int = 50, sql: bool = True, spell: Spell = str) -> str:
    """Return which sequences would move, from where to where and why, what is left behind or alone, and the SQL.

    :param rows: How many sequences are listed, of those that would move and of the others.
    :param spell: Writes the options in a sentence as the reader does.
    :param sql: Whether the moves stand at the end as SQL: some ten thousand characters each.
    """
    listed = plan.report.sorted_rows
    moving = [row for row in listed if move(row) is not None]
    left = [row for row in listed if row.fails(plan.report.policy) and move(row) is None]
    title = f"{count(len(moving), 'sequence')} would be moved forward" if moving else "No sequence would be moved"
    parts = [f"### {title}", _head(plan.report)]
    if moving:
        parts += [_table(_PLAN_CELLS, moving[:rows]), *_more(len(moving) - rows), _ways(moving, spell)]
        parts += _margin(plan.report.policy.margin)
    passed_by = [row for row in moving if row.finding.outliers is not None]
    if passed_by:
        parts += [
            f"**Outliers, not passed: {count(len(passed_by), 'sequence')}**",
            spell(_outliers(plan.report.policy)),
        ]
        parts += [_table(_outlier_cells(spell), passed_by[:rows]), *_more(len(passed_by) - rows)]
    if left:
        parts += [f"**Left alone, and not in sync: {len(left):,}**", *_remarks(left, spell, rows)]
    parts += _warnings(plan.report)
    if moving and sql:
        shown = replace(plan, report=replace(plan.report, rows=tuple(moving[:rows])))
        parts += ["**The same as SQL for psql**", _sql(shown.to_sql(), is_short=len(moving[:rows]) <= SELF_CONTAINED)]
    return "\n\n".join(parts) + "\n"


def code(text: str) -> str:
    """Return text as a code span that nothing in it can end, nor the cell of a table around it."""
    harmless = printable(text).replace("`", r"\x60").replace("|", r"\x7c")
    return f"`{harmless}`"


def fence(text: str, language: str = "") -> str:
    """Return text as a block of code that nothing in it can end."""
    longest = max((len(run) for run in re.findall("`+", text)), default=0)
    ticks = "`" * max(3, longest + 1)
    return f"{ticks}{language}\n{text}\n{ticks}"


def _head(report: Report) -> str:
    server, counts = report.server, report.summary
    read = report.started_at.strftime("%Y-%m-%d %H:%M:%S UTC")
    where = f"Database {code(server.database)} on {code(server.address)} ({server.is_of}), role {code(server.acts_as)}"
    standby = "**This is a standby, which reads sequences ahead of the primary.**\n" if server.in_recovery else ""
    if report.standbys_confirmed is False:
        standby = f"**{NOT_ON_STANDBYS.capitalize()}.**\n"
    said = [f"{counts[name]:,} {name.replace('_', ' ')}" for name in counts if counts[name] and name != "verified"]
    where += f", PostgreSQL {code(server.version)}, {read}"
    if report.source is not None:
        where += f"  \n{code(source_of(report))}"
    return f"{standby}{where}  \n{', '.join(said) or 'no sequences to look at'}"


def _table(cells: Iterable[Cell], rows: list[Row]) -> str:
    headings, alignments, values = zip(*cells, strict=True)
    lines = [headings, alignments, *([value(row) for value in values] for row in rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _report_cells(is_repair: bool) -> list[Cell]:
    first: list[Cell] = [
        ("verdict", "---", state),
        ("sequence", "---", _name),
        ("column", "---", lambda row: code(fed_column(row))),
    ]
    if is_repair:
        return [
            *first,
            ("next value before", "--:", lambda row: number(next_was(row))),
            ("next value now", "--:", lambda row: number(row.finding.measurement.next_value)),
            ("furthest value", "--:", lambda row: number(row.furthest_value)),
            ("way", "---", way),
        ]
    return [
        *first,
        ("next value", "--:", lambda row: number(row.finding.measurement.next_value)),
        ("furthest value", "--:", lambda row: number(row.furthest_value)),
        ("gap", "--:", gap),
        ("inserts until collision", "--:", inserts_left),
        ("used", "--:", used),
    ]


def _name(row: Row) -> str:
    return code(row.finding.sequence.qualified_name)


def _margin(margin: int) -> list[str]:
    if not margin:
        return []
    return [f"Margin: the next value will lie {count(margin, 'step')} beyond the furthest value, where they fit."]


def _outliers(policy: Policy) -> str:
    if policy.outliers is Follow.IGNORE:
        return 'They do not count, as asked: `outliers="ignore"`.'
    return (
        "The moves stop before them, and these sequences stay behind until somebody decides: "
        '`outliers="follow"` passes them, `outliers="ignore"` does not count them, or remove the rows.'
    )


def _ways(rows: list[Row], spell: Spell) -> str:
    """Say why moves are made in the way that they are: each reason once, and of which moves it is one of several."""
    ways = by_way(rows)
    return "\n".join(
        f"- {found.way}{f', for {names(group, code)}' if len(ways) > 1 else ''}: {code(spell(found.why))}"
        for found, group in ways
    )


_PLAN_CELLS: tuple[Cell, ...] = (
    ("sequence", "---", _name),
    ("column", "---", lambda row: code(fed_column(row))),
    ("next value now", "--:", lambda row: number(row.finding.measurement.next_value)),
    ("furthest value", "--:", lambda row: number(row.furthest_value)),
    ("inserts until collision", "--:", inserts_left),
    ("next value then", "--:", lambda row: number(next_then(row))),
    ("way", "---", lambda row: str(found.way) if (found := move(row)) else "-"),
)


def _outlier_cells(spell: Spell) -> tuple[Cell, ...]:
    return (
        ("sequence", "---", _name),
        ("outliers", "--:", lambda row: f"{row.finding.outliers.count:,}" if row.finding.outliers else "-"),
        ("lowest", "--:", lambda row: number(row.finding.outliers.lowest) if row.finding.outliers else "-"),
        ("highest", "--:", lambda row: number(row.finding.outliers.highest) if row.finding.outliers else "-"),
        ("reason", "---", lambda row: code(spell(row.reason or ""))),
    )


def _more(left_out: int) -> list[str]:
    return [f"… and {left_out:,} more."] if left_out > 0 else []


def _warnings(report: Report) -> list[str]:
    """Say what to know beside the verdicts, a line for each kind."""
    lines = []
    for found in warned(report):
        names = [f"{code(name)} ({figure})" if figure else code(name) for name, figure in found.sequences[:NAMED]]
        lines.append(f"- {str(found.warning).replace('_', ' ')}: {', '.join(names)}{found.more}: {found.meaning}")
    return ["**Warnings**", "\n".join(lines)] if lines else []


def _undrawn(report: Report) -> list[str]:
    """Name what an application may draw from: in sync says nothing of its next insert."""
    names = undrawn(report)
    more = f" and {len(names) - LISTED:,} more" if len(names) > LISTED else ""
    listed = ", ".join(map(code, names[:LISTED]))
    title = f"**Nothing is known to draw from {count(len(names), 'sequence')}**"
    return [title, f"{listed}{more}: {UNDRAWN}"] if names else []


def _remarks(rows: Iterable[Row], spell: Spell, most: int = LISTED) -> list[str]:
    """Say why, and what helps, as a script: a move can be pasted, all else is a comment."""
    said = []
    causes, left_out = alike(rows, most)
    for row, *others in causes:
        name = printable(names([row, *others]))
        lines = [f"-- {name}: {state(row)}: {printable(spell(row.reason or ''))}"]
        if row.remedy is not None:
            lines.append(statement(row, spell) or f"-- Remedy: {remedy(row, spell)}")
        said.append("\n".join(lines))
    more = [f"… and {left_out:,} more, explained in a report as JSON."] if left_out else []
    return [fence("\n\n".join(said), "sql"), *more] if said else []


def _sql(script: str, *, is_short: bool) -> str:
    if len(script) > LONGEST_SCRIPT or not is_short:
        return "It is too long to be read here: `seqfix plan -o plan.sql` writes it to a file."
    return fence(script, "sql")
