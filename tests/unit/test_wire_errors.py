"""The one table of errors: complete, and in codes that MLflow's client knows."""

from __future__ import annotations

import inspect

import pytest
from mlflow.protos import databricks_pb2

from gitlab_mlops import errors
from gitlab_mlops.wire import errors as wire_errors
from gitlab_mlops.wire.tokens import FilterError

DOMAIN = [
    kind
    for _, kind in inspect.getmembers(errors, inspect.isclass)
    if issubclass(kind, errors.MLOpsError) and kind is not errors.MLOpsError
]


@pytest.mark.parametrize("kind", DOMAIN)
def test_every_domain_error_is_in_the_table(kind: type[errors.MLOpsError]) -> None:
    assert kind in wire_errors.TABLE


@pytest.mark.parametrize("code", [code for _, code in wire_errors.TABLE.values()])
def test_every_code_is_one_of_mlflows(code: str) -> None:
    assert databricks_pb2.ErrorCode.Value(code)


def test_an_error_counts_as_its_nearest_base() -> None:
    error = FilterError("no such operator", 3)
    assert wire_errors.status_and_code(error) == (400, "INVALID_PARAMETER_VALUE")


def test_an_error_that_is_missing_is_told() -> None:
    with pytest.raises(LookupError, match="MLOpsError is missing"):
        wire_errors.status_and_code(errors.MLOpsError())
