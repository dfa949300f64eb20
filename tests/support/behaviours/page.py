"""What docs/proof/behaviours.md makes of the outcomes that runs.py has seen."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from tests.support.behaviours import thousands, tools
from tests.support.scenario import Scenario, load_all

#: What each insert of a case got, as value or SQLSTATE, and how the page shows it; None: the tool could not be judged.
Got = list[tuple[Any, str]] | None

#: How a failing insert is told, by SQLSTATE.
FAILURES = {"23505": "duplicate key", "2200H": "error: sequence used up", "22003": "error: column used up"}

#: Between the inserts of a case.
THEN = " then "

#: In a tool's column: as expected, and not judged.
RIGHT, NOT_JUDGED = "✓", "not loaded"

INTRODUCTION = """\
# Recipes and tools compared

The ids of the next inserts in {total} situations that tools for resetting sequences handle differently.

Made with `make behaviours` on PostgreSQL {version}. Each situation is a file in `tests/scenarios`, which ran in fresh
databases: with nothing run, after `fix()` with its defaults, and after [recipes and tools](#recipes-and-tools).

Right with nothing run: {before} of {total}. Right after `fix()`: {right}; on purpose not: {on_purpose}; wrong: {wrong}.
"""

COMPARISON = """
## Recipes and tools

The same situations after four recipes and three tools. A recipe (`tests/support/behaviours/recipes.py`) runs column by
column, a tool (`tests/support/behaviours/tools.py`) table by table if it can, so an error for one does not stop the
others.

- *Worse* counts situations that were right with nothing run, and are wrong afterwards: an insert that worked fails, or
  gets an id that was issued before.
- A sequence *is ahead* after deletes, as in [ahead_of_data](../../tests/scenarios/ahead_of_data.sql).
- *Beside an open transaction*: a table has the ids 1 to 100, and its sequence is in sync. A writer inserts ten more
  rows, the repair runs, the writer commits. The next insert should get 111. pgloader would wait to empty the table.
  Minutes of traffic: [Repairs under live traffic](stress.md).

| | right | worse | moves back one that is ahead | beside an open transaction |
|---|---:|---:|---|---|"""

HOW = """
How the tools were run, in these versions and no others:
"""

BY_KIND = """
### What kinds of situations they get right
"""

BY_CASE = """
### Case by case

✓ is right, and anything else is what the insert got instead. **Bold** is worse than before. *Error*: no id is left, and
the insert must fail instead of taking one twice.
"""

THOUSANDS = """
### Five thousand tables at once

{tables:,} tables, each with a sequence that is behind, at the server's default settings. `setval()` is not undone with
its transaction. pgloader, which would have to load them, is left out.

| | left behind | error |
|---|---:|---|"""

#: The case that tells whether a sequence is moved back.
AHEAD = "ahead_of_data"

#: By what they have in common: the cases, and what becomes of them.
KINDS: dict[str, tuple[tuple[str, ...], str]] = {
    "A sequence owned by its column": (
        (
            "serial",
            "is_called_false_row1",
            "cache20",
            "domain_col",
            "foreign_seq_view",
            "long_names",
            "owned_odd_seqname",
            "renamed_column",
            "renamed_table",
            "unlogged",
        ),
        "Enough for a fixture or a load into an application's own tables, and all tools do it.",
    ),
    "Identity columns": (
        ("identity_always", "identity_by_default"),
        "pgloader reads defaults; an identity column has none.",
    ),
    "Names and schemas": (
        (
            "mixed_case",
            "mixed_case_col_only",
            "name_contains_nextval",
            "quote_names",
            "reserved_word",
            "other_schema",
            "same_name_two_schemas",
        ),
        (
            "Quotes inside a name trip Django and ActiveRecord. pgloader quotes the column for "
            "`pg_get_serial_sequence()`, which wants it bare, and replaces the text `nextval` wherever it stands."
        ),
    ),
    "Drawn by a column that does not own it": (
        ("unowned_default", "unowned_textcast", "owned_by_other_col", "seq_in_other_schema"),
        (
            "`pg_get_serial_sequence()` knows owners alone, and `setval(NULL, …)` returns NULL without a word. "
            "ActiveRecord reads the default, and looks for the sequence in the table's schema."
        ),
    ),
    "One sequence for several tables": (
        ("like_including_all", "shared_nonowner_larger", "shared_unowned"),
        "The owner's maximum counts, or that of the last table, instead of the largest.",
    ),
    "Partitions and inheritance": (
        ("part_serial", "part_identity", "part_attached_own_serial", "part_unowned", "inherit_child_larger"),
        (
            "ActiveRecord sets the sequence once for each partition, and the last one wins. pgloader leaves "
            "partitioned tables out, and copies a child's rows into its parent as well."
        ),
    ),
    "Beside a primary key of one column": (
        ("composite_pk_serial_2nd", "no_pk_unique_only", "non_pk_serial", "two_serials"),
        "A Django model has one AutoField; ActiveRecord looks at the primary key.",
    ),
    "Nothing to repair": (
        (
            "ahead_of_data",
            "cycle_wrapped",
            "descending_empty",
            "empty_but_used_to_500",
            "empty_fresh",
            "empty_minvalue1000",
            "empty_serial_start1000",
            "empty_start1000",
            "max_below_minvalue",
            "only_negative_ids",
        ),
        "The sequence is set to the maximum wherever it stood: ids of deleted rows return, and START is lost.",
    ),
    "Descending, or in steps": (
        ("descending", "descending_serial", "increment10_offgrid"),
        "The maximum is the wrong end; 105 is not a value of a sequence 1, 11, 21.",
    ),
    "At the end of the numbers": (
        ("bigint_seq_int4_col", "int4_exhausted", "max_above_maxvalue"),
        (
            "A sequence is moved to its end while the values before are free, and every insert fails. `setval()` "
            "beyond MAXVALUE is an error, which leaves it where it was."
        ),
    ),
    "Columns that are no integers": (
        ("numeric_col", "text_expr_default", "varchar_col_nextval"),
        "There is no `setval(regclass, numeric)`, and the largest text is not the largest number.",
    ),
}


@dataclass(frozen=True, kw_only=True)
class Results:
    """What was seen, by the names of `tests.behaviours.repairs()`."""

    #: What the inserts of each case got afterwards.
    after: dict[str, dict[str, Got]]
    #: What the insert got after a repair beside a transaction that was still open.
    beside: dict[str, str]
    #: By the names of tests/thousands.py: how many sequences stayed behind, and the error.
    thousands: dict[str, tuple[int, str]]


def cases() -> list[Scenario]:
    """Return the scenarios that the page is made from."""
    return [scenario for scenario in load_all() if scenario.behaviour is not None]


def told(value: Any) -> str:
    """Return a value, or the SQLSTATE of a failure, as the page shows it."""
    return FAILURES.get(str(value), str(value))


def shown(got: Got) -> str:
    return NOT_JUDGED if got is None else THEN.join(text for _, text in got)


def link(case: str) -> str:
    return f"[{case}](../../tests/scenarios/{case}.sql)"


def verdict(scenario: Scenario, got: list[Any]) -> str:
    assert scenario.behaviour is not None
    if got == scenario.behaviour["expected"]:
        return "yes"
    why = scenario.behaviour.get("on_purpose")
    return f"on purpose: {why}" if why else "**no**"


def right(got: dict[str, Got]) -> set[str]:
    """Return the cases that are right."""
    return {
        scenario.name
        for scenario in cases()
        if scenario.behaviour is not None
        and [value for value, _ in got[scenario.name] or ()] == scenario.behaviour["expected"]
    }


def document(results: Results, version_num: int, versions: dict[str, str]) -> Iterator[str]:
    nothing, ours = results.after["nothing run"], results.after["`fix()`"]
    verdicts = {
        scenario.name: verdict(scenario, [value for value, _ in ours[scenario.name] or ()]) for scenario in cases()
    }
    yield INTRODUCTION.format(
        version="{}.{}".format(*divmod(version_num, 10000)),
        total=len(verdicts),
        before=len(right(nothing)),
        right=len(right(ours)),
        on_purpose=sum(text.startswith("on purpose") for text in verdicts.values()),
        wrong=sum(text == "**no**" for text in verdicts.values()),
    )
    for name, text in verdicts.items():
        if text != "yes":
            yield f"- {link(name)} {text}"
    yield from comparison(results, versions)


def comparison(results: Results, versions: dict[str, str]) -> Iterator[str]:
    before = right(results.after["nothing run"])
    yield COMPARISON
    for name, got in results.after.items():
        yield counts(name, got, before, results.beside.get(name, "not run"))
    yield HOW
    for name, version in versions.items():
        yield textwrap.fill(
            f"- **{name}** {version}: {tools.TOOLS[name].how}",
            width=120,
            subsequent_indent="  ",
            break_long_words=False,
            break_on_hyphens=False,
        )
    columns = {name: results.after[name] for name in (*tools.TOOLS, "`fix()`")}
    yield BY_KIND
    yield row("", *columns, "")
    yield row("---", *["---:"] * len(columns), "---")
    for kind, (names, why) in KINDS.items():
        yield row(kind, *(out_of(got, names) for got in columns.values()), why)
    yield THOUSANDS.format(tables=thousands.TABLES)
    for name, (behind, error) in results.thousands.items():
        yield row(name, f"{behind:,} of {thousands.TABLES:,}", error)
    yield BY_CASE
    yield row("case", "expected", "nothing run", *columns)
    yield row("---", *["---"] * (len(columns) + 2))
    for kind, (names, _) in KINDS.items():
        yield row(f"*{kind}*", *[""] * (len(columns) + 2))
        for scenario in cases():
            if (name := scenario.name) in names:
                assert scenario.behaviour is not None
                expected = THEN.join(map(told, scenario.behaviour["expected"]))
                nothing = shown(results.after["nothing run"][name])
                yield row(link(name), expected, nothing, *(mark(name, got, before) for got in columns.values()))


def counts(name: str, got: dict[str, Got], before: set[str], beside: str) -> str:
    """Return the row that sums up a recipe or a tool."""
    return row(name, out_of(got), len(before - right(got)), "no" if AHEAD in right(got) else "yes", beside)


def out_of(got: dict[str, Got], names: tuple[str, ...] | None = None) -> str:
    """Return how many are right, of those that could be judged."""
    chosen = set(names or got)
    return f"{len(right(got) & chosen)} of {sum(got[name] is not None for name in chosen)}"


def mark(case: str, got: dict[str, Got], before: set[str]) -> str:
    if case in right(got):
        return RIGHT
    return f"**{shown(got[case])}**" if case in before else shown(got[case])


def row(*cells: object) -> str:
    return f"| {' | '.join(map(str, cells))} |"
