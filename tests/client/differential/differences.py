"""Where we want to answer otherwise than stock MLflow, and why.

One that does not occur any more fails the test, so the list cannot rot.
"""

from __future__ import annotations

from .model_differences import MODELS
from .refusals import REFUSALS
from .registry_differences import REGISTRY
from .wanted import MISSING, NO_ENDPOINT, REMOVED, Wanted, answered, changed, found, refused

BATCHES = {
    **refused(
        "A model that is not there is missing; stock lets the database say so.",
        "batch: a missing logged model beside good things",
        status=404,
        code=MISSING,
    ),
    **changed(
        "A batch is all or nothing; stock keeps what it wrote before it failed.",
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
    **changed(
        "Stock cuts off the last of them.",
        "bulk: less than nothing wanted",
        metrics__9={"key": "m", "run_id": "<run>", "step": 0, "timestamp": 100, "value": 0.0},
    ),
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
        "unsafe: put, a double slash",
        "unsafe: put, a question mark",
        "unsafe: put, a backslash",
    ),
    **changed(
        "They were refused.",
        "unsafe: what is there",
        files__4=REMOVED,
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

DIFFERENCES: dict[str, Wanted] = {
    **REFUSALS, **BATCHES, **NUMBERS, **ARTIFACTS, **PATHS,
    **LANGUAGE, **MODELS, **REGISTRY,
}  # fmt: skip
