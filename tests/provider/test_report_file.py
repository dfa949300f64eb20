"""The report as a file, the button that leads to it, and a plan that is too long for an XCom."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from airflow_seqfix.core.report import REPORT_VERSION
from tests.support.servers import Database
from tests.support.tasks import DRIFT, MANY, Pushed, operator, sensor


def check(**arguments: Any) -> Any:
    from airflow_seqfix.operators.postgres import PostgresSequenceCheckOperator

    return PostgresSequenceCheckOperator(task_id="check", conn_id="shop", **arguments)


def fails(task: Any, ti: Any, exception: str = "AirflowFailException") -> str:
    with pytest.raises(Exception) as failure:
        task.execute({"ti": ti})
    assert type(failure.value).__name__ == exception
    return str(failure.value)


@pytest.mark.parametrize("name", ["report.json", "report.md", "report.html", "REPORT.HTML"])
@pytest.mark.parametrize("prefix", ["", "file://"])
def test_a_file_of_each_form(name: str, prefix: str, shop: Database, tmp_path: Path) -> None:
    shop.execute(DRIFT)
    path = tmp_path / "not" / "there yet" / name
    told = operator(report_path=f"{prefix}{path}").execute({"ti": Pushed()})
    data = path.read_bytes()
    assert told["report_file"] == {
        "path": f"{prefix}{path}",
        "sha256": hashlib.sha256(data).hexdigest(),
        "bytes": len(data),
    }
    assert "public.orders_id_seq" in data.decode()
    if path.suffix == ".json":
        report = json.loads(data)
        assert report["report_version"] == REPORT_VERSION
        # The XCom lists what is worth telling, the file everything.
        assert {row["sequence"] for row in report["sequences"]} > {row["sequence"] for row in told["sequences"]}
    if path.suffix.lower() == ".html":
        assert "<html" in data.decode()


def test_any_store_that_airflow_knows(shop: Database) -> None:
    from airflow.sdk.io.store import attach
    from fsspec.implementations.memory import MemoryFileSystem

    attach("memory", "depot", fs=MemoryFileSystem())
    path = "memory://depot@reports/a.json"
    told = operator(report_path=path, allow_empty=True).execute({"ti": Pushed()})
    (data,) = [file.getvalue() for name, file in MemoryFileSystem.store.items() if name.endswith("a.json")]
    assert told["report_file"]["sha256"] == hashlib.sha256(data).hexdigest()


@pytest.mark.parametrize("make", [check, lambda **arguments: sensor(on_drift="fail", **arguments)])
def test_it_is_written_before_the_task_fails(make: Callable[..., Any], shop: Database, tmp_path: Path) -> None:
    shop.execute(DRIFT)
    path, ti = tmp_path / "report.json", Pushed()
    fails(make(report_path=str(path)), ti)
    assert json.loads(path.read_text())["summary"]["behind"] == 2
    assert ti.xcoms["return_value"]["report_file"]["path"] == str(path)


def test_a_waiting_sensor_keeps_it_up_to_date(shop: Database, tmp_path: Path) -> None:
    shop.execute(DRIFT)
    path = tmp_path / "report.json"
    gate = sensor(report_path=str(path))
    gate.poke({"ti": Pushed()})
    assert json.loads(path.read_text())["summary"]["behind"] == 2
    operator().execute({"ti": Pushed()})
    gate.poke({"ti": Pushed()})
    assert json.loads(path.read_text())["summary"]["behind"] == 0


def test_where_nothing_can_be_written_the_task_s_own_failure_shows(
    shop: Database, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").write_text("in the way")
    path = str(tmp_path / "file" / "report.json")
    shop.execute(DRIFT)
    ti = Pushed()
    assert "public.orders_id_seq" in fails(check(report_path=path), ti)
    assert "could not be written" in capsys.readouterr().out
    assert ti.xcoms["return_value"]["summary"]["behind"] == 2
    # Nothing else is wrong: then the task must not pass as if the file were there. A retry may help.
    ti = Pushed()
    assert f"report_path={path!r}: could not be written" in fails(operator(report_path=path), ti, "ReportError")
    assert ti.xcoms["return_value"]["summary"]["fixed"] == 2
    assert shop.value("INSERT INTO orders (note) VALUES ('') RETURNING id") == 101


def test_where_there_is_no_room_to_prepare_it_that_is_said(
    shop: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = str(tmp_path / "report.json")
    shop.execute(DRIFT)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "missing"))
    said = fails(operator(report_path=path), Pushed(), "ReportError")
    assert f"report_path={path!r}: could not be written ([Errno 2]" in said


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"report_path": "/srv/report.pdf"}, "report_path: '/srv/report.pdf' does not say in which form"),
        ({"report_path": "report.html"}, "report_path='report.html': give an absolute path, or a URL such as s3://"),
        ({"report_path": "nowhere://x/report.html"}, "report_path='nowhere://x/report.html': there is no such store"),
        ({"report_path": "s3://key:s3cr3t@bucket/report.html"}, "report_path: it holds a password; name an Airflow"),
        ({"report_path": "javascript:alert(1).html"}, "report_path='javascript:alert(1).html': there is no such store"),
        *(
            ({"report_path": "/srv/report.html", "report_url": url}, f"report_url={url!r}: give an address that starts")
            for url in ("javascript:alert(1)", "data:text/html,x", "file:///srv/report.html", "//x/y", "https:")
        ),
    ],
)
def test_a_bad_path_is_refused_before_anything_is_moved(arguments: dict[str, Any], said: str, shop: Database) -> None:
    shop.execute(DRIFT)
    state = shop.state("orders_id_seq")
    message = fails(operator(**arguments), Pushed())
    assert message.startswith(said)
    assert "s3cr3t" not in message
    assert shop.state("orders_id_seq") == state


@pytest.mark.parametrize(
    ("path", "url", "link"),
    [
        (
            "s3://aws@bucket/a b/r&d.html",
            None,
            "https://s3.console.aws.amazon.com/s3/object/bucket?prefix=a%20b/r%26d.html",
        ),
        ("gs://bucket/r.md", None, "https://console.cloud.google.com/storage/browser/_details/bucket/r.md"),
        ("s3://bucket/r.html", "https://reports.example/r.html", "https://reports.example/r.html"),
        ("file:///srv/r.html", "http://reports.example/r.html", "http://reports.example/r.html"),
        ("file:///srv/r.html", None, None),
        ("abfs://container/r.html", None, None),
    ],
)
def test_where_a_browser_finds_it(path: str, url: str | None, link: str | None) -> None:
    from airflow_seqfix.task.report_file import link_of

    assert link_of(path, url) == link


def test_the_button_in_the_task_s_page(
    shop: Database, tmp_path: Path, run_dag: Callable[..., Any], capfd: pytest.CaptureFixture[str]
) -> None:
    from airflow.serialization.serialized_objects import DagSerialization

    from airflow_seqfix.operators.postgres import PostgresSequenceCheckOperator, PostgresSequenceResetOperator
    from tests.support.sdk import DAG

    shop.execute(DRIFT)
    there = {"report_path": f"{tmp_path}/{{{{ ti.task_id }}}}.html", "report_url": "https://x.example/{{ ti.task_id }}"}
    with DAG(dag_id="button", schedule=None) as dag:
        check = PostgresSequenceCheckOperator(task_id="check", conn_id="shop", **there)
        reset = PostgresSequenceResetOperator(task_id="reset", conn_id="shop", trigger_rule="all_done", **there)
        none = PostgresSequenceResetOperator(task_id="none", conn_id="shop", report_path=f"file://{tmp_path}/none.md")
        without = PostgresSequenceCheckOperator(task_id="without", conn_id="shop")
        check >> reset >> none >> without
    run = run_dag(dag)
    # Nobody looks for an address that nobody has pushed.
    assert "XCom not found" not in capfd.readouterr().out
    assert run.get_task_instance("without").xcom_pull(task_ids="without", key="_link_SequenceReportLink") is None
    # As the page's server sees it: without this package's class.
    tasks = DagSerialization.deserialize_dag(DagSerialization.serialize_dag(dag)).task_dict
    assert tasks["without"].extra_links == []
    links = {
        ti.task_id: tasks[ti.task_id].get_extra_links(ti, "Sequence report")
        for ti in run.get_task_instances()
        if ti.task_id != "without"
    }
    assert links == {"check": "https://x.example/check", "reset": "https://x.example/reset", "none": ""}
    assert (tmp_path / "check.html").exists()
    assert (tmp_path / "reset.html").exists()
    assert (tmp_path / "none.md").exists()


def test_a_long_plan_goes_through_its_file(shop: Database, tmp_path: Path) -> None:
    shop.execute(MANY)
    path = tmp_path / "plan.json"
    planned = operator(dry_run=True, report_path=str(path)).execute({"ti": Pushed()})
    assert (planned["move_count"], len(planned["moves"]), planned["moves_left_out"]) == (60, 50, 10)
    assert len(json.dumps(planned)) < 65_535
    written = json.loads(path.read_text())
    assert (written["report_version"], written["plan_version"], len(written["moves"])) == (1, 1, 60)
    shop.execute("CREATE TABLE later (id serial); INSERT INTO later (id) VALUES (5)")
    report = operator(plan=planned).execute({"ti": Pushed()})
    assert report["summary"]["fixed"] == 60
    assert shop.state("t60_id_seq")[0] == 5
    assert shop.state("later_id_seq")[:2] == (1, False)


def test_a_long_plan_in_a_dag(shop: Database, tmp_path: Path, run_dag: Callable[..., Any]) -> None:
    from airflow_seqfix.operators.postgres import PostgresSequenceResetOperator
    from tests.support.sdk import DAG

    shop.execute(MANY)
    with DAG(dag_id="long_plan", schedule=None, default_args={"conn_id": "shop"}) as dag:
        plan = PostgresSequenceResetOperator(task_id="plan", dry_run=True, report_path=f"file://{tmp_path}/plan.json")
        PostgresSequenceResetOperator(task_id="apply", plan=plan.output)
    assert run_dag(dag).state == "success"
    assert shop.state("t60_id_seq")[0] == 5


def test_a_long_plan_without_its_file_is_refused(
    shop: Database, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shop.execute(MANY)
    for arguments in ({}, {"report_path": str(tmp_path / "plan.html")}):
        capsys.readouterr()
        planned = operator(dry_run=True, **arguments).execute({"ti": Pushed()})
        assert "10 of 60 moves do not fit into the XCom" in capsys.readouterr().out
        said = fails(operator(plan=planned), Pushed())
        assert said.startswith("plan: it was cut short, and does not hold all its moves; give the task that makes it a")
        assert "report_path" in said
    assert shop.state("t1_id_seq")[:2] == (1, False)


def test_a_plan_s_file_that_was_changed_is_refused(shop: Database, tmp_path: Path) -> None:
    shop.execute(MANY)
    path = tmp_path / "plan.json"
    planned = operator(dry_run=True, report_path=str(path)).execute({"ti": Pushed()})
    path.write_text(path.read_text().replace('"target": 5', '"target": 6'))
    assert "is not what the dry run wrote; make a new one" in fails(operator(plan=planned), Pushed())
    path.unlink()
    # The store may be away for a moment.
    assert "could not be read" in fails(operator(plan=planned), Pushed(), "ReportError")
    assert shop.state("t1_id_seq")[:2] == (1, False)


def test_a_plan_that_cannot_be_written_fails_the_dry_run(shop: Database, tmp_path: Path) -> None:
    shop.execute(DRIFT)
    (tmp_path / "file").write_text("in the way")
    fails(operator(dry_run=True, report_path=str(tmp_path / "file" / "plan.json")), Pushed(), "ReportError")
