"""One recorded HTTP call, a scenario of them, and the short ways to write one down."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

API = "/api/2.0/mlflow/"
ARTIFACTS = "/api/2.0/mlflow-artifacts/artifacts"
JSON = "application/json"

Fields = dict[str, Any]
Query = Mapping[str, str | Sequence[str]]


@dataclass(frozen=True)
class Call:
    """A request, written with `{placeholders}` for what earlier answers gave."""

    name: str
    method: str
    path: str
    query: Query = field(default_factory=dict)
    json: object = None
    raw: str | None = None
    content_type: str = JSON
    chunked: bool = False
    # `{"run": "run.info.run_id"}`: what to remember of the answer, for `{run}` in later calls.
    save: Mapping[str, str] = field(default_factory=dict)
    # Messages are free text, except that both must begin with this one.
    says: str = ""
    # Response headers that must be equal too.
    headers: tuple[str, ...] = ()


@dataclass(frozen=True)
class Scenario:
    """Calls in order; it makes what it needs, so that no scenario depends on another."""

    name: str
    calls: tuple[Call, ...]


def scenario(name: str, *parts: Call | Iterable[Call]) -> Scenario:
    calls: list[Call] = []
    for part in parts:
        calls.extend([part] if isinstance(part, Call) else part)
    return Scenario(name, tuple(calls))


def get(name: str, path: str, query: Query | None = None, **more: Any) -> Call:
    return Call(name, "GET", full_path(path), query or {}, **more)


def post(name: str, path: str, json: object = None, **more: Any) -> Call:
    return Call(name, "POST", full_path(path), json=json, **more)


def post_raw(name: str, path: str, raw: str, **more: Any) -> Call:
    return Call(name, "POST", full_path(path), raw=raw, **more)


def put_artifact(name: str, path: str, content: str, **more: Any) -> Call:
    more = {"content_type": "application/octet-stream", **more}
    return Call(name, "PUT", f"{ARTIFACTS}/{path}", raw=content, **more)


def get_artifact(name: str, path: str, **more: Any) -> Call:
    return Call(name, "GET", f"{ARTIFACTS}/{path}", **more)


def delete_artifact(name: str, path: str, **more: Any) -> Call:
    return Call(name, "DELETE", f"{ARTIFACTS}/{path}", **more)


def list_artifacts(name: str, path: str | None, **more: Any) -> Call:
    return Call(name, "GET", ARTIFACTS, {} if path is None else {"path": path}, **more)


def full_path(path: str) -> str:
    """A path that starts with a slash is below the tracking URI, any other below the API."""
    return path if path.startswith("/") else API + path


def make_experiment(title: str, save: str = "experiment") -> Call:
    return post(
        f"{title}: an experiment",
        "experiments/create",
        {"name": "{unique} " + title},
        save={save: "experiment_id"},
    )


def make_run(title: str, save: str = "run", start_time: int = 1000, **more: Any) -> Call:
    body = {"experiment_id": "{experiment}", "run_name": save, "start_time": start_time, **more}
    return post(f"{title}: a run {save}", "runs/create", body, save={save: "run.info.run_id"})
