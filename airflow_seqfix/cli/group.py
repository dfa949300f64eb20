"""`seqfix` itself: what it says without a command, and where its commands are.

They are imported when one is called: `seqfix --version` and `seqfix --help` come at once.
"""

from __future__ import annotations

import click

from airflow_seqfix import __version__
from airflow_seqfix.cli.status import TROUBLE

EPILOG = """\
Exit status: 0 if everything is in sync, or was repaired and verified; 1 if drift remains, or something could not be
read; 2 for invalid arguments, no connection, or an unsupported server. A signal (Ctrl-C) ends it as signals do.
"""

#: The commands, in the order in which one uses them, with what the list of them says.
COMMANDS = {
    "check": "Check how each sequence stands. Reads only.",
    "suggest": "Suggest columns for sequences that no default names. Reads only.",
    "plan": "Print what fix would do. Reads only.",
    "fix": "Move sequences that are behind forward, and verify each.",
    "sql": "Print a script for psql that needs no Python.",
    "demo": "Break a database with a load, and repair it in Airflow.",
    "completion": "Print shell completion.",
}


class Group(click.Group):
    """A group whose commands are in a module that is imported for the first of them."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        from airflow_seqfix.cli import commands

        command = getattr(commands, cmd_name)
        assert isinstance(command, click.Command)
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        name = args[0]
        if name not in COMMANDS and not name.startswith("-"):
            import difflib

            near = difflib.get_close_matches(name, COMMANDS) or list(COMMANDS)
            raise click.UsageError(f"there is no command {name!r}: did you mean {' or '.join(near)}?", ctx)
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))


@click.group(
    cls=Group,
    epilog=EPILOG,
    context_settings={"max_content_width": 100},
    invoke_without_command=True,
    subcommand_metavar="COMMAND [ARGS]...",
)
@click.version_option(__version__, "-V", "--version", message="seqfix %(version)s")
@click.pass_context
def seqfix(ctx: click.Context) -> int:
    """Find PostgreSQL sequences that have fallen behind their tables, and move them forward."""
    if ctx.invoked_subcommand is None:
        click.echo(ctx.get_help(), err=True)
    # Subcommands return their own status.
    return TROUBLE
