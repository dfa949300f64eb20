"""The options, by the sections in which --help lists them."""

from __future__ import annotations

from collections.abc import Callable
from itertools import groupby
from typing import Any

import click

from airflow_seqfix.rules import CAN_FAIL

Decorator = Callable[[Any], Any]


class Option(click.Option):
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
        return click.option(*declarations, cls=Option, section=section, **settings)

    return option


_connection = _section("Connection")
connection = together(
    click.argument("words", nargs=-1, metavar="[CONNECTION] [TABLE]..."),
    _connection("-d", "--dbname", metavar="DBNAME", help="Database name, connection URI or connection string."),
    _connection("-h", "--host", metavar="HOST", help="Host name, or the folder of the server's socket."),
    _connection("-p", "--port", metavar="PORT", help="Port."),
    _connection("-U", "--username", "user", metavar="NAME", help="Role to connect as."),
    _connection("--conn-id", metavar="ID", help="Instead: the connection that Airflow has under this id."),
)


def _names(*declarations: str, help: str, metavar: str = "PATTERN") -> Decorator:  # noqa: A002 - click's own word
    return _section("Selection")(*declarations, multiple=True, metavar=metavar, help=help)


selection = together(
    _names("-n", "--schema", "schemas", help="Only what lies in this schema, or feeds a table in it."),
    _names("-N", "--exclude-schema", "exclude_schemas", help="Leave alone what lies in this schema."),
    _names("-t", "--table", "tables", help="Only what feeds this table."),
    _names("-T", "--exclude-table", "exclude_tables", help="Leave alone what feeds this table."),
    _names("--column", "columns", help="Only what feeds this column."),
    _names("--sequence", "sequences", help="Only this sequence."),
    _names("--exclude", "exclude", help="Leave alone this sequence, table or column."),
    _names("--map", "mapping", metavar="SEQ=TABLE.COLUMN[,...]", help="The sequence feeds these columns too."),
    _names("--id-range", metavar="SEQ=LOW:HIGH", help="Only these values are the sequence's own."),
    _section("Selection")("--allow-empty", is_flag=True, help="The selection may match no sequence."),
    _section("Selection")("--allow-skipped", is_flag=True, help="What is named may turn out not to be checkable."),
)

_judging = _section("What counts")
judging = together(
    _judging("--margin", type=int, metavar="STEPS", help="Stay this far beyond the furthest value.  [0]"),
    _judging("--max-jump", type=int, metavar="VALUES", help="Take a value further away for an outlier.  [10000000]"),
    _judging("--accept-outlier", is_flag=True, default=None, help="Follow an outlier."),
    _judging("--interleaved", is_flag=True, default=None, help="Only values on the sequence's own steps count."),
    _judging("--foreign", is_flag=True, default=None, help="Read foreign tables too, on their own servers."),
    _judging("--unknown", type=click.Choice(["fail", "warn"]), help="What cannot be read: exit 1, or list it.  [fail]"),
    _judging("--warn-used-pct", type=float, metavar="PERCENT", help="Call it exhausting from here on.  [75]"),
    _judging("--fail-used-pct", type=float, metavar="PERCENT", help="Exit 1 from this share of used values on."),
    _judging("--min-remaining", type=int, metavar="VALUES", help="Exit 1 with fewer values left than this."),
    _judging(
        "--fail-on",
        type=click.Choice(CAN_FAIL),
        multiple=True,
        callback=lambda _context, _option, given: list(given) or None,
        metavar="VERDICT",
        help="Exit 1 with this verdict, and no other that is not named.",
    ),
)

_limits = _section("Limits")
limits = together(
    _limits("--lock-timeout", type=float, metavar="SECONDS", help="Wait so long for a lock.  [0.1]"),
    _limits("--statement-timeout", type=float, metavar="SECONDS", help="Let a statement run so long.  [60]"),
    _limits("--run-timeout", type=float, metavar="SECONDS", help="Let the whole run take so long.  [300]"),
    _limits("--wait-for-writers", type=float, metavar="SECONDS", help="Wait so long for open transactions.  [0]"),
    _limits("-j", "--jobs", type=int, metavar="N", help="Let N connections share the work.  [1]"),
)

_moving = _section("Moving")
moving = together(
    _moving("--lock", type=click.Choice(["auto", "none", "sequence", "guarded"]), help="How to move.  [auto]"),
    _moving("--advance-up-to", type=int, metavar="VALUES", help="Pass such a gap with nextval().  [10000]"),
)
repairing = together(
    _moving(
        "--plan",
        "plan_file",
        type=click.File(encoding="utf-8"),
        metavar="FILE",
        help="Make the moves of a plan (plan --format json; - is stdin), no others.",
    ),
    _moving("--dry-run", is_flag=True, help="Do what plan does."),
    _moving("-y", "--yes", is_flag=True, help="Do not ask."),
)

_output = _section("Output")


def to_file(help: str) -> Decorator:  # noqa: A002 - click's own word
    """Return the option that names a file to write."""
    return _output("-o", "--output", "path", metavar="FILE", help=help)


def output(*forms: str, all_rows: bool = False) -> Decorator:
    """Return the options of what is printed, and where.

    :param forms: What --format takes, the default first.
    """
    return together(
        _output("--format", "form", type=click.Choice(forms), help=f"How to write it.  [{forms[0]}]"),
        to_file("Write to a file; its extension says the format."),
        *(
            [_output("--all", "all_rows", is_flag=True, help="Also list what is in sync or skipped.")]
            if all_rows
            else []
        ),
        _output(
            "--color", type=click.Choice(["auto", "always", "never"]), default="auto", help="Colour the table.  [auto]"
        ),
        _output("-q", "--quiet", is_flag=True, help="Say nothing on stderr but errors."),
        _output("-v", "--verbose", is_flag=True, help="Say on stderr where it connects and what it does."),
    )
