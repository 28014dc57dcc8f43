"""The pages of webhooks in process: make, change, test, look, send again, remove."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from host_stub import create_app
from host_stub.database import db
from tests.browsing import Browser, Page, counted_statements, log
from tests.factories import Api, Forge
from tests.receiving import Receiver, receiving


@pytest.fixture(scope="module")
def local_app(app: Flask, config: dict[str, Any]) -> Iterator[Flask]:
    """The same forge, whose operator lets webhooks reach this machine."""
    made = create_app({**config, "MLOPS_WEBHOOKS_ALLOW_PRIVATE": ("127.0.0.0/8",)})
    yield made
    with made.app_context():
        db.session.remove()
        db.engine.dispose()


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as receiver:
        yield receiver


@dataclass
class Maintainer:
    """Somebody who maintains a project, at a browser and with a token."""

    api: Api
    browser: Browser

    def get(self, path: str) -> Page:
        """A page."""
        return self.browser.get(path)

    def send(self, path: str, **fields: Any) -> TestResponse:
        """Fill in the form of a page and send it; None takes a field away."""
        page = self.get(path)
        assert page.status == 200, page.text
        sent: dict[str, Any] = {}
        for each in page.all("input"):
            is_on = each.attributes.get("type") != "checkbox" or "checked" in each.attributes
            if is_on and "name" in each.attributes:
                sent.setdefault(each["name"], []).append(each.attributes.get("value", ""))
        sent |= {each["name"]: each.text.removeprefix("\n") for each in page.all("textarea")}
        sent |= fields
        given = {name: value for name, value in sent.items() if value is not None}
        return self.browser.client.post(self.browser._url(path), data=given)

    def make(self, **fields: Any) -> str:
        """Make a webhook by the form; the path of its page."""
        given = {"name": "ci", "url": "https://hooks.example/x", "events": ["run.created"]}
        answer = self.send("webhooks/new", **{**given, **fields})
        assert answer.status_code == 303, Page(answer).text
        return below(answer)

    def see(self, path: str, **fields: Any) -> Page:
        """Send a form without a page of its own, and follow to where it leads."""
        answer = self.browser.client.post(
            self.browser._url(path), data={"csrf_token": "token-of-the-session", **fields}
        )
        assert answer.status_code == 303, Page(answer).text
        return self.get(below(answer))

    def deliver(self) -> None:
        """Send what is due."""
        result = self.api.app.test_cli_runner().invoke(args=["mlops", "deliver-webhooks"])
        assert result.exit_code == 0, result.output


def below(answer: TestResponse) -> str:
    """Where an answer leads, below the project's pages."""
    return urlsplit(answer.location).path.partition("/-/ml/")[2]


@pytest.fixture
def maintainer(local_app: Flask) -> Maintainer:
    forge = Forge(local_app)
    project_id = forge.project()
    user_id = forge.member(project_id, "maintainer")
    api = forge.api(project_id, forge.token(user_id))
    return Maintainer(api, Browser.open(forge, project_id, user_id))


def test_a_project_without_webhooks_says_how_to_make_one(maintainer: Maintainer) -> None:
    page = maintainer.get("webhooks")
    assert "Nobody is told yet." in page.text
    assert page.link("New webhook").endswith("/-/ml/webhooks/new")
    assert maintainer.get("experiments").link("Webhooks").endswith("/-/ml/webhooks")


def test_developers_see_no_way_there(maintainer: Maintainer) -> None:
    forge, project_id = maintainer.browser.forge, maintainer.api.project_id
    developer = Browser.open(forge, project_id, forge.member(project_id, "developer"))
    assert not developer.get("experiments").has_link("Webhooks")
    assert developer.get("webhooks").status == 403


def test_a_webhook_is_made_and_listed(maintainer: Maintainer) -> None:
    path = maintainer.make(
        description="to <b>CI</b>", secret="s3cret", events=["run.created", "prompt.created"]
    )
    page = maintainer.get(path)
    assert page.one("h1").text == "ci"
    assert "https://hooks.example/x" in page.text
    assert "to <b>CI</b>" in page.text
    assert "signed with a secret" in page.text
    assert "s3cret" not in page.html
    assert "Nothing was sent yet." in page.text
    (row,) = maintainer.get("webhooks").rows()
    assert row == [
        "cito <b>CI</b>",
        "–none yet",
        "hooks.example",
        "run.created prompt.created",
    ]


@pytest.mark.parametrize(
    ("fields", "field", "words"),
    [
        ({"name": "a b"}, "mlops-hook-name", "is invalid"),
        ({"name": ""}, "mlops-hook-name", "is invalid"),
        ({"url": "hooks.example"}, "mlops-hook-url", "begins with https://"),
        ({"url": "http://10.0.0.1/"}, "mlops-hook-url", "not a public address"),
        ({"events": []}, "mlops-hook-events", "choose at least one"),
        ({"description": "d" * 1001}, "mlops-hook-description", "at most 1,000"),
        ({"secret": "s" * 501}, "mlops-hook-secret", "at most 500"),
    ],
)
def test_what_is_wrong_is_said_next_to_it(
    maintainer: Maintainer, fields: dict[str, Any], field: str, words: str
) -> None:
    good = {"name": "ci", "url": "https://x.example/", "events": ["run.created"]}
    answer = maintainer.send("webhooks/new", **{**good, **fields})
    page = Page(answer)
    assert page.status == 400
    assert words in page.one("div", id=f"{field}-problem").text
    # What was right is still there, but for the secret.
    kept = {**good, **fields}
    assert page.one("input", id="mlops-hook-name")["value"] == kept["name"]
    ticked = [
        each["value"] for each in page.all("input", name="events") if "checked" in each.attributes
    ]
    assert ticked == kept["events"]
    assert page.one("input", id="mlops-hook-secret")["value"] == ""
    assert "Nobody is told yet." in maintainer.get("webhooks").text


def test_a_webhook_is_changed_and_its_secret_stays(maintainer: Maintainer) -> None:
    path = maintainer.make(secret="s3cret")
    answer = maintainer.send(f"{path}/edit", name="cd", active=None, events=["prompt.created"])
    assert below(answer) == path
    page = maintainer.get(path)
    assert page.one("h1").text == "cd"
    assert "Switched off" in page.text
    assert "signed with a secret" in page.text
    assert "run.created" not in page.text
    maintainer.send(f"{path}/edit", drops_secret="on")
    assert "there is no secret" in maintainer.get(path).text


def test_two_people_who_change_the_same_see_both(maintainer: Maintainer) -> None:
    path = maintainer.make()
    page = maintainer.get(f"{path}/edit")
    seen = {each["name"]: each["value"] for each in page.all("input", type="hidden")}
    maintainer.send(f"{path}/edit", url="https://theirs.example/")
    mine = {
        **seen,
        "name": "ci",
        "url": "https://mine.example/",
        "events": "run.created",
        "active": "on",
        "description": "",
    }
    answer = maintainer.browser.client.post(maintainer.browser._url(f"{path}/edit"), data=mine)
    assert answer.status_code == 409
    assert "https://theirs.example/" in Page(answer).text
    assert "https://theirs.example/" in maintainer.get(path).text


def test_a_test_is_sent_at_once_and_shown(maintainer: Maintainer, receiver: Receiver) -> None:
    receiver.answers = [(200, "thanks <script>")]
    path = maintainer.make(url=receiver.url, events=["run.created", "model_version.created"])
    page = maintainer.see(f"{path}/test", event="model_version.created")
    (got,) = receiver.got
    assert json.loads(got.body)["entity"] == "model_version"
    assert page.one("h1").text == "model_version.created test"
    assert "Delivered" in page.text
    assert "thanks <script>" in page.text
    assert "<script>" not in page.html.partition("<h1")[2].partition("</main")[0]
    assert got.headers["x-mlflow-delivery-id"] in page.text
    (row,) = maintainer.get(path).rows("Messages")
    assert row[:2] == ["model_version.created test", "Delivered"]
    assert re.fullmatch(r"200 after \d+ ms", row[2])
    assert maintainer.get("webhooks").rows()[0][1].startswith("Delivered")


def test_a_failure_says_why_and_what_happens_next(
    maintainer: Maintainer, receiver: Receiver
) -> None:
    receiver.answers = [(503, "busy")]
    path = maintainer.make(url=receiver.url)
    log(maintainer.api)
    maintainer.deliver()
    (row,) = maintainer.get(path).rows("Messages")
    assert row[:4] == ["run.created", "Trying again", "It answered 503 Service Unavailable.", "1"]
    page = maintainer.get(maintainer.get(path).link("run.created"))
    assert "It answered 503 Service Unavailable. The next of at most 8 attempts is" in page.text
    assert "busy" in page.text
    assert not page.all("button", type="submit", class_="mlops-danger")
    assert "Send again" not in page.text


def test_a_message_is_sent_once_more_under_the_same_id(
    maintainer: Maintainer, receiver: Receiver
) -> None:
    path = maintainer.make(url=receiver.url)
    log(maintainer.api)
    maintainer.deliver()
    first = maintainer.get(path).link("run.created")
    page = maintainer.see(first.partition("/-/ml/")[2] + "/again")
    assert "It is on its way." in page.text
    maintainer.deliver()
    one, other = receiver.got
    assert one.body == other.body
    assert one.headers["x-mlflow-delivery-id"] == other.headers["x-mlflow-delivery-id"]
    rows = maintainer.get(path).rows("Messages")
    assert [row[0] for row in rows] == ["run.created sent again", "run.created"]


def test_what_waits_or_is_switched_off_is_not_sent_again(maintainer: Maintainer) -> None:
    path = maintainer.make()
    log(maintainer.api)
    line = maintainer.get(path).link("run.created").partition("/-/ml/")[2]
    assert maintainer.browser.submit(f"{line}/again").status_code == 400
    maintainer.send(f"{path}/edit", active=None)
    page = maintainer.get(line)
    assert "switched off before this was sent" in page.text
    assert "Send again" not in page.text
    assert maintainer.browser.submit(f"{line}/again").status_code == 400


def test_the_log_has_pages_and_shows_what_failed(maintainer: Maintainer) -> None:
    path = maintainer.make(url="http://localhost:9/")
    for _ in range(52):
        log(maintainer.api)
    maintainer.see(f"{path}/test", event="run.created")
    page = maintainer.get(path)
    assert len(page.rows("Messages")) == 50
    assert len(maintainer.get(page.link("Next page")).rows("Messages")) == 3
    (failed,) = maintainer.get(f"{path}?state=failed").rows("Messages")
    assert failed[0] == "run.created test"
    assert len(maintainer.get(f"{path}?state=waiting").rows("Messages")) == 50
    for query in ("before=x", "before=-1", "state=odd", "before=" + "9" * 30):
        assert maintainer.get(f"{path}?{query}").status == 400


def test_a_webhook_is_removed_with_its_log(maintainer: Maintainer) -> None:
    path = maintainer.make()
    log(maintainer.api)
    assert "Remove the webhook ci?" in maintainer.get(f"{path}/remove").text
    page = maintainer.see(f"{path}/remove")
    assert "Nobody is told yet." in page.text
    assert maintainer.get(path).status == 404


def test_what_is_not_there_is_not_found(maintainer: Maintainer, local_app: Flask) -> None:
    other = Maintainer(*_another(local_app))
    path = other.make()
    log(other.api)
    line = other.get(path).link("run.created").partition("/-/ml/")[2]
    mine = maintainer.make()
    number = line.rpartition("/")[2]
    for each in (path, line, f"{path}/edit", f"{mine}/deliveries/{number}", f"{mine}/deliveries/0"):
        assert maintainer.get(each).status == 404


def _another(app: Flask) -> tuple[Api, Browser]:
    forge = Forge(app)
    project_id = forge.project()
    user_id = forge.member(project_id, "maintainer")
    return forge.api(project_id, forge.token(user_id)), Browser.open(forge, project_id, user_id)


def test_a_form_without_a_token_does_nothing(maintainer: Maintainer, receiver: Receiver) -> None:
    path = maintainer.make(url=receiver.url)
    for action in ("test", "remove", "edit"):
        assert maintainer.browser.submit(f"{path}/{action}", csrf="other").status_code == 403
    assert receiver.got == []
    assert maintainer.get(path).status == 200


def test_many_webhooks_take_no_more_statements_than_one(maintainer: Maintainer) -> None:
    def statements() -> int:
        with counted_statements(maintainer.api.app) as found:
            maintainer.get("webhooks")
        return len([each for each in found if "mlops_" in each])

    maintainer.make()
    log(maintainer.api)
    one = statements()
    for _ in range(5):
        maintainer.make()
    log(maintainer.api)
    assert statements() == one
