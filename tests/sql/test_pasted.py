"""Remedies that begin with SQL: all of the text is pasted into psql, which runs it without an error."""

from __future__ import annotations

import re

import pytest

from airflow_seqfix import core
from airflow_seqfix.core.model.quoted import noted, or_else, statements
from tests.sql.agreement import variables
from tests.support.messages import files, sentences
from tests.support.psql import psql, reset
from tests.support.scenario import Scenario, load_all
from tests.support.servers import Database, server_labels, server_major

SCENARIOS = [scenario for scenario in load_all() if scenario.suits(server_major(server_labels()[0]))]

#: A word that only a statement begins with: a sentence begins with a small letter, or with a name.
SQL = re.compile(r"(?:ALTER|COMMENT|CREATE|DO|DROP|GRANT|REVOKE|SELECT|SET|WITH) |BEGIN; ")


def paste(db: Database, remedies: set[str]) -> None:
    """Run what begins with SQL, as it stands, on a line each."""
    script = "\n".join(sorted(filter(SQL.match, remedies)))
    done = psql(db.dsn, "-q", "-v", "ON_ERROR_STOP=1", script=script)
    assert done.returncode == 0, done.stderr + script


def of_core(report: core.Report) -> set[str]:
    return {row["cure"] for row in report.to_dict()["sequences"] if row["cure"]}


@pytest.mark.parametrize("scenario", [pytest.param(scenario, id=scenario.name) for scenario in SCENARIOS])
def test_every_remedy_of_a_scenario_runs_as_it_stands(scenario: Scenario, newest_db: Database) -> None:
    """Those of the core and of the script; and of a role that may do nothing, then only read."""
    newest_db.execute(scenario.sql)
    role = newest_db.role()
    with newest_db.connect() as conn:
        found = of_core(core.check(conn, **scenario.options))
    of_script = reset(newest_db.dsn, mode="check", **variables(scenario.options)).rows.values()
    found |= {row["cure"] for row in of_script}
    with newest_db.connect(user=role) as conn:
        paste(newest_db, of_core(core.check(conn, **scenario.options)))
        found |= of_core(core.fix(conn, **scenario.options | {"lock": "sequence"}))
    paste(newest_db, found)


def test_no_sentence_of_the_code_goes_on_behind_a_statement() -> None:
    wrong = [
        f"{path.name}:{line}: {text}"
        for path in files()
        for line, text in sentences(path)
        if SQL.match(text) and ";" in text and not re.fullmatch(r"(?:[A-Z]+ [^;]*;\s*)+(?:-- .*)?", text)
    ]
    assert not wrong


@pytest.mark.parametrize(
    ("first", "said"),
    [
        ("GRANT a TO b;", "GRANT a TO b; -- or run again"),
        ("GRANT a TO b; -- or c", "GRANT a TO b; -- or c; or run again"),
        ("run as b", "run as b; or run again"),
    ],
)
def test_a_second_choice_is_a_comment_behind_sql(first: str, said: str) -> None:
    assert or_else(first, "run again") == said


def test_the_statements_of_a_remedy_end_where_its_comment_begins() -> None:
    pasted = """ALTER TABLE "a; -- b" ALTER "C" TYPE bigint; GRANT x TO E'it\\'s; -- '; """
    assert statements(noted(pasted.rstrip(), "max_jump; or ALTER SEQUENCE s RESTART;")) == pasted
    assert statements("run again; GRANT x TO y;") == ""


def test_a_name_with_a_line_break_does_not_end_the_comment(newest_db: Database) -> None:
    """What follows the break would be run by whoever pastes the remedy."""
    newest_db.execute("""
        CREATE TABLE w (id smallserial PRIMARY KEY);
        CREATE TABLE v (id int DEFAULT nextval('w_id_seq') PRIMARY KEY,
            CONSTRAINT "c
DROP TABLE w; --" CHECK (id <= 32767));
        INSERT INTO w VALUES (32767);
        SELECT setval('w_id_seq', 32767)
    """)
    with newest_db.connect() as conn:
        found = of_core(core.check(conn))
    found |= {row["cure"] for row in reset(newest_db.dsn, mode="check").rows.values()}
    assert found and all(SQL.match(remedy) and "DROP TABLE w" in remedy for remedy in found)
    paste(newest_db, found)
    assert newest_db.value("SELECT count(*) FROM w") == 1


def test_the_statements_of_a_remedy_are_found_at_once() -> None:
    assert statements('GRANT x ON "a;""b" TO "c"; -- or z') == 'GRANT x ON "a;""b" TO "c"; '
    assert statements("GRANT x ON " + '""' * 10_000) == ""
