"""The tables of docs/reference/options.md, made from the table of options: python -m tests.support.options_page"""

from __future__ import annotations

import re
from typing import Any

from airflow_seqfix.cli.option_names import option as spelled
from airflow_seqfix.options import OPTIONS, Group, Option, names_of
from tests.support import ROOT

PAGE = ROOT / "docs" / "reference" / "options.md"

_TABLE = re.compile(r"<!-- options: (\w+) -->\n.*?^$", re.MULTILINE | re.DOTALL)


def page(text: str) -> str:
    """Return the page with its tables made anew."""
    return _TABLE.sub(lambda found: f"{found[0].splitlines()[0]}\n{_table(Group(found[1]))}", text)


def _table(group: Group) -> str:
    rows = [
        "| option | of the command | | takes | default |",
        "|---|---|---|---|---|",
        *(_row(name, OPTIONS[name]) for name in names_of(group)),
    ]
    return "".join(f"{row}\n" for row in rows)


def _row(name: str, option: Option) -> str:
    command = "" if option.flags == () else f"`{spelled(name)}`"
    meaning = f"{option.help}{' Decides a plan.' if option.decides else ''}"
    takes = option.rule.wanted + (", or None" if option.default is None else "")
    return f"| `{name}` | {command} | {meaning} | {takes} | {_default(option)} |"


def _default(option: Option) -> str:
    of_command = "" if option.of_command is None else f"; of the command {_value(option.of_command)}"
    return f"{_value(option.default)}{of_command}"


def _value(value: Any) -> str:
    match value:
        case None | () | {}:
            return ""
        case str() as text:
            return f'`"{text}"`'
        case tuple() as values:
            return f"`{list(values)}`".replace("'", '"')
    return f"`{value:_}`" if type(value) is int else f"`{value}`"


if __name__ == "__main__":
    PAGE.write_text(page(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
