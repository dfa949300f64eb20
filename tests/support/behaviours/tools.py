"""Tools that reset sequences, run as their users run them, for comparison.

An error that a tool meets is no failure of the run: what counts is the next insert. Each is given more than it asks
for, where that is in its favour: every schema, and a statement or table for itself, so that an error stays alone.
"""

from __future__ import annotations

import contextlib
import functools
import io
import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import django
import psycopg
from django.apps import AppConfig, apps
from django.conf import settings
from django.core.management import call_command
from psycopg import conninfo, sql

ACTIVE_RECORD = Path(__file__).with_name("active_record.rb")

_SCHEMAS = "SELECT nspname FROM pg_namespace WHERE nspname <> 'information_schema' AND nspname !~ '^pg_'"

#: Each table of a schema with the integer column that draws from a sequence, one of the primary key if there is one.
_AUTO_FIELDS = """
    SELECT DISTINCT ON (c.oid) c.relname, a.attname
      FROM pg_class c
      JOIN pg_attribute a ON a.attrelid = c.oid
      JOIN pg_type t ON t.oid = a.atttypid
      LEFT JOIN pg_attrdef d ON d.adrelid = c.oid AND d.adnum = a.attnum
      LEFT JOIN pg_index i ON i.indrelid = c.oid AND i.indisprimary
     WHERE c.relkind IN ('r', 'p') AND c.relnamespace = %s::regnamespace
       AND coalesce(nullif(t.typbasetype, 0), t.oid) IN ('int2'::regtype, 'int4'::regtype, 'int8'::regtype)
       AND (a.attidentity <> '' OR pg_get_expr(d.adbin, d.adrelid) LIKE 'nextval(%%')
     ORDER BY c.oid, a.attnum = ANY (i.indkey::int2[]) DESC NULLS LAST, a.attnum"""


class NotLoadedError(Exception):
    """A tool that resets what it has loaded did not load it, or not as it was."""


class Situation(AppConfig):
    """An app whose models are made for the tables of one situation."""

    name = "tests"
    label = "situation"

    def import_models(self) -> None:
        self.models_module = sys.modules[__name__]
        self.models = self.apps.all_models[self.label]


@functools.cache
def set_up_django() -> None:
    database = {"ENGINE": "django.db.backends.postgresql", "NAME": "never connected to"}
    settings.configure(
        INSTALLED_APPS=[f"{__name__}.{Situation.__name__}"], DATABASES={"default": database}, LOGGING_CONFIG=None
    )
    django.setup()


def sqlsequencereset(tables: list[tuple[str, str]]) -> str:
    """Return what Django's command prints for models of these tables and columns."""
    set_up_django()
    from django.db import models

    apps.all_models[Situation.label].clear()
    apps.clear_cache()
    for number, (table, column) in enumerate(tables):
        meta = type("Meta", (), {"app_label": Situation.label, "db_table": table})
        key = models.BigAutoField(primary_key=True, db_column=column)
        type(f"Model{number}", (models.Model,), {"__module__": __name__, "Meta": meta, "key": key})
    printed = io.StringIO()
    call_command("sqlsequencereset", Situation.label, no_color=True, stdout=printed, stderr=io.StringIO())
    return printed.getvalue()


def django_reset(dsn: str) -> None:
    with connected(dsn) as conn:
        for (schema,) in conn.execute(_SCHEMAS).fetchall():
            conn.execute("SELECT set_config('search_path', quote_ident(%s), false)", [schema])
            for statement in sqlsequencereset(conn.execute(_AUTO_FIELDS, [f'"{schema}"']).fetchall()).splitlines():
                if statement not in ("BEGIN;", "COMMIT;"):
                    with contextlib.suppress(psycopg.Error):
                        conn.execute(statement)


def active_record_reset(dsn: str) -> None:
    subprocess.run(["ruby", str(ACTIVE_RECORD), url(dsn)], check=True, capture_output=True)


def pgloader_reset(dsn: str) -> None:
    """Empty the tables, and let pgloader load them again from a copy of the database."""
    name = conninfo.conninfo_to_dict(dsn)["dbname"]
    copy = f"{name}_copy"
    names = sql.Identifier(copy), sql.Identifier(str(name))
    with connected(dsn, dbname="postgres") as maintenance, tempfile.TemporaryDirectory() as folder:
        maintenance.execute(sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(*names))
        before = counted(dsn)
        with connected(dsn) as conn:
            conn.execute(f"TRUNCATE {', '.join(before)}")
        options = ["--root-dir", folder, "--with", "data only", "--with", "reset sequences"]
        subprocess.run(["pgloader", *options, url(dsn, copy), url(dsn)], capture_output=True)
        maintenance.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(names[0]))
    if counted(dsn) != before:
        raise NotLoadedError


def counted(dsn: str) -> dict[str, int]:
    """Return the number of rows of each table."""
    tables = "SELECT oid::regclass::text FROM pg_class WHERE relkind = 'r' AND oid >= 16384"
    with connected(dsn) as conn:
        return {
            table: conn.execute(f"SELECT count(*) FROM ONLY {table}").fetchone()[0]  # type: ignore[index]
            for (table,) in conn.execute(tables).fetchall()
        }


def connected(dsn: str, **changed: str) -> psycopg.Connection:
    return psycopg.connect(dsn, autocommit=True, **changed)


def url(dsn: str, database: str | None = None) -> str:
    given = conninfo.conninfo_to_dict(dsn)
    return f"postgresql://{given['user']}@{given['host']}:{given['port']}/{database or given['dbname']}"


def _last_word(*command: str) -> str:
    """Return the last word of the first line that a command prints."""
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    return done.stdout.splitlines()[0].split()[-1].strip('"')


@dataclass(frozen=True, kw_only=True)
class Tool:
    """How a tool is run on the database of a connection string, and what a page says of that."""

    run: Callable[[str], None]
    version: Callable[[], str]
    installed_by: str
    how: str


#: By the name of their columns on the page.
TOOLS = {
    "Django": Tool(
        run=django_reset,
        version=django.get_version,
        installed_by="make test",
        how="""\
`sqlsequencereset`, for an app with a model for each table, partitions among them, whose `BigAutoField` is the integer
column that draws from a sequence, one of the primary key before others. What it prints is run statement by statement,
once for each schema with that as the `search_path`.""",
    ),
    "ActiveRecord": Tool(
        run=active_record_reset,
        version=lambda: _last_word("ruby", "-e", "require 'active_record'; print ActiveRecord.version"),
        installed_by="apt-get install ruby-activerecord ruby-pg",
        how="""\
`reset_pk_sequence!` for each of `connection.tables`, partitions among them, once for each schema with that as the
`schema_search_path`: `tests/support/behaviours/active_record.rb`.""",
    ),
    "pgloader": Tool(
        run=pgloader_reset,
        version=lambda: _last_word("pgloader", "--version"),
        installed_by="apt-get install pgloader",
        how="""\
it resets only what it has loaded: the tables are emptied, and `pgloader --with 'data only' --with 'reset sequences'`
loads them again from a copy of the database. Where the rows do not come back as they were, nothing is counted. Here an
error for one table does stop those behind it, in no fixed order: they share a statement.""",
    ),
}


def run(conn: psycopg.Connection, name: str) -> None:
    """Run a tool on the database of a connection, which is closed: a database with sessions cannot be copied."""
    dsn = conninfo.make_conninfo(conn.info.dsn, password=conn.info.password or None)
    conn.close()
    TOOLS[name].run(dsn)


def versions() -> dict[str, str]:
    """Return what each tool says that it is; end where one is missing."""
    found = {}
    for name, tool in TOOLS.items():
        try:
            found[name] = tool.version()
        except (OSError, subprocess.CalledProcessError):
            sys.exit(f"{name} is not here: {tool.installed_by}")
    return found
