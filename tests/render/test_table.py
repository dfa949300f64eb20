"""The table on terminals of all widths: nothing runs over, nothing is cut that can be kept."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

import pytest
from rich.cells import cell_len

from airflow_seqfix import core
from airflow_seqfix.core.errors import printable
from airflow_seqfix.render.layout import elide
from airflow_seqfix.render.table import table
from tests.support.servers import Database, Server, database_on, server_labels

WIDTHS = (60, 80, 120, 200)
#: Remedies: what can be pasted stays on one line, however long.
REMEDY = re.compile(r"^  \S")


@pytest.fixture(scope="session")
def long_names(start_server: Callable[[str], Server]) -> core.Report:
    """Names of 63 bytes, of wide characters and with 19 digits each."""
    with database_on(start_server(server_labels()[0])) as database, database.connect() as conn:
        for name in ("a" * 63, "注文明細テーブル受注管理データ保存", "🧾🎉🚀 receipts", "e\u0301\u0301 combined"):
            schema = f"archive_{name[:8]}"
            conn.execute(f'CREATE SCHEMA "{schema}"; CREATE TABLE "{schema}"."{name}" ("{name}" bigserial)')
            conn.execute(f'INSERT INTO "{schema}"."{name}" VALUES (9000000000000000000)')
        conn.execute(
            "CREATE SEQUENCE far START 8000000000000000000 CACHE 9; CREATE TABLE t (a bigint DEFAULT nextval('far'))"
        )
        conn.execute("INSERT INTO t VALUES (8999999999999999999)")
        return core.check(conn)


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("which", ["report", "repaired", "hostile", "long_names"])
def test_no_line_is_too_long(request: pytest.FixtureRequest, which: str, width: int) -> None:
    found = request.getfixturevalue(which)
    report = found.report if isinstance(found, core.Plan) else found
    lines = table(report, width=width, all_rows=True).splitlines()
    rows = lines[2 : lines.index("")]
    assert len(rows) == len(report.rows)
    for line in lines:
        alone = " " not in line
        assert cell_len(line) <= width or REMEDY.match(line) or alone, line
    assert not re.search(r"[\x00-\x1f\x7f\u202e]", "".join(lines))


@pytest.mark.parametrize("width", WIDTHS)
def test_columns_stand_below_each_other(long_names: core.Report, width: int) -> None:
    lines = table(long_names, width=width).splitlines()
    rows = lines[: lines.index("")]
    assert len({cell_len(line) for line in rows[1:]}) == 1, "the last column ends where its heading ends"


def test_figures_are_rounded_only_where_all_else_fails(long_names: core.Report) -> None:
    assert "~9.0e18" in table(long_names, width=60)
    for width in WIDTHS[1:]:
        lines = table(long_names, width=width).splitlines()
        assert "~" not in "".join(lines[: lines.index("")])


def test_what_is_left_out_first(report: core.Report) -> None:
    def headings(width: int) -> str:
        return " ".join(" ".join(table(report, width=width).splitlines()[:2]).split())

    assert headings(200) == "next furthest inserts until sequence column value value gap collision used"
    assert headings(80) == "next furthest inserts until sequence value value collision"
    assert headings(60) == "next furthest sequence value value"


def test_the_worst_first_and_each_verdict_explained(newest_db: Database) -> None:
    newest_db.execute("".join(f"CREATE TABLE t{n} (id serial); INSERT INTO t{n} VALUES (1);" for n in range(30)))
    newest_db.execute("CREATE TABLE full_ (id smallserial); SELECT setval('full__id_seq', 32767)")
    with newest_db.connect() as conn:
        text = table(core.check(conn), width=80)
    lines = text.splitlines()
    assert [line.split()[0] for line in lines[2:33]] == ["behind"] * 30 + ["exhausted"]
    assert text.count("  WITH RECURSIVE r(v) AS") == 10
    assert "\n20 more are explained in a report as JSON.\n" in text
    assert "public.full__id_seq: the next value would be 32768" in text


def test_warnings_name_a_few(newest_db: Database) -> None:
    newest_db.execute("".join(f"CREATE TABLE t{n} (id serial); ALTER SEQUENCE t{n}_id_seq CACHE 5;" for n in range(7)))
    with newest_db.connect() as conn:
        report = core.check(conn)
    assert table(report, width=200).splitlines()[1] == (
        "cached: public.t0_id_seq (CACHE 5), public.t1_id_seq (CACHE 5), public.t2_id_seq (CACHE 5), "
        "public.t3_id_seq (CACHE 5), public.t4_id_seq (CACHE 5) and 2 more: open sessions may hand out values that"
    )
    assert all(len(line) <= 60 for line in table(report, width=60).splitlines())


def test_colours_are_added_to_the_same_text(report: core.Report) -> None:
    plain, colored = table(report, width=80), table(report, width=80, color=True)
    assert "\x1b[" in colored
    assert re.sub(r"\x1b\[[0-9;]*m", "", colored) == plain


@pytest.mark.parametrize(
    ("text", "width", "short"),
    [
        ("abcdefghij", 10, "abcdefghij"),
        ("abcdefghij", 9, "abcd…ghij"),
        ("abcdefghij", 8, "abc…ghij"),
        ("注文明細", 8, "注文明細"),
        ("注文明細", 7, "注…細"),
        ("a注文明細b", 7, "a注…細b"),
    ],
)
def test_a_name_is_shortened_in_its_middle(text: str, width: int, short: str) -> None:
    assert elide(text, width) == short
    assert cell_len(elide(text, width)) <= width


def test_without_a_width_nothing_is_cut(long_names: core.Report, hostile: core.Plan) -> None:
    for report in (long_names, hostile.report):
        text = table(report, width=None)
        lines = text.splitlines()
        shown = lines[2 : lines.index("")]
        for row, line in zip(report.sorted_rows, shown, strict=True):
            assert printable(row.sequence) in line
            assert str(row.next_value) in line
        assert "…" not in "".join(shown)


@pytest.mark.parametrize("width", [30, 40, 59])
def test_on_a_narrow_terminal_each_sequence_has_lines_of_its_own(report: core.Report, width: int) -> None:
    text = table(report, width=width)
    lines = text.splitlines()
    rows = lines[: lines.index("")]
    assert max(map(cell_len, rows)) <= width
    joined = " ".join(" ".join(rows).split())
    assert (
        "behind shop.invoices_id_seq column shop.invoices.id, next value 4712, furthest value 7800, gap 3,089" in joined
    )


def test_a_plan_says_where_how_and_why(plan: core.Plan) -> None:
    for width in (80, 200, None):
        text = table(plan.report, width=width, is_plan=True)
        (line,) = (line for line in text.splitlines() if line.startswith("behind     shop.invoices_id_seq"))
        assert " 7801" in line
        assert "advance: no more than advance_up_to (10,000) values." in " ".join(text.split())
        assert line.endswith("advance")


@pytest.mark.parametrize("width", [None, *WIDTHS])
def test_a_plan_says_a_reason_once(out_of_time: core.Report, mixed_ways: core.Report, width: int | None) -> None:
    said = " ".join(table(out_of_time, width=width, is_plan=True).split())
    assert said.count("advance: no more than advance_up_to (10,000) values.") == 1
    said = " ".join(table(mixed_ways, width=width, is_plan=True).split())
    assert "public.a_id_seq, public.b_id_seq: advance: no more than advance_up_to (10,000) values." in said
    assert re.search(r"public\.c_id_seq: locked: more than advance_up_to \(10,000\) values, and role \S+ owns", said)


@pytest.fixture(scope="session")
def mixed_ways(start_server: Callable[[str], Server]) -> Iterator[core.Report]:
    """Three sequences of which two move in one way."""
    with database_on(start_server(server_labels()[0])) as database, database.connect() as conn:
        for name, value in {"a": 10, "b": 10, "c": 900_000}.items():
            database.execute(f"CREATE TABLE {name} (id serial PRIMARY KEY); INSERT INTO {name} VALUES ({value})")
        yield core.check(conn)


def test_what_collides_first_comes_first(newest_db: Database) -> None:
    newest_db.execute("""
        CREATE TABLE soon (id serial PRIMARY KEY); INSERT INTO soon VALUES (3);
        CREATE TABLE later (id serial PRIMARY KEY); INSERT INTO later VALUES (900000);
        CREATE TABLE now_small (id serial PRIMARY KEY); INSERT INTO now_small VALUES (1);
        CREATE TABLE now_large (id serial PRIMARY KEY); INSERT INTO now_large SELECT generate_series(1, 50);
    """)
    with newest_db.connect() as conn:
        report = core.check(conn)
    assert [row.sequence for row in report] == [
        f"public.{name}_id_seq" for name in ("now_large", "now_small", "soon", "later")
    ]


@pytest.fixture(scope="session")
def out_of_time(start_server: Callable[[str], Server]) -> Iterator[core.Report]:
    """Three hundred tables that differ, and as many that a lock keeps readers out of."""
    with database_on(start_server(server_labels()[0])) as database, database.connect() as holder:
        database.execute("".join(f"CREATE TABLE a{n} (id serial); INSERT INTO a{n} VALUES (1);" for n in range(300)))
        database.execute("".join(f"CREATE TABLE b{n} (id serial);" for n in range(300)))
        with holder.transaction(), database.connect() as conn:
            holder.execute(f"LOCK TABLE {', '.join(f'b{n}' for n in range(300))}")
            yield core.check(conn, lock_timeout=0.01)


LOCKED = "another session holds a lock that keeps readers out."


@pytest.mark.parametrize("width", [None, *WIDTHS])
def test_what_shares_a_reason_is_one_line(out_of_time: core.Report, width: int | None) -> None:
    lines = table(out_of_time, width=width).splitlines()
    unknown = [line for line in lines if line.startswith("unknown")]
    assert [line.split()[:3] for line in unknown] == [["unknown", "300", "sequences"]]
    said = " ".join(lines)
    assert said.count(LOCKED) == 1
    assert re.search(r"public\.b\d+_id_seq, public\.b\d+_id_seq, public\.b\d+_id_seq and 297 more: another", said)


def test_a_long_table_says_how_many_more(out_of_time: core.Report) -> None:
    lines = table(out_of_time, width=80, most=50, listed_in="--all").splitlines()
    assert lines[52] == "… and 550 more, see --all."
    assert len(lines) < 120
    assert "… and" not in table(out_of_time, width=80)


def test_all_rows_are_all(out_of_time: core.Report) -> None:
    lines = table(out_of_time, width=80, all_rows=True).splitlines()
    assert sum(line.startswith("unknown") for line in lines) == 300
