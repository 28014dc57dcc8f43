"""Experiments: create, find, rename, tag, delete, restore."""

from __future__ import annotations

import pytest

from tests.factories import Api, Forge

INVALID = (400, "INVALID_PARAMETER_VALUE")
MISSING = (404, "RESOURCE_DOES_NOT_EXIST")
TAKEN = (400, "RESOURCE_ALREADY_EXISTS")


@pytest.fixture
def api(forge: Forge) -> Api:
    return forge.developer()


def create(api: Api, name: str = "first") -> str:
    experiment_id: str = api.post("experiments/create", name=name)["experiment_id"]
    return experiment_id


def test_the_default_experiment_is_there_without_being_created(api: Api) -> None:
    found = api.get("experiments/get", experiment_id="0")["experiment"]
    assert (found["name"], found["lifecycle_stage"]) == ("Default", "active")
    assert api.get("experiments/get-by-name", experiment_name="Default")["experiment"] == found
    assert api.post("experiments/search", max_results=5)["experiments"] == [found]


def test_a_run_can_start_in_a_project_that_nobody_has_used(api: Api) -> None:
    run_id = api.create_run()
    assert api.get("runs/get", run_id=run_id)["run"]["info"]["experiment_id"] == "0"


def test_experiments_are_numbered_per_project_without_gaps(forge: Forge, api: Api) -> None:
    other = forge.developer()
    assert [create(api, "a"), create(other, "a"), create(api, "b")] == ["1", "1", "2"]
    assert api.refused("POST", "experiments/create", json={"name": "b"}) == TAKEN
    assert create(api, "c") == "3"


def test_the_server_chooses_where_artifacts_go(api: Api) -> None:
    body = {"name": "far away", "artifact_location": "file:///etc"}
    created = api.post("experiments/create", **body)["experiment_id"]
    found = api.get("experiments/get", experiment_id=created)["experiment"]
    assert found["artifact_location"] == "mlflow-artifacts:/1"


@pytest.mark.parametrize("name", ["first", "Default"])
def test_a_name_is_taken_even_from_the_trash(api: Api, name: str) -> None:
    experiment_id = create(api) if name == "first" else "0"
    api.get("experiments/get", experiment_id=experiment_id)
    api.post("experiments/delete", experiment_id=experiment_id)
    assert api.refused("POST", "experiments/create", json={"name": name}) == TAKEN
    found = api.get("experiments/get-by-name", experiment_name=name)["experiment"]
    assert found["lifecycle_stage"] == "deleted"


def test_deleting_takes_the_runs_along_and_restoring_brings_them_back(api: Api) -> None:
    experiment_id = create(api)
    run_id = api.create_run(experiment_id)
    api.post("experiments/delete", experiment_id=experiment_id)
    assert api.get("runs/get", run_id=run_id)["run"]["info"]["lifecycle_stage"] == "deleted"
    assert api.refused("POST", "runs/create", json={"experiment_id": experiment_id}) == INVALID
    api.post("experiments/restore", experiment_id=experiment_id)
    assert api.get("runs/get", run_id=run_id)["run"]["info"]["lifecycle_stage"] == "active"


def test_renaming_keeps_names_unique(api: Api) -> None:
    first, second = create(api, "a"), create(api, "b")
    api.post("experiments/update", experiment_id=first, new_name="c")
    body = {"experiment_id": second, "new_name": "c"}
    assert api.refused("POST", "experiments/update", json=body)[0] == 400
    api.post("experiments/delete", experiment_id=first)
    body = {"experiment_id": first, "new_name": "d"}
    assert api.refused("POST", "experiments/update", json=body) == INVALID


def test_no_other_experiment_takes_the_name_of_the_default_one(api: Api) -> None:
    body = {"experiment_id": create(api, "a"), "new_name": "Default"}
    assert api.refused("POST", "experiments/update", json=body) == TAKEN
    assert api.get("experiments/get", experiment_id="0")["experiment"]["name"] == "Default"


def test_tags_are_set_overwritten_and_deleted(api: Api) -> None:
    experiment_id = create(api)
    for value in ("1", "2"):
        api.post(
            "experiments/set-experiment-tag", experiment_id=experiment_id, key="k", value=value
        )
    found = api.get("experiments/get", experiment_id=experiment_id)["experiment"]
    assert found["tags"] == [{"key": "k", "value": "2"}]
    gone = {"experiment_id": experiment_id, "key": "k"}
    api.post("experiments/delete-experiment-tag", **gone)
    assert api.refused("POST", "experiments/delete-experiment-tag", json=gone) == MISSING


def test_pages_of_a_search_show_each_experiment_once(api: Api) -> None:
    for number in range(7):
        create(api, f"e{number}")
    seen, token = [], ""
    while True:
        page = api.get("experiments/search", max_results=3, page_token=token, filter="name != 'x'")
        seen += [found["name"] for found in page["experiments"]]
        if not (token := page.get("next_page_token", "")):
            break
    assert sorted(seen) == ["Default", *(f"e{number}" for number in range(7))]
