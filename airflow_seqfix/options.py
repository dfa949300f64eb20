"""The table of options: name, type, default, allowed values, group and help of each, and whether it decides a plan.

Library, operators, command line, stored plans and the pages of the reference take them from here. Light, and apart from
the core: a DAG file reads it when it is parsed.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Annotated, Any, Literal, NamedTuple, Protocol, TypedDict, get_type_hints

from airflow_seqfix.rules import (
    BySequence,
    Choice,
    Days,
    Flag,
    Integer,
    IntegerOr,
    LockSeconds,
    NameList,
    Percentage,
    Rule,
    Seconds,
    Several,
    Text,
)

#: The verdicts, and the warnings, that can fail a gate, and those that do unless told otherwise.
CAN_FAIL = ("behind", "exhausted", "unknown", "skipped", "undrawn", "open_writers", "not_at_source")
FAIL_ON = ("behind", "exhausted", "unknown")

#: Each connection keeps a bounded number of relations locked; so many still leave room in the server's lock table.
MOST_JOBS = 16
#: As many connections as there is work for, and room on the server.
AUTO: Literal["auto"] = "auto"
Jobs = int | Literal["auto"]


class Identifier(Protocol):
    """A name of `psycopg.sql` or `psycopg2.sql`."""

    def as_string(self, context: Any) -> str: ...


#: As written in SQL, or the parts as they are in the catalog: `("public", "Orders")`.
Name = str | tuple[str, ...] | Identifier
#: One, or several.
Names = str | Identifier | Iterable[Name]


class Group(str, Enum):
    """What an option belongs to."""

    SELECTION = "selection"  #: which sequences
    MAPPING = "mapping"  #: what no catalog says of them
    POLICY = "policy"  #: what counts as in sync
    MOVING = "moving"  #: what a repair may do
    LIMITS = "limits"  #: how long anything may take
    RUN = "run"  #: how the work is done


class Lock(str, Enum):
    """Which ways of moving a sequence are allowed."""

    AUTO = "auto"  #: advance over small gaps, lock for large ones where the role owns the sequence
    NONE = "none"  #: only nextval(): no lock, no DDL
    SEQUENCE = "sequence"  #: only under a lock on the sequence
    GUARDED = "guarded"  #: one setval() that compares first: not proven against concurrent writers

    def __str__(self) -> str:
        return self.value


class Follow(str, Enum):
    """What is done about outliers."""

    REPORT = "report"  #: move past all other values, and say that a person has to decide
    FOLLOW = "follow"  #: move past them as well, whatever that leaves
    IGNORE = "ignore"  #: they do not count

    def __str__(self) -> str:
        return self.value


@dataclass(frozen=True, slots=True)
class Option:
    """One option."""

    group: Group
    #: None: the option is off, and may be given as None.
    default: Any
    rule: Rule
    #: An imperative or a noun phrase, for --help and the reference.
    help: str
    #: Whether it decides what is behind, and by how much: a stored plan is applied with the value it was made with.
    decides: bool = False
    #: Whether the operators take a template.
    templated: bool = False
    #: How the command spells it; None: as its name; empty: not at all.
    flags: tuple[str, ...] | None = None
    #: What --help calls a value.
    unit: str | None = None
    #: The default of the command, where it is another one.
    of_command: Any = None

    def refusal(self, value: Any) -> str | None:
        """Return what to give instead of a value; None: it is allowed."""
        return None if value is None and self.default is None else self.rule.refusal(value)


def _by_name(text: str, *flags: str) -> Option:
    return Option(Group.SELECTION, (), NameList(), text, templated=True, flags=flags or None)


class SelectionOptions(TypedDict, total=False):
    """Which sequences are meant."""

    schemas: Annotated[Names, _by_name("Only sequences in this schema, or that feed a table in it.", "-n", "--schema")]
    """Only sequences in this schema, or that feed a table in it."""
    tables: Annotated[Names, _by_name("Only sequences that feed this table.", "-t", "--table")]
    """Only sequences that feed this table."""
    columns: Annotated[Names, _by_name("Only sequences that feed this column.", "--column")]
    """Only sequences that feed this column."""
    sequences: Annotated[Names, _by_name("Only this sequence.", "--sequence")]
    """Only this sequence."""
    exclude: Annotated[Names, _by_name("Skip this sequence, or all that feed this table or column.")]
    """Skip this sequence, or all that feed this table or column."""


class TableOptions(TypedDict, total=False):
    """The options that `fix_sequence()` has as well."""

    mapping: Annotated[
        Mapping[str, Names],
        Option(
            Group.MAPPING,
            {},
            BySequence("SEQ=TABLE.COLUMN[,...]"),
            "Further columns that the sequence feeds, which no catalog shows.",
            decides=True,
            templated=True,
            flags=("--map",),
        ),
    ]
    """Further columns that the sequence feeds, which no catalog shows."""
    id_range: Annotated[
        Mapping[str, tuple[int, int]],
        Option(
            Group.MAPPING,
            {},
            BySequence("SEQ=LOW:HIGH"),
            "Range of the sequence's own values, where several writers share a column.",
            decides=True,
            templated=True,
        ),
    ]
    """Range of the sequence's own values, where several writers share a column."""
    allow_empty: Annotated[bool, Option(Group.SELECTION, False, Flag(), "Do not fail if nothing is selected.")]
    """Do not fail if nothing is selected. Default: False."""
    allow_skipped: Annotated[bool, Option(Group.SELECTION, False, Flag(), "Do not fail if a named object is skipped.")]
    """Do not fail if a named object is skipped. Default: False."""
    margin: Annotated[
        int,
        Option(
            Group.POLICY,
            0,
            Integer(0),
            "Number of steps that the next value must lie beyond the furthest value.",
            decides=True,
            templated=True,
            unit="STEPS",
        ),
    ]
    """Number of steps that the next value must lie beyond the furthest value. Default: 0."""
    max_jump: Annotated[
        int,
        Option(
            Group.POLICY,
            10_000_000,
            Integer(1),
            "Length of a gap beyond which values are outliers.",
            decides=True,
            unit="VALUES",
        ),
    ]
    """Length of a gap beyond which values are outliers. Default: 10000000."""
    outliers: Annotated[
        Follow | Literal["report", "follow", "ignore"],
        Option(Group.POLICY, "report", Choice(tuple(map(str, Follow))), "What to do about outliers.", decides=True),
    ]
    """What to do about outliers. Default: 'report'."""
    interleaved: Annotated[
        bool, Option(Group.POLICY, False, Flag(), "Count only values on the sequence's own steps.", decides=True)
    ]
    """Count only values on the sequence's own steps. Default: False."""
    foreign: Annotated[
        bool, Option(Group.POLICY, False, Flag(), "Read foreign tables too, on their own servers.", decides=True)
    ]
    """Read foreign tables too, on their own servers. Default: False."""
    own_code_only: Annotated[
        bool, Option(Group.POLICY, False, Flag(), "Read no table that calls another role's functions.", decides=True)
    ]
    """Read no table that calls another role's functions. Default: False."""
    warn_used_pct: Annotated[
        float, Option(Group.POLICY, 75.0, Percentage(), "Warn above this percentage used.", unit="PERCENT")
    ]
    """Warn above this percentage used. Default: 75.0."""
    fail_used_pct: Annotated[
        float | None,
        Option(Group.POLICY, None, Percentage(), "Fail above this percentage used.", decides=True, unit="PERCENT"),
    ]
    """Fail above this percentage used. None: off, the default."""
    min_remaining: Annotated[
        int | None,
        Option(Group.POLICY, None, Integer(1), "Fail with fewer values left than this.", decides=True, unit="VALUES"),
    ]
    """Fail with fewer values left than this. None: off, the default."""
    min_days_left: Annotated[
        float | None,
        Option(
            Group.POLICY,
            None,
            Days(),
            "Fail if less time than this is left, by earlier reports.",
            unit="DAYS",
        ),
    ]
    """Fail if less time than this is left, by earlier reports. None: off, the default."""
    fail_on: Annotated[
        Collection[str],
        Option(
            Group.POLICY,
            FAIL_ON,
            Several(CAN_FAIL),
            "Fail only for these verdicts (repeatable).",
            unit="VERDICT",
            templated=True,
        ),
    ]
    """Fail only for these verdicts (repeatable). Default: ('behind', 'exhausted', 'unknown')."""
    lock: Annotated[
        Lock | Literal["auto", "none", "sequence", "guarded"],
        Option(Group.MOVING, "auto", Choice(tuple(map(str, Lock))), "Allowed ways to move a sequence.", templated=True),
    ]
    """Allowed ways to move a sequence. Default: 'auto'."""
    advance_up_to: Annotated[
        int, Option(Group.MOVING, 10_000, Integer(0), "Use nextval() for gaps up to this size.", unit="VALUES")
    ]
    """Use nextval() for gaps up to this size. Default: 10000."""
    lock_timeout: Annotated[
        float, Option(Group.LIMITS, 0.1, LockSeconds(), "Maximum time to wait for a lock.", templated=True)
    ]
    """Maximum time to wait for a lock. Default: 0.1."""
    statement_timeout: Annotated[
        float, Option(Group.LIMITS, 60.0, Seconds(), "Maximum time for a statement.", templated=True)
    ]
    """Maximum time for a statement. Default: 60.0."""
    run_timeout: Annotated[
        float, Option(Group.LIMITS, 300.0, Seconds(), "Maximum time for the whole run.", templated=True)
    ]
    """Maximum time for the whole run. Default: 300.0."""
    wait_for_writers: Annotated[
        float,
        Option(Group.LIMITS, 0.0, Seconds(zero=True), "Maximum time to wait for open transactions.", templated=True),
    ]
    """Maximum time to wait for open transactions. Default: 0.0."""
    application_name: Annotated[
        str, Option(Group.RUN, "seqfix", Text(), "Name of the connections in pg_stat_activity.", flags=())
    ]
    """Name of the connections in pg_stat_activity. Default: 'seqfix'."""
    jobs: Annotated[
        Jobs,
        Option(
            Group.RUN,
            1,
            IntegerOr(Integer(1, MOST_JOBS), AUTO),
            "Number of connections that share the work; auto: more than one from 2,000 sequences on.",
            templated=True,
            flags=("-j", "--jobs"),
            unit="N",
            of_command=AUTO,
        ),
    ]
    """Number of connections that share the work; auto: more than one from 2,000 sequences on. Default: 1."""
    all_positions: Annotated[
        bool,
        Option(
            Group.RUN,
            False,
            Flag(),
            "Read the position of skipped sequences too, for a report that serves as a source.",
        ),
    ]
    """Read the position of skipped sequences too, for a report that serves as a source. Default: False."""


class Options(SelectionOptions, TableOptions, total=False):
    """The options of `check()`, `plan()` and `fix()`, in the order of --help."""


OPTIONS: Mapping[str, Option] = {
    name: hint.__metadata__[0] for name, hint in get_type_hints(Options, include_extras=True).items()
}


def described(option: Option) -> str:
    """Return the help of an option with its default, for a docstring."""
    if option.default is None:
        return f"{option.help} None: off, the default."
    return option.help if option.default in ((), {}) else f"{option.help} Default: {option.default!r}."


# For help(). Editors show the docstrings above, which a test compares with these.
Options.__doc__ = f"{Options.__doc__}\n\n" + "\n".join(
    f":param {name}: {described(option)}" for name, option in OPTIONS.items()
)


def names_of(*groups: Group) -> tuple[str, ...]:
    """Return the names of the options of some groups."""
    return tuple(name for name, option in OPTIONS.items() if option.group in groups)


#: What selects sequences by name.
NAME_OPTIONS = tuple(name for name, option in OPTIONS.items() if isinstance(option.rule, NameList))


class Refusal(NamedTuple):
    """An option whose value is not allowed, and what to give."""

    option: str
    value: Any
    remedy: str


def refusal(options: Mapping[str, Any]) -> Refusal | None:
    """Return the first option whose value is not allowed."""
    for name, value in options.items():
        said = OPTIONS[name].refusal(value)
        if said is not None:
            return Refusal(name, value, said)
    return None
