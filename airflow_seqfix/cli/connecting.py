"""Where to connect: what libpq takes, or one of Airflow's connections. No message holds a password."""

from __future__ import annotations

import contextlib
import getpass
import os
import re
import sys
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from airflow_seqfix.cli.messages import is_terminal
from airflow_seqfix.secrets import masked, remember, remember_connection, remember_fields, shown
from airflow_seqfix.splitting import unquoted

if TYPE_CHECKING:
    from airflow_seqfix.core import Connection

#: What an error says of a connection, and what of a value may be shown though it is no plain word.
KEPT = {"service": "", "host": "", "port": "", "dbname": "", "user": "@"}


def is_connection(word: str) -> bool:
    return "://" in word or "=" in word


def looks_like_one(word: str) -> bool:
    """Whether a word was meant as a URI: nothing else holds an @ or a colon outside double quotes."""
    return any(mark in unquoted(word) for mark in "@:")


@dataclass(slots=True)
class Address:
    """Opens connections to one database; calling it opens one."""

    #: libpq's parameters; what is not here comes from its environment.
    parameters: dict[str, Any] = field(default_factory=dict)
    #: The connection that Airflow has under this id, instead.
    conn_id: str | None = None
    #: When to ask for a password: "always" first, "never", or None: where the server wants one, and a person is there.
    prompt: str | None = None
    #: Another database than that connection's.
    database: str | None = None
    #: Where it leads to, once a connection has been opened.
    reached: str = ""
    #: Called with one line when the first connection has been opened.
    on_connected: Callable[[str], None] = lambda line: None

    @classmethod
    def read(
        cls, target: str | None, *, conn_id: str | None = None, prompt: str | None = None, **given: str | None
    ) -> Address:
        """Read a URI, a connection string or a database's name.

        :param given: libpq's parameters that were given one by one. As in psql, what the string says goes first.
        :raises ArgumentError: when it cannot be read; it is not quoted, because a part of it may be a password.
        """
        from airflow_seqfix.core import ArgumentError

        parts: dict[str, Any] = {name: value for name, value in given.items() if value}
        if conn_id:
            if target or parts or prompt == "always":
                raise ArgumentError("--conn-id is a whole connection: leave the other one out")
            return cls(conn_id=conn_id)
        remember(os.environ.get("PGPASSWORD", ""))
        parts |= _parse(target or "")
        for name, value in parts.items():
            if re.search("[\ud800-\udfff]", str(value)):
                raise ArgumentError(f"the connection's {name} is not text in UTF-8")
        if not re.fullmatch(r"[\d,]*", str(parts.get("port", ""))):
            raise ArgumentError(
                "the connection's port is not a number: give postgresql://user@host:port/dbname, and write %2F for a / "
                "in the password"
            )
        return cls(parameters=parts, prompt=prompt)

    def on(self, database: str) -> Address:
        """Return the address of another database of the same server."""
        if self.conn_id:
            return replace(self, database=database, reached="")
        # A password that was asked for is that of all of them.
        prompt = None if self.prompt == "always" and self.reached else self.prompt
        return replace(self, parameters=self.parameters | {"dbname": database}, reached="", prompt=prompt)

    @property
    def dbname(self) -> str:
        """The database that it is of, where it was said."""
        return str(self.database or self.parameters.get("dbname", ""))

    def to_list_databases(self) -> Address:
        """Return where the server's databases are listed: as named, else in the one that every server has."""
        said = {"PGDATABASE", "PGSERVICE"} & os.environ.keys() or {"dbname", "service"} & self.parameters.keys()
        return self if said or self.conn_id else self.on("postgres")

    def __call__(self) -> Connection:
        connection = self._through_airflow() if self.conn_id else self._through_libpq()
        if not self.reached:
            self.reached = _where(connection)
            info: Any = connection.info
            self.on_connected(f"connected to {self.reached}, database {info.dbname}, as {info.user}")
        return connection

    def _through_libpq(self) -> Connection:
        from airflow_seqfix.core import ConnectionFailedError
        from airflow_seqfix.core.database.libpq import bounded

        psycopg = import_psycopg()
        # A database in SQL_ASCII would send bytes that are no text.
        parameters = bounded({"fallback_application_name": "seqfix", "client_encoding": "utf8"} | self.parameters)
        try:
            return self._connect(parameters)
        except psycopg.Error as error:
            remember_connection(error)
            said = " ".join(dict.fromkeys(line.strip() for line in str(error).splitlines() if line.strip()))
            named = (f"{key}={shown(parameters[key], may_hold=KEPT[key])}" for key in KEPT if key in parameters)
            where = " ".join(named)
            raise ConnectionFailedError(
                f"cannot connect{f' to {where}' if where else ''}: {masked(said)}{self._help(said)}"
            ) from None

    def _connect(self, parameters: dict[str, Any]) -> Connection:
        """Connect, and ask for a password first or where the server wants one."""
        psycopg = import_psycopg()
        if self.prompt == "always" and not self.reached:
            self._ask_password(parameters)
        try:
            connection: Connection = psycopg.connect(psycopg.conninfo.make_conninfo(**parameters))
        except psycopg.OperationalError as error:
            is_wanted = error.pgconn is not None and error.pgconn.needs_password
            if not is_wanted or self.prompt or not is_somebody_there():
                raise
            self._ask_password(parameters)
            connection = psycopg.connect(psycopg.conninfo.make_conninfo(**parameters))
        return connection

    def _ask_password(self, parameters: dict[str, Any]) -> None:
        """Ask for the password of all connections, on the terminal and without showing it."""
        from airflow_seqfix.core import ArgumentError

        if not is_somebody_there():
            raise ArgumentError("--password asks on a terminal, and there is none: set PGPASSWORD or PGPASSFILE")
        password = getpass.getpass(f"Password{_for_user(parameters)}: ")
        remember(password)
        self.parameters["password"] = parameters["password"] = password

    def _help(self, said: str) -> str:
        if "permission denied for database" in said:
            database, user = (_quoted(self.parameters.get(name)) for name in ("dbname", "user"))
            return f"; GRANT CONNECT ON DATABASE {database} TO {user};"
        if "no password supplied" in said:
            return "; set PGPASSWORD, or put the password into a file as PGPASSFILE (~/.pgpass)"
        if not self.parameters and "PGHOST" not in os.environ and "PGSERVICE" not in os.environ:
            return "; no connection is given: postgresql://user@host/dbname, or -h and -d, or PGHOST and PGDATABASE"
        return ""

    def _through_airflow(self) -> Connection:
        from airflow_seqfix.core import ArgumentError

        assert self.conn_id is not None
        # Before 3.3 Airflow logs to stdout when it is imported, and stdout is for the report. Only the first connection
        # is opened by one thread alone.
        with contextlib.nullcontext() if self.reached else contextlib.redirect_stdout(sys.stderr):
            try:
                from airflow.models.connection import Connection as Stored

                from airflow_seqfix.task.connection import connect
                from airflow_seqfix.task.sdk import AirflowNotFoundException
            except ImportError as error:
                raise ArgumentError(
                    f"--conn-id needs Airflow and its PostgreSQL provider ({error}): pip install airflow-seqfix into "
                    "Airflow's own environment, or give the connection as a URI"
                ) from None
            stored = None
            # Outside a task the hook would not look into Airflow's own database; who has no such id is told by
            # connect().
            with contextlib.suppress(AirflowNotFoundException):
                stored = Stored.get_connection_from_secrets(self.conn_id)
                remember(stored.password)
                remember_fields(stored.extra_dejson.items())
            return connect(self.conn_id, self.database, None, stored)


def is_somebody_there() -> bool:
    """Whether a person can be asked for a password: they see stderr, and stdin is theirs."""
    return is_terminal(sys.stdin) and is_terminal(sys.stderr)


def _quoted(name: object) -> str:
    """Return a name as SQL needs it; … where libpq has taken it from its environment."""
    from psycopg import sql

    return sql.Identifier(str(name)).as_string(None) if name else "…"


def _for_user(parameters: dict[str, Any]) -> str:
    from airflow_seqfix.core.errors import printable

    return f" for user {printable(str(parameters['user']))}" if parameters.get("user") else ""


def import_psycopg() -> Any:
    """Return the driver, which itself needs libpq.

    :raises ArgumentError: where one of them is missing.
    """
    from airflow_seqfix.core import ArgumentError

    try:
        import psycopg
        import psycopg.conninfo
    except ModuleNotFoundError:
        raise ArgumentError("psycopg is not installed: pip install 'psycopg[binary]'") from None
    except ImportError:
        raise ArgumentError(
            "psycopg finds no libpq, PostgreSQL's client library: apt-get install libpq5, dnf install libpq, apk add "
            "libpq, or brew install libpq; or pip install 'psycopg[binary]', which brings it along"
        ) from None
    return psycopg


def _parse(target: str) -> dict[str, Any]:
    from airflow_seqfix.core import ArgumentError

    psycopg = import_psycopg()
    if not is_connection(target):
        if looks_like_one(target):
            raise ArgumentError("a connection URI begins with postgresql://")
        return {"dbname": target} if target else {}
    try:
        given: dict[str, Any] = psycopg.conninfo.conninfo_to_dict(target)
    except UnicodeError:
        raise ArgumentError("the connection is not text in UTF-8") from None
    except psycopg.Error:
        # libpq quotes the part that it cannot read, which may be the password.
        scheme = re.match(r"(\w+)\+?\w*://", target)
        if scheme and scheme[0] not in ("postgresql://", "postgres://"):
            raise ArgumentError(f"{scheme[0]} is not a scheme that libpq knows: write postgresql://") from None
        raise ArgumentError(
            "the connection string cannot be read: give postgresql://user@host:port/dbname, or key=value pairs, and "
            "in a password in a URI write %40 for @, %2F for /, %25 for %"
        ) from None
    remember_fields(given.items())
    # What stands in the wrong place is a part of the password.
    authority, _, path = target.partition("://")[2].partition("?")[0].partition("/")
    if authority.count("@") > 1 or "@" in path:
        raise ArgumentError("the password in the connection URI has an @ or a /: write %40 and %2F for them")
    return {name: value for name, value in given.items() if value}


def _where(connection: Any) -> str:
    """Return host and port, or the socket."""
    info = connection.info
    return f"{info.host}:{info.port}" if info.host else "a local socket"
