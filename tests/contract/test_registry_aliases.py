"""Aliases: they move, are protected, and remember who moved them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import pytest
from blinker import Signal

from gitlab_mlops.access import MaintainAccess, WriteAccess
from gitlab_mlops.hooks import signals
from gitlab_mlops.host import Actor, Project
from gitlab_mlops.services.registry import aliases, history, registered_models
from host_stub.database import db
from tests.contract.registry import (
    FORBIDDEN,
    INVALID,
    MISSING,
    make_version,
    model,
    register,
    set_alias,
    version,
)
from tests.factories import Api, Forge

ALIAS = "registered-models/alias"


@pytest.fixture
def api(forge: Forge) -> Api:
    """A developer's API, with the registered model `churn` of two versions."""
    api = forge.developer()
    register(api)
    make_version(api)
    make_version(api)
    return api


@contextmanager
def access_to(api: Api, kind: type[WriteAccess] = WriteAccess) -> Iterator[Any]:
    """Access of a service to the project, as somebody called 7; committed."""
    with api.app.app_context():
        yield kind(Actor("7", "seven"), Project(api.project_id, "group/project"), db.session)  # type: ignore[arg-type]
        db.session.commit()


def protect(api: Api, *names: str) -> None:
    """Protect aliases of `churn`."""
    with access_to(api, MaintainAccess) as access:
        aliases.protect(access, "churn", names)


def maintainer_of(forge: Forge, api: Api) -> Api:
    """The API of a maintainer of the same project."""
    return forge.api(api.project_id, forge.token(forge.member(api.project_id, "maintainer")))


def moves(api: Api) -> list[history.Move]:
    """The history of `churn`, the newest first."""
    with access_to(api) as access:
        return history.moves(access, "churn", limit=20)


def found(api: Api, alias: str) -> str:
    """The number of the version that an alias stands for."""
    answer = api.get(ALIAS, name="churn", alias=alias)
    number: str = answer["model_version"]["version"]
    return number


def test_an_alias_moves_from_version_to_version(api: Api) -> None:
    for number in (1, 2):
        set_alias(api, "champion", number)
        assert found(api, "champion") == str(number)
    assert model(api)["aliases"] == [{"alias": "champion", "version": "2"}]
    assert version(api, 2)["aliases"] == ["champion"]
    assert "aliases" not in version(api, 1)
    assert api.call("DELETE", ALIAS, json={"name": "churn", "alias": "champion"}).json == {}
    assert api.refused("GET", f"{ALIAS}?name=churn&alias=champion") == INVALID


def test_the_newest_version_is_called_latest(api: Api) -> None:
    assert found(api, "latest") == found(api, "LATEST") == "2"
    register(api, "empty")
    assert api.refused("GET", f"{ALIAS}?name=empty&alias=latest") == MISSING


@pytest.mark.parametrize("alias", ["", "a b", "latest", "Latest", "v1", "V22", "a/b", "x" * 256])
def test_an_alias_that_means_something_else_is_refused(api: Api, alias: str) -> None:
    body = {"name": "churn", "alias": alias, "version": "1"}
    assert api.refused("POST", ALIAS, json=body) == INVALID


def test_an_alias_needs_a_version(api: Api) -> None:
    body = {"name": "churn", "alias": "champion", "version": "9"}
    assert api.refused("POST", ALIAS, json=body) == MISSING
    assert api.refused("POST", ALIAS, json={**body, "name": "nobody"}) == MISSING


def test_aliases_go_with_their_version(api: Api) -> None:
    set_alias(api, "champion", 1)
    api.call("DELETE", "model-versions/delete", json={"name": "churn", "version": "1"})
    assert "aliases" not in model(api)
    assert [(move.alias, move.version_before, move.version_after) for move in moves(api)] == [
        ("champion", 1, None),
        ("champion", None, 1),
    ]


def test_who_moved_what_when_is_remembered(forge: Forge, api: Api) -> None:
    set_alias(api, "champion", 1)
    set_alias(api, "champion", 1)  # nothing moves
    maintainer = maintainer_of(forge, api)
    set_alias(maintainer, "champion", 2)
    stage = {"name": "churn", "version": "1", "stage": "Staging"}
    api.post("model-versions/transition-stage", **stage)
    staged, moved, made = moves(api)
    assert (staged.version_after, staged.stage_before, staged.stage_after) == (1, "None", "Staging")
    assert (moved.alias, moved.version_before, moved.version_after) == ("champion", 1, 2)
    assert made.version_before is None
    assert staged.actor_id == made.actor_id != moved.actor_id
    assert staged.moved_at >= moved.moved_at >= made.moved_at > 0
    with access_to(api) as access:
        assert history.moves(access, "churn", limit=1, before=moved.id) == [made]


def test_only_maintainers_move_a_protected_alias(forge: Forge, api: Api) -> None:
    set_alias(api, "champion", 1)
    protect(api, "champion", "next")
    for alias in ("champion", "next"):
        body = {"name": "churn", "alias": alias, "version": "2"}
        answer = api.call("POST", ALIAS, json=body)
        assert (answer.status_code, answer.json["error_code"]) == FORBIDDEN
        assert "only a maintainer" in answer.json["message"]
        assert api.refused("DELETE", ALIAS, json=body) == FORBIDDEN
    set_alias(api, "challenger", 2)
    set_alias(maintainer_of(forge, api), "champion", 2)
    assert found(api, "champion") == "2"
    protect(api, "next")
    set_alias(api, "champion", 1)


def test_what_would_take_a_protected_alias_away_needs_a_maintainer(forge: Forge, api: Api) -> None:
    set_alias(api, "champion", 1)
    protect(api, "champion")
    rename = {"name": "churn", "new_name": "other"}
    assert api.refused("POST", "registered-models/rename", json=rename) == FORBIDDEN
    assert api.refused("DELETE", "registered-models/delete", json={"name": "churn"}) == FORBIDDEN
    first = {"name": "churn", "version": "1"}
    assert api.refused("DELETE", "model-versions/delete", json=first) == FORBIDDEN
    body = {"name": "churn", "version": "2"}
    assert api.call("DELETE", "model-versions/delete", json=body).status_code == 200
    maintainer = maintainer_of(forge, api)
    assert maintainer.call("DELETE", "model-versions/delete", json=first).status_code == 200
    body = {"name": "churn"}
    assert maintainer.call("DELETE", "registered-models/delete", json=body).status_code == 200


def test_protecting_needs_the_whole_list(api: Api) -> None:
    protect(api, "a", "b")
    protect(api, "b", "c")
    with access_to(api) as access:
        assert aliases.protected(access, "churn") == ["b", "c"]
        other = replace(access, project=Project(api.project_id + 1000, "other"))
        with pytest.raises(Exception, match="not found"):
            aliases.protected(other, "churn")


@contextmanager
def hearing(signal: Signal) -> Iterator[list[dict[str, Any]]]:
    """What is announced by a signal meanwhile."""
    heard: list[dict[str, Any]] = []

    def hear(_application: object, **facts: Any) -> None:
        heard.append({key: facts[key] for key in facts.keys() - {"session", "project", "actor"}})

    with signal.connected_to(hear):
        yield heard


def test_new_versions_and_moved_aliases_are_announced(api: Api) -> None:
    with hearing(signals.model_version_created) as made:
        make_version(api)
    with hearing(signals.model_alias_moved) as moved:
        set_alias(api, "champion", 1)
        set_alias(api, "champion", 3)
        with access_to(api) as access:
            registered_models.delete(access, "churn")
    assert made == [{"name": "churn", "version": 3}]
    assert moved == [
        {"name": "churn", "alias": "champion", "old": old, "new": new}
        for old, new in [(None, 1), (1, 3), (3, None)]
    ]
