"""Replaces what must differ between two servers by names, and leaves what must not.

An id becomes the name it was saved under, so *which* run is answered, and where in a list, is
still compared. Lists that stand for a mapping are sorted by their key: no client sees their order.
"""

from __future__ import annotations

import json
import math
import re
import time
from collections.abc import Mapping
from typing import Any
from urllib.parse import unquote

from .call import ARTIFACTS
from .replay import Answer, Replay

Plain = dict[str, Any]

# Keys of stock alone: `workspace` belongs to a feature that we do not have.
STOCK_ONLY = frozenset({"workspace"})
SERVER_TIMES = frozenset(
    {
        "creation_time",
        "last_update_time",
        "creation_timestamp",
        "creation_timestamp_ms",
        "last_updated_timestamp",
        "last_updated_timestamp_ms",
    }
)
LOGGED_MODELS_TAG = "mlflow.log-model.history"
FULL_NAME = re.compile(r"filename\*=UTF-8''([^;]+)")
RUN_ID = re.compile(r"[0-9a-f]{32}")
# Where models are is the server's choice: stock's are below their experiment.
MODEL_ROOT = re.compile(r"(?<=mlflow-artifacts:/)[0-9]+/(?=models/)")
ARTIFACT_ROOT = re.compile(r"(?<=mlflow-artifacts:/)[0-9]+")
A_DAY = 24 * 60 * 60 * 1000


def normalised(replay: Replay) -> list[Plain]:
    names = Names(replay.saved)
    return [plain(answer, names) for answer in replay.answers]


class Names:
    """What the ids of one replay are called."""

    def __init__(self, saved: Mapping[str, str]) -> None:
        self.experiments = {v: f"<{k}>" for k, v in saved.items() if v.isdigit()}
        # The Default experiment has the same id everywhere.
        self.experiments["0"] = "0"
        self.texts = {v: f"<{k}>" for k, v in saved.items() if not v.isdigit()}

    def experiment(self, experiment_id: str) -> str:
        return self.experiments.get(experiment_id, "<an experiment>")

    def text(self, text: str) -> str:
        for value, name in self.texts.items():
            text = text.replace(value, name)
        text = MODEL_ROOT.sub("", text)
        text = RUN_ID.sub(lambda match: self.unsaved_run(match[0]), text)
        return ARTIFACT_ROOT.sub(lambda match: self.experiment(match[0]), text)

    def unsaved_run(self, run_id: str) -> str:
        # `ffff…` and the like were written in a call; they are no run of any server.
        return run_id if len(set(run_id)) <= 2 else "<a run>"


def plain(answer: Answer, names: Names) -> Plain:
    body = refusal(answer) if answer.status >= 300 else content(answer, names)
    headers = {name: header(name, answer.headers.get(name, "")) for name in answer.call.headers}
    return {"status": answer.status, "body": body, **({"headers": headers} if headers else {})}


def header(name: str, value: str) -> str:
    """A file name may be quoted or not, and may have a poorer form beside it."""
    if name != "content-disposition":
        return value
    full = FULL_NAME.search(value)
    return f"{value.split(';')[0]} {unquote(full[1])}" if full else value.replace('"', "")


def refusal(answer: Answer) -> Any:
    """Messages are free text, but must be there and begin as the call demands."""
    body = answer.json()
    if not isinstance(body, dict) or "error_code" not in body:
        return "<not MLflow's error>"
    message = body.get("message")
    good = isinstance(message, str) and message and message.startswith(answer.call.says)
    return {"error_code": body["error_code"], "message": "<message>" if good else message}


def content(answer: Answer, names: Names) -> Any:
    if is_download(answer):
        return answer.body.decode("utf-8", "backslashreplace")
    if not answer.body:
        # Stock answers a PUT with nothing at all, which tells a client no more than `{}`.
        return {}
    body = answer.json()
    if body is None:
        return names.text(answer.body.decode("utf-8", "backslashreplace"))
    return walk("", body, names)


def is_download(answer: Answer) -> bool:
    return answer.call.method == "GET" and answer.call.path.startswith(ARTIFACTS + "/")


def walk(key: str, value: Any, names: Names) -> Any:
    if isinstance(value, dict):
        return walk_object(value, names)
    if isinstance(value, list):
        return ordered(key, [walk("", item, names) for item in value])
    if isinstance(value, str):
        return named(key, value, names)
    if key in SERVER_TIMES and isinstance(value, int) and is_recent(value):
        return "<time>"
    if isinstance(value, float) and not math.isfinite(value):
        # `NaN` without quotes is no JSON, and must not look like the string.
        return f"<literal {value}>"
    return value


def walk_object(value: Mapping[str, Any], names: Names) -> Plain:
    if value.get("key") == LOGGED_MODELS_TAG:
        value = {**value, "value": json.loads(value["value"])}
    result = {k: walk(k, v, names) for k, v in value.items() if k not in STOCK_ONLY}
    if isinstance(result.get("data"), dict):
        # A run's metrics are a mapping; elsewhere `metrics` is a history, whose order matters.
        result["data"] = {k: by_key(v) for k, v in result["data"].items()}
    return result


def named(key: str, value: str, names: Names) -> str:
    if key == "experiment_id":
        return names.experiment(value)
    if key == "user_id":
        return "<user>"
    if key == "next_page_token" and value:
        return "<token>"
    return names.text(value)


def is_recent(milliseconds: int) -> bool:
    return abs(time.time() * 1000 - milliseconds) < A_DAY


def ordered(key: str, items: list[Any]) -> list[Any]:
    if key == "tags":
        return by_key(items)
    if key in ("dataset_inputs", "dataset_summaries", "latest_versions", "aliases"):
        return sorted(items, key=lambda item: json.dumps(item, sort_keys=True))
    return items


def by_key(items: list[Any]) -> list[Any]:
    return sorted(items, key=lambda item: json.dumps(item.get("key")))
