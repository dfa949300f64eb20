"""What a role or a database may be set to, and which of it a run does not leave as it is."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Override:
    """A setting that a transaction of ours brings itself, with SET LOCAL."""

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
        why="defaults are told apart by how they are written, and a plan finds a sequence by its name as it was read",
    ),
    Override(name="lock_timeout", value=None, why="the run's own: everybody queues behind a lock that is waited for"),
    Override(name="statement_timeout", value=None, why="the run's own, and never beyond `run_timeout`"),
    Override(
        name="transaction_timeout",
        value="'0'",
        since=17,
        why="it would end the session, and the whole run with it; each statement has its own limit",
    ),
    Override(
        name="idle_in_transaction_session_timeout",
        value="'10000'",
        why="a client that hangs leaves no transaction open for longer than this",
    ),
    Override(name="application_name", value=None, why="the run's own: who reads pg_stat_activity sees who it is"),
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
    Override(name="jit", value="'off'", moves=False, why="compiling a query of the catalogs takes longer than it runs"),
    Override(
        name="enable_indexscan",
        value="'on'",
        moves=False,
        why="without an index the furthest value is looked for in all rows",
    ),
    Override(name="enable_indexonlyscan", value="'on'", moves=False, why="as enable_indexscan"),
)

#: What a run leaves as it is, and why it can.
RESPECTED = {
    "default_transaction_isolation": "each transaction names its own",
    "default_transaction_read_only": "a session that was made read-only does not repair; to check, nothing is written",
    "default_transaction_deferrable": "it counts in SERIALIZABLE transactions alone",
    "idle_session_timeout": "a SET for the session would be left in a pooler; a run that pauses does so inside a "
    "transaction that holds nothing",
    "deadlock_timeout": "a superuser's; a move holds one lock, and waits for none",
    "client_min_messages": "only what a statement returns counts, and its SQLSTATE",
    "client_connection_check_interval": "set to 1 s where the server has it and runs on Linux",
    "plan_cache_mode": "nothing is prepared",
    "enable_seqscan": "a column without an index is read all the same",
    "work_mem": "nothing is sorted",
    "session_replication_role": "no trigger of a table fires when it is read",
}


def local_settings(values: dict[str, str], server_version: int, *, read_only: bool) -> Iterator[str]:
    """Yield the SET LOCALs of a transaction.

    :param values: What is the run's own, as SQL.
    :param server_version: As the drivers give it: 180004.
    """
    for override in OVERRIDDEN:
        if server_version >= override.since * 10000 and (override.reads if read_only else override.moves):
            yield f"SET LOCAL {override.name} = {override.value or values[override.name]}"
