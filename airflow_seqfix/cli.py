"""The command `seqfix`. stdout is data, stderr is talk; exit status 0 in sync, 1 drift, 2 trouble."""

from __future__ import annotations

import json
import os
import re
import shutil
import sys
from collections.abc import Callable
from typing import IO, TYPE_CHECKING, Any

import click

from airflow_seqfix import __version__

if TYPE_CHECKING:
    from airflow_seqfix.core import Connection, Report

IN_SYNC, DRIFT, TROUBLE = 0, 1, 2

#: How wide a table is where stdout is no terminal.
PIPE_WIDTH = 120

EPILOG = """\
CONNECTION is a URI or a connection string: whatever holds :// or =. Every other argument is a table. Without a
connection libpq's environment applies: PGHOST, PGDATABASE, PGUSER, PGPASSFILE, PGSERVICE, …

Exit status: 0 everything is in sync, or was repaired and verified; 1 drift remains, or something could not be read;
2 bad arguments, no connection, or a server that is not supported.
"""


def _options(*decorators: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """Apply decorators in the order in which they are written."""

    def decorate(command: Any) -> Any:
        for decorator in reversed(decorators):
            command = decorator(command)
        return command

    return decorate


def _name(*declarations: str, help: str) -> Callable[[Any], Any]:  # noqa: A002 - click's own word
    return click.option(*declarations, multiple=True, metavar="NAME", help=help)


connection = _options(
    click.argument("words", nargs=-1, metavar="[CONNECTION] [TABLE]..."),
    click.option("-d", "--dbname", metavar="DBNAME", help="Database name, connection URI or connection string."),
)
selection = _options(
    _name("-n", "--schema", "schemas", help="Only this schema. A name as in SQL or a pattern such as 'app_*'."),
    _name("-t", "--table", "tables", help="Only what feeds this table."),
    _name("--column", "columns", help="Only what feeds this column."),
    _name("--sequence", "sequences", help="Only this sequence."),
    _name("-T", "--exclude", "exclude", help="Leave this sequence, table or column alone."),
    click.option(
        "--map", "mapping", multiple=True, metavar="SEQ=TABLE.COLUMN[,...]", help="It feeds these columns too."
    ),
    click.option("--id-range", multiple=True, metavar="SEQ=LOW:HIGH", help="Only these values are the sequence's own."),
    click.option("--allow-empty", is_flag=True, help="The selection may match no sequence."),
    click.option("--allow-skipped", is_flag=True, help="What is named may turn out not to be checkable."),
)
policy = _options(
    click.option("--margin", type=int, metavar="STEPS", help="Stay this far beyond the furthest value.  [0]"),
    click.option("--max-jump", type=int, metavar="VALUES", help="Take a value further away for a stray.  [10000000]"),
    click.option("--accept-outlier", is_flag=True, default=None, help="Follow a stray."),
    click.option("--interleaved", is_flag=True, default=None, help="Judge by values on the sequence's own steps only."),
    click.option("--foreign", is_flag=True, default=None, help="Read foreign tables as well, on their own servers."),
    click.option("--unknown", type=click.Choice(["fail", "warn"]), help="What cannot be read: exit 1, or list it."),
    click.option("--warn-used-pct", type=float, metavar="PERCENT", help="Call it exhausting from here on.  [75]"),
    click.option("--fail-used-pct", type=float, metavar="PERCENT", help="Exit 1 from this share of used values on."),
    click.option("--lock-timeout", type=float, metavar="SECONDS", help="Wait for a lock at most so long.  [0.1]"),
    click.option("--statement-timeout", type=float, metavar="SECONDS", help="Let a statement run so long.  [60]"),
    click.option("--run-timeout", type=float, metavar="SECONDS", help="Let the whole run take so long.  [300]"),
    click.option("--wait-for-writers", type=float, metavar="SECONDS", help="Wait so long for open transactions.  [0]"),
)
moving = _options(
    click.option("--lock", type=click.Choice(["auto", "none", "sequence", "guarded"]), help="How to move.  [auto]"),
    click.option("--advance-up-to", type=int, metavar="VALUES", help="Pass such a gap with nextval().  [10000]"),
)
everything = click.option("--all", "all_rows", is_flag=True, help="Also list what is in sync or skipped.")


def _format(*forms: str) -> Callable[[Any], Any]:
    return click.option("--format", "form", type=click.Choice(forms), default=forms[0], show_default=True)


@click.group(epilog=EPILOG, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, message="seqfix %(version)s")
def seqfix() -> None:
    """Find PostgreSQL sequences that have fallen behind their tables, and move them forward."""


@seqfix.command(epilog=EPILOG)
@_options(connection, selection, policy, _format("table", "json"), everything)
def check(words: tuple[str, ...], dbname: str | None, form: str, all_rows: bool, **options: Any) -> int:
    """Say how each sequence stands. Reads only."""
    from airflow_seqfix import core

    connect, options = _prepare(words, dbname, options)
    return _show(core.check(connect, **options), form, all_rows=all_rows)


@seqfix.command(epilog=EPILOG)
@_options(connection, selection, policy, moving, _format("sql", "json"))
def plan(words: tuple[str, ...], dbname: str | None, form: str, **options: Any) -> int:
    """Print what fix would do. Reads only."""
    from airflow_seqfix import core

    connect, options = _prepare(words, dbname, options)
    made = core.plan(connect, **options)
    click.echo(made.to_sql() if form == "sql" else json.dumps(made.to_dict(), indent=2))
    return DRIFT if made.report.failing else IN_SYNC


@seqfix.command(epilog=EPILOG)
@_options(connection, selection, policy, moving, _format("table", "json"), everything)
@click.option(
    "--plan", "plan_file", type=click.File(), help="Make the moves of a plan (plan --format json), no others."
)
def fix(
    words: tuple[str, ...], dbname: str | None, form: str, all_rows: bool, plan_file: IO[str] | None, **options: Any
) -> int:
    """Move what is behind forward, and verify each."""
    from airflow_seqfix import core

    stored = _read_plan(plan_file) if plan_file else None
    connect, options = _prepare(words, dbname, options)
    return _show(core.fix(connect, plan=stored, **options), form, all_rows=all_rows)


def _read_plan(plan_file: IO[str]) -> Any:
    from airflow_seqfix.core import ArgumentError

    try:
        return json.load(plan_file)
    except ValueError as error:
        raise ArgumentError(f"plan: {plan_file.name} is no JSON ({error})") from None


@seqfix.command()
def demo() -> int:
    """Break a database of its own with a load, and repair it inside a real Airflow."""
    from airflow_seqfix.demo import demo

    return demo()


def main(argv: list[str] | None = None) -> int:
    """Run the command and return its exit status."""
    from airflow_seqfix.core import SeqfixError
    from airflow_seqfix.core.errors import printable

    try:
        return int(seqfix.main(args=argv, prog_name="seqfix", standalone_mode=False) or 0)
    except click.ClickException as error:
        error.show()
        return TROUBLE
    except SeqfixError as error:
        click.echo(f"seqfix: {printable(str(error))}", err=True)
        return TROUBLE
    except click.Abort:
        click.echo("seqfix: interrupted; no sequence has gone back, and running again finishes the work", err=True)
        return TROUBLE
    except BrokenPipeError:
        # The reader went away: nothing to say, and nobody to say it to.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return TROUBLE


def _prepare(
    words: tuple[str, ...], dbname: str | None, options: dict[str, Any]
) -> tuple[Callable[[], Connection], dict[str, Any]]:
    """Tell the connection from the tables, and leave out the options that were not given."""
    from airflow_seqfix.core import ArgumentError

    connections = [word for word in words if _is_connection(word)] + ([dbname] if dbname else [])
    if len(connections) > 1:
        raise ArgumentError("two connections are given: leave one of -d and the connection string out")
    tables = (*options.pop("tables"), *(word for word in words if not _is_connection(word)))
    given = {name: value for name, value in options.items() if value is not None}
    given["tables"] = tables
    mapping: dict[str, list[str]] = {}
    for sequence, columns in (_pair(text, "--map", _columns) for text in given["mapping"]):
        mapping[sequence] = mapping.get(sequence, []) + columns
    ranges = [_pair(text, "--id-range", _bounds) for text in given["id_range"]]
    if len(dict(ranges)) < len(ranges):
        raise ArgumentError("--id-range: a sequence has two ranges; give one")
    given |= {"mapping": mapping, "id_range": dict(ranges)}
    return lambda: _connect(connections[0] if connections else ""), given


def _pair(text: str, option: str, read: Callable[[str], Any]) -> tuple[str, Any]:
    """Read SEQ=VALUE."""
    from airflow_seqfix.core import ArgumentError

    # An = or a comma in double quotes belongs to a name.
    parts = re.fullmatch(r'((?:"[^"]*"|[^"=])+)=(.+)', text, re.DOTALL)
    try:
        if parts is None:
            raise ValueError
        return parts[1], read(parts[2])
    except ValueError:
        shape = "SEQ=TABLE.COLUMN[,...]" if option == "--map" else "SEQ=LOW:HIGH"
        raise ArgumentError(f"{option}: {text!r} is not {shape}") from None


def _columns(text: str) -> list[str]:
    return re.findall(r'(?:"[^"]*"|[^",])+', text)


def _bounds(text: str) -> tuple[int, int]:
    low, high = text.split(":")
    return int(low), int(high)


def _show(report: Report, form: str, *, all_rows: bool) -> int:
    from airflow_seqfix.render.table import summary, table

    if form == "json":
        click.echo(json.dumps(report.to_dict(), indent=2))
    else:
        is_terminal = sys.stdout.isatty()
        width = shutil.get_terminal_size((PIPE_WIDTH, 24)).columns if is_terminal else PIPE_WIDTH
        color = is_terminal and "NO_COLOR" not in os.environ
        rows = table(report, width=max(60, width), color=color, all_rows=all_rows)
        click.echo(f"{rows}\n{summary(report)}" if rows else summary(report))
    return DRIFT if report.failing else IN_SYNC


def _is_connection(word: str) -> bool:
    return "://" in word or "=" in word


def _connect(target: str) -> Connection:
    """Open a connection. What is said when that fails holds no password."""
    import psycopg
    from psycopg import conninfo

    from airflow_seqfix.core import ArgumentError, ConnectionFailedError

    try:
        given = conninfo.conninfo_to_dict(target) if _is_connection(target) else {"dbname": target}
    except psycopg.Error:
        # libpq quotes the part that it cannot read, which may be the password.
        raise ArgumentError(
            "the connection string cannot be read: give postgresql://user@host:port/dbname, or key=value pairs"
        ) from None
    if "://" in target and any("@" in str(given.get(name, ""))[1:] for name in ("host", "port", "dbname")):
        # What stands there is the end of a password.
        raise ArgumentError("the connection URI has an @ or / in its password: write %40 and %2F for them")
    parameters: dict[str, Any] = {"application_name": "seqfix", "connect_timeout": 10}
    parameters |= {name: value for name, value in given.items() if value}
    try:
        return psycopg.connect(conninfo.make_conninfo(**parameters))
    except psycopg.Error as error:
        said = " ".join(dict.fromkeys(line.strip() for line in str(error).splitlines() if line.strip()))
        where = " ".join(f"{key}={parameters[key]}" for key in ("host", "port", "dbname", "user") if key in parameters)
        raise ConnectionFailedError(f"cannot connect{f' to {where}' if where else ''}: {said}") from None
