"""Searching runs: the filter language."""

from __future__ import annotations

from .call import Call, Fields, make_experiment, post, scenario
from .calls_search import MADE, logged, metric, pairs, ran

ODD_PARAMS = {"quote": "it's", "a b": "1", "c.d": "2"}
USER: Fields = {"user_id": "ann", "tags": [{"key": "mlflow.user", "value": "ann"}]}


def where(filter_: object, name: str = "") -> Call:
    return post(
        f"where {name or filter_}",
        "runs/search",
        {"experiment_ids": ["{experiment}"], "filter": filter_},
    )


def all_of(*filters: str) -> tuple[Call, ...]:
    return tuple(where(filter_) for filter_ in filters)


METRICS = scenario(
    "filters on metrics",
    make_experiment("filters on metrics"),
    MADE,
    all_of(
        "metrics.acc > 0.5", "metrics.acc >= 0.5", "metrics.acc < 0.9", "metrics.acc <= 0.9",
        "metrics.acc = 0.9", "metrics.acc != 0.9", "metric.acc = .9", "metrics.acc > -1",
        "metrics.acc > 5e-1", "metrics.acc > +0.5", "metrics.acc = 0", "metrics.`acc` > 0.6",
        'metrics."acc" > 0.6', "metrics.acc>0.6", "metrics.nothing > 0", "metrics.nothing != 0",
        "metrics.acc > 0.5 AND metrics.acc < 0.8", "metrics.acc > 0.5 and metrics.acc < 0.8",
        "metrics.acc == 0.9", "metrics.acc <> 0.9", "metrics.acc > '0.5'", "metrics.acc > high",
        "metrics.acc LIKE '0%'", "metrics.acc IN (1, 2)", "metrics.acc IS NULL",
        "metrics.acc BETWEEN 0 AND 1", "metrics.acc > NaN", "metrics.acc = 0x10",
        "0.5 < metrics.acc", "metrics.acc > metrics.acc", "metrics > 1", "METRICS.acc > 0.5",
        "metrics.acc > 1e400",
    ),
)  # fmt: skip

TEXTS = scenario(
    "filters on parameters and tags",
    make_experiment("filters on texts"),
    MADE,
    logged("eve", params=pairs(**ODD_PARAMS), tags=pairs(**{"k/1": "100%"})),
    all_of(
        "params.lr = '0.1'", 'params.lr = "0.1"', "param.lr = '0.1'", "parameter.lr = '0.1'",
        "parameters.lr = '0.1'", "params.lr != '0.1'", "params.opt LIKE 'S%'",
        "params.opt LIKE 's_d'", "params.opt ILIKE 'S%'", "params.opt like 'sgd'",
        "params.opt IS NULL", "params.opt IS NOT NULL", "params.opt is not null",
        "params.opt NOT LIKE 'S%'", "params.lr = 0.1", "params.lr > '0.1'", "params.lr > 0.05",
        "params.lr IN ('0.1')", "params.`a b` = '1'", 'params."a b" = "1"', "params.c.d = '2'",
        "params.`c.d` = '2'", "params.a b = '1'", 'params.quote = "it\'s"',
        "params.quote = 'it''s'", "params.lr = lr", "params.lr = `0.1`", "params.lr=''",
        "tags.team = 'x'", "tag.team = 'x'", "tags.team != 'x'", "tags.team ILIKE 'x'",
        "tags.team LIKE '%'", "tags.team IS NULL", "tags.team IS NOT NULL", "tags.`k/1` = '100%'",
        "tags.`k/1` LIKE '100%'", "tags.`k/1` LIKE '100\\%'", "tags.team < 'z'",
        "tags.mlflow.runName = 'ada'", "tags.`mlflow.runName` LIKE 'a%'",
        "tags.team = 'x' AND params.lr = '0.1' AND metrics.acc > 0",
    ),
)  # fmt: skip

ATTRIBUTES = scenario(
    "filters on attributes",
    make_experiment("filters on attributes"),
    MADE,
    ran("fay", 6000, **USER),
    all_of(
        "run_name = 'ada'", "attributes.run_name = 'ada'", "attribute.run_name = 'ada'",
        "attr.run_name = 'ada'", "run.run_name = 'ada'", "attributes.`run name` = 'ada'",
        "`Run name` = 'ada'", "run_name != 'ada'", "run_name LIKE '%a%'", "run_name ILIKE 'A%'",
        "run_name IN ('ada')", "status = 'FINISHED'", "attributes.status = 'RUNNING'",
        "status != 'RUNNING'", "status = 'finished'", "status = 'DREAMING'", "status IN ('FAILED')",
        "status LIKE 'F%'", "run_id = '{ada}'", "attributes.run_id != '{ada}'",
        "run_id IN ('{ada}', '{bob}')", 'run_id IN ("{ada}")', "run_id in ('{ada}','{ada}')",
        "run_id NOT IN ('{ada}', '{bob}')", "run_id IN ()", "run_id IN (1, 2)", "run_id IN '{ada}'",
        "run_id IN ('{ada}'", "run_id LIKE '%'", "user_id = 'ann'", "user_id LIKE 'a%'",
        "attributes.start_time > 2000", "start_time >= 2000", "created < 2000", "Created = 3000",
        "start_time != 1000", "start_time = 2000.0", "start_time > 1999.5", "start_time > '2000'",
        "start_time LIKE '2%'", "start_time > -1", "end_time > 0", "end_time < 3000",
        "end_time = NULL", "end_time IS NULL", "end_time != 2500",
        "artifact_uri LIKE '%/artifacts'",
        "lifecycle_stage = 'active'", "experiment_id = '0'", "attributes.nothing = '1'",
        "nothing = '1'", "status IS NULL", "run_name IS NOT NULL", "status > 'A'", "status = 1",
    ),
)  # fmt: skip

SYNTAX = scenario(
    "filters that are none",
    make_experiment("filters that are none"),
    MADE,
    all_of(
        "status = 'RUNNING' OR status = 'FAILED'", "NOT status = 'RUNNING'", "(status = 'RUNNING')",
        "status = 'RUNNING' AND", "AND status = 'RUNNING'",
        "status = 'RUNNING' AND AND run_name = 'a'", "status = 'RUNNING' run_name = 'eve'",
        "status =", "= 'RUNNING'", "status", "status 'RUNNING'",
        "status = 'RUNNING", "status = RUNNING'", "status = 'RUNNING'; status = 'FAILED'",
        "status = 'RUNNING';", "status = 'RUNNING' -- comment", "1 = 1", "'a' = 'a'",
        "models.acc > 1", ".acc > 1", "metrics. > 1", "metrics.acc", "*", "🙂 = '1'",
        "tags.a.b.c = '1'", "tags.'team' = 'x'", "metrics.acc > 0.5 OR tags.team = 'x'",
        "\n status  =  'FAILED'\t", "dataset.name = 'x' OR 1 = 1",
    ),
    where("", "the empty filter"),
    where("   ", "the filter of blanks"),
    where(5, "a number as filter"),
    where(None, "a null filter"),
    where(["status = 'RUNNING'"], "a list as filter"),
    where("tags.a = '" + "x" * 20000 + "'", "a long filter"),
    where(" AND ".join(["metrics.acc > 0"] * 20), "twenty clauses"),
    where("tags.a = '\x00'", "a NUL in a filter"),
)  # fmt: skip

HISTORY = scenario(
    "filters see the current value",
    make_experiment("filters see the current value"),
    ran("hal", 1000),
    logged("hal", metrics=[metric("m", 5, 1, 0), metric("m", 1, 1, 1)]),
    where("metrics.m = 5", "the old value"),
    where("metrics.m = 1", "the current value"),
    logged("hal", metrics=[metric("m", 7, 2, 1)]),
    where("metrics.m = 7", "the new value"),
    post("where hal gets a name", "runs/update", {"run_id": "{hal}", "run_name": "hans"}),
    where("run_name = 'hans'", "the new name"),
    where("tags.mlflow.runName = 'hans'", "the new name's tag"),
    logged("hal", metrics=[metric("inf", "Infinity"), metric("down", "-Infinity")]),
    where("metrics.inf > 1e308", "more than nearly infinite"),
    where("metrics.down < -1e308", "less than nearly minus infinite"),
)  # fmt: skip

SCENARIOS = (METRICS, TEXTS, ATTRIBUTES, SYNTAX, HISTORY)
