"""fix on a terminal: what it shows, what it asks, and that it makes exactly the moves that it has shown."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.command import DRIFT, seqfix
from tests.support.servers import Database
from tests.support.terminal import CTRL_C, CTRL_D, on_a_terminal, terminal

pytestmark = pytest.mark.long

QUESTION = "Move 1 sequence? [y/N]"


def test_shows_where_and_what_and_moves_on_yes(newest_db: Database) -> None:
    newest_db.execute(DRIFT)
    with terminal("fix", newest_db.dsn, columns=100) as shown:
        shown.wait_for(QUESTION)
        version, port = newest_db.value("SHOW server_version"), newest_db.value("SHOW port")
        assert shown.text == (
            f"server    PostgreSQL {version} at 127.0.0.1:{port} (primary)\n"
            f"database  {newest_db.name}\n"
            "role      postgres\n"
            "\n"
            "sequence              next value  then  way      because\n"
            "public.orders_id_seq           1     4  advance  no more than --advance-up-to (10,000) values\n"
            "\n"
            "advance: calls nextval() until past the data; cannot go back, blocks nobody\n"
            "\n"
            f"{QUESTION} "
        )
        assert newest_db.state("orders_id_seq")[:2] == (1, False)
        shown.type("y\n")
        assert shown.end() == 0
        assert "2 sequences in database" in shown.text
        assert "2 in sync (1 fixed and verified)" in " ".join(shown.text.split())
    assert newest_db.state("orders_id_seq")[:2] == (3, True)


@pytest.mark.parametrize("answer", ["n\n", "\n", "sure\n", CTRL_D])
def test_anything_but_yes_moves_nothing(newest_db: Database, tmp_path: Path, answer: str) -> None:
    newest_db.execute(DRIFT)
    with terminal("fix", newest_db.dsn, "-o", str(tmp_path / "report.json")) as shown:
        shown.wait_for(QUESTION)
        shown.type(answer)
        assert shown.end() == 1
        assert shown.text.endswith("seqfix: nothing was moved\n")
    assert newest_db.state("orders_id_seq")[:2] == (1, False)
    assert list(tmp_path.iterdir()) == []


def test_ctrl_c_at_the_question(newest_db: Database) -> None:
    newest_db.execute(DRIFT)
    with terminal("fix", newest_db.dsn) as shown:
        shown.wait_for(QUESTION)
        shown.type(CTRL_C)
        assert shown.end() == -2
        assert "seqfix: interrupted" in shown.text
        assert "Traceback" not in shown.text
    assert newest_db.state("orders_id_seq")[:2] == (1, False)


def test_exactly_what_was_shown_is_moved(newest_db: Database) -> None:
    """What arrives between the question and the answer is not followed, and is reported."""
    newest_db.execute(DRIFT)
    with terminal("fix", newest_db.dsn, columns=160) as shown:
        shown.wait_for(QUESTION)
        newest_db.execute("INSERT INTO orders (id) VALUES (50); INSERT INTO customers (id) VALUES (9)")
        shown.type("y\n")
        assert shown.end() == 1
        assert "it was moved, and the data have gone further meanwhile" in shown.text
    assert newest_db.state("orders_id_seq")[:2] == (3, True)
    assert newest_db.state("customers_id_seq")[:2] == (1, False)


def test_nothing_to_move_is_no_question(newest_db: Database) -> None:
    newest_db.execute("CREATE TABLE orders (id serial)")
    with terminal("fix", newest_db.dsn, columns=200) as shown:
        assert shown.end() == 0
        assert shown.text == f"1 sequence in database {newest_db.where}: 1 in sync\n"


def test_what_nobody_may_move_is_no_question(newest_db: Database) -> None:
    newest_db.execute(DRIFT)
    role = newest_db.role()
    newest_db.execute(f"GRANT SELECT ON ALL TABLES IN SCHEMA public TO {role}")
    newest_db.execute(f"GRANT SELECT ON ALL SEQUENCES IN SCHEMA public TO {role}")
    with terminal("fix", newest_db.dsn, "-U", role, columns=200) as shown:
        # The string's own user goes first.
        shown.wait_for(QUESTION)
    with terminal("fix", newest_db.dsn.replace("user=postgres", f"user={role}"), columns=200) as shown:
        assert shown.end() == 1
        assert "GRANT USAGE ON SEQUENCE public.orders_id_seq" in shown.text
    newest_db.execute(f"DROP OWNED BY {role}")


def test_many_are_cut_short_and_what_stays_is_told(newest_db: Database) -> None:
    newest_db.execute(
        """
        DO $$ BEGIN FOR n IN 1..50 LOOP
            EXECUTE format('CREATE TABLE t%s (id serial); INSERT INTO t%s VALUES (3)', n, n);
        END LOOP; END $$;
        CREATE TABLE outlier (id serial); INSERT INTO outlier VALUES (999999999)
        """
    )
    with terminal("fix", newest_db.dsn) as shown:
        shown.wait_for("Move 50 sequences? [y/N]")
        assert "… and 10 more, which plan lists." in shown.text
        assert "1 more is not in sync and cannot be moved: check says why." in shown.text


def test_no_figure_is_cut_and_a_name_takes_the_room_that_is_left(newest_db: Database) -> None:
    name = "x" * 50
    newest_db.execute(f"CREATE TABLE {name} (id bigserial); INSERT INTO {name} VALUES (9000000000000000000)")
    words = ["fix", newest_db.dsn, "--outliers", "follow", "--lock", "sequence"]
    for columns, shown_as in {
        130: f"public.{name}_id_seq           1  9000000000000000001  locked  --lock sequence\n",
        80: "public.xxxxxxxxxxxx…xxxxxxxxxxxx_id_seq           1  9000000000000000001  locked\n",
    }.items():
        with terminal(*words, columns=columns) as shown:
            shown.wait_for(QUESTION)
            assert shown_as in shown.text


def test_yes_does_not_ask_and_neither_does_a_script(newest_db: Database) -> None:
    newest_db.execute(DRIFT)
    with terminal("fix", newest_db.dsn, "--yes") as shown:
        assert shown.end() == 0
        assert "[y/N]" not in shown.text
    newest_db.execute("INSERT INTO orders VALUES (20)")
    assert seqfix("fix", newest_db.dsn).returncode == 0
    assert newest_db.state("orders_id_seq")[:2] == (20, True)


def test_a_question_that_nobody_would_see_is_refused(newest_db: Database, tmp_path: Path) -> None:
    newest_db.execute(DRIFT)
    log = tmp_path / "log"
    command = [sys.executable, "-m", "airflow_seqfix", "fix", newest_db.dsn]
    with log.open("w") as stderr, on_a_terminal(command, options={"stderr": stderr}) as shown:
        assert shown.end() == 2
    assert "stderr is not a terminal" in log.read_text()
    assert newest_db.state("orders_id_seq")[:2] == (1, False)


def test_dry_run_is_plan(newest_db: Database) -> None:
    newest_db.execute(DRIFT)

    def without_time(done: subprocess.CompletedProcess[str]) -> tuple[int, list[str]]:
        return done.returncode, [line for line in done.stdout.splitlines() if ", read " not in line]

    planned = without_time(seqfix("plan", newest_db.dsn))
    assert without_time(seqfix("fix", "--dry-run", newest_db.dsn)) == planned
    assert planned[0] == 1
    moves = json.loads(seqfix("fix", "--dry-run", newest_db.dsn, "--format", "json").stdout)["moves"]
    assert [move["sequence"] for move in moves] == ["public.orders_id_seq"]
    with terminal("fix", "--dry-run", newest_db.dsn) as shown:
        assert shown.end() == 1
        assert "[y/N]" not in shown.text
    assert newest_db.state("orders_id_seq")[:2] == (1, False)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--dry-run", "--yes"], "--dry-run changes nothing: leave --yes out"),
        (["--dry-run", "--plan", "-"], "--dry-run changes nothing: leave --plan out"),
        (["--format", "sql"], "--format sql is for plan, and for --dry-run"),
        (["--plan", "PLAN", "-t", "orders"], "--plan already says what to move"),
        (["--plan", "PLAN", "orders"], "--plan already says what to move"),
        (["--plan", "PLAN", "--margin", "3"], "--margin=3: the plan was made with 0; give the same"),
        (["-q", "-v"], "--quiet and --verbose: give one of them"),
        (["--conn-id", "x"], "--conn-id is a whole connection"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_contradictions(newest_db: Database, tmp_path: Path, options: list[str], said: str) -> None:
    newest_db.execute(DRIFT)
    (tmp_path / "plan.json").write_text(seqfix("plan", newest_db.dsn, "--format", "json").stdout)
    done = seqfix("fix", newest_db.dsn, *[str(tmp_path / "plan.json") if o == "PLAN" else o for o in options])
    assert (done.returncode, done.stdout) == (2, "")
    assert said in done.stderr
    assert newest_db.state("orders_id_seq")[:2] == (1, False)


def test_a_plan_file_is_shown_and_asked_for(newest_db: Database, tmp_path: Path) -> None:
    newest_db.execute(DRIFT)
    plan = tmp_path / "plan.json"
    assert seqfix("plan", newest_db.dsn, "-o", str(plan)).returncode == 1
    newest_db.execute("INSERT INTO customers VALUES (5)")
    with terminal("fix", newest_db.dsn, "--plan", str(plan)) as shown:
        shown.wait_for(QUESTION)
        assert "public.orders_id_seq           1     4  advance" in shown.text
        assert "customers" not in shown.text
        shown.type("yes\n")
        assert shown.end() == 0
    assert newest_db.state("orders_id_seq")[:2] == (3, True)
    assert newest_db.state("customers_id_seq")[:2] == (1, False)


def test_what_is_shown_is_measured_then_and_is_what_is_done(newest_db: Database, tmp_path: Path) -> None:
    """Somebody has edited the plan: harmless words, another way, another next value."""
    newest_db.execute(DRIFT + "ALTER SEQUENCE orders_id_seq CACHE 5")
    made = json.loads(seqfix("plan", newest_db.dsn, "--format", "json").stdout)
    for move in made["moves"]:
        move |= {"way": "advance", "why": "harmless"}
    for row in made["sequences"]:
        row |= {"next_value": 50, "reason": "harmless"}
    plan = tmp_path / "plan.json"
    plan.write_text(json.dumps(made))
    with terminal("fix", newest_db.dsn, "--plan", str(plan), columns=150) as shown:
        shown.wait_for(QUESTION)
        assert "harmless" not in shown.text
        assert "the plan says advance, and the way would be locked" in shown.text
        assert "the plan says next_value = 50, and it is 1" in shown.text
        assert "public.orders_id_seq           1     4  locked" in shown.text
        shown.type("yes\n")
        assert shown.end() == 0
    assert newest_db.state("orders_id_seq")[:2] == (3, True)


def test_what_would_be_refused_is_said_and_not_asked(newest_db: Database, tmp_path: Path) -> None:
    newest_db.execute(DRIFT)
    plan = tmp_path / "plan.json"
    plan.write_text(seqfix("plan", newest_db.dsn, "--format", "json").stdout)
    newest_db.execute("ALTER SEQUENCE orders_id_seq INCREMENT BY 3")
    with terminal("fix", newest_db.dsn, "--plan", str(plan), columns=150) as shown:
        assert shown.end() == 1
        assert "increment_by was 1 and is 3: make a new plan" in shown.text
        assert "[y/N]" not in shown.text
    assert newest_db.state("orders_id_seq")[:2] == (1, False)


def test_a_plan_from_stdin(newest_db: Database) -> None:
    newest_db.execute(DRIFT)
    plan = seqfix("plan", newest_db.dsn, "--format", "json").stdout
    done = seqfix("fix", newest_db.dsn, "--plan", "-", stdin=plan)
    assert done.returncode == 0
    assert newest_db.state("orders_id_seq")[:2] == (3, True)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "is not JSON"),
        ("SET search_path = pg_catalog;", "the SQL of seqfix plan is for psql -f"),
        ("[]", "is not a JSON object"),
        ('{"report_version": 1}', "this is not a plan"),
        ('{"moves": [], "plan_version": 99}', "version 99"),
        ('{"moves": [{}], "plan_version": 1}', "move 1 has "),
        ("\ud800", "is not text in UTF-8"),
        ('{"moves": ' + "[" * 100_000, "nested too deep"),
        ('{"moves": [' + "9" * 5_000, "is not JSON"),
    ],
)
def test_a_file_that_is_no_plan_is_refused_before_connecting(tmp_path: Path, text: str, said: str) -> None:
    plan = tmp_path / "plan.json"
    plan.write_bytes(text.encode(errors="surrogatepass"))
    done = seqfix("fix", "postgresql://u@127.0.0.1:1/x", "--plan", str(plan))
    assert (done.returncode, done.stdout) == (2, "")
    assert said in done.stderr
    assert "cannot connect" not in done.stderr


def test_a_plan_for_another_database_is_refused_before_the_question(newest_db: Database, tmp_path: Path) -> None:
    newest_db.execute(DRIFT)
    plan = tmp_path / "plan.json"
    made = json.loads(seqfix("plan", newest_db.dsn, "--format", "json").stdout)
    plan.write_text(json.dumps(made | {"database": "elsewhere"}))
    said = (
        f"seqfix: --plan: it was made for database elsewhere, and this is {newest_db.place}; "
        "connect to elsewhere, or make a new plan here\n"
    )
    assert seqfix("fix", newest_db.dsn, "--plan", str(plan)).stderr == said
    with terminal("fix", newest_db.dsn, "--plan", str(plan), columns=200) as shown:
        assert shown.end() == 2
        assert shown.text == said
    assert newest_db.state("orders_id_seq")[:2] == (1, False)


def test_a_plan_file_moves_no_cursor(newest_db: Database, tmp_path: Path) -> None:
    newest_db.execute(DRIFT)
    made = json.loads(seqfix("plan", newest_db.dsn, "--format", "json").stdout)
    made["moves"][0] |= {"sequence": "a\x1b]0;owned\x07[red]", "why": "\x1b[2J", "way": "\x1b[2J"}
    made["sequences"] = [5, {"sequence": "a\x1b]0;owned\x07[red]", "next_value": "\x1b[2J", "verdict": "\x1b[2J"}]
    plan = tmp_path / "plan.json"
    plan.write_text(json.dumps(made))
    with terminal("fix", newest_db.dsn, "--plan", str(plan), columns=150) as shown:
        assert shown.end() == 1
        assert "owned" in shown.text
        assert "[red]" in shown.text
        assert "\x1b]0;" not in shown.raw
        assert "\x1b[2J" not in shown.raw
