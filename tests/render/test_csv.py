"""A report as CSV: every sequence, every figure as it is, and nothing that a spreadsheet runs."""

from __future__ import annotations

import csv as reader
import io

import pytest

from airflow_seqfix import core
from airflow_seqfix.cli.option_names import with_options
from airflow_seqfix.render.csv import _cell, csv


def rows(text: str) -> list[dict[str, str]]:
    return list(reader.DictReader(io.StringIO(text)))


def test_it_has_every_sequence_with_the_keys_of_a_report_as_json(report: core.Report) -> None:
    found = rows(csv(report))
    as_json = report.to_dict()["sequences"]
    where = {"host", "port", "database", "role", "in_recovery", "source"}
    assert found[0].keys() - where <= as_json[0].keys()
    server = report.server
    assert {(row["host"], row["port"], row["database"]) for row in found} == {
        (server.host, str(server.port), server.database)
    }
    assert [row["sequence"] for row in found] == [row["sequence"] for row in as_json]
    for line, row in zip(found, as_json, strict=True):
        for key in ("next_value", "furthest_value", "gap", "inserts_until_collision", "remaining"):
            assert line[key] == ("" if row[key] is None else str(row[key]))
    assert next(row["next_value"] for row in found if row["sequence"] == "shop.invoices_id_seq") == "4712"


def test_of_a_plan_and_of_a_repair(plan: core.Plan, repaired: core.Report) -> None:
    planned = {row["sequence"]: row for row in rows(csv(plan, spell=with_options))}
    assert planned["shop.invoices_id_seq"]["next_value_then"] == "7801"
    assert planned["shop.invoices_id_seq"]["way"] == "advance"
    assert planned["shop.invoices_id_seq"]["why"] == "no more than --advance-up-to (10,000) values"
    done = {row["sequence"]: row for row in rows(csv(repaired))}
    assert (done["shop.invoices_id_seq"]["next_value_before"], done["shop.invoices_id_seq"]["next_value"]) == (
        "4712",
        "7801",
    )
    assert done["shop.invoices_id_seq"]["verified"] == "true"


def test_hostile_names_stay_on_their_line(hostile: core.Plan) -> None:
    text = csv(hostile)
    assert len(text.splitlines()) == 1 + len(hostile.report.rows)
    assert len(rows(text)) == len(hostile.report.rows)


@pytest.mark.parametrize("begin", "=+-@")
def test_no_text_is_a_formula(begin: str) -> None:
    assert _cell(f"{begin}1+1") == f"'{begin}1+1"
    assert _cell(-5) == -5
