"""A public project with one candidate, and somebody who looks at it."""

from __future__ import annotations

import pytest

from tests.browsing import Browser, log
from tests.factories import Api, Forge


@pytest.fixture
def api(forge: Forge) -> Api:
    """The API of a developer of a public project."""
    return forge.developer("public")


@pytest.fixture
def run_id(api: Api) -> str:
    """The project's candidate 1."""
    return log(api, "gbt")


@pytest.fixture
def browser(forge: Forge, api: Api, run_id: str) -> Browser:
    """Somebody who is not signed in; the project is public."""
    return Browser.open(forge, api.project_id)
