"""Searching runs: pages, views, order and several experiments."""

from __future__ import annotations

from .call import Call, Fields, make_experiment, post, scenario


def find(name: str, **body: object) -> Call:
    body = {"experiment_ids": ["{experiment}"], **body}
    return post(f"search: {name}", "runs/search", body)


def by(name: str, *order: str) -> Call:
    return find(f"ordered {name}", order_by=list(order))


def ran(name: str, start_time: int, in_: str = "{experiment}", **more: object) -> Call:
    body = {"experiment_id": in_, "run_name": name, "start_time": start_time, **more}
    return post(f"search: run {name}", "runs/create", body, save={name: "run.info.run_id"})


def logged(name: str, **body: object) -> Call:
    return post(f"search: data of {name}", "runs/log-batch", {"run_id": "{" + name + "}", **body})


def tagged(name: str, team: str) -> Call:
    body = {"run_id": "{" + name + "}", "key": "team", "value": team}
    return post(f"search: team of {name}", "runs/set-tag", body)


def ended(name: str, status: str, end_time: int) -> Call:
    body = {"run_id": "{" + name + "}", "status": status, "end_time": end_time}
    return post(f"search: {name} ended", "runs/update", body)


def metric(key: str, value: object, timestamp: int = 1, step: int = 0) -> Fields:
    return {"key": key, "value": value, "timestamp": timestamp, "step": step}


def pairs(**values: str) -> list[Fields]:
    return [{"key": key, "value": value} for key, value in values.items()]


MADE = (
    ran("ada", 1000),
    ran("bob", 2000),
    ran("cyd", 3000),
    ran("dan", 4000),
    ran("eve", 5000),
    logged("ada", metrics=[metric("acc", 0.5)], params=pairs(lr="0.1", opt="SGD")),
    logged("bob", metrics=[metric("acc", 0.9)], params=pairs(lr="0.01", opt="sgd")),
    tagged("ada", "x"),
    tagged("bob", "y"),
    logged("cyd", metrics=[metric("acc", "NaN")], params=pairs(lr="10")),
    logged("dan", metrics=[metric("acc", -1), metric("acc", 0.7, 2, 1)], tags=pairs(team="X")),
    ended("bob", "FINISHED", 2500),
    ended("dan", "FAILED", 4100),
)

PAGES = scenario(
    "pages of runs",
    make_experiment("pages of runs"),
    MADE,
    find("the newest first"),
    find("two of five", max_results=2),
    post(
        "search: a page to go on from",
        "runs/search",
        {"experiment_ids": ["{experiment}"], "max_results": 2},
        save={"token": "next_page_token"},
    ),
    post(
        "search: the second page",
        "runs/search",
        {"experiment_ids": ["{experiment}"], "max_results": 2, "page_token": "{token}"},
        save={"second_token": "next_page_token"},
    ),
    find("the last page", max_results=2, page_token="{second_token}"),
    find("a page that is just full", max_results=5),
    find("a page with another size", max_results=3, page_token="{token}"),
    find("results as a string", max_results="2"),
    find("nothing wanted", max_results=0),
    find("less than nothing wanted", max_results=-1),
    find("50000 wanted", max_results=50000),
    find("50001 wanted", max_results=50001),
    find("some wanted", max_results="some"),
    find("half of one wanted", max_results=1.5),
    find("a token of garbage", page_token="garbage"),
    find("a token of a wrong type", page_token=5),
    find("an empty token", page_token=""),
    find("no experiment", experiment_ids=[]),
    post("search: experiments not said", "runs/search", {}),
    find("an experiment that is not there", experiment_ids=["987654321"]),
    find("an experiment that is no number", experiment_ids=["abc"]),
    find("an experiment as a number", experiment_ids=[0], filter="run_name = '{unique}'"),
    find("experiments that are no list", experiment_ids="{experiment}"),
    find("one experiment twice", experiment_ids=["{experiment}", "{experiment}"], max_results=2),
)

VIEWS = scenario(
    "views of runs",
    make_experiment("views of runs"),
    make_experiment("views of other runs", "other"),
    ran("ann", 1000),
    ran("ben", 2000, "{other}"),
    ran("gone", 3000),
    post("search: gone is deleted", "runs/delete", {"run_id": "{gone}"}),
    find("two experiments", experiment_ids=["{experiment}", "{other}"]),
    find("two experiments, reversed", experiment_ids=["{other}", "{experiment}"]),
    find("one of which is not there", experiment_ids=["{other}", "987654321"]),
    find("active", run_view_type="ACTIVE_ONLY"),
    find("deleted", run_view_type="DELETED_ONLY"),
    find("all", run_view_type="ALL"),
    find("all as a number", run_view_type=3),
    find("a view that is not there", run_view_type="SOME"),
    find("a view in small letters", run_view_type="all"),
    find("a view as a wrong number", run_view_type=9),
    find("a view of null", run_view_type=None),
)

ORDER = scenario(
    "order of runs",
    make_experiment("order of runs"),
    MADE,
    by("by metric", "metrics.acc"),
    by("by metric, down", "metrics.acc DESC"),
    by("by metric in backticks", "metrics.`acc` ASC"),
    by("by metric in quotes", 'metric."acc" DESC'),
    by("by metric that is not there", "metrics.nothing DESC"),
    by("by param, as text", "params.lr"),
    by("by param, down", "params.lr desc"),
    by("by tag", "tags.team"),
    by("by tag, down", "tags.team DESC"),
    by("by start time", "start_time"),
    by("by start_time of attributes", "attributes.start_time ASC"),
    by("by attribute.start_time", "attribute.start_time DESC"),
    by("by created", "Created ASC"),
    by("by end time", "end_time ASC"),
    by("by end time, down", "end_time DESC"),
    by("by status", "attributes.status ASC"),
    by("by run name", "run_name DESC"),
    by("by run name in two words", "`run name` DESC"),
    # Ids are random, so that no order by them can be compared.
    find("ordered by artifact_uri", order_by=["artifact_uri"], filter="run_name = 'ada'"),
    find("ordered by run_id", order_by=["attributes.run_id"], filter="run_name = 'ada'"),
    by("by user", "user_id"),
    by("by lifecycle stage", "lifecycle_stage"),
    by("by two keys", "tags.team ASC", "metrics.acc DESC"),
    by("by one key twice", "metrics.acc ASC", "metrics.acc DESC"),
    by("by start time twice", "start_time ASC", "attributes.start_time DESC"),
    by("by nothing", ""),
    by("sideways", "metrics.acc SIDEWAYS"),
    by("by too many words", "metrics.acc ASC DESC"),
    by("by a dataset", "datasets.name"),
    by("by an entity that is not there", "models.acc"),
    by("by an attribute that is not there", "attributes.size"),
    by("by no key", "metrics."),
    by("by an injection", "run_id; DROP TABLE runs"),
    by("by a comma", "metrics.acc, metrics.loss"),
    find("ordered by no list", order_by="metrics.acc"),
    find("ordered by numbers", order_by=[1]),
    find("ordered, two of them", order_by=["metrics.acc DESC"], max_results=2),
)

SCENARIOS = (PAGES, VIEWS, ORDER)
