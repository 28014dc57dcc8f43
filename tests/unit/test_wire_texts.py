"""JSON that MLflow's clients send as text: schemas and profiles of datasets, models of a run."""

from __future__ import annotations

import json
from typing import Any

import pytest

from gitlab_mlops.wire.dataset_texts import MAX_CHARACTERS, MAX_ROWS, Column, columns, profile
from gitlab_mlops.wire.model_history import LoggedModel, models_of

BROKEN = ("", "{", "null", "[]", "7", '"x"', "NaN", "[" * 5000, '{"a":' * 5000, "x" * 300_000)


def colspec(*specs: dict[str, Any]) -> str:
    return json.dumps({"mlflow_colspec": specs})


@pytest.mark.parametrize(
    ("spec", "type_"),
    [
        ({"type": "long"}, "long"),
        ({"type": "array", "items": {"type": "string"}}, "array of string"),
        ({"type": "map", "values": {"type": "double"}}, "map of double"),
        ({"type": "object", "properties": {"a": {"type": "long"}}}, "object (a: long)"),
        ({"type": "array"}, "array of unknown"),
        ({"type": {"a": 1}}, "unknown"),
        ({"type": "object", "properties": {"a": 7}}, "object (a: unknown)"),
    ],
)
def test_a_column_has_a_type_in_words(spec: dict[str, Any], type_: str) -> None:
    assert columns(colspec({"name": "x", "required": True, **spec})) == [Column("x", type_, False)]


def test_columns_without_a_name_are_numbered() -> None:
    given = colspec({"type": "long", "required": False}, {"type": "long", "name": None})
    assert columns(given) == [Column("column 1", "long", True), Column("column 2", "long", False)]


def test_types_in_types_end_somewhere() -> None:
    spec: dict[str, Any] = {"type": "long"}
    for _ in range(100):
        spec = {"type": "array", "items": spec}
    found = columns(colspec({"name": "x", **spec}))
    assert found == [Column("x", "array of array of array of array of array", False)]


def test_tensors_have_a_shape() -> None:
    features = [
        {"type": "tensor", "tensor-spec": {"dtype": "float64", "shape": [-1, 28]}},
        {"type": "tensor", "name": "mask", "tensor-spec": {"dtype": "bool", "shape": "?"}},
        {"type": "tensor"},
        7,
    ]
    given = {"mlflow_tensorspec": {"features": json.dumps(features), "targets": None}}
    assert columns(json.dumps(given)) == [
        Column("features", "float64 anyx28", False),
        Column("features: mask", "bool ", False),
    ]


@pytest.mark.parametrize("text", [*BROKEN, '{"mlflow_colspec": [7]}', '{"mlflow_tensorspec": {}}'])
def test_a_schema_that_nobody_understands_has_no_columns(text: str) -> None:
    assert columns(text) is None


def test_a_schema_has_only_so_many_columns() -> None:
    found = columns(colspec(*({"type": "long", "name": str(n)} for n in range(MAX_ROWS + 5))))
    assert found is not None
    assert len(found) == MAX_ROWS
    assert columns(colspec({"type": "long", "name": "x" * MAX_CHARACTERS})) is None


def test_a_profile_is_pairs() -> None:
    given = {"num_rows": 1500, "ok": True, "shape": [1, 2], "x": "y" * 300, "half": 0.5}
    assert profile(json.dumps(given)) == [
        ("num_rows", "1,500"),
        ("ok", "true"),
        ("shape", "[1,2]"),
        ("x", "y" * 200),
        ("half", "0.5"),
    ]


@pytest.mark.parametrize("text", BROKEN)
def test_a_profile_that_nobody_understands_has_no_pairs(text: str) -> None:
    assert profile(text) is None


def test_models_have_flavors_with_versions() -> None:
    flavors = {"python_function": {"python_version": "3.11"}, "sklearn": {"sklearn_version": "1.5"}}
    given = [
        {"artifact_path": "a", "flavors": {}},
        {"artifact_path": "b", "flavors": {"own": "?"}},
        {"artifact_path": "a", "flavors": flavors},
    ]
    assert models_of(json.dumps(given)) == [
        LoggedModel("a", ["sklearn 1.5"], "3.11"),
        LoggedModel("b", ["own"], ""),
    ]


@pytest.mark.parametrize(
    "text",
    [*BROKEN, '{"artifact_path": "a"}', "[7]", '[{"artifact_path": 7, "flavors": {}}]',
     '[{"artifact_path": "a"}]', '[{"artifact_path": "a", "flavors": 7}]'],
)  # fmt: skip
def test_a_history_that_nobody_understands_has_no_models(text: str) -> None:
    assert models_of(text) == []
