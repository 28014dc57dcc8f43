"""Registered models: made, named, described, tagged, deleted; their aliases."""

from __future__ import annotations

from typing import Any

from .call import Call, Fields, full_path, get, make_run, post, scenario

MODELS, VERSIONS = "registered-models", "model-versions"
CHURN = "{unique} churn"


def change(method: str, name: str, path: str, json: Fields) -> Call:
    return Call(name, method, full_path(path), json=json)


def make_model(title: str, name: str = CHURN, **more: Any) -> Call:
    return post(f"{title}: the model {name[9:]}", f"{MODELS}/create", {"name": name, **more})


def make_version(title: str, name: str, source: str, run: str = "", /, **more: Any) -> Call:
    said = {"run_id": run} if run else {}
    body = {"name": CHURN, "source": source, **said, **more}
    return post(f"{title}: {name}", f"{VERSIONS}/create", body)


def some_versions(title: str, count: int) -> tuple[Call, ...]:
    """An experiment of ours is not needed: the Default one has the same id everywhere."""
    run = make_run(title, start_time=1000, experiment_id="0")
    source = "runs:/{run}/model"
    versions = [
        make_version(title, f"version {number + 1}", source, "{run}") for number in range(count)
    ]
    return (run, make_model(title), *versions)


def model(name: str, path: str, json: object) -> Call:
    return post(f"model: {name}", f"{MODELS}/{path}", json)


def read(name: str, query: dict[str, str] | None = None) -> Call:
    return get(f"model: {name}", f"{MODELS}/get", query or {"name": CHURN})


def update(name: str, /, **body: object) -> Call:
    return change("PATCH", f"model: {name}", f"{MODELS}/update", body)


def tag(name: str, /, **body: object) -> Call:
    return model(name, "set-tag", {"name": CHURN, **body})


def untag(name: str, /, **body: object) -> Call:
    return change("DELETE", f"model: {name}", f"{MODELS}/delete-tag", {"name": CHURN, **body})


def rename(name: str, /, **body: object) -> Call:
    return model(name, "rename", {"name": CHURN, **body})


def remove(name: str, /, **body: object) -> Call:
    return change("DELETE", f"model: {name}", f"{MODELS}/delete", body)


TWICE = [{"key": "k", "value": "old"}, {"key": "k", "value": "new"}]
PROMPT = [{"key": "mlflow.prompt.is_prompt", "value": "true"}]

LIFE = scenario(
    "registered models",
    model("it is made", "create", {"name": CHURN, "description": "d", "tags": TWICE}),
    model("it is made again", "create", {"name": CHURN}),
    model("a prompt of its name", "create", {"name": CHURN, "tags": PROMPT}),
    model("another one", "create", {"name": "{unique} other", "description": ""}),
    model("no name", "create", {}),
    model("an empty name", "create", {"name": ""}),
    model("a blank name", "create", {"name": "  "}),
    model("a name with a slash", "create", {"name": "a/b"}),
    model("a name with a colon", "create", {"name": "a:b"}),
    model("a dot for a name", "create", {"name": "."}),
    model("two dots for a name", "create", {"name": ".."}),
    model("a number for a name", "create", {"name": 5}),
    model("tags that are no list", "create", {"name": "{unique} t", "tags": "k"}),
    model("a number for a description", "create", {"name": "{unique} d", "description": 5}),
    model(
        "a bad key of a tag",
        "create",
        {"name": "{unique} k", "tags": [{"key": "a#b", "value": "v"}]},
    ),
    read("it is read"),
    read("nobody is read", {"name": "{unique} nobody"}),
    read("no name to read", {}),
    read("an empty name to read", {"name": ""}),
    update("it is described", name=CHURN, description="# Card"),
    update("it is not described any more", name=CHURN),
    update("nobody is described", name="{unique} nobody", description="d"),
    update("described by a number", name=CHURN, description=5),
    update("described without a name", description="d"),
    tag("a tag", key="team", value="sales"),
    tag("a tag is changed", key="team", value="vision"),
    tag("a tag without value", key="empty"),
    tag("a tag without key", value="v"),
    tag("a key with a hash", key="a#b", value="v"),
    tag("a key of 250", key="k" * 250, value="v"),
    tag("a key of 251", key="k" * 251, value="v"),
    tag("a value of 100000", key="long", value="v" * 100_000),
    tag("a value of 100001", key="long", value="v" * 100_001),
    tag("a number as tag", key="n", value=5),
    model("a tag of nobody", "set-tag", {"name": "{unique} nobody", "key": "k", "value": "v"}),
    untag("a tag is removed", key="long"),
    untag("a tag is removed again", key="long"),
    untag("a key with a hash is removed", key="a#b"),
    untag("no key is removed"),
    read("with its tags"),
    rename("a name that is taken", new_name="{unique} other"),
    rename("no new name"),
    rename("a bad new name", new_name="a/b"),
    rename("its own name", new_name=CHURN),
    rename("a new name", new_name="{unique} loyalty"),
    rename("its old name is gone", new_name="{unique} x"),
    read("under its new name", {"name": "{unique} loyalty"}),
    remove("it is deleted", name="{unique} loyalty"),
    remove("it is deleted again", name="{unique} loyalty"),
    remove("no name to delete"),
    read("it is gone", {"name": "{unique} loyalty"}),
    model("its name is free", "create", {"name": "{unique} loyalty"}),
)


def set_alias(name: str, /, **body: object) -> Call:
    body = {"name": CHURN, "alias": "champion", "version": "1", **body}
    return post(f"alias: {name}", f"{MODELS}/alias", body)


def get_alias(name: str, alias: str = "champion", model: str = CHURN) -> Call:
    return get(f"alias: {name}", f"{MODELS}/alias", {"name": model, "alias": alias})


def remove_alias(name: str, /, **body: object) -> Call:
    body = {"name": CHURN, "alias": "champion", **body}
    return change("DELETE", f"alias: {name}", f"{MODELS}/alias", body)


ALIASES = scenario(
    "aliases",
    some_versions("aliases", 3),
    set_alias("it is set"),
    get_alias("it is found"),
    set_alias("it moves", version="2"),
    set_alias("it stays", version="2"),
    get_alias("it has moved"),
    set_alias("another one of the version", alias="next-1_b", version="2"),
    get("alias: the model has both", f"{MODELS}/get", {"name": CHURN}),
    get("alias: the version has both", f"{VERSIONS}/get", {"name": CHURN, "version": "2"}),
    set_alias("a version that is not there", version="9"),
    set_alias("a version that is no number", version="two"),
    set_alias("a version as a number", version=2),
    set_alias("a model that is not there", name="{unique} nobody"),
    set_alias("latest", alias="latest"),
    set_alias("LATEST", alias="LATEST"),
    set_alias("a version's name", alias="v12"),
    set_alias("a version's name and more", alias="v12a"),
    set_alias("a blank in it", alias="a b"),
    set_alias("a letter of Greek", alias="α"),
    set_alias("255 letters", alias="a" * 255),
    set_alias("256 letters", alias="a" * 256),
    set_alias("an empty one", alias=""),
    post("alias: none is said", f"{MODELS}/alias", {"name": CHURN, "version": "1"}),
    post("alias: no version is said", f"{MODELS}/alias", {"name": CHURN, "alias": "a"}),
    get_alias("the newest", "latest"),
    get_alias("the newest, loudly", "LATEST"),
    get_alias("it is not there", "nothing"),
    get_alias("of nobody", "a", "{unique} nobody"),
    get_alias("latest of nobody", "latest", "{unique} nobody"),
    get_alias("looked up with a blank", "a b"),
    get("alias: looked up without one", f"{MODELS}/alias", {"name": CHURN}),
    remove_alias("it is removed"),
    remove_alias("it is removed again"),
    remove_alias("of nobody is removed", name="{unique} nobody"),
    remove_alias("with a blank is removed", alias="a b"),
    change("DELETE", "alias: none to remove", f"{MODELS}/alias", {"name": CHURN}),
    change(
        "DELETE", "alias: its version goes", f"{VERSIONS}/delete", {"name": CHURN, "version": "2"}
    ),
    get_alias("it went with its version", "next-1_b"),
)

SCENARIOS = (LIFE, ALIASES)
