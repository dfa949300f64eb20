"""docs/reference/messages.md has every message of the code, and no other."""

from __future__ import annotations

import re

import pytest

from tests.support.messages import HOLE, PACKAGE, errors_in_sql, files, sentences
from tests.support.pages import read

PAGE = "docs/reference/messages.md"

#: Sentences that are no messages.
OTHER = {
    "cli/__init__.py": {"Try '…"},
    "core/discover/catalog.py": {r"(?:PostgreSQL|EnterpriseDB) (\d+)"},
    "core/measure/extract.py": {"…::text COLLATE", "CASE ", "starts_with(", "ceil(", "floor("},
    "core/model/column.py": {"double precision"},
    "core/model/server.py": {"… (…, as …)"},
    "core/discover/narrowed.py": {"…; SET LOCAL"},
    "core/discover/tokens.py": {"a sign is any character"},
    "core/judge/reasons.py": {"the next value is …, and … has"},
    "core/repair/plan_sql.py": {
        "-- Moves …",
        "-- PostgreSQL … at …, read",
        "-- Its source is …",
        "-- Each move",
        "-- Run it",
        "-- Each ",
        "-- refused, an",
        "-- sent at",
        "-- Only psql",
        "-- that all",
        "-- Refused inside",
    },
    "core/repair/plan_shared.py": {
        "INTO STRICT",
        "coalesce(",
        "\\set seqfix",
        ":seqfix_begin",
        "^DO ",
        "(.*?)DO",
        "unnest(",
        "DECLARE …",
    },
    "core/errors.py": {", or set …"},
    "core/database/session.py": {
        "FETCH …",
    },
    "core/database/opening.py": {"REPEATABLE READ", "READ COMMITTED", "view, foreign"},
    "core/judge/remedies.py": {"(last_value, "},
    "core/repair/statements.py": {"(…) AS v", "VALUES …", "the server made it up"},
    "core/measure/partitions.py": {"SAVEPOINT slice", "ROLLBACK TO SAVEPOINT slice"},
    "core/fleet.py": {"… (…, as …)"},
    # Why the line of the picture breaks.
    "core/model/use.py": {"definition changed"},
    # Under source_differs of a report, whose page says what it is.
    "core/model/source.py": {"… is … there and … here", ", from a stored report"},
    "core/measure/measure.py": {"s.last_value, s.is_called", "…, NULL::bigint"},
    "core/measure/column_sql.py": {
        "… BETWEEN",
        "…::bigint, …::bigint",
        "array_to_string(ARRAY(SELECT",
        "CASE ",
        "double precision",
        "character varying",
    },
    "core/message.py": {"and … more"},
    "core/model/grant.py": {"GRANT …"},
    "core/report.py": {"<Report of", "<Plan of", "… of … … in …", "is not in sync"},
    "operators/postgres.py": {"The same as SQL"},
    "triggers/watch.py": {"seqfix watch", "Looking failed, and is tried again: %s"},
    "task/links.py": {"Sequence report"},
    "task/sdk.py": {"module … has no attribute"},
    "options.py": {"… None: off"},
    "rules.py": {"a name or pattern, or a list of them", "a dictionary by sequence"},
}
#: Modules that show how far a run is, and say nothing of what went wrong.
SHOWN = {"core/progress.py"}


def plain(text: str) -> str:
    return " ".join(text.replace("`", "").replace("\\", "").split())


@pytest.mark.parametrize("path", files(), ids=lambda path: str(path.relative_to(PACKAGE)))
def test_every_message_is_on_the_page(path) -> None:
    name = str(path.relative_to(PACKAGE))
    if name in SHOWN:
        return
    page = plain(read(PAGE))
    missing = [
        f"{name}:{line}: {text}"
        for line, text in sentences(path)
        if not any(text.startswith(other) for other in OTHER.get(name, ())) and text.strip(" ;,") not in page
    ]
    assert not missing, f"put on {PAGE}, with cause and remedy:\n" + "\n".join(missing)


def test_every_error_of_a_statement_is_on_the_page() -> None:
    page = plain(read(PAGE))
    found = list(errors_in_sql())
    assert len(found) >= 5
    missing = [f"{name}: {text}" for name, text in found if plain(text) not in page]
    assert not missing, f"put on {PAGE}, with cause and remedy:\n" + "\n".join(missing)


def test_every_row_is_a_message_of_the_code() -> None:
    said = [plain(text).strip(" ;,") for path in files() for _, text in sentences(path)]
    said += ["excluded", "sequences in database", *(plain(text) for _, text in errors_in_sql())]
    rows = re.findall(r"^\| (`.+?) \|", read(PAGE), re.MULTILINE)
    assert len(rows) > 90
    stale = [row for row in rows if "(the server's words)" not in row and not any(text in plain(row) for text in said)]
    assert not stale


def test_the_collector_sees_what_is_said() -> None:
    said = {text for path in files() for _, text in sentences(path)}
    assert "the connection is inside a transaction: commit or roll back first" in said
    assert f"role {HOLE} may not read {HOLE}" in said
    assert len(said) > 120
