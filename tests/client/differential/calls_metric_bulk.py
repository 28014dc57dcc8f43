"""Metrics: the histories of many runs at once, as the charts ask for them."""

from __future__ import annotations

from .call import Call, get, make_experiment, make_run, post, scenario

INTERVAL = "metrics/get-history-bulk-interval"
BULK = "/ajax-api/2.0/mlflow/metrics/get-history-bulk"
NOBODY = "f" * 32
BOTH = ["{run}", "{second}"]


def interval(name: str, **query: str | list[str]) -> Call:
    query = {"run_ids": ["{run}"], "metric_key": "m", **query}
    return get(f"interval: {name}", INTERVAL, query)


def bulk(name: str, **query: str | list[str]) -> Call:
    query = {"run_id": ["{run}"], "metric_key": "m", **query}
    return get(f"bulk: {name}", BULK, query)


def filled(run: str, count: int) -> Call:
    metrics = [
        {"key": "m", "value": step / 2, "timestamp": 100 - step, "step": step}
        for step in range(count)
    ]
    body = {"run_id": "{" + run + "}", "metrics": metrics}
    return post(f"bulk: {count} points for {run}", "runs/log-batch", body)


MADE = (
    make_experiment("bulk"),
    make_run("bulk"),
    make_run("bulk", "second"),
    filled("run", 10),
    filled("second", 3),
)

INTERVALS = scenario(
    "intervals of metric histories",
    make_experiment("interval"),
    make_run("interval"),
    make_run("interval", "second"),
    post(
        "interval: ten points",
        "runs/log-batch",
        {
            "run_id": "{run}",
            "metrics": [
                {"key": "m", "value": step / 2, "timestamp": 100 - step, "step": step}
                for step in range(10)
            ],
        },
    ),
    post(
        "interval: points of one step",
        "runs/log-batch",
        {
            "run_id": "{second}",
            "metrics": [
                {"key": "m", "value": value, "timestamp": 5, "step": 3} for value in (3, 1, 2)
            ],
        },
    ),
    interval("all points of a run"),
    interval("of two runs", run_ids=BOTH),
    interval("of two runs, the other order", run_ids=["{second}", "{run}"]),
    interval("one run twice", run_ids=["{run}", "{run}"], max_results="1"),
    interval("three points of ten", max_results="3"),
    interval("four points of ten", max_results="4"),
    interval("one point of ten", max_results="1"),
    interval("ten points of ten", max_results="10"),
    interval("between steps", start_step="2", end_step="5"),
    interval("between steps, sampled", start_step="2", end_step="8", max_results="3"),
    interval("between equal steps", start_step="2", end_step="2"),
    interval("between steps where nothing is", start_step="100", end_step="200"),
    interval("the end before the start", start_step="5", end_step="2"),
    interval("only a start", start_step="5"),
    interval("only an end", end_step="5"),
    interval("words as steps", start_step="a", end_step="b"),
    interval("nothing wanted", max_results="0"),
    interval("2500 wanted", max_results="2500"),
    interval("2501 wanted", max_results="2501"),
    interval("some wanted", max_results="some"),
    interval("of a metric that is not there", metric_key="nothing"),
    interval("of nobody", run_ids=[NOBODY]),
    interval("101 runs", run_ids=["{run}"] * 101),
    get("interval: no runs", INTERVAL, {"metric_key": "m"}),
    get("interval: no key", INTERVAL, {"run_ids": ["{run}"]}),
    get(
        "interval: by its other path",
        "/ajax-api/2.0/mlflow/" + INTERVAL,
        {"run_ids": ["{run}"], "metric_key": "m", "max_results": "2"},
    ),
)

BULKS = scenario(
    "metric histories in bulk",
    MADE,
    post(
        "bulk: a NaN",
        "runs/log-metric",
        {"run_id": "{second}", "key": "nan", "value": "NaN", "timestamp": 1},
    ),
    bulk("of one run"),
    bulk("two points", max_results="2"),
    bulk("more than there are", max_results="100000"),
    bulk("of a metric that is not there", metric_key="nothing"),
    bulk("of nobody", run_id=[NOBODY]),
    bulk("101 runs", run_id=["{run}"] * 101),
    bulk("a NaN is read", run_id=["{second}"], metric_key="nan"),
    bulk("some wanted", max_results="some"),
    bulk("less than nothing wanted", max_results="-1"),
    get("bulk: no runs", BULK, {"metric_key": "m"}),
    get("bulk: no key", BULK, {"run_id": "{run}"}),
)

SCENARIOS = (INTERVALS, BULKS)
