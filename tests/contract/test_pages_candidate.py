"""The page of a candidate, its way into the trash, and where it is mentioned."""

from __future__ import annotations

import json

import pytest
from flask import Flask

from host_stub import issues, merge_requests
from host_stub.database import db
from host_stub.projects import Project
from host_stub.users import User
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


@pytest.fixture
def developer(forge: Forge, api: Api) -> Browser:
    return Browser.open(forge, api.project_id, forge.member(api.project_id, "developer"))


def test_the_head_says_what_and_who_and_how_long(api: Api, browser: Browser) -> None:
    run_id = log(api, "gbt", start_time=START, user_id="root")
    api.post("runs/update", run_id=run_id, status="FINISHED", end_time=START + 95_000)
    page = browser.get("candidates/1")
    assert words(page.one("h1").text) == "gbt"
    assert "<title>gbt ·" in page.html
    assert "[candidate:1]" in page.text
    assert run_id in page.text
    assert "took 1 min 35 s" in page.text
    assert "(the client says root)" in page.text
    assert page.link("Default") == f"{browser.base}/experiments/0"
    assert "2023-11-14 22:13 UTC" in page.text
    assert page.all("time", datetime="2023-11-14T22:13:20.000Z")


def test_a_running_candidate_says_for_how_long(api: Api, browser: Browser) -> None:
    log(api)
    assert "so far" in browser.get("candidates/1").text


def test_what_was_logged_is_there(api: Api, browser: Browser) -> None:
    log(
        api,
        metrics={"auc": 0.123456789, "system/cpu": 3},
        params={"depth": "3", "empty": ""},
        tags={"stage": "search", "mlflow.source.name": "train.py", "mlflow.note.content": "*a*"},
    )
    page = browser.get("candidates/1")
    (row,) = page.rows("Metrics")
    assert row[1:] == ["0.123457", "0.123457", "0.123457 (best)", "7", "1"]
    assert page.all("span", title="0.123456789")
    assert page.rows("Parameters") == [["depth", "3"], ["empty", "(empty)"]]
    assert page.rows("Tags")[0] == ["stage", "search"]
    assert page.one("em").text == "a"
    folds = [words(each.text) for each in page.all("details")]
    assert any(each.startswith("System metrics 1") and "system/cpu" in each for each in folds)
    assert any("mlflow.source.name" in each and "train.py" in each for each in folds)


def test_a_metric_tells_its_history_and_which_way_is_better(api: Api, browser: Browser) -> None:
    run_id = log(api)
    for key, values in {"val_loss": (3.0, "NaN", 1.0, 2.0), "lr": (1.0, 0.5)}.items():
        points = [
            {"key": key, "value": value, "timestamp": START, "step": step}
            for step, value in enumerate(values)
        ]
        api.post("runs/log-batch", run_id=run_id, metrics=points)
    page = browser.get("candidates/1")
    main, other = page.rows("Metrics")
    assert main == ["val_loss(lower is better)main metric", "2", "1 (best)", "3", "3", "4"]
    assert other == ["lr", "0.5", "0.5", "1", "1", "2"]
    assert page.link("lr") == f"{browser.base}/candidates/1/charts?chart=lr"


def test_the_experiment_says_which_metric_is_the_main_one(api: Api, browser: Browser) -> None:
    log(api, metrics={"auc": 0.5, "zeal": 2})
    for name, value in (("name", "zeal"), ("greaterIsBetter", "False")):
        key = f"mlflow.experiment.primaryMetric.{name}"
        api.post("experiments/set-experiment-tag", experiment_id="0", key=key, value=value)
    rows = [row[0] for row in browser.get("candidates/1").rows("Metrics")]
    assert rows == ["zeal(lower is better)main metric", "auc(higher is better)"]


def test_among_many_names_one_is_found_without_a_script(api: Api, browser: Browser) -> None:
    few = browser.get("candidates/1") if log(api, params={"depth": "3"}) else None
    assert few is not None
    assert not few.all("input", name="find")
    log(api, metrics={f"m{n}": n for n in range(20)}, params={"M1 of params": "x", "depth": "3"})
    assert len(browser.get("candidates/2").rows("Metrics")) == 20
    page = browser.get("candidates/2?find=M1")
    assert [row[0] for row in page.rows("Metrics")] == ["m1", *(f"m{n}" for n in range(10, 20))]
    assert [row[0] for row in page.rows("Parameters")] == ["M1 of params"]
    assert page.one("input", name="find")["value"] == "M1"
    assert "No metric’s name contains “100%”." in browser.get("candidates/2?find=100%25").text
    assert browser.get("candidates/2?find=%00").status == 400


SCHEMA = {
    "mlflow_colspec": [
        {"name": "age", "type": "long", "required": True},
        {"name": "words", "type": "array", "items": {"type": "string"}, "required": False},
    ]
}


def log_dataset(api: Api, run_id: str, **dataset: str) -> None:
    dataset = {"name": "iris", "digest": "a3f1", "source_type": "http", "source": "s", **dataset}
    tags = [{"key": "mlflow.data.context", "value": "training"}]
    api.post("runs/log-inputs", run_id=run_id, datasets=[{"dataset": dataset, "tags": tags}])


def test_datasets_say_what_they_were_used_for(api: Api, browser: Browser) -> None:
    profile = json.dumps({"num_rows": 150_000, "num_elements": 600})
    log_dataset(api, log(api), source="javascript:1", schema=json.dumps(SCHEMA), profile=profile)
    page = browser.get("candidates/1")
    (dataset,) = page.all("article")
    assert words(dataset.text).startswith("iris training digest a3f1 rows 150,000 elements 600 ")
    assert "Source: http javascript:1" in words(dataset.text)
    assert page.rows("Columns of iris") == [["age", "long"], ["words", "array of string optional"]]


@pytest.mark.parametrize(
    "text", ["{", "[" * 5000, '{"mlflow_colspec": [7]}', '{"mlflow_tensorspec": {"features": 1}}']
)
def test_a_dataset_that_nobody_understands_shows_what_it_says(
    api: Api, browser: Browser, text: str
) -> None:
    log_dataset(api, log(api), schema=text, profile=text)
    page = browser.get("candidates/1")
    assert page.status == 200
    assert page.one("pre", aria_label="Schema of the dataset").text.startswith(text[:200])


def test_what_the_client_says_of_its_code_is_a_claim(api: Api, browser: Browser) -> None:
    tags = {
        "mlflow.source.git.commit": "4f1d2c9a8e7b6a5f4e3d2c1b0a9f8e7d6c5b4a39",
        "mlflow.source.git.repoURL": "https://evil.example.com/",
        "mlflow.source.git.dirty": "True",
        "gitlab.CI_JOB_ID": "17",
    }
    log(api, tags=tags)
    page = browser.get("candidates/1")
    claims = [words(each.text) for each in page.all("span", class_="mlops-origin")]
    assert claims[:4] == [
        "4f1d2c9a8e7b",
        "https://evil.example.com/",
        "uncommitted changes",
        "17",
    ]
    assert not page.all("span", class_="mlops-origin-stamped")
    assert (
        page.one("button", aria_label="Copy the commit")["data-mlops-copy"]
        == tags["mlflow.source.git.commit"]
    )
    assert not page.has_link("https://evil.example.com/")
    assert "said by the client, and checked by nobody" in page.text


def test_models_that_were_logged_lead_to_their_files(api: Api, browser: Browser) -> None:
    flavors = {"python_function": {"python_version": "3.11.9"}, "sklearn": {"sklearn_version": "1"}}
    model = {"artifact_path": "a model", "flavors": flavors, "run_id": "x", "utc_time_created": "y"}
    run_id = log(api)
    api.post("runs/log-model", run_id=run_id, model_json=json.dumps(model))
    page = browser.get("candidates/1")
    assert page.link("a model") == f"{browser.base}/candidates/1/files?path=a+model"
    assert "sklearn 1" in page.text
    assert "Python 3.11.9" in page.text


def test_parent_and_children_link_to_each_other(api: Api, browser: Browser) -> None:
    parent = log(api, "parent")
    for name, auc in (("fold-1", 0.5), ("fold-2", 0.9)):
        log(api, name, metrics={"auc": auc}, tags={"mlflow.parentRunId": parent})
    log(api, "orphan", tags={"mlflow.parentRunId": "0" * 32})
    page = browser.get("candidates/1")
    assert page.link("fold-1") == f"{browser.base}/candidates/2"
    assert page.link("fold-2") == f"{browser.base}/candidates/3"
    rows = page.rows("Children")
    assert [row[0] for row in rows] == ["fold-2", "fold-1"], "the best is first"
    assert rows[0][1:3] == ["Running", "0.9"]
    assert browser.get("candidates/2").link("Parent: parent") == f"{browser.base}/candidates/1"
    assert "not in this project" in browser.get("candidates/4").text


def test_a_page_follows_a_candidate_only_while_it_runs(api: Api, browser: Browser) -> None:
    run_id = log(api)
    live = browser.get("candidates/1").one("p", id="mlops-live")
    assert live["hx-get"] == f"{browser.base}/candidates/1"
    targets = live["hx-select-oob"].split(",")
    api.post("runs/update", run_id=run_id, status="FINISHED")
    finished = browser.get("candidates/1")
    assert not finished.all("p", id="mlops-live")
    # What is asked for has a place in every page, or htmx would complain.
    there = {each.attributes.get("id") for each in finished.elements}
    assert {target.removeprefix("#") for target in targets} <= there


def test_a_parent_in_another_project_looks_like_none(
    forge: Forge, api: Api, browser: Browser
) -> None:
    secret = forge.developer()
    foreign = log(secret, "hidden-parent")
    log(api, tags={"mlflow.parentRunId": foreign})
    page = browser.get("candidates/1")
    assert "not in this project" in page.text
    assert "hidden-parent" not in page.html


# Trash


def test_a_candidate_goes_into_the_trash_and_back(api: Api, developer: Browser) -> None:
    log(api, "gbt")
    form = developer.get("candidates/1").one("form", action=f"{developer.base}/candidates/1/trash")
    answer = developer.submit(form["action"])
    assert (answer.status_code, answer.location) == (303, f"{developer.base}/candidates/1")
    page = developer.get("candidates/1")
    assert "This candidate is in the trash since" in page.text
    assert developer.get("experiments/0").has_link("Trash 1")
    restore = page.one("form", action=f"{developer.base}/candidates/1/restore")
    assert developer.submit(restore["action"]).status_code == 303
    assert "is in the trash since" not in developer.get("candidates/1").text


def test_the_form_of_a_page_carries_the_token_of_the_session(api: Api, developer: Browser) -> None:
    log(api)
    page = developer.get("candidates/1")
    tokens = {each["value"] for each in page.all("input", name="csrf_token")}
    assert tokens == {"token-of-the-session"}


@pytest.mark.parametrize("token", ["", "another"])
def test_a_forged_form_changes_nothing(api: Api, developer: Browser, token: str) -> None:
    log(api)
    assert developer.submit("candidates/1/trash", csrf=token).status_code == 403
    assert "is in the trash since" not in developer.get("candidates/1").text


def test_the_plugin_itself_checks_the_token(
    app: Flask, api: Api, developer: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    # A forge may leave the check to whoever handles the form.
    monkeypatch.setitem(app.before_request_funcs, None, [])
    log(api)
    page = Page(developer.submit("candidates/1/trash", csrf="another"))
    assert page.status == 403
    assert "This form has expired" in page.text
    assert "is in the trash since" not in developer.get("candidates/1").text


# Mentions


def test_a_candidate_shows_where_it_is_mentioned_to_those_who_may_see_it(
    forge: Forge, api: Api, browser: Browser, developer: Browser
) -> None:
    log(api)
    secret = forge.project()
    writer = forge.member(secret, "developer")
    with forge.stored():
        user = db.session.get(User, writer)
        public, private = (db.session.get(Project, each) for each in (api.project_id, secret))
        assert user is not None
        assert public is not None
        assert private is not None
        path = public.full_path
        issues.create_issue(public, user, "Which is <b>best</b>?", "[candidate:1] is.")
        merge_requests.create_merge_request(
            private, user, "Hidden plan", f"[candidate:{path}/1]", source_branch="a",
            target_branch="main",
        )  # fmt: skip
    page = browser.get("candidates/1")
    assert page.link("Which is <b>best</b>?") == f"/{path}/-/issues/1"
    assert "Hidden plan" not in page.html
    inside = Browser.open(forge, api.project_id, writer).get("candidates/1")
    assert inside.has_link("Hidden plan")


def test_what_ci_stamped_is_told_from_what_a_client_claims(
    forge: Forge, api: Api, browser: Browser
) -> None:
    claims = {"gitlab.CI_JOB_ID": "666", "mlflow.source.git.commit": "b" * 40}
    log(api, tags=claims)
    user_id = forge.member(api.project_id, "developer")
    log(forge.api(api.project_id, forge.job_token(api.project_id, user_id)), tags=claims)
    assert browser.get("candidates/1").all("span", class_="mlops-origin-stamped") == []
    page = browser.get("candidates/2")
    stamped = [words(each.text) for each in page.all("span", class_="mlops-origin-stamped")]
    assert stamped[0] == "Stamped by CI: 000000000000"
    assert words(page.one("p", class_="mlops-reproducible").text).startswith("CI · commit unknown")
    assert any("/-/jobs/" in each["href"] for each in page.all("a"))
    assert "666" in page.text
    assert not any("666" in each for each in stamped)


def test_what_ci_stamped_leads_to_the_commit_and_the_merge_request(forge: Forge) -> None:
    work = Work.begin(forge)
    sha = work.commit("feature")
    merge_request = work.merge_request()
    work.log(sha, merge_request=merge_request)
    page = work.browser().get("candidates/1")
    path = f"/{work.path()}/-"
    assert page.link(sha[:12]) == f"{path}/commit/{sha}"
    assert page.link(f"!{merge_request}") == f"{path}/merge_requests/{merge_request}"
    assert "Train deeper trees" in page.text
    assert "CI · merge request" in page.text


def test_the_badge_says_what_happened_to_what_ci_measured(forge: Forge) -> None:
    work = Work.begin(forge)
    run_id = work.log(work.commit("main"), {"auc": 0.5}, ref="main")
    badge = work.browser().get("candidates/1").one("span", class_="mlops-badge")
    assert (badge.text, "mlops-badge-good" in badge["class"]) == ("CI · default branch", True)
    work.api().post("runs/log-metric", run_id=run_id, key="auc", value=1, timestamp=1, step=9)
    page = work.browser().get("candidates/1")
    badge = page.one("span", class_="mlops-badge")
    assert badge.text == "CI · default branch · altered"
    assert "mlops-badge-poor" in badge["class"]
    assert "Later, somebody else than CI logged metrics, parameters or files." in page.text


def test_a_claimed_commit_leads_nowhere(forge: Forge) -> None:
    work = Work.begin(forge)
    sha = work.commit("main")
    work.claim(sha)
    page = work.browser().get("candidates/1")
    assert "claimed · default branch" in page.text
    assert not page.has_link(sha[:12])
