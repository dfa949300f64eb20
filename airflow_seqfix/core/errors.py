"""What can go wrong, in words that a person can act on."""

from __future__ import annotations

from typing import Any

from airflow_seqfix.secrets import masked


class SeqfixError(Exception):
    """The base of every error that this package raises on purpose. Its text holds no password."""

    def __str__(self) -> str:
        return masked(super().__str__())


class ArgumentError(SeqfixError):
    """An argument has a value that cannot be meant; nothing was read or written."""


class ArgumentTypeError(ArgumentError, TypeError):
    """An argument is of a type that cannot be used, or has a name that does not exist."""


class SelectionError(ArgumentError):
    """The selection names something that does not exist, or selects nothing."""


class UnsupportedServerError(SeqfixError):
    """The server is none that this package can read sequences from."""


class CatalogError(SeqfixError):
    """The catalogs could not be read."""


class UnexpectedAnswerError(SeqfixError):
    """The server answers with what PostgreSQL never does; nothing of that answer was used."""

    def __init__(self, what: str) -> None:
        super().__init__(f"the server answers with {what}, which PostgreSQL never does: connect to PostgreSQL itself")


class ConnectionFailedError(SeqfixError):
    """The connection could not be opened, or was lost on the way."""


class FailingError(SeqfixError):
    """Sequences of a report fail. Its children say why; `report.raise_for_failing()` raises the one that fits."""

    #: The `Report`; None where the error was made of a message alone.
    report: Any

    def __init__(self, message: str, report: Any = None) -> None:
        super().__init__(message)
        self.report = report


class LockTimeoutError(FailingError):
    """A lock could not be had in time; trying again may help."""


class PrivilegeError(FailingError):
    """The role lacks a privilege for every sequence that fails."""


class DriftError(FailingError):
    """Sequences are not in sync, for another reason than the two above."""


class DeadlineError(SeqfixError):
    """`run_timeout` was over before the sequences were known."""


class StoppedError(SeqfixError):
    """Another part of the run has failed, or the caller has gone."""


class CancelledStatementError(SeqfixError):
    """Somebody has cancelled a statement, with pg_cancel_backend() for instance."""

    #: As of one that took too long: the server's message tells them apart, in its own language.
    sqlstate = "57014"


def sqlstate(error: BaseException) -> str | None:
    """Return the SQLSTATE of a driver's exception: psycopg 3 and psycopg2 name the attribute differently."""
    return getattr(error, "sqlstate", None) or getattr(error, "pgcode", None)


def printable(text: str) -> str:
    """Return text that stays on its line and moves no cursor: names can hold anything."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def hint(error: BaseException) -> str:
    """Return the server's HINT, or nothing."""
    return getattr(getattr(error, "diag", None), "message_hint", None) or ""


def first_line(error: BaseException) -> str:
    """Return the server's message without its DETAIL, HINT and CONTEXT."""
    diagnostic = getattr(error, "diag", None)
    message = getattr(diagnostic, "message_primary", None) or str(error).strip()
    return masked(str(message).split("\n", 1)[0]) or type(error).__name__
