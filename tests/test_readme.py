"""What README.md shows is what happens."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator

import psycopg
import pytest

from tests.conftest import Database, Server
from tests.readme import README, ROOT, blocks, load_shop
from tests.test_cli import seqfix

ADDRESS = "postgresql://localhost/shop"


@pytest.fixture
def shop(newest_server: Server) -> Iterator[Database]:
    """The database that README.md talks about, just loaded and with one insert tried."""
    with psycopg.connect(newest_server.dsn, autocommit=True) as conn:
        conn.execute("CREATE DATABASE shop TEMPLATE template0")
        database = Database(newest_server, "shop")
        try:
            with database.connect() as loader:
                load_shop(loader)
                with pytest.raises(psycopg.errors.UniqueViolation) as failure:
                    loader.execute("INSERT INTO shop.customers (name) VALUES ('Alan Mathison')")
                database.first_error = failure.value
            yield database
        finally:
            conn.execute("DROP DATABASE shop WITH (FORCE)")


def test_the_error(shop: Database) -> None:
    diagnostic = shop.first_error.diag
    (shown,) = blocks("text")
    assert shown == f"ERROR:  {diagnostic.message_primary}\nDETAIL:  {diagnostic.message_detail}\n"


def test_the_shell_sessions(shop: Database) -> None:
    sessions = blocks("console")
    assert len(sessions) == 2
    for session in sessions:
        command, expected = session.split("\n", 1)
        program, *arguments = shlex.split(command.removeprefix("$ "))
        assert program == "seqfix"
        done = seqfix(*[shop.dsn if argument == ADDRESS else argument for argument in arguments])
        assert done.stdout == expected, command


def test_the_library(shop: Database, capsys: pytest.CaptureFixture[str]) -> None:
    (code,) = [block for block in blocks("python") if "core.check" in block]
    exec(compile(code.replace(ADDRESS, shop.dsn), "README.md", "exec"), {})
    assert capsys.readouterr().out.startswith("4 [")
    assert shop.value("INSERT INTO shop.customers (name) VALUES ('x') RETURNING id") == 13


def test_links_lead_somewhere() -> None:
    targets = re.findall(r"\]\((?!https?:)([^)#]+)", README)
    assert targets
    assert [target for target in targets if not (ROOT / target).exists()] == []


def test_versions_are_the_package_s() -> None:
    metadata = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    shown = re.search(r"Python (\d\.\d+) to (\d\.\d+)", README)
    assert shown
    assert f'requires-python = ">={shown[1]}"' in metadata
    assert f"Programming Language :: Python :: {shown[2]}" in metadata


def test_two_commands_set_everything_up() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    for target in ("demo", "test"):
        assert f"`make {target}`" in README
        assert re.search(rf"^{target}: \$\(READY\)", makefile, re.MULTILINE)
