"""Metrics: one at a time, their current value and their history."""

from __future__ import annotations

from .call import Call, Fields, get, make_experiment, make_run, post, post_raw, scenario

MISSING = "Missing value for required parameter "
NOBODY = "f" * 32
ONE: Fields = {"value": 1, "timestamp": 1}


def log(name: str, run: str = "{run}", **body: object) -> Call:
    return post(f"metrics: {name}", "runs/log-metric", {"run_id": run, "key": "m", **body})


def point(name: str, value: object, time: object = 1, step: object = 0, key: str = "m") -> Call:
    return log(name, key=key, value=value, timestamp=time, step=step)


def history(name: str, key: str = "m", **query: str) -> Call:
    return get(
        f"history: {name}",
        "metrics/get-history",
        {"run_id": "{run}", "metric_key": key, **query},
    )


def literal(name: str, number: str) -> Call:
    """A number that `json.dumps` would not write."""
    raw = f'{{"run_id": "{{odd}}", "key": "odd", "timestamp": 1, "value": {number}}}'
    return post_raw(f"metrics: {name}", "runs/log-metric", raw)


def read(name: str, run: str = "{run}") -> Call:
    return get(f"metrics: {name}", "runs/get", {"run_id": run})


LOG = scenario(
    "logging metrics",
    make_experiment("metrics"),
    make_run("metrics"),
    point("logged", 0.5, 1000, 1),
    point("the same again", 0.5, 1000, 1),
    log("without step", key="no step", value=1, timestamp=5),
    point("strings for numbers", "1.25", "1001", "2", key="strings"),
    point("int64 as strings", "1e3", "9223372036854775807", "-9223372036854775808", key="wide"),
    point("int64 as numbers", -1, 2**63 - 1, -(2**63), key="wide too"),
    point("NaN", "NaN", key="nan"),
    point("an integer", 7, key="integer"),
    point("a denormal number", 5e-324, key="small"),
    point("minus zero", -0.0, key="zero"),
    point("beyond 2**53", 9007199254740993, key="large"),
    point("a key with all good characters", 1, key="a/b_c-d.e f:g ü"),
    read("all current values"),
    point("a step beyond int64", 1, 1, 2**63),
    point("a time beyond int64", 1, 2**63, 1),
    point("a time before 1970", 1, -1),
    log("no value", timestamp=1),
    log("a null value", value=None, timestamp=1),
    log("an empty value", value="", timestamp=1),
    log("a word as value", value="high", timestamp=1),
    log("true as value", value=True, timestamp=1),
    log("a list as value", value=[1], timestamp=1),
    log("no time", value=1),
    log("a null time", value=1, timestamp=None),
    log("a word as time", value=1, timestamp="now"),
    log("a word as step", value=1, timestamp=1, step="one"),
    log("a step of zero decimals", key="float step", value=1, timestamp=1, step=3.0),
    log("no key", key=None, value=1, timestamp=1),
    log("an empty key", key="", value=1, timestamp=1),
    log("a number as key", key=5, value=1, timestamp=1),
    point("a bad key", 1, key="a#b"),
    point("a climbing key", 1, key="../m"),
    point("a key of 250", 1, key="k" * 250),
    point("a key of 251", 1, key="k" * 251),
    log("nobody", run=NOBODY, value=1, timestamp=1),
    log("an empty run", run="", value=1, timestamp=1),
    post("metrics: by run_uuid", "runs/log-metric", {"run_uuid": "{run}", "key": "u", **ONE}),
    log("with a dataset", key="on data", **ONE, dataset_name="d", dataset_digest="1"),
)

ODD = scenario(
    "odd numbers",
    make_experiment("odd"),
    make_run("odd", "odd"),
    make_run("odd"),
    literal("the literal NaN", "NaN"),
    literal("the literal Infinity", "Infinity"),
    literal("the literal 1e400", "1e400"),
    literal("the literal -1e400", "-1e400"),
    literal("a number of 400 digits", "9" * 400),
    log("a step with a fraction", "{odd}", **ONE, step=1.5),
    log("a time with a fraction", "{odd}", value=1, timestamp=1.5),
    point("Infinity", "Infinity", key="inf"),
    point("-Infinity", "-Infinity", key="minus inf"),
    log("inf", run="{odd}", key="short inf", value="inf", timestamp=1),
    log("nan", run="{odd}", key="small nan", value="nan", timestamp=1),
    read("current infinities"),
    history("of infinity", "inf"),
    history("of minus infinity", "minus inf"),
)

CURRENT = scenario(
    "the current value of a metric",
    make_experiment("current"),
    make_run("current"),
    point("step 5", 1, 100, 5),
    point("a smaller step later", 2, 200, 4),
    read("the largest step wins"),
    point("the same step, later", 3, 150, 5),
    read("then the latest"),
    point("the same step and time, smaller", 2.5, 150, 5),
    read("then the largest"),
    point("a step before it and NaN", "NaN", 150, 6),
    read("NaN is current"),
    point("the same point beside NaN", -1, 150, 6),
    read("a negative number does not replace NaN"),
    point("a positive point beside NaN", 1, 150, 6),
    read("a positive number replaces NaN"),
    point("a negative step", 9, 300, -5),
    history("all of them"),
)

HISTORY = scenario(
    "the history of a metric",
    make_experiment("history"),
    make_run("history"),
    point("point 1", 3, 30, 1),
    point("point 2", 1, 10, 2),
    point("point 3", 2, 10, 1),
    point("point 4", "NaN", 20, 1),
    point("point 5", 1, 10, 1),
    point("another key", 1, 10, 1, key="other"),
    history("in its order"),
    history("page of two", max_results="2"),
    get(
        "history: a page to go on from",
        "metrics/get-history",
        {"run_id": "{run}", "metric_key": "m", "max_results": "2"},
        save={"token": "next_page_token"},
    ),
    history("the next page", max_results="2", page_token="{token}"),
    history("a page that is just full", max_results="5"),
    history("with a token, without a size", page_token="{token}"),
    history("nothing wanted", max_results="0"),
    history("less than nothing wanted", max_results="-1"),
    history("25000 wanted", max_results="25000"),
    history("a million wanted", max_results="1000000"),
    history("some wanted", max_results="some"),
    history("a token of garbage", page_token="garbage"),
    history("a token that is no JSON", page_token="bm8="),
    history("a token that is a list", page_token="W10="),
    history("a token without offset", page_token="e30="),
    history("a token with a negative offset", page_token="eyJvZmZzZXQiOiAtMX0="),
    history("an empty token", page_token=""),
    history("of a metric that is not there", "nothing"),
    get("history: of nobody", "metrics/get-history", {"run_id": NOBODY, "metric_key": "m"}),
    get(
        "history: a key is needed",
        "metrics/get-history",
        {"run_id": "{run}"},
        says=MISSING + "'metric_key'",
    ),
    get(
        "history: a run is needed",
        "metrics/get-history",
        {"metric_key": "m"},
        says=MISSING + "'run_id'",
    ),
    get(
        "history: by run_uuid", "metrics/get-history", {"run_uuid": "{run}", "metric_key": "other"}
    ),
)

SCENARIOS = (LOG, ODD, CURRENT, HISTORY)
