"""The charts of metrics in a real browser: zoom, settings, what is read, what is still running."""

from __future__ import annotations

import math
import re

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browsing import START, log
from tests.e2e.conftest import Browsing
from tests.factories import Api, Forge

# One database is enough: what differs between them is below the pages.
pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)

STEPS = 3000
PEAK = 1234


@pytest.fixture
def api(forge: Forge) -> Api:
    """A project with a candidate of a long curve, a short one, a number and a system metric."""
    api = forge.developer("public")
    run_id = log(api, "long", start_time=START, metrics={"f1": 0.91})
    points = [
        point("loss", step, 5.0 if step == PEAK else math.exp(-step / 900)) for step in range(STEPS)
    ]
    points += [point("auc", step, "NaN" if step == 12 else step / 40) for step in range(40)]
    points += [point("system/cpu", step, 50 + step % 7) for step in range(40)]
    add_points(api, run_id, points)
    api.post("runs/update", run_id=run_id, status="FINISHED")
    return api


def point(key: str, step: int, value: float | str) -> dict[str, object]:
    return {"key": key, "value": value, "timestamp": START + 1000 * step, "step": step}


def add_points(api: Api, run_id: str, points: list[dict[str, object]]) -> None:
    for at in range(0, len(points), 1000):
        api.post("runs/log-batch", run_id=run_id, metrics=points[at : at + 1000])


def chart(page: Page, title: str) -> Locator:
    """The chart of this title, drawn."""
    section = page.locator("section.mlops-chart").filter(
        has=page.get_by_role("heading", name=title, exact=True)
    )
    expect(section.locator(".mlops-chart-plot")).to_have_attribute("aria-busy", "false")
    return section


def drag(section: Locator, start: float, end: float) -> None:
    """Select a part of a chart, from one fraction of its width to another."""
    plot = section.locator(".u-over")
    plot.scroll_into_view_if_needed()
    box = plot.bounding_box()
    assert box
    mouse, y = section.page.mouse, box["y"] + box["height"] / 2
    mouse.move(box["x"] + box["width"] * start, y)
    mouse.down()
    mouse.move(box["x"] + box["width"] * end, y, steps=4)
    mouse.up()


def test_a_zoom_goes_down_to_every_point_and_back(browsing: Browsing, api: Api) -> None:
    page = browsing.visit(api).open("candidates/1/charts")
    loss = chart(page, "loss")
    remark = loss.locator(".mlops-chart-remark")
    expect(remark).to_contain_text(re.compile(r"Showing [\d,]+ of 3,000 points, with all peaks"))
    drag(loss, 0.4, 0.42)
    expect(page).to_have_url(re.compile(r"from=11\d\d&to=12\d\d$"))
    expect(remark).to_be_empty()
    steps = [int(number) for number in re.findall(r"(?:from|to)=(\d+)", page.url)]
    loss.get_by_text("Table").click()
    # The remark is gone as soon as the points are asked for, the table follows when they are there.
    expect(loss.locator("tbody td:first-child").first).to_have_text(f"{steps[0]:,}")
    cells = [
        text.replace(",", "") for text in loss.locator("tbody td:first-child").all_inner_texts()
    ]
    assert [int(text) for text in cells][:: len(cells) - 1] == steps
    page.get_by_role("link", name="Reset zoom").click()
    expect(remark).to_contain_text("of 3,000 points")
    drag(loss, 0.1, 0.6)
    expect(remark).to_contain_text("points here")
    loss.locator(".u-over").dblclick()
    expect(remark).to_contain_text("of 3,000 points")
    expect(page).to_have_url(re.compile("/charts$"))


def test_a_link_shows_a_colleague_the_same_charts(browsing: Browsing, api: Api) -> None:
    page = browsing.visit(api).open("candidates/1/charts")
    chart(page, "loss")
    page.get_by_text("Metrics", exact=False).first.click()
    page.get_by_role("checkbox", name="f1").uncheck()
    page.get_by_role("checkbox", name="system/cpu").uncheck()
    page.get_by_role("radio", name="Relative").check()
    page.get_by_label("Smoothing").fill("0.9")
    page.get_by_label("Log scale").check()
    drag(chart(page, "auc"), 0.2, 0.8)
    expect(page).to_have_url(re.compile("from="))
    page.mouse.move(0, 0)
    colleague = browsing.visit(api).page
    colleague.goto(page.url)
    for each in (page, colleague):
        expect(chart(each, "auc").locator(".mlops-chart-remark")).to_contain_text("NaN at 12 s.")
        expect(each.locator("section.mlops-chart")).to_have_count(2)
        expect(each.get_by_role("radio", name="Relative")).to_be_checked()
        expect(each.get_by_label("Log scale")).to_be_checked()
        expect(each.locator("output").first).to_have_text("0.90")
        expect(each.get_by_role("link", name="Reset zoom")).to_be_visible()
        expect(chart(each, "auc").locator("small")).to_have_text(re.compile(r"0\.[78]"))


def test_the_cursor_reads_all_charts_at_once(browsing: Browsing, api: Api) -> None:
    page = browsing.visit(api).open("candidates/1/charts")
    loss, auc = chart(page, "loss"), chart(page, "auc")
    drag(auc, 0.1, 0.9)
    auc.locator(".u-over").hover()
    for each in (loss, auc):
        expect(each.locator(".mlops-chart-at")).to_have_text(re.compile(r"Step: (19|20)"))
    expect(auc.locator("output")).to_have_text(re.compile(r"0\.(475|5)"))


def test_metrics_come_together_in_one_chart_and_apart(browsing: Browsing, api: Api) -> None:
    page = browsing.visit(api).open("candidates/1/charts?chart=loss&chart=auc")
    chart(page, "loss")
    page.get_by_label("All in one chart").check()
    legend = chart(page, "2 metrics").get_by_role("button")
    expect(legend).to_have_text([re.compile("auc"), re.compile("loss")])
    legend.first.click()
    expect(legend.first).to_have_attribute("aria-pressed", "false")
    page.get_by_label("All in one chart").uncheck()
    expect(chart(page, "loss").locator("canvas")).to_be_visible()


def test_the_keyboard_zooms(browsing: Browsing, api: Api) -> None:
    page = browsing.visit(api).open("candidates/1/charts?chart=auc")
    plot = chart(page, "auc").locator(".mlops-chart-plot")
    plot.focus()
    plot.press("ArrowRight")
    expect(page.locator(".mlops-chart-at")).to_contain_text("Step: 2")
    plot.press("+")
    expect(page).to_have_url(re.compile("from=10&to=30"))
    plot.press("0")
    expect(page).to_have_url(re.compile("chart=auc$"))


def test_a_running_candidate_draws_on(browsing: Browsing, forge: Forge) -> None:
    api = forge.developer("public")
    run_id = log(api, "running")
    add_points(api, run_id, [point("loss", step, 1.0) for step in range(3)])
    page = browsing.visit(api).open("candidates/1/charts")
    latest = chart(page, "loss").locator("output")
    expect(latest).to_have_text("1")
    add_points(api, run_id, [point("loss", 3, 0.25), point("auc", 3, 0.5)])
    expect(latest).to_have_text("0.25", timeout=15_000)
    expect(page.get_by_text("There are new metrics.")).to_be_visible()
    page.get_by_role("link", name="Show them").click()
    expect(chart(page, "auc").locator(".mlops-chart-number")).to_have_text("0.5")


def test_without_scripts_there_are_tables(browsing: Browsing, api: Api) -> None:
    page = browsing.visit(api, java_script_enabled=False).open("candidates/1/charts")
    expect(page.get_by_role("table", name="Points of auc")).to_contain_text("NaN")
    expect(page.get_by_text("50 of more than 1,000 points")).to_be_visible()
    page.get_by_text("Metrics", exact=False).first.click()
    page.get_by_role("checkbox", name="loss").uncheck()
    page.get_by_role("button", name="Show these").click()
    page.get_by_role("radio", name="Relative").check()
    page.get_by_role("button", name="Show", exact=True).click()
    expect(page).to_have_url(re.compile("chart=auc"))
    expect(page.get_by_role("table", name="Points of auc")).to_contain_text("39 s")
    expect(page.get_by_role("table", name="Points of loss")).to_have_count(0)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_charts_fit_a_telephone(browsing: Browsing, api: Api, scheme: str) -> None:
    visit = browsing.visit(api, color_scheme=scheme, viewport={"width": 375, "height": 800})
    page = visit.open("candidates/1/charts?overlay=1")
    expect(chart(page, "3 metrics").locator("canvas")).to_be_visible()
    page.get_by_text("Metrics", exact=False).first.click()
    assert not visit.overflows()
