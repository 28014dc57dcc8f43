"""The cards of references: enough to recognise a candidate or an experiment, for who may see it."""

from __future__ import annotations

import re
from urllib.parse import quote

import pytest

from gitlab_mlops.blueprints.web.blueprint import asset_tags
from host_stub import issues
from host_stub.database import db
from host_stub.plugin import mlops
from host_stub.projects import Project
from host_stub.users import User
from tests.browsing import START, Browser, Page, counted_statements, log, without_nonces, words
from tests.contract.registry import make_version, register, set_alias
from tests.factories import Api, Forge

EVIL = "<img src=x onerror=alert(1)>\u202e{{ 7*7 }}"


@pytest.fixture
def api(forge: Forge) -> Api:
    return forge.developer()


@pytest.fixture
def browser(forge: Forge, api: Api) -> Browser:
    return Browser.open(forge, api.project_id, forge.member(api.project_id, "reporter"))


def card_of(browser: Browser, path: str) -> Page:
    page = browser.get(f"{path}/card")
    assert page.status == 200, page.html
    return page


def said(page: Page) -> str:
    return words(page.one("div", class_="mlops-glance").text)


def experiment(api: Api, name: str = "digits", **tags: str) -> str:
    pairs = [{"key": key.replace("__", "."), "value": value} for key, value in tags.items()]
    iid: str = api.post("experiments/create", name=name, tags=pairs)["experiment_id"]
    return iid


MAIN = {
    "mlflow__experiment__primaryMetric__name": "f1",
    "mlflow__experiment__primaryMetric__greaterIsBetter": "true",
}


def test_a_candidates_card_says_what_it_is(api: Api, browser: Browser) -> None:
    at = experiment(api, **MAIN)
    metrics: dict[str, float | str] = {"loss": 0.125, "f1": 0.91234567, "system/cpu": 3}
    tags = {"mlflow.source.git.dirty": "true"}
    run_id = log(api, "bright-owl-7", experiment_id=at, metrics=metrics, tags=tags)
    api.post("runs/update", run_id=run_id, status="FINISHED", end_time=START + 90_000)
    page = card_of(browser, "candidates/1")
    assert re.fullmatch(
        r"bright-owl-7 Finished in digits f1 higher is better0\.912346 loss0\.125"
        r" by user-\w+ started \d years? ago took 1 min 30 s no commit · dirty",
        said(page),
    )
    assert page.response.headers["Cache-Control"] == "private, no-store"


def test_the_main_metric_is_first_and_six_are_shown(api: Api, browser: Browser) -> None:
    at = experiment(api, **MAIN)
    metrics: dict[str, float | str] = {f"a{number}": number for number in range(7)}
    log(api, experiment_id=at, metrics={**metrics, "f1": "NaN", "val_loss": 0.5})
    page = card_of(browser, "candidates/1")
    assert [words(each.text) for each in page.all("dd")] == ["NaN", "0.5", "0", "1", "2", "3"]
    assert "and 3 more metrics" in said(page)


def test_a_candidate_without_metrics_says_so(api: Api, browser: Browser) -> None:
    run_id = log(api, "early")
    assert "No metrics yet." in said(card_of(browser, "candidates/1"))
    api.post("runs/update", run_id=run_id, status="FAILED")
    assert "No metrics were logged." in said(card_of(browser, "candidates/1"))


def test_what_is_in_the_trash_says_so(api: Api, browser: Browser) -> None:
    at = experiment(api)
    log(api, experiment_id=at)
    api.post("experiments/delete", experiment_id=at)
    for path in (f"experiments/{at}", "candidates/1"):
        assert "In the trash since just now" in said(card_of(browser, path))


def test_an_experiments_card_says_which_candidate_is_best(api: Api, browser: Browser) -> None:
    at = experiment(api, **MAIN)
    log(api, "worse", experiment_id=at, metrics={"f1": 0.8})
    log(api, "better", experiment_id=at, metrics={"f1": 0.9})
    assert re.fullmatch(
        r"digits Experiment with 2 candidates Best f1 higher is better0\.9 by better candidate:2"
        r" by user-\w+ created just now",
        said(card_of(browser, f"experiments/{at}")),
    )


def test_an_empty_experiment_has_a_card(api: Api, browser: Browser) -> None:
    at = experiment(api)
    assert "Experiment with 0 candidates" in said(card_of(browser, f"experiments/{at}"))


@pytest.mark.parametrize("path", ["candidates/99", "experiments/99", "candidates/2147483647"])
def test_the_card_of_nothing_is_missing(browser: Browser, path: str) -> None:
    assert browser.raw(f"{path}/card").status_code == 404


def test_nothing_on_a_card_is_markup(api: Api, browser: Browser) -> None:
    at = experiment(api, EVIL)
    log(api, EVIL, experiment_id=at, metrics={"a b/c": 1.0})
    for path in ("candidates/1", f"experiments/{at}"):
        page = card_of(browser, path)
        assert EVIL in page.one("p", class_="mlops-glance-name").text
        assert not page.all("img")
        assert not page.all("a")
        assert not [each for each in page.elements if "style" in each.attributes]


def test_a_models_card_says_which_version_has_which_alias(api: Api, browser: Browser) -> None:
    register(api, "churn v2", description="# Who leaves\n\nLogs of **one** year.")
    make_version(api, "churn v2")
    make_version(api, "churn v2")
    set_alias(api, "champion", 1, "churn v2")
    assert re.fullmatch(
        r"churn v2 Model with 2 versions Who leaves @championversion 1"
        r" by user-\w+ changed just now",
        said(card_of(browser, "models/churn%20v2")),
    )
    register(api, "greet", tags=[{"key": "mlflow.prompt.is_prompt", "value": "true"}])
    assert "greet Prompt with 0 versions" in said(card_of(browser, "models/greet"))


def test_a_versions_card_says_which_candidate_made_it(api: Api, browser: Browser) -> None:
    at = experiment(api, **MAIN)
    run_id = log(api, "bright-owl-7", experiment_id=at, metrics={"loss": 0.125, "f1": 0.9})
    register(api)
    tags = [{"key": "gitlab.version", "value": "1.4.0"}]
    make_version(api, source=f"runs:/{run_id}/model", tags=tags)
    set_alias(api, "champion", 1)
    transition = {"name": "churn", "version": "1", "stage": "Production"}
    api.post("model-versions/transition-stage", **transition)
    assert re.fullmatch(
        r"churn Version 1 1\.4\.0 in Production @champion made by bright-owl-7 candidate:1"
        r" f1 higher is better0\.9 loss0\.125 by user-\w+ registered just now",
        said(card_of(browser, "models/churn/versions/1")),
    )


@pytest.mark.parametrize(
    "path",
    [
        *("models/none", "models/a%00b", "models/none/versions/1", "models/churn%00/versions/1"),
        *("models/churn/versions/2", "models/churn/versions/0", "models/churn/versions/2147483647"),
    ],
)
def test_the_card_of_no_model_is_missing(api: Api, browser: Browser, path: str) -> None:
    register(api)
    make_version(api)
    assert browser.raw(f"{path}/card").status_code == 404


def test_nothing_on_the_card_of_a_model_is_markup(api: Api, browser: Browser) -> None:
    name = EVIL.replace(":", "")
    run_id = log(api, EVIL, metrics={"a b/c": 1.0})
    register(api, name, description=EVIL)
    make_version(api, name, source=f"runs:/{run_id}/x", tags=[{"key": "gitlab.version",
                 "value": EVIL}])  # fmt: skip
    for path in (f"models/{quote(name)}", f"models/{quote(name)}/versions/1"):
        page = card_of(browser, path)
        assert name in page.one("p", class_="mlops-glance-name").text
        assert not page.all("img")
        assert not page.all("a")


def test_the_card_of_a_model_costs_the_same_however_much_there_is(
    api: Api, browser: Browser
) -> None:
    register(api)
    run_id = log(api, metrics={"auc": 1.0})
    make_version(api, source=f"runs:/{run_id}/model")
    set_alias(api, "a", 1)

    def cost(path: str) -> int:
        card_of(browser, path)
        with counted_statements(browser.forge.app) as statements:
            card_of(browser, path)
        return len(statements)

    paths = ("models/churn", "models/churn/versions/1")
    few = [cost(path) for path in paths]
    for number in range(10):
        make_version(api, source=f"runs:/{run_id}/model")
        set_alias(api, f"b{number}", 1)
    assert [cost(path) for path in paths] == few
    assert max(few) <= 16


def test_a_card_costs_the_same_however_much_there_is(api: Api, browser: Browser) -> None:
    at = experiment(api, **MAIN)
    log(api, "one", experiment_id=at, metrics={"f1": 1})
    many: dict[str, float | str] = {f"m{number}": number for number in range(200)}
    log(api, "two", experiment_id=at, metrics=many, params={f"p{n}": "1" for n in range(90)})

    def cost(path: str) -> int:
        card_of(browser, path)
        with counted_statements(browser.forge.app) as statements:
            card_of(browser, path)
        assert all(each.startswith(("SELECT", "WITH")) for each in statements)
        return len(statements)

    assert cost("candidates/2") <= cost("candidates/1") <= 14
    assert cost(f"experiments/{at}") <= 12


def add_issue(forge: Forge, project_id: int, description: str) -> str:
    """The path of a new issue's page."""
    user_id = forge.member(project_id, "developer")
    with forge.stored():
        user, project = db.session.get(User, user_id), db.session.get(Project, project_id)
        assert user is not None
        assert project is not None
        issue = issues.create_issue(project, user, "Which one is best?", description)
        return f"/{project.full_path}/-/issues/{issue.iid}"


def test_a_reference_leads_to_its_card(forge: Forge, api: Api, browser: Browser) -> None:
    at = experiment(api)
    log(api, "bright-owl-7", experiment_id=at)
    page = browser.get(add_issue(forge, api.project_id, f"[candidate:1] of [experiment:{at}]"))
    links = page.all("a", class_="mlops-reference")
    assert [words(each.text) for each in links] == [
        "bright-owl-7 candidate:1",
        "digits experiment:1",
    ]
    for each in links:
        assert each["data-mlops-card"] == f"{each['href']}/card"
        assert words(each.text).split()[0] in said(Page(browser.raw(each["data-mlops-card"])))


def test_a_hidden_candidate_has_neither_link_nor_card(forge: Forge, api: Api) -> None:
    log(api, "secret-owl")
    public = forge.project("public")
    there = f"[candidate:{forge.path(api.project_id)}/1]"
    gone = there.replace("/1]", "/2]")
    texts = [add_issue(forge, public, each) for each in (there, gone)]
    for user in (None, forge.user(), forge.member(public, "developer")):
        reader = Browser.open(forge, public, user)
        pages = [reader.get(each).one("div", class_="prose").text for each in texts]
        assert pages[0].strip() == there
        assert pages[0].replace("/1]", "/2]") == pages[1]
        base = f"/{forge.path(api.project_id)}/-/ml/candidates"
        cards = [reader.raw(f"{base}/{iid}/card") for iid in (1, 2)]
        assert cards[0].status_code == cards[1].status_code != 200
        one, two = (without_nonces(each.text).replace("/2/", "/1/") for each in cards)
        assert one.replace("%2F2%2F", "%2F1%2F") == two.replace("%2F2%2F", "%2F1%2F")


def test_the_forges_pages_load_what_cards_and_completion_need(forge: Forge, api: Api) -> None:
    browser = Browser.open(forge, api.project_id, forge.member(api.project_id, "developer"))
    page = browser.get(add_issue(forge, api.project_id, "x"))
    scripts = [each for each in page.all("script") if "/-/mlops/static/" in each["src"]]
    styles = [each for each in page.all("link") if "/-/mlops/static/" in each["href"]]
    names = [each["src"].partition("?")[0].rpartition("/")[2] for each in scripts]
    assert names[:2] == ["references.js", "suggestions.js"]
    assert all("defer" in each.attributes and each["nonce"] for each in scripts)
    for path in [each["src"] for each in scripts] + [each["href"] for each in styles]:
        answer = browser.raw(path)
        assert answer.status_code == 200
        assert "immutable" in answer.headers["Cache-Control"]
    (box,) = page.all("textarea")
    assert box["data-mlops-complete"] == f"{browser.base}/suggestions"


def test_a_forge_without_nonces_gets_none(forge: Forge) -> None:
    with forge.app.test_request_context("/"):
        tags = asset_tags(["references.css", "references.js"], None)
    assert "nonce" not in tags
    assert tags.count("/-/mlops/static/references.") == 2


@pytest.mark.parametrize("server_name", ["forge.example", None])
def test_links_that_leave_the_forge_name_the_server_that_is_configured(
    forge: Forge, api: Api, monkeypatch: pytest.MonkeyPatch, server_name: str | None
) -> None:
    """The host of a request is what its client says, and mail goes to other people."""
    log(api, "owl")
    monkeypatch.setitem(forge.app.config, "SERVER_NAME", server_name)
    user_id = forge.member(api.project_id, "reporter")
    with forge.app.test_request_context("/", base_url="https://evil.example/"):
        host = forge.app.extensions["mlops"].host
        project, reader = (
            host.projects.by_id(api.project_id),
            host.identity.actors([str(user_id)])[str(user_id)],
        )
        html = mlops.link_references("[candidate:1]", project=project, actor=reader, external=True)
    wanted = server_name or "evil.example"
    assert f'href="https://{wanted}/{project.path}/-/ml/candidates/1"' in html
    assert "data-" not in html
