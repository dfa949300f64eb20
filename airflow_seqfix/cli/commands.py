"""The commands. What they work with is imported where one runs, so that `--help` comes at once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import IO, TYPE_CHECKING, Any

import click

from airflow_seqfix.cli import json_file
from airflow_seqfix.cli.group import EPILOG, seqfix
from airflow_seqfix.cli.options import (
    Command,
    connection,
    databases,
    history,
    judging,
    limits,
    moving,
    output,
    repairing,
    selection,
    to_file,
    together,
)
from airflow_seqfix.cli.status import DRIFT, IN_SYNC
from airflow_seqfix.options import NAME_OPTIONS

if TYPE_CHECKING:
    from airflow_seqfix.cli.confirm import Keyboard
    from airflow_seqfix.cli.run import Run
    from airflow_seqfix.core import Plan, Report

#: How a file of earlier days is made.
REPORT_MADE = "seqfix check --format json makes a report"

#: What a command can write, its default first.
REPORT_FORMS = ("table", "json", "markdown", "html", "csv")
PLAN_FORMS = ("sql", *REPORT_FORMS)
SUGGESTION_FORMS = ("table", "json", "mapping")

ARGUMENTS = """\
CONNECTION is a URI or a connection string: any argument that contains :// or =. What it leaves out comes from libpq's
environment: PGHOST, PGDATABASE, PGUSER, PGPASSFILE, PGSERVICE, …

All other arguments are tables. One table has a short form: TABLE COLUMN [SEQUENCE], if the second argument is a column
of the first and no table. SEQUENCE then feeds that column even if no catalog shows it. How the arguments were read is
printed on stderr.

A PATTERN is a name as in SQL, in double quotes where SQL needs them, or has the wildcards * ? [a-z]: 'app_*',
'public.user*'. Without a schema it matches in every schema.
"""

ASKING = """\
On a terminal fix shows the moves, asks, and then makes exactly those, also where a loop or a pipe is its stdin. In cron
or CI, where stderr is not a terminal, it does not ask. With --yes it never asks.
"""

#: The first character keeps click from filling the lines.
COMPLETING = """\b
bash:  eval "$(seqfix completion bash)"    in ~/.bashrc
zsh:   eval "$(seqfix completion zsh)"     in ~/.zshrc
fish:  seqfix completion fish | source     in ~/.config/fish/config.fish
"""


@click.command(cls=Command, epilog=f"{ARGUMENTS}\n{EPILOG}")
@together(connection, databases, selection, judging, history, limits, output(*REPORT_FORMS, all_rows=True))
def check(positional: tuple[str, ...], since: Sequence[IO[str]], **given: Any) -> int:
    """Check how each sequence stands. Reads only."""
    from airflow_seqfix import core
    from airflow_seqfix.cli.run import Run

    run = Run.read(positional, given, forms=REPORT_FORMS)
    if run.databases is not None:
        from airflow_seqfix.cli import fleet

        _refuse_history(since)
        return fleet.check(run)
    run.options["since"] = _read_reports(since)
    with run.prepared():
        options = run.understood()
        report = run.outcome(core.check, **options)
        run.announce(report)
        run.output.write_report(report)
    return IN_SYNC if report.ok else DRIFT


@click.command(cls=Command, epilog=f"{ARGUMENTS}\n{EPILOG}")
@together(connection, selection, limits, output(*SUGGESTION_FORMS))
def suggest(positional: tuple[str, ...], **given: Any) -> int:
    """Suggest columns for sequences that no default names. Reads only."""
    from airflow_seqfix import core
    from airflow_seqfix.cli.run import Run
    from airflow_seqfix.render.suggestions import render

    run = Run.read(positional, given, forms=SUGGESTION_FORMS)
    run.refuse_many("suggest")
    with run.prepared():
        found = core.suggest(run.address, **run.understood())
        run.output.write([render(found, run.output.form, width=run.output.width)])
    return IN_SYNC


@click.command(cls=Command, epilog=f"{ARGUMENTS}\n{EPILOG}")
@together(connection, selection, judging, history, moving, limits, output(*PLAN_FORMS))
def plan(positional: tuple[str, ...], since: Sequence[IO[str]], **given: Any) -> int:
    """Print what fix would do. Reads only."""
    return _print_plan("plan", positional, since, given)


@click.command(cls=Command, epilog=f"{ARGUMENTS}\n{ASKING}\n{EPILOG}")
@together(
    connection,
    databases,
    selection,
    judging,
    history,
    moving,
    repairing,
    limits,
    output(*REPORT_FORMS, "sql", all_rows=True),
)
def fix(
    positional: tuple[str, ...],
    plan_file: IO[str] | None,
    since: Sequence[IO[str]],
    dry_run: bool,
    yes: bool,
    **given: Any,
) -> int:
    """Move sequences that are behind forward, and verify each."""
    from airflow_seqfix import core
    from airflow_seqfix.cli import confirm, fleet
    from airflow_seqfix.cli.messages import announce
    from airflow_seqfix.cli.run import Run
    from airflow_seqfix.core import ArgumentError

    if dry_run:
        if plan_file or yes:
            raise ArgumentError(f"--dry-run changes nothing: leave {'--plan' if plan_file else '--yes'} out")
        del given["all_rows"]
        return _print_plan("--dry-run", positional, since, given)
    if given["form"] == "sql":
        raise ArgumentError("--format sql is for plan, and for --dry-run")
    run = Run.read(positional, given, forms=REPORT_FORMS)
    if run.databases is not None:
        if plan_file:
            raise ArgumentError("a plan is of one database", option="plan", remedy="leave -a and the second -d out")
        _refuse_history(since)
        return fleet.fix(run, yes=yes)
    run.options["since"] = _read_reports(since)
    stored = _read_plan(plan_file, run) if plan_file else None
    with run.prepared():
        options = run.understood()
        report: Report | None
        keys = None if yes else confirm.keyboard()
        if keys is None:
            report = run.outcome(core.fix, plan=stored, **options)
        elif stored is not None:
            report = _apply_if_confirmed(run, stored, options, keys)
        else:
            report = _fix_if_confirmed(run, options, keys)
        if report is None:
            announce("nothing was moved")
            return DRIFT
        run.announce(report)
        run.output.write_report(report)
    return IN_SYNC if report.ok else DRIFT


@click.command(cls=Command)
@click.option("--check", is_flag=True, help="Print a script that only checks, and cannot write.")
@to_file("Output file.")
def sql(path: str | None, check: bool) -> int:
    """Print a script for psql that checks and repairs without Python."""
    from airflow_seqfix.cli.output import Output
    from airflow_seqfix.sql import reset_sequences

    output = Output.read(("sql",), form="sql", path=path, color="never")
    with output.prepared():
        output.write([reset_sequences(check=check)])
    return IN_SYNC


@click.command()
def demo() -> int:
    """Break a temporary database with a load, and repair it in a temporary Airflow."""
    from airflow_seqfix.demo import demo

    return demo()


@click.command(epilog=COMPLETING)
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
def completion(shell: str) -> None:
    """Print shell completion."""
    from click.shell_completion import get_completion_class

    completes = get_completion_class(shell)
    assert completes is not None
    click.echo(completes(seqfix, {}, "seqfix", "_SEQFIX_COMPLETE").source())


def _print_plan(what: str, positional: tuple[str, ...], since: Sequence[IO[str]], given: dict[str, Any]) -> int:
    from airflow_seqfix import core
    from airflow_seqfix.cli.run import Run

    run = Run.read(positional, given, forms=PLAN_FORMS)
    run.refuse_many(what)
    run.options["since"] = _read_reports(since)
    with run.prepared():
        options = run.understood()
        made = run.outcome(core.plan, **options)
        run.announce(made.report)
        run.output.write_plan(made)
    return DRIFT if made.report.failing else IN_SYNC


def _refuse_history(since: Sequence[IO[str]]) -> None:
    from airflow_seqfix.core import ArgumentError

    if since:
        raise ArgumentError("a report is of one database", option="since", remedy="leave -a and the second -d out")


def _read_reports(since: Sequence[IO[str]]) -> list[dict[str, Any]]:
    return [json_file.read(file, name=file.name, option="since", made=REPORT_MADE) for file in since]


def _read_plan(plan_file: IO[str], run: Run) -> dict[str, Any]:
    """Read a plan.

    :raises ArgumentError: before anything is opened, when it is none, or there is a selection beside it.
    """
    from airflow_seqfix.core import ArgumentError
    from airflow_seqfix.core.repair.plan import StoredPlan

    made = "seqfix plan --format json makes a plan, and the SQL of seqfix plan is for psql -f"
    data = json_file.read(plan_file, name=plan_file.name, option="plan", made=made)
    StoredPlan.read(data)
    if not data["moves"]:
        run.messages.say("the plan has no moves")
    if run.names or any(run.options[kind] for kind in NAME_OPTIONS):
        raise ArgumentError("--plan already says what to move: leave the tables and the selection out")
    return data


def _fix_if_confirmed(run: Run, options: dict[str, Any], keys: Keyboard) -> Report | None:
    """Show the moves and ask; make exactly those, or none and return None."""
    from airflow_seqfix import core
    from airflow_seqfix.cli import confirm

    made = run.outcome(core.plan, **options)
    if not made.moves:
        return made.report
    if not confirm.shown_and_agreed(made, run.address.reached, keys):
        return None
    return confirm.with_rest(_apply(run, made, options), made)


def _apply_if_confirmed(run: Run, stored: dict[str, Any], options: dict[str, Any], keys: Keyboard) -> Report | None:
    """Measure the moves of a stored plan again, show them and ask; make exactly those, or none and return None."""
    from airflow_seqfix import core
    from airflow_seqfix.cli import confirm
    from airflow_seqfix.core.repair.plan import StoredPlan

    # Another database's is refused before a name of it is looked for.
    StoredPlan.read(stored).refuse_other_database(run.identify())
    fresh = run.outcome(core.plan, stored=stored, **_others(options))
    confirm.announce_differences(stored, fresh)
    if not confirm.shown_and_agreed(fresh, run.address.reached, keys):
        return None
    return _apply(run, stored, options)


def _apply(run: Run, plan: Plan | dict[str, Any], options: dict[str, Any]) -> Report:
    from airflow_seqfix import core

    return run.outcome(core.fix, plan=plan, **_others(options))


def _others(options: dict[str, Any]) -> dict[str, Any]:
    """Return the options without the selection, for which a plan stands."""
    return {name: value for name, value in options.items() if name not in NAME_OPTIONS}
