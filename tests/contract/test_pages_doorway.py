"""The link that MLflow's client prints at the end of a run leads to the candidate's page."""

from __future__ import annotations

import pytest

from tests.browsing import Browser, log
from tests.factories import Api, Forge

HTML = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}


@pytest.fixture
def api(forge: Forge) -> Api:
    return forge.developer()


def by_path(forge: Forge, project_id: int) -> str:
    path = forge.path(project_id).replace("/", "%2F")
    return f"/api/v4/projects/{path}/ml/mlflow/"


@pytest.mark.parametrize("end", ["", "/", "//"])
def test_the_tracking_uri_leads_a_browser_to_the_experiments(
    forge: Forge, api: Api, end: str
) -> None:
    browser = Browser.open(forge, api.project_id, forge.member(api.project_id, "reporter"))
    for address in (api.base + end, by_path(forge, api.project_id)):
        response = browser.raw(address, headers=HTML)
        assert (response.status_code, response.location) == (303, f"{browser.base}/experiments")


def test_a_client_at_the_same_address_gets_mlflows_error(forge: Forge, api: Api) -> None:
    browser = Browser.open(forge, api.project_id, forge.member(api.project_id, "reporter"))
    for headers in ({"Accept": "*/*"}, {"Accept": "application/json"}, {}):
        response = browser.raw(f"{api.base}/", headers=headers)
        assert response.get_json()["error_code"] == "ENDPOINT_NOT_FOUND"


def test_a_hidden_project_leads_where_a_missing_one_leads(forge: Forge, api: Api) -> None:
    missing = "/api/v4/projects/999999/ml/mlflow/"
    outsider = Browser.open(forge, api.project_id, forge.user())
    anonymous = Browser.open(forge, api.project_id)
    for address in (f"{api.base}/", missing, by_path(forge, api.project_id)):
        assert outsider.raw(address, headers=HTML).status_code == 404
        response = anonymous.raw(address, headers=HTML)
        assert response.status_code == 303
        assert "sign_in" in response.location


def test_a_run_id_leads_to_the_candidate(forge: Forge, api: Api) -> None:
    run_id = log(api)
    browser = Browser.open(forge, api.project_id, forge.member(api.project_id, "reporter"))
    assert browser.raw(f"runs/{run_id}").location == f"{browser.base}/candidates/1"
    assert browser.raw(f"runs/{'f' * 32}").status_code == 404


def test_another_projects_run_id_leads_nowhere(forge: Forge, api: Api) -> None:
    theirs = log(forge.developer("public"))
    browser = Browser.open(forge, api.project_id, forge.member(api.project_id, "reporter"))
    assert browser.raw(f"runs/{theirs}").status_code == 404


def test_an_unused_default_is_not_in_the_list(forge: Forge, api: Api) -> None:
    api.post("experiments/search", max_results=5)
    browser = Browser.open(forge, api.project_id, forge.member(api.project_id, "reporter"))
    assert not browser.get("experiments").has_link("Default")
    log(api)
    assert browser.get("experiments").has_link("Default")
