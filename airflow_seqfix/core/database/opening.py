"""How a transaction begins: every setting is SET LOCAL, and sent along with the first statement."""

from __future__ import annotations

import re
from dataclasses import dataclass

from airflow_seqfix.core.database.server_settings import local_settings
from airflow_seqfix.core.policy import Limits

#: What an application_name may not hold, because it is written into a statement.
_NOT_PLAIN = re.compile(r"[^\w .:+=@/-]", re.ASCII)

#: The server looks every second whether its client is still there, and otherwise ends the statement: that of a killed
#: process would go on until `statement_timeout`. Where the operating system cannot tell, the setting is refused.
_WATCH_CLIENT = """
    SELECT set_config('client_connection_check_interval', '1000', true) WHERE version() ~ 'linux'
"""
_WATCHES_CLIENTS = 140000

#: A discovered table can be a view by the time it is read, whose functions would run as this role.
#: Servers from 13.16, 14.13, 15.8, 16.4 and 17 on refuse that; a move leaves it alone, for the sake of event triggers.
_TABLES_ONLY = """
    SELECT set_config('restrict_nonsystem_relation_kind', '{}', true)
     WHERE current_setting('restrict_nonsystem_relation_kind', true) IS NOT NULL
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Opening:
    """How the transactions of one connection begin."""

    limits: Limits
    #: As the drivers give it: 180004.
    server_version: int
    application_name: str
    #: Whether foreign tables may be read.
    foreign: bool

    def of_reads(self, seconds: float, *, one_snapshot: bool = False) -> str:
        """Return the statements before those that only read.

        :param seconds: How long a statement may take.
        :param one_snapshot: Whether all statements see the rows of one moment.
        """
        isolation = "REPEATABLE READ" if one_snapshot else "READ COMMITTED"
        begin = f"BEGIN ISOLATION LEVEL {isolation} READ ONLY;\n{self._settings(seconds, read_only=True)}"
        return f"{begin}{self._watch}{tables_only(foreign=self.foreign)};\n"

    def of_moves(self, seconds: float) -> str:
        """Return the statements before those that write."""
        return f"{self.of_another_move(seconds)}{self._watch}"

    def of_another_move(self, seconds: float) -> str:
        """Return the same where a transaction of the same message has begun that way."""
        # No READ WRITE: a read-only session is respected.
        return f"BEGIN ISOLATION LEVEL READ COMMITTED;\n{self._settings(seconds, read_only=False)}"

    def _settings(self, seconds: float, *, read_only: bool) -> str:
        values = {
            "lock_timeout": milliseconds(self.limits.lock_timeout),
            "statement_timeout": milliseconds(seconds),
            "application_name": "'" + _NOT_PLAIN.sub("?", self.application_name)[:63] + "'",
        }
        return f"{'; '.join(local_settings(values, self.server_version, read_only=read_only))};\n"

    @property
    def _watch(self) -> str:
        return f"{_WATCH_CLIENT};\n" if self.server_version >= _WATCHES_CLIENTS else ""


def tables_only(*, foreign: bool = False) -> str:
    """Return a statement after which the transaction reads no view, and no foreign table unless it may."""
    return _TABLES_ONLY.format(kinds_not_read(foreign=foreign)).strip()


def kinds_not_read(*, foreign: bool) -> str:
    """Return the kinds of relations that are not read, as restrict_nonsystem_relation_kind takes them."""
    return "view" if foreign else "view, foreign-table"


def milliseconds(seconds: float) -> str:
    """Return a timeout as PostgreSQL takes it."""
    # 0 would disable the timeout.
    return str(max(1, round(seconds * 1000)))
