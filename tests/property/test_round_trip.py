"""Every legal name and value comes back as it went, through the stock client."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from hypothesis import given, settings
from hypothesis import strategies as st
from mlflow import MlflowClient
from mlflow.entities import Metric, Param, RunTag

from tests.factories import Forge
from tests.property.model import Point
from tests.property.texts import KEYS, PATHS, text

INT64 = st.integers(-(2**63), 2**63 - 1)
POINTS = st.tuples(st.floats(), st.integers(0, 2**63 - 1), INT64)


@pytest.fixture
def new_client(
    app: Flask, tracking: str, monkeypatch: pytest.MonkeyPatch
) -> Callable[[], MlflowClient]:
    """Makes the client of a developer of a project of its own."""

    def make() -> MlflowClient:
        api = Forge(app).developer()
        monkeypatch.setenv("MLFLOW_TRACKING_TOKEN", api.headers["Authorization"].partition(" ")[2])
        return MlflowClient(tracking + api.base)

    return make


@pytest.fixture
def client(new_client: Callable[[], MlflowClient]) -> MlflowClient:
    """One project for all examples."""
    return new_client()


@given(
    params=st.dictionaries(KEYS, text(6000), max_size=3),
    tags=st.dictionaries(KEYS, text(8000), max_size=3),
    name=text(200, 1),
    points=st.dictionaries(KEYS, POINTS, max_size=3),
)
def test_what_is_logged_comes_back(client: MlflowClient, **given: Any) -> None:
    run_id = client.create_run("0", run_name=given["name"]).info.run_id
    client.log_batch(
        run_id,
        [Metric(key, *point) for key, point in given["points"].items()],
        [Param(*pair) for pair in given["params"].items()],
        [RunTag(*pair) for pair in given["tags"].items()],
    )
    run = client.get_run(run_id)
    assert run.info.run_name == given["name"]
    assert run.data.params == given["params"]
    assert run.data.tags == {**given["tags"], "mlflow.runName": given["name"]}
    for key, point in given["points"].items():
        (got,) = client.get_metric_history(run_id, key)
        assert Point.of(got.value, got.timestamp, got.step) == Point.of(*point)
        assert math.isnan(point[0]) or run.data.metrics[key] == point[0]


@given(
    name=text(500, 1).filter(lambda name: name != "Default"),
    tags=st.dictionaries(KEYS, text(5000), max_size=3),
)
def test_an_experiment_comes_back(
    new_client: Callable[[], MlflowClient], name: str, tags: dict[str, str]
) -> None:
    client = new_client()
    made = client.create_experiment(name, tags=tags)
    got = client.get_experiment_by_name(name)
    assert got is not None
    assert (got.experiment_id, got.name, got.tags) == (made, name, tags)


@given(key=KEYS, value=text(50), number=st.floats(allow_nan=False))
def test_a_run_is_found_by_what_was_logged(
    client: MlflowClient, key: str, value: str, number: float
) -> None:
    run_id = client.create_run("0").info.run_id
    client.log_batch(run_id, [Metric(key, number, 1, 0)], [Param(key, value)], [RunTag(key, value)])
    quote = '"' if "'" in value else "'"
    filters = (
        [] if quote in value else [f"{each}.`{key}` = {quote}{value}{quote}" for each in KINDS]
    )
    if math.isfinite(number):
        filters.append(f"metrics.`{key}` = {number!r}")
    for filter_ in filters:
        found = client.search_runs(["0"], filter_, order_by=[f"metrics.`{key}` DESC"])
        assert run_id in [each.info.run_id for each in found], filter_


KINDS = ("params", "tags")


# Each takes a dozen requests.
@settings(max_examples=settings.default.max_examples // 3)
@given(path=PATHS, content=st.binary(max_size=50))
def test_an_artifact_comes_back(
    client: MlflowClient, tmp_path_factory: pytest.TempPathFactory, path: str, content: bytes
) -> None:
    run_id = client.create_run("0").info.run_id
    folder = tmp_path_factory.mktemp("sent")
    sent = folder / path.rpartition("/")[2]
    sent.write_bytes(content)
    client.log_artifact(run_id, str(sent), path.rpartition("/")[0] or None)
    parts = path.split("/")
    for depth in range(len(parts)):
        listed = client.list_artifacts(run_id, "/".join(parts[:depth]) or None)
        assert [each.path for each in listed] == ["/".join(parts[: depth + 1])]
    got = client.download_artifacts(run_id, path, str(folder))
    assert Path(got).read_bytes() == content
