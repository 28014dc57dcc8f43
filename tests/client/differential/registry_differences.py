"""Where we want to answer otherwise than stock about the model registry, and why."""

from __future__ import annotations

import json
from typing import Any

from .wanted import MISSING, NO_ENDPOINT, Wanted, answered, changed, found, refused

BAD_INPUT = {
    **refused(
        "Bad input is never a 5xx: clients would retry it for minutes.",
        "version: of a stage that is empty",
        "version: of a deleted logged model",
        "version: archived with others",
        "version: to None with others",
        "models: find tag IS NULL",
        "models: find by name twice",
        "versions: find in order of one key twice",
    ),
    **refused(
        "Bad input is never a 5xx: clients would retry it for minutes.",
        "version: its number is huge",
        status=404,
        code=MISSING,
    ),
    **refused(
        "A page of nothing has a token that leads to itself, for ever.",
        "models: find none wanted",
        "models: find less than none wanted",
    ),
    **refused(
        "Clients tell a missing endpoint by its error code.",
        "versions: find by POST",
        status=404,
        code=NO_ENDPOINT,
    ),
}


def made(version: str, source: str) -> dict[str, Any]:
    """A version of `<run>`, as answered."""
    return {
        "model_version": {
            "name": "<unique> churn",
            "version": version,
            "creation_timestamp": "<time>",
            "last_updated_timestamp": "<time>",
            "current_stage": "None",
            "description": "",
            "source": source,
            "run_id": "<run>",
            "status": "READY",
            "run_link": "",
        }
    }


FOLDER = "mlflow-artifacts:/0/<run>/artifacts/model"
UNSAID = "The source says whose it is; to say it once more is not asked for, as in MLflow 2."
SOURCES = {
    **answered(UNSAID, "version: of a run without saying so", body=made("8", "runs:/<run>/model")),
    **answered(UNSAID, "version: of a folder without saying so", body=made("9", FOLDER)),
    **answered(
        UNSAID,
        "version: of a logged model without saying so",
        body=made("8", "models:/<a>"),
    ),
    **changed(
        "A version of a version is the logged model's too.",
        "version: the logged model knows",
        model__info__tags__0__value=json.dumps(
            [{"name": "<unique> churn", "version": number} for number in (1, 2, 3, 4, 6)]
        ),
    ),
    **refused(
        "The files of a version are in the project, and nowhere else.",
        "version: of a run that is not there",
        "version: of a bucket",
        "version: of a file system",
    ),
    **changed(
        "Whoever downloads a version need not look up its run first.",
        "version: where one of a run is",
        artifact_uri=FOLDER,
    ),
}

OR = "OR and parentheses are ours."
LANGUAGE = {
    **found(OR, "models: find OR", "<unique> churn"),
    **found(OR, "models: find parentheses", "<unique> churn"),
}

REGISTRY: dict[str, Wanted] = {**BAD_INPUT, **SOURCES, **LANGUAGE}
