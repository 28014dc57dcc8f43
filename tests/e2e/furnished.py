"""A project with all that a page may have to show, for tests that look at every page."""

from __future__ import annotations

import json
import math
import struct
import zlib
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from sqlalchemy import select

from gitlab_mlops.models import ProtectedAlias, RegisteredModel, WebhookDelivery
from host_stub.database import db
from tests.browsing import START, log
from tests.factories import Api, Forge

EPOCHS = 20
LONG = "a-very-long-name-without-any-spaces-" * 6
EVIL = "<img src=x onerror=alert(1)><script>alert(2)</script>"
NOTE = """\
# Why

It is **better** than `svm`, see <https://example.com> and !1.

| metric | value |
|--:|:--|
| auc | 0.9 |

- [x] looked at the figures

```python
mlflow.start_run()
```
"""
SOURCE = {"mlflow.source.name": "train.py", "mlflow.source.type": "JOB", "gitlab.CI_JOB_ID": "7",
          "mlflow.source.git.commit": "4f0c1e2d" * 5, "mlflow.source.git.branch": "main",
          "mlflow.user": "ada"}  # fmt: skip


@dataclass(frozen=True)
class Furnished:
    """The project, and where in it what is, by the numbers that pages use."""

    api: Api
    owner: int
    empty: str
    """The list of experiments of another project, which has none."""
    experiment: int
    """Of all kinds of candidates."""
    without: int
    """An experiment without candidates."""
    trashed_experiment: int
    finished: int
    """A candidate with all there is: curves, note, data sets, files of all kinds, children."""
    running: int
    bare: int
    """A candidate of which nothing is known but its name, which is hostile."""
    trashed: int
    compared: tuple[int, ...]
    model: str
    """A registered model with a card, tags, moves and a protected alias, as addresses have it.

    Its version 1 has files of all kinds, and version 2 has none. `chat` is a prompt."""
    logged_model: str
    """A logged model with a file, of the finished candidate, by its id."""
    webhook: str
    """A webhook with a hostile description, by its id."""
    messages: tuple[int, ...]
    """What was sent to it: a test that failed, and a message that waits."""


def furnish(forge: Forge) -> Furnished:
    """Fill a project; candidates are numbered in the order in which they are logged."""
    project_id = forge.project("public")
    owner = forge.member(project_id, "owner")
    api = forge.api(project_id, forge.token(owner))
    at, without, trashed = (
        api.post("experiments/create", name=name, tags=tags)["experiment_id"]
        for name, tags in (
            ("digits", pairs({"mlflow.note.content": NOTE,
                              "mlflow.experiment.primaryMetric.name": "auc",
                              "mlflow.experiment.primaryMetric.greaterIsBetter": "true"})),
            ("nothing yet " + LONG, []),
            ("first try", []),
        )
    )  # fmt: skip
    parent = log_finished(api, at)
    for number in range(6):
        log_curves(api, at, f"child-{number}", number, {"mlflow.parentRunId": parent})
    log(api, "still-running", experiment_id=at, params={"depth": "3"}, metrics={"auc": 0.5})
    failed = log_curves(api, at, "exploded", 9, {})
    api.post("runs/update", run_id=failed, status="FAILED", end_time=START + 1)
    log(api, EVIL, experiment_id=at, tags={"a": EVIL}, params={"x": EVIL}, user_id=EVIL)
    api.post("runs/delete", run_id=log(api, "thrown-away", experiment_id=at, metrics={"auc": 0.1}))
    api.post("experiments/delete", experiment_id=trashed)
    model = register_models(forge, api, parent, at)
    webhook, messages = add_webhook(forge, api)
    return Furnished(
        api, owner, f"/{forge.path(forge.project('public'))}/-/ml/experiments",
        int(at), int(without), int(trashed),
        finished=1, running=8, bare=10, trashed=11, compared=(2, 3, 4, 1),
        model=model, logged_model=log_a_model(api, parent, at), webhook=webhook, messages=messages,
    )  # fmt: skip


def register_models(forge: Forge, api: Api, run_id: str, at: str) -> str:
    """Models, versions, aliases, and a prompt; the first model's name, quoted."""
    name = "digits & <b>"
    api.post("registered-models/create", name=name, description=NOTE, tags=pairs({"a": EVIL}))
    api.post("registered-models/create", name=(LONG * 2)[:256])
    root = f"mlflow-artifacts:/{at}/{run_id}/artifacts"
    tags = pairs({"gitlab.version": "1.2.0-rc.1", LONG[:200]: EVIL})
    api.post("model-versions/create", name=name, source=f"{root}/model", run_id=run_id, tags=tags,
             description=NOTE)  # fmt: skip
    api.post("model-versions/create", name=name, source=f"{root}/no-model")
    for alias, version in (("champion", "2"), ("champion", "1"), ("a-" + LONG, "2")):
        api.post("registered-models/alias", name=name, alias=alias, version=version)
    api.post("model-versions/transition-stage", name=name, version="2", stage="Production",
             archive_existing_versions=False)  # fmt: skip
    protect_alias(forge, api, name, "champion")
    tags = pairs({"mlflow.prompt.is_prompt": "true"})
    api.post("registered-models/create", name="chat", tags=tags)
    tags += pairs({"mlflow.prompt.text": '[{"role": "system", "content": "Be {{ kind }}."}]'})
    api.post("model-versions/create", name="chat", source="dummy-source", tags=tags)
    return quote(name, safe="")


def log_a_model(api: Api, run_id: str, at: str) -> str:
    """A logged model of MLflow 3; its id."""
    made = api.post("logged-models", experiment_id=at, name="digits-net", source_run_id=run_id)
    model_id: str = made["model"]["info"]["model_id"]
    path = f"/api/2.0/mlflow-artifacts/artifacts/models/{model_id}/artifacts/MLmodel"
    api.call("PUT", path, data=b"flavors:\n  sklearn:\n    sklearn_version: 1.7.2\n")
    status = {"model_id": model_id, "status": "LOGGED_MODEL_READY"}
    api.call("PATCH", f"logged-models/{model_id}", json=status)
    return model_id


def protect_alias(forge: Forge, api: Api, name: str, alias: str) -> None:
    """Let only maintainers move an alias: MLflow's API has no word for that."""
    wanted = RegisteredModel.project_id == api.project_id, RegisteredModel.name == name
    with forge.stored():
        (model_id,) = db.session.scalars(select(RegisteredModel.id).where(*wanted))
        db.session.add(ProtectedAlias(model_id=model_id, alias=alias, created_at=START))


def add_webhook(forge: Forge, api: Api) -> tuple[str, tuple[int, ...]]:
    """A webhook that reaches nobody, and what was sent to it."""
    events = [
        {"entity": "RUN", "action": "CREATED"},
        *({"entity": each, "action": "CREATED"} for each in ("MODEL_VERSION", "PROMPT_VERSION")),
    ]
    url = "https://localhost:9/" + LONG
    made = api.post("webhooks", name="chat", url=url, events=events, description=EVIL, secret="s")
    webhook: str = made["webhook"]["webhook_id"]
    api.post(f"webhooks/{webhook}/test")
    log(api, "told")
    with forge.stored():
        newest = select(WebhookDelivery.id).order_by(WebhookDelivery.id.desc()).limit(2)
        waiting, failed = db.session.scalars(newest)
    return webhook, (failed, waiting)


def pairs(values: dict[str, Any]) -> list[dict[str, str]]:
    """Tags or parameters as the API takes them."""
    return [{"key": key, "value": str(value)} for key, value in values.items()]


def log_curves(api: Api, at: str, name: str, number: int, tags: dict[str, str]) -> str:
    """A finished candidate with two curves, of which one has a gap."""
    run_id = log(
        api, name, experiment_id=at, start_time=START + number * 60_000, tags={**SOURCE, **tags},
        params={"depth": str(number), "solver": "adam", "rate": str(0.1 / (number + 1)), LONG: "1"},
        metrics={"auc": 0.9 - number / 50, "system/cpu_utilization_percentage": 50.0 + number},
    )  # fmt: skip
    points = [
        {"key": key, "value": value, "timestamp": START + step * 1000, "step": step}
        for step in range(EPOCHS)
        for key, value in (
            ("loss", math.exp(-step / (number + 3))),
            ("val loss", math.exp(-step / 9) if step != 7 else "NaN"),
        )
    ]
    api.post("runs/log-batch", run_id=run_id, metrics=points)
    api.post("runs/update", run_id=run_id, status="FINISHED", end_time=START + 3_600_000)
    return run_id


def log_finished(api: Api, at: str) -> str:
    """The candidate that has everything."""
    run_id = log_curves(api, at, "search", 0, {"mlflow.note.content": NOTE, "stage": "final"})
    schema = {"mlflow_colspec": [{"type": "double", "name": "pixel"}]}
    dataset = {"name": "digits-training", "digest": "ab12", "source_type": "code", "source": "{}",
               "schema": json.dumps(schema), "profile": '{"num_rows": 1347}'}  # fmt: skip
    tags = pairs({"mlflow.data.context": "training"})
    api.post("runs/log-inputs", run_id=run_id, datasets=[{"tags": tags, "dataset": dataset}])
    for path, content in FILES.items():
        full = f"/api/2.0/mlflow-artifacts/artifacts/{at}/{run_id}/artifacts/{path}"
        assert api.call("PUT", full, data=content).status_code == 200
    return run_id


def picture() -> bytes:
    """A PNG of 64 x 48 pixels, a slope of grey."""
    rows = b"".join(b"\0" + bytes(4 * x for x in range(64)) for _ in range(48))
    head = struct.pack(">IIBBBBB", 64, 48, 8, 0, 0, 0, 0)
    parts = [(b"IHDR", head), (b"IDAT", zlib.compress(rows)), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        for kind, data in parts
    )


FILES: dict[str, bytes] = {
    "figures/matrix.png": picture(),
    "figures/curve.svg": b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>",
    "report.html": b"<script>alert(1)</script>",
    "report.txt": b"precision recall\n" * 40,
    "summary.md": NOTE.encode(),
    "metrics.json": b'{"auc": 0.9, "folds": [0.8, 0.9, 1.0]}',
    "predictions.csv": b"sample,true,predicted\n" + b"1,2,3\n" * 60,
    "mistakes.json": b'{"columns": ["sample", "true"], "data": [[1, 2], [3, 4]]}',
    "model/MLmodel": b"flavors:\n  sklearn:\n    pickled_model: model.pkl\nmodel_uuid: ab\n",
    "model/model.pkl": bytes(range(256)),
    "empty.txt": b"",
    LONG + ".txt": b"long",
}
