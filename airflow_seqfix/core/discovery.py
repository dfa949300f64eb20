"""The sequences as the catalogs describe them at one moment, and whether they still do."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator

from airflow_seqfix.core.database.sessions import Sessions
from airflow_seqfix.core.discover.catalog import discover, list_tables
from airflow_seqfix.core.discover.extract import with_extracts
from airflow_seqfix.core.discover.mapping import narrow, refuse_incomparable, resolve_mapping
from airflow_seqfix.core.discover.selection import Selected
from airflow_seqfix.core.errors import CatalogError, sqlstate
from airflow_seqfix.core.measure.validation import Versions, versions
from airflow_seqfix.core.model import SequenceInfo
from airflow_seqfix.core.obstacles import ended
from airflow_seqfix.core.progress import Progress, Watcher
from airflow_seqfix.core.settings import Settings

#: How often the catalogs are read where what an entry refers to has vanished meanwhile: "cache lookup failed for …",
#: which the functions that print expressions and types raise, for they do not go by the query's snapshot.
DISCOVERIES = 10
VANISHED = "XX000"


class Discovery:
    """What the catalogs say of the sequences.

    They can change at any time. So their versions are read before they are, and again after the values, as a seqlock's
    reader does.
    """

    def __init__(self, sessions: Sessions, settings: Settings, watcher: Watcher | None = None) -> None:
        self._sessions = sessions
        self._settings = settings
        self._watcher = watcher
        #: What `sequences` is about, where names say it; None: all. A mapping, a range or another side has names of its
        #: own, which may be ambiguous.
        self._places = None if settings.mapping or settings.id_range or settings.source else settings.selection.places
        #: The versions of the catalogs that `sequences` rests on; None: it is to be discovered anew.
        self._versions: Versions | None = None
        #: How long a look at them takes, in seconds.
        self._look = 0.0
        self.sequences: list[SequenceInfo] = []
        self.refresh()

    def refresh(self) -> None:
        """Read the catalogs.

        :raises CatalogError: when that fails.
        :raises SelectionError: when a mapping or a range names something that is not there.
        """
        settings = self._settings
        if self._watcher is not None:
            self._watcher(Progress(phase="discover", total=0))
        with catalogs_read(settings):
            seen, known = self._read()
        refuse_incomparable(known)
        # Together: versions beside what was known before would confirm it.
        self._versions, self.sequences = seen, narrow(known, settings.id_range, settings.mapping)

    def is_current(self) -> bool:
        """Whether the catalogs are as they were when they were read.

        :raises CatalogError: when their versions cannot be read.
        """
        with catalogs_read(self._settings):
            return versions(self._sessions.session, expected=2 * self._look) == self._versions

    def expire(self) -> None:
        """Let it be current no more, whatever the versions are."""
        self._versions = None

    def select(self) -> Selected:
        """Return the sequences that the settings select.

        :raises SelectionError: when a name matches nothing, or nothing is left.
        """
        selection = self._settings.selection
        if self._places is not None and not selection.finds_all(self.sequences):
            # All that there is may be what was meant.
            self._places = None
            self.refresh()
        with catalogs_read(self._settings):
            return selection.apply(self.sequences, lambda: list_tables(self._sessions.session))

    def choose(self, is_meant: Callable[[SequenceInfo], bool]) -> Selected:
        """Return those sequences that are meant."""
        return Selected(
            sequences=[sequence for sequence in self.sequences if is_meant(sequence)],
            excluded=frozenset(),
            named=frozenset(),
        )

    def _read(self) -> tuple[Versions, list[SequenceInfo]]:
        for _ in range(DISCOVERIES - 1):
            try:
                return self._read_once()
            except Exception as error:
                if sqlstate(error) != VANISHED:
                    raise
        return self._read_once()

    def _read_once(self) -> tuple[Versions, list[SequenceInfo]]:
        """Return the versions of the catalogs, and after them what the catalogs say."""
        session, mapping = self._sessions.session, self._settings.mapping
        own_code_only = self._settings.policy.own_code_only
        began = time.monotonic()
        seen = versions(session)
        self._look = time.monotonic() - began
        known = discover(session, own_code_only=own_code_only, places=self._places)
        if mapping:
            ties = resolve_mapping(mapping, known, list_tables(session))
            known = with_extracts(discover(session, ties, own_code_only=own_code_only), ties)
        return seen, known


@contextlib.contextmanager
def catalogs_read(settings: Settings) -> Iterator[None]:
    """Name the cause of a failed read that all sequences need.

    :raises CatalogError: in place of the driver's error.
    """
    try:
        yield
    except Exception as error:
        if sqlstate(error) is None:
            raise
        reason, remedy = ended("read", error, settings.limits)
        raise CatalogError(f"the catalogs could not be read: {reason} ({sqlstate(error)})", remedy=remedy) from error
