"""Which of a server's databases a run is for."""

from __future__ import annotations

import fnmatch
from dataclasses import dataclass

from airflow_seqfix.cli.connecting import is_connection


@dataclass(frozen=True, slots=True, kw_only=True)
class Databases:
    """Which databases are meant."""

    #: Names, or patterns with * ? [a-z]; none: all.
    wanted: tuple[str, ...] = ()
    excluded: tuple[str, ...] = ()

    @classmethod
    def read(
        cls, target: str | None, wanted: tuple[str, ...], is_all: bool | None, excluded: tuple[str, ...]
    ) -> Databases | None:
        """Read what the command line says; None: one database is meant.

        :raises ArgumentError: when it says two things.
        """
        from airflow_seqfix.core import ArgumentError

        if is_all and (wanted or (target is not None and not is_connection(target))):
            raise ArgumentError("-a and -d: give one of them")
        if not is_all and not wanted:
            if excluded:
                raise ArgumentError("--exclude-database is for -a, or several -d")
            return None
        return cls(wanted=wanted, excluded=excluded)

    def choose(self, known: list[str]) -> list[str]:
        """Return those of the server's databases that are meant.

        :raises SelectionError: when a name or a pattern means none of them.
        """
        from airflow_seqfix.core import SelectionError
        from airflow_seqfix.core.discover.names import Name, did_you_mean

        def meant(option: str, pattern: str) -> set[str]:
            # A name can hold what a pattern is made of.
            found = {pattern} & set(known) or {name for name in known if fnmatch.fnmatchcase(name, pattern)}
            if not found:
                candidates = did_you_mean(Name.parse((pattern,), "schemas"), known)
                raise SelectionError(
                    f"there is no database {pattern} that takes connections and is not a template",
                    option=option,
                    candidates=candidates,
                )
            return found

        chosen = set().union(*(meant("dbname", pattern) for pattern in self.wanted)) if self.wanted else set(known)
        for pattern in self.excluded:
            chosen -= meant("exclude_database", pattern)
        return sorted(chosen)
