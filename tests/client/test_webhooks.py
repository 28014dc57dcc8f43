"""MLflow's own client makes webhooks, and what it then does to models and runs arrives, signed."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from flask import Flask
from werkzeug.serving import WSGIRequestHandler, make_server

from gitlab_mlops.blueprints.background import WORKER
from host_stub import create_app
from host_stub.database import db
from tests.factories import Forge
from tests.receiving import Receiver, receiving


class Silent(WSGIRequestHandler):
    """A server that logs nothing."""

    def log(self, *_arguments: Any, **_more: Any) -> None:
        """Say nothing."""


@dataclass(frozen=True)
class Served:
    """A forge that sends, and a maintainer of one of its projects."""

    app: Flask
    tracking_uri: str
    token: str


@pytest.fixture(scope="module")
def sending_app(app: Flask, config: dict[str, Any]) -> Iterator[Flask]:
    """The same forge, which sends by itself, and reaches this machine."""
    allowed = {"MLOPS_WEBHOOKS_THREAD": True, "MLOPS_WEBHOOKS_ALLOW_PRIVATE": ("127.0.0.0/8",)}
    made = create_app({**config, **allowed})
    yield made
    made.extensions[WORKER].stop()
    with made.app_context():
        db.session.remove()
        db.engine.dispose()


@pytest.fixture
def served(sending_app: Flask) -> Iterator[Served]:
    forge = Forge(sending_app)
    project_id = forge.project()
    token = forge.token(forge.member(project_id, "maintainer"))
    server = make_server("127.0.0.1", 0, sending_app, threaded=True, request_handler=Silent)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    uri = f"http://127.0.0.1:{server.port}/api/v4/projects/{project_id}/ml/mlflow"
    yield Served(sending_app, uri, token)
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as receiver:
        yield receiver


@pytest.fixture
def client(served: Served, monkeypatch: pytest.MonkeyPatch) -> Any:
    """MLflow 3's client; MLflow 2 has no webhooks."""
    mlflow = pytest.importorskip("mlflow", minversion="3.3")
    monkeypatch.setenv("MLFLOW_TRACKING_TOKEN", served.token)
    return mlflow.MlflowClient(served.tracking_uri, served.tracking_uri)


def test_the_client_makes_changes_tests_and_deletes_webhooks(
    client: Any, receiver: Receiver
) -> None:
    from mlflow.entities.webhook import WebhookEvent, WebhookStatus
    from mlflow.exceptions import MlflowException

    event = WebhookEvent.from_str("model_version.created")
    made = client.create_webhook("ci", receiver.url, [event], description="d", secret="s3cret")
    assert client.get_webhook(made.webhook_id).events == [event]
    assert [each.name for each in client.list_webhooks()] == ["ci"]
    tested = client.test_webhook(made.webhook_id)
    assert (tested.success, tested.response_status, tested.response_body) == (True, 200, "ok")
    changed = client.update_webhook(made.webhook_id, name="cd", status=WebhookStatus.DISABLED)
    assert (changed.name, changed.status, changed.description) == (
        "cd",
        WebhookStatus.DISABLED,
        "d",
    )
    client.delete_webhook(made.webhook_id)
    with pytest.raises(MlflowException, match="not found"):
        client.get_webhook(made.webhook_id)


def test_what_a_client_does_arrives_signed_and_in_mlflows_form(
    client: Any, receiver: Receiver
) -> None:
    from mlflow.entities.webhook import WebhookEvent
    from mlflow.webhooks.delivery import _generate_hmac_signature

    names = ("registered_model.created", "model_version_alias.created")
    events = [WebhookEvent.from_str(name) for name in names]
    client.create_webhook("ci", receiver.url, events, secret="s3cret")
    client.create_registered_model("churn", tags={"team": "a"})
    run = client.create_run("0")
    client.create_model_version("churn", f"runs:/{run.info.run_id}/model", run.info.run_id)
    client.set_registered_model_alias("churn", "champion", "1")
    client.delete_registered_model_alias("churn", "champion")
    got = receiver.wait_for(2)
    told = {}
    for each in got:
        text = each.body.decode()
        wanted = _generate_hmac_signature(
            "s3cret",
            each.headers["x-mlflow-delivery-id"],
            each.headers["x-mlflow-timestamp"],
            text,
        )
        assert each.headers["x-mlflow-signature"] == wanted
        body = json.loads(text)
        told[f"{body['entity']}.{body['action']}"] = body["data"]
    assert told["registered_model.created"]["tags"] == {"team": "a"}
    assert told["model_version_alias.created"] == {
        "name": "churn",
        "alias": "champion",
        "version": "1",
    }
    assert len(receiver.got) == 2


def test_a_run_that_ends_is_told_within_a_moment(
    client: Any, served: Served, receiver: Receiver
) -> None:
    api = Forge(served.app).api(int(served.tracking_uri.split("/")[6]), served.token)
    events = [{"entity": "RUN", "action": "FINISHED"}]
    api.post("webhooks", name="chat", url=receiver.url, events=events)
    run = client.create_run("0")
    client.log_metric(run.info.run_id, "auc", 0.93)
    client.set_terminated(run.info.run_id)
    (got,) = receiver.wait_for(1, seconds=10)
    body = json.loads(got.body)
    assert body["data"]["metrics"] == {"auc": 0.93}
    assert body["data"]["status"] == "FINISHED"
    # The client of MLflow cannot read this webhook, and so does not see it.
    assert list(client.list_webhooks()) == []
