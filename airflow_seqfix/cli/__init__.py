"""The command `seqfix`. stdout is data, stderr is talk."""

from __future__ import annotations

import traceback

import click

from airflow_seqfix.cli import signals
from airflow_seqfix.cli.commands import seqfix
from airflow_seqfix.cli.secrets import masked
from airflow_seqfix.cli.status import TROUBLE

__all__ = ["main"]


def main(argv: list[str] | None = None) -> int:
    """Run the command and return its exit status. A signal that ends it is not caught for good: it ends the process."""
    from airflow_seqfix.core import SeqfixError
    from airflow_seqfix.core.errors import printable

    with signals.as_exceptions() as received:
        try:
            return int(seqfix.main(args=argv, prog_name="seqfix", standalone_mode=False) or 0)
        except click.UsageError as error:
            if error.ctx is not None:
                _say(error.ctx.get_usage())
                _say(f"Try '{error.ctx.command_path} --help'.\n")
            _say(f"seqfix: {masked(error.format_message())}")
        except click.ClickException as error:
            _say(f"seqfix: {masked(printable(error.format_message()))}")
        except SeqfixError as error:
            _say(f"seqfix: {masked(printable(str(error)))}")
        except click.Abort:
            _say("seqfix: interrupted; no sequence has gone back, and running again finishes the work")
        except BrokenPipeError:
            signals.drop_output()
        except Exception as error:
            _say(masked("".join(traceback.format_exception(error))))
            _say("seqfix: this should not happen: please report it, with the lines above")
    if received:
        signals.end_by(received[0])
    return TROUBLE


def _say(text: str) -> None:
    click.echo(text, err=True)
