"""Whose reads keep a run waiting: they come after those of the others.

Code of a table's owner runs whenever the table is read, and can take as long as a statement may. So the time of the
statements is counted for each owner, and whoever has used least comes first. A statement that reads tables of several
owners is charged to nobody; where it is slow, tables of each of these are read apart from then on.
"""

from __future__ import annotations

import contextlib
import math
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator

from airflow_seqfix.core.database.session import Session
from airflow_seqfix.core.measure.partitions import COLUMNS_AT_ONCE
from airflow_seqfix.core.model import SequenceInfo
from airflow_seqfix.core.model.quoted import Identifier
from airflow_seqfix.core.policy import Limits

#: From how many seconds on a statement is slow. One that reads fifty tables by their indexes takes a few milliseconds.
SLOW = 1.0
#: The part of `statement_timeout` that slow statements of one owner may take together before others come first, and the
#: part of `run_timeout` that the others may.
SHARE = 0.1
#: How many columns one statement reads of what was in none, one and more slow statements.
AT_ONCE = (COLUMNS_AT_ONCE, 7, 1)

#: The owners of the tables that are read for one sequence. Where they are several, nobody knows whose code was slow.
Owners = tuple[Identifier, ...]


class PutOffError(Exception):
    """The statement was not sent: others come first."""


def owners(sequence: SequenceInfo) -> Owners:
    """Return the owners of the tables that are read for a sequence."""
    return tuple(sorted({column.owner for column in sequence.comparable}))


class Patience:
    """How long each owner's tables have kept a run waiting, and for whom it waits on."""

    def __init__(self, limits: Limits) -> None:
        #: For each owner, alone and with others: whose tables draw from one sequence is another's choice as well.
        self._spent: defaultdict[tuple[Identifier, bool], float] = defaultdict(float)
        self._suspected: set[Owners] = set()
        #: In how many slow statements each sequence was, by OID.
        self._tried: Counter[int] = Counter()
        longest = min(limits.statement_timeout, limits.run_timeout)
        #: How much more of that an owner may use in each round, at first.
        self._share = SHARE * longest
        #: Owners who have used more than this are put off; in seconds of slow statements.
        self._limit = self._step = self._share
        #: How many of these a second of other statements counts for.
        self._weight = longest / limits.run_timeout
        #: What was left before the last round, by OID.
        self._left: set[int] = set()
        self._lock = threading.Lock()

    @contextlib.contextmanager
    def reading(self, session: Session, sequences: list[SequenceInfo]) -> Iterator[Callable[[], None]]:
        """Take the session's turn for one statement or several, and count their time.

        Yields a function to call between several: it raises PutOffError when together they have taken too long.

        :raises PutOffError: when others come first. That is known only when it is this statement's turn.
        """
        whose = {owners(sequence) for sequence in sequences}
        with session.turn:
            if not all(map(self._admits, whose)) or (len(whose) > 1 and not self._suspected.isdisjoint(whose)):
                raise PutOffError
            began = time.monotonic()

            def pause() -> None:
                if time.monotonic() - began >= max(session.limits.statement_timeout, self._limit):
                    raise PutOffError

            try:
                yield pause
            finally:
                self._count(time.monotonic() - began, session.limits, sequences, whose)

    def goes_on(self, sequences: Iterable[SequenceInfo]) -> bool:
        """Whether any of what is left is read now."""
        return any(self._admits(owners(sequence)) for sequence in sequences)

    def wait_longer(self, sequences: Collection[SequenceInfo]) -> None:
        """Let some of what was put off be read, for nothing else is left; a single sequence for as long as it takes."""
        left = {sequence.oid for sequence in sequences}
        # What was read in part is read anew: in a round that is too short for it, it would never be done.
        self._step = 2 * self._step if left == self._left else self._share
        self._left = left
        if len(sequences) == 1:
            self._limit = math.inf
        elif not self.goes_on(sequences):
            self._limit = self._step + min(self._spent_by(owners(sequence)) for sequence in sequences)

    def tried(self, sequence: SequenceInfo) -> int:
        """Return in how many slow statements a sequence, or another of its owner, was; up to the last of `AT_ONCE`."""
        # Where each table takes a little, a statement of fifty is slow wherever it begins.
        return min(max(self._tried[sequence.oid], owners(sequence) in self._suspected), len(AT_ONCE) - 1)

    def together(self, sequence: SequenceInfo) -> tuple[int, Owners]:
        """Return what has to be equal of two sequences for one statement to read both; what comes last sorts last."""
        whose = owners(sequence)
        # Whoever is put off would keep those in the same statement waiting for ever.
        return self.tried(sequence), whose if whose in self._suspected or not self._admits(whose) else ()

    def _admits(self, whose: Owners) -> bool:
        return self._spent_by(whose) <= self._limit

    def _spent_by(self, whose: Owners) -> float:
        return max((self._spent[account] for account in _accounts(whose)), default=0.0)

    def _count(self, seconds: float, limits: Limits, sequences: list[SequenceInfo], whose: set[Owners]) -> None:
        is_slow = seconds >= min(SLOW, limits.statement_timeout)
        with self._lock:
            if is_slow:
                self._tried.update(sequence.oid for sequence in sequences)
                self._suspected |= whose
            if len(whose) == 1:
                for account in _accounts(*whose):
                    self._spent[account] += seconds if is_slow else seconds * self._weight


def _accounts(whose: Owners) -> list[tuple[Identifier, bool]]:
    return [(owner, len(whose) > 1) for owner in whose]
