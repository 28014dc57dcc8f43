"""Fixtures for tests with the real client and real HTTP."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from tests.factories import Forge


@dataclass(frozen=True)
class LiveProject:
    """What a data scientist knows: the tracking URI and a token."""

    tracking_uri: str
    token: str
    id: int


@pytest.fixture
def live_project(live_url: str, forge: Forge) -> LiveProject:
    """A fresh project on the served forge, with the token of one of its developers."""
    project_id = forge.project()
    token = forge.token(forge.member(project_id, "developer"))
    return LiveProject(f"{live_url}/api/v4/projects/{project_id}/ml/mlflow", token, project_id)
