"""Where we want to answer otherwise than stock MLflow, and why.

One that does not occur any more fails the test, so the list cannot rot.
"""

from __future__ import annotations

from .wanted import MISSING, NO_ENDPOINT, REMOVED, Wanted, answered, changed, refused

BAD_INPUT = refused(
    "Bad input is never a 5xx: clients would retry it for minutes.",
    "an id beyond int64",
    "a deleted experiment is renamed",
    "metrics: a list as value",
    "metrics: a number of 400 digits",
    "history: a token that is a list",
    "bulk: some wanted",
    "batch: metrics that are strings",
    "search: ordered by one key twice",
    "search: ordered by start time twice",
    "models: a token of garbage",
    "body: a list",
    "body: a number",
    "body: a string that is no JSON",
    "body: deep JSON",
    "artifacts: a file where a folder is",
    "artifacts: a folder where a file is",
    "unsafe: put, a dot",
)

LOST_INPUT = refused(
    "Stock drops what it cannot parse, and what comes after it, and answers 200; we say so.",
    "runs: start time with a fraction",
    "runs: start time beyond int64",
    "runs: tags that are no list",
    "runs: end time with a fraction",
    "metrics: a step with a fraction",
    "metrics: a time with a fraction",
    "metrics: a step beyond int64",
    "metrics: a time beyond int64",
    "metrics: the literal NaN",
    "metrics: the literal Infinity",
    "metrics: the literal 1e400",
    "metrics: the literal -1e400",
    "batch: a word as metric",
    "batch: a word as step",
    "batch: a step with a fraction",
    "batch: a number as param",
    "batch: a number as tag",
    "batch: a literal NaN",
    "search: half of one wanted",
    "search: a token of a wrong type",
    "search: an experiment as a number",
    "datasets: a word as dataset",
    "datasets: no dataset in it",
)

UNCHECKED = {
    **refused(
        "Stock checks the tags of a run only after it was created.",
        "runs: a tag without key",
        "runs: a tag with a bad key",
    ),
    **changed(
        "As on any other way to set a tag, 8000 characters are kept.",
        "runs: a tag of 8001",
        run__data__tags__0__value="v" * 8000,
    ),
    **refused(
        "A dataset cannot be told from another without them.",
        "datasets: no name",
        "datasets: no digest",
        "datasets: no source",
        "datasets: no source type",
        "datasets: an empty name",
    ),
    **refused(
        "PostgreSQL stores no NUL.",
        "params: a value with NUL",
        "body: a NUL",
        "where a NUL in a filter",
    ),
}

CLEARER = {
    **refused(
        "The code of a taken name, as on create.",
        "renamed to a taken name",
        code="RESOURCE_ALREADY_EXISTS",
    ),
    **refused(
        "Stock lets the database refuse it, under whatever code results.",
        "two tags of one key",
        "runs: two tags of one key",
        "a run without experiment",
        "datasets: two tags of one key",
    ),
    **refused(
        "A run that is not there has no history.",
        "history: of nobody",
        status=404,
        code=MISSING,
    ),
    **refused(
        "An accident of stock's SQL parser; the grammar is `clause (AND clause)*`.",
        "where status = 'RUNNING' AND",
        "where AND status = 'RUNNING'",
        "where status = 'RUNNING' AND AND run_name = 'a'",
        "where status = 'RUNNING' run_name = 'eve'",
        "where metrics. > 1",
        "search: ordered by no key",
    ),
}

BATCHES = {
    **refused(
        "A batch is all or nothing.",
        "batch: a missing logged model beside good things",
    ),
    **changed(
        "A batch is all or nothing.",
        "batch: what is stored beside a missing logged model",
        run__data__metrics=REMOVED,
        run__data__params__0=REMOVED,
    ),
}

INFINITE = "Infinity is stored as such, not as the largest double."
NUMBERS = {
    **changed(
        INFINITE,
        "metrics: current infinities",
        run__data__metrics__0__value="Infinity",
        run__data__metrics__1__value="-Infinity",
    ),
    **changed(INFINITE, "history: of infinity", metrics__0__value="Infinity"),
    **changed(INFINITE, "history: of minus infinity", metrics__0__value="-Infinity"),
    **changed("NaN matches no comparison.", "where metrics.acc != 0.9", runs__1=REMOVED),
    **changed("A bare NaN is no JSON.", "bulk: a NaN is read", metrics__0__value="NaN"),
}

LOCATION = "A location that a client sends is ignored: the server chooses."
OUTSIDE = "Artifacts live in a run's own folder and nowhere else."
ARTIFACTS = {
    **changed(
        LOCATION,
        "the location of the client's choice",
        experiment__artifact_location="mlflow-artifacts:/<chosen>",
    ),
    **answered(
        LOCATION,
        "a location on another server",
        "a location in the server's files",
        body={"experiment_id": "<an experiment>"},
    ),
    **refused(
        OUTSIDE,
        "outside: put beside the runs",
        "outside: get beside the runs",
        "outside: list beside the runs",
        "outside: put in an experiment",
        "outside: put in a run, not its artifacts",
        "outside: put in no run",
        "outside: put in a wrong experiment",
        "outside: list an experiment",
        "outside: list no run",
        "outside: delete beside the runs",
        "outside: delete in no run",
        status=404,
        code=MISSING,
    ),
    **refused(
        "A name that MLflow's own client would rewrite breaks the listing of its folder.",
        "unsafe: put, a NUL",
        "unsafe: put, a double slash",
    ),
    **changed("They were refused.", "unsafe: what is there", files__4=REMOVED, files__1=REMOVED),
    **refused(
        "Stock's router answers before MLflow does, and without an error code.",
        "artifacts: a folder is read",
        "artifacts: a slash at the name's end",
        "unsafe: put, a line feed",
        "unsafe: delete, a rooted path",
    ),
}

PATHS = {
    **refused(
        "Clients tell a missing endpoint by its error code.",
        "unknown: a path of the API",
        "unknown: a POST to a path of the API",
        "unknown: another API",
        "unknown: the API itself",
        "unknown: a slash too many",
        "unknown: multipart",
        "get is not for POST",
        "create is not for GET",
        "unknown: a verb",
        "unknown: DELETE",
        "unknown: a POST of artifacts",
        status=404,
        code=NO_ENDPOINT,
    ),
    **refused(
        "Clients that find a version of 3.4 or more send traces to /v1/traces.",
        "probe: version",
        status=404,
        code=NO_ENDPOINT,
    ),
    **refused(
        "The routes of stock's pages are not ours.",
        "the other API path",
        "interval: by its other path",
        status=404,
        code=NO_ENDPOINT,
    ),
    **changed(
        "Features that we do not have.",
        "probe: server info",
        trace_archival_enabled=REMOVED,
        presigned_upload_run_id_supported=REMOVED,
        presigned_upload_model_id_supported=REMOVED,
        features_enabled=REMOVED,
    ),
}

DIFFERENCES: dict[str, Wanted] = {
    **BAD_INPUT, **LOST_INPUT, **UNCHECKED, **CLEARER, **BATCHES, **NUMBERS, **ARTIFACTS, **PATHS,
}  # fmt: skip
