"""The exit status, for each thing that it says."""

from __future__ import annotations

import pytest

from tests.support.command import seqfix
from tests.support.servers import Database

IN_SYNC = "CREATE TABLE t (id serial)"
BEHIND = f"{IN_SYNC}; INSERT INTO t VALUES (3)"
EXHAUSTED = "CREATE TABLE t (id smallserial); INSERT INTO t VALUES (32767); SELECT setval('t_id_seq', 32767)"
OUTLIER = f"{IN_SYNC}; INSERT INTO t VALUES (999999999)"
SKIPPED = "CREATE SEQUENCE s"
UNREADABLE = f"{BEHIND}; ALTER TABLE t ENABLE ROW LEVEL SECURITY; ALTER TABLE t FORCE ROW LEVEL SECURITY"

#: As a role that may look, and may not move.
AS_READER = "reader"


@pytest.mark.parametrize(
    ("statements", "options", "check", "fix"),
    [
        ("", [], 2, 2),
        ("", ["--allow-empty"], 0, 0),
        (IN_SYNC, [], 0, 0),
        (SKIPPED, [], 2, 2),
        (SKIPPED, ["--allow-empty"], 0, 0),
        (f"{IN_SYNC}; {SKIPPED}", [], 0, 0),
        (f"{IN_SYNC}; {SKIPPED}", ["--fail-on", "undrawn"], 1, 1),
        (BEHIND, [], 1, 0),
        (EXHAUSTED, [], 1, 1),
        (OUTLIER, [], 1, 1),
        (OUTLIER, ["--outliers", "follow"], 1, 0),
        (BEHIND, [AS_READER], 1, 1),
        (UNREADABLE, [AS_READER], 1, 1),
        (UNREADABLE, [AS_READER, "--fail-on", "behind", "--fail-on", "exhausted"], 0, 0),
        (f"{IN_SYNC}; SELECT setval('t_id_seq', 2000000000)", ["--fail-used-pct", "90"], 1, 1),
        (BEHIND, ["-t", "nope"], 2, 2),
        (BEHIND, ["--margin", "-1"], 2, 2),
        (BEHIND, ["--nope"], 2, 2),
    ],
)
def test_each(newest_db: Database, statements: str, options: list[str], check: int, fix: int) -> None:
    newest_db.execute(statements)
    dsn = newest_db.dsn
    if AS_READER in options:
        role = newest_db.role()
        newest_db.execute(f"GRANT SELECT ON ALL TABLES IN SCHEMA public TO {role}")
        newest_db.execute(f"GRANT SELECT ON ALL SEQUENCES IN SCHEMA public TO {role}")
        dsn = dsn.replace("user=postgres", f"user={role}")
        options = [option for option in options if option != AS_READER]
    for command, status in (("check", check), ("plan", check), ("fix", fix)):
        done = seqfix(command, dsn, *options)
        assert done.returncode == status, (command, done.stdout, done.stderr)
        # What is trouble prints no data; everything else does, and so does the report of what was skipped.
        is_report = "nothing was checked" in done.stderr and command != "plan"
        assert (done.stdout == "") == (status == 2 and not is_report)
    if AS_READER in options or dsn != newest_db.dsn:
        newest_db.execute(f"DROP OWNED BY {role}")


@pytest.mark.parametrize("command", ["check", "plan", "fix"])
def test_no_connection(command: str) -> None:
    done = seqfix(command, "postgresql://u@127.0.0.1:1/x")
    assert (done.returncode, done.stdout) == (2, "")
