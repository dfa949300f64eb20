"""Where a session is connected, and as whom."""

from __future__ import annotations

from dataclasses import dataclass

from airflow_seqfix.core.errors import printable
from airflow_seqfix.core.model.quoted import Identifier, StringLiteral


def address(host: str, port: int) -> str:
    """Return host and port, as URIs have them."""
    host = f"[{host}]" if ":" in host else host or "local"
    return f"{printable(host)}:{port}"


def acting(role: str, login: str) -> str:
    """Return the role, and the one that logged in where that is another."""
    return printable(role if role == login else f"{role}, logged in as {login}")


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
    #: The role that logged in: a setting or SET ROLE may have made it another.
    login: str
    #: For whom a setting does that, as ALTER takes it: `DATABASE shop`, `ROLE reader`; None: none that is stored.
    role_set_for: str | None
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
        return f"{self.place} ({self.is_of}, as {self.acts_as})"

    @property
    def acts_as(self) -> str:
        """The role with whose privileges the run goes on, and the one that logged in where that is another."""
        return acting(self.role, self.login)

    @property
    def advice(self) -> list[str]:
        """Say with whose privileges the run goes on, where nobody may have meant it."""
        said = []
        if self.role != self.login:
            how, undo = "SET ROLE", "connect without it"
            if self.role_set_for is not None:
                how, undo = (f"ALTER {self.role_set_for} {verb} role" for verb in ("SET", "RESET"))
            said.append(
                f"role {self.login} logged in, and the run has the privileges of role {self.role} ({how}): "
                f"if that is not wanted, {undo}"
            )
        if self.privileged is not None:
            said.append(
                f"role {self.role} has more rights than it needs ({self.privileged}), and code of the owners of tables "
                "runs with them: see Whom to trust"
            )
        return [printable(advice) for advice in said]

    @property
    def has_state_function(self) -> bool:
        """Whether there is pg_get_sequence_data(): four times faster, because no relation is planned.

        It returns NULL where a plain read raises an error.
        """
        return self.version_num >= 180000
