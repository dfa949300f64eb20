"""How long sequences last: a generated year of reports, the forecast against the truth, and when it keeps silent."""

from __future__ import annotations

import datetime
import json
import random
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import cache
from itertools import permutations
from statistics import median, quantiles
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from airflow_seqfix import core
from airflow_seqfix.core.judge.history import use_of
from airflow_seqfix.core.model import Break, Position, Use
from tests.support.pages import read
from tests.support.servers import Database

BEGIN = datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)
LIMIT = 2_147_483_647
#: How much more or less than the forecast says may be left in truth, where it says something.
FACTOR = 2.0
SET_BACK, CHANGED = Break.SET_BACK, Break.CHANGED


def positions(*points: tuple[float, int], limit: int = LIMIT, increment: int = 1) -> list[Position]:
    """Return positions from days and next values."""
    return [
        Position(at=BEGIN + datetime.timedelta(days=day), next_value=value, remaining=(limit - value) // increment + 1)
        for day, value in points
    ]


def test_a_steady_pace() -> None:
    use = use_of(positions(*((day, 1 + 1000 * day) for day in range(30))), 1)
    assert use.used_per_day == pytest.approx(1000)
    assert use.days_left == pytest.approx((LIMIT - 29_000) / 1000)


@pytest.mark.parametrize(
    ("points", "used_per_day"),
    [
        ([(0, 5)], None),
        ([(0, 5), (0, 5)], None),
        ([(0, 5), (0.01, 500)], None),
        ([(0, 5), (2, 405)], 200),
        ([(0, 5), (30, 3005)], 100),
        ([(0, 5), (1, 105), (2, 205), (3, 305)], 100),
        ([(day, 7) for day in range(30)], 0),
    ],
    ids=["alone", "twice", "minutes", "two days", "two reports", "three days", "unused"],
)
def test_too_little_is_no_forecast(points: list[tuple[float, int]], used_per_day: float | None) -> None:
    use = use_of(positions(*points), 1)
    assert use.days_left is None
    assert use.used_per_day == (None if used_per_day is None else pytest.approx(used_per_day))


def test_a_load_is_no_pace() -> None:
    """One day of a hundred times as much: nobody knows whether it comes again."""
    loaded = [(day, 1 + 1000 * day + (100_000 if day >= 20 else 0)) for day in range(30)]
    assert use_of(positions(*loaded), 1).days_left is None
    # Four weeks later the pace is as before, and the load is not forgotten: it may come again.
    later = [(day, 1 + 1000 * day + (100_000 if day >= 20 else 0)) for day in range(60)]
    use = use_of(positions(*later), 1)
    assert (use.used_per_day, use.days_left) == (pytest.approx(1000), None)


def test_a_repair_in_between_is_not_used() -> None:
    known = positions(*((day, 1 + 1000 * day + (5_000_000 if day >= 15 else 0)) for day in range(30)))
    known[15] = replace(known[15], moved_from=known[15].next_value - 5_000_000)
    use = use_of(known, 1)
    assert use.used_per_day == pytest.approx(1000)
    assert use.days_left == pytest.approx(known[-1].remaining / 1000)


def test_repairs_that_come_every_night_use_values() -> None:
    known = [
        replace(position, moved_from=position.next_value - 900)
        for position in positions(*((day, 1 + 1000 * day) for day in range(1, 30)))
    ]
    assert use_of(known, 1).used_per_day == pytest.approx(1000)


@pytest.mark.parametrize("at", [10, 15, 25])
def test_a_reset_and_a_wider_type_break_the_past_and_do_not_end_it(at: int) -> None:
    reset = positions(*((day, 1 + 1000 * (day if day < at else day - at)) for day in range(30)))
    assert use_of(reset, 1).used_per_day == pytest.approx(1000)
    narrow = positions(*((day, 1 + 1000 * day) for day in range(at)), limit=32_767_000)
    wide = positions(*((day, 1 + 1000 * day) for day in range(at, 30)), limit=2**63 - 1)
    use = use_of([*narrow, *wide], 1)
    assert use.used_per_day == pytest.approx(1000)
    assert use.days_left == pytest.approx(wide[-1].remaining / 1000)


def test_another_increment_is_another_pace() -> None:
    before = positions(*((day, 1 + 1000 * day) for day in range(15)))
    after = positions(*((day, 20_001 + 10_000 * (day - 15)) for day in range(15, 30)), increment=10)
    assert use_of([*before, *after], 10).used_per_day == pytest.approx(1000)


def test_downwards() -> None:
    known = [
        Position(at=BEGIN + datetime.timedelta(days=day), next_value=-1 - 7 * day, remaining=1_000_000 - 7 * day)
        for day in range(30)
    ]
    assert use_of(known, -1).used_per_day == pytest.approx(7)


def test_what_breaks_the_past_is_said() -> None:
    known = positions((0, 100), (1, 200), (2, 50), (3, 150), (4, 5000))
    known += [replace(position, remaining=2**40) for position in positions((5, 5100), (6, 5200))]
    known[4] = replace(known[4], moved_from=200)
    assert [broken for _, broken in use_of(known, 1).past] == [None, None, SET_BACK, None, None, CHANGED, CHANGED]
    assert [position.next_value for position, _ in use_of(known, 1).past] == [100, 200, 50, 150, 5000, 5100, 5200]


def test_a_past_of_another_increment_is_read_by_that_one() -> None:
    then = [replace(position, increment_by=1) for position in positions(*((day, 1 + 1000 * day) for day in range(15)))]
    now = positions(*((day, 20_001 + 10_000 * (day - 15)) for day in range(15, 30)), increment=10)
    use = use_of([*then, *(replace(position, increment_by=10) for position in now)], 10)
    assert [broken for _, broken in use.past] == [None] * 15 + [CHANGED] + [None] * 14
    assert use.used_per_day == pytest.approx(1000)


def test_reports_of_the_same_second_in_any_order() -> None:
    """A repair and the check after it, a report that was given twice, and two that use lies between."""
    repair = Position(at=BEGIN, next_value=900, remaining=100, moved_from=7)
    check, later = replace(repair, moved_from=None), replace(repair, next_value=910, remaining=90, moved_from=None)
    for known in permutations([repair, check, later, repair]):
        assert use_of(known, 1).past == ((repair, None), (check, None), (later, None))


@dataclass(frozen=True)
class Year:
    """What happens in a year: how many values each of its days uses."""

    name: str
    day: Callable[[int, random.Random], float]
    #: How often it has to say something, and how often it has to be silent, of the days after the first month.
    speaks: float = 0.0
    silent: float = 0.0
    #: How often it may be wrong: nobody can tell the first burst from what was before it.
    wrong: float = 0.05


YEARS = [
    Year("steady, ±30 %", lambda day, dice: 1000 * dice.uniform(0.7, 1.3), speaks=0.99),
    Year("weekdays only", lambda day, dice: 1400.0 if day % 7 < 5 else 50.0, speaks=0.99),
    Year("growing, threefold in the year", lambda day, dice: 500 * 1.003**day * dice.uniform(0.8, 1.2), speaks=0.99),
    Year("a load each night", lambda day, dice: 200 + 5000 * dice.uniform(0.9, 1.1), speaks=0.99),
    Year("a burst each quarter", lambda day, dice: 500.0 + (60_000 if day % 91 == 45 else 0), silent=0.25, wrong=0.2),
    Year("bursts at random", lambda day, dice: 200.0 + (40_000 if dice.random() < 0.04 else 0), silent=0.5, wrong=0.2),
    Year("nothing for 200 days, then steady", lambda day, dice: 0.0 if day < 200 else 1000.0, speaks=0.3),
]


def year_of(year: Year, seed: int) -> tuple[list[int], list[Position]]:
    """Return what each day used, and where the sequence stood each morning; repaired, reset and widened in between."""
    dice = random.Random(seed)
    used = [round(year.day(day, dice)) for day in range(365)]
    value, limit = 1, 50_000_000
    known: list[Position] = []
    for day, amount in enumerate(used):
        moved_from = None
        if day == 120:
            moved_from, value = value, value + 3_000_000
        if day == 180:
            limit = 500_000_000
        if day == 250:
            value = 1
        at = BEGIN + datetime.timedelta(days=day, minutes=dice.uniform(0, 30))
        known.append(Position(at=at, next_value=value, remaining=limit - value + 1, moved_from=moved_from))
        value += amount
    return used, known


@dataclass(frozen=True)
class Score:
    """How good the forecasts of some years of one kind are."""

    #: How many days there were, and how many of them had no forecast.
    days: int
    silent: int
    #: Of each forecast, the pace that it told by that of the next thirty days.
    errors: list[float]

    @property
    def wrong(self) -> int:
        return sum(not 1 / FACTOR <= error <= FACTOR for error in self.errors)

    def cells(self) -> list[str]:
        """Return what the page says: days without one, those off by more than `FACTOR`, the median, the middle 90 %."""
        silent, wrong = f"{self.silent / self.days:.0%}", f"{self.wrong / len(self.errors):.0%}"
        low, *_, high = quantiles(self.errors, n=20)
        return [
            silent.replace("%", " %"),
            wrong.replace("%", " %"),
            f"{median(self.errors):.2f}",
            f"{low:.2f} to {high:.2f}",
        ]


@cache
def score(year: Year) -> Score:
    errors: list[float] = []
    silent = days = 0
    for seed in range(3):
        used, known = year_of(year, seed)
        for day in range(30, 330):
            use = use_of(known[: day + 1], 1)
            days += 1
            if use.days_left is None:
                silent += 1
                continue
            truth = sum(used[day : day + 30]) / 30
            assert truth, "of a year that ends in nothing a ratio says nothing"
            errors.append((known[day].remaining / use.days_left) / truth)
    return Score(days, silent, errors)


@pytest.mark.parametrize("year", YEARS, ids=lambda year: year.name)
def test_a_year(year: Year) -> None:
    found = score(year)
    assert len(found.errors) >= year.speaks * found.days
    assert found.silent >= year.silent * found.days
    assert found.wrong <= year.wrong * found.days


@pytest.mark.long
def test_the_page_says_how_good_it_is() -> None:
    cells = r"(\d+ %) \| (\d+ %) \| ([\d.]+) \| ([\d.]+ to [\d.]+)"
    rows = re.findall(rf"^\| (.+?) \| {cells} \|$", read("docs/howto/days-left.md"), re.MULTILINE)
    assert {name: cells for name, *cells in rows} == {year.name: score(year).cells() for year in YEARS}


@st.composite
def pasts(draw: st.DrawFn) -> Iterator[list[Position]]:
    days = draw(st.lists(st.floats(0, 400), max_size=20))
    values = draw(st.lists(st.integers(-(2**63), 2**63 - 1), min_size=len(days), max_size=len(days)))
    limits = draw(st.lists(st.integers(0, 2**63), min_size=len(days), max_size=len(days)))
    return [  # type: ignore[return-value]
        Position(at=BEGIN + datetime.timedelta(days=day), next_value=value, remaining=remaining)
        for day, value, remaining in zip(days, values, limits, strict=True)
    ]


@settings(max_examples=300, deadline=None)
@given(pasts(), st.sampled_from([1, -1, 7, 2**40]))
def test_whatever_the_past_is_it_says_a_number_or_nothing(known: list[Position], increment: int) -> None:
    use = use_of(known, increment)
    assert use.used_per_day is None or use.used_per_day >= 0
    assert use.days_left is None or use.days_left >= 0
    assert use.days_left is None or use.used_per_day


@settings(max_examples=100, deadline=None)
@given(st.integers(1, 10**6), st.integers(8, 100), st.integers(0, 10**9), st.randoms())
def test_a_steady_past_is_its_own_future_in_any_order(pace: int, days: int, start: int, dice: random.Random) -> None:
    known = positions(*((day, start + pace * day) for day in range(days + 1)), limit=2**62)
    dice.shuffle(known)
    use = use_of(known, 1)
    assert use == Use(used_per_day=pytest.approx(pace), days_left=pytest.approx((2**62 - start) / pace))


ORDERS = "CREATE TABLE orders (id serial PRIMARY KEY); SELECT setval('orders_id_seq', 30000)"


def report_of(database: str, day: int, value: int, **more: object) -> dict[str, object]:
    """Return a report of so many days ago, as it comes back from JSON."""
    at = datetime.datetime.now(datetime.UTC) - datetime.timedelta(days=day)
    row = {"sequence": "public.orders_id_seq", "next_value": value, "remaining": LIMIT - value + 1, **more}
    return {"database": database, "started_at": at.isoformat(), "sequences": [row]}


def test_a_check_with_earlier_reports_says_how_long_it_lasts(newest_db: Database) -> None:
    newest_db.execute(ORDERS)
    since = [report_of(newest_db.name, day, 30_001 - 1000 * day) for day in range(1, 29)]
    with newest_db.connect() as conn:
        for report in (core.check(conn, since=since), core.fix(conn, since=since), core.plan(conn, since=since).report):
            (row,) = report.to_dict()["sequences"]
            assert row["used_per_day"] == pytest.approx(1000, rel=0.01)
            assert row["days_left"] == pytest.approx(LIMIT / 1000, rel=0.01)
            assert report.ok
        days = LIMIT / 1000
        assert core.check(conn, since=since, min_days_left=days / 2).ok
        with pytest.raises(core.DriftError, match=r"at 1,000 values a day it lasts .* days, and min_days_left is"):
            core.check(conn, since=since, min_days_left=days * 2).raise_for_failing()
        # Without a past it says nothing, and fails nobody.
        silent = core.check(conn, min_days_left=10**9)
        assert silent.ok
        (row,) = silent.to_dict()["sequences"]
        assert (row["used_per_day"], row["days_left"]) == (None, None)


def test_a_move_of_the_run_itself_is_not_used(newest_db: Database) -> None:
    newest_db.execute(ORDERS + "; INSERT INTO orders VALUES (900000)")
    since = [report_of(newest_db.name, day, 30_001 - 1000 * day) for day in range(1, 29)]
    with newest_db.connect() as conn:
        (row,) = core.fix(conn, since=since).to_dict()["sequences"]
    assert row["next_value"] == 900_001
    assert row["used_per_day"] == pytest.approx(1000, rel=0.01)


def test_another_sequence_of_the_same_name_has_another_past(newest_db: Database) -> None:
    """Dropped and made anew, or of another server: its positions look like use."""
    newest_db.execute(ORDERS)
    oid = newest_db.value("SELECT 'orders_id_seq'::regclass::oid::int")
    mine = [report_of(newest_db.name, day, 30_001 - 1000 * day, oid=oid) for day in range(1, 29)]
    others = [report_of(newest_db.name, day, 30_001 - 1037 * day, oid=oid + 1) for day in range(1, 29)]
    with newest_db.connect() as conn:
        (alone,) = core.check(conn, since=others).to_dict()["sequences"]
        (mixed,) = core.check(conn, since=[*others, *mine]).to_dict()["sequences"]
    assert (alone["oid"], alone["used_per_day"], alone["days_left"]) == (oid, None, None)
    assert mixed["used_per_day"] == pytest.approx(1000, rel=0.01)


def test_a_report_of_the_future_is_no_past(newest_db: Database) -> None:
    """A clock that was ahead: what it has seen would be the latest, and the present would seem to be set back."""
    newest_db.execute(ORDERS)
    since = [report_of(newest_db.name, day, 30_001 - 1000 * day) for day in range(1, 29)]
    ahead = report_of(newest_db.name, -400, 25_000, next_value=25_000, remaining=7)
    with newest_db.connect() as conn:
        (row,) = core.check(conn, since=[*since, ahead]).to_dict()["sequences"]
    assert row["days_left"] == pytest.approx(LIMIT / 1000, rel=0.01)


@pytest.mark.parametrize(
    "figures",
    [{"next_value": 10**400}, {"remaining": -(10**400)}, {"before": {"next_value": 10**400}}, {"increment_by": 0}],
    ids=lambda figures: next(iter(figures)),
)
def test_figures_that_no_sequence_has(figures: dict[str, object], newest_db: Database) -> None:
    newest_db.execute(ORDERS)
    since = [report_of(newest_db.name, 30, 20, **figures)]
    with newest_db.connect() as conn, pytest.raises(core.ArgumentError, match="since: this is not a report"):
        core.check(conn, since=since)


@pytest.mark.parametrize(
    ("since", "said"),
    [
        (5, "since: these are no reports; give a list"),
        ("r.json", "since: these are no reports; give a list"),
        (report_of("x", 30, 20), "since: these are no reports; give a list"),
        ([report_of("x", 30, 20) | {"report_version": 5}], "since: the report is of version 5, not 1"),
        ([5], "since: this is not a report"),
    ],
)
def test_what_is_no_list_of_reports(since: Any, said: str, newest_db: Database) -> None:
    newest_db.execute(ORDERS)
    with newest_db.connect() as conn, pytest.raises(core.ArgumentError, match=said):
        core.check(conn, since=since)


@pytest.mark.parametrize("value", ["NaN", float("nan"), float("inf"), True, None, 12.5, "12", [12]], ids=repr)
def test_what_is_no_integer_is_no_position(value: object, newest_db: Database) -> None:
    newest_db.execute(ORDERS)
    since = [report_of(newest_db.name, 30, 20, next_value=value), report_of(newest_db.name, 30, 20, remaining=value)]
    with newest_db.connect() as conn:
        (row,) = core.check(conn, since=since).to_dict()["sequences"]
    assert row["used_per_day"] is None


@pytest.mark.parametrize(
    ("report", "said"),
    [
        ({"database": "x", "started_at": "9999-12-31T23:59:59-14:00", "sequences": []}, "since: this is not a report"),
        ({"database": "x", "started_at": "0001-01-01T00:00:00+14:00", "sequences": []}, "since: this is not a report"),
        ({}, "since: this is not a report"),
        ([], "since: this is not a report"),
        ({"database": "x", "started_at": "yesterday", "sequences": []}, "since: this is not a report"),
        ({"database": "x", "started_at": None, "sequences": [{}]}, "since: this is not a report"),
        ({"database": "x", "started_at": "2026-01-01T00:00:00+00:00", "sequences": [7]}, "since: this is not a report"),
        (
            {"database": "elsewhere", "started_at": "2026-01-01T00:00:00+00:00", "sequences": []},
            "since: it holds a report of database 'elsewhere', and this is",
        ),
    ],
)
def test_what_is_no_report_of_this_database(report: dict[str, object], said: str, newest_db: Database) -> None:
    newest_db.execute(ORDERS)
    with newest_db.connect() as conn, pytest.raises(core.ArgumentError) as refused:
        core.check(conn, since=[report])
    assert str(refused.value).startswith(said)


def test_a_whole_report_is_read_back(newest_db: Database) -> None:
    newest_db.execute(ORDERS)
    with newest_db.connect() as conn:
        earlier = core.check(conn)
        assert core.check(conn, since=[earlier, json.loads(json.dumps(earlier.to_dict()))]).ok
