"""Errors with their remedies in fields, so that no code has to parse a message."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Self

from airflow_seqfix.secrets import masked

#: connection_failure, of the SQL standard: what a report says of all that a lost connection left open.
LOST = "08006"


@dataclass(frozen=True, slots=True)
class Candidates:
    """Existing names, in place of one that was not found."""

    #: Similar names.
    near: tuple[str, ...]
    known: tuple[str, ...]

    def __str__(self) -> str:
        if self.near:
            return f"did you mean {' or '.join(self.near)}?"
        if not self.known:
            return "there are none"
        return f"there are {', '.join(self.known[:10])}{', …' if len(self.known) > 10 else ''}"


class SeqfixError(Exception):
    """The base of every error that this package raises on purpose. Its text holds no password.

    :ivar message: What was found.
    :ivar option: The option or argument at fault, if any.
    :ivar value: Its invalid value; `...`: the value is not at fault.
    :ivar remedy: What helps.
    :ivar allowed_by: The option that allows it.
    """

    #: Whether the same call may succeed later, unchanged.
    retryable = True
    #: The database in which it was found, and its server; None: in none yet.
    where: str | None = None

    def __init__(
        self,
        message: str = "",
        *,
        option: str | None = None,
        value: Any = ...,
        remedy: str | None = None,
        allowed_by: str | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.option = option
        self.value = value
        self.remedy = remedy
        self.allowed_by = allowed_by

    def with_remedy(self, remedy: str) -> Self:
        """Return this error with another remedy."""
        self.remedy = remedy
        return self

    def spelled(self, spell: Callable[[str], str]) -> str:
        """Return the error as a sentence.

        :param spell: How the reader writes an option; an empty string leaves it out.
        """
        subject = spell(self.option) if self.option else ""
        if subject and self.value is not ...:
            subject += f"={self.value!r}"
        remedy = self.remedy or ""
        if self.allowed_by:
            remedy += f", or set {spell(self.allowed_by)}"
        # With an option there is a colon already.
        found = ("; " if self.option else ": ").join(filter(None, (self.message, remedy)))
        said = ": ".join(filter(None, (subject, found)))
        return masked(f"{said} (database {self.where})" if self.where and self.where not in said else said)

    def __str__(self) -> str:
        return self.spelled(str)


class ArgumentError(SeqfixError):
    """An argument has an invalid value; nothing was read or written."""

    retryable = False


class ArgumentTypeError(ArgumentError, TypeError):
    """An argument is of a type that cannot be used, or has a name that does not exist."""


class SelectionError(ArgumentError):
    """The selection names something that does not exist, or selects nothing.

    :ivar missing: The name that was looked for and is not there.
    :ivar candidates: The names that there are.
    """

    def __init__(
        self, message: str, *, missing: str | None = None, candidates: Candidates | None = None, **more: Any
    ) -> None:
        if candidates is not None:
            more.setdefault("remedy", str(candidates))
        super().__init__(message, **more)
        self.missing = missing
        self.candidates = candidates


class NothingCheckedError(SelectionError):
    """No sequence was checked: there is none, or all were skipped."""

    #: The `Report` that lists what was skipped, and why; None where the error was made of a message alone.
    report: Any

    def __init__(self, message: str, report: Any = None, **more: Any) -> None:
        super().__init__(message, **more)
        self.report = report


class UnsupportedServerError(SeqfixError):
    """The server is not a supported PostgreSQL."""

    retryable = False


class CatalogError(SeqfixError):
    """The catalogs could not be read."""


class UnexpectedAnswerError(SeqfixError):
    """The server gave an answer that PostgreSQL never gives; it was not used."""

    def __init__(self, what: str) -> None:
        super().__init__(f"the server answers with {what}, which PostgreSQL never does: connect to PostgreSQL itself")


class ConnectionFailedError(SeqfixError):
    """The connection could not be opened, or was lost.

    :ivar report: The `Report` up to the loss; None if there is nothing to report.
    """

    report: Any = None


class LostBeforeError(ConnectionFailedError):
    """The connection had been lost before anything was sent."""


class FailingError(SeqfixError):
    """Sequences of a report fail. Its children say why; `report.raise_for_failing()` raises the one that fits."""

    retryable = False

    #: The `Report`; None where the error was made of a message alone.
    report: Any

    def __init__(self, message: str, report: Any = None) -> None:
        super().__init__(message)
        self.report = report


class LockTimeoutError(FailingError):
    """A lock was not available in time; a retry may help."""

    retryable = True


class PrivilegeError(FailingError):
    """The role lacks a privilege for every sequence that fails."""


class DriftError(FailingError):
    """Sequences are not in sync, for another reason than the two above."""


class DeadlineError(SeqfixError):
    """`run_timeout` was over before the sequences were known."""


class StoppedError(SeqfixError):
    """Another part of the run has failed, or the caller has gone."""


class CancelledStatementError(SeqfixError):
    """Somebody cancelled a statement, with pg_cancel_backend() for instance."""

    #: As of one that took too long: the server's message tells them apart, in its own language.
    sqlstate = "57014"


def sqlstate(error: BaseException) -> str | None:
    """Return the SQLSTATE of a driver's exception: psycopg 3 and psycopg2 name the attribute differently."""
    return getattr(error, "sqlstate", None) or getattr(error, "pgcode", None)


def is_fatal(error: BaseException) -> bool:
    """Whether the server has ended the session with it: any function can raise the SQLSTATEs of that, and go on."""
    severity = getattr(getattr(error, "diag", None), "severity_nonlocalized", None)
    return severity in ("FATAL", "PANIC")


def printable(text: str) -> str:
    """Return text that stays on its line and moves no cursor: names can hold anything."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def hint(error: BaseException) -> str:
    """Return the server's HINT, or nothing."""
    return getattr(getattr(error, "diag", None), "message_hint", None) or ""


def functions(error: BaseException) -> int:
    """Return how many functions in procedural languages, DO blocks among them, the error came through."""
    # All languages of the server's messages call them so: PL/pgSQL function …
    return (getattr(getattr(error, "diag", None), "context", None) or "").count("PL/")


def first_line(error: BaseException) -> str:
    """Return the server's message without its DETAIL, HINT and CONTEXT."""
    diagnostic = getattr(error, "diag", None)
    message = getattr(diagnostic, "message_primary", None) or str(error).strip()
    return masked(str(message).split("\n", 1)[0]) or type(error).__name__
