"""The pictures of the documentation are those that the script draws now."""

from __future__ import annotations

import importlib.util

import pytest

from tests.support import ROOT

spec = importlib.util.spec_from_file_location("draw", ROOT / "docs" / "draw.py")
draw = importlib.util.module_from_spec(spec)
spec.loader.exec_module(draw)


@pytest.mark.parametrize("name", draw.PICTURES)
def test_picture_is_fresh(name: str) -> None:
    kept = (ROOT / "docs" / "pictures" / f"{name}.svg").read_text(encoding="utf-8")
    assert kept == str(draw.PICTURES[name]()), "stale: run python docs/draw.py"


def test_the_import_graph_is_the_code_s() -> None:
    graph = draw.folders()
    assert "core.report" in graph["render"]
    assert "core" in graph["cli"]
    assert "core.queries" in graph["core.repair"]
    # What values the options may have is asked by DAG files as well, which must not import the core.
    used_by_core = {used for name, all_used in graph.items() if name.startswith("core") for used in all_used}
    assert {used for used in used_by_core if not used.startswith("core")} == {"options", "secrets", "splitting"}
    assert graph["options"] == {"rules"}
    assert not graph["rules"] | graph["secrets"] | graph["splitting"]


def test_a_circle_is_refused() -> None:
    with pytest.raises(SystemExit, match="circle: a, b"):
        draw.in_order({"a": {"b"}, "b": {"a"}})
