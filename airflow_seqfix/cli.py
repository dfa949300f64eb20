"""The command `seqfix`. stdout is data, stderr is talk; exit status 0 in sync, 1 drift, 2 trouble."""

from __future__ import annotations

import argparse
import json
import os
import shutil
import sys
from typing import TYPE_CHECKING, Any

from airflow_seqfix import __version__

if TYPE_CHECKING:
    from airflow_seqfix.core import Connection, Report

IN_SYNC, DRIFT, TROUBLE = 0, 1, 2

#: How wide a table is where stdout is no terminal.
PIPE_WIDTH = 120

EPILOG = """\
exit status: 0 everything is in sync, or was repaired and verified; 1 drift remains, or something could not be read;
2 trouble: bad arguments, no connection, a server that is not supported.

Without -d or a connection string libpq's environment variables apply: PGHOST, PGDATABASE, PGUSER, PGPASSFILE, …
"""


def build_parser() -> argparse.ArgumentParser:
    """Return the parser; the documentation is made from it."""
    parser = argparse.ArgumentParser(
        prog="seqfix",
        description="Find PostgreSQL sequences that have fallen behind their tables, and move them forward.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"seqfix {__version__}")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for name, summary in (
        ("check", "say how each sequence stands; reads only"),
        ("plan", "print what fix would do, as SQL; reads only"),
        ("fix", "move what is behind forward, and verify it"),
    ):
        command = commands.add_parser(name, help=summary, description=summary, epilog=EPILOG)
        command.formatter_class = argparse.RawDescriptionHelpFormatter
        _add_connection(command)
        _add_selection(command)
        _add_policy(command, moves=name != "check")
        command.add_argument("--format", choices=("table", "json"), help="default: table, and SQL for plan")
        if name != "plan":
            command.add_argument("--all", action="store_true", help="also list what is in sync or skipped")
    commands.add_parser("demo", help="break and repair a database of its own, inside a real Airflow")
    return parser


def _add_connection(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "names",
        nargs="*",
        metavar="CONNECTION | TABLE",
        help="a connection URI or string (it holds :// or =), and tables to look at",
    )
    command.add_argument("-d", "--dbname", help="database name, connection URI or connection string")


def _add_selection(command: argparse.ArgumentParser) -> None:
    group = command.add_argument_group(
        "selection", "names as in SQL, or patterns such as app_*; each option can be given several times"
    )
    group.add_argument("-n", "--schema", action="append", default=[], dest="schemas", metavar="NAME")
    group.add_argument("-t", "--table", action="append", default=[], dest="tables", metavar="NAME")
    group.add_argument("--column", action="append", default=[], dest="columns", metavar="NAME")
    group.add_argument("--sequence", action="append", default=[], dest="sequences", metavar="NAME")
    group.add_argument(
        "-T", "--exclude", action="append", default=[], metavar="NAME", help="sequence, table or column to leave alone"
    )
    group.add_argument("--allow-empty", action="store_true", help="a selection may match no sequence")
    group.add_argument("--allow-skipped", action="store_true", help="what is named may not be checkable")


def _add_policy(command: argparse.ArgumentParser, *, moves: bool) -> None:
    group = command.add_argument_group("policy and limits")
    group.add_argument("--margin", type=int, metavar="STEPS", help="steps to stay beyond the furthest value (0)")
    group.add_argument("--max-jump", type=int, metavar="VALUES", help="a value further away is a stray (10000000)")
    group.add_argument("--accept-outlier", action="store_true", default=None, help="follow a stray")
    group.add_argument("--interleaved", action="store_true", default=None, help="judge by the sequence's own steps")
    group.add_argument("--unknown", choices=("fail", "warn"), help="what is not readable: exit 1, or only list it")
    group.add_argument("--fail-used-pct", type=float, metavar="PERCENT", help="exit 1 from this share of used values")
    if moves:
        group.add_argument("--lock", choices=("auto", "none", "sequence", "guarded"), help="how to move (auto)")
        group.add_argument("--advance-up-to", type=int, metavar="VALUES", help="gap to pass with nextval (10000)")
    for name, default in (("lock", 0.1), ("statement", 60), ("run", 300)):
        group.add_argument(f"--{name}-timeout", type=float, metavar="SECONDS", help=f"({default})")


def main(argv: list[str] | None = None) -> int:
    """Run the command and return its exit status."""
    from airflow_seqfix.core import SeqfixError

    arguments = build_parser().parse_args(argv)
    try:
        if arguments.command == "demo":
            from airflow_seqfix.demo import demo

            return demo()
        return _run(arguments)
    except SeqfixError as error:
        print(f"seqfix: {error}", file=sys.stderr)
        return TROUBLE
    except BrokenPipeError:
        # The reader went away: nothing to say, and nobody to say it to.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return TROUBLE
    except KeyboardInterrupt:
        print("seqfix: interrupted; no sequence has gone back, and running again finishes the work", file=sys.stderr)
        return TROUBLE


def _run(arguments: argparse.Namespace) -> int:
    from airflow_seqfix import core
    from airflow_seqfix.core import ArgumentError

    given = {name: value for name, value in vars(arguments).items() if value is not None}
    command, all_rows = given.pop("command"), given.pop("all", False)
    form = given.pop("format", "sql" if command == "plan" else "table")
    positional = given.pop("names")
    connections = [name for name in positional if _is_connection(name)]
    connections += [given.pop("dbname")] if "dbname" in given else []
    if len(connections) > 1:
        raise ArgumentError("two connections are given: leave one of -d and the connection string out")
    given["tables"] = given["tables"] + [name for name in positional if not _is_connection(name)]

    def connect() -> Connection:
        return _connect(connections[0] if connections else "")

    if command == "plan":
        plan = core.plan(connect, **given)
        print(plan.to_sql() if form == "sql" else json.dumps(plan.to_dict(), indent=2))
        report = plan.report
    else:
        report = core.check(connect, **given) if command == "check" else core.fix(connect, **given)
        _print(report, form, all_rows=all_rows)
    return DRIFT if report.failing else IN_SYNC


def _print(report: Report, form: str, *, all_rows: bool) -> None:
    from airflow_seqfix.render.table import summary, table

    if form == "json":
        print(json.dumps(report.to_dict(), indent=2))
        return
    is_terminal = sys.stdout.isatty()
    width = shutil.get_terminal_size((PIPE_WIDTH, 24)).columns if is_terminal else PIPE_WIDTH
    color = is_terminal and "NO_COLOR" not in os.environ
    text = table(report, width=max(60, width), color=color, all_rows=all_rows)
    print(f"{text}\n{summary(report)}" if text else summary(report))


def _is_connection(name: str) -> bool:
    return "://" in name or "=" in name


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
    parameters: dict[str, Any] = {"application_name": "seqfix", "connect_timeout": 10} | {
        k: v for k, v in given.items() if v
    }
    try:
        return psycopg.connect(conninfo.make_conninfo(**parameters))
    except psycopg.Error as error:
        said = " ".join(dict.fromkeys(line.strip() for line in str(error).splitlines() if line.strip()))
        where = " ".join(
            f"{name}={parameters[name]}" for name in ("host", "port", "dbname", "user") if name in parameters
        )
        raise ConnectionFailedError(f"cannot connect{f' to {where}' if where else ''}: {said}") from None
