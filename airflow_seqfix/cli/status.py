"""What the exit status says."""

from __future__ import annotations

IN_SYNC, DRIFT, TROUBLE = 0, 1, 2
