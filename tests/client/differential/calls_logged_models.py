"""Logged models: only what clients ask of a server that has none."""

from __future__ import annotations

from .call import Call, get, make_experiment, make_run, post, scenario

NOBODY = "m-" + "0" * 32
MODEL = (
    '{"artifact_path": "m", "flavors": {}, "run_id": "{run}",'
    ' "utc_time_created": "2024-01-01 00:00:00"}'
)


def find(name: str, **body: object) -> Call:
    body = {"experiment_ids": ["{experiment}"], **body}
    return post(f"models: {name}", "logged-models/search", body)


def outputs(name: str, **body: object) -> Call:
    return post(f"models: {name}", "runs/outputs", {"run_id": "{run}", **body})


def log_model(name: str, model_json: str | None, run: str = "{run}") -> Call:
    body = {"run_id": run, "model_json": model_json}
    return post(f"log-model: {name}", "runs/log-model", body)


NONE = scenario(
    "no logged models",
    make_experiment("logged models"),
    make_run("logged models"),
    find("none is found"),
    find("none is found by name", filter="name = 'model'", max_results=10),
    find("none is found by source run", filter="source_run_id = '{run}'"),
    find("none is found in order", order_by=[{"field_name": "creation_time", "ascending": False}]),
    find("a bad filter", filter="name == "),
    find("a bad order", order_by=[{"field_name": "nothing"}]),
    find("a token of garbage", page_token="garbage"),
    find("no experiments", experiment_ids=[]),
    find("experiments that are no list", experiment_ids="{experiment}"),
    post("models: experiments not said", "logged-models/search", {}),
    get("models: nobody is read", f"logged-models/{NOBODY}"),
    outputs("outputs not said"),
    outputs("no outputs", models=[]),
    outputs("outputs that are no list", models="m"),
    post(
        "models: outputs of nobody",
        "runs/outputs",
        {"run_id": "f" * 32, "models": [{"model_id": NOBODY, "step": 0}]},
    ),
    post(
        "models: outputs of no run",
        "runs/outputs",
        {"models": [{"model_id": NOBODY, "step": 0}]},
        says="Missing value",
    ),
    get("models: the run has none", "runs/get", {"run_id": "{run}"}),
)

LEGACY = scenario(
    "models as 2.x logs them",
    make_experiment("log-model"),
    make_run("log-model"),
    log_model("a model", MODEL),
    log_model("no JSON", "{"),
    log_model("fields are missing", '{"artifact_path": "m"}'),
    log_model("no model", None),
    log_model("nobody", MODEL, "f0" * 16),
    get("log-model: its tag", "runs/get", {"run_id": "{run}"}),
)

SCENARIOS = (NONE, LEGACY)
