"""The page in a browser, as somebody on call sees it."""

from __future__ import annotations

import httpx
import pytest
from playwright.sync_api import Page, expect

from tests.e2e.airflow import Airflow, Run
from tests.e2e.screenshots import shot
from tests.support.servers import Database

MANUAL = "example_seqfix_manual"


@pytest.mark.usefixtures("report_server")
def test_repair_by_hand(shop: Database, airflow: Airflow, api: httpx.Client, page: Page) -> None:
    page.goto(f"{airflow.url}/dags/{MANUAL}")
    page.get_by_role("button", name="Trigger").first.click()
    form = page.get_by_role("dialog")
    form.get_by_label("What to do").click()
    page.get_by_role("option", name="repair", exact=True).click()
    expect(form.get_by_text("the one that the connection names")).to_be_visible()
    shot(page, "manual-form")
    form.get_by_role("button", name="Which sequences").click()
    form.get_by_role("textbox").first.fill("shop")
    form.get_by_role("button", name="How to repair").click()
    form.get_by_role("spinbutton", name="Margin").fill("10")
    shot(page, "manual-form-how")
    form.get_by_role("button", name="Trigger", exact=True).click()
    page.wait_for_url("**/runs/**")

    run = Run(airflow, api, MANUAL, page.url.split("/runs/")[1].split("/")[0].split("?")[0])
    assert "shop.orders_id_seq" in run.question()
    page.goto(f"{airflow.url}/dags/{MANUAL}/runs/{run.run_id}/tasks/approve/required_actions")
    plan = page.get_by_role("row", name="shop.orders_id_seq")
    expect(plan.get_by_role("cell", name="71", exact=True)).to_be_visible()
    assert shop.state("shop.orders_id_seq")[:2] == (1, False)
    shot(page, "manual-approval")
    page.get_by_role("button", name="Approve").click()
    assert run.finish() == "success"
    assert shop.state("shop.orders_id_seq")[:2] == (70, True)

    task = f"{airflow.url}/dags/{MANUAL}/runs/{run.run_id}/tasks/repair"
    page.goto(task)
    expect(page.get_by_text("4 fixed and verified")).to_be_visible()
    page.get_by_text("Sequences of database").click()
    expect(page.get_by_text("shop.orders_id_seq").first).to_be_visible()
    shot(page, "manual-log", above=page.get_by_text("The report was written"))

    page.goto(f"{task}/details")
    link = page.get_by_role("link", name="Sequence report")
    expect(link).to_be_visible()
    page.goto(str(link.get_attribute("href")))
    expect(page.get_by_text("shop.orders_id_seq").first).to_be_visible()
    shot(page, "manual-report")


def test_a_failed_task_says_what_helps_at_first_sight(
    shop: Database, airflow: Airflow, api: httpx.Client, page: Page
) -> None:
    run = airflow.run(api, MANUAL, mode="check", schemas=["shop"])
    assert run.finish() == "failed"
    page.set_viewport_size({"width": 1440, "height": 900})
    page.goto(f"{airflow.url}/dags/{MANUAL}/runs/{run.run_id}/tasks/check")
    page.get_by_text("Sequences of database").click()
    expect(page.get_by_text("Remedy: WITH RECURSIVE").first).to_be_visible()
    # No cure runs off the right edge. The first line stays whole, for those who forward it.
    said = page.get_by_text("Remedy: WITH RECURSIVE").first
    edge, box = page.get_by_test_id("virtual-scroll-container").bounding_box(), said.bounding_box()
    assert edge is not None
    assert box is not None
    first, *lines = said.inner_text().splitlines()
    assert "are not in sync" in first
    widest = max(map(len, [first, *lines]))
    room = (edge["x"] + edge["width"] - box["x"]) / (box["width"] / widest)
    assert max(map(len, lines)) <= room
    # Below is where Airflow's own files are.
    shot(page, "manual-failed", above=page.get_by_text('File "').first)


def test_the_form_refuses_what_is_left_out(airflow: Airflow, page: Page) -> None:
    page.goto(f"{airflow.url}/dags/{MANUAL}")
    page.get_by_role("button", name="Trigger").first.click()
    form = page.get_by_role("dialog")
    submit = form.get_by_role("button", name="Trigger", exact=True)
    expect(submit).to_be_enabled()
    form.get_by_label("What to do").focus()
    page.keyboard.press("Backspace")
    expect(submit).to_be_disabled()
