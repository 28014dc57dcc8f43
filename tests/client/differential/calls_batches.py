"""Batches: metrics, parameters and tags of a run in one call."""

from __future__ import annotations

from .call import Call, Fields, get, make_experiment, make_run, post, post_raw, scenario

NOBODY = "f" * 32
TOO_MANY = "A batch logging request can contain at most 1000 metrics"


def batch(name: str, run: str = "{run}", says: str = "", **body: object) -> Call:
    return post(f"batch: {name}", "runs/log-batch", {"run_id": run, **body}, says=says)


def history(name: str, key: str) -> Call:
    return get(f"batch: {name}", "metrics/get-history", {"run_id": "{run}", "metric_key": key})


def read(name: str, run: str = "{run}") -> Call:
    return get(f"batch: {name}", "runs/get", {"run_id": run})


def metric(key: object = "m", value: object = 1, timestamp: object = 1, **more: object) -> Fields:
    return {"key": key, "value": value, "timestamp": timestamp, **more}


def pair(key: object, value: object = "v") -> Fields:
    return {"key": key, "value": value}


def many(count: int) -> list[Fields]:
    return [metric(step=step) for step in range(count)]


def pairs(count: int) -> list[Fields]:
    return [pair(f"k{number}") for number in range(count)]


GOOD = scenario(
    "batches that are stored",
    make_experiment("good batches"),
    make_run("batch"),
    batch(
        "one of each",
        metrics=[metric(), metric("loss", 0.5, 2, step=3)],
        params=[pair("lr", "0.1"), pair("depth", "3")],
        tags=[pair("t", "1"), pair("u", "2")],
    ),
    read("one of each is read"),
    batch(
        "the same again",
        metrics=[metric(), metric("loss", 0.5, 2, step=3)],
        params=[pair("lr", "0.1"), pair("depth", "3")],
        tags=[pair("t", "1"), pair("u", "2")],
    ),
    history("rows are not doubled", "m"),
    batch("nothing"),
    batch("empty lists", metrics=[], params=[], tags=[]),
    batch("a point twice", metrics=[metric("twice"), metric("twice")]),
    batch("a point twice beside a new one", metrics=[metric("twice"), metric("twice", step=1)]),
    history("twice is once", "twice"),
    batch("a tag twice", tags=[pair("twice", "1"), pair("twice", "2")]),
    batch("a tag set again", tags=[pair("t", "new")]),
    batch("the name by tag", tags=[pair("mlflow.runName", "by batch")]),
    batch("strings for numbers", metrics=[metric("s", "1.5", "7", step="8")]),
    batch("NaN", metrics=[metric("nan", "NaN")]),
    batch("NaN twice", metrics=[metric("nan2", "NaN"), metric("nan2", "NaN")]),
    batch("a tag without value", tags=[{"key": "no value"}]),
    batch("a param without value", params=[{"key": "no value"}]),
    batch("a param of 6001", params=[pair("long", "v" * 6001)]),
    batch("a tag of 8001", tags=[pair("long", "v" * 8001)]),
    batch("1000 metrics", metrics=many(1000)),
    batch("100 params", params=pairs(100)),
    batch("100 tags", tags=pairs(100)),
    read("all that is there"),
)

REFUSED = scenario(
    "batches that are refused",
    make_experiment("refused batches"),
    make_run("refused"),
    # Stock stores half of some; nothing reads what became of them.
    make_run("refused", "careless"),
    batch("1001 metrics", metrics=many(1001), says=TOO_MANY),
    batch("101 params", params=pairs(101)),
    batch("101 tags", tags=pairs(101)),
    batch("1001 in all", metrics=many(900), params=pairs(51), tags=pairs(50)),
    batch("two params of one key", params=[pair("p", "1"), pair("p", "2")]),
    batch("two equal params of one key", params=[pair("p", "1"), pair("p", "1")]),
    batch("no metric key", metrics=[{"value": 1, "timestamp": 1}]),
    batch("no metric value", metrics=[{"key": "m", "timestamp": 1}]),
    batch("no metric time", metrics=[{"key": "m", "value": 1}]),
    batch("no param key", params=[{"value": "v"}]),
    batch("no tag key", tags=[{"value": "v"}]),
    batch("an empty tag key", tags=[pair("")]),
    batch("a bad metric key", metrics=[metric(), metric("a#b")]),
    batch("a bad param key", params=[pair("good"), pair("a#b")]),
    batch("a bad tag key", tags=[pair("good"), pair("a#b")]),
    batch("a long metric key", metrics=[metric("k" * 251)]),
    batch("a long param key", params=[pair("k" * 251)]),
    batch("a long tag key", tags=[pair("k" * 251)]),
    batch("a word as metric", "{careless}", metrics=[metric(value="high")]),
    batch("null as metric", metrics=[metric(value=None)]),
    batch("a word as step", "{careless}", metrics=[metric(step="one")]),
    batch("a step with a fraction", "{careless}", metrics=[metric(step=1.5)]),
    batch("a time before 1970", metrics=[metric(timestamp=-1)]),
    batch("metrics that are no list", metrics="m"),
    batch("metrics that are an object", metrics={"key": "m"}),
    batch("metrics that are strings", metrics=["m"]),
    batch("a number as param", "{careless}", params=[pair("p", 1)]),
    batch("a number as tag", "{careless}", tags=[pair("p", 1)]),
    batch("nobody", NOBODY, params=[pair("p")]),
    batch("an id that is none", "not/an id", params=[pair("p")]),
    post("batch: no run", "runs/log-batch", {"params": [pair("p")]}, says="Missing value"),
    post(
        "batch: by run_uuid", "runs/log-batch", {"run_uuid": "{run}", "params": [pair("by_uuid")]}
    ),
    post_raw(
        "batch: a literal NaN",
        "runs/log-batch",
        '{"run_id": "{careless}", "metrics": [{"key": "x", "value": NaN, "timestamp": 1}]}',
    ),
    read("nothing of it is stored"),
)

HALF = scenario(
    "batches that are wrong in the end",
    make_experiment("half batches"),
    make_run("half"),
    batch("a param first", params=[pair("p", "1")]),
    batch(
        "a changed param beside good things",
        metrics=[metric("half")],
        params=[pair("fresh", "1"), pair("p", "2")],
        tags=[pair("half")],
    ),
    read("nothing of the changed param's batch is stored"),
    batch(
        "a wrong time beside good things",
        metrics=[metric("half"), metric("half", timestamp=-1)],
        params=[pair("fresh", "1")],
        tags=[pair("half")],
    ),
    read("nothing of the wrong time's batch is stored"),
    batch(
        "a missing logged model beside good things",
        metrics=[metric("half", model_id="m-" + "0" * 32)],
        params=[pair("fresh", "1")],
        tags=[pair("half")],
    ),
    read("what is stored beside a missing logged model"),
)

SCENARIOS = (GOOD, REFUSED, HALF)
