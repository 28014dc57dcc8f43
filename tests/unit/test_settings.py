"""Settings are read once, by name, and a name that nobody knows is refused."""

from __future__ import annotations

from dataclasses import FrozenInstanceError
from typing import Any

import pytest

from gitlab_mlops.settings import MEBIBYTE, Settings


def test_without_any_key_all_are_as_default() -> None:
    assert Settings.from_config({"SECRET_KEY": "x", "DEBUG": True}) == Settings()


def test_keys_are_the_fields_in_capitals() -> None:
    given = {"MLOPS_ARTIFACTS_URL": "s3://bucket", "MLOPS_MAX_BODY_BYTES": MEBIBYTE}
    settings = Settings.from_config(given)
    assert (settings.artifacts_url, settings.max_body_bytes) == ("s3://bucket", MEBIBYTE)


@pytest.mark.parametrize("key", ["MLOPS_ARTIFACT_URL", "MLOPS_", "MLOPS_artifacts_url"])
def test_an_unknown_key_is_refused_with_those_that_are_known(key: str) -> None:
    with pytest.raises(ValueError, match=f"unknown setting {key}; known are .*MLOPS_ARTIFACTS_URL"):
        Settings.from_config({key: "x"})


def test_all_unknown_keys_are_told_at_once() -> None:
    with pytest.raises(ValueError, match="unknown setting MLOPS_A, MLOPS_B;"):
        Settings.from_config({"MLOPS_B": 1, "MLOPS_A": 1})


def test_settings_do_not_change() -> None:
    settings: Any = Settings()
    with pytest.raises(FrozenInstanceError):
        settings.max_body_bytes = 1


def test_tokens_that_write_can_read_too() -> None:
    """`access.grant` asks for a scope that reads first, also when something is written."""
    assert set(Settings().write_scopes) <= set(Settings().read_scopes)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("MLOPS_MAX_BODY_BYTES", "100"),
        ("MLOPS_MAX_BODY_BYTES", True),
        ("MLOPS_MULTIPART_UPLOADS", 1),
        ("MLOPS_ARTIFACTS_URL", None),
        ("MLOPS_READ_SCOPES", "api"),
    ],
)
def test_a_value_of_a_wrong_type_is_refused_at_the_start(key: str, value: Any) -> None:
    with pytest.raises(ValueError, match=f"{key} is .*; it must be a"):
        Settings.from_config({key: value})
