"""The places on the line: in order, apart, and inside."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_seqfix import core
from airflow_seqfix.core.row import Row
from airflow_seqfix.render.numberline import SHORTEST, NumberLine, _places, number_line

BIGINT = st.integers(-(2**63), 2**63 - 1)


def drawn(report: core.Report, sequence: str) -> NumberLine:
    line = number_line(next(row for row in report.rows if row.finding.sequence.qualified_name == sequence))
    assert line is not None
    return line


def values(line: NumberLine) -> dict[str, int]:
    return {mark.kind: mark.value for mark in line.marks}


@given(st.sets(BIGINT, min_size=1, max_size=7))
def test_places_keep_the_order_and_stay_apart(points: set[int]) -> None:
    places, _ = _places(points)
    ordered = [places[value] for value in sorted(points)]
    assert ordered[0] == 0
    assert ordered[-1] == (100 if len(points) > 1 else 0)
    assert all(after - before >= SHORTEST - 1 for before, after in itertools.pairwise(ordered))


def test_five_and_the_largest_bigint_are_both_seen() -> None:
    places, is_true = _places({1, 5, 6, 2**63 - 1})
    assert places[5] >= 2 * SHORTEST - 5
    assert places[6] - places[5] >= SHORTEST - 1
    assert not is_true


@given(st.sets(BIGINT, min_size=2, max_size=7))
def test_a_line_that_is_said_to_be_to_scale_is(points: set[int]) -> None:
    places, is_true = _places(points)
    true = {value: 100 * (value - min(points)) / (max(points) - min(points)) for value in points}
    assert not is_true or all(abs(places[value] - true[value]) <= 0.5 for value in points)
    assert _places({0, 25, 50, 100}) == ({0: 0, 25: 25, 50: 50, 100: 100}, True)


def test_behind_with_a_collision_to_come(report: core.Report) -> None:
    line = drawn(report, "shop.invoices_id_seq")
    assert values(line) == {
        "next": 4712,
        "after": 7801,
        "collision": 5001,
        "data": 7800,
        "start": 1,
        "limit": 2**63 - 1,
    }
    at = {mark.kind: mark.at for mark in line.marks}
    assert at["start"] < at["next"] < at["collision"] < at["data"] < at["after"] < at["limit"]
    used, ahead = line.spans
    assert (used.kind, used.left, used.width) == ("used", 0, at["next"])
    assert (ahead.kind, ahead.left, ahead.left + ahead.width) == ("ahead", at["collision"], at["data"])
    assert line.move == (at["next"], at["after"])


def test_a_descending_sequence_runs_to_the_left(report: core.Report) -> None:
    line = drawn(report, "shop.credit_notes_id_seq")
    at = {mark.kind: mark.at for mark in line.marks}
    assert at["limit"] == 0
    assert at["limit"] < at["after"] < at["data"] < at["next"] == at["start"] == 100
    assert [mark.kind for mark in line.ends] == ["limit", "start"]


def test_an_outlier_stands_apart_from_the_rest(report: core.Report) -> None:
    line = drawn(report, "shop.page_views_id_seq")
    assert values(line)["data"] == 900
    assert values(line)["outlier"] == 4611686018427387904
    assert line.move is not None, "past the rest"
    outlier = next(mark.at for mark in line.marks if mark.kind == "outlier")
    assert all(span.left + span.width < outlier for span in line.spans)


def test_beyond_the_limit(report: core.Report) -> None:
    line = drawn(report, "hr.seats_id_seq")
    at = {mark.kind: mark.at for mark in line.marks}
    assert at["next"] == at["limit"] == 100
    (mark,) = (mark for mark in line.above if mark.kind == "next")
    assert (mark.label, mark.value) == ("none is left: the next value would be", values(line)["limit"] + 1)
    assert [(span.kind, span.width) for span in line.spans] == [("used", 100)]


@pytest.mark.parametrize("when", ["report", "repaired"])
def test_no_mark_lies_outside_of_the_values_that_fit(request: pytest.FixtureRequest, when: str) -> None:
    for row in request.getfixturevalue(when).rows:
        line = number_line(row)
        if line is None:
            continue
        assert {mark.at for mark in line.ends} <= {0, 100}, row.sequence
        assert not [mark for mark in line.marks if not line.ends[0].at <= mark.at <= line.ends[1].at]


def test_after_a_repair_it_shows_where_it_came_from(repaired: core.Report) -> None:
    line = drawn(repaired, "shop.orders_id_seq")
    assert values(line)["was"] == 1
    assert values(line)["next"] == 41201
    assert [span.kind for span in line.spans] == ["moved"]


def test_what_was_not_read_has_no_line(report: core.Report) -> None:
    unread = [row for row in report.rows if row.verdict is core.Verdict.UNKNOWN]
    assert unread
    assert [number_line(row) for row in unread] == [None] * len(unread)


@pytest.mark.parametrize("when", ["report", "repaired"])
def test_every_line_can_be_drawn(request: pytest.FixtureRequest, when: str) -> None:
    rows: tuple[Row, ...] = request.getfixturevalue(when).rows
    for line in filter(None, map(number_line, rows)):
        assert all(0 <= mark.at <= 100 for mark in line.marks)
        assert all(span.left >= 0 and span.width > 0 and span.left + span.width <= 100 for span in line.spans)
