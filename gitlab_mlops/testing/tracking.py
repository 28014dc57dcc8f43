"""MLflow's API in this forge: bodies that the forge must not touch, errors that stay JSON."""

from __future__ import annotations

import os
from dataclasses import replace
from io import BytesIO
from typing import Any

import pytest

from gitlab_mlops.host import Ability
from gitlab_mlops.host_check import OPTIONAL_PARTS
from gitlab_mlops.settings import MEBIBYTE
from gitlab_mlops.testing.world import World

FORM = "application/x-www-form-urlencoded"


class TrackingConformance:
    """The plugin as mounted, whatever the forge does to requests of its own."""

    def test_an_experiment_is_logged_and_read_back(self, world: World) -> None:
        client = world.writer(world.project())
        experiment = client.post("experiments/create", name="trees")["experiment_id"]
        run = client.start_run(experiment_id=experiment, run_name="oak")
        value = {"run_id": run["run_id"], "key": "loss", "value": 0.5, "timestamp": 1, "step": 1}
        client.post("runs/log-metric", **value)
        client.post("runs/log-parameter", run_id=run["run_id"], key="depth", value="3")
        found = client.post("runs/search", experiment_ids=[experiment], filter="params.depth='3'")
        (hit,) = found["runs"]
        assert hit["info"]["run_name"] == "oak"
        assert [metric["value"] for metric in hit["data"]["metrics"]] == [0.5]

    def test_the_experiment_default_is_there_without_being_made(self, world: World) -> None:
        client = world.writer(world.project())
        assert client.get("experiments/get", experiment_id="0")["experiment"]["name"] == "Default"

    def test_a_run_is_not_found_in_another_project(self, world: World) -> None:
        mine, other = world.project(), world.project()
        user = world.user(mine, Ability.WRITE)
        world.forge.add_member(other, user, Ability.WRITE)
        token = world.token(user)
        run = world.client(mine, token).start_run()
        answer = world.client(other, token).call("GET", "runs/get", run_id=run["run_id"])
        assert answer.status_code == 404

    @pytest.mark.parametrize("kind", ["", FORM, "multipart/form-data; boundary=x", "text/plain"])
    def test_an_artifact_over_the_forges_limit_goes_up_and_down(
        self, world: World, kind: str
    ) -> None:
        client = world.writer(world.project())
        path = client.artifact(client.start_run(), "weights.bin")
        body = os.urandom(_over_limit(world))
        answer = client.send("PUT", path, data=body, headers={"Content-Type": kind})
        assert answer.status_code == 200, answer.text
        assert client.send("GET", path).data == body

    def test_an_empty_artifact_goes_up_in_no_chunks(self, world: World) -> None:
        """MLflow's client sends an empty file without a Content-Length."""
        client = world.writer(world.project())
        path = client.artifact(client.start_run(), "empty")
        chunked = {"wsgi.input_terminated": True, "wsgi.input": BytesIO()}
        answer = client.send("PUT", path, environ_overrides=chunked)
        assert answer.status_code == 200, answer.text
        assert client.send("GET", path).data == b""

    def test_a_batch_over_the_forges_limit_is_logged(self, world: World) -> None:
        client = world.writer(world.project())
        run_id = client.start_run()["run_id"]
        padding = "x" * _over_limit(world)
        client.post("runs/log-batch", run_id=run_id, padding=padding, params=[], tags=[])

    def test_errors_are_mlflows_and_not_the_forges(self, world: World) -> None:
        project = world.project()
        client = world.writer(project)
        unknown = client.send("POST", "/api/2.0/mlflow/no-such-thing", json={})
        assert (unknown.status_code, unknown.get_json()["error_code"]) == (
            404,
            "ENDPOINT_NOT_FOUND",
        )
        wrong_verb = client.send("DELETE", "/api/2.0/mlflow/runs/create")
        assert wrong_verb.get_json()["error_code"] == "ENDPOINT_NOT_FOUND"
        malformed = client.send(
            "POST", "/api/2.0/mlflow/runs/create", data=b"{", content_type="application/json"
        )
        assert malformed.get_json()["error_code"] == "INVALID_PARAMETER_VALUE"
        anonymous = world.client(project, None).call("POST", "runs/create")
        assert (anonymous.status_code, anonymous.get_json()["error_code"]) == (
            401,
            "UNAUTHENTICATED",
        )

    def test_a_refused_request_stores_nothing(self, world: World) -> None:
        project = world.project()
        client = world.writer(project)
        run_id = client.start_run()["run_id"]
        metrics = [{"key": "a", "value": 1, "timestamp": 1}, {"key": "b", "value": "no number"}]
        assert (
            client.call("POST", "runs/log-batch", run_id=run_id, metrics=metrics).status_code == 400
        )
        assert "metrics" not in client.get("runs/get", run_id=run_id)["run"]["data"]

    def test_without_the_optional_parts_nothing_errors(
        self, world: World, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        project = world.project()
        user = world.user(project, Ability.MAINTAIN)
        browser = world.browser(user)
        none: dict[str, Any] = dict.fromkeys(OPTIONAL_PARTS)
        bare = replace(world.host, **none)
        monkeypatch.setitem(world.app.extensions, "mlops", replace(world.mount, host=bare))
        world.client(project, world.token(user)).start_run()
        for page in ("experiments", "experiments/0", "candidates/1"):
            assert browser.get(world.page(project, page)).status_code == 200


def _over_limit(world: World) -> int:
    """More bytes than the forge takes for a body, or in the memory of a form."""
    limits = ("MAX_CONTENT_LENGTH", "MAX_FORM_MEMORY_SIZE")
    return max(MEBIBYTE, *(world.app.config.get(name) or 0 for name in limits)) + 1
