"""One run of a command: what was asked for, checked before anything is opened."""

from __future__ import annotations

import contextlib
import datetime
import shlex
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar, cast

from airflow_seqfix.cli.connecting import Address
from airflow_seqfix.cli.databases import Databases
from airflow_seqfix.cli.mapping_file import with_file
from airflow_seqfix.cli.messages import Messages
from airflow_seqfix.cli.output import Output
from airflow_seqfix.cli.positional import read_mapping, read_ranges, sort_positional, understand
from airflow_seqfix.cli.progress import shown_progress
from airflow_seqfix.cli.source import read_schemas, read_source
from airflow_seqfix.options import NAME_OPTIONS, Options

if TYPE_CHECKING:
    from airflow_seqfix.core import Report
    from airflow_seqfix.core.database.sessions import Sessions
    from airflow_seqfix.core.model import Server, TableInfo
    from airflow_seqfix.core.policy import Limits

#: Which options are whose; all others are the core's.
CONNECTION = ("dbname", "host", "port", "user", "prompt", "conn_id")
SHEET = ("form", "path", "color", "all_rows")
TALK = ("quiet", "verbose")

#: Of how many sequences it is told that a word has found them.
TOLD = 5

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """What a command works with."""

    address: Address
    output: Output
    messages: Messages
    #: The core's options.
    options: dict[str, Any]
    limits: Limits
    #: The tables that were given as plain arguments.
    names: tuple[str, ...]
    #: Many databases of the server; None: the one of the address.
    databases: Databases | None = None

    @classmethod
    def read(cls, positional: tuple[str, ...], given: Mapping[str, Any], *, forms: tuple[str, ...]) -> Run:
        """Sort out what the command line holds, without connecting.

        :param forms: What the command can write, its default first.
        :raises ArgumentError: when an argument is invalid.
        """
        from airflow_seqfix.core import ArgumentError
        from airflow_seqfix.core.discover.names import parse_all
        from airflow_seqfix.core.settings import Settings

        options = dict(given)
        source, schemas = options.pop("source", None), read_schemas(options.pop("source_schemas", ()))
        mine = {name: options.pop(name) for name in (*CONNECTION, *SHEET, *TALK) if name in options}
        target, names, patterns = sort_positional(positional, mine.pop("dbname"))
        databases = Databases.read(
            target, patterns, options.pop("all_databases", None), options.pop("exclude_databases", ())
        )
        messages = Messages(**{name: mine.pop(name) for name in TALK})
        if messages.quiet and messages.verbose:
            raise ArgumentError("--quiet and --verbose: give one of them")
        output = Output.read(forms, **{name: mine.pop(name) for name in SHEET if name in mine})
        options["exclude"] = [
            *options["exclude"],
            *parse_all(options.pop("exclude_tables"), "exclude_table"),
            *parse_all(options.pop("exclude_schemas"), "exclude_schema"),
        ]
        options["mapping"] = with_file(read_mapping(options["mapping"]), options.pop("mapping_file"))
        options["id_range"] = read_ranges(options["id_range"])
        options = {name: value for name, value in options.items() if value is not None}
        # Invalid arguments are reported before anything is opened.
        limits = Settings.parse(cast(Options, options)).limits
        address = Address.read(target, **mine)
        address.on_connected = messages.detail
        if source is not None or schemas:
            options |= {"source": read_source(source), "source_schemas": schemas}
        return cls(
            address=address,
            output=output,
            messages=messages,
            options=options,
            names=names,
            limits=limits,
            databases=databases,
        )

    def refuse_many(self, what: str) -> None:
        """Refuse many databases where the command takes one.

        :param what: What was asked for.
        :raises ArgumentError: that says so.
        """
        from airflow_seqfix.core import ArgumentError

        if self.databases is not None:
            raise ArgumentError(f"{what} takes one database: give one -d without wildcards; check and fix take many")

    @contextlib.contextmanager
    def prepared(self) -> Iterator[None]:
        """Make sure that the output can be written, and suggest -d if a database was given as a table."""
        from airflow_seqfix.core import NothingCheckedError, Report, SelectionError

        with self.output.prepared():
            try:
                yield
            except NothingCheckedError as error:
                # What was skipped, and why. The SQL of a plan would be empty.
                if isinstance(error.report, Report) and self.output.form != "sql":
                    self.output.write_report(error.report)
                raise
            except SelectionError as error:
                is_table = error.missing in self.names and error.option == "tables"
                if is_table and error.missing in self.list_databases():
                    remedy = f"for the database of that name: -d {shlex.quote(str(error.missing))}"
                    if error.candidates and error.candidates.near:
                        remedy = f"{error.candidates} Or, {remedy}"
                    raise error.with_remedy(remedy) from error
                raise

    def outcome(self, work: Callable[..., T], **options: Any) -> T:
        """Call a function of the core on the connection, with progress.

        A report that a lost connection cut short is written all the same, before the error leaves.
        """
        from airflow_seqfix.core import ConnectionFailedError

        try:
            with shown_progress(quiet=self.messages.quiet) as progress:
                return work(self.address, progress=progress, **options)
        except ConnectionFailedError as error:
            if error.report is not None:
                self.announce(error.report)
                self.output.write_report(error.report)
                self.output.keep()
            raise

    def understood(self) -> dict[str, Any]:
        """Return the core's options with what the plain words add; connects where they may be the short form.

        :raises ArgumentError: when they are invalid, or repeat an option.
        """
        from airflow_seqfix.core import ArgumentError

        meant = understand(self.names, self._list_tables)
        if meant.assumed is None:
            return self.options | {"tables": (*self.options["tables"], *meant.options["tables"])}
        if any(self.options[kind] for kind in NAME_OPTIONS):
            raise ArgumentError(f"{meant.assumed}: that already selects a table, leave the other options out")
        self.messages.say(meant.assumed)
        return self.options | meant.options | {"mapping": self.options["mapping"] | meant.options.get("mapping", {})}

    def announce(self, report: Report) -> None:
        """Say what the words on the command line have come to."""
        from airflow_seqfix.render.phrases import count

        seconds = (datetime.datetime.now(datetime.UTC) - report.started_at).total_seconds()
        self.messages.detail(
            f"PostgreSQL {report.server.version}, {count(len(report.rows), 'sequence')} in {seconds:.1f} s"
        )
        for advice in report.server.advice:
            self.messages.detail(advice)
        if self.names:
            for row in report.rows[:TOLD]:
                columns = ", ".join(c.qualified_name for c in row.finding.sequence.counted if not c.is_covered)
                self.messages.say(f"looked at {columns}, fed by {row.finding.sequence.qualified_name}")
            if len(report.rows) > TOLD:
                self.messages.say(f"and at {len(report.rows) - TOLD} more sequences")

    def identify(self) -> Server:
        """Ask the server who it is."""
        from airflow_seqfix.core.discover.catalog import identify

        with self._open_sessions() as sessions:
            return identify(sessions.session)

    def _list_tables(self) -> list[TableInfo]:
        from airflow_seqfix.core.discover.catalog import list_tables

        with self._open_sessions() as sessions:
            return list_tables(sessions.session)

    def list_databases(self, address: Address | None = None) -> list[str]:
        """Ask the server which databases it has.

        :param address: Where to ask; None: in the database of this run.
        """
        from airflow_seqfix.core.discover.catalog import list_databases

        with self._open_sessions(address) as sessions:
            return list_databases(sessions.session)

    def list_schemas(self, address: Address) -> list[str]:
        """Ask a database which schemas have a sequence."""
        from airflow_seqfix.core.discover.catalog import list_schemas

        with self._open_sessions(address) as sessions:
            return list_schemas(sessions.session)

    def _open_sessions(self, address: Address | None = None) -> AbstractContextManager[Sessions]:
        from airflow_seqfix.core.database.sessions import open_sessions

        return open_sessions(address or self.address, self.limits)
