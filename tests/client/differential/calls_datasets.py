"""Datasets: inputs of runs, and searching by them."""

from __future__ import annotations

from .call import Call, Fields, get, make_experiment, make_run, post, scenario
from .calls_filters import where

CONTEXT = "mlflow.data.context"
DATASETS = "/ajax-api/2.0/mlflow/experiments/search-datasets"


def dataset(name: object = "iris", digest: object = "d1", **more: object) -> Fields:
    return {"name": name, "digest": digest, "source_type": "local", "source": "s", **more}


def used(dataset_: object, *contexts: str) -> Fields:
    tags = [{"key": CONTEXT, "value": context} for context in contexts]
    return {"dataset": dataset_, "tags": tags}


def tagged(digest: str, *tags: Fields) -> Fields:
    return {"dataset": dataset("t", digest), "tags": list(tags)}


def inputs(name: str, *datasets: object, run: str = "{run}", **more: object) -> Call:
    body = {"run_id": run, "datasets": list(datasets), **more}
    return post(f"datasets: {name}", "runs/log-inputs", body)


def read(name: str, run: str = "{run}") -> Call:
    return get(f"datasets: {name}", "runs/get", {"run_id": run})


LOG = scenario(
    "logging datasets",
    make_experiment("datasets"),
    make_run("datasets"),
    make_run("datasets", "second", 2000),
    make_run("datasets", "bare", 3000),
    # Stock stores datasets that we refuse; nothing reads what became of them.
    make_run("datasets", "careless", 4000),
    inputs("one is logged", used(dataset(schema="{}", profile='{"rows": 3}'), "training")),
    read("it is read"),
    inputs("the same again", used(dataset(), "training")),
    inputs("the same with another context", used(dataset(), "eval")),
    inputs("one without tags", {"dataset": dataset("plain", "p1")}),
    inputs("two at once", used(dataset("a", "1"), "x"), used(dataset("b", "2"), "y")),
    inputs("one twice in one call", used(dataset("c", "1"), "x"), used(dataset("c", "1"), "y")),
    inputs("the same in a second run", used(dataset(source="other"), "eval"), run="{second}"),
    read("all of the first run"),
    read("that of the second run", "{second}"),
    read("a run without datasets", "{bare}"),
    inputs("none"),
    post("datasets: nothing said", "runs/log-inputs", {"run_id": "{run}"}),
    inputs("no name", used({"digest": "1", "source_type": "l", "source": "s"}), run="{careless}"),
    inputs("no digest", used({"name": "n", "source_type": "l", "source": "s"}), run="{careless}"),
    inputs("no source", used({"name": "n", "digest": "1", "source_type": "l"}), run="{careless}"),
    inputs("no source type", used({"name": "n2", "digest": "1", "source": "s"}), run="{careless}"),
    inputs("an empty name", used(dataset("")), run="{careless}"),
    inputs("a name of 500", used(dataset("n" * 500)), run="{bare}"),
    inputs("a name of 501", used(dataset("n" * 501)), run="{bare}"),
    inputs("a digest of 36", used(dataset("d36", "d" * 36)), run="{bare}"),
    inputs("a digest of 37", used(dataset("d37", "d" * 37)), run="{bare}"),
    inputs("a source of 65536", used(dataset("s", "1", source="s" * 65536)), run="{bare}"),
    inputs("a schema of 1048576", used(dataset("s", "1", schema="s" * 1048576)), run="{bare}"),
    inputs("a tag without value", tagged("1", {"key": "k"}), run="{bare}"),
    inputs("a tag without key", tagged("2", {"value": "v"}), run="{careless}"),
    inputs("a tag key of 256", tagged("3", {"key": "k" * 256, "value": "v"}), run="{bare}"),
    inputs("a tag value of 501", tagged("4", {"key": "k", "value": "v" * 501}), run="{bare}"),
    inputs("two tags of one key", tagged("5", *[{"key": "k", "value": "1"}] * 2), run="{bare}"),
    inputs("no dataset in it", {"tags": []}, run="{careless}"),
    inputs("a word as dataset", "iris", run="{careless}"),
    post("datasets: no list", "runs/log-inputs", {"run_id": "{bare}", "datasets": "iris"}),
    inputs("nobody", used(dataset()), run="f" * 32),
    post("datasets: no run", "runs/log-inputs", {"datasets": []}, says="Missing value"),
    read("what is logged of all that", "{bare}"),
)

FIND = scenario(
    "finding by dataset",
    make_experiment("find datasets"),
    make_run("find datasets"),
    make_run("find datasets", "second", 2000),
    make_run("find datasets", "third", 3000),
    inputs("find: first", used(dataset("iris", "d1"), "training")),
    inputs("find: second", used(dataset("Iris", "d2"), "eval"), run="{second}"),
    inputs("find: second again", used(dataset("iris", "d1"), "eval"), run="{second}"),
    where("dataset.name = 'iris'"),
    where("datasets.name = 'iris'"),
    where("dataset.name != 'iris'"),
    where("dataset.name LIKE 'I%'"),
    where("dataset.name ILIKE 'I%'"),
    where("dataset.name IN ('iris', 'Iris')"),
    where("dataset.name NOT IN ('iris')"),
    where("datasets.digest = 'd2'"),
    where("dataset.digest IN ('d1')"),
    where("dataset.context = 'training'"),
    where("dataset.context LIKE '%a%'"),
    where("dataset.name = 'iris' AND dataset.context = 'eval'"),
    where("dataset.name = 'Iris' AND dataset.digest = 'd1'"),
    where("dataset.name = 'none'"),
    where("dataset.source = 's'"),
    where("dataset.name > 'a'"),
    where("dataset.name = 5"),
    where("dataset.name IS NULL"),
    post("datasets: of an experiment", DATASETS, {"experiment_ids": ["{experiment}"]}),
    post("datasets: of no experiment", DATASETS, {"experiment_ids": []}),
    post("datasets: of a missing experiment", DATASETS, {"experiment_ids": ["987654321"]}),
    post("datasets: of 21 experiments", DATASETS, {"experiment_ids": ["{experiment}"] * 21}),
)

SCENARIOS = (LOG, FIND)
