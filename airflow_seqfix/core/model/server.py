"""Where a session is connected, and as whom."""

from __future__ import annotations

from dataclasses import dataclass

from airflow_seqfix.core.errors import printable
from airflow_seqfix.core.model.quoted import Identifier, StringLiteral


def address(host: str, port: int) -> str:
    """Return host and port, as URIs have them."""
    host = f"[{host}]" if ":" in host else host or "local"
    return f"{printable(host)}:{port}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """Where the session is connected, and as whom."""

    #: Host name, address or socket directory, and port, as the driver knows them: of a pooler where there is one.
    host: str
    port: int
    #: When the server process began, ISO 8601 in UTC: whatever the address is, no two servers share it.
    server_started_at: str
    version_num: int
    version: str
    database: str
    #: `database` as a string literal, quoted by the server.
    database_literal: StringLiteral
    role: str
    quoted_role: Identifier
    #: What lets the role read everybody's tables, so that code of all their owners runs with its rights; None: nothing.
    privileged: str | None
    in_recovery: bool
    #: Whether a commit of this role waits for a synchronous standby.
    waits_for_standbys: bool
    #: Whether this role may run DO blocks: plpgsql is there, and not revoked. Without them only nextval() moves.
    may_run_blocks: bool

    @property
    def address(self) -> str:
        """Host and port, as URIs have them."""
        return address(self.host, self.port)

    @property
    def is_of(self) -> str:
        """Whether it is a primary or a standby."""
        return "standby" if self.in_recovery else "primary"

    @property
    def place(self) -> str:
        """Database, host and port."""
        return f"{printable(self.database)} on {self.address}"

    @property
    def where(self) -> str:
        """Database, host, port, primary or standby, and role: what tells two reports apart."""
        return f"{self.place} ({self.is_of}, as {printable(self.role)})"

    @property
    def advice(self) -> str | None:
        """Say as whom the code of table owners runs, where that is more than it should."""
        if self.privileged is None:
            return None
        return (
            f"role {self.role} has more rights than it needs ({self.privileged}), and code of the owners of tables "
            "runs with them: see Whom to trust"
        )

    @property
    def has_state_function(self) -> bool:
        """Whether there is pg_get_sequence_data(): four times faster, because no relation is planned.

        It returns NULL where a plain read raises an error.
        """
        return self.version_num >= 180000
