"""The pictures of the documentation are those that the script draws now."""

from __future__ import annotations

import importlib.util
import re

import pytest

from tests.support import ROOT, recording
from tests.support.pages import pages, read
from tests.support.servers import Server

DOCS = ROOT / "docs"

spec = importlib.util.spec_from_file_location("draw", ROOT / "docs" / "draw.py")
draw = importlib.util.module_from_spec(spec)
spec.loader.exec_module(draw)


@pytest.mark.parametrize("name", draw.PICTURES)
def test_picture_is_fresh(name: str) -> None:
    kept = (ROOT / "docs" / "pictures" / f"{name}.svg").read_text(encoding="utf-8")
    assert kept == str(draw.PICTURES[name]()), "stale: run python docs/draw.py"


def test_the_recording_is_fresh(wheel_server: Server) -> None:
    """What a terminal shows today is what docs/tour.md shows of it."""
    kept = recording.PICTURE.read_text(encoding="utf-8")
    assert kept == recording.svg(recording.record(wheel_server)), "stale: run python -m tests.support.recording"


def test_the_recording_loads_nothing_and_has_its_colours() -> None:
    kept = recording.PICTURE.read_text(encoding="utf-8")
    assert set(re.findall(r"https?://[^\"' )]+", kept)) == {"http://www.w3.org/2000/svg"}
    assert len(set(re.findall(r"fill: (#\w{6})", kept))) > 3


def test_every_picture_is_on_a_page() -> None:
    files = {path for folder in ("pictures", "screenshots") for path in (DOCS / folder).glob("*.[sp][vn]g")}
    shown = {
        (ROOT / page).parent.joinpath(target).resolve()
        for page in pages()
        for target in re.findall(r"\]\(([^)\s]+\.(?:svg|png))\)", read(page))
    }
    assert len(files) > 15
    assert files <= shown


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
