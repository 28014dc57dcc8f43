"""Registered models and their versions: make, find, change, move, delete."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import select

from gitlab_mlops.models import ModelVersion
from host_stub.database import db
from tests.contract.registry import (
    INVALID,
    MISSING,
    TAKEN,
    make_version,
    model,
    names,
    numbers,
    register,
    set_alias,
    version,
)
from tests.factories import Api, Forge


@pytest.fixture
def api(forge: Forge) -> Api:
    """A developer's API, with the registered model `churn`."""
    api = forge.developer()
    register(api)
    return api


def delete(api: Api, path: str, **body: Any) -> int:
    """Status of a DELETE with a body."""
    return api.call("DELETE", path, json=body).status_code


def test_a_name_is_taken_once_in_a_project(forge: Forge, api: Api) -> None:
    assert api.refused("POST", "registered-models/create", json={"name": "churn"}) == TAKEN
    assert register(forge.developer()) == "churn"


@pytest.mark.parametrize("name", ["", "  ", "a/b", "a:b", ".", "..", "x" * 257])
def test_a_name_that_no_uri_can_have_is_refused(api: Api, name: str) -> None:
    assert api.refused("POST", "registered-models/create", json={"name": name}) == INVALID
    body = {"name": "churn", "new_name": name}
    assert api.refused("POST", "registered-models/rename", json=body) == INVALID


def test_the_number_of_a_deleted_version_does_not_come_back(api: Api) -> None:
    assert [make_version(api)["version"] for _ in range(2)] == ["1", "2"]
    assert delete(api, "model-versions/delete", name="churn", version="2") == 200
    assert make_version(api)["version"] == "3"
    assert delete(api, "model-versions/delete", name="churn", version="2") == 404


def test_a_version_is_answered_as_it_was_made(api: Api) -> None:
    run_id = api.create_run()
    tags = [{"key": "a", "value": "old"}, {"key": "a", "value": "new"}]
    said = {"description": "the first", "run_link": "https://example.com/run", "run_id": run_id}
    made = make_version(api, source=f"runs:/{run_id}/model", tags=tags, **said)
    assert made == version(api, 1)
    assert {key: made[key] for key in said} == said
    assert made["tags"] == [{"key": "a", "value": "new"}]
    assert (made["current_stage"], made["status"]) == ("None", "READY")


def test_renaming_takes_versions_tags_and_aliases_along(api: Api) -> None:
    make_version(api)
    set_alias(api, "champion", 1)
    api.post("registered-models/set-tag", name="churn", key="team", value="sales")
    register(api, "taken")
    body = {"name": "churn", "new_name": "taken"}
    assert api.refused("POST", "registered-models/rename", json=body) == TAKEN
    api.post("registered-models/rename", name="churn", new_name="loyalty")
    renamed = model(api, "loyalty")
    assert renamed["aliases"] == [{"alias": "champion", "version": "1"}]
    assert renamed["tags"] == [{"key": "team", "value": "sales"}]
    assert renamed["latest_versions"][0]["name"] == "loyalty"
    assert api.refused("GET", "registered-models/get?name=churn") == MISSING
    assert register(api) == "churn"


def test_deleting_a_model_deletes_its_versions(api: Api) -> None:
    make_version(api)
    set_alias(api, "champion", 1)
    assert delete(api, "registered-models/delete", name="churn") == 200
    assert numbers(api) == []
    assert delete(api, "registered-models/delete", name="churn") == 404
    register(api)
    assert make_version(api)["version"] == "1"


def test_an_update_without_a_description_removes_it(api: Api) -> None:
    make_version(api, description="the first")
    for path, more in (("registered-models", {}), ("model-versions", {"version": "1"})):
        body = {"name": "churn", **more}
        api.call("PATCH", f"{path}/update", json={**body, "description": "# Card"})
        assert api.call("PATCH", f"{path}/update", json=body).status_code == 200
    assert "description" not in model(api)
    assert "description" not in version(api, 1)


def test_the_newest_version_of_each_stage_is_found(api: Api) -> None:
    for _ in range(4):
        make_version(api)
    move = {"name": "churn", "version": "1", "stage": "PRODUCTION"}
    assert api.post("model-versions/transition-stage", **move)["model_version"]["version"] == "1"
    move = {"name": "churn", "version": "2", "stage": "Production"}
    api.post("model-versions/transition-stage", **move, archive_existing_versions=True)
    found = api.post("registered-models/get-latest-versions", name="churn")["model_versions"]
    stages = [(each["current_stage"], each["version"]) for each in found]
    assert stages == [("Archived", "1"), ("Production", "2"), ("None", "4")]
    path = "registered-models/get-latest-versions?name=churn&stages=none&stages=Production"
    found = api.call("GET", path).get_json()["model_versions"]
    assert [each["version"] for each in found] == ["2", "4"]
    assert [each["version"] for each in model(api)["latest_versions"]] == ["1", "2", "4"]


@pytest.mark.parametrize(("stage", "archive"), [("Ready", False), ("Archived", True)])
def test_a_stage_that_there_is_not_is_refused(api: Api, stage: str, archive: bool) -> None:
    make_version(api)
    body = {"name": "churn", "version": "1", "stage": stage, "archive_existing_versions": archive}
    assert api.refused("POST", "model-versions/transition-stage", json=body) == INVALID


def test_tags_of_versions_and_models_are_set_and_removed(api: Api) -> None:
    make_version(api)
    for path, more in (("registered-models", {}), ("model-versions", {"version": "1"})):
        body = {"name": "churn", **more, "key": "team"}
        for value in ("old", "n" * 100_000):
            api.post(f"{path}/set-tag", **body, value=value)
        too_long = {**body, "value": "n" * 100_001}
        assert api.refused("POST", f"{path}/set-tag", json=too_long) == INVALID
    assert model(api)["tags"] == version(api, 1)["tags"] != []
    for _ in range(2):  # what is not there is removed without complaint
        assert delete(api, "registered-models/delete-tag", name="churn", key="team") == 200
        gone = {"name": "churn", "version": "1", "key": "team"}
        assert delete(api, "model-versions/delete-tag", **gone) == 200
    assert "tags" not in model(api) | version(api, 1)


def test_models_are_found_by_name_and_tag(api: Api) -> None:
    register(api, "Loyalty", tags=[{"key": "team", "value": "Sales"}])
    assert sorted(names(api)) == ["Loyalty", "churn"]  # each database has an order of its own
    assert names(api, filter="name ILIKE 'LOY%'") == ["Loyalty"]
    assert names(api, filter="name LIKE 'loy%'") == []
    assert names(api, filter="name IN ('churn', 'x')") == ["churn"]
    assert names(api, filter="tags.team = 'Sales'") == ["Loyalty"]
    assert names(api, filter="tags.team != 'x'") == ["Loyalty"]
    assert len(names(api, filter="name = 'churn' OR tags.team ILIKE 's%'")) == 2
    assert api.refused("GET", "registered-models/search?filter=size = 1") == INVALID


def test_versions_are_found_by_model_run_number_and_tag(api: Api) -> None:
    register(api, "loyalty")
    first, _ = make_version(api), make_version(api, tags=[{"key": "checked", "value": "yes"}])
    make_version(api, "loyalty")
    run = first["run_id"]
    assert numbers(api, filter="name = 'churn'") == ["churn/2", "churn/1"]
    assert numbers(api, filter=f"run_id = '{run}'") == ["churn/1"]
    assert numbers(api, filter=f"run_id IN ('{run}')") == ["churn/1"]
    assert numbers(api, filter=f"source_path = 'runs:/{run}/model'") == ["churn/1"]
    assert numbers(api, filter="tags.checked = 'yes'") == ["churn/2"]
    assert numbers(api, filter="version_number > 1") == ["churn/2"]
    assert numbers(api, filter="version_number = '2'") == ["churn/2"]
    assert numbers(api, filter=f"version_number < {'9' * 30}", max_results=200_000)
    assert numbers(api, filter=f"version_number > '{'9' * 30}'") == []


def test_pages_go_on_where_the_last_one_ended(api: Api) -> None:
    for name in "abc":
        register(api, name)
        make_version(api, name)
    for path, key, wanted in (
        ("registered-models/search", "registered_models", ["churn", "c", "b", "a"]),
        ("model-versions/search", "model_versions", ["c", "b", "a"]),
    ):
        found, token = [], ""
        while token is not None:
            page = api.get(path, max_results=1, order_by="name DESC", page_token=token)
            found += [each["name"] for each in page.get(key, [])]
            token = page.get("next_page_token")
        assert found == wanted
        assert api.refused("GET", f"{path}?page_token=x") == INVALID
        assert api.refused("GET", f"{path}?max_results=200001") == INVALID


def test_prompts_and_models_are_searched_apart(api: Api) -> None:
    tag = {"key": "mlflow.prompt.is_prompt", "value": "true"}
    register(api, "greet", tags=[tag])
    make_version(api, "greet", "dummy-source", tags=[tag])
    make_version(api)
    key = "tags.`mlflow.prompt.is_prompt`"
    for filter_ in ("", f"{key} != 'true'", f"{key} = 'false'"):
        assert names(api, filter=filter_) == ["churn"]
        assert numbers(api, filter=filter_) == ["churn/1"]
    for filter_ in (f"{key} = 'true'", f"name LIKE '%' AND {key} = 'true'"):
        assert names(api, filter=filter_) == ["greet"]
        assert numbers(api, filter=filter_) == ["greet/1"]


def test_other_projects_models_are_not_there(forge: Forge, api: Api) -> None:
    make_version(api)
    set_alias(api, "champion", 1)
    other = forge.developer()
    assert names(other) == numbers(other) == []
    for path in (
        "registered-models/get?name=churn",
        "registered-models/alias?name=churn&alias=champion",
        "model-versions/get?name=churn&version=1",
        "model-versions/get-download-uri?name=churn&version=1",
    ):
        assert other.refused("GET", path) == MISSING
    for method, path in (("DELETE", "model-versions/delete"), ("PATCH", "model-versions/update")):
        assert other.refused(method, path, json={"name": "churn", "version": "1"}) == MISSING
    assert other.refused("DELETE", "registered-models/delete", json={"name": "churn"}) == MISSING


def test_the_job_that_made_a_version_is_remembered(forge: Forge, api: Api) -> None:
    token = forge.job_token(api.project_id, forge.member(api.project_id, "developer"))
    make_version(forge.api(api.project_id, token))
    make_version(api)
    statement = (
        select(ModelVersion.job_id)
        .where(ModelVersion.project_id == api.project_id)
        .order_by(ModelVersion.version)
    )
    with api.app.app_context():
        by_job, by_hand = db.session.scalars(statement).all()
    assert by_job
    assert by_hand is None
