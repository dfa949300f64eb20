"""What docs/reference/command.md and tests/cli/help/ show of the command: python -m tests.support.command_page

The text of the page is written by hand. Two kinds of blocks in it are not: the help of each command, and sessions on a
terminal of 80 columns, which are recorded on the shop of example_dags/.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Callable

from psycopg import conninfo

from airflow_seqfix.cli.group import COMMANDS
from tests.support import ROOT
from tests.support.cluster import running, wheel_binaries
from tests.support.pages import load_shop
from tests.support.servers import WHEELS, Database, Server, database_on
from tests.support.terminal import Terminal, terminal

PAGE = ROOT / "docs" / "reference" / "command.md"
HELP = ROOT / "tests" / "cli" / "help"

COLUMNS = 80

#: The address that the page shows.
ADDRESS = "postgresql://localhost/shop"

_HELP_BLOCK = re.compile(r"```console\n\$ seqfix( \w+)? --help\n.*?^```$", re.MULTILINE | re.DOTALL)
_SESSION = re.compile(
    r"<!-- recorded by tests/support/command_page.py: (\w+) -->\n```{code-block} text\n.*?^```$", re.M | re.S
)


def helps() -> dict[str, str]:
    """Return what --help prints, by command; the command itself is ''."""
    commands = {"": [], **{name: [name] for name in COMMANDS}}
    return {name: _help(words) for name, words in commands.items()}


def _help(words: list[str]) -> str:
    command = [sys.executable, "-m", "airflow_seqfix", *words, "--help"]
    environment = os.environ | {"COLUMNS": str(COLUMNS)}
    return subprocess.run(command, env=environment, check=True, stdout=subprocess.PIPE, text=True).stdout


def _fix(shown: Terminal) -> None:
    shown.wait_for("[y/N]")
    shown.type("y\n")


SESSIONS: dict[str, tuple[list[str], Callable[[Terminal], None]]] = {
    "check": (["check"], lambda shown: None),
    "fix": (["fix"], _fix),
    "again": (["fix"], lambda shown: None),
}


def sessions(server: Server) -> dict[str, str]:
    """Run each session in turn; return what the terminal has shown."""
    with database_on(server) as database:
        with database.connect() as conn:
            load_shop(conn)
        return {name: _record(database, words, answer) for name, (words, answer) in SESSIONS.items()}


def _record(database: Database, words: list[str], answer: Callable[[Terminal], None]) -> str:
    with terminal(*words, database.dsn, columns=COLUMNS) as shown:
        answer(shown)
        shown.end()
    return f"$ seqfix {' '.join(words)} {ADDRESS}\n" + "\n".join(
        line.rstrip() for line in as_shown(shown.text, database).splitlines()
    )


def as_shown(text: str, database: Database) -> str:
    """Return what was printed of a database of a test, as of a shop on the usual port."""
    port = str(conninfo.conninfo_to_dict(database.dsn)["port"])
    text = re.sub(r"PostgreSQL [\d.]+", "PostgreSQL 18", text)
    return text.replace(database.name, "shop").replace(f"127.0.0.1:{port}", "localhost:5432")


def page(helps: dict[str, str], sessions: dict[str, str]) -> str:
    """Return the page with what is shown on it made anew."""

    def help_block(block: re.Match[str]) -> str:
        name = block[1] or ""
        return f"```console\n$ seqfix{name} --help\n{helps[name.strip()].rstrip()}\n```"

    def session(block: re.Match[str]) -> str:
        first, _, _ = block[0].partition("\n")
        return f"{first}\n```{{code-block}} text\n{sessions[block[1]]}\n```"

    return _SESSION.sub(session, _HELP_BLOCK.sub(help_block, PAGE.read_text(encoding="utf-8")))


def main() -> None:
    for name, text in helps().items():
        (HELP / f"{name or 'seqfix'}.txt").write_text(text, encoding="utf-8")
    with running(wheel_binaries(next(iter(WHEELS.values())))) as cluster:
        with cluster.connect() as conn:
            server = Server(cluster.dsn, conn.info.server_version, cluster)
        PAGE.write_text(page(helps(), sessions(server)), encoding="utf-8")


if __name__ == "__main__":
    main()
