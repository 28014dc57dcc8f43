"""Who may call what: every declared route, by role, visibility and credential.

401 without a good credential, 404 for a project
that is hidden or missing (byte for byte the same), 403 for one that is visible but not writable.
"""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from flask import Flask

from gitlab_mlops.access import PROJECT_NOT_FOUND, MaintainAccess, ReadAccess
from gitlab_mlops.blueprints.endpoint import ROUTES, Route
from tests.factories import Api, Forge, bearer

PROTECTED = [route for route in ROUTES if route.access is not None]
OPEN = [route for route in ROUTES if route.access is None]
VISIBILITIES = ("private", "internal", "public")
MISSING_PROJECT = 999_999

# What (reading, writing) answers by visibility; 200 stands for: past the gate.
NOBODY = dict.fromkeys(VISIBILITIES, (401, 401))
HIDDEN = dict.fromkeys(VISIBILITIES, (404, 404))
READER = dict.fromkeys(VISIBILITIES, (200, 403))
WRITER = dict.fromkeys(VISIBILITIES, (200, 200))
STRANGER = {"private": (404, 404), "internal": (200, 403), "public": (200, 403)}

Make = Callable[[Forge, int], str | None]


def _member(role: str, *scopes: str) -> Make:
    return lambda forge, project: forge.token(forge.member(project, role), *scopes)


def _blocked(forge: Forge, project: int) -> str:
    user = forge.user(blocked=True)
    forge.add_member(project, user, "developer")
    return forge.token(user)


def _job(role: str, *, finished: bool = False) -> Make:
    return lambda forge, project: forge.job_token(
        project, forge.member(project, role), finished=finished
    )


def _ended(**how: bool) -> Make:
    return lambda forge, project: forge.token(forge.member(project, "developer"), **how)


ACTORS: dict[str, tuple[Make, dict[str, tuple[int, int]]]] = {
    "anonymous": (lambda forge, project: None, NOBODY),
    "a made-up token": (lambda forge, project: "glpat-" + "x" * 32, NOBODY),
    "an expired token": (_ended(expired=True), NOBODY),
    "a revoked token": (_ended(revoked=True), NOBODY),
    "a blocked developer": (_blocked, NOBODY),
    "a job that is over": (_job("developer", finished=True), NOBODY),
    "an outsider": (lambda forge, project: forge.token(forge.user()), STRANGER),
    "a guest": (_member("guest"), STRANGER),
    "a reporter": (_member("reporter"), READER),
    "a developer": (_member("developer"), WRITER),
    "a maintainer": (_member("maintainer"), WRITER),
    "an owner": (_member("owner"), WRITER),
    "a developer's read_api token": (_member("developer", "read_api"), READER),
    "a developer's mlops:read token": (_member("developer", "mlops:read"), READER),
    "a developer's mlops:write token": (_member("developer", "mlops:write"), WRITER),
    "a reporter's mlops:write token": (_member("reporter", "mlops:write"), READER),
    "a guest's mlops:write token": (_member("guest", "mlops:write"), STRANGER),
    "the project's own token": (
        lambda forge, project: forge.project_token(project, "developer"),
        WRITER,
    ),
    "another project's token": (
        lambda forge, project: forge.project_token(forge.project(), "maintainer"),
        HIDDEN,
    ),
    "a running job of a developer": (_job("developer"), WRITER),
    "a running job of another project": (
        lambda forge, project: forge.job_token(forge.project(), forge.member(project, "owner")),
        HIDDEN,
    ),
}


MAINTAINERS = ("a maintainer", "an owner")


def expected(route: Route, who: str, visibility: str) -> int:
    """What a route answers; 200 stands for: past the gate."""
    reading, writing = ACTORS[who][1][visibility]
    if route.access is MaintainAccess:
        return 403 if writing == 200 and who not in MAINTAINERS else writing
    return reading if route.access is ReadAccess else writing


def path_of(route: Route) -> str:
    """The route's path with something in place of each variable."""
    return re.sub(r"<\w+>", "x", re.sub(r"<path:\w+>", "1/x/artifacts/a", route.rule))


def answer(api: Api, route: Route) -> tuple[int, bytes]:
    """Status and body of a call with an empty body; 200 for whatever is past the gate."""
    response = api.call(route.method, path_of(route), json={} if route.method != "GET" else None)
    body = response.get_data()
    gate = response.status_code in (401, 403) or PROJECT_NOT_FOUND.encode() in body
    return (response.status_code if gate else 200), body


@pytest.mark.parametrize("visibility", VISIBILITIES)
@pytest.mark.parametrize("who", ACTORS)
def test_every_route_answers_by_role_visibility_and_credential(
    forge: Forge, who: str, visibility: str
) -> None:
    make, _ = ACTORS[who]
    project = forge.project(visibility)
    api = forge.api(project, make(forge, project))
    for route in PROTECTED:
        wanted = expected(route, who, visibility)
        assert (route.method, route.rule, answer(api, route)[0]) == (
            route.method,
            route.rule,
            wanted,
        )


@pytest.mark.parametrize("route", PROTECTED, ids=lambda route: f"{route.method} {route.rule}")
def test_a_hidden_project_looks_like_a_missing_one(forge: Forge, route: Route) -> None:
    token = forge.token(forge.user())
    hidden = answer(forge.api(forge.project("private"), token), route)
    assert hidden == answer(forge.api(MISSING_PROJECT, token), route)
    assert hidden[0] == 404


def test_bad_credentials_all_get_the_same_body(forge: Forge) -> None:
    project = forge.project("public")
    bodies = {
        answer(forge.api(project, make(forge, project)), PROTECTED[0])[1]
        for make, table in ACTORS.values()
        if table is NOBODY
    }
    assert len(bodies) == 1


def test_a_session_cookie_does_not_authorise_the_api(app: Flask, forge: Forge) -> None:
    project = forge.project("public")
    client = app.test_client()
    with client.session_transaction() as session:
        session["_user_id"], session["_fresh"] = str(forge.member(project, "owner")), True
    assert client.get("/", follow_redirects=False).status_code < 400
    for route in PROTECTED:
        response = client.open(forge.api(project, None).base + path_of(route), method=route.method)
        assert response.status_code == 401


@pytest.mark.parametrize("scheme", ["bearer", "basic", "private-token"])
def test_a_token_is_good_in_each_header_that_clients_use(forge: Forge, scheme: str) -> None:
    api = forge.developer()
    secret = api.headers.pop("Authorization").removeprefix("Bearer ")
    options = {
        "bearer": {"headers": bearer(secret)},
        "basic": {"auth": ("anybody", secret)},
        "private-token": {"headers": {"PRIVATE-TOKEN": secret}},
    }[scheme]
    path = "experiments/get?experiment_id=0"
    assert api.call("GET", path, **options).status_code == 200
    assert api.call("GET", path).status_code == 401


def test_a_job_token_is_good_in_its_own_header(forge: Forge) -> None:
    project = forge.project()
    secret = forge.job_token(project, forge.member(project, "developer"))
    api = forge.api(project, None)
    path = "experiments/get?experiment_id=0"
    assert api.call("GET", path, headers={"JOB-TOKEN": secret}).status_code == 200


@pytest.mark.parametrize("secret", ["", "\x00", "x" * 5000, "é" * 10, "a b"])
def test_odd_secrets_are_unauthenticated(forge: Forge, secret: str) -> None:
    api = forge.api(forge.project("public"), None)
    assert api.refused("GET", "runs/get", auth=("u", secret)) == (401, "UNAUTHENTICATED")


def test_a_project_is_found_by_its_encoded_path(forge: Forge) -> None:
    api = forge.developer()
    path = forge.path(api.project_id).replace("/", "%2F")
    client = api.app.test_client()
    for prefix in ("/api/v4/projects/", "/api/v4/projects//"):
        url = f"{prefix}{path}/ml/mlflow/api/2.0/mlflow/experiments/get?experiment_id=0"
        status = client.get(url, headers=api.headers).status_code
        assert status == (404 if prefix.endswith("//") else 200)


def test_every_url_below_the_prefix_is_declared(app: Flask) -> None:
    """A route that came around `@endpoint` would have no declared access."""
    declared = {(route.method, route.rule) for route in ROUTES}
    prefix = "/api/v4/projects/<project>/ml/mlflow"
    found = set()
    for rule in app.url_map.iter_rules():
        is_ours = rule.rule.startswith(prefix) or rule.endpoint.startswith("mlops")
        is_api = is_ours and rule.rule.startswith("/api/")
        if is_api and not rule.endpoint.endswith(".not_found"):
            methods = (rule.methods or set()) - {"HEAD"}
            found |= {(method, rule.rule.removeprefix(prefix)) for method in methods}
    assert found == declared


def test_open_routes_touch_no_project() -> None:
    assert {route.rule for route in OPEN} <= {
        "/health",
        "/version",
        "/api/3.0/mlflow/server-info",
        "/api/2.0/mlflow-artifacts/mpu/parts/<ticket>",
        "/api/2.0/mlflow-artifacts/presigned/<path:artifact_path>",
    }


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"])
def test_an_unknown_path_answers_mlflows_error(forge: Forge, method: str) -> None:
    api = forge.api(MISSING_PROJECT, None)
    for path in ("", "/", "/api/2.0/mlflow/nothing", "/api/2.0/mlflow/runs/get/"):
        assert api.refused(method, path or "/") == (404, "ENDPOINT_NOT_FOUND")


def test_a_wrong_verb_answers_mlflows_error(forge: Forge) -> None:
    assert forge.developer().refused("PATCH", "runs/create") == (404, "ENDPOINT_NOT_FOUND")
