"""The picture of use over time: true to what was read, whatever that is."""

from __future__ import annotations

import dataclasses
import datetime
import random
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from airflow_seqfix import core
from airflow_seqfix.core.judge.history import use_of
from airflow_seqfix.core.model import Position
from airflow_seqfix.core.row import Row
from airflow_seqfix.render.html import WITH_PAST, html
from airflow_seqfix.render.timeline import HEIGHT, WIDTH, Timeline, timeline

NOW = datetime.datetime(2026, 6, 30, tzinfo=datetime.UTC)


def row_of(report: core.Report, name: str) -> Row:
    return next(row for row in report.rows if row.sequence == f"past.{name}_id_seq")


def drawn(report: core.Report, name: str) -> Timeline:
    found = timeline(row_of(report, name))
    assert found is not None
    return found


def with_past(row: Row, positions: list[Position]) -> Row:
    """Return a row of whose sequence these are the positions, the latest the present."""
    use = use_of(positions, row.finding.sequence.increment_by)
    return Row(finding=dataclasses.replace(row.finding, use=use))


def position(days_ago: float, value: int, limit: int = 32_767) -> Position:
    return Position(at=NOW - datetime.timedelta(days=days_ago), next_value=value, remaining=limit - value + 1)


def runs(path: str) -> list[list[tuple[int, int]]]:
    """Return the points of each line of a path."""
    assert re.fullmatch(r"(M\d+ \d+(L\d+ \d+)*(h0)?)+", path), path
    return [
        [(int(x), int(y)) for x, y in re.findall(r"(\d+) (\d+)", line)] for line in path.removeprefix("M").split("M")
    ]


def test_a_steady_line_and_its_forecast(used: core.Report) -> None:
    found = drawn(used, "steady")
    (line,) = runs(found.path)
    assert len(line) == 29
    assert [x for x, _ in line] == sorted(x for x, _ in line)
    assert [y for _, y in line] == sorted((y for _, y in line), reverse=True)
    assert found.forecast is not None
    ((begin, end),) = runs(found.forecast)
    assert begin == line[-1]
    assert line[0][0] == 0 and end[0] == WIDTH
    # As long as the past, at the same pace.
    assert end[0] - begin[0] == pytest.approx(begin[0] - line[0][0], abs=2)
    assert begin[1] - end[1] == pytest.approx(line[0][1] - begin[1], abs=2)
    assert found.until == (found.now.at + (found.now.at - found.first.at), 22_801)
    assert found.pace == "100 values a day lately; at this pace it lasts 128 days (dashed)."
    assert found.marks == ()


def test_the_limit_is_drawn_where_it_leaves_the_line_its_height(used: core.Report) -> None:
    row = row_of(used, "steady")
    near = timeline(with_past(row, [position(day, 32_000 - 300 * day) for day in range(28)]))
    assert near is not None
    assert near.limit_at == 0
    assert near.until is not None and near.until[1] == 32_767, "no further than the limit"
    past = [position(day, 10_000 - 10 * day) for day in range(28)]
    far = timeline(with_past(row, past))
    assert far is not None
    assert far.limit_at is None
    (line,) = runs(far.path)
    assert line[0][1] == HEIGHT, "a line that would be flat beside its limit has the height for itself"
    page = html(dataclasses.replace(used, rows=(with_past(row, past),)))
    assert "The limit, 32767, lies far above this picture." in page


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("repaired", [("repaired", 35_001, 38_001), ("repaired", 39_101, 89_101)]),
        ("set_back", [("set back", 15_001, 6_101)]),
        ("widened", [("definition changed", 29_001, 29_101)]),
    ],
)
def test_what_nobody_used_breaks_the_line(used: core.Report, name: str, told: list[tuple[str, int, int]]) -> None:
    found = drawn(used, name)
    lines = runs(found.path)
    assert len(lines) == len(told) + 1
    without_dates = [re.sub(r" \d{4}-\d\d-\d\d:", "", mark.text) for mark in found.listed]
    assert without_dates == [f"{kind} {before} to {after}" for kind, before, after in told]
    assert len(found.marks) == len(told)
    for mark, line in zip(found.marks, lines[1:], strict=True):
        # The mark stands where the line goes on.
        x, y = line[0]
        assert (mark.x, mark.y) == (pytest.approx(x / 3, abs=1), pytest.approx(y / 10, abs=1))


def test_no_forecast_is_drawn_that_is_not_told(used: core.Report) -> None:
    found = drawn(used, "burst")
    assert (found.forecast, found.until) == (None, None)
    assert found.pace.endswith("values a day lately. No forecast: the past is too short or too uneven.")
    assert max(x for x, _ in runs(found.path)[-1]) == WIDTH


def test_downwards(used: core.Report) -> None:
    (line,) = runs(drawn(used, "down").path)
    assert [y for _, y in line] == sorted(y for _, y in line)
    assert "The limit, -2147483648, lies far below this picture." in html(used)


def test_without_a_day_of_history_there_is_no_picture(used: core.Report, report: core.Report) -> None:
    row = row_of(used, "steady")
    assert timeline(row_of(used, "unknown")) is None
    assert timeline(with_past(row, [position(0.5, 7), position(0.25, 8), position(0, 9)])) is None
    assert timeline(with_past(row, [position(0, 9), position(0, 9)])) is None
    assert "over time" not in html(report)


def test_reports_in_any_order_make_one_picture(used: core.Report) -> None:
    row = row_of(used, "steady")
    past = [position(day, 10_000 - 100 * day) for day in range(28)]
    assert timeline(with_past(row, past[::-1] + past)) == timeline(with_past(row, past))


def test_reports_of_the_same_moment(used: core.Report) -> None:
    found = timeline(
        with_past(row_of(used, "steady"), [position(2, 7), position(2, 9), position(0, 11), position(0, 15)])
    )
    assert found is not None
    assert len(runs(found.path)) == 1
    assert found.now.next_value == 15


@pytest.mark.parametrize("increment", [1, -1, 7])
@settings(max_examples=200, deadline=None)
@given(past=st.lists(st.tuples(st.floats(0, 700_000), st.integers(-(2**64), 2**64), st.integers(0, 2**64)), min_size=1))
def test_whatever_was_read_stays_inside(used: core.Report, past: list[tuple[float, int, int]], increment: int) -> None:
    row = row_of(used, "steady")
    positions = [dataclasses.replace(position(day, value), remaining=left) for day, value, left in past]
    found = timeline(Row(finding=dataclasses.replace(row.finding, use=use_of(positions, increment))))
    if found is None:
        return
    for line in runs(found.path + (found.forecast or "")):
        assert all(0 <= x <= WIDTH and 0 <= y <= HEIGHT for x, y in line)
    assert all(0 <= mark.x <= 100 and 0 <= mark.y <= 100 for mark in found.marks)
    assert found.limit_at is None or 0 <= found.limit_at <= 100


def test_a_picture_does_not_grow_with_its_past(used: core.Report) -> None:
    """Ten thousand reports, every other one after a reset."""
    row = row_of(used, "steady")
    dice = random.Random(1)
    for value in (lambda n: n, lambda n: n % 2 * 1000, lambda n: dice.randrange(20_000)):
        found = timeline(with_past(row, [position(n / 24, 20_000 - value(n)) for n in range(10_000)]))
        assert found is not None
        assert len(found.path) < 2 * (WIDTH + 1) * len("M300 1000")
        assert len(found.marks) <= 2 * 101


@pytest.mark.long
def test_a_large_page_draws_few(used: core.Report) -> None:
    """3,000 sequences, all with a past: of those with a card first, then of those that last shortest."""
    row, behind = row_of(used, "steady"), row_of(used, "behind")

    def named(row: Row, number: int) -> Row:
        sequence = dataclasses.replace(row.finding.sequence, oid=number, qualified_name=f"past.s{number:04}")
        measurement = dataclasses.replace(row.finding.measurement, sequence=sequence)
        left = dataclasses.replace(row.finding.use, days_left=float(number))
        return Row(finding=dataclasses.replace(row.finding, measurement=measurement, use=left))

    rows = tuple(named(behind if number >= 2990 else row, number) for number in range(3000))
    page = html(dataclasses.replace(used, rows=rows))
    bare = tuple(
        Row(finding=dataclasses.replace(row.finding, use=dataclasses.replace(row.finding.use, past=()))) for row in rows
    )
    assert page.count('<figure class="past">') == WITH_PAST
    cards = re.findall(r'<article id="sequence-(\d+)"', page)
    assert sorted(map(int, cards)) == [*range(15), *range(2990, 3000)]
    assert len(page) - len(html(dataclasses.replace(used, rows=bare))) < 80_000


def test_it_can_be_read_without_seeing_it(used: core.Report) -> None:
    """Each figure says in text what its picture shows, and no break is told by colour alone."""
    page = html(used)
    for figure in re.findall(r'<figure class="past">.*?</figure>', page, re.DOTALL):
        assert figure.count("<svg") == len(
            re.findall(r'<svg [^>]*aria-hidden="true"|<svg viewBox="0 0 300 1000"', figure)
        )
        text = re.sub(r"\s+", " ", re.sub(r"<[^>]+>", "", figure))
        assert re.search(r"Next value over time \d{4}-\d\d-\d\d: -?\d+ \d{4}-\d\d-\d\d: -?\d+", text), text
        assert "The limit, " in text
    shapes = {
        re.search(rf'<path id="{kind}" d="([^"]+)"', page) for kind in ("repaired", "set-back", "definition-changed")
    }
    assert len({shape and shape[1] for shape in shapes}) == 3
    assert "set back 2" in page and "repaired 2" in page and "definition changed 2" in page
