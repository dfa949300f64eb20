"""What the core says of its arguments is said of options."""

from __future__ import annotations

import pytest

from airflow_seqfix.cli.commands import fix
from airflow_seqfix.cli.option_names import as_error, option, with_options
from airflow_seqfix.core import ArgumentError, Options, SelectionError, SeqfixError
from tests.support.command import seqfix
from tests.support.servers import Database
from tests.support.terminal import terminal


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (SelectionError("there is no table x", option="tables"), "there is no table x"),
        (SelectionError("there is no sequence x", option="exclude"), "--exclude: there is no sequence x"),
        (ArgumentError("'y' is not a column", option="mapping"), "--map: 'y' is not a column"),
        (ArgumentError("this is not a plan", option="plan", remedy="give one"), "--plan: this is not a plan; give one"),
        (
            SelectionError("nothing", remedy="leave one out", allowed_by="allow_empty"),
            "nothing: leave one out, or set --allow-empty",
        ),
        (ArgumentError(option="run_timeout", value=0, remedy="give more"), "--run-timeout=0: give more"),
        (ArgumentError(option="tables", value=5, remedy="give names"), "give names"),
        (SeqfixError("a column margin=1 of jobs"), "a column margin=1 of jobs"),
    ],
)
def test_errors(error: SeqfixError, said: str) -> None:
    assert as_error(error) == said


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        ("read only with foreign=True, it is", "read only with --foreign, it is"),
        ('ask for lock="none" or lock="guarded"', "ask for --lock none or --lock guarded"),
        ('the table "foreign" with lock=5', 'the table "foreign" with lock=5'),
    ],
)
def test_remedies(said: str, meant: str) -> None:
    assert with_options(said) == meant


def test_every_option_that_is_named_is_there() -> None:
    options = {name for parameter in fix.params for name in parameter.opts}
    assert {option(name) for name in Options.__annotations__.keys() - {"application_name"}} <= options


def test_in_a_table(newest_db: Database) -> None:
    newest_db.execute("CREATE TABLE t (id serial); INSERT INTO t VALUES (1), (999999999)")
    done = seqfix("check", newest_db.dsn)
    assert "--outliers follow" in done.stdout
    assert "outliers=" not in done.stdout
    assert "=True" not in done.stdout
    assert with_options('outliers="follow"') == "--outliers follow"


def test_on_a_terminal_lines_end_between_words() -> None:
    with terminal("check", "--lock-timeout", "5", columns=60) as shown:
        assert shown.end() == 2
    assert shown.text == (
        "seqfix: --lock-timeout=5.0: at most 1 second, because every\n"
        "insert into the table waits behind a waiting lock; the lock\n"
        "is asked for again several times instead\n"
    )
