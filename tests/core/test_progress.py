"""What is told while a run goes on."""

from __future__ import annotations

from dataclasses import replace

import pytest

from airflow_seqfix import core
from airflow_seqfix.core.measure.partitions import COLUMNS_AT_ONCE
from tests.support.servers import Database

SERIAL = "CREATE TABLE {0} (id serial PRIMARY KEY); INSERT INTO {0} SELECT generate_series(1, {1});"


@pytest.fixture
def three(db: Database) -> Database:
    """One that is in sync, one that is behind, and one that nothing draws from."""
    db.execute(SERIAL.format("calm", 0) + SERIAL.format("late", 35000) + "CREATE SEQUENCE idle")
    return db


DISCOVER = core.Progress(phase="discover", total=0)


def read(done: int, found: int, current: str | None = None, total: int = 3) -> core.Progress:
    return core.Progress(phase="read", done=done, total=total, found=found, current=current)


def test_a_check_tells_what_it_reads_and_what_it_has_found(three: Database) -> None:
    told: list[core.Progress] = []
    with three.connect() as conn:
        core.check(conn, progress=told.append)
    assert told == [DISCOVER, read(1, 0), read(1, 0, told[2].current), read(3, 1)]
    assert told[2].current in ("public.calm", "public.late")


def test_of_several_tables_the_slowest_is_named(three: Database) -> None:
    three.execute("ALTER TABLE late DROP CONSTRAINT late_pkey; CREATE TABLE wide (id serial PRIMARY KEY, a text)")
    three.execute("INSERT INTO wide SELECT i FROM generate_series(1, 50000) i; ANALYZE")
    told: list[core.Progress] = []
    with three.connect() as conn:
        core.check(conn, progress=told.append)
    assert [progress.current for progress in told[1:]] == [None, "public.late", None]


def test_a_repair_tells_of_reading_moving_and_reading_again(three: Database) -> None:
    told: list[core.Progress] = []
    with three.connect() as conn:
        core.plan(conn, progress=told.append)
        planned = len(told)
        core.fix(conn, lock="none", progress=told.append)
    assert told[planned : 2 * planned] == told[:planned]
    move = core.Progress(phase="move", total=1, found=1, current="public.late_id_seq", values_total=35000)
    assert told[2 * planned :] == [
        *(replace(move, values_done=done) for done in (0, 10000, 20000, 30000, 35000)),
        core.Progress(phase="move", done=1, total=1, found=1),
        read(0, 0, "public.late", total=1),
        read(1, 0, total=1),
    ]


def test_each_statement_is_told_of(three: Database) -> None:
    for i in range(2 * COLUMNS_AT_ONCE):
        three.execute(SERIAL.format(f"t{i}", i % 2))
    told: list[core.Progress] = []
    with three.connect() as conn:
        report = core.check(conn, progress=told.append)
    assert told[-1] == read(2 * COLUMNS_AT_ONCE + 3, report.summary["behind"], total=2 * COLUMNS_AT_ONCE + 3)
    counts = [progress.done for progress in told[1:] if progress.current is None]
    assert counts == sorted(counts)
    assert len(counts) == 5, "what needs no reading, three chunks, and those few of one that have been reached"


def test_what_is_behind_is_counted_when_it_is_read(newest_db: Database) -> None:
    count = 4 * COLUMNS_AT_ONCE
    newest_db.execute("".join(SERIAL.format(f"t{i:03}", int(i % 10 == 1)) for i in range(count)))
    told: list[core.Progress] = []
    with newest_db.connect() as conn:
        report = core.check(conn, progress=told.append)
    found = [progress.found for progress in told]
    assert found == sorted(found)
    assert set(found) >= {5, 10, 15, 20}
    assert found[-1] == report.summary["behind"] == 20
    # Of what was read before the last statement, none is missing.
    assert max(progress.found for progress in told if progress.done < count - 20) == 20


@pytest.mark.parametrize("last", [2, 5, 6])
def test_what_the_callback_raises_ends_the_run(last: int, three: Database) -> None:
    told: list[core.Progress] = []

    def tell(progress: core.Progress) -> None:
        told.append(progress)
        if len(told) == last:
            raise ZeroDivisionError("of the caller's own")

    with three.connect() as conn:
        with pytest.raises(ZeroDivisionError, match="of the caller's own"):
            core.fix(conn, lock="none", progress=tell)
        assert len(told) == last
        assert conn.info.transaction_status == 0
        core.fix(conn)
    assert three.value("INSERT INTO late DEFAULT VALUES RETURNING id") == 35001


def test_progress_reads_as_a_line() -> None:
    assert str(DISCOVER) == "reading the catalogs"
    assert str(read(1200, 3, "public.big", total=9999)) == (
        "read 1,200 of 9,999 sequences, 3 not in sync; reading public.big"
    )
    move = core.Progress(phase="move", done=1, total=2, found=2, current="public.a", values_done=7, values_total=9000)
    assert str(move) == "moved 1 of 2 sequences; public.a: 7 of 9,000 values"
    assert str(replace(move, current=None)) == "moved 1 of 2 sequences"
