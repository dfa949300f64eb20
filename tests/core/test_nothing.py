"""Nothing checked is not ok: no run that has looked at nothing may pass for a database in which all is well."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from airflow_seqfix import core
from tests.support.command import seqfix
from tests.support.psql import reset
from tests.support.servers import Database

#: What the next insert of an application collides with, and no catalog shows.
UNSEEN = "CREATE SEQUENCE orders_seq; CREATE TABLE orders (id bigint PRIMARY KEY); INSERT INTO orders VALUES (9)"


@pytest.mark.parametrize("run", [core.check, core.plan, core.fix], ids=["check", "plan", "fix"])
@pytest.mark.parametrize("driver", ["connect", "psycopg2"])
def test_a_database_without_a_sequence(run: Callable[..., Any], driver: str, newest_db: Database) -> None:
    conn = getattr(newest_db, driver)()
    with pytest.raises(core.NothingCheckedError) as refusal:
        run(conn)
    assert str(refusal.value) == (
        f"nothing was checked: database {newest_db.where} has no sequence: "
        "check whether it is the right one, or set allow_empty"
    )
    run(conn, allow_empty=True)
    conn.close()


@pytest.mark.parametrize("run", [core.check, core.plan, core.fix], ids=["check", "plan", "fix"])
def test_a_database_in_which_everything_is_skipped(run: Callable[..., Any], newest_db: Database) -> None:
    newest_db.execute(UNSEEN)
    with newest_db.connect() as conn, pytest.raises(core.NothingCheckedError) as refusal:
        run(conn)
    assert "all of the 1 sequences selected in database" in str(refusal.value)
    assert "1 because no column draws from it: seqfix suggest says" in str(refusal.value)
    assert [str(row.verdict) for row in refusal.value.report.rows] == ["skipped"]


def test_what_is_named_and_may_be_skipped_is_no_error(newest_db: Database) -> None:
    newest_db.execute(UNSEEN)
    with newest_db.connect() as conn:
        assert core.check(conn, sequences=["orders_seq"], allow_skipped=True).summary["skipped"] == 1
        with pytest.raises(core.NothingCheckedError):
            core.check(conn, schemas=["public"], allow_skipped=True)


@pytest.mark.parametrize("kind", ["schemas", "tables", "columns", "sequences"])
@pytest.mark.parametrize("nothing", [[], set(), iter(())])
def test_an_empty_list_does_not_mean_everything(kind: str, nothing: Any, newest_db: Database) -> None:
    newest_db.execute("CREATE TABLE t (id serial PRIMARY KEY, note text); INSERT INTO t VALUES (5)")
    with newest_db.connect() as conn:
        with pytest.raises(core.ArgumentError, match=f"^{kind}=.*: is empty; give at least one name"):
            core.fix(conn, **{kind: nothing})
        assert core.check(conn, **{kind: "*"}).summary["behind"] == 1
    assert newest_db.value("SELECT last_value FROM t_id_seq") == 1


@pytest.mark.parametrize("made", ["", UNSEEN])
def test_the_command(made: str, newest_db: Database) -> None:
    newest_db.execute(f"{made}; SELECT 1")
    for command in (["check"], ["fix", "--yes"], ["plan"]):
        done = seqfix(*command, newest_db.dsn)
        assert done.returncode == 2, done
        assert f"nothing was checked: {'all of the' if made else 'database'}" in done.stderr
        assert newest_db.name in done.stderr and "--allow-empty" in done.stderr
        assert seqfix(*command, "--allow-empty", newest_db.dsn).returncode == 0


@pytest.mark.parametrize(("made", "said"), [("", "has no sequence;"), (UNSEEN, "has only sequences that are skipped")])
def test_the_script(made: str, said: str, newest_db: Database) -> None:
    newest_db.execute(f"{made}; SELECT 1")
    run = reset(newest_db.dsn)
    assert run.status == 3
    assert f"nothing was checked: database {newest_db.name} on " in run.stderr
    assert said in run.stderr.replace(", has", " has")
    assert reset(newest_db.dsn, allow_empty="on").status == 0
