"""The conformance suite finds what is wrong: each defect of an adapter fails the test it should."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from flask import request, session

from gitlab_mlops import Ability, Actor, Project
from gitlab_mlops.testing import AdapterConformance
from gitlab_mlops.testing.world import World
from tests.other_forge import PREFIXES, Adapter, Repo, User
from tests.test_conformance import SmallForge, SmallForgeWithTexts

Defect = Callable[..., Any]


def knows_every_secret(adapter: Adapter, credential: Any) -> Actor | None:
    user = adapter.db.query(User).first()
    return Actor(str(user.id), user.user) if user else None


def ignores_case(adapter: Adapter, credential: Any) -> Actor | None:
    return adapter_was["authenticate"](adapter, credential) or next(
        (
            adapter_was["authenticate"](adapter, type(credential)("basic", secret, name))
            for name, secret in SECRETS.items()
            if secret.casefold() == credential.secret.casefold()
        ),
        None,
    )
