"""Settings of the server that a run overrides, and settings that it respects."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Override:
    """A setting that each transaction sets with SET LOCAL."""

    name: str
    #: None: one of the limits, or the name of the run.
    value: str | None
    why: str
    #: The first major that has it.
    since: int = 13
    #: Whether a transaction needs it that reads, that moves.
    reads: bool = True
    moves: bool = True


OVERRIDDEN = (
    Override(
        name="search_path",
        value="pg_catalog, pg_temp",
        why="nothing that a user created can stand in for a built-in function or operator",
    ),
    Override(
        name="quote_all_identifiers",
        value="'off'",
        why="defaults are compared as text, and a plan finds a sequence by its name as read",
    ),
    Override(name="lock_timeout", value=None, why="the run's own: other sessions queue behind a lock request"),
    Override(name="statement_timeout", value=None, why="the run's own, never beyond `run_timeout`"),
    Override(
        name="transaction_timeout",
        value="'0'",
        since=17,
        why="it would end the session, and the whole run with it; each statement has its own limit",
    ),
    Override(
        name="idle_in_transaction_session_timeout",
        value="'10000'",
        why="a client that hangs leaves no transaction open for longer",
    ),
    Override(name="application_name", value=None, why="the run's own: pg_stat_activity shows which run it is"),
    Override(
        name="synchronous_commit",
        value="'local'",
        reads=False,
        why="nobody waits for a sequence while its move waits for a standby; the run waits once, in the end, as this "
        "setting asks",
    ),
    Override(
        name="row_security",
        value="'off'",
        moves=False,
        why="a policy that would hide rows becomes an error instead of a wrong maximum",
    ),
    Override(name="jit", value="'off'", moves=False, why="compiling a catalog query takes longer than running it"),
    Override(
        name="enable_indexscan",
        value="'on'",
        moves=False,
        why="otherwise the furthest value takes a full scan",
    ),
    Override(name="enable_indexonlyscan", value="'on'", moves=False, why="as enable_indexscan"),
)

#: Settings that a run leaves as they are, and why that is safe.
RESPECTED = {
    "default_transaction_isolation": "each transaction sets its own",
    "default_transaction_read_only": "a read-only session stays so: it can check, and cannot repair",
    "default_transaction_deferrable": "it applies to SERIALIZABLE transactions only",
    "idle_session_timeout": "a SET for the session would stay in a pooler; a run pauses only inside a transaction, "
    "which holds nothing",
    "deadlock_timeout": "only a superuser may set it; a move holds one lock, and waits for no other",
    "client_min_messages": "messages are not read, only results and SQLSTATEs",
    "client_connection_check_interval": "set to 1 s if the server has it and runs on Linux",
    "plan_cache_mode": "nothing is prepared",
    "enable_seqscan": "a column without an index is scanned anyway",
    "work_mem": "nothing is sorted",
    "session_replication_role": "reading fires no trigger",
}


def local_settings(values: dict[str, str], server_version: int, *, read_only: bool) -> Iterator[str]:
    """Yield the SET LOCALs of a transaction.

    :param values: The run's own values by setting, as SQL.
    :param server_version: As the drivers give it: 180004.
    """
    for override in OVERRIDDEN:
        if server_version >= override.since * 10000 and (override.reads if read_only else override.moves):
            yield f"SET LOCAL {override.name} = {override.value or values[override.name]}"
