"""Experiments: rename, tag, delete and restore them."""

from __future__ import annotations

from .call import Call, get, make_experiment, make_run, post, scenario

MISSING = "Missing value for required parameter "
NOBODY = "987654321"
ITSELF = {"experiment_id": "{experiment}"}
RUN = {"run_id": "{run}"}


def rename(name: str, new_name: str, experiment: str = "{experiment}", **more: str) -> Call:
    body = {"experiment_id": experiment, "new_name": new_name}
    return post(name, "experiments/update", body, **more)


def tag(name: str, says: str = "", **body: object) -> Call:
    return post(name, "experiments/set-experiment-tag", {**ITSELF, **body}, says=says)


def untag(name: str, says: str = "", **body: object) -> Call:
    return post(name, "experiments/delete-experiment-tag", {**ITSELF, **body}, says=says)


def read(name: str) -> Call:
    return get(name, "experiments/get", ITSELF)


def find(name: str, experiment: str = "{experiment}", **body: object) -> Call:
    return post(name, "runs/search", {"experiment_ids": [experiment], **body})


RENAME = scenario(
    "renaming experiments",
    make_experiment("rename"),
    make_experiment("taken", "taken"),
    rename("renamed", "{unique} new"),
    read("the new name is read"),
    get(
        "the old name is gone",
        "experiments/get-by-name",
        {"experiment_name": "{unique} rename"},
    ),
    rename("renamed to its own name", "{unique} new"),
    rename("renamed to a taken name", "{unique} taken"),
    post("renamed to nothing", "experiments/update", ITSELF, says=MISSING + "'new_name'"),
    rename("renamed to an empty name", "", says=MISSING + "'new_name'"),
    rename("renamed to a long name", "n" * 501),
    rename("no such experiment to rename", "{unique} z", NOBODY),
    post("an id is needed to rename", "experiments/update", {"new_name": "z"}, says=MISSING),
)

TAG = scenario(
    "tagging experiments",
    make_experiment("tag"),
    tag("an experiment tag is set", key="k", value="1"),
    tag("it is set again", key="k", value="2"),
    tag("an empty experiment tag", key="empty", value=""),
    tag("an experiment tag without value", key="none"),
    read("the experiment tags are read"),
    tag("a key is needed", MISSING + "'key'", value="2"),
    tag("an empty key is none", MISSING + "'key'", key="", value="2"),
    tag("an id is needed to tag", MISSING, experiment_id=None, key="k", value="2"),
    tag("a number as an experiment tag", key="k", value=2),
    tag("an experiment tag with a climbing key", key="../x", value="2"),
    tag("an experiment tag with a long key", key="k" * 251, value="2"),
    tag("an experiment tag of 20000", key="big", value="v" * 20000),
    tag("an experiment tag of 20001", key="big", value="v" * 20001),
    tag("no such experiment to tag", experiment_id=NOBODY, key="k", value="2"),
    untag("an experiment tag is deleted", key="big"),
    untag("a missing experiment tag is deleted", key="big"),
    untag("a key is needed to delete", MISSING + "'key'"),
    read("the experiment tags that are left"),
)

DELETE = scenario(
    "deleting experiments",
    make_experiment("delete"),
    make_run("delete"),
    make_run("delete", "deleted_before"),
    post("a run is deleted before its experiment", "runs/delete", {"run_id": "{deleted_before}"}),
    post("an experiment is deleted", "experiments/delete", ITSELF),
    post("it is deleted again", "experiments/delete", ITSELF),
    read("a deleted experiment is read"),
    get(
        "a deleted experiment is read by name",
        "experiments/get-by-name",
        {"experiment_name": "{unique} delete"},
    ),
    get("its run is deleted with it", "runs/get", RUN),
    post("its name stays taken", "experiments/create", {"name": "{unique} delete"}),
    rename("a deleted experiment is renamed", "{unique} no"),
    tag("a deleted experiment is tagged", key="k", value="1"),
    untag("a deleted experiment's tag is deleted", key="k"),
    post("a run in a deleted experiment", "runs/create", ITSELF),
    find("runs of a deleted experiment, active"),
    find(
        "runs of a deleted experiment, deleted",
        run_view_type="DELETED_ONLY",
        filter="run_name = 'run'",
    ),
    post("a run is restored in a deleted experiment", "runs/restore", RUN),
    get("that run is active", "runs/get", RUN),
    post(
        "a metric in a deleted experiment",
        "runs/log-metric",
        {"run_id": "{run}", "key": "m", "value": 1, "timestamp": 1},
    ),
    post("an experiment is restored", "experiments/restore", ITSELF),
    post("an active experiment is restored", "experiments/restore", ITSELF),
    read("a restored experiment is read"),
    get("its run is restored with it", "runs/get", RUN),
    get("so is a run that was deleted before", "runs/get", {"run_id": "{deleted_before}"}),
    post("no such experiment to delete", "experiments/delete", {"experiment_id": NOBODY}),
    post("no such experiment to restore", "experiments/restore", {"experiment_id": NOBODY}),
    post("an id is needed to delete", "experiments/delete", {}, says=MISSING),
    post("an id is needed to restore", "experiments/restore", {}, says=MISSING),
    post("an id that is no number is deleted", "experiments/delete", {"experiment_id": "abc"}),
)

DEFAULT = scenario(
    "the default experiment",
    post("the default experiment is deleted", "experiments/delete", {"experiment_id": "0"}),
    post("a run in the deleted default", "runs/create", {"experiment_id": "0"}),
    post("the default experiment is restored", "experiments/restore", {"experiment_id": "0"}),
    post("a run in the default", "runs/create", {"experiment_id": "0", "run_name": "{unique}"}),
    post("a run without experiment", "runs/create", {"run_name": "{unique}"}),
    find("the default's runs", "0", filter="run_name = '{unique}'", max_results=1),
)

SCENARIOS = (RENAME, TAG, DELETE, DEFAULT)
