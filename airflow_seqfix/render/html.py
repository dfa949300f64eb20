"""A report as one HTML file that needs nothing else."""

from __future__ import annotations

from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from airflow_seqfix.core.errors import printable
from airflow_seqfix.core.report import Report
from airflow_seqfix.render import words


def html(report: Report) -> str:
    """Return the page. Everything that comes from the database is escaped by the template."""
    return _environment().get_template("report.html").render(report=report, words=words)


def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("airflow_seqfix.render"),
        autoescape=True,
        undefined=StrictUndefined,
        keep_trailing_newline=True,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=_shown,
    )
    environment.filters["printable"] = printable
    return environment


def _shown(value: Any) -> Any:
    return "" if value is None else value
