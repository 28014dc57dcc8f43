"""The one table from domain errors to MLflow's `error_code` and HTTP status.

Codes and statuses are those of `mlflow.exceptions.ERROR_CODE_TO_HTTP_STATUS`, because the client
decides by them what to retry (408, 429, 5xx) and what to recover from.
"""

from __future__ import annotations

from typing import Any

from gitlab_mlops import errors

TABLE: dict[type[errors.MLOpsError], tuple[int, str]] = {
    errors.Unauthenticated: (401, "UNAUTHENTICATED"),
    errors.NotFound: (404, "RESOURCE_DOES_NOT_EXIST"),
    errors.Forbidden: (403, "PERMISSION_DENIED"),
    errors.Invalid: (400, "INVALID_PARAMETER_VALUE"),
    errors.AlreadyExists: (400, "RESOURCE_ALREADY_EXISTS"),
    errors.TooLarge: (413, "INVALID_PARAMETER_VALUE"),
    # The client retries 429 and honours Retry-After.
    errors.TooMany: (429, "REQUEST_LIMIT_EXCEEDED"),
    errors.NotSupported: (501, "NOT_IMPLEMENTED"),
    errors.StorageFull: (507, "RESOURCE_EXHAUSTED"),
    errors.Unavailable: (503, "TEMPORARILY_UNAVAILABLE"),
}

ENDPOINT_NOT_FOUND = (404, "ENDPOINT_NOT_FOUND")
INTERNAL_ERROR = (500, "INTERNAL_ERROR")

RETRY_AFTER_SECONDS = 2
"""What a client is told to wait after a 503. MLflow's client honours it."""


def status_and_code(error: errors.MLOpsError) -> tuple[int, str]:
    """The status and `error_code` of a domain error, or of its nearest base that has one."""
    for kind in type(error).__mro__:
        if kind in TABLE:
            return TABLE[kind]
    raise LookupError(f"{type(error).__name__} is missing in wire/errors.py")


def body(code: str, message: str) -> dict[str, Any]:
    """MLflow's error object."""
    return {"error_code": code, "message": message}
