"""What tests share. Nothing is imported from a test module; tests/package/test_tests.py holds this."""

from __future__ import annotations

from pathlib import Path

ROOT = Path(__file__).parents[2]
