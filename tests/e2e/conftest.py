"""One Airflow and one database for the whole run; a browser for the page."""

from __future__ import annotations

import functools
import threading
from collections.abc import Callable, Generator, Iterator
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
import pytest
from playwright.sync_api import Page, expect
from psycopg import conninfo

from tests.e2e.airflow import Airflow, Run
from tests.e2e.screenshots import HEIGHT, WIDTH
from tests.support.browser import chromium
from tests.support.cluster import running, wheel_binaries
from tests.support.pages import load_shop
from tests.support.servers import WHEELS, Database, Server
from tests.support.standalone import PATIENCE, home_and_metadata


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what is in this folder. The first test waits for Airflow to come up."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.e2e)
            item.add_marker(pytest.mark.timeout(600))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Say with a failure what Airflow complains of."""
    report = yield
    airflow = getattr(item, "funcargs", {}).get("airflow")
    if report.failed and airflow is not None:
        report.sections.append(("Airflow", airflow.complaints()))
    return report


@pytest.fixture(scope="session")
def shop_server() -> Iterator[Database]:
    """A server of these tests' own, with a database that has the name of a real one."""
    with running(wheel_binaries(WHEELS["pg18"])) as cluster:
        with cluster.connect() as conn:
            conn.execute("CREATE DATABASE shop")
            server = Server(cluster.dsn, conn.info.server_version, cluster)
        yield Database(server, "shop")


@pytest.fixture
def shop(shop_server: Database) -> Database:
    """The shop just loaded: all of its four sequences are behind."""
    with shop_server.connect() as conn:
        conn.execute("DROP SCHEMA IF EXISTS shop CASCADE")
        load_shop(conn)
    return shop_server


@pytest.fixture(scope="session")
def airflow(shop_server: Database) -> Iterator[Airflow]:
    """A running Airflow, whose metadata database holds the connection."""
    with home_and_metadata("seqfix-e2e-") as (home, metadata):
        started = Airflow(home, metadata)
        try:
            started.start()
            part = conninfo.conninfo_to_dict(shop_server.dsn)
            where = {"host": part["host"], "port": int(part["port"]), "login": part["user"], "schema": part["dbname"]}
            started.connection("postgres_default", **where)
            with started.client() as api:
                files = len(list(started.dags.glob("*.py")))
                started.wait(lambda: api.get("dags").json()["total_entries"] == files)
                assert api.get("importErrors").json()["import_errors"] == []
            yield started
        finally:
            started.stop()


@pytest.fixture(scope="session")
def report_server(airflow: Airflow) -> Iterator[None]:
    """Serve the folder of the reports, as a bucket behind a web server would be."""
    airflow.reports.mkdir(exist_ok=True)
    handler = functools.partial(SimpleHTTPRequestHandler, directory=airflow.reports)
    with ThreadingHTTPServer(("127.0.0.1", airflow.reports_port), handler) as server:
        threading.Thread(target=server.serve_forever).start()
        yield
        server.shutdown()


@pytest.fixture
def api(airflow: Airflow) -> Iterator[httpx.Client]:
    with airflow.client() as client:
        yield client


@pytest.fixture
def start(airflow: Airflow, api: httpx.Client) -> Callable[..., Run]:
    """Trigger a DAG by REST."""

    def run(dag_id: str, **conf: Any) -> Run:
        return airflow.run(api, dag_id, **conf)

    return run


@pytest.fixture
def page(airflow: Airflow) -> Iterator[Page]:
    """A browser in which somebody has signed in."""
    with chromium() as browser:
        page = browser.new_page(viewport={"width": WIDTH, "height": HEIGHT})
        page.set_default_timeout(PATIENCE * 1000)
        expect.set_options(timeout=PATIENCE * 1000)
        page.goto(airflow.url)
        page.locator("input[name=username]").fill("admin")
        page.locator("input[name=password]").fill(airflow.passwords["admin"])
        page.keyboard.press("Enter")
        page.wait_for_url(f"{airflow.url}/")
        yield page
