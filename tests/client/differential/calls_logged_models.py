"""Logged models: their life, their files, and what runs say of them."""

from __future__ import annotations

from .call import (
    Call,
    Fields,
    Query,
    delete_artifact,
    full_path,
    get,
    get_artifact,
    list_artifacts,
    make_experiment,
    make_run,
    post,
    put_artifact,
    scenario,
)

NOBODY = "m-" + "0" * 32
MODEL = (
    '{"artifact_path": "m", "flavors": {}, "run_id": "{run}",'
    ' "utc_time_created": "2024-01-01 00:00:00"}'
)
ROOT = "model.info.artifact_uri"


def pairs(**values: str) -> list[Fields]:
    return [{"key": key, "value": value} for key, value in values.items()]


def make(title: str, /, save: str = "", experiment: str = "{experiment}", **body: object) -> Call:
    """A model called as it is saved, unless the body names it."""
    body = {"experiment_id": experiment, "name": save or "other", **body}
    saved = {save: "model.info.model_id", f"{save}_root": ROOT} if save else {}
    return post(f"models: {title}", "logged-models", body, save=saved)


def read(name: str, model: str = "{model}", query: Query | None = None) -> Call:
    return get(f"models: {name}", f"logged-models/{model}", query)


def change(name: str, path: str, **body: object) -> Call:
    return Call(f"models: {name}", "PATCH", full_path(f"logged-models/{path}"), json=body)


def finish(name: str, status: object, model: str = "{model}") -> Call:
    return change(name, model, model_id=model, status=status)


def tags(name: str, tags_: object, model: str = "{model}") -> Call:
    return change(name, f"{model}/tags", tags=tags_)


def params(name: str, params_: object, model: str = "{model}") -> Call:
    body = {"model_id": model, "params": params_}
    return post(f"models: {name}", f"logged-models/{model}/params", body)


def remove(name: str, path: str) -> Call:
    return Call(f"models: {name}", "DELETE", full_path(f"logged-models/{path}"))


def outputs(name: str, **body: object) -> Call:
    return post(f"models: {name}", "runs/outputs", {"run_id": "{run}", **body})


def log_model(name: str, model_json: str | None, run: str = "{run}") -> Call:
    body = {"run_id": run, "model_json": model_json}
    return post(f"log-model: {name}", "runs/log-model", body)


LIFE = scenario(
    "life of logged models",
    make_experiment("logged models"),
    make_run("logged models"),
    make(
        "a whole one is made",
        "model",
        source_run_id="{run}",
        model_type="classifier",
        params=pairs(depth="3", lr="0.1"),
        tags=pairs(team="x"),
    ),
    make("a second of the same name", name="model"),
    make("one for careless changes", "careless"),
    post("models: one with an empty name", "logged-models",
         {"experiment_id": "{experiment}", "name": ""}, save={"made_up": "model.info.name"}),
    post("models: one with nothing said", "logged-models", {"experiment_id": "{experiment}"},
         save={"made_up_too": "model.info.name"}),
    make("a name with a slash", name="a/b"),
    make("a name with a colon", name="a:b"),
    make("a name with a dot", name="a.b"),
    make("a name with a percent sign", name="a%b"),
    make("a name with a quote", name="a'b"),
    make("a name with a blank and an umlaut", name="ä b"),
    make("a name of 500", name="n" * 500),
    make("a name of 501", name="n" * 501),
    make("a type of 501", model_type="n" * 501),
    make("a source that is nowhere", source_run_id="f" * 32),
    make("one parameter twice", params=[*pairs(a="1"), *pairs(a="1")]),
    make("one tag twice", tags=[*pairs(a="1"), *pairs(a="2")]),
    make("a parameter without value", params=[{"key": "a"}]),
    make("a parameter without key", params=[{"value": "a"}]),
    make("a tag without value", tags=[{"key": "a"}]),
    make("odd characters in keys", params=pairs(**{"a#?<>": "1"}), tags=pairs(**{"ü/x:": "1"})),
    make("a key of 255", params=pairs(**{"k" * 255: "1"})),
    make("a long parameter", params=pairs(a="v" * 7000)),
    make("a long tag", tags=pairs(a="v" * 9000)),
    make("parameters that are no list", params="x"),
    make("tags that are no list", tags="x"),
    make("a word as parameter", params=["x"]),
    make("a number as name", name=5),
    make("no experiment", experiment=""),
    make("a word as experiment", experiment="abc"),
    make("an experiment that is nowhere", experiment="987654321"),
    read("it is read"),
    read("nobody is read", NOBODY),
    read("what is no id is read", "zz"),
    tags("two tags are set", pairs(a="1", b="2")),
    tags("one key twice, the last counts", [*pairs(a="3"), *pairs(a="4")]),
    tags("no tags", []),
    change("tags not said", "{model}/tags"),
    tags("tags set to a word", "x"),
    tags("tags without a key", [{"value": "x"}], "{careless}"),
    tags("tags without a value", [{"key": "x"}], "{careless}"),
    tags("tags of nobody", pairs(a="1"), NOBODY),
    read("tags are read"),
    remove("a tag is removed", "{model}/tags/a"),
    remove("it is removed again", "{model}/tags/a"),
    remove("a tag of nobody is removed", f"{NOBODY}/tags/a"),
    params("a parameter is added", pairs(more="1")),
    params("the same again", pairs(more="1")),
    params("it is changed", pairs(more="2")),
    params("twice in one call", [*pairs(twice="1"), *pairs(twice="1")]),
    params("none is added", []),
    params("they are a word", "x"),
    params("of nobody", pairs(a="1"), NOBODY),
    post("models: parameters by the path alone", "logged-models/{careless}/params",
         {"params": pairs(path="1")}),
    read("parameters are read"),
    finish("finished by number", 2),
    finish("finished by name", "LOGGED_MODEL_UPLOAD_FAILED"),
    finish("finished by a number in quotes", "2"),
    finish("pending again", "LOGGED_MODEL_PENDING"),
    finish("finished with nothing said of how", None),
    finish("finished in an unknown way", "READY"),
    finish("finished by an unknown number", 9),
    finish("ready at last", "LOGGED_MODEL_READY"),
    finish("nobody is finished", 2, NOBODY),
    change("finished under another name", "{model}", model_id="{careless}", status=3),
    read("it is ready"),
    remove("it is deleted", "{model}"),
    remove("it is deleted again", "{model}"),
    remove("nobody is deleted", NOBODY),
    read("it is gone"),
    read("it is there for who asks", query={"allow_deleted": "true"}),
    read("it is there for who asks in capitals", query={"allow_deleted": "True"}),
    read("it is gone for who does not", query={"allow_deleted": "false"}),
    tags("tags of a deleted one", pairs(a="1")),
    params("parameters of a deleted one", pairs(late="1")),
    finish("a deleted one is finished", 2),
    remove("a tag of a deleted one is removed", "{model}/tags/b"),
)  # fmt: skip

FOLDERS = "logged-models/{model}/artifacts/directories"

FILES = scenario(
    "files of logged models",
    make_experiment("model files"),
    make("one with files is made", "model"),
    put_artifact("model files: put", "{model_root}/MLmodel", "flavors: {}"),
    put_artifact("model files: put in a folder", "{model_root}/data/weights.bin", "w"),
    put_artifact("model files: put beside it", "{model_root}/data/kept.bin", "k"),
    put_artifact("model files: put again", "{model_root}/MLmodel", "flavors: {a: 1}"),
    get_artifact("model files: get", "{model_root}/MLmodel"),
    get_artifact("model files: get a missing one", "{model_root}/nothing"),
    list_artifacts("model files: list", "{model_root}"),
    list_artifacts("model files: list a folder", "{model_root}/data"),
    get("model files: folders", FOLDERS),
    get("model files: a folder", FOLDERS, {"artifact_directory_path": "data"}),
    get("model files: a missing folder", FOLDERS, {"artifact_directory_path": "nothing"}),
    get("model files: above the folder", FOLDERS, {"artifact_directory_path": "../x"}),
    get("model files: of nobody", f"logged-models/{NOBODY}/artifacts/directories"),
    delete_artifact("model files: delete", "{model_root}/data/weights.bin"),
    list_artifacts("model files: list what is left", "{model_root}"),
    remove("one with files is deleted", "{model}"),
    get("model files: folders of a deleted one", FOLDERS),
    get_artifact("model files: get of a deleted one", "{model_root}/MLmodel"),
    put_artifact("model files: put into a deleted one", "{model_root}/MLmodel", "x"),
)

LINKS = scenario(
    "runs and logged models",
    make_experiment("model links"),
    make_run("model links"),
    make("one that a run makes", "model", source_run_id="{run}"),
    outputs("outputs not said"),
    outputs("no outputs", models=[]),
    outputs("outputs that are no list", models="m"),
    outputs("an output", models=[{"model_id": "{model}", "step": 3}]),
    post("models: an input", "runs/log-inputs",
         {"run_id": "{run}", "models": [{"model_id": "{model}"}]}),
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
    get("models: what the run made and used", "runs/get", {"run_id": "{run}"}),
)  # fmt: skip

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

SCENARIOS = (LIFE, FILES, LINKS, LEGACY)
