"""What the core says of its arguments is said of options."""

from __future__ import annotations

import pytest

from airflow_seqfix.cli.commands import seqfix as group
from airflow_seqfix.cli.option_names import as_error, option, with_options
from airflow_seqfix.core import Options
from tests.support.command import seqfix
from tests.support.servers import Database
from tests.support.terminal import terminal


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        ("tables: there is no table x", "there is no table x"),
        ("exclude: there is no sequence x", "--exclude: there is no sequence x"),
        ("mapping: 'y' is no column", "--map: 'y' is no column"),
        ("plan: this is no plan", "--plan: this is no plan"),
        ("leave one out, or set allow_empty", "leave one out, or set --allow-empty"),
        ("run_timeout=0: give", "--run-timeout=0: give"),
        ("read only with foreign=True, it is", "read only with --foreign, it is"),
        ('ask for lock="none" or lock="guarded"', "ask for --lock none or --lock guarded"),
        ("margin=-1: give an integer", "--margin=-1: give an integer"),
        ("jobs=0: give an integer", "--jobs=0: give an integer"),
        ("a larger margin=1 of jobs", "a larger margin=1 of jobs"),
    ],
)
def test_errors(said: str, meant: str) -> None:
    assert as_error(said) == meant


def test_every_option_that_is_named_is_there() -> None:
    options = {name for parameter in group.commands["fix"].params for name in parameter.opts}
    assert {option(name) for name in Options.__annotations__.keys() - {"application_name"}} <= options


def test_in_a_table(newest_db: Database) -> None:
    newest_db.execute("CREATE TABLE t (id serial); INSERT INTO t VALUES (1), (999999999)")
    done = seqfix("check", newest_db.dsn)
    assert "  remove the row, or --accept-outlier\n" in done.stdout
    assert "=True" not in done.stdout
    assert with_options("accept_outlier=True") == "--accept-outlier"


def test_on_a_terminal_lines_end_between_words() -> None:
    with terminal("check", "--lock-timeout", "5", columns=60) as shown:
        assert shown.end() == 2
    assert shown.text == (
        "seqfix: --lock-timeout=5.0: at most 1 second, because every\n"
        "insert into the table waits behind a waiting lock; the lock\n"
        "is asked for again several times instead\n"
    )
