"""Comparing candidates and drawing them, in a real browser."""

from __future__ import annotations

import math
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browsing import START, log
from tests.e2e.conftest import Browsing
from tests.factories import Api, Forge

# One database is enough: what differs between them is below the pages.
pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)

# A page that still scrolls moves away from below the mouse.
STILL = {"reduced_motion": "reduce"}
EVIL = "<img src=x onerror=alert(1)>{a|b}"


@pytest.fixture
def api(forge: Forge) -> Api:
    """A project with an experiment of a dozen candidates, the last of them hostile."""
    api = forge.developer("public")
    for number in range(11):
        log(
            api,
            f"run-{number}",
            start_time=START + number * 60_000,
            metrics={"auc": 0.5 + math.sin(number) / 4, "loss": 1 / (number + 1)},
            params={
                "lr": f"{10 ** -(number % 4)}",
                "optimizer": ("adam", "sgd")[number % 2],
                "seed": "1",
            },
        )
    log(api, EVIL, start_time=START + 660_000, metrics={"auc": 0.4}, params={"optimizer": EVIL})
    return api


def pixels(host: Locator) -> int:
    """How many different colours a chart has; a blank one has one."""
    expect(host.locator("canvas")).to_be_visible()
    count: int = host.evaluate(
        """host => {
          echarts.getInstanceByDom(host).getZr().flush();
          const canvas = host.querySelector("canvas");
          const data = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data;
          return new Set(new Uint32Array(data.buffer)).size;
        }"""
    )
    return count


def chart(page: Page, kind: str) -> Locator:
    host = page.locator(f"[data-mlops-figure={kind}]")
    host.scroll_into_view_if_needed()
    return host


def place_of(host: Locator, number: int) -> Any:
    """Where a dot of the scatter plot is, in the chart."""
    x, y = host.evaluate(
        """(host, number) => {
          const chart = echarts.getInstanceByDom(host);
          const row = chart.getOption().series[0].data[number].value;
          return chart.convertToPixel({ seriesIndex: 0 }, row.slice(0, 2));
        }""",
        number,
    )
    return {"x": x, "y": y}


def test_a_colleague_sees_the_same_comparison_with_its_baseline(
    browsing: Browsing, api: Api
) -> None:
    page = browsing.visit(api).open("experiments/0/compare?candidates=3,7,9")
    expect(page.get_by_role("rowheader", name="seed")).to_have_count(0)
    page.get_by_role("link", name="Make baseline (run-6)").click()
    expect(page.locator("thead a.mlops-name")).to_have_text(["run-6", "run-2", "run-8"])
    loss = page.get_by_role("row", name="loss lower is better").get_by_role("cell")
    expect(loss).to_contain_text(
        ["0.142857", "▼ +0.19 (+133 %) worse", "▲ −0.0317 (−22.2 %) better"]
    )
    page.get_by_role("link", name="2 equal parameters").click()
    expect(page.get_by_role("rowheader", name="seed")).to_be_visible()
    colleague = browsing.visit(api)
    colleague.page.goto(page.url)
    table = colleague.page.locator(".mlops-comparison")
    assert table.inner_text() == page.locator(".mlops-comparison").inner_text()


def test_twenty_candidates_scroll_in_their_box_below_the_head(browsing: Browsing, api: Api) -> None:
    for number in range(8):
        log(api, f"more-{number}", params={f"p{each}": str(number) for each in range(40)})
    iids = ",".join(map(str, range(1, 21)))
    for width in (375, 1280):
        visit = browsing.visit(api, viewport={"width": width, "height": 800})
        page = visit.open(f"experiments/0/compare?candidates={iids}&baseline=5")
        assert not visit.overflows()
        box = page.locator(".mlops-side")
        box.evaluate("box => box.scrollTo(900, 700)")
        first, head = box.locator("tbody .mlops-stay").last, box.locator("thead .mlops-pinned")
        edges = box.evaluate(
            "box => [box.getBoundingClientRect().left, box.getBoundingClientRect().top]"
        )
        assert abs(first.bounding_box()["x"] - edges[0]) < 3  # type: ignore[index]
        assert abs(head.bounding_box()["y"] - edges[1]) < 3  # type: ignore[index]


def test_charts_are_drawn_when_they_are_seen(browsing: Browsing, api: Api) -> None:
    visit = browsing.visit(api)
    page = visit.open("experiments/0/compare?candidates=1,2,3,12&show=all")
    assert page.evaluate("typeof echarts") == "undefined"
    assert pixels(chart(page, "parallel")) > 20
    assert pixels(chart(page, "scatter")) > 20
    label = page.locator("[data-mlops-figure=scatter]").get_attribute("aria-label")
    assert label == "Scatter plot of auc against lr"
    page.get_by_label("Y", exact=True).first.select_option("metrics.loss")
    page.wait_for_url("**plot_y=metrics.loss**")
    # The links above the charts were there before.
    page.get_by_role("link", name="Show differences only").click()
    page.wait_for_url(lambda url: "show=all" not in url and "plot_y=metrics.loss" in url)


def test_a_dot_tells_and_leads_to_its_candidate(browsing: Browsing, api: Api) -> None:
    page = browsing.visit(api, **STILL).open("experiments/0/charts")
    host = chart(page, "scatter")
    assert pixels(host) > 20
    host.hover(position=place_of(host, 1))
    tip = host.locator(".mlops-plot-tip")
    expect(tip).to_contain_text("auc: ")
    expect(tip).to_contain_text("Created: 2023-11-14 22:23 UTC")
    host.click(position=place_of(host, 1))
    expect(page.get_by_role("heading", level=1)).to_have_text("run-10")


def test_choosing_what_to_draw_ends_in_an_address_to_share(browsing: Browsing, api: Api) -> None:
    page = browsing.visit(api).open("experiments/0/charts")
    assert pixels(chart(page, "scatter")) > 20
    page.get_by_label("X", exact=True).first.select_option("params.lr")
    expect(page.get_by_label("Best so far")).to_have_count(0)
    page.get_by_label("X", exact=True).last.check()
    page.wait_for_url("**log=x**")
    assert "color=" not in page.url.replace("axes_color=", "")
    colleague = browsing.visit(api).page
    colleague.goto(page.url)
    for each in (page, colleague):
        assert pixels(chart(each, "scatter")) > 20
        kinds = each.locator("[data-mlops-figure=scatter]").evaluate(
            "host => echarts.getInstanceByDom(host).getOption().xAxis.map(({ type }) => type)"
        )
        assert kinds == ["log"]


def test_brushing_an_axis_picks_candidates(browsing: Browsing, api: Api) -> None:
    page = browsing.visit(api, **STILL).open(
        "experiments/0/charts?axes=params.optimizer&axes=metrics.auc"
    )
    host = chart(page, "parallel")
    assert pixels(host) > 20
    box = host.bounding_box()
    assert box is not None
    x, y, length = host.evaluate(
        """host => {
          const model = echarts.getInstanceByDom(host).getModel();
          const axes = model.getComponent("parallel").coordinateSystem;
          const place = axes.getAxisLayout(axes.dimensions[1]);
          return [...place.position, axes.getAxis(axes.dimensions[1]).getExtent()[1]];
        }"""
    )
    page.mouse.move(box["x"] + x, box["y"] + y - length + 2)
    page.mouse.down()
    page.mouse.move(box["x"] + x, box["y"] + y - length * 0.8, steps=5)
    page.mouse.up()
    picked = page.locator("#mlops-parallel [role=status]")
    expect(picked).to_contain_text("of 12 picked")
    names = picked.get_by_role("link").all_inner_texts()
    assert names[0] == "Compare them"
    colleague = browsing.visit(api).page
    colleague.goto(page.url)
    assert pixels(chart(colleague, "parallel")) > 20
    shared = colleague.locator("#mlops-parallel [role=status]")
    expect(shared).to_contain_text("of 12 picked")
    assert shared.get_by_role("link").all_inner_texts() == names
    shared.get_by_role("link", name="Compare them").click()
    expect(colleague.locator("thead a.mlops-name")).to_have_text(names[1:])


def test_hostile_names_are_only_drawn(browsing: Browsing, api: Api) -> None:
    page = browsing.visit(api, color_scheme="dark", **STILL).open(
        "experiments/0/charts?x=params.optimizer&color=params.optimizer"
    )
    host = chart(page, "scatter")
    assert pixels(host) > 20
    host.hover(position=place_of(host, 0))
    assert pixels(chart(page, "parallel")) > 20
    expect(page.locator(".mlops-plot-tip").get_by_text(EVIL)).to_have_count(2)
    assert page.locator(".mlops :is(img, script)").count() == 0


def test_without_scripts_there_are_forms_and_a_table(browsing: Browsing, api: Api) -> None:
    page = browsing.visit(api, java_script_enabled=False).open("experiments/0/charts")
    page.get_by_label("X", exact=True).first.select_option("params.lr")
    page.get_by_role("button", name="Draw", exact=True).click()
    page.get_by_text("The values as a table").click()
    expect(page.get_by_role("columnheader", name="lr")).to_be_visible()
    expect(page.get_by_role("link", name="run-3")).to_be_visible()
    page.get_by_role("link", name="Candidates").first.click()
    expect(page.get_by_role("heading", level=1)).to_be_visible()
