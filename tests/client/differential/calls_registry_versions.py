"""Versions of registered models: where they come from, their stages, their end."""

from __future__ import annotations

from .call import Call, get, make_experiment, make_run, post, scenario
from .calls_registry import (
    CHURN,
    MODELS,
    PROMPT,
    TWICE,
    VERSIONS,
    change,
    make_model,
    make_version,
    some_versions,
)

NOBODY = "f" * 32
ARTIFACTS = "mlflow-artifacts:/0/{run}/artifacts"


def make(name: str, source: str, run: str = "", /, **more: object) -> Call:
    return make_version("version", name, source, run, **more)


def of(name: str, path: str, method: str = "POST", /, **body: object) -> Call:
    body = {"name": CHURN, "version": "1", **body}
    return change(method, f"version: {name}", f"{VERSIONS}/{path}", body)


def read(name: str, path: str = "get", /, **query: str) -> Call:
    return get(f"version: {name}", f"{VERSIONS}/{path}", {"name": CHURN, "version": "1", **query})


MADE = scenario(
    "versions are made",
    make_run("versions", experiment_id="0"),
    make_run("versions", "other", experiment_id="0"),
    make_model("versions"),
    make("of a run's folder", f"{ARTIFACTS}/model", "{run}", description="d", tags=TWICE),
    make("of a run", "runs:/{run}/model", "{run}", run_link="https://example.com/1"),
    make("of a run's artifacts", ARTIFACTS, "{run}"),
    make("of another version", f"models:/{CHURN}/1"),
    make("of the newest version", f"models:/{CHURN}/latest"),
    make("of a stage", f"models:/{CHURN}/none"),
    make("of another version and its run", f"models:/{CHURN}/1", "{run}"),
    make("of another version and a wrong run", f"models:/{CHURN}/1", "{other}"),
    make("of a version that is not there", f"models:/{CHURN}/99"),
    make("of an alias that is not there", f"models:/{CHURN}@nothing"),
    make("of a stage that is empty", f"models:/{CHURN}/Staging"),
    make("of a stage that is none", f"models:/{CHURN}/Limbo"),
    make("of a model that is not there", "models:/{unique} nobody/1"),
    make("of a logged model that is not there", "models:/m-" + NOBODY),
    make("of too many names", "models:/a/b/c"),
    make("of no name", "models:/"),
    make("of an empty suffix", f"models:/{CHURN}/"),
    make("of another run than said", "runs:/{run}/model", "{other}"),
    make("of another run's folder", f"{ARTIFACTS}/model", "{other}"),
    make("of a folder that is not there", f"mlflow-artifacts:/0/{NOBODY}/artifacts", NOBODY),
    make("of the root", "mlflow-artifacts:/", "{run}"),
    make("of what is above", f"{ARTIFACTS}/../../x", "{run}"),
    make("of what is above, escaped", f"{ARTIFACTS}/%2e%2e/x", "{run}"),
    make("of another host", "mlflow-artifacts://elsewhere/0/{run}/artifacts", "{run}"),
    make("of a local file", "file:///etc", "{run}"),
    make("of a local path", "/etc/passwd", "{run}"),
    make("of a relative path", "model", "{run}"),
    make("of the web", "http://example.com/model", "{run}"),
    make("of nothing", "", "{run}"),
    make("of a number", 5, "{run}"),  # type: ignore[arg-type]
    make("of what only prompts have", "dummy-source", "{run}"),
    post("version: no source is said", f"{VERSIONS}/create", {"name": CHURN}),
    post("version: no name is said", f"{VERSIONS}/create", {"source": "runs:/{run}/m"}),
    make("of a model nobody made", "runs:/{run}/model", "{run}", name="{unique} nobody"),
    make("a bad key of a tag", "runs:/{run}/m", "{run}", tags=[{"key": "a#b", "value": "v"}]),
    make("tags that are no list", "runs:/{run}/m", "{run}", tags="k"),
    get("version: what there is", f"{VERSIONS}/search", {"filter": f"name = '{CHURN}'"}),
    get("version: what is newest", f"{MODELS}/get", {"name": CHURN}),
    read("where it is", "get-download-uri"),
    read("where one of a run is", "get-download-uri", version="2"),
    read("where one of another version is", "get-download-uri", version="4"),
    make("of a run without saying so", "runs:/{run}/model"),
    make("of a folder without saying so", f"{ARTIFACTS}/model"),
    make("of a run that is not there", f"runs:/{NOBODY}/model", NOBODY),
    make("of a bucket", "s3://bucket/model", "{run}"),
    make("of a file system", "dbfs:/model", "{run}"),
)

CHANGED = scenario(
    "versions are changed",
    some_versions("changed", 3),
    read("it is read"),
    read("it is not there", version="99"),
    read("it is no number", version="one"),
    read("it is less than none", version="-1"),
    read("its number is huge", version="9" * 19),
    read("nobody's is read", name="{unique} nobody"),
    get("version: none is said", f"{VERSIONS}/get", {"name": CHURN}),
    get("version: nothing is said", f"{VERSIONS}/get"),
    get("version: where none is", f"{VERSIONS}/get-download-uri", {"name": CHURN}),
    get("version: where nothing is", f"{VERSIONS}/get-download-uri"),
    read("where no version is", "get-download-uri", version="99"),
    of("it is described", "update", "PATCH", description="# Card"),
    of("it is read with its card", "update", "PATCH", description="# Card"),
    of("it is not described any more", "update", "PATCH"),
    of("as a number it is described", "update", "PATCH", version=1, description="d"),
    of("nobody is described", "update", "PATCH", version="99", description="d"),
    of("it is tagged", "set-tag", key="k", value="v"),
    of("it is tagged with nothing", "set-tag", key="empty"),
    of("it is tagged without key", "set-tag", value="v"),
    of("it is tagged too long", "set-tag", key="k", value="v" * 100_001),
    of("it is tagged by a bad key", "set-tag", key="a#b", value="v"),
    of("nobody is tagged", "set-tag", version="99", key="k", value="v"),
    read("it is read with tags"),
    of("its tag is removed", "delete-tag", "DELETE", key="k"),
    of("its tag is removed again", "delete-tag", "DELETE", key="k"),
    of("no tag of it is removed", "delete-tag", "DELETE"),
    of("nobody's tag is removed", "delete-tag", "DELETE", version="99", key="k"),
    of("it is deleted", "delete", "DELETE", version="2"),
    of("it is deleted again", "delete", "DELETE", version="2"),
    of("nobody is deleted", "delete", "DELETE", version="99"),
    read("it is gone", version="2"),
    of("what is gone is tagged", "set-tag", version="2", key="k", value="v"),
    make_version("changed", "a version after the end of one", "runs:/{run}/model", "{run}"),
)


def move(name: str, version: str, stage: str, **more: object) -> Call:
    return of(name, "transition-stage", version=version, stage=stage, **more)


def latest(name: str, /, **body: object) -> Call:
    return post(f"latest: {name}", f"{MODELS}/get-latest-versions", {"name": CHURN, **body})


STAGES = scenario(
    "stages",
    some_versions("stages", 4),
    move("it is staged", "1", "Staging"),
    move("it is staged again", "1", "staging"),
    move("it is in production", "2", "PRODUCTION", archive_existing_versions=True),
    move("another is in production", "3", "Production", archive_existing_versions=True),
    move("both are in production", "2", "Production", archive_existing_versions=False),
    move("in no stage", "1", "Limbo"),
    move("in an empty stage", "1", ""),
    move("archived with others", "1", "Archived", archive_existing_versions=True),
    move("to None with others", "1", "None", archive_existing_versions=True),
    move("it is not there to move", "99", "Staging"),
    of("moved nowhere", "transition-stage"),
    move("archiving by a word", "1", "Staging", archive_existing_versions="true"),
    latest("of all"),
    latest("of one", stages=["production"]),
    latest("of two", stages=["Staging", "None"]),
    latest("of none", stages=[]),
    latest("of a wrong one", stages=["Limbo"]),
    latest("of a word", stages="Staging"),
    latest("of nobody", name="{unique} nobody"),
    post("latest: no name is said", f"{MODELS}/get-latest-versions", {}),
    get(
        "latest: by GET",
        f"{MODELS}/get-latest-versions",
        {"name": CHURN, "stages": ["Staging", "Archived"]},
    ),
    get("latest: by GET, all", f"{MODELS}/get-latest-versions", {"name": CHURN}),
    get("latest: the model has them", f"{MODELS}/get", {"name": CHURN}),
)

GREET = "{unique} greet"
TEXT = [*PROMPT, {"key": "mlflow.prompt.text", "value": "Hello!"}]


def prompt(name: str, source: str, tags: object = TEXT, **more: object) -> Call:
    body = {"name": GREET, "source": source, "tags": tags, **more}
    return post(f"prompt: {name}", f"{VERSIONS}/create", body)


PROMPTS = scenario(
    "prompts",
    make_model("prompts"),
    make_model("prompts", GREET, tags=PROMPT),
    post("prompt: a model of its name", f"{MODELS}/create", {"name": GREET}),
    prompt("a version", "dummy-source", description="first"),
    prompt("as servers make it", "prompt-template"),
    prompt("from a file", "file:///etc/passwd"),
    prompt("from a bucket", "s3://bucket/prompt"),
    prompt("that is not one", "dummy-source", []),
    get("prompt: is read", f"{VERSIONS}/get", {"name": GREET, "version": "1"}),
    get("prompt: where it is", f"{VERSIONS}/get-download-uri", {"name": GREET, "version": "1"}),
    make_version("prompts", "a model of a prompt", f"models:/{GREET}/1"),
    post("prompt: its alias", f"{MODELS}/alias", {"name": GREET, "alias": "live", "version": "2"}),
    get("prompt: by its alias", f"{MODELS}/alias", {"name": GREET, "alias": "live"}),
)


def log_model(letter: str, **more: object) -> Call:
    body = {"experiment_id": "{experiment}", "name": letter, **more}
    save = {letter: "model.info.model_id", f"root_{letter}": "model.info.artifact_uri"}
    return post(f"version: a logged model {letter}", "logged-models", body, save=save)


LOGGED = scenario(
    "versions of logged models",
    make_experiment("registered"),
    make_run("logged"),
    make_run("logged", "other"),
    make_model("logged"),
    log_model("a", source_run_id="{run}"),
    log_model("b"),
    make("of a logged model", "models:/{a}", model_id="{a}"),
    make("of a logged model and its run", "models:/{a}", "{run}", model_id="{a}"),
    make("of a logged model's folder", "mlflow-artifacts:/{root_a}", model_id="{a}"),
    make(
        "of a folder in a logged model", "mlflow-artifacts:/{root_a}/part", "{run}", model_id="{a}"
    ),
    make("of a logged model without a run", "models:/{b}", model_id="{b}"),
    make("of another logged model than said", "models:/{a}", model_id="{b}"),
    make("of a logged model's folder, and not its", "mlflow-artifacts:/{root_a}", model_id="{b}"),
    make("of a run and a logged model", "runs:/{run}/model", "{run}", model_id="{a}"),
    make("of a logged model's version", f"models:/{CHURN}/1"),
    read("where a logged model is", "get-download-uri"),
    read("where its folder is", "get-download-uri", version="4"),
    read("where its version is", "get-download-uri", version="6"),
    get("version: the logged model knows", "logged-models/{a}"),
    make("of a deleted logged model, before", "models:/{b}", model_id="{b}"),
    change("DELETE", "version: a logged model is deleted", "logged-models/{b}", {}),
    make("of a deleted logged model", "models:/{b}", model_id="{b}"),
    make("of a logged model without saying so", "models:/{a}"),
)

SCENARIOS = (MADE, CHANGED, STAGES, PROMPTS, LOGGED)
