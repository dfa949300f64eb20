"""The JSON Schemas in docs/, and whether a document is what they say."""

from __future__ import annotations

import json
from typing import Any

from jsonschema import Draft202012Validator
from referencing import Registry, Resource

from tests.support import ROOT

DOCS = ROOT / "docs"
SCHEMAS: dict[str, Any] = {
    name: json.loads((DOCS / f"{name}.schema.json").read_text(encoding="utf-8"))
    for name in ("report", "plan", "mapping", "fleet")
}
REGISTRY = Registry().with_resources((schema["$id"], Resource.from_contents(schema)) for schema in SCHEMAS.values())
VALIDATORS = {
    name: Draft202012Validator(schema, registry=REGISTRY, format_checker=Draft202012Validator.FORMAT_CHECKER)
    for name, schema in SCHEMAS.items()
}


def validate(name: str, document: dict[str, Any]) -> None:
    """Validate a document as it would come back from a file."""
    VALIDATORS[name].validate(json.loads(json.dumps(document)))
