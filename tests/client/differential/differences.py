"""Where we want to answer otherwise than stock MLflow, and why.

One that does not occur any more fails the test, so the list cannot rot.
"""

from __future__ import annotations

from .wanted import MISSING, NO_ENDPOINT, REMOVED, Wanted, answered, changed, found, refused

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
    "history: some wanted",
    "history: a token with a negative offset",
    "datasets: a word as dataset",
    "datasets: no dataset in it",
)

UNCHECKED = {
    **refused(
        "Stock stores a tag that nobody can read or delete.",
        "runs: a tag without key",
        "datasets: a tag without key",
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
        "PostgreSQL knows no NUL.",
        "body: a NUL in a run id",
        "body: a NUL in a query",
        "params: a value with NUL",
        "body: a NUL",
        "where a NUL in a filter",
    ),
}

CLEARER = {
    **refused("A boolean is no number.", "metrics: true as value"),
    **refused("Without `run_id` there is no run to look for.", "runs: deleted by run_uuid"),
    **refused("Only clients before 1.0 encoded their JSON twice.", "body: JSON in JSON"),
    **refused(
        "To order twice by one key is refused, as it is for runs.", "experiments: by name twice"
    ),
    **answered("`runId` is a field that we do not know, and ignore.", "body: both cases", body={}),
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

NOT_A_NUMBER = "NaN is more than any number, not a hidden zero."
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
    **changed(
        INFINITE,
        "where more than nearly infinite",
        runs__0__data__metrics__0__value="-Infinity",
        runs__0__data__metrics__1__value="Infinity",
    ),
    **changed(
        INFINITE,
        "where less than nearly minus infinite",
        runs__0__data__metrics__0__value="-Infinity",
        runs__0__data__metrics__1__value="Infinity",
    ),
    **changed(
        NOT_A_NUMBER,
        "metrics: a positive number replaces NaN",
        run__data__metrics__0__value="NaN",
    ),
    **changed(NOT_A_NUMBER, "history: all of them", metrics__4__value=1.0, metrics__5__value="NaN"),
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
        "multipart: create",
        status=404,
        code=MISSING,
    ),
    **refused(
        "A name that MLflow's own client would rewrite breaks the listing of its folder.",
        "unsafe: put, a NUL",
        "unsafe: put, a question mark",
        "unsafe: put, a backslash",
    ),
    **changed(
        "They were refused.",
        "unsafe: what is there",
        files__3=REMOVED,
        files__2=REMOVED,
        files__1=REMOVED,
    ),
    **refused(
        "A folder without a name is in no path of ours.",
        "unsafe: put, a rooted path",
        "unsafe: get, a rooted path",
        "unsafe: delete, a rooted path",
        status=404,
        code=NO_ENDPOINT,
    ),
    **refused(
        "Stock's router answers before MLflow does, and without an error code.",
        "artifacts: a folder is read",
        "artifacts: a slash at the name's end",
        "unsafe: put, a line feed",
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
    **answered(
        "Clients that find a version of 3.4 or more send traces to /v1/traces.",
        "probe: version",
        body="3.3.2",
    ),
    **changed(
        "We take large files in parts, and have no gateway and no presigned URLs.",
        "probe: server info",
        multipart_uploads_enabled=True,
        presigned_upload_run_id_supported=REMOVED,
        presigned_upload_model_id_supported=REMOVED,
        features_enabled=REMOVED,
    ),
}

OR = "OR and parentheses are ours."
LANGUAGE = {
    **found(OR, "where status = 'RUNNING' OR status = 'FAILED'", "eve", "dan", "cyd", "ada"),
    **found(OR, "where (status = 'RUNNING')", "eve", "cyd", "ada"),
    **found(OR, "where metrics.acc > 0.5 OR tags.team = 'x'", "dan", "bob", "ada"),
    **found(OR, "experiments: OR", "<unique> B", "<unique> a"),
    **found(OR, "experiments: parentheses", "<unique> a"),
    **found(
        "Operators may be small letters, as they may be for runs.",
        "experiments: like in small letters",
        "<unique> B",
    ),
}

NO_MODELS = {
    **answered(
        "There are no logged models yet, and so nothing to search.",
        "models: a bad filter",
        "models: a bad order",
        "models: a token of garbage",
        body={},
    ),
}

DIFFERENCES: dict[str, Wanted] = {
    **BAD_INPUT, **LOST_INPUT, **UNCHECKED, **CLEARER, **BATCHES, **NUMBERS, **ARTIFACTS, **PATHS,
    **LANGUAGE, **NO_MODELS,
}  # fmt: skip
