"""Changing a candidate or an experiment on its page, while others do so too, and deleting."""

from __future__ import annotations

from typing import Any

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from gitlab_mlops.storage import Storage
from tests.browsing import Browser, Page, log, words
from tests.factories import Api, Forge


@pytest.fixture
def api(forge: Forge) -> Api:
    return forge.developer("public")


@pytest.fixture
def developer(forge: Forge, api: Api) -> Browser:
    return Browser.open(forge, api.project_id, forge.member(api.project_id, "developer"))


@pytest.fixture
def maintainer(forge: Forge, api: Api) -> Browser:
    return Browser.open(forge, api.project_id, forge.member(api.project_id, "maintainer"))


class Form:
    """The form of a page with what it has been filled in with, as a browser sends it."""

    def __init__(self, browser: Browser, path: str) -> None:
        self.browser, self.path = browser, path
        self.read(browser.get(path))

    def read(self, page: Page) -> None:
        """Take the fields of a page."""
        self.page = page
        self.values: dict[str, list[str]] = {}
        for each in page.elements:
            name = each.attributes.get("name", "")
            is_ticked = each.attributes.get("type") not in ("checkbox", "radio")
            if each.name == "input" and (is_ticked or "checked" in each.attributes):
                value = each.attributes.get("value", "")
                if each["type"] == "text":
                    value = value.replace("\r", "").replace("\n", "")
                self.values.setdefault(name, []).append(value)
            elif each.name == "textarea":
                text = each.text.replace("\r\n", "\n").replace("\r", "\n")
                # A line end right after the tag is not part of the text.
                self.values.setdefault(name, []).append(text.removeprefix("\n"))

    def field_of(self, label: str) -> str:
        """The name of the field of a tag."""
        (found,) = (each for each in self.page.all("label") if words(each.text) == label)
        return self.page.one("textarea", id=found["for"])["name"]

    def send(self, **changes: str | list[str]) -> TestResponse:
        """Send it with changes; line ends become what browsers make of them."""
        lists = {key: [each] if isinstance(each, str) else each for key, each in changes.items()}
        values = self.values | {key.replace("_", "-"): each for key, each in lists.items()}
        data = {key: [each.replace("\n", "\r\n") for each in many] for key, many in values.items()}
        return self.browser.client.post(f"{self.browser.base}/{self.path}", data=data)

    def refused(self, **changes: str | list[str]) -> Page:
        """Send what cannot be stored, and take the fields of the answer."""
        page = Page(self.send(**changes))
        assert page.status in (400, 409)
        self.read(page)
        return page


def tags_of(api: Api, run_id: str) -> dict[str, str]:
    data = api.get("runs/get", run_id=run_id)["run"]["data"]
    return {tag["key"]: tag["value"] for tag in data.get("tags", [])}


def own_tags(api: Api, run_id: str) -> dict[str, str]:
    """The tags but for the name."""
    return {key: value for key, value in tags_of(api, run_id).items() if key != "mlflow.runName"}


def set_tag(api: Api, run_id: str, key: str, value: str) -> None:
    api.post("runs/set-tag", run_id=run_id, key=key, value=value)


# A candidate


def test_a_name_and_a_note_are_changed(api: Api, developer: Browser) -> None:
    run_id = log(api, "old")
    assert developer.get("candidates/1").link("Edit") == f"{developer.base}/candidates/1/edit"
    form = Form(developer, "candidates/1/edit")
    answer = form.send(name="new", note="\n# A note\nof two lines")
    assert (answer.status_code, answer.location) == (303, f"{developer.base}/candidates/1")
    run = api.get("runs/get", run_id=run_id)["run"]
    assert run["info"]["run_name"] == "new"
    assert tags_of(api, run_id) == {
        "mlflow.note.content": "\n# A note\nof two lines",
        "mlflow.runName": "new",
    }
    page = developer.get("candidates/1")
    assert words(page.one("h1").text) == "new"
    assert "A note" in [words(each.text) for each in page.all("h3")]


def test_a_note_that_is_emptied_is_gone(api: Api, developer: Browser) -> None:
    run_id = log(api, tags={"mlflow.note.content": "a"})
    assert Form(developer, "candidates/1/edit").send(note="  \n").status_code == 303
    assert own_tags(api, run_id) == {}


def test_tags_are_added_changed_and_removed(api: Api, developer: Browser) -> None:
    run_id = log(api, tags={"a": "1", "b": "2", "c": "3", "mlflow.source.name": "train.py"})
    form = Form(developer, "candidates/1/edit")
    changed, removed = form.field_of("a"), form.field_of("b")
    answer = form.send(
        **{changed: "one\ntwo", f"remove-{removed}": "1", "new-key": " d e ", "new-value": "4"}
    )
    assert answer.status_code == 303
    expected = {"a": "one\ntwo", "c": "3", "d e": "4", "mlflow.source.name": "train.py"}
    assert own_tags(api, run_id) == expected


def test_sending_the_form_as_it_is_changes_nothing(api: Api, developer: Browser) -> None:
    odd = {"a": "\n\r\n x \r y ", "mlflow.note.content": "\r\nz\n", "long": "y" * 8000}
    run_id = api.create_run(
        tags=[{"key": key, "value": value} for key, value in {**odd, "b\nc": "d"}.items()],
        run_name="a\r\nname",
    )
    before = tags_of(api, run_id)
    assert Form(developer, "candidates/1/edit").send().status_code == 303
    assert tags_of(api, run_id) == before
    assert api.get("runs/get", run_id=run_id)["run"]["info"]["run_name"] == "a\r\nname"


def test_another_row_costs_nothing_that_was_typed(api: Api, developer: Browser) -> None:
    run_id = log(api, "old")
    form = Form(developer, "candidates/1/edit")
    page = Page(form.send(name="new", new_key="a", new_value="1", more="1"))
    assert page.status == 200
    form.read(page)
    assert form.values["name"] == ["new"]
    assert form.values["new-key"] == ["a", ""]
    assert own_tags(api, run_id) == {}
    assert form.send(new_key=["a", "b"], new_value=["1", "2"]).status_code == 303
    assert own_tags(api, run_id) == {"a": "1", "b": "2"}


@pytest.mark.parametrize(
    ("typed", "problem"),
    [
        ({"name": "  "}, "A candidate needs a name."),
        ({"name": "x" * 501}, "this one has 501"),
        ({"note": "x" * 8001}, "these are 8,001"),
        ({"new_key": "a"}, "There is a tag “a” already"),
        ({"new_value": "x"}, "This tag needs a name."),
        ({"new_key": "mlflow.runName"}, "are for MLflow's clients"),
        ({"new_key": "a/../b"}, "letters, digits"),
        ({"new_key": "<b>"}, "letters, digits"),
        ({"new_key": "x" * 251}, "this one has 251"),
        ({"new_key": "b", "new_value": "x" * 8001}, "these are 8,001"),
        ({"new_key": ["b", "b"], "new_value": ["1", "2"]}, "There is a tag “b” already"),
    ],
)
def test_what_cannot_be_stored_is_said_and_kept(
    api: Api, developer: Browser, typed: dict[str, Any], problem: str
) -> None:
    run_id = log(api, "old", tags={"a": "1"})
    form = Form(developer, "candidates/1/edit")
    page = form.refused(**{"note": "a note", **typed})
    assert page.status == 400
    assert problem in page.text
    assert "Nothing was stored yet." in page.one("div", role="alert").text
    assert form.values["note"] == [typed.get("note", "a note")]
    for name, value in typed.items():
        wanted = value if isinstance(value, list) else [value]
        assert form.values[name.replace("_", "-")][: len(wanted)] == wanted
    assert own_tags(api, run_id) == {"a": "1"}
    invalid = [each for each in page.elements if "aria-invalid" in each.attributes]
    ids = {each.attributes.get("id") for each in page.elements}
    assert invalid
    assert all(set(each["aria-describedby"].split()) <= ids for each in invalid)


@pytest.mark.parametrize("data", [{}, {"name": "x"}, {"name": "a\0b", "seen-name": "x"}])
def test_a_form_that_is_not_whole_is_refused(
    api: Api, developer: Browser, data: dict[str, str]
) -> None:
    log(api, "old")
    url = f"{developer.base}/candidates/1/edit"
    data = {"csrf_token": "token-of-the-session", **data}
    assert developer.client.post(url, data=data).status_code == 400
    assert words(developer.get("candidates/1").one("h1").text) == "old"


def test_a_note_that_somebody_else_changed_is_not_overwritten_unseen(
    api: Api, developer: Browser
) -> None:
    run_id = log(api, tags={"mlflow.note.content": "first"})
    form = Form(developer, "candidates/1/edit")
    set_tag(api, run_id, "mlflow.note.content", "theirs <b>")
    page = form.refused(note="mine")
    assert page.status == 409
    assert page.one("pre", aria_label="What it says now").text == "theirs <b>"
    assert form.values["note"] == ["mine"]
    assert own_tags(api, run_id) == {"mlflow.note.content": "theirs <b>"}
    assert form.send().status_code == 303
    assert own_tags(api, run_id) == {"mlflow.note.content": "mine"}


def test_what_nobody_typed_stays_as_somebody_else_made_it(api: Api, developer: Browser) -> None:
    run_id = log(api, tags={"mlflow.note.content": "first", "a": "1", "b": "2"})
    form = Form(developer, "candidates/1/edit")
    set_tag(api, run_id, "mlflow.note.content", "theirs")
    set_tag(api, run_id, "c", "new")
    api.post("runs/delete-tag", run_id=run_id, key="b")
    assert form.send(**{form.field_of("a"): "mine"}).status_code == 303
    expected = {"a": "mine", "c": "new", "mlflow.note.content": "theirs"}
    assert own_tags(api, run_id) == expected


def test_both_typing_the_same_is_no_conflict(api: Api, developer: Browser) -> None:
    run_id = log(api, tags={"a": "1"})
    form = Form(developer, "candidates/1/edit")
    set_tag(api, run_id, "a", "2")
    assert form.send(**{form.field_of("a"): "2"}).status_code == 303


def test_a_tag_that_somebody_else_changed_is_not_removed_unseen(
    api: Api, developer: Browser
) -> None:
    run_id = log(api, tags={"a": "1"})
    form = Form(developer, "candidates/1/edit")
    set_tag(api, run_id, "a", "2")
    assert form.refused(**{f"remove-{form.field_of('a')}": "1"}).status == 409
    assert own_tags(api, run_id) == {"a": "2"}
    assert form.send().status_code == 303, "the tick is still there"
    assert own_tags(api, run_id) == {}


def test_a_tag_that_somebody_else_removed_comes_back_only_if_wanted(
    api: Api, developer: Browser
) -> None:
    run_id = log(api, tags={"a": "1"})
    form = Form(developer, "candidates/1/edit")
    api.post("runs/delete-tag", run_id=run_id, key="a")
    page = form.refused(**{form.field_of("a"): "mine"})
    assert page.status == 409
    assert "Somebody else removed this tag meanwhile." in page.text
    assert form.send().status_code == 303
    assert own_tags(api, run_id) == {"a": "mine"}


def test_more_tags_than_a_form_can_have_are_left_alone(api: Api, developer: Browser) -> None:
    tags = [{"key": f"t{n:03d}", "value": "x" * 1000} for n in range(40)]
    run_id = api.create_run(tags=tags)
    form = Form(developer, "candidates/1/edit")
    assert len(form.values["tag-id"]) == 20
    assert "20 tags more have no room here" in form.page.text
    assert form.refused(new_key="t030").status == 400
    assert form.send(new_key="u").status_code == 303
    assert len(own_tags(api, run_id)) == 41


def test_what_is_in_the_trash_is_not_edited(api: Api, developer: Browser) -> None:
    run_id = log(api)
    iid = api.post("experiments/create", name="old")["experiment_id"]
    forms = [Form(developer, path) for path in ("candidates/1/edit", f"experiments/{iid}/edit")]
    api.post("runs/delete", run_id=run_id)
    api.post("experiments/delete", experiment_id=iid)
    for form in forms:
        for page in (developer.get(form.path), Page(form.send())):
            assert page.status == 400
            assert "is in the trash; restore it to change it" in page.text
        assert not developer.get(form.path.removesuffix("/edit")).has_link("Edit")


# An experiment

NAME = "mlflow.experiment.primaryMetric.name"
GREATER = "mlflow.experiment.primaryMetric.greaterIsBetter"


def experiment_of(api: Api, iid: str) -> tuple[str, dict[str, str]]:
    found = api.get("experiments/get", experiment_id=iid)["experiment"]
    return found["name"], {tag["key"]: tag["value"] for tag in found.get("tags", [])}


@pytest.fixture
def iid(api: Api) -> str:
    iid: str = api.post("experiments/create", name="old")["experiment_id"]
    log(api, experiment_id=iid, metrics={"auc": 1, "zeal": 2})
    return iid


def test_an_experiments_name_note_and_main_metric_are_changed(
    api: Api, developer: Browser, iid: str
) -> None:
    form = Form(developer, f"experiments/{iid}/edit")
    assert [each["value"] for each in form.page.all("option")] == ["auc", "zeal"]
    answer = form.send(name="new", note="why", metric="zeal", direction="False")
    assert (answer.status_code, answer.location) == (303, f"{developer.base}/experiments/{iid}")
    tags = {"mlflow.note.content": "why", NAME: "zeal", GREATER: "False"}
    assert experiment_of(api, iid) == ("new", tags)
    page = developer.get(f"experiments/{iid}")
    assert "main metric zeal, lower is better" in page.text
    assert Form(developer, f"experiments/{iid}/edit").send(metric="", note="").status_code == 303
    assert experiment_of(api, iid) == ("new", {})


@pytest.mark.parametrize(
    ("typed", "problem"),
    [
        ({"name": " "}, "An experiment needs a name."),
        ({"name": "x" * 501}, "this one has 501"),
        ({"name": "taken"}, "Another experiment of this project has this name."),
        ({"note": "x" * 20_001}, "these are 20,001"),
        ({"metric": "x" * 251, "direction": "True"}, "No metric has more than 250"),
        ({"metric": "zeal"}, "choose whether more of it is better"),
        ({"direction": "Sideways"}, "Choose one of the three."),
    ],
)
def test_what_an_experiment_cannot_be_is_said_and_kept(
    api: Api, developer: Browser, iid: str, typed: dict[str, Any], problem: str
) -> None:
    api.post("experiments/create", name="taken")
    form = Form(developer, f"experiments/{iid}/edit")
    page = form.refused(**{"note": "a note", **typed})
    assert page.status == 400
    assert problem in page.text
    assert form.values["note"] == [typed.get("note", "a note")]
    assert experiment_of(api, iid) == ("old", {})


def test_an_experiment_that_somebody_else_changed_is_not_overwritten_unseen(
    api: Api, developer: Browser, iid: str
) -> None:
    form = Form(developer, f"experiments/{iid}/edit")
    api.post("experiments/update", experiment_id=iid, new_name="theirs")
    api.post("experiments/set-experiment-tag", experiment_id=iid, key=NAME, value="auc")
    page = form.refused(name="mine", note="why")
    assert page.status == 409
    assert form.values["metric"] == ["auc"], "what nobody typed is what is stored"
    assert experiment_of(api, iid) == ("theirs", {NAME: "auc"})
    assert form.send().status_code == 303
    assert experiment_of(api, iid) == ("mine", {NAME: "auc", "mlflow.note.content": "why"})


def test_an_experiment_goes_into_the_trash_and_back(api: Api, developer: Browser, iid: str) -> None:
    page = developer.get(f"experiments/{iid}")
    form = page.one("form", action=f"{developer.base}/experiments/{iid}/trash")
    for _ in range(2):
        answer = developer.submit(form["action"])
        assert answer.location == f"{developer.base}/experiments/{iid}"
    assert "is in the trash since" in developer.get(f"experiments/{iid}").text
    trash = developer.get("experiments?view=deleted")
    assert trash.rows()[0][:2] == ["old", "1"]
    restore = trash.one("form", action=f"{developer.base}/experiments/{iid}/restore")
    for _ in range(2):
        assert developer.submit(restore["action"]).status_code == 303
    page = developer.get(f"experiments/{iid}")
    assert "is in the trash since" not in page.text
    assert page.has_link("Candidates 1")


# For ever


def upload(api: Api, run_id: str, iid: str, name: str, body: bytes) -> None:
    path = f"/api/2.0/mlflow-artifacts/artifacts/{iid}/{run_id}/artifacts/{name}"
    assert api.call("PUT", path, data=body).status_code == 200


def test_a_candidate_is_deleted_for_ever_with_its_files(
    app: Flask, api: Api, maintainer: Browser, iid: str
) -> None:
    storage: Storage = app.extensions["mlops"].storage
    run_id = log(api, experiment_id=iid)
    upload(api, run_id, iid, "a", b"x" * 2000)
    upload(api, run_id, iid, "b", b"x" * 48)
    folder = f"{api.project_id}/{iid}/{run_id}"
    assert maintainer.get("candidates/2/delete").status == 400, "not in the trash"
    assert maintainer.submit("candidates/2/delete").status_code == 400
    api.post("runs/delete", run_id=run_id)
    page = maintainer.get(maintainer.get("candidates/2").link("Delete for ever…"))
    assert "This frees 2.0 KiB in 2 files." in page.text
    answer = maintainer.submit(page.one("form", aria_labelledby="mlops-ask")["action"])
    query = "view=deleted&deleted=1&freed=2048"
    assert answer.location == f"{maintainer.base}/experiments/{iid}?{query}"
    assert (
        "1 candidate deleted for ever. That freed 2.0 KiB." in maintainer.get(answer.location).text
    )
    assert maintainer.get("candidates/2").status == 404
    assert not list(storage.walk(folder))


def test_the_last_candidate_is_deleted_with_a_notice_too(api: Api, maintainer: Browser) -> None:
    api.post("runs/delete", run_id=log(api))
    answer = maintainer.submit("candidates/1/delete")
    assert "1 candidate deleted for ever" in maintainer.get(answer.location).text


def test_an_experiment_is_deleted_for_ever_with_its_candidates(
    api: Api, maintainer: Browser, iid: str
) -> None:
    assert maintainer.get(f"experiments/{iid}/delete").status == 400, "not in the trash"
    run_id = api.post("runs/search", experiment_ids=[iid])["runs"][0]["info"]["run_id"]
    upload(api, run_id, iid, "a", b"x" * 10)
    maintainer.submit(f"experiments/{iid}/trash")
    trash = maintainer.get("experiments?view=deleted")
    page = maintainer.get(trash.link("Delete for ever… old"))
    assert "Its 1 candidate will be gone" in page.text
    assert "This frees 10 B in 1 file." in page.text
    answer = maintainer.submit(page.one("form", aria_labelledby="mlops-ask")["action"])
    assert answer.location == f"{maintainer.base}/experiments?view=deleted&deleted=1&freed=10"
    page = maintainer.get(answer.location)
    assert "1 experiment deleted for ever. That freed 10 B." in page.text
    assert maintainer.get(f"experiments/{iid}").status == 404
    assert api.post("experiments/create", name="old"), "the name is free again"


def test_only_maintainers_are_offered_to_delete_for_ever(
    api: Api, developer: Browser, iid: str
) -> None:
    run_id = log(api)
    api.post("runs/delete", run_id=run_id)
    developer.submit(f"experiments/{iid}/trash")
    for path in ("candidates/2", f"experiments/{iid}", "experiments?view=deleted"):
        page = developer.get(path)
        assert "Delete for ever" not in page.text
        assert "Restore" in page.text


@pytest.mark.parametrize(
    "query", ["deleted=x&freed=1", "deleted=1", "freed=1", "deleted=1&freed=-1"]
)
def test_a_made_up_notice_says_nothing(api: Api, developer: Browser, query: str) -> None:
    log(api)
    for path in ("experiments", "experiments/0"):
        page = developer.get(f"{path}?view=deleted&{query}")
        assert page.status == 200
        assert "for ever" not in page.text
