"""What an Airflow is spared is a test that there is."""

from __future__ import annotations

from tests.airflow_matrix.environments import ENVIRONMENTS
from tests.support import ROOT


def test_what_is_left_out_exists() -> None:
    left_out = {name for environment in ENVIRONMENTS for name in environment.left_out}
    assert left_out
    for name in left_out:
        path, _, function = name.partition("::")
        text = (ROOT / "tests/provider" / path).read_text(encoding="utf-8")
        assert f"def {function.partition('[')[0]}" in text, name
