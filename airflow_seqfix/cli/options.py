"""The options, by the sections in which --help lists them."""

from __future__ import annotations

from collections.abc import Callable
from itertools import groupby
from typing import Any

import click

from airflow_seqfix.options import OPTIONS, Group, Option, names_of
from airflow_seqfix.rules import (
    BySequence,
    Choice,
    Days,
    Flag,
    Integer,
    IntegerOr,
    NameList,
    Percentage,
    Seconds,
    Several,
)

Decorator = Callable[[Any], Any]

#: The sections of --help, by the groups of the table.
SECTIONS = {
    Group.SELECTION: "Selection",
    Group.MAPPING: "Selection",
    Group.POLICY: "What counts",
    Group.MOVING: "Moving",
    Group.LIMITS: "Limits",
    Group.RUN: "Limits",
}


class SectionOption(click.Option):
    """An option that belongs to a section of the help."""

    def __init__(self, *arguments: Any, section: str = "Options", **settings: Any) -> None:
        super().__init__(*arguments, **settings)
        self.section = section


class Command(click.Command):
    """A command whose help lists its options by section."""

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        options = [option for option in self.get_params(ctx) if isinstance(option, click.Option)]
        for section, members in groupby(options, key=lambda option: getattr(option, "section", "Output")):
            with formatter.section(section):
                formatter.write_dl([record for option in members if (record := option.get_help_record(ctx))])

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        # Beside the options' own indentation, in paragraphs.
        if self.epilog:
            formatter.write_paragraph()
            formatter.write_text(self.epilog)


def together(*decorators: Decorator) -> Decorator:
    """Apply decorators in the order in which they are written."""

    def decorate(command: Any) -> Any:
        for decorator in reversed(decorators):
            command = decorator(command)
        return command

    return decorate


def _section(section: str) -> Callable[..., Decorator]:
    def option(*declarations: str, **settings: Any) -> Decorator:
        return click.option(*declarations, cls=SectionOption, section=section, **settings)

    return option


_connection = _section("Connection")


def _only(ctx: click.Context, parameter: click.Parameter, given: tuple[Any, ...]) -> Any:
    """Refuse an option that is given twice: either database may be meant."""
    if len(given) > 1:
        raise click.BadParameter("it is given twice: give one", ctx, parameter)
    return given[0] if given else None


#: What makes an option one that can be given once.
ONCE: dict[str, Any] = {"multiple": True, "callback": _only}


connection = together(
    click.argument("positional", nargs=-1, metavar="[CONNECTION] [TABLE]..."),
    _connection(
        "-d", "--dbname", multiple=True, metavar="DBNAME", help="Database name, connection URI or connection string."
    ),
    _connection("-h", "--host", metavar="HOST", help="Host name, or directory of the server's socket.", **ONCE),
    _connection("-p", "--port", metavar="PORT", help="Port of the server.", **ONCE),
    _connection("-U", "--username", "user", metavar="NAME", help="Role to connect as.", **ONCE),
    _connection("-w", "--no-password", "prompt", flag_value="never", help="Never ask for a password."),
    _connection("-W", "--password", "prompt", flag_value="always", help="Ask for a password first."),
    _connection("--conn-id", metavar="ID", help="Airflow connection to use instead.", **ONCE),
)


#: What takes many databases in one run.
databases = together(
    _connection("-a", "--all-databases", is_flag=True, help="All databases of the server; repeat -d for some."),
    _connection(
        "--exclude-database",
        "exclude_databases",
        multiple=True,
        metavar="PATTERN",
        help="Leave this database out, with -a or several -d.",
    ),
)


def _named(*names: str) -> tuple[Decorator, ...]:
    """Return options as the table of options has them."""
    return tuple(_from_table(name, OPTIONS[name]) for name in names if OPTIONS[name].flags != ())


def _from_table(name: str, option: Option) -> Decorator:
    flags = (f"--{name.replace('_', '-')}",) if option.flags is None else option.flags
    declared = {"metavar": option.unit, "help": f"{option.help}{_members(option)}{_default(option)}", **_values(option)}
    return _section(SECTIONS[option.group])(*flags, name, **declared)


def _values(option: Option) -> dict[str, Any]:
    """Return how click reads the values of an option. What is not given is left to the core."""
    match option.rule:
        case NameList():
            return {"multiple": True, "metavar": "PATTERN"}
        case BySequence(shape):
            return {"multiple": True, "metavar": shape}
        case Several(values):
            return {"multiple": True, "type": click.Choice(values), "callback": lambda _, __, given: given or None}
        case Choice(values):
            return {"type": click.Choice(values)}
        case Flag():
            return {"is_flag": True, "default": None}
        case Seconds():
            return {"type": float, "metavar": "SECONDS"}
        case Percentage() | Days():
            return {"type": float}
        case IntegerOr():
            return {"type": _number_or_word, "default": option.of_command}
        case Integer():
            return {"type": int}
    return {}


def _number_or_word(text: str) -> int | str:
    return int(text) if text.isdecimal() else text


def _members(option: Option) -> str:
    return f" One of: {', '.join(option.rule.values)}." if isinstance(option.rule, Several) else ""


def _default(option: Option) -> str:
    default = option.default if option.of_command is None else option.of_command
    is_shown = isinstance(default, int | float | str) and not isinstance(option.rule, Flag)
    return f"  [{str(default).removesuffix('.0')}]" if is_shown else ""


def _exclude(*flags: str, help: str) -> Decorator:  # noqa: A002 - click's own word
    return _section(SECTIONS[Group.SELECTION])(*flags, multiple=True, metavar="PATTERN", help=help)


selection = together(
    *_named("schemas"),
    _exclude("-N", "--exclude-schema", "exclude_schemas", help="Skip sequences in this schema."),
    *_named("tables"),
    _exclude("-T", "--exclude-table", "exclude_tables", help="Skip sequences that feed this table."),
    *_named(*(name for name in names_of(Group.SELECTION, Group.MAPPING) if name not in ("schemas", "tables"))),
    _section(SECTIONS[Group.MAPPING])(
        "--mapping", "mapping_file", metavar="FILE", help="Read further columns from a JSON file."
    ),
)
_judging = _section(SECTIONS[Group.POLICY])
judging = together(
    *_named(*names_of(Group.POLICY)),
    _judging(
        "--source",
        **ONCE,
        metavar="URI|REPORT.json",
        help="Other side of a cutover, whose issued ids count too.",
    ),
    _judging(
        "--source-schemas", multiple=True, metavar="HERE=THERE", help="Schema that has another name in the source."
    ),
)
history = _judging(
    "--since",
    type=click.File(encoding="utf-8"),
    multiple=True,
    metavar="FILE",
    help="Earlier report, as JSON, for the forecast of how long sequences last (repeatable).",
)
moving = together(*_named(*names_of(Group.MOVING)))
limits = together(*_named(*names_of(Group.LIMITS, Group.RUN)))

_moving = _section(SECTIONS[Group.MOVING])
repairing = together(
    _moving(
        "--plan",
        "plan_file",
        **ONCE,
        type=click.File(encoding="utf-8"),
        metavar="FILE",
        help="Apply a plan made by plan --format json; - is stdin.",
    ),
    _moving("--dry-run", is_flag=True, help="Same as the command plan."),
    _moving("-y", "--yes", is_flag=True, help="Do not ask for confirmation."),
)

_output = _section("Output")


def to_file(help: str) -> Decorator:  # noqa: A002 - click's own word
    """Return the option that names a file to write."""
    return _output("-o", "--output", "path", metavar="FILE", help=help, **ONCE)


def output(*forms: str, all_rows: bool = False) -> Decorator:
    """Return the options of what is printed, and where.

    :param forms: What --format takes, the default first.
    """
    return together(
        _output("--format", "form", type=click.Choice(forms), help=f"Output format.  [{forms[0]}]"),
        to_file("Output file; its extension sets the format."),
        *(
            [_output("--all", "all_rows", is_flag=True, help="List sequences that are in sync or skipped too.")]
            if all_rows
            else []
        ),
        _output(
            "--color", type=click.Choice(["auto", "always", "never"]), default="auto", help="Colour the table.  [auto]"
        ),
        _output("-q", "--quiet", is_flag=True, help="Print only errors on stderr."),
        _output("-v", "--verbose", is_flag=True, help="Print details of connection and run on stderr."),
    )
