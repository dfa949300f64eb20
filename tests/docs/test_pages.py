"""What README.md and docs/ show is what happens."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
import yaml
from psycopg import conninfo

from tests.support import ROOT
from tests.support.pages import RUN_ELSEWHERE, Block, blocks, load_shop, pages, read, starts_with_shop
from tests.support.servers import Server

#: Languages that are run here, or in tests/provider/test_pages.py.
RUN = ("console", "sql", "text", "python", "yaml")


class Shell:
    """A shell whose connections go to one server, in a folder of its own."""

    def __init__(self, server: Server, folder: Path) -> None:
        assert server.cluster is not None
        self.folder = folder
        programs = folder / "bin"
        programs.mkdir()
        seqfix = programs / "seqfix"
        seqfix.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m airflow_seqfix "$@"\n')
        seqfix.chmod(0o755)
        self.port = port = str(conninfo.conninfo_to_dict(server.dsn)["port"])
        self.connection = {"PGHOST": "localhost", "PGPORT": port, "PGUSER": "postgres", "PGDATABASE": "shop"}
        path = os.pathsep.join(map(str, [programs, Path(sys.executable).parent, server.cluster.programs]))
        self.environment = (
            os.environ
            | self.connection
            | {"PATH": f"{path}{os.pathsep}{os.environ['PATH']}", "PSQLRC": "", "PGOPTIONS": "", "LC_ALL": "C.UTF-8"}
        )

    def run(self, command: str, given: str = "") -> subprocess.CompletedProcess[str]:
        """Run a command of bash, stdout and stderr in one."""
        done = subprocess.run(
            ["bash", "-c", command],
            input=given,
            cwd=self.folder,
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=120,
        )
        # On the pages the server is at the port where one expects it.
        done.stdout = done.stdout.replace(f"localhost:{self.port}", "localhost:5432")
        done.stdout = done.stdout.replace(f'"port": {self.port}', '"port": 5432')
        return done


@pytest.fixture
def shell(wheel_server: Server, tmp_path: Path) -> Iterator[Shell]:
    with psycopg.connect(wheel_server.dsn, autocommit=True) as conn:
        conn.execute("DROP DATABASE IF EXISTS shop WITH (FORCE)")
        conn.execute("CREATE DATABASE shop TEMPLATE template0")
        yield Shell(wheel_server, tmp_path)
        for (name,) in conn.execute("SELECT datname FROM pg_database WHERE datname ~ '^shop'").fetchall():
            conn.execute(f'DROP DATABASE "{name}" WITH (FORCE)')


@pytest.mark.parametrize("page", [page for page in pages() if page not in RUN_ELSEWHERE])
@pytest.mark.long
def test_page(page: str, shell: Shell, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    for name, value in shell.connection.items():
        monkeypatch.setenv(name, value)
    monkeypatch.chdir(shell.folder)
    if starts_with_shop(page):
        with psycopg.connect(autocommit=True) as conn:
            load_shop(conn)
    printed, unclaimed = "", ""
    for block in blocks(page):
        if block.is_directive or block.not_run or block.is_dag:
            continue
        assert block.file or block.language in RUN, (
            f"{block.place}: nothing runs {block.language!r}; see tests/support/pages.py"
        )
        if block.language != "text":
            assert not unclaimed, f"{block.place}: the page does not show what went before it:\n{unclaimed}"
        if block.before:
            with psycopg.connect(autocommit=True) as conn:
                conn.execute(block.before)
        if block.project:
            shutil.copytree(ROOT / block.project, shell.folder, dirs_exist_ok=True)
        if block.file:
            file = shell.folder / block.file
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(block.text, encoding="utf-8")
            continue
        match block.language:
            case "console":
                run_console(block, shell)
            case "sql":
                printed = psql(block.text, shell)
                # A result may go unshown; an error may not.
                unclaimed = printed if "ERROR:" in printed else ""
            case "text":
                if block.printed_by:
                    printed = psql(block.printed_by, shell)
                assert printed, f"{block.place}: shows what no block before it has printed"
                assert_shown(block.text, printed, block.place)
                printed = unclaimed = ""
            case "python":
                capsys.readouterr()
                exec(compile(block.text, block.place, "exec", dont_inherit=True), {"__name__": "page"})
                printed = unclaimed = capsys.readouterr().out
            case "yaml":
                run_job(block, shell)
    assert not unclaimed, f"{page} does not show what its last block printed:\n{unclaimed}"


def run_console(block: Block, shell: Shell) -> None:
    """Run each command, and compare what it prints."""
    assert block.text.startswith("$ "), f"{block.place}: a console starts with `$ `"
    for session in re.split(r"^\$ ", block.text, flags=re.MULTILINE)[1:]:
        command, expected = re.fullmatch(r"((?:[^\n]*\\\n)*[^\n]*\n)(.*)", session, re.DOTALL).groups()
        assert_shown(expected.strip("\n"), shell.run(command).stdout.strip("\n"), f"{block.place}: {command}")


def psql(statements: str, shell: Shell) -> str:
    done = shell.run("psql -X -q -f - 2>&1", given=statements)
    return re.sub(r"^psql:<stdin>:\d+: ", "", done.stdout, flags=re.MULTILINE)


def assert_shown(shown: str, printed: str, place: str) -> None:
    """Compare what a page shows with what was printed; … stands for anything within a line."""
    printed = "\n".join(line.rstrip() for line in printed.splitlines())
    pattern = ".*".join(re.escape(part) for part in shown.rstrip("\n").split("…"))
    if re.fullmatch(pattern, printed.rstrip("\n")) is None:
        assert printed.rstrip("\n") == shown.rstrip("\n"), place


def run_job(block: Block, shell: Shell) -> None:
    """Run the steps of a CI job."""
    steps = [step for job in yaml.safe_load(block.text)["jobs"].values() for step in job["steps"] if "run" in step]
    assert steps, f"{block.place}: no step runs anything"
    for step in steps:
        if "pip install" in step["run"]:
            continue  # it is installed
        done = shell.run(step["run"])
        assert done.returncode == 0, f"{block.place}: {step['run']}\n{done.stdout}"


def test_each_page_that_is_run_elsewhere_is() -> None:
    for page, test in RUN_ELSEWHERE.items():
        assert f'"{Path(page).name}"' in (ROOT / test).read_text(encoding="utf-8")


def test_enough_is_run() -> None:
    every = [block for page in pages() for block in blocks(page) if not block.is_directive]
    run = [block for block in every if not block.not_run or re.search(r"tests/\S+ .*runs it", block.not_run)]
    assert len(run) > 0.85 * len(every)


@pytest.mark.parametrize("page", pages())
def test_links_lead_somewhere(page: str) -> None:
    targets = re.findall(
        r"\]\(<?(?!https?:|mailto:)([^)#>]+)", re.sub(r"^```.*?^```$", "", read(page), flags=re.M | re.S)
    )
    folder = (ROOT / page).parent
    assert [target for target in targets if not (folder / target).exists()] == []


def test_versions_are_the_package_s() -> None:
    metadata = read("pyproject.toml")
    shown = re.search(r"Python (\d\.\d+) to (\d\.\d+)", read("README.md"))
    assert shown
    assert f'requires-python = ">={shown[1]}"' in metadata
    assert f"Programming Language :: Python :: {shown[2]}" in metadata


PROOF = "docs/proof/index.md"


def figures(text: str) -> set[str]:
    """Return the numbers of two digits and more."""
    return set(re.findall(r"(?<![\w.,])\d[\d,.]*\d(?![\w%])", text))


def issued_under_repair() -> str:
    """Return how many ids were issued while this package repaired, all ways together."""
    ours = re.findall(
        r"^\| (?:advance|locked).*?\| [\d, ]+ \| ([\d,]+) \| 0 \|",
        read("docs/proof/stress.md").split("## This package")[1].split("\n## ")[0],
        re.MULTILINE,
    )
    assert len(ours) == 5
    return f"{sum(int(count.replace(',', '')) for count in ours):,}"


def test_each_claim_has_the_figures_of_its_page() -> None:
    table = read(PROOF).split("What tests hold")[0]
    claims = re.findall(r"^\| (.*?) \| (.*?) \| \[[^]]*\]\(([\w-]+\.md)[#)]", table, re.MULTILINE)
    assert len(claims) == 13
    for claim, said, page in claims:
        proof = read(f"docs/proof/{page}")
        assert figures(said) - figures(proof) <= {issued_under_repair()}, claim


def test_readme_has_the_figures_of_the_proof() -> None:
    why = read("README.md").split("## Why not")[1].split("\n## ")[0]
    assert len(figures(why)) > 8
    assert figures(why) - figures(read(PROOF)) == set()


def beside_other_ways() -> str:
    return " ".join(read(PROOF).split("## Beside other ways")[1].split("\n## ")[0].split())


def test_the_comparison_is_that_of_the_run() -> None:
    page = read("docs/proof/behaviours.md")
    measured = dict(re.findall(r"^\| (.*) \| (\d+ of \d+) \| \d+ \| (?:yes|no) \| .* \|$", page, re.MULTILINE))
    recipes = [right for name, right in measured.items() if "max(" in name]
    assert len(recipes) == 4
    said = beside_other_ways()
    assert f"in {min(recipes)} to {max(recipes)}," in said
    named = {name: right for name, right in measured.items() if "max(" not in name}
    assert len(named) == 5
    assert {name for name, right in named.items() if f"{name} in {right}" not in said} == set()


def test_recipes_issue_ids_twice_as_in_the_run() -> None:
    rows = re.findall(r"^\| `(.*)` \| ([\d,]+) \| ([\d,]+) \|", read("docs/proof/stress.md"), re.MULTILINE)
    counts = {recipe: f"{twice} of {issued}" for recipe, issued, twice in rows}
    said = beside_other_ways()
    assert f"`setval(max(id))` issued {counts['setval(max(id))']} ids twice" in said
    assert f"the most careful recipe {counts['setval(max(id)) WHERE max(id) > last_value']}." in said


def test_who_gets_through_thousands_of_tables_is_as_in_the_run() -> None:
    measured = re.findall(
        r"^\| (.*) \| ([\d,]+) of 5,000 \| (out of shared memory)? ?\|$", read("docs/proof/behaviours.md"), re.MULTILINE
    )
    assert [bool(error) for _, _, error in measured] == [True, True, False, False]
    assert [name.split()[0] for name, _, error in measured if error] == ["`setval(…,", "Django,"]


def test_two_commands_set_everything_up() -> None:
    for target in ("demo", "test"):
        assert f"`make {target}`" in read("README.md")
        assert re.search(rf"^{target}: \$\(READY\)", read("Makefile"), re.MULTILINE)
