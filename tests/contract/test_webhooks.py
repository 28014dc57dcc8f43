"""`/mlflow/webhooks...` in process: what maintainers can do, and how messages come about."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import delete, select

from gitlab_mlops.models import Webhook, WebhookDelivery
from gitlab_mlops.services.webhooks.events import EVENTS
from gitlab_mlops.services.webhooks.hooks import MAX_WEBHOOKS
from gitlab_mlops.services.webhooks.messages import signature_of
from host_stub import create_app
from host_stub.database import db
from tests.browsing import counted_statements, log
from tests.factories import Api, Forge
from tests.receiving import Receiver, receiving

UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
VERSION_CREATED = {"entity": "MODEL_VERSION", "action": "CREATED"}
RUN_CREATED = {"entity": "RUN", "action": "CREATED"}
RUN_FINISHED = {"entity": "RUN", "action": "FINISHED"}
HOOK = {"name": "ci", "url": "https://hooks.example/x", "events": [VERSION_CREATED]}


@pytest.fixture(scope="module")
def local_app(app: Flask, config: dict[str, Any]) -> Iterator[Flask]:
    """The same forge, whose operator lets webhooks reach this machine."""
    made = create_app({**config, "MLOPS_WEBHOOKS_ALLOW_PRIVATE": ("127.0.0.0/8",)})
    yield made
    with made.app_context():
        db.session.remove()
        db.engine.dispose()


@pytest.fixture
def api(forge: Forge) -> Api:
    """The API of a maintainer."""
    return forge.maintainer()


@pytest.fixture
def local(local_app: Flask, api: Api) -> Api:
    """The same API in the forge that reaches this machine; nothing is due from other tests."""
    with local_app.app_context():
        db.session.execute(delete(WebhookDelivery))
        db.session.commit()
    return Api(local_app, api.project_id, api.headers)


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as receiver:
        yield receiver


def create(api: Api, **changes: Any) -> dict[str, Any]:
    """Make a webhook; MLflow's object of it."""
    made: dict[str, Any] = api.post("webhooks", **{**HOOK, **changes})["webhook"]
    return made


def refused(api: Api, **changes: Any) -> str:
    """Try to make a webhook; what is wrong with it."""
    response = api.call("POST", "webhooks", json={**HOOK, **changes})
    assert response.status_code == 400, response.get_data(as_text=True)
    answer = response.get_json()
    assert answer["error_code"] == "INVALID_PARAMETER_VALUE"
    return str(answer["message"])


def messages(api: Api) -> list[dict[str, Any]]:
    """The messages of a project, in the order that they were written."""
    with api.app.app_context():
        rows = db.session.scalars(
            select(WebhookDelivery.body)
            .join(Webhook, Webhook.id == WebhookDelivery.webhook_id)
            .where(Webhook.project_id == api.project_id)
            .order_by(WebhookDelivery.id)
        ).all()
    return [json.loads(row) for row in rows]


def deliver(api: Api) -> str:
    """Run the command that sends what is due; what it says."""
    result = api.app.test_cli_runner().invoke(args=["mlops", "deliver-webhooks"])
    assert result.exit_code == 0, result.output
    return str(result.output)


def test_a_webhook_is_made_and_read(api: Api) -> None:
    made = create(api, description="to CI", secret="s3cret")
    assert UUID.fullmatch(made["webhook_id"])
    assert made == {
        "webhook_id": made["webhook_id"],
        "name": "ci",
        "url": "https://hooks.example/x",
        "description": "to CI",
        "events": [VERSION_CREATED],
        "status": "ACTIVE",
        "creation_timestamp": made["creation_timestamp"],
        "last_updated_timestamp": made["creation_timestamp"],
    }
    assert api.get(f"webhooks/{made['webhook_id']}")["webhook"] == made
    assert api.get("webhooks")["webhooks"] == [made]


def test_a_secret_is_encrypted_and_never_shown(api: Api) -> None:
    made = create(api, secret="a s3cret to find")
    path = f"webhooks/{made['webhook_id']}"
    answers = [api.get(path), api.get("webhooks"), api.call("PATCH", path, json={}).get_json()]
    assert "s3cret" not in json.dumps([made, *answers])
    with api.app.app_context():
        stored = db.session.scalars(
            select(Webhook.secret).where(Webhook.webhook_id == made["webhook_id"])
        ).one()
    assert stored
    assert "s3cret" not in stored


def test_a_forge_without_a_secret_key_makes_no_webhooks(
    app: Flask, api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(app.config, "SECRET_KEY", None)
    assert api.refused("POST", "webhooks", json=HOOK) == (501, "NOT_IMPLEMENTED")


def test_a_webhook_is_changed(api: Api) -> None:
    path = f"webhooks/{create(api, description='d', secret='s')['webhook_id']}"

    def patched(**changes: Any) -> dict[str, Any]:
        response = api.call("PATCH", path, json=changes)
        assert response.status_code == 200, response.get_data(as_text=True)
        changed: dict[str, Any] = response.get_json()["webhook"]
        return changed

    changed = patched(name="cd", events=[RUN_CREATED, VERSION_CREATED], status="DISABLED")
    assert (changed["name"], changed["status"]) == ("cd", "DISABLED")
    assert (changed["events"], changed["run_events"]) == ([VERSION_CREATED], [RUN_CREATED])
    # As MLflow: what is empty is not there, but for a description and a secret.
    same = patched(name="", url="", events=[])
    assert {**same, "last_updated_timestamp": 0} == {**changed, "last_updated_timestamp": 0}
    assert "description" not in patched(description="", secret="")
    assert patched(status=1)["status"] == "ACTIVE"


def test_a_webhook_is_deleted(api: Api) -> None:
    path = f"webhooks/{create(api)['webhook_id']}"
    assert api.call("DELETE", path).status_code == 200
    for method in ("GET", "PATCH", "DELETE"):
        assert api.refused(method, path, json={}) == (404, "RESOURCE_DOES_NOT_EXIST")
    assert api.get("webhooks") == {}


def test_another_projects_webhook_is_not_there(forge: Forge, api: Api) -> None:
    path, other = f"webhooks/{create(api)['webhook_id']}", forge.maintainer()
    for method, more in (("GET", ""), ("PATCH", ""), ("DELETE", ""), ("POST", "/test")):
        assert other.refused(method, path + more, json={})[0] == 404
    assert other.get("webhooks") == {}


def test_developers_may_not_even_look(forge: Forge, api: Api) -> None:
    path = f"webhooks/{create(api)['webhook_id']}"
    developer = forge.api(api.project_id, forge.token(forge.member(api.project_id, "developer")))
    for method, where in (("GET", "webhooks"), ("POST", "webhooks"), ("GET", path)):
        assert developer.refused(method, where, json=HOOK) == (403, "PERMISSION_DENIED")


def test_webhooks_come_in_pages_the_newest_first(api: Api) -> None:
    names = [create(api, name=f"h{number}")["name"] for number in range(5)]
    first = api.get("webhooks", max_results=2)
    second = api.get("webhooks", max_results=2, page_token=first["next_page_token"])
    third = api.get("webhooks", max_results=2, page_token=second["next_page_token"])
    found = [each["name"] for page in (first, second, third) for each in page["webhooks"]]
    assert found == names[::-1]
    assert "next_page_token" not in third
    for query in ({"max_results": 1001}, {"max_results": -1}, {"page_token": "x"}):
        assert api.refused("GET", "webhooks", query_string=query)[0] == 400


def test_what_mlflows_client_cannot_read_is_listed_on_request(api: Api) -> None:
    create(api, name="runs", events=[RUN_CREATED])
    create(api, name="both", events=[RUN_CREATED, VERSION_CREATED])
    assert [each["name"] for each in api.get("webhooks")["webhooks"]] == ["both"]
    every = api.get("webhooks", run_events="true")["webhooks"]
    assert [each["name"] for each in every] == ["both", "runs"]


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"name": ""}, "name"),
        ({"name": "a b"}, "Webhook name 'a b' is invalid"),
        ({"name": "-a"}, "must start and end with a letter or digit"),
        ({"name": "a" * 64}, "at most 63"),
        ({"url": "ftp://x/"}, "https:// or http://"),
        ({"url": "https://a:b@x.example/"}, "no user name"),
        ({"url": "http://127.0.0.1/"}, "not a public address"),
        ({"url": "http://0x7f.1/"}, "not a public address"),
        ({"url": "http://[::ffff:10.0.0.1]/"}, "not a public address"),
        ({"events": []}, "events"),
        ({"events": None}, "events"),
        ({"events": [{}]}, "entity"),
        ({"events": ["MODEL_VERSION"]}, "must be an object"),
        ({"events": [{"entity": "MODEL_VERSION", "action": "DELETED"}]}, "Valid actions are"),
        ({"events": [{"entity": "BUDGET_POLICY", "action": "EXCEEDED"}]}, "Nothing of that kind"),
        ({"events": [{"entity": "CAT", "action": "FED"}]}, "Nothing of that kind"),
        ({"events": [{"entity": True, "action": "CREATED"}]}, "must be a string"),
        ({"status": "MAYBE"}, "ACTIVE or DISABLED"),
        ({"description": "d" * 1001}, "at most 1,000"),
        ({"secret": "s" * 501}, "at most 500"),
    ],
)
def test_what_is_wrong_is_said(api: Api, changes: dict[str, Any], words: str) -> None:
    assert words in refused(api, **changes)
    assert api.get("webhooks") == {}


def test_events_may_be_numbers_as_in_mlflows_protocol(api: Api) -> None:
    assert create(api, events=[{"entity": 2, "action": 1}])["events"] == [VERSION_CREATED]


def test_a_project_has_few_webhooks(api: Api) -> None:
    for _ in range(MAX_WEBHOOKS):
        create(api)
    assert "at most" in refused(api)


def test_a_test_sends_an_example_and_tells_what_was_answered(
    local: Api, receiver: Receiver
) -> None:
    receiver.answers = [(201, "thanks")]
    path = f"webhooks/{create(local, url=receiver.url, secret='s')['webhook_id']}/test"
    assert local.post(path) == {
        "result": {"success": True, "response_status": 201, "response_body": "thanks"}
    }
    (got,) = receiver.got
    body = json.loads(got.body)
    assert (body["entity"], body["action"]) == ("model_version", "created")
    assert body["data"] == EVENTS["model_version.created"].example
    assert got.headers["x-mlflow-signature"] == signature_of(
        "s",
        got.headers["x-mlflow-delivery-id"],
        got.headers["x-mlflow-timestamp"],
        got.body.decode(),
    )
    receiver.answers = [(500, "no")]
    result = local.post(path, event=RUN_CREATED)["result"]
    assert (result["success"], result["response_status"]) == (False, 500)
    assert json.loads(receiver.got[1].body)["entity"] == "run"


def test_a_test_reaches_no_private_address(api: Api, receiver: Receiver) -> None:
    """A name is looked up only when something is sent."""
    url = receiver.url.replace("127.0.0.1", "localhost")
    result = api.post(f"webhooks/{create(api, url=url)['webhook_id']}/test")["result"]
    assert result["success"] is False
    assert "not a public address" in result["error_message"]
    assert receiver.got == []


def test_a_run_is_told_when_it_begins_and_when_it_ends(local: Api, receiver: Receiver) -> None:
    create(local, url=receiver.url, events=[RUN_CREATED, RUN_FINISHED])
    run_id = log(local, "gbt", metrics={"auc": 0.9, "loss": "NaN"}, params={"depth": "3"})
    local.post("runs/update", run_id=run_id, status="FINISHED", end_time=1_700_000_001_000)
    assert deliver(local).startswith("Sent: 2 messages; failed: 0.")
    begun, ended = sorted(
        (json.loads(each.body) for each in receiver.got), key=lambda b: b["action"]
    )
    assert (begun["entity"], begun["action"]) == ("run", "created")
    assert begun["project"]["id"] == local.project_id
    assert (begun["data"]["run_id"], begun["data"]["status"]) == (run_id, "RUNNING")
    assert begun["data"]["metrics"] == {}
    assert ended["data"]["status"] == "FINISHED"
    assert ended["data"]["metrics"] == {"auc": 0.9, "loss": "NaN"}
    assert ended["data"]["params"] == {"depth": "3"}
    assert ended["data"]["url"].startswith("http://localhost/")
    assert ended["data"]["url"].endswith("/-/ml/candidates/1")
    assert ended["data"].keys() == EVENTS["run.finished"].example.keys()


def test_who_did_not_ask_is_told_nothing(local: Api) -> None:
    create(local, events=[RUN_FINISHED])
    create(local, events=[RUN_CREATED], status="DISABLED")
    log(local)
    assert messages(local) == []


def test_what_fails_is_told_to_nobody(local: Api) -> None:
    create(local, events=[RUN_CREATED])
    body = {"experiment_id": "77", "start_time": 1}
    assert local.call("POST", "runs/create", json=body).status_code == 404
    assert messages(local) == []


def test_what_is_switched_off_is_told_nothing_more(local: Api, receiver: Receiver) -> None:
    made = create(local, url=receiver.url, events=[RUN_CREATED])
    log(local)
    local.call("PATCH", f"webhooks/{made['webhook_id']}", json={"status": "DISABLED"})
    deliver(local)
    assert receiver.got == []


def test_the_registry_tells_what_mlflow_tells(local: Api) -> None:
    every = [
        {"entity": event.entity, "action": event.action}
        for event in EVENTS.values()
        if event.is_mlflows
    ]
    create(local, events=every)
    run_id = log(local)
    local.post(
        "registered-models/create",
        name="churn",
        description="who leaves",
        tags=[{"key": "team", "value": "a"}],
    )
    local.post(
        "model-versions/create",
        name="churn",
        source=f"runs:/{run_id}/model",
        run_id=run_id,
        tags=[{"key": "k", "value": "v"}],
    )
    version = {"name": "churn", "version": "1"}
    local.post("model-versions/set-tag", **version, key="a", value="b")
    local.call("DELETE", "model-versions/delete-tag", json={**version, "key": "a"})
    local.post("registered-models/set-tag", name="churn", key="a", value="b")
    local.post("registered-models/alias", **version, alias="champion")
    local.call("DELETE", "registered-models/alias", json={"name": "churn", "alias": "champion"})
    told = [(f"{each['entity']}.{each['action']}", each["data"]) for each in messages(local)]
    created = told.pop(1)
    assert created[0] == "model_version.created"
    assert created[1].pop("source")
    assert created[1] == {**version, "run_id": run_id, "tags": {"k": "v"}, "description": None}
    assert told == [
        (
            "registered_model.created",
            {"name": "churn", "tags": {"team": "a"}, "description": "who leaves"},
        ),
        ("model_version_tag.set", {**version, "key": "a", "value": "b"}),
        ("model_version_tag.deleted", {**version, "key": "a"}),
        ("model_version_alias.created", {**version, "alias": "champion"}),
        ("model_version_alias.deleted", {"name": "churn", "alias": "champion"}),
    ]


def test_prompts_have_their_own_events(local: Api) -> None:
    every = [
        {"entity": event.entity, "action": event.action}
        for event in EVENTS.values()
        if event.is_mlflows
    ]
    create(local, events=every)
    is_prompt = {"key": "mlflow.prompt.is_prompt", "value": "true"}
    local.post("registered-models/create", name="p", tags=[is_prompt])
    tags = [is_prompt, {"key": "mlflow.prompt.text", "value": "Hi {{x}}"}]
    local.post("model-versions/create", name="p", source="dummy-source", tags=tags)
    version = {"name": "p", "version": "1"}
    local.post("model-versions/set-tag", **version, key="a", value="b")
    local.post("registered-models/set-tag", name="p", key="a", value="b")
    local.call("DELETE", "registered-models/delete-tag", json={"name": "p", "key": "a"})
    local.post("registered-models/alias", **version, alias="best")
    told = [(f"{each['entity']}.{each['action']}", each["data"]) for each in messages(local)]
    assert told[0][0] == "prompt.created"
    assert told[0][1]["tags"] == {}
    assert told[1] == (
        "prompt_version.created",
        {**version, "template": "Hi {{x}}", "tags": {}, "description": None},
    )
    assert [name for name, _ in told[2:]] == [
        "prompt_version_tag.set",
        "prompt_tag.set",
        "prompt_tag.deleted",
        "prompt_alias.created",
    ]


def test_a_project_without_webhooks_pays_one_statement(app: Flask, api: Api) -> None:
    """At the start and at the end of a run, and none for what is logged between them."""
    log(api)
    with counted_statements(app) as found:
        run_id = log(api, metrics={"a": 1.0})
        api.post("runs/update", run_id=run_id, status="FINISHED")
    assert len([each for each in found if "mlops_webhook" in each]) == 2


def test_a_webhook_of_a_deleted_project_is_gone(forge: Forge, api: Api) -> None:
    create(api, events=[RUN_CREATED])
    log(api)
    app = api.app
    result = app.test_cli_runner().invoke(
        args=["mlops", "purge-project", str(api.project_id), "--yes"]
    )
    assert result.exit_code == 0, result.output
    assert messages(api) == []
    assert api.get("webhooks") == {}
