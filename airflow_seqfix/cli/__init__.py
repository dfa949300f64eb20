"""The command `seqfix`. stdout is data, stderr is messages."""

# The status that a shell gives to what Ctrl-C has ended.
INTERRUPTED = 130

try:
    import click

    from airflow_seqfix.cli import signals
    from airflow_seqfix.cli.group import seqfix
    from airflow_seqfix.cli.status import TROUBLE
except KeyboardInterrupt:
    # Nothing has begun: there is nothing to say, and a traceback would say that something is broken.
    raise SystemExit(INTERRUPTED) from None

__all__ = ["main"]


def main(argv: list[str] | None = None) -> int:
    """Run the command and return its exit status. A signal that ends it is not caught for good: it ends the process."""
    try:
        return _run(argv)
    except KeyboardInterrupt:
        # Before the signals have their handlers, or after.
        return INTERRUPTED


def _run(argv: list[str] | None) -> int:
    ending: BaseException | None = None
    with signals.as_exceptions() as received:
        try:
            return int(seqfix.main(args=argv, prog_name="seqfix", standalone_mode=False) or 0)
        except BrokenPipeError:
            signals.drop_output()
        except (Exception, signals.Interrupted) as error:
            ending = error
    # Said only now, when a signal's exception does not come again.
    if ending is not None:
        # What comes after a signal comes from it: a thread that was not quite started cannot be joined, say.
        if not received and not isinstance(ending, click.Abort):
            _explain(ending)
            return TROUBLE
        from airflow_seqfix.cli.messages import announce

        announce("interrupted; no sequence has gone back, and running again finishes the work")
        if isinstance(ending.__cause__, KeyboardInterrupt):
            return INTERRUPTED
    if received:
        signals.end_by(received[0])
    return TROUBLE


def _explain(error: BaseException) -> None:
    """Say what went wrong."""
    from airflow_seqfix.cli.messages import announce, say
    from airflow_seqfix.cli.option_names import as_error
    from airflow_seqfix.core.errors import SeqfixError
    from airflow_seqfix.secrets import masked

    match error:
        case click.ClickException():
            if isinstance(error, click.UsageError) and error.ctx is not None:
                say(error.ctx.get_usage())
                say(f"Try '{error.ctx.command_path} --help'.\n")
            announce(masked(error.format_message()))
        case SeqfixError():
            announce(masked(as_error(error)))
        case OSError(filename=None):
            # --help, say, into a file on a full disk.
            signals.drop_output()
            announce(f"stdout was not written to its end: {error.strerror}")
        case _:
            import traceback

            say(masked("".join(traceback.format_exception(error))))
            announce("this should not happen: please report it, with the lines above")
