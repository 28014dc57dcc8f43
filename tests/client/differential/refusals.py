"""What stock MLflow takes, drops or stumbles over, and we refuse, each with its reason."""

from __future__ import annotations

from .wanted import answered, refused

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

REFUSALS = {**BAD_INPUT, **LOST_INPUT, **UNCHECKED, **CLEARER}
