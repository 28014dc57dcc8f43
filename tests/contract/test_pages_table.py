"""The table of candidates: rows that fold, chosen columns, counts, completion."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from tests.browsing import START, Browser, Page, log, words
from tests.factories import Api, Forge
from tests.proposing import Work


@pytest.fixture
def api(forge: Forge) -> Api:
    return forge.developer("public")


@pytest.fixture
def browser(forge: Forge, api: Api) -> Browser:
    """Somebody who is not signed in; the project is public."""
    return Browser.open(forge, api.project_id)


def names(page: Page) -> list[str]:
    return [words(each.text) for each in page.all("a", class_="mlops-name")]


def heads(page: Page) -> list[str]:
    found = [each for each in page.all("th") if each.attributes.get("scope") == "col"]
    return [words(each.text) for each in found]


def family(api: Api, **children: str) -> dict[str, str]:
    """Candidates by name, each the child of the one it names; their run ids."""
    eids: dict[str, str] = {}
    for number, (name, parent) in enumerate(children.items()):
        tags = {"mlflow.parentRunId": eids.get(parent, parent)} if parent else {}
        eids[name] = log(
            api, name, start_time=START + number, metrics={"m": number * 7 % 10}, tags=tags
        )
    return eids


def fold(page: Page, iid: int) -> str:
    """Where the link that unfolds a candidate leads."""
    return page.one("a", id=f"mlops-fold-{iid}")["href"]


# Parents and children


def test_children_fold_below_their_parents(api: Api, browser: Browser) -> None:
    family(api, a="", b="", a1="a", a2="a", b1="b", a11="a1")
    page = browser.get("experiments/0")
    assert names(page) == ["b", "a"]
    assert "2 children" in page.rows()[1][1]
    unfolded = browser.get(fold(page, 1))
    assert names(unfolded) == ["b", "a", "a2", "a1"]
    assert unfolded.one("a", id="mlops-fold-1")["aria-expanded"] == "true"
    deeper = browser.get(fold(unfolded, 3))
    assert names(deeper) == ["b", "a", "a2", "a1", "a11"]
    assert "child, level 2" in deeper.rows()[4][1]
    assert names(browser.get(fold(deeper, 1))) == ["b", "a"]


def test_children_are_in_the_order_of_the_table(api: Api, browser: Browser) -> None:
    family(api, a="", x="a", y="a", z="a")
    log(api, "w", tags={"mlflow.parentRunId": "none"})
    query = {"order_by": "metrics.m DESC", "open": "1", "rows": "tree"}
    # 0, 7, 4 and 1; who has no such metric comes last.
    assert names(browser.get("experiments/0", query_string=query)) == ["a", "x", "y", "z", "w"]
    query["order_by"] = "metrics.m ASC"
    assert names(browser.get("experiments/0", query_string=query)) == ["a", "z", "y", "x", "w"]


@pytest.mark.parametrize("parent", ["0" * 32, "not an eid", "x" * 4000])
def test_who_has_no_parent_here_is_at_the_top(api: Api, browser: Browser, parent: str) -> None:
    family(api, a="", b=parent)
    assert names(browser.get("experiments/0")) == ["b", "a"]


def test_who_is_their_own_parent_is_at_the_top(api: Api, browser: Browser) -> None:
    eid = log(api, "a")
    api.post("runs/set-tag", run_id=eid, key="mlflow.parentRunId", value=eid)
    page = browser.get("experiments/0")
    assert names(page) == ["a"]
    assert not page.all("a", class_="mlops-toggle")


def test_children_whose_parent_is_in_the_trash_or_elsewhere_are_at_the_top(
    api: Api, browser: Browser
) -> None:
    eids = family(api, a="", a1="a", b="", b1="b")
    api.post("runs/delete", run_id=eids["a"])
    other = api.post("experiments/create", name="other")["experiment_id"]
    log(api, "far", experiment_id=other, tags={"mlflow.parentRunId": eids["b"]})
    assert names(browser.get("experiments/0")) == ["b", "a1"]
    assert names(browser.get(f"experiments/{other}")) == ["far"]


def test_a_filter_finds_children_and_tells_their_parent(api: Api, browser: Browser) -> None:
    family(api, a="", a1="a", a2="a")
    page = browser.get("experiments/0", query_string={"filter": "metrics.m > 3", "rows": "tree"})
    assert names(page) == ["a2", "a1"]
    assert "child of a" in page.rows()[0][1]
    assert page.link("a").endswith("/candidates/1")
    assert not page.has_link("Nested")


def test_rows_are_flat_or_nested_as_the_address_says(api: Api, browser: Browser) -> None:
    family(api, a="", a1="a")
    page = browser.get("experiments/0")
    flat = browser.get(page.link("Flat"))
    assert names(flat) == ["a1", "a"]
    assert "child of a" in flat.rows()[0][1]
    assert names(browser.get(flat.link("Nested"))) == ["a"]


def test_an_experiment_without_children_offers_no_nesting(api: Api, browser: Browser) -> None:
    log(api)
    page = browser.get("experiments/0")
    assert not page.has_link("Nested")
    assert not page.all("a", class_="mlops-toggle")


def test_the_first_hundred_children_unfold_and_a_link_leads_to_all(
    api: Api, browser: Browser
) -> None:
    family(api, a="", **{f"c{number}": "a" for number in range(103)})
    page = browser.get("experiments/0?open=1")
    assert len(names(page)) == 101
    every = browser.get(page.link("all 103 children"))
    assert "103 candidates match" in every.text
    assert "a" not in names(every)


def test_what_is_unfolded_stays_so_on_its_page(api: Api, browser: Browser) -> None:
    for number in range(60):
        log(api, f"p{number}", start_time=START + number)
    eid = api.post("runs/search", experiment_ids=["0"], filter="attributes.run_name = 'p3'")
    parent = eid["runs"][0]["info"]["run_id"]
    log(api, "child", start_time=START - 1, tags={"mlflow.parentRunId": parent})
    second = browser.get(browser.get("experiments/0").link("Next page"))
    assert names(second)[-1] == "p0"
    unfolded = browser.get(fold(second, 4))
    assert names(unfolded)[-4:] == ["child", "p2", "p1", "p0"]


@pytest.mark.parametrize(
    "query",
    [
        "rows=sideways",
        "open=x",
        "open=1,,2%00",
        "open=" + ",".join(map(str, range(21))),
        "open=99999999999",
        "open=²",
        "selected=-1",
        "selected=" + ",".join(map(str, range(201))),
        "columns=nonsense",
        "columns=metrics.%00",
        "&".join(f"columns=metrics.m{number}" for number in range(1001)),
    ],
)
def test_a_bad_state_is_refused(api: Api, browser: Browser, query: str) -> None:
    log(api)
    assert browser.get(f"experiments/0?{query}").status == 400


def test_states_that_name_nothing_here_harm_nobody(api: Api, browser: Browser) -> None:
    family(api, a="", a1="a")
    for query in ("open=2,77", "open=2147483647", "columns=metrics.&columns=params.none"):
        page = browser.get(f"experiments/0?rows=tree&{query}")
        assert (page.status, names(page)) == (200, ["a"])


# Columns


@pytest.fixture
def sweep(api: Api) -> str:
    """An experiment whose candidates differ in some things."""
    iid: str = api.post("experiments/create", name="sweep")["experiment_id"]
    for number in range(3):
        log(
            api,
            f"run-{number}",
            experiment_id=iid,
            start_time=START + number,
            metrics={"auc": number / 7, "loss": 1 - number / 7, "system/cpu": number, "rows": 9},
            params={"max depth": str(number), "seed": "42"},
            tags={"team": "red", "mlflow.source.git.commit": f"{number}abcdef0123456789"},
        )
    return iid


def test_columns_are_chosen_by_a_form(browser: Browser, sweep: str) -> None:
    page = browser.get(f"experiments/{sweep}?order_by=metrics.auc&filter=metrics.auc+>+0.1")
    ticked = [
        each["value"] for each in page.all("input", name="columns") if "checked" in each.attributes
    ]
    assert ticked == [
        "status", "created", "duration", "source", "metrics.auc", "metrics.loss", "params.max depth"
    ]  # fmt: skip
    offered = {each["value"] for each in page.all("input", name="columns")}
    assert {"author", "metrics.system/cpu", "params.seed", "tags.team"} <= offered
    (form,) = (each for each in page.all("form") if each.attributes.get("aria-label") == "Columns")
    kept = {"order_by": "metrics.auc", "filter": "metrics.auc > 0.1"}
    chosen = browser.get(
        form["action"],
        query_string={**kept, "columns": ["author", "metrics.rows", "params.seed", "tags.team"]},
    )
    assert heads(chosen)[1:] == ["Name", "Author", "rows", "auc", "seed", "team"]
    assert names(chosen) == ["run-1", "run-2"]


def test_chosen_columns_stay_in_every_link(browser: Browser, sweep: str) -> None:
    query = {"columns": ["metrics.auc", "tags.team"], "filter": "params.seed = '42'"}
    page = browser.get(f"experiments/{sweep}", query_string=query)
    links = [page.link("auc"), page.link("Name"), page.link("Clear"), page.link("Wide mode")]
    links += [page.link("CSV"), page.link("JSON"), page.link("Charts")]
    for url in links:
        assert parse_qs(urlsplit(url).query)["columns"] == query["columns"], url
    assert "columns" not in page.link("Those that vary")
    assert "columns" not in page.link("Candidates 3")


def test_columns_of_tags_sort(browser: Browser, sweep: str) -> None:
    page = browser.get(f"experiments/{sweep}?columns=tags.mlflow.source.git.commit")
    by_commit = browser.get(page.link("mlflow.source.git.commit"))
    assert names(by_commit) == ["run-0", "run-1", "run-2"]


def test_what_the_client_says_of_its_source_is_marked_as_said(browser: Browser, sweep: str) -> None:
    page = browser.get(f"experiments/{sweep}")
    assert "Source" in heads(page)
    assert "2abcdef0 claimed · unknown" in page.rows()[0]
    assert not page.has_link("job 17")


def test_what_ci_stamped_comes_before_what_the_client_says(forge: Forge) -> None:
    work = Work.begin(forge, "public")
    merged, proposed = work.commit("main"), work.commit("feature")
    work.merge_request()
    work.log(merged, ref="main", name="merged")
    run_id = work.log(proposed, name="proposed")
    claims = [("mlflow.source.git.commit", "f" * 40), ("gitlab.CI_JOB_ID", "666")]
    for key, value in claims:
        work.api().post("runs/set-tag", run_id=run_id, key=key, value=value)
    altered = work.log(merged, ref="main", name="altered")
    work.api().post("runs/log-parameter", run_id=altered, key="seed", value="1")
    work.claim(merged)
    page = work.browser().get("experiments/0?order_by=attributes.run_name")
    source = heads(page).index("Source")
    told = {row[1].split()[0]: row[source] for row in page.rows()}
    assert told["merged"].startswith(f"{merged[:8]} main job ")
    assert told["merged"].endswith(" CI")
    assert told["proposed"].startswith(f"{proposed[:8]} feature job ")
    assert told["proposed"].endswith(" CI · unmerged")
    assert told["altered"].endswith(" CI · altered")
    assert f"{merged[:8]} claimed" in told.values()
    assert "666" not in page.text
    jobs = [each["href"] for each in page.all("a") if words(each.text).startswith("job ")]
    assert len([url for url in jobs if "/-/jobs/" in url]) == 3


def test_a_source_or_author_that_all_share_is_told_once(api: Api, browser: Browser) -> None:
    tags = {"mlflow.source.git.commit": "abc<b>", "gitlab.CI_JOB_ID": "17"}
    for _ in range(2):
        log(api, tags=tags, metrics={"m": 1})
    page = browser.get("experiments/0")
    assert heads(page)[1:] == ["Name", "Status", "Created", "Duration"]
    told = {
        words(key.text): words(value.text)
        for key, value in zip(page.all("dt"), page.all("dd"), strict=True)
    }
    assert told["Source"] == "abc<b> job 17 claimed · unknown"
    assert told["Author"].startswith("user-")


# Counts


@pytest.mark.parametrize(
    ("filter_", "text"),
    [
        ("", "3 candidates"),
        ("metrics.auc > 0", "2 candidates match"),
        ("metrics.auc > 0.2", "1 candidate matches"),
    ],
)
def test_the_number_of_candidates_is_told(
    browser: Browser, sweep: str, filter_: str, text: str
) -> None:
    page = browser.get(f"experiments/{sweep}", query_string={"filter": filter_})
    assert words(page.one("p", id="mlops-found").text) == text


def test_matches_are_counted_on_every_page_up_to_a_limit(
    api: Api, browser: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(60):
        log(api, metrics={"m": number}, params={"p": "x"})
    query = {"filter": "metrics.m >= 5 and params.p = 'x'"}
    first = browser.get("experiments/0", query_string=query)
    assert "55 candidates match" in first.text
    assert "55 candidates match" in browser.get(first.link("Next page")).text
    monkeypatch.setattr("gitlab_mlops.blueprints.web.rows.MAX_COUNTED", 54)
    assert "More than 54 candidates match" in browser.get("experiments/0", query_string=query).text


# Completion


def test_the_names_that_exist_are_offered_as_a_filter_writes_them(
    browser: Browser, sweep: str
) -> None:
    answer = browser.raw(f"experiments/{sweep}/names")
    assert answer.mimetype == "application/json"
    offered = answer.get_json()
    assert offered["names"]["metric"] == [
        "metrics.auc", "metrics.loss", "metrics.rows", "metrics.`system/cpu`"
    ]  # fmt: skip
    assert offered["names"]["param"] == ["params.`max depth`", "params.seed"]
    assert "tags.team" in offered["names"]["tag"]
    assert "attributes.status" in offered["names"]["attribute"]
    assert "ILIKE" in offered["operators"]["param"]
    assert "ILIKE" not in offered["operators"]["metric"]


def test_every_name_that_is_offered_can_be_filtered_by(browser: Browser, sweep: str) -> None:
    offered: dict[str, Any] = browser.raw(f"experiments/{sweep}/names").get_json()
    for kind, each in ((kind, each) for kind, every in offered["names"].items() for each in every):
        operators = offered["operators"].get(each) or offered["operators"][kind]
        value = "'x'" if "LIKE" in operators else "1"
        page = browser.get(f"experiments/{sweep}", query_string={"filter": f"{each} != {value}"})
        assert page.status == 200, each


def test_names_of_another_experiment_are_not_offered(api: Api, browser: Browser) -> None:
    log(api, metrics={"here": 1})
    other = api.post("experiments/create", name="other")["experiment_id"]
    log(api, experiment_id=other, metrics={"there": 1}, params={"there": "1"})
    offered = browser.raw("experiments/0/names").get_json()["names"]
    assert (offered["metric"], offered["param"]) == (["metrics.here"], [])
