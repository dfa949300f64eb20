"""The kinds of values that options may have. Light: a DAG file asks them when it is parsed."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Rule:
    """Which values an option may have; here any."""

    @property
    def wanted(self) -> str:
        """The values, as in "give …"."""
        return ""

    def allows(self, value: Any) -> bool:
        return True

    def refusal(self, value: Any) -> str | None:
        """Return what to give instead of a value; None: it is allowed."""
        return None if self.allows(value) else f"give {self.wanted}"


class Flag(Rule):
    wanted = "True or False"

    def allows(self, value: Any) -> bool:
        return isinstance(value, bool)


@dataclass(frozen=True, slots=True)
class Choice(Rule):
    values: tuple[str, ...]

    @property
    def wanted(self) -> str:
        return f"one of {', '.join(self.values)}"

    def allows(self, value: Any) -> bool:
        return value in self.values


@dataclass(frozen=True, slots=True)
class Several(Rule):
    """A list of some of the values."""

    values: tuple[str, ...]

    @property
    def wanted(self) -> str:
        return f"a list of {', '.join(self.values)}"

    def allows(self, value: Any) -> bool:
        is_list = isinstance(value, Collection) and not isinstance(value, str | bytes | Mapping)
        return is_list and all(member in self.values for member in value)


@dataclass(frozen=True, slots=True)
class Integer(Rule):
    least: int
    most: int | None = None

    @property
    def wanted(self) -> str:
        if self.most is None:
            return f"an integer of at least {self.least}"
        return f"an integer from {self.least} to {self.most}"

    def allows(self, value: Any) -> bool:
        return type(value) is int and self.least <= value <= (value if self.most is None else self.most)


@dataclass(frozen=True, slots=True)
class IntegerOr(Rule):
    """An integer, or a word that stands for one that the run finds."""

    integer: Integer
    word: str

    @property
    def wanted(self) -> str:
        return f"{self.integer.wanted}, or {self.word}"

    def allows(self, value: Any) -> bool:
        return value == self.word or self.integer.allows(value)


class Percentage(Rule):
    wanted = "a percentage above 0 and up to 100"

    def allows(self, value: Any) -> bool:
        return _is_number(value) and 0 < value <= 100


class Days(Rule):
    wanted = "a number of days greater than 0"

    def allows(self, value: Any) -> bool:
        return _is_number(value) and value > 0


@dataclass(frozen=True, slots=True)
class Seconds(Rule):
    #: Whether 0 is allowed: it turns the option off.
    zero: bool = False

    @property
    def wanted(self) -> str:
        return "a number of seconds of at least 0" if self.zero else "a number of seconds greater than 0"

    def allows(self, value: Any) -> bool:
        return _is_number(value) and (value > 0 or (self.zero and value == 0))


class LockSeconds(Seconds):
    """A wait for a lock, which others queue behind."""

    wanted = "a number of seconds greater than 0 and at most 1"

    def refusal(self, value: Any) -> str | None:
        if self.allows(value) and value > 1:
            return (
                "at most 1 second, because every insert into the table waits behind a waiting lock; "
                "the lock is asked for again several times instead"
            )
        return Seconds.refusal(self, value)


class Text(Rule):
    wanted = "a text"

    def allows(self, value: Any) -> bool:
        return isinstance(value, str)


class NameList(Rule):
    """Names as written in SQL, or shell-style patterns. The core reads each, and says what is wrong with it."""

    wanted = "a name or pattern, or a list of them"


@dataclass(frozen=True, slots=True)
class BySequence(Rule):
    """A dictionary by the names of sequences, which the core reads."""

    #: The shape of a value, as the command takes it.
    shape: str

    @property
    def wanted(self) -> str:
        return f"a dictionary by sequence ({self.shape} on the command line)"


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
