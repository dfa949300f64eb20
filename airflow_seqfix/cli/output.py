"""Where the data go: stdout or a file, in one of the forms, with or without colour."""

from __future__ import annotations

import contextlib
import os
import shutil
import stat
import sys
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import IO, TYPE_CHECKING

import click

from airflow_seqfix.cli import signals
from airflow_seqfix.cli.messages import is_terminal, say
from airflow_seqfix.cli.option_names import with_options

if TYPE_CHECKING:
    from airflow_seqfix.core import Plan, Report, SeqfixError

#: The least that a table needs.
NARROWEST = 30

#: How many characters are written at once.
BLOCK = 100_000

#: The forms that are not of render.formats.
EXTENSIONS = {".txt": "table", ".sql": "sql"}


@dataclass(slots=True, kw_only=True)
class Output:
    """What is printed, and how."""

    form: str
    path: str | None = None
    color: bool = False
    all_rows: bool = False
    _file: IO[str] | None = field(default=None, init=False)
    _is_kept: bool = field(default=False, init=False)

    @classmethod
    def read(
        cls,
        forms: tuple[str, ...],
        *,
        form: str | None,
        path: str | None,
        color: str,
        all_rows: bool = False,
    ) -> Output:
        """Read the options.

        :param forms: What the command can write, its default first.
        :raises ArgumentError: when a file's name does not say in which form it is to be written.
        """
        from airflow_seqfix.core import ArgumentError
        from airflow_seqfix.render import formats

        path = None if path == "-" else path
        if form is None and path is not None and not _is_device(Path(path)):
            extensions = formats.EXTENSIONS | EXTENSIONS
            form = extensions.get(Path(path).suffix.lower())
            if form not in forms:
                known = ", ".join(extension for extension, form in extensions.items() if form in forms)
                raise ArgumentError(f"--output {path}: its extension is none of {known}; say --format")
        return cls(
            form=form or forms[0], path=path, color=_wants_color(color, is_file=path is not None), all_rows=all_rows
        )

    @contextlib.contextmanager
    def prepared(self) -> Iterator[None]:
        """Make sure that the file can be written before anything else is done; it appears as a whole, or not at all.

        :raises ArgumentError: when it cannot.
        """
        from airflow_seqfix.core import ArgumentError

        if self.path is None:
            yield
            return
        try:
            failure: Exception | None = None
            with _replacing(Path(self.path)) as self._file:
                try:
                    yield
                except Exception as error:
                    if not self._is_kept:
                        raise
                    failure = error
            if failure is not None:
                raise failure
        except OSError as error:
            if self._file is not None:
                raise self._unwritten(error) from None
            raise ArgumentError(f"--output {self.path} cannot be written: {error.strerror}") from None

    def write(self, pieces: Iterable[str]) -> None:
        """Write the data, which need not be one text. A reader that has gone away has read what it wanted."""
        blocks = _blocks(pieces)
        if self._file is not None:
            try:
                self._file.writelines(blocks)
                self._file.flush()
            except OSError as error:
                raise self._unwritten(error) from None
            return
        # None where a shell has closed it.
        if getattr(sys.stdout, "encoding", "utf-8").lower() != "utf-8":
            # What cannot be written is known before a part of it is.
            blocks = iter(["".join(blocks)])
        try:
            for block in blocks:
                self._print(block)
        except BrokenPipeError:
            signals.drop_output()
        except OSError as error:
            signals.drop_output()
            raise self._unwritten(error) from None

    def _print(self, text: str) -> None:
        from airflow_seqfix.core import SeqfixError

        try:
            click.echo(text, nl=False, color=True)
        except UnicodeEncodeError as error:
            if self.form != "table":
                raise SeqfixError(
                    f"stdout is {error.encoding}, which cannot encode {text[error.start]!a}: "
                    "set PYTHONIOENCODING=utf-8, or write to a file with -o"
                ) from None
            click.echo(text.encode(error.encoding, "backslashreplace"), nl=False)

    def _unwritten(self, error: OSError) -> SeqfixError:
        from airflow_seqfix.core import SeqfixError

        if self.path is None:
            return SeqfixError(f"stdout was not written to its end: {error.strerror}")
        return SeqfixError(f"--output {self.path} was not written to its end: {error.strerror}")

    def keep(self) -> None:
        """Let the file appear though an error is on its way: what was written is whole."""
        self._is_kept = True

    def write_report(self, report: Report) -> None:
        table = replace(self, form="table", path=None, color=False)
        self.write_surely(self._pieces(report), table._pieces(report))

    def write_surely(self, pieces: Iterable[str], table: Iterable[str]) -> None:
        """Write the data; where they cannot be, the same as a table on stderr: what was moved is not to be lost."""
        from airflow_seqfix.core import SeqfixError

        try:
            self.write(pieces)
        except SeqfixError:
            say("".join(_blocks(table)), nl=False)
            raise

    def write_plan(self, plan: Plan) -> None:
        self.write((f"{line}\n" for line in plan.sql_lines()) if self.form == "sql" else self._pieces(plan))

    def _pieces(self, content: Report | Plan) -> Iterator[str]:
        if self.form != "table":
            from airflow_seqfix.render.formats import pieces

            yield from pieces(content, self.form, spell=with_options)
            return
        from airflow_seqfix.core import Plan
        from airflow_seqfix.render.layout import wrap
        from airflow_seqfix.render.table import MOST, lines, summary

        is_plan = isinstance(content, Plan)
        report = content.report if isinstance(content, Plan) else content
        is_empty = True
        for line in lines(
            report,
            width=self.width,
            color=self.color,
            all_rows=self.all_rows,
            is_plan=is_plan,
            most=None if self.all_rows or self.width is None else MOST,
            listed_in="--all or --format csv",
            spell=with_options,
        ):
            yield f"{line}\n"
            is_empty = False
        if not is_empty:
            yield "\n"
        yield "\n".join(wrap(summary(report), self.width))

    @property
    def width(self) -> int | None:
        """Where the lines end; None in a pipe and in a file, which nobody has to fit into."""
        if self.path is not None or not is_terminal(sys.stdout):
            return None
        return max(NARROWEST, shutil.get_terminal_size().columns)


def _blocks(pieces: Iterable[str]) -> Iterator[str]:
    """Yield the text in few parts, the last of which ends with a line break."""
    block: list[str] = []
    size, last = 0, ""
    for last in filter(None, pieces):
        block.append(last)
        size += len(last)
        if size >= BLOCK:
            yield "".join(block)
            block, size = [], 0
    yield "".join(block) + ("" if last.endswith("\n") else "\n")


def _wants_color(color: str, *, is_file: bool, environment: Mapping[str, str] = os.environ) -> bool:
    """Whether to colour: the option decides, then NO_COLOR, then FORCE_COLOR, then whether it goes to a terminal."""
    if color != "auto":
        return color == "always"
    if environment.get("NO_COLOR") or is_file:
        return False
    if environment.get("FORCE_COLOR"):
        return True
    return is_terminal(sys.stdout) and environment.get("TERM") != "dumb"


def _is_device(path: Path) -> bool:
    """Whether it is there and is neither a file nor a folder: /dev/null, a named pipe."""
    try:
        kind = stat.S_IFMT(path.stat().st_mode)
    except OSError:
        return False
    return kind not in (stat.S_IFREG, stat.S_IFDIR)


@contextlib.contextmanager
def _replacing(path: Path) -> Iterator[IO[str]]:
    """Open a file that takes the place of `path` when all is written; nothing does when nothing is."""
    if _is_device(path):
        with path.open("w", encoding="utf-8") as file:
            yield file
        return
    # What a link points to is replaced, and not the link.
    path = Path(os.path.realpath(path))
    mode = _mode_of(path)
    # In the same folder: only within a file system is a rename all or nothing.
    with tempfile.NamedTemporaryFile(
        "w", encoding="utf-8", dir=path.parent, prefix=".seqfix-", suffix=".new", delete=False
    ) as file:
        new = Path(file.name)
        try:
            yield file
            file.flush()
            is_empty = file.tell() == 0
        except BaseException:
            new.unlink()
            raise
    if is_empty:
        new.unlink()
    else:
        new.chmod(mode)
        new.replace(path)


def _mode_of(path: Path) -> int:
    """Return the permissions that the file has, or would get."""
    if path.is_dir():
        raise IsADirectoryError(21, "it is a folder")
    if path.exists():
        path.open("a").close()
        return stat.S_IMODE(path.stat().st_mode)
    mask = os.umask(0)
    os.umask(mask)
    return 0o666 & ~mask
