"""Who may open which page: every declared page and form, by role and visibility.

Hidden is like missing: the forge's own 404, or its sign-in page for who is not signed in.
"""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from sqlalchemy import func, select

from gitlab_mlops.access import MaintainAccess, ReadAccess
from gitlab_mlops.blueprints.web.page import ROUTES, Route
from gitlab_mlops.models import WebhookDelivery
from host_stub.database import db
from tests.browsing import Browser, Page, log, without_nonces
from tests.factories import Api, Forge

VISIBILITIES = ("private", "internal", "public")
VALUES = {
    "experiment_iid": "0",
    "candidate_iid": "1",
    "artifact_path": "a/b.txt",
    "run_id": "the last run that `filled` made",
    "merge_request_id": "1",
    "model_id": "the logged model that `filled` made",
    "model_name": "odd%20n%C3%A4me%20&%20%231",
    "version": "1",
    "webhook_id": "the webhook that `filled` made",
    "line_id": "the message that it sent",
}
MAY_WRITE = ("developer", "maintainer", "owner")
# What those who may are told of a form that is empty, and of what is not in the trash.
NOT_LIKE_THIS = {
    "edit": {"POST": 400},
    "new": {"POST": 400},
    "promote": {"POST": 400},
    "delete": {"GET": 400, "POST": 400},
    # The tag or alias without a name, and the stage that is none.
    **{
        action: {"POST": 400}
        for action in ("alias", "remove-alias", "protect", "tag", "remove-tag", "stage")
    },
}
MODEL = "odd näme & #1"
READER, WRITER = (200, 403), (200, 303)
SIGN_IN = (303, 303)
HIDDEN = (404, 404)

# What (reading, changing) answers by visibility.
ROLES: dict[str, dict[str, tuple[int, int]]] = {
    "anonymous": {"private": SIGN_IN, "internal": SIGN_IN, "public": (200, 303)},
    "outsider": {"private": HIDDEN, "internal": READER, "public": READER},
    "guest": {"private": HIDDEN, "internal": READER, "public": READER},
    "reporter": dict.fromkeys(VISIBILITIES, READER),
    "developer": dict.fromkeys(VISIBILITIES, WRITER),
    "maintainer": dict.fromkeys(VISIBILITIES, WRITER),
    "owner": dict.fromkeys(VISIBILITIES, WRITER),
}


def address(route: Route) -> str:
    """The rule with values; an unknown variable fails here, so that no new page is forgotten."""
    return re.sub(r"<(?:[^<>]*:)?(\w+)>", lambda found: VALUES[found[1]], route.rule).lstrip("/")


def send(browser: Browser, route: Route, method: str = "GET") -> Any:
    path = address(route)
    if route.method == "POST":
        return browser.submit(path)
    response = browser.raw(path, method=method)
    there = response.headers.get("Location", "")
    # A way to another page of the plugin is as good as the page it leads to.
    return browser.raw(there, method=method) if there.startswith(browser.base) else response


def filled(forge: Forge, visibility: str) -> Api:
    """A project with a candidate that has an artifact, its model, and a merge request."""
    api = forge.developer(visibility)
    forge.merge_request(api.project_id)
    VALUES["run_id"] = run_id = log(api)
    path = f"/api/2.0/mlflow-artifacts/artifacts/0/{run_id}/artifacts/a/b.txt"
    # The beginning of a GIF, which is a picture to look at as well as a file.
    assert api.call("PUT", path, data=b"GIF89a").status_code == 200
    api.post("registered-models/create", name=MODEL)
    source = f"mlflow-artifacts:/0/{run_id}/artifacts"
    api.post("model-versions/create", name=MODEL, source=source)
    VALUES["model_id"] = add_logged_model(api, run_id)
    VALUES["webhook_id"], VALUES["line_id"] = add_webhook(forge, api.project_id)
    return api


def add_logged_model(api: Api, run_id: str) -> str:
    """A logged model with the same file."""
    made = api.post("logged-models", experiment_id="0", name="net", source_run_id=run_id)
    model_id: str = made["model"]["info"]["model_id"]
    path = f"/api/2.0/mlflow-artifacts/artifacts/models/{model_id}/artifacts/a/b.txt"
    assert api.call("PUT", path, data=b"GIF89a").status_code == 200
    return model_id


def add_webhook(forge: Forge, project_id: int) -> tuple[str, str]:
    """A webhook that reaches nobody, and a message to it."""
    api = forge.api(project_id, forge.token(forge.member(project_id, "maintainer")))
    events = [{"entity": "RUN", "action": "CREATED"}]
    hook = api.post("webhooks", name="ci", url="http://localhost:9/", events=events)["webhook"]
    assert api.post(f"webhooks/{hook['webhook_id']}/test")["result"]["success"] is False
    with forge.stored():
        line = db.session.scalar(select(func.max(WebhookDelivery.id)))
    return hook["webhook_id"], str(line)


def browser_of(forge: Forge, project_id: int, role: str) -> Browser:
    if role == "anonymous":
        return Browser.open(forge, project_id)
    user = forge.user() if role == "outsider" else forge.member(project_id, role)
    return Browser.open(forge, project_id, user)


def deletes_model(route: Route) -> int:
    """Whether a form deletes a version (1) or a model (2) at once: they have no trash."""
    at_once = {"/versions/<int(max=2147483647):version>/delete": 1, "/<model_name>/delete": 2}
    found = (number for end, number in at_once.items() if route.rule.endswith(end))
    return next(found, 0) if route.method == "POST" else 0


def in_order() -> list[Route]:
    """All routes; what is deleted at once is there for the others before."""
    return sorted(ROUTES, key=deletes_model)


def unlike_others(route: Route) -> dict[str, int]:
    """What those who may are told by method, if it is not the usual."""
    last = route.rule.rpartition("/")[2]
    is_at_once = last == "delete" and route.rule.startswith("/models/")
    return {} if is_at_once else NOT_LIKE_THIS.get(last, {})


def expected_of(route: Route, role: str, visibility: str) -> int:
    """What a route answers. A form is as much as what it does, though only a page asks for it."""
    read, change = ROLES[role][visibility]
    if route.access is ReadAccess:
        return read
    if route.access is MaintainAccess and role == "developer":
        return 403
    if role in MAY_WRITE and (answer := unlike_others(route)):
        return answer.get(route.method, 200)
    return 200 if route.method == "GET" and role in MAY_WRITE else change


def test_there_are_pages_and_forms() -> None:
    assert {route.method for route in ROUTES} == {"GET", "POST"}
    assert all(route.access is not ReadAccess for route in ROUTES if route.method == "POST")


@pytest.mark.parametrize("visibility", VISIBILITIES)
@pytest.mark.parametrize("role", ROLES)
def test_every_page_answers_by_role_and_visibility(
    forge: Forge, role: str, visibility: str
) -> None:
    api = filled(forge, visibility)
    browser = browser_of(forge, api.project_id, role)
    for route in in_order():
        expected = expected_of(route, role, visibility)
        answer = send(browser, route)
        assert answer.status_code == expected, route
        if route.method == "GET":
            head = send(browser, route, "HEAD")
            assert (head.status_code, head.data) == (expected, b""), route
        if role == "anonymous" and expected == 303:
            assert urlsplit(answer.location).path == "/users/sign_in"


@pytest.mark.parametrize("role", ["anonymous", "outsider"])
def test_a_hidden_project_is_like_a_missing_one_to_the_byte(forge: Forge, role: str) -> None:
    api = filled(forge, "private")
    user = None if role == "anonymous" else forge.user()
    browser = Browser.open(forge, api.project_id, user)
    missing = Browser(forge, browser.client, browser.base.replace("/vision/", "/missin/"))
    browser.raw("experiments")  # the first answer of a session sets its cookie
    for route in ROUTES:
        answers = [send(each, route) for each in (browser, missing)]
        hidden, gone = (
            (
                each.status_code,
                each.headers.get("Location", "").replace("missin", "vision"),
                without_nonces(each.text).replace("missin", "vision"),
                sorted(set(each.headers.keys())),
            )
            for each in answers
        )
        assert hidden == gone, route


def test_a_hidden_candidate_is_like_a_missing_one(forge: Forge) -> None:
    api = filled(forge, "private")
    outsider = Browser.open(forge, api.project_id, forge.user())
    there, gone = (outsider.raw(f"candidates/{iid}") for iid in (1, 2))
    assert (there.status_code, gone.status_code) == (404, 404)
    assert without_nonces(there.text) == without_nonces(gone.text)


@pytest.mark.parametrize("path", ["candidates/1?path=a&page=1", "experiments?name=a%26b"])
def test_signing_in_leads_back_to_the_same_state_of_the_page(forge: Forge, path: str) -> None:
    api = filled(forge, "private")
    browser = Browser.open(forge, api.project_id)
    answer = browser.raw(path)
    assert answer.status_code == 303
    assert parse_qs(urlsplit(answer.location).query)["next"] == [f"{browser.base}/{path}"]


def test_signing_in_after_a_form_leads_to_its_page(forge: Forge) -> None:
    api = filled(forge, "public")
    browser = Browser.open(forge, api.project_id)
    answer = browser.submit("candidates/1/trash")
    back = parse_qs(urlsplit(answer.location).query)["next"]
    assert back == [f"{browser.base}/candidates/1"]


def test_a_control_is_shown_to_those_who_may_use_it(forge: Forge) -> None:
    api = filled(forge, "public")
    for role, shown in (("anonymous", 0), ("reporter", 0), ("developer", 1)):
        page = browser_of(forge, api.project_id, role).get("candidates/1")
        assert len([each for each in page.all("form") if "/trash" in each["action"]]) == shown


def test_who_may_not_change_is_told_what_to_do(forge: Forge) -> None:
    api = filled(forge, "public")
    page = Page(browser_of(forge, api.project_id, "reporter").submit("candidates/1/trash"))
    assert page.status == 403
    assert "ask a maintainer" in page.text


def test_a_token_is_no_session(forge: Forge) -> None:
    api = filled(forge, "private")
    browser = Browser.open(forge, api.project_id)
    assert browser.raw("experiments", headers=api.headers).status_code == 303


def test_pages_are_kept_by_no_cache(forge: Forge) -> None:
    api = filled(forge, "public")
    browser = Browser.open(forge, api.project_id)
    assert browser.raw("experiments").headers["Cache-Control"] == "private, no-store"
    assert "private" in browser.raw("candidates/1/artifacts/a/b.txt").headers["Cache-Control"]


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS"])
def test_a_page_takes_no_other_method(forge: Forge, method: str) -> None:
    api = filled(forge, "public")
    browser = Browser.open(forge, api.project_id)
    token = {"X-CSRF-Token": "token-of-the-session"}
    assert browser.raw("experiments", method=method, headers=token).status_code == 405
