"""docs/*.schema.json: that they are exact. test_scenarios.py holds the documents of every scenario against them."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError

from airflow_seqfix import core
from airflow_seqfix.core.fleet import DatabaseResult, Fleet
from airflow_seqfix.core.model import Way
from tests.support.schema import SCHEMAS, validate
from tests.support.servers import Database, Server, database_on, server_labels
from tests.support.tables import EVERY_VERDICT


@pytest.fixture(scope="module")
def documents(start_server: Callable[[str], Server]) -> Iterator[dict[str, list[dict[str, Any]]]]:
    """The report, the plan, and the report of the repair of a database with every verdict."""
    with database_on(start_server(server_labels()[0])) as database, database.connect() as conn:
        conn.execute(EVERY_VERDICT)
        report, plan = core.check(conn).to_dict(), core.plan(conn).to_dict()
        mapping = {"public.s": ["t.id", {"column": "t.id", "prefix": "A-", "where": {"tenant": 1}, "ids_per_call": 5}]}
        results = [
            DatabaseResult(database="shop", report=report),
            DatabaseResult(database="gone", error="cannot connect"),
            DatabaseResult(database="cut", report=report, error="the connection was lost"),
        ]
        yield {
            "report": [report, core.fix(conn).to_dict()],
            "plan": [plan],
            "mapping": [mapping, {"s": "t.id"}],
            "fleet": [Fleet.of(results).to_dict(), Fleet.of([]).to_dict()],
        }


@pytest.mark.parametrize("name", SCHEMAS)
def test_the_schema_is_one(name: str) -> None:
    Draft202012Validator.check_schema(SCHEMAS[name])


@pytest.mark.parametrize("name", SCHEMAS)
def test_every_document_is_valid(name: str, documents: dict[str, list[dict[str, Any]]]) -> None:
    for document in documents[name]:
        validate(name, document)


def test_the_schema_promises_nothing_that_never_comes(documents: dict[str, list[dict[str, Any]]]) -> None:
    rows = [row for report in documents["report"] for row in report["sequences"]]
    assert {key for row in rows for key in row} == set(SCHEMAS["report"]["$defs"]["sequence"]["properties"])
    assert {row["verdict"] for row in rows} == set(map(str, core.Verdict))
    moves = [move for plan in documents["plan"] for move in plan["moves"]]
    assert {key for move in moves for key in move} == set(SCHEMAS["plan"]["$defs"]["move"]["properties"])


def test_the_words_are_those_of_the_code() -> None:
    row = SCHEMAS["report"]["$defs"]["sequence"]["properties"]
    assert set(row["verdict"]["enum"]) == set(map(str, core.Verdict))
    assert set(row["warnings"]["items"]["enum"]) == set(map(str, core.SequenceWarning))
    assert set(row["way"]["enum"]) == {*map(str, Way), None}
    for kind, words in (("verdict", core.Verdict), ("warnings", core.SequenceWarning), ("way", Way)):
        described = row[kind].get("items", row[kind])["description"]
        assert [word for word in map(str, words) if f"{word}:" not in described] == []


def _objects(schema: Any) -> Iterator[dict[str, Any]]:
    if isinstance(schema, dict):
        if "properties" in schema:
            yield schema
        for part in schema.values():
            yield from _objects(part)
    elif isinstance(schema, list):
        for part in schema:
            yield from _objects(part)


@pytest.mark.parametrize("name", SCHEMAS)
def test_every_field_is_described_and_no_other_is_allowed(name: str) -> None:
    for found in _objects(SCHEMAS[name]):
        assert found["additionalProperties"] is False
        for field, schema in found["properties"].items():
            assert schema.get("description") or "$ref" in schema, field


@pytest.mark.parametrize("drop", [True, False], ids=["missing", "unknown"])
def test_a_field_too_few_or_too_many_is_noticed(drop: bool, documents: dict[str, list[dict[str, Any]]]) -> None:
    plan = next(plan for plan in documents["plan"] if plan["moves"])
    repaired = next(report for report in documents["report"] if report["summary"]["fixed"])
    row = next(number for number, row in enumerate(repaired["sequences"]) if "before" in row)
    for name, whole, path in (
        ("report", repaired, []),
        ("report", repaired, ["summary"]),
        ("report", repaired, ["sequences", row]),
        ("report", repaired, ["sequences", row, "before"]),
        ("plan", plan, []),
        ("plan", plan, ["options"]),
        ("plan", plan, ["moves", 0]),
        ("plan", plan, ["sequences", 0]),
    ):
        keys = _at(whole, path)
        for key in keys if drop else ["surprise"]:
            document = json.loads(json.dumps(whole))
            if drop:
                del _at(document, path)[key]
            else:
                _at(document, path)[key] = 1
            with pytest.raises(ValidationError):
                validate(name, document)


def _at(document: Any, path: list[str | int]) -> dict[str, Any]:
    for step in path:
        document = document[step]
    assert isinstance(document, dict)
    return document


def test_a_role_that_may_not_move_anything(newest_db: Database) -> None:
    role = newest_db.role()
    newest_db.execute("CREATE TABLE a (id serial); INSERT INTO a VALUES (1), (2); CREATE TABLE b (id serial)")
    newest_db.execute(f"GRANT SELECT ON TABLE a TO {role}; GRANT SELECT ON SEQUENCE a_id_seq TO {role}")
    with newest_db.connect(user=role) as conn:
        plan = core.plan(conn).to_dict()
        report = core.fix(conn).to_dict()
    validate("plan", plan)
    validate("report", report)
    assert plan["moves"][0]["way"] is None
    assert report["sequences"][0]["error"]["sqlstate"] == "42501"
