"""Makes random sequences, has them judged by the package and by the oracle, repairs them and inserts."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from decimal import Decimal
from typing import Any

import psycopg
from hypothesis import HealthCheck, Phase, given, note, settings
from hypothesis import strategies as st

from airflow_seqfix import core
from airflow_seqfix.core.policy import Lock
from tests.support.properties.cases import PREPARE, Case
from tests.support.properties.oracle import Fed, Opinion, Wish, held_by, judge
from tests.support.servers import Database

#: How many default inserts each table gets after a repair.
INSERTS = 5
FRESH = "SEQFIX_EXAMPLES" in os.environ
#: Moving a sequence by more calls than this takes too long without a lock.
CALLS = 20_000


@dataclass
class Bench:
    """A database in which one batch after the other is made, tried and dropped."""

    db: Database
    #: How many sequences of each (verdict, direction, kind of column) have been tried.
    seen: Counter[tuple[str, str, str]] = field(default_factory=Counter)
    #: How many were moved, by way.
    moved: Counter[str] = field(default_factory=Counter)
    #: How many default inserts succeeded, or failed with which SQLSTATE.
    inserts: Counter[str] = field(default_factory=Counter)
    batches: int = 0

    def __post_init__(self) -> None:
        # What the first session has cached must not be handed out by the second.
        self.setup, self.conn = self.db.connect(), self.db.connect()
        self.setup.execute("SET client_min_messages = warning")
        self.setup.execute(PREPARE)

    def close(self) -> None:
        self.setup.close()
        self.conn.close()

    @property
    def schema(self) -> str:
        return f"s{self.batches}"

    def make(self, cases: list[Case]) -> None:
        self.batches += 1
        script = ";\n".join([f"CREATE SCHEMA {self.schema}", *(case.sql(self.schema) for case in cases)])
        note(script)
        self.setup.execute(script)

    def drop(self) -> None:
        self.setup.execute(f"DROP SCHEMA {self.schema} CASCADE")

    def opinion(self, case: Case, wish: Wish) -> Opinion:
        fed = [column for columns in case.fed(self.schema) for column in columns]
        return judge(self.setup, case.sequence.format(schema=self.schema), fed, wish, case.own)

    def opinions(self, cases: list[Case], wish: Wish) -> dict[str, Opinion]:
        return {case.sequence.format(schema=self.schema): self.opinion(case, wish) for case in cases}

    def states(self, names: dict[str, Any]) -> dict[str, tuple[Any, ...]]:
        return {name: self.setup.execute(f"SELECT last_value, is_called FROM {name}").fetchone() for name in names}

    def stored(self, column: Fed) -> set[str]:
        rows = self.setup.execute(f"SELECT {column.column}::text FROM {column.table}").fetchall()
        return {text for (text,) in rows if text is not None}

    def holds(self, column: Fed, value: int) -> bool:
        low, high = held_by(self.setup, column.type)
        return low <= value <= high

    def try_out(self, wish: Wish, cases: list[Case], draw: Any) -> None:
        """Check one batch, repair it twice, and insert."""
        own = {case.sequence.format(schema=self.schema): case.own for case in cases if case.own is not None}
        # A batch may hold nothing but sequences that are skipped.
        options: dict[str, Any] = {"schemas": [self.schema], **asdict(wish), "id_range": own, "allow_empty": True}
        before = self.opinions(cases, wish)
        for case, opinion in zip(cases, before.values(), strict=True):
            verdict = f"{opinion.verdict}, outlier" if opinion.outliers else opinion.verdict
            self.seen[verdict, case.direction, case.kind] += 1

        states = self.states(before)
        agree(core.check(self.conn, **options), before)
        assert self.states(before) == states, "a check writes nothing"

        ways = choose_ways(draw, before)
        fixed = core.fix(self.conn, **options, **ways)
        after = self.opinions(cases, wish)
        agree(fixed, after)
        repaired = self.states(before)
        rows = {row.finding.sequence.qualified_name: row for row in fixed.rows}
        for case, name in zip(cases, before, strict=True):
            if before[name].target is None:
                assert repaired[name] == states[name], "what needs no move, or may not have one, stays"
            else:
                way = self._check_move(case, rows[name], before[name], after[name], states[name], repaired[name])
                self.moved[way] += 1

        agree(core.fix(self.conn, **options, **ways), after)
        assert self.states(before) == repaired, "a second repair changes nothing"
        for case, name in zip(cases, before, strict=True):
            if after[name].verdict in ("in_sync", "exhausted"):
                self._insert(case, before[name], after[name])

    def _check_move(
        self, case: Case, row: core.Row, before: Opinion, after: Opinion, old: tuple[Any, ...], new: tuple[Any, ...]
    ) -> str:
        sign = 1 if case.increment > 0 else -1
        last, is_called = new
        assert row.outcome is not None and row.outcome.error is None, row
        assert is_called and sign * last >= sign * old[0], "it never goes back"
        # With CACHE, nextval() takes more from the sequence than it returns.
        assert last == before.target or (case.cache > 1 and sign * last > sign * before.target), (last, before)
        assert after.verdict in ("in_sync", "exhausted") or after.outliers, after
        assert row.outcome.verified == (after.verdict == "in_sync"), (row, after)
        return str(row.outcome.way)

    def _insert(self, case: Case, before: Opinion, after: Opinion) -> None:
        """Insert by default: a new id beyond all that count, or a plain refusal where the values have run out."""
        tables = case.fed(self.schema)
        draws = INSERTS * sum(map(len, tables))
        if case.own is not None and after.remaining < draws:
            # Beyond its own values the sequence runs into those of others.
            return
        # With CACHE the session that called nextval() has values left from before the sequence's next one.
        first = after.next_value if before.target is None else before.target + before.increment
        for table in tables:
            stored = {column: self.stored(column) for column in table}
            for _ in range(INSERTS):
                try:
                    ids = self._insert_one(table)
                except psycopg.Error as error:
                    assert error.sqlstate in ("2200H", "22003"), (error, after)
                    # Only where the values end within these inserts, or come before the column's range.
                    too_early = any(not self.holds(column, first) for column in table)
                    assert after.remaining < draws or too_early, (error, after)
                    self.inserts[error.sqlstate] += 1
                    continue
                self.inserts["succeeded"] += 1
                for column, text in zip(table, ids, strict=True):
                    assert text not in stored[column], "the id was there before"
                    stored[column].add(text)
                    value = Decimal(text)
                    assert (value - before.next_value) % before.increment == 0, "off the sequence's steps"
                    assert after.decisive is None or (value - after.decisive) * before.increment > 0

    def _insert_one(self, table: list[Fed]) -> tuple[str, ...]:
        columns = ", ".join(f"{column.column}::text" for column in table)
        return self.conn.execute(f"INSERT INTO {table[0].table} DEFAULT VALUES RETURNING {columns}").fetchone()

    def foretell(self, case: Case) -> None:
        """Insert into a single fed column until it fails, each time as the oracle says."""
        tables = case.fed(self.schema)
        if [len(table) for table in tables] != [1] or case.cache > 1 or case.cycle or case.own:
            return
        column, opinion = tables[0][0], self.opinion(case, Wish())
        fitting = 0
        for i in range(4 * INSERTS):
            # Never by length: a range can be longer than len() can say.
            next_value = next(iter(opinion.draws[i:]), None)
            expected: Decimal | str
            if next_value is None:
                expected = "2200H"
            elif not self.holds(column, next_value):
                expected = "22003"
            elif i == opinion.safe_draws:
                expected = "23505"
            else:
                expected = Decimal(next_value)
            try:
                got: Decimal | str | None = Decimal(self._insert_one([column])[0])
            except psycopg.Error as error:
                got = error.sqlstate
            assert got == expected, (i, opinion)
            self.inserts[got if isinstance(got, str) else "succeeded"] += 1
            fitting += isinstance(got, Decimal)
            if got == "2200H":
                assert fitting == opinion.remaining
            if got in ("2200H", "23505"):
                return


def agree(report: core.Report, opinions: dict[str, Opinion]) -> None:
    """Compare what the package says with what the oracle says."""
    rows = {row["sequence"]: row for row in report.to_dict()["sequences"]}
    assert set(rows) == set(opinions)
    for name, opinion in opinions.items():
        row = rows[name]
        assert row["verdict"] == opinion.verdict, (row, opinion)
        if opinion.verdict == "skipped":
            continue
        got = {key: row[key] for key in ("next_value", "furthest_value", "gap", "remaining")}
        wanted = {key: getattr(opinion, key) for key in got}
        assert (got, "outlier" in row["warnings"]) == (wanted, opinion.outliers > 0), (row, opinion)
        if row["inserts_until_collision_is_at_least"]:
            assert opinion.safe_draws is None or opinion.safe_draws >= row["inserts_until_collision"], (row, opinion)
            # So few rows are all looked at.
            assert opinion.safe_draws is None, (row, opinion)
        elif opinion.verdict == "behind" and opinion.gap and not opinion.early:
            assert row["inserts_until_collision"] == opinion.safe_draws, (row, opinion)
        else:
            # Without a row reached (behind by the margin alone, say) nothing was looked for.
            assert row["inserts_until_collision"] in (None, opinion.safe_draws), (row, opinion)


def choose_ways(draw: Any, opinions: dict[str, Opinion]) -> dict[str, Any]:
    """Return how to move: any way where that ends in time."""
    lock = draw(st.sampled_from([lock.value for lock in Lock]), label="lock")
    if lock == "none" and max(opinion.calls for opinion in opinions.values()) > CALLS:
        lock = "auto"
    return {"lock": lock, "advance_up_to": draw(st.sampled_from([0, 100, 20_000]), label="advance_up_to")}


def for_all(
    bench: Bench,
    examples: int,
    strategy: st.SearchStrategy[Any],
    holds: Callable[[Wish, list[Case], Any], None],
    *,
    fresh: bool = FRESH,
) -> None:
    """Make batches of `strategy`, and try `holds` on each."""

    # A failing batch names what it made: shrinking it takes minutes, and says little more.
    @settings(
        deadline=None,
        suppress_health_check=list(HealthCheck),
        derandomize=not fresh,
        max_examples=examples,
        phases=(Phase.generate,),
        report_multiple_bugs=False,
    )
    @given(batch=strategy, data=st.data())
    def try_one(batch: tuple[Wish, list[Case]], data: st.DataObject) -> None:
        wish, cases = batch
        bench.make(cases)
        try:
            holds(wish, cases, data.draw)
        finally:
            bench.drop()

    try_one()


def run(bench: Bench, examples: int, strategy: st.SearchStrategy[Any], *, fresh: bool = FRESH) -> None:
    """Hold the package against the oracle."""
    for_all(bench, examples, strategy, bench.try_out, fresh=fresh)
