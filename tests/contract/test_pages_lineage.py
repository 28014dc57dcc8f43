"""From a version back to the merge request and issues, and from a candidate on to its versions."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from host_stub import issues, pipelines
from host_stub.database import db
from host_stub.projects import Project
from host_stub.users import User
from tests.browsing import Browser, Page, counted_statements, log, upload, words
from tests.contract.registry import make_version, register, set_alias
from tests.contract.test_pages_promotion import log_model
from tests.factories import Api, Forge
from tests.proposing import Work


@pytest.fixture
def work(forge: Forge) -> Work:
    return Work.begin(forge)


def chain(page: Page) -> list[str]:
    """The steps of the lineage, as they read."""
    assert page.status == 200, page.html
    html = page.html[page.html.index('<ol class="mlops-lineage">') :]
    items = html[: html.index("</ol>")].split('<li><span class="mlops-lineage-label">')[1:]
    return [words(re.sub(r"<[^>]*>", " ", each)) for each in items]


def lineage(work: Work, user_id: int | None = None, version: int = 1) -> list[str]:
    return chain(work.browser(user_id).get(f"models/churn/versions/{version}"))


def mention(work: Work, project_id: int, title: str) -> None:
    """An issue of a project that mentions the first candidate."""
    with work.forge.stored():
        project = db.session.get_one(Project, project_id)
        by = db.session.get_one(User, work.user_id)
        issues.create_issue(project, by, title, f"[candidate:{work.path()}/1]")


def test_a_version_of_ci_leads_back_to_the_merge_request_and_the_issue(work: Work) -> None:
    sha = work.commit("feature")
    merge_request = work.merge_request()
    run_id = work.log(sha, {"auc": 0.9}, name="owl", merge_request=merge_request)
    register(work.api())
    make_version(work.api(), source=f"runs:/{run_id}/model")
    mention(work, work.project_id, "Which one goes live?")
    page = work.browser().get("models/churn/versions/1")
    version, candidate, experiment, job, commit, proposal, mentions = chain(page)
    assert version == "Version churn 1"
    assert candidate.startswith("Candidate owl candidate:1 Finished")
    assert experiment == "Experiment Default"
    assert re.fullmatch(r"Job Stamped by CI: \d+ pipeline \d+", job)
    assert commit == f"Commit Stamped by CI: {sha[:12]} branch feature"
    assert proposal == f"Merge request Stamped by CI: !{merge_request} Train deeper trees"
    assert mentions == "Mentioned in Which one goes live? #1, opened"
    for text in ("owl", "Default", "Which one goes live?", sha[:12], f"!{merge_request}"):
        assert work.browser().get(page.link(text)).status == 200
    assert "said by the client" not in page.text


def test_only_what_the_reader_may_see_is_in_it(forge: Forge) -> None:
    work = Work.begin(forge, "public")
    run_id = log(work.api(), "owl")
    register(work.api())
    make_version(work.api(), source=f"runs:/{run_id}/model")
    hidden = forge.project()
    forge.add_member(hidden, work.user_id, "developer")
    mention(work, hidden, "secret plans")
    assert "secret plans" in lineage(work)[-1]
    assert lineage(work, forge.user()) == ["Version churn 1", *lineage(work)[1:-1]]


def test_what_the_client_says_looks_like_that(work: Work) -> None:
    run_id = work.claim("a" * 40)
    register(work.api())
    make_version(work.api(), source=f"runs:/{run_id}/model")
    page = work.browser().get("models/churn/versions/1")
    assert chain(page)[-1] == f"Commit Said by the client: {'a' * 12}"
    assert "dashed said by the client, and checked by nobody" in page.text
    assert not page.all("span", class_="mlops-origin-stamped")


def test_a_logged_model_stands_between_the_version_and_its_candidate(work: Work) -> None:
    api = work.api()
    run_id = log(api, "owl")
    model_id = log_model(api, run_id, "net")
    register(api)
    make_version(api, source=f"models:/{model_id}")
    _, model, candidate, *_ = lineage(work)
    assert model == f"Logged model net {model_id}"
    assert candidate.startswith("Candidate owl candidate:1")
    api.call("DELETE", f"logged-models/{model_id}")
    assert "deleted" in lineage(work)[1]


def test_another_person_than_the_candidates_only_claims_that_it_made_a_model(
    forge: Forge, work: Work
) -> None:
    """Whoever may write could name the candidate that CI made as the source of any weights."""
    run_id = work.log(work.commit("main"), name="owl", ref="main")
    other = forge.api(work.project_id, forge.token(forge.member(work.project_id, "developer")))
    register(other)
    make_version(other, source=f"models:/{log_model(other, run_id)}")
    assert lineage(work)[2].startswith("Candidate Said by the client: owl")
    mine = log(work.api(), "cat")
    make_version(work.api(), source=f"models:/{log_model(work.api(), mine)}")
    assert lineage(work, version=2)[2].startswith("Candidate cat")
    make_version(work.api(), source=f"models:/{log_model(work.api())}", run_id=mine)
    assert lineage(work, version=3)[2].startswith("Candidate Said by the client: cat")


def test_a_job_that_registers_a_version_is_named(work: Work) -> None:
    run_id = log(work.api(), "owl")
    register(work.api())
    with work.forge.stored():
        by = db.session.get_one(User, work.user_id)
        project = db.session.get_one(Project, work.project_id)
        pipeline = pipelines.create_pipeline(project, by, ref="main", sha=work.commit("main"))
        job, secret = pipelines.start_job(pipeline, "register")
        job_id = job.id
    make_version(work.forge.api(work.project_id, secret), source=f"runs:/{run_id}/model")
    assert lineage(work)[0] == f"Version churn 1 registered by job {job_id}"
    page = work.browser().get("models/churn/versions/1")
    assert work.browser().get(page.link(f"job {job_id}")).status == 200


def test_a_forge_without_ci_and_code_shows_what_there_is(
    work: Work, monkeypatch: pytest.MonkeyPatch
) -> None:
    sha = work.commit("main")
    run_id = work.log(sha, name="owl", ref="main")
    register(work.api())
    make_version(work.api(), source=f"runs:/{run_id}/model")
    mention(work, work.project_id, "one")
    mount = work.forge.app.extensions["mlops"]
    host = replace(mount.host, ci=None, repository=None, references=None)
    monkeypatch.setitem(work.forge.app.extensions, "mlops", replace(mount, host=host))
    steps = lineage(work)
    assert [each.split()[0] for each in steps] == [
        *("Version", "Candidate", "Experiment", "Job", "Commit"),
    ]
    assert sha[:12] in steps[-1]


def test_a_version_may_have_no_candidate(work: Work) -> None:
    register(work.api())
    make_version(work.api(), source=f"models:/{log_model(work.api(), name='net')}")
    assert lineage(work)[-1] == "Candidate none is known"


def test_a_lineage_costs_the_same_however_much_there_is(work: Work) -> None:
    run_id = work.log(work.commit("main"), {"auc": 1.0}, ref="main")
    register(work.api())
    make_version(work.api(), source=f"runs:/{run_id}/model")
    mention(work, work.project_id, "one")
    browser = work.browser()

    def cost() -> int:
        browser.get("models/churn/versions/1")
        with counted_statements(work.forge.app) as statements:
            assert browser.get("models/churn/versions/1").status == 200
        return len(statements)

    before = cost()
    for number in range(5):
        mention(work, work.project_id, f"more {number}")
        make_version(work.api(), source=f"runs:/{run_id}/model")
    log(work.api(), metrics={f"m{number}": 1.0 for number in range(50)})
    assert cost() == before


def test_a_candidate_shows_what_it_logged_and_what_became_of_it(forge: Forge) -> None:
    api = forge.developer()
    run_id = log(api, "owl")
    model_id = log_model(api, run_id, "net")
    log_model(api, run_id, "half", ready=False)
    api.post("runs/outputs", run_id=run_id, models=[{"model_id": model_id, "step": "7"}])
    register(api)
    make_version(api, source=f"models:/{model_id}")
    make_version(api, source=f"runs:/{run_id}/best")
    make_version(api)
    set_alias(api, "champion", 2)
    page = browser_of(forge, api).get("candidates/1")
    logged, registered = (words(each.text) for each in page.all("ul", class_="mlops-list"))
    assert re.fullmatch(rf"half not uploaded yet m-\w{{32}} ?net at step 7 {model_id}", logged)
    assert re.fullmatch("churn, version 2 @champion ?churn, version 1", registered)
    assert page.link("churn, version 2").endswith("/models/churn/versions/2")


def test_names_of_models_and_aliases_are_only_text(forge: Forge) -> None:
    api = forge.developer()
    evil = "<img src=x onerror=alert(1)>{{ 7*7 }}"
    name = "<b>{{ 7*7 }}<!-- "
    run_id = log(api, evil)
    upload(api, run_id, "model/MLmodel")
    register(api, name)
    make_version(api, name, source=f"runs:/{run_id}/model")
    browser = browser_of(forge, api)
    page = browser.get("candidates/1")
    assert f"{name}, version 1" in page.html.replace("&lt;", "<").replace("&gt;", ">").replace(
        "</bdi>", ""
    )
    followed = browser.get(page.link(words(f"{name}, version 1")))
    assert evil in " ".join(chain(followed)).replace("&lt;", "<").replace("&gt;", ">")
    for each in (page, followed):
        assert not each.all("img")


def browser_of(forge: Forge, api: Api) -> Browser:
    return Browser.open(forge, api.project_id, forge.member(api.project_id, "reporter"))
