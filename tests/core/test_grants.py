"""The grants of docs/grants.md are enough: its statements are run, and then the work is done."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from airflow_seqfix import core
from tests.support.servers import Database

PAGE = (Path(__file__).parents[2] / "docs" / "grants.md").read_text(encoding="utf-8")
BLOCKS = dict(re.findall(r"^```sql\n-- ([a-z-]+)\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL))


class Roles:
    """A schema of one role, and the other role that the page grants to."""

    def __init__(self, db: Database) -> None:
        self.db, self.owner, self.role = db, db.role(), db.role()
        db.execute(f"""
            CREATE SCHEMA app AUTHORIZATION {self.owner};
            SET ROLE {self.owner};
            CREATE TABLE app.users (id serial PRIMARY KEY, secret text);
            INSERT INTO app.users (id) SELECT generate_series(1, 100)
        """)

    def grant(self, *blocks: str) -> None:
        for block in blocks:
            self.db.execute(BLOCKS[block].replace("seqfix_check", self.role).replace("app_owner", self.owner))

    def check(self) -> str:
        with self.db.connect(user=self.role) as conn:
            (row,) = core.check(conn).rows
        return str(row.verdict)

    def fix(self, **options) -> dict:
        with self.db.connect(user=self.role) as conn:
            (row,) = core.fix(conn, **options).rows
        return row.to_dict()


@pytest.fixture
def roles(db: Database) -> Iterator[Roles]:
    roles = Roles(db)
    yield roles
    db.execute(f"REVOKE {roles.owner} FROM {roles.role}; DROP OWNED BY {roles.role}, {roles.owner} CASCADE")


def test_all_blocks_are_run_here() -> None:
    assert set(BLOCKS) == {"check", "check-schema", "check-all", "repair", "repair-owner"}


@pytest.mark.parametrize("block", ["check", "check-schema", "check-all"])
def test_to_check(roles: Roles, block: str) -> None:
    assert roles.check() == "unknown"
    if block == "check-all" and roles.db.server.version_num < 140000:
        assert not roles.db.value("SELECT count(*) FROM pg_roles WHERE rolname = 'pg_read_all_data'")
        return
    roles.grant(block)
    assert roles.check() == "behind"


def test_to_repair(roles: Roles) -> None:
    roles.grant("check")
    assert roles.fix()["error"]["cure"] == f"GRANT USAGE ON SEQUENCE app.users_id_seq TO {roles.role};"
    roles.grant("repair")
    assert roles.fix()["way"] == "advance"
    assert roles.db.value("INSERT INTO app.users (secret) VALUES ('') RETURNING id") == 101


def test_to_repair_as_the_owner(roles: Roles) -> None:
    roles.grant("repair-owner")
    assert roles.fix(lock="sequence")["verified"]
    assert roles.db.value("INSERT INTO app.users (secret) VALUES ('') RETURNING id") == 101
