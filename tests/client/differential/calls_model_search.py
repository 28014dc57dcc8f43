"""Metrics of logged models, and finding models by what was said and measured of them."""

from __future__ import annotations

from .call import Call, Fields, get, make_experiment, make_run, post, scenario
from .calls_logged_models import NOBODY, finish, make, pairs, read, remove

POINT: Fields = {"key": "acc", "timestamp": 10, "step": 1}
IRIS: Fields = {"dataset_name": "iris", "dataset_digest": "d1"}
WINE: Fields = {"dataset_name": "wine", "dataset_digest": "d2"}


def measure(name: str, value: object, run: str = "{run}", **more: object) -> Call:
    return post(
        f"models: {name}", "runs/log-metric", {**POINT, "run_id": run, "value": value, **more}
    )


def batch(name: str, *points: Fields) -> Call:
    body = {"run_id": "{run}", "metrics": [{**POINT, **point} for point in points]}
    return post(f"models: {name}", "runs/log-batch", body)


def search(name: str, experiments: object = ("{experiment}",), **body: object) -> Call:
    body = {"experiment_ids": experiments, **body}
    return post(f"models: {name}", "logged-models/search", body)


def where(text: str, **more: object) -> Call:
    return search(f"where {text}", filter=text, **more)


def by(name: str, *fields: object, **more: object) -> Call:
    return search(f"by {name}", order_by=list(fields), **more)


def field(name: object, *, descending: bool = False, **dataset: object) -> Fields:
    return {"field_name": name, "ascending": not descending, **dataset}


MODELS = (
    make_experiment("finding models"),
    make_run("finding models"),
    make_run("finding models", "second"),
    make("to be found: alpha", "alpha", source_run_id="{run}", model_type="tree",
         params=pairs(depth="3"), tags=pairs(team="x", stage="old")),
    make("to be found: beta", "beta", model_type="linear", params=pairs(depth="5", lr="0.1")),
    make("to be found: gamma", "gamma", tags=pairs(team="y")),
    make("not to be found", "lost"),
    remove("not to be found, it is deleted", "{lost}"),
)  # fmt: skip

METRICS = scenario(
    "metrics of logged models",
    *MODELS,
    measure("measured of none", 0.1),
    measure("measured of alpha", 0.2, step=2, model_id="{alpha}"),
    measure("measured of alpha again", 0.2, step=2, model_id="{alpha}"),
    measure("measured on a dataset", 0.3, step=3, model_id="{alpha}", **IRIS),
    measure("measured on a dataset of no digest", 0.4, step=4, model_id="{alpha}",
            dataset_name="iris"),
    measure("measured on a dataset of no name", 0.4, step=4, model_id="{alpha}",
            dataset_digest="d1"),
    measure("measured on half a dataset of no model", 0.4, step=4, dataset_name="iris"),
    measure("measured on a dataset of no model", 0.5, step=5, **IRIS),
    measure("measured by the second run", 0.6, "{second}", step=6, model_id="{alpha}"),
    measure("measured of an empty id", 0.7, step=7, model_id=""),
    measure("measured of a number", 0.7, step=7, model_id=5),
    measure("measured of nobody", 0.8, step=8, model_id=NOBODY),
    measure("measured of what is no id", 0.8, step=8, model_id="zz"),
    measure("measured of a deleted one", 0.9, step=9, model_id="{lost}"),
    measure("measured infinity", "Infinity", key="inf", model_id="{alpha}"),
    measure("measured no number", "NaN", key="nan", model_id="{alpha}"),
    batch("a batch of two models and of none",
          {"key": "loss", "value": 3.5, "step": 1, "model_id": "{beta}", **WINE},
          {"key": "loss", "value": 2.5, "step": 2, "model_id": "{beta}", **WINE},
          {"key": "loss", "value": 4.5, "step": 3, "model_id": "{gamma}"},
          {"key": "loss", "value": 5.5, "step": 4}),
    read("all that was measured of alpha", "{alpha}"),
    read("all that was measured of beta", "{beta}"),
    read("all that was measured of gamma", "{gamma}"),
    get("models: the run's own metrics", "runs/get", {"run_id": "{second}"}),
    get("models: the run's own history", "metrics/get-history",
        {"run_id": "{run}", "metric_key": "loss"}),
)  # fmt: skip

FIND = scenario(
    "finding logged models",
    *(Call(**{**vars(call), "name": f"{call.name}, once more"}) for call in MODELS),
    measure("find: alpha's first accuracy", 0.9, step=1, model_id="{alpha}", **WINE),
    measure("find: alpha's accuracy", 0.5, step=2, timestamp=20, model_id="{alpha}", **IRIS),
    measure("find: beta's accuracy", 0.7, model_id="{beta}", **IRIS),
    measure("find: gamma's loss", 0.25, key="loss", model_id="{gamma}"),
    search("all are found"),
    where("name = 'alpha'"),
    where("attributes.name = 'alpha'"),
    where("attribute.name = 'alpha'"),
    where("name != 'alpha'"),
    where("name LIKE '%A'"),
    where("name LIKE '%a'"),
    where("name like '%mm%'"),
    where("name ILIKE 'AL%'"),
    where("name IN ('alpha', 'gamma')"),
    where("name NOT IN ('alpha')"),
    where("model_id = '{beta}'"),
    where("source_run_id = '{run}'"),
    where("source_run_id = ''"),
    where("model_type = 'tree'"),
    where("model_type = ''"),
    where("status = 'READY'"),
    where("creation_time > 1000"),
    where("creation_timestamp > 1000 AND creation_timestamp_ms != 5"),
    where("last_updated_timestamp <= 1000"),
    where("creation_time > 'x'"),
    where("creation_time LIKE 5"),
    where("params.depth = '3'"),
    where("params.depth != '3'"),
    where("params.`depth` IN ('3', '5')"),
    where("params.lr LIKE '0%'"),
    where("params.nothing = '1'"),
    where("tags.team = 'x' AND tags.stage = 'old'"),
    where("tags.team != 'x'"),
    where("tags.team > 'x'"),
    where("metrics.acc > 0.6"),
    where("metrics.acc = 0.5"),
    where("metrics.acc < 0.6 AND metrics.acc > 0.8"),
    where("metrics.`loss` <= 0.25"),
    where("metrics.nothing > 0"),
    where("metrics.acc > '0'"),
    where("metric.acc > 0"),
    where("unknown.x = 'y'"),
    where("unknown = 'y'"),
    where("name > 'a'"),
    where("name = 5"),
    where("name IS NULL"),
    where("name"),
    where("name = "),
    where(" "),
    where("name = 'alpha' OR name = 'beta'"),
    where("(name = 'alpha')"),
    search("on a dataset", datasets=[IRIS]),
    search("on two datasets", datasets=[IRIS, WINE]),
    search("on a dataset nobody has", datasets=[{**IRIS, "dataset_digest": "d9"}]),
    search("on a dataset by name", datasets=[{"dataset_name": "wine"}]),
    search("on no dataset", datasets=[]),
    search("on a dataset without name", datasets=[{"dataset_digest": "d1"}]),
    search("on a dataset that is a word", datasets=["iris"]),
    search("on datasets that are a word", datasets="iris"),
    search("where accuracy > 0.8 on iris", filter="metrics.acc > 0.8", datasets=[IRIS]),
    search("where accuracy < 0.8 on iris", filter="metrics.acc < 0.8", datasets=[IRIS]),
    search("where the name is gamma on iris", filter="name = 'gamma'", datasets=[IRIS]),
    by("name", field("name")),
    by("name, the last first", field("name", descending=True)),
    by("creation", field("creation_time")),
    by("creation as its column is called", field("creation_timestamp")),
    by("type, then name", field("model_type"), field("name")),
    by("source, then name", field("source_run_id"), field("name")),
    by("accuracy", field("metrics.acc")),
    by("accuracy, the largest first", field("metrics.acc", descending=True)),
    by("accuracy on wine", field("metrics.acc", **WINE)),
    by("accuracy on iris by name, the largest first",
       field("metrics.acc", descending=True, dataset_name="iris")),
    by("loss", field("metrics.loss")),
    by("what nobody measured", field("metrics.nothing")),
    by("a parameter", field("params.depth")),
    by("an attribute with its prefix", field("attributes.name")),
    by("an unknown field", field("nothing")),
    by("no field", {}),
    by("a word", "name"),
    search("by what is no list", order_by="name"),
    search("one of three", max_results=1),
    search("two of three by name", max_results=2, order_by=[field("name")]),
    search("none of three", max_results=0),
    search("less than none", max_results=-1),
    search("very many", max_results=1_000_000),
    search("a word as number", max_results="x"),
    search("a number in quotes", max_results="2"),
    search("a page of garbage", page_token="garbage"),
    search("a page of nothing", page_token="e30="),
    search("in no experiment", []),
    search("in an experiment that is nowhere", ["987654321"]),
    search("in an experiment that is a word", ["abc"]),
    search("in experiments that are no list", "{experiment}"),
    post("models: in experiments not said", "logged-models/search", {}),
    finish("find: gamma is ready", 2, "{gamma}"),
    by("change, the last first", field("last_updated_timestamp", descending=True), max_results=1),
)  # fmt: skip

PAGES = scenario(
    "pages of logged models",
    make_experiment("pages of models"),
    *(make(f"in pages: {name}", name) for name in ("one", "two", "three")),
    post(
        "models: page 1",
        "logged-models/search",
        {"experiment_ids": ["{experiment}"], "max_results": 2},
        save={"token": "next_page_token"},
    ),
    search("page 2", max_results=2, page_token="{token}"),
    search("page 2 in another order", page_token="{token}", order_by=[field("name")]),
)

SCENARIOS = (METRICS, FIND, PAGES)
