"""Runs: create, read, update, tag, parametrise, delete and restore."""

from __future__ import annotations

from collections.abc import Mapping

from .call import Call, get, make_experiment, make_run, post, scenario

MISSING = "Missing value for required parameter "
NOBODY = "f" * 32
RUN = {"run_id": "{run}"}
BY_UUID = {"run_uuid": "{run}"}


def create(name: str, save: Mapping[str, str] | None = None, **body: object) -> Call:
    body = {"experiment_id": "{experiment}", **body}
    return post(f"runs: {name}", "runs/create", body, save=save or {})


def update(name: str, **body: object) -> Call:
    return post(f"runs: {name}", "runs/update", {**RUN, **body})


def read(name: str, run: str = "{run}") -> Call:
    return get(f"runs: {name}", "runs/get", {"run_id": run})


def tag(name: str, **body: object) -> Call:
    return post(f"run tags: {name}", "runs/set-tag", {**RUN, **body})


def untag(name: str, **body: object) -> Call:
    return post(f"run tags: {name}", "runs/delete-tag", {**RUN, **body})


def param(name: str, **body: object) -> Call:
    return post(f"params: {name}", "runs/log-parameter", {**RUN, **body})


def find(name: str, **body: object) -> Call:
    return post(f"runs: {name}", "runs/search", {"experiment_ids": ["{experiment}"], **body})


NAME_TAG = {"key": "mlflow.runName", "value": "by tag"}
# Stock loses the name with what it cannot parse before it, and makes one up.
LOST_NAME = {"lost_name": "run.info.run_name"}
LATER_NAME = {"later_lost_name": "run.info.run_name"}

CREATE = scenario(
    "creating runs",
    make_experiment("create runs"),
    post(
        "runs: a full one",
        "runs/create",
        {
            "experiment_id": "{experiment}",
            "user_id": "ann",
            "run_name": "full",
            "start_time": 1700000000123,
            "tags": [{"key": "mlflow.user", "value": "bob"}, {"key": "a/b c", "value": "ä"}],
        },
        save={"run": "run.info.run_id"},
    ),
    read("the full one is read"),
    get("runs: read by run_uuid", "runs/get", BY_UUID),
    get("runs: read by both", "runs/get", {"run_uuid": NOBODY, "run_id": "{run}"}),
    post(
        "runs: an anonymous one",
        "runs/create",
        {"experiment_id": "{experiment}"},
        save={"anonymous": "run.info.run_id", "generated_name": "run.info.run_name"},
    ),
    read("the anonymous one is read", "{anonymous}"),
    create("start time as a string", start_time="1700000000123", run_name="s"),
    create("start time is no number", start_time="now", run_name="s"),
    create("start time with a fraction", save=LOST_NAME, start_time=1.5, run_name="s"),
    create("start time of zero decimals", start_time=2.0, run_name="s"),
    create("start time before 1970", start_time=-5, run_name="s"),
    create("start time beyond int64", save=LATER_NAME, start_time=2**63, run_name="s"),
    create("name by tag", tags=[NAME_TAG]),
    create("name and tag agree", run_name="by tag", tags=[NAME_TAG]),
    create("name and tag disagree", run_name="other", tags=[NAME_TAG]),
    create("empty name, name by tag", run_name="", tags=[NAME_TAG]),
    create("a number as a name", run_name=5),
    create("a name of 250", run_name="n" * 250),
    create("two tags of one key", run_name="t", tags=[{"key": "k", "value": "1"}] * 2),
    create("a tag without value", run_name="t", tags=[{"key": "k"}]),
    create("a tag without key", run_name="t", tags=[{"value": "v"}]),
    create("a tag with a bad key", run_name="t", tags=[{"key": "a*b", "value": "v"}]),
    create("a tag of 8001", run_name="t", tags=[{"key": "k", "value": "v" * 8001}]),
    create("tags that are no list", run_name="t", tags={"k": "v"}),
    create(
        "a child",
        run_name="child",
        tags=[{"key": "mlflow.parentRunId", "value": "{run}"}],
    ),
    create(
        "a child of nobody",
        run_name="orphan",
        tags=[{"key": "mlflow.parentRunId", "value": NOBODY}],
    ),
    post("runs: no such experiment", "runs/create", {"experiment_id": "987654321"}),
    post("runs: experiment is no number", "runs/create", {"experiment_id": "abc"}),
    post("runs: experiment as a number", "runs/create", {"experiment_id": 0, "run_name": "n"}),
    read("no such run", NOBODY),
    read("no run id at all", ""),
    read("an id that is none", "not/an id"),
    get("runs: an id is needed", "runs/get", says=MISSING + "'run_id'"),
)

UPDATE = scenario(
    "updating runs",
    make_experiment("update runs"),
    make_run("update"),
    update("finished", status="FINISHED", end_time=1700000000999),
    read("the finished one"),
    update("end time as a string", end_time="1700000001000"),
    update("end time is no number", end_time="later"),
    update("end time with a fraction", end_time=1.5),
    update("end time of zero", end_time=0),
    update("status failed", status="FAILED"),
    update("status scheduled", status="SCHEDULED"),
    update("status killed", status="KILLED"),
    update("status as a number", status=1),
    update("status that is not there", status="DREAMING"),
    update("status in small letters", status="finished"),
    update("status as a wrong number", status=77),
    update("status null", status=None),
    update("renamed", run_name="new name"),
    read("the renamed one"),
    update("an empty name", run_name=""),
    update("a number as a new name", run_name=7),
    update("nothing at all"),
    post("runs: updated by run_uuid", "runs/update", {**BY_UUID, "status": "RUNNING"}),
    post("runs: an id is needed to update", "runs/update", {"status": "FINISHED"}, says=MISSING),
    update("nobody is updated", run_id=NOBODY, status="FINISHED"),
    read("what became of it"),
)

TAGS = scenario(
    "tagging runs",
    make_experiment("tag runs"),
    make_run("tags"),
    tag("set", key="k", value="1"),
    tag("set again", key="k", value="2"),
    tag("an empty value", key="empty", value=""),
    tag("no value", key="none"),
    tag("a null value", key="none", value=None),
    tag("a number", key="n", value=1),
    tag("a letter beyond ASCII in the key", key="größe", value="1"),
    tag("all good characters", key="a/b_c-d.e f:g", value="1"),
    tag("key of 250", key="k" * 250, value="1"),
    tag("key of 251", key="k" * 251, value="1"),
    tag("value of 8000", key="long", value="v" * 8000),
    tag("value of 8001", key="longer", value="v" * 8001),
    tag("no key", value="1"),
    tag("an empty key", key="", value="1"),
    tag("a star in the key", key="a*b", value="1"),
    tag("a double slash in the key", key="a//b", value="1"),
    tag("a climbing key", key="../a", value="1"),
    tag("a rooted key", key="/a", value="1"),
    tag("a dot as key", key=".", value="1"),
    tag("a slash at the end of the key", key="a/", value="1"),
    tag("the run's name", key="mlflow.runName", value="named by tag"),
    tag("an empty name", key="mlflow.runName", value=""),
    post("run tags: set by run_uuid", "runs/set-tag", {**BY_UUID, "key": "u", "value": "1"}),
    tag("nobody", run_id=NOBODY, key="k", value="1"),
    post("run tags: no run", "runs/set-tag", {"key": "k", "value": "1"}, says=MISSING),
    read("all tags"),
    untag("deleted", key="k"),
    untag("a missing one deleted", key="k"),
    untag("no key to delete"),
    untag("the name deleted", key="mlflow.runName"),
    untag("deleted of nobody", run_id=NOBODY, key="k"),
    read("tags that are left"),
)

PARAMS = scenario(
    "parameters of runs",
    make_experiment("parameters"),
    make_run("params"),
    param("logged", key="lr", value="0.1"),
    param("the same again", key="lr", value="0.1"),
    param("another value", key="lr", value="0.2"),
    param("an empty value", key="empty", value=""),
    param("no value", key="none"),
    param("no value again", key="none"),
    param("a number", key="n", value=5),
    param("a key that differs by case", key="LR", value="x"),
    param("value of 6000", key="long", value="v" * 6000),
    param("value of 6001", key="longer", value="v" * 6001),
    param("value of 6001 again", key="longer", value="v" * 6001),
    param("key of 250", key="k" * 250, value="1"),
    param("key of 251", key="k" * 251, value="1"),
    param("no key", value="1"),
    param("an empty key", key="", value="1"),
    param("a bad key", key="a;b", value="1"),
    param("a climbing key", key="a/../b", value="1"),
    param("nobody", run_id=NOBODY, key="k", value="1"),
    post("params: by run_uuid", "runs/log-parameter", {**BY_UUID, "key": "u", "value": "1"}),
    read("all parameters"),
    param("a value with NUL", key="nul", value="a\x00b"),
)

DELETE = scenario(
    "deleting runs",
    make_experiment("delete runs"),
    make_run("deleted run"),
    post("runs: deleted", "runs/delete", RUN),
    read("a deleted one is read"),
    post("runs: deleted again", "runs/delete", RUN),
    update("a deleted one", status="FINISHED"),
    tag("a deleted run", key="k", value="1"),
    untag("deleted of a deleted run", key="mlflow.runName"),
    param("a deleted run", key="k", value="1"),
    post(
        "runs: metric of a deleted one",
        "runs/log-metric",
        {**RUN, "key": "m", "value": 1, "timestamp": 1},
    ),
    post("runs: batch of a deleted one", "runs/log-batch", {**RUN, "params": [{"key": "p"}]}),
    post("runs: empty batch of a deleted one", "runs/log-batch", RUN),
    post("runs: inputs of a deleted one", "runs/log-inputs", {**RUN, "datasets": []}),
    get("runs: history of a deleted one", "metrics/get-history", {**RUN, "metric_key": "m"}),
    find("active ones"),
    find("deleted ones", run_view_type="DELETED_ONLY"),
    post("runs: restored", "runs/restore", RUN),
    post("runs: restored again", "runs/restore", RUN),
    read("a restored one is read"),
    post("runs: nobody is deleted", "runs/delete", {"run_id": NOBODY}),
    post("runs: nobody is restored", "runs/restore", {"run_id": NOBODY}),
    post("runs: an id is needed to delete", "runs/delete", {}, says=MISSING + "'run_id'"),
    post("runs: an id is needed to restore", "runs/restore", {}, says=MISSING + "'run_id'"),
    post("runs: deleted by run_uuid", "runs/delete", BY_UUID),
)

SCENARIOS = (CREATE, UPDATE, TAGS, PARAMS, DELETE)
