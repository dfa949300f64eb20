"""Several connections for one task, all of them through the hook."""

from __future__ import annotations

from typing import Any

import pytest

from airflow_seqfix.core.measure.partitions import COLUMNS_AT_ONCE
from airflow_seqfix.task import base, reporting
from tests.support.servers import Database
from tests.support.tasks import Pushed, operator


@pytest.fixture
def many(shop: Database) -> Database:
    """Three chunks of sequences, all behind."""
    shop.execute(f"""
        DO $$ BEGIN
            FOR i IN 1..{2 * COLUMNS_AT_ONCE + 1} LOOP
                EXECUTE format('CREATE TABLE t%s (id serial PRIMARY KEY); INSERT INTO t%s VALUES (7)', i, i);
            END LOOP;
        END $$
    """)
    return shop


def test_connections_are_opened_and_closed(many: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: set[Any] = set()

    def look(self: Any, progress: Any) -> None:
        seen.update(line._connection.info.backend_pid for line in self._slot._lines)

    monkeypatch.setattr(base.SequenceTask, "log_progress", look)
    for jobs in (1, 3):
        many.execute("SELECT setval('t1_id_seq', 1, false)")
        seen.clear()
        reset = operator(jobs=jobs)
        report = reset.execute({"ti": Pushed()})
        assert report["summary"]["failed"] == 0
        assert (len(seen), reset._slot._lines) == (jobs, [])


class Log:
    """Stands where Airflow's logger stands."""

    def __init__(self) -> None:
        self.said: list[str] = []

    def info(self, text: str, *arguments: Any) -> None:
        self.said.append(text % arguments)

    warning = info


def test_the_log_says_how_far_it_is(many: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    log = Log()
    monkeypatch.setattr(base.SequenceTask, "log", log)
    monkeypatch.setattr(reporting, "SECONDS_BETWEEN_LINES", 0.0)
    many.execute('CREATE TABLE "new\nline" (id serial, n int); INSERT INTO "new\nline" VALUES (7)')
    operator().execute({"ti": Pushed()})
    said = log.said
    total = 2 * COLUMNS_AT_ONCE + 2
    assert f"read {total} of {total} sequences, {total} not in sync" in said
    assert f"moved {total} of {total} sequences" in said
    assert f"read {total} of {total} sequences, 0 not in sync" in said
    assert not any("\n" in line for line in said if line.startswith(("read", "moved")))
    assert any(r'reading public."new\nline"' in line for line in said)
