"""What the command says of itself: --help, the page of the documentation, completion, usage errors."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from airflow_seqfix.cli.group import COMMANDS
from tests.support.command import seqfix
from tests.support.command_page import HELP, PAGE, helps, page, sessions
from tests.support.servers import Server

REGENERATE = "make it anew with: python -m tests.support.command_page"


def test_each_command_has_its_golden_help() -> None:
    assert {path.stem for path in HELP.iterdir()} == {name or "seqfix" for name in helps()}, REGENERATE


@pytest.mark.parametrize("name", ["", *COMMANDS])
def test_help(name: str) -> None:
    said = seqfix(*name.split(), "--help", COLUMNS="80")
    assert (said.returncode, said.stderr) == (0, "")
    assert said.stdout == (HELP / f"{name or 'seqfix'}.txt").read_text(encoding="utf-8"), REGENERATE
    assert max(map(len, said.stdout.splitlines())) <= 80


def test_without_a_word_it_shows_its_help() -> None:
    said = seqfix(COLUMNS="80")
    # Not 0: a script in which the command is missing has checked nothing.
    assert (said.returncode, said.stdout) == (2, "")
    assert said.stderr == (HELP / "seqfix.txt").read_text(encoding="utf-8")


def test_the_page_is_up_to_date(wheel_server: Server) -> None:
    assert page(helps(), sessions(wheel_server)) == PAGE.read_text(encoding="utf-8"), REGENERATE


def test_the_page_names_every_option_of_the_core() -> None:
    from airflow_seqfix.core import Options

    # As the command calls what the library calls otherwise; application_name is of no use in a shell.
    renamed = {"schemas": "schema", "tables": "table", "columns": "column", "sequences": "sequence", "mapping": "map"}
    text = (HELP / "fix.txt").read_text(encoding="utf-8")
    for option in Options.__annotations__.keys() - {"application_name"}:
        assert f"--{renamed.get(option, option).replace('_', '-')} " in text, option


def options(command: str) -> dict[str, str]:
    """Return the options in the help of a command, each with its group."""
    found, group = {}, ""
    for line in (HELP / f"{command}.txt").read_text(encoding="utf-8").splitlines():
        group = line.removesuffix(":") if re.fullmatch(r"\w[\w ]*:", line) else group
        if option := re.match(r"  (?:-\w, )?(--[\w-]+)", line):
            found[option[1]] = group
    return found


@pytest.mark.parametrize("command", ["check", "plan", "suggest"])
def test_the_page_says_what_a_command_does_not_have(command: str) -> None:
    (row,) = re.findall(rf"^\| \[?`{command}`.*?\| (.*) \|$", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
    groups = set(re.findall(r"\*([\w ]+)\*", row))
    has = options(command)
    missing = {option: group for option, group in options("fix").items() if option not in has}
    assert {option for option, group in missing.items() if group not in groups} == set(re.findall(r"`(--[\w-]+)`", row))
    assert groups <= set(missing.values())
    assert not groups & set(has.values())
    assert has.keys() <= options("fix").keys()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["check", "--nope"], "seqfix: No such option '--nope'"),
        (["check", "--format", "yaml"], "'yaml' is not one of 'table', 'json', 'markdown', 'html', 'csv'"),
        (["check", "--margin", "much"], "'much' is not a valid integer"),
        (["check", "--color", "blue"], "'blue' is not one of 'auto', 'always', 'never'"),
        (["check", "--lock", "none"], "No such option '--lock'"),
        (["chek"], "there is no command 'chek': did you mean check?"),
        (["fix", "--plan", "no-such-file"], "'no-such-file': No such file or directory"),
        (["completion", "tcsh"], "'tcsh' is not one of 'bash', 'zsh', 'fish'"),
    ],
    ids=" ".join,
)
def test_usage_errors(arguments: list[str], said: str) -> None:
    done = seqfix(*arguments)
    assert (done.returncode, done.stdout) == (2, "")
    assert said in done.stderr.splitlines()[-1]
    assert "--help" in done.stderr


def test_no_command_is_help() -> None:
    done = seqfix()
    assert done.returncode == 2
    assert "Commands:" in done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    assert seqfix("--version").stdout.startswith("seqfix ")


@pytest.mark.parametrize(
    ("typed", "offered"),
    [
        ("seqfix ", ["check", "plan", "fix"]),
        ("seqfix fix --lo", ["--lock", "--lock-timeout"]),
        ("seqfix fix --lock ", ["auto"]),
    ],
)
def test_completion_in_bash(tmp_path: Path, typed: str, offered: list[str]) -> None:
    programs = tmp_path / "bin"
    programs.mkdir()
    (programs / "seqfix").write_text(f'#!/bin/sh\nexec "{sys.executable}" -m airflow_seqfix "$@"\n')
    (programs / "seqfix").chmod(0o755)
    words = typed.split(" ")
    script = f"""
        eval "$(seqfix completion bash)"
        COMP_WORDS=({" ".join(repr(word) for word in words)}) COMP_CWORD={len(words) - 1}
        $(complete -p seqfix | sed 's/.*-F \\([^ ]*\\).*/\\1/') seqfix "${{COMP_WORDS[COMP_CWORD]}}"
        printf '%s\\n' "${{COMPREPLY[@]}}"
    """
    environment = os.environ | {"PATH": f"{programs}{os.pathsep}{os.environ['PATH']}"}
    done = subprocess.run(["bash", "-c", script], capture_output=True, text=True, env=environment)
    assert done.stderr == ""
    assert set(offered) <= set(done.stdout.split())


@pytest.mark.parametrize(
    ("shell", "word"), [("bash", "complete -o"), ("zsh", "#compdef seqfix"), ("fish", "complete --no-files")]
)
def test_completion_scripts(shell: str, word: str) -> None:
    done = seqfix("completion", shell)
    assert (done.returncode, done.stderr) == (0, "")
    assert word in done.stdout
