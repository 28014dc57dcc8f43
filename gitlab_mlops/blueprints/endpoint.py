"""`@endpoint`: a route of the MLflow API as a declaration. Grant, load, call, dump, commit."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from typing import Any

from flask import Blueprint, Response, current_app, request
from sqlalchemy.exc import DataError, DBAPIError, IntegrityError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from gitlab_mlops import errors
from gitlab_mlops.access import ReadAccess, WriteAccess, strengthened
from gitlab_mlops.blueprints import bodies
from gitlab_mlops.blueprints.credentials import grant_request
from gitlab_mlops.mount import Mount
from gitlab_mlops.wire import errors as wire_errors
from gitlab_mlops.wire import json
from gitlab_mlops.wire.fields import Repeated
from gitlab_mlops.wire.schema import Request, load

View = Callable[..., Any]


@dataclass(frozen=True, slots=True)
class Route:
    """One declared route, for the tests that walk all of them."""

    method: str
    rule: str
    access: type[ReadAccess] | None
    name: str


ROUTES: list[Route] = []
"""Every route declared with `@endpoint`; `access` is None where there is nothing to protect."""


def mounted() -> Mount:
    """The plugin's state in the current application."""
    mount: Mount = current_app.extensions["mlops"]
    return mount


def endpoint(
    blueprint: Blueprint,
    method: str,
    rule: str,
    *,
    access: type[ReadAccess] | None,
    takes: type[Request] | None = None,
) -> Callable[[View], View]:
    """Declare a route of the MLflow API.

    The view gets the granted access and what `takes` loaded (from the query for GET, else from
    the JSON body), next to the variables of the rule, as keyword arguments. It returns a JSON
    object, or a whole `Response`. `access` has no default: a route that forgets it fails at
    import. None means that the view touches no project; it gets no access value then.
    """
    schema = takes() if takes is not None else None

    def declare(view: View) -> View:
        name = f"{view.__module__.rpartition('.')[2]}_{view.__name__}_{method.lower()}"

        @wraps(view)
        def respond(**values: Any) -> Response:
            return _respond(view, access, schema, values)

        ROUTES.append(Route(method, rule, access, name))
        blueprint.add_url_rule(
            rule,
            name,
            respond,
            methods=[method],
            provide_automatic_options=False,
            merge_slashes=False,  # a redirect would hide what the client really asked for
        )
        return view

    return declare


def _respond(
    view: View, access: type[ReadAccess] | None, schema: Request | None, values: dict[str, Any]
) -> Response:
    granted = None
    try:
        if schema is not None:
            bodies.prefetch(request, mounted().settings.max_body_bytes)
        granted = _grant(access, values)
        arguments = _load_safely(schema, values)
        answer = view(granted, **arguments) if granted is not None else view(**arguments)
        if granted is not None:
            granted.session.commit()
    except Exception as error:
        return _refuse(granted, error)
    return answer if isinstance(answer, Response) else json_response(answer)


def _grant(access: type[ReadAccess] | None, values: dict[str, Any]) -> ReadAccess | None:
    which = values.pop("project")
    if access is None:
        return None
    return grant_request(access, mounted(), request, which)


def strongest(access: WriteAccess) -> WriteAccess:
    """The access of a view as `MaintainAccess`, if the actor may have that."""
    mount = mounted()
    return strengthened(mount.host, mount.settings, access)


def _load_safely(schema: Request | None, values: dict[str, Any]) -> dict[str, Any]:
    """As `_load`; the JSON parser takes more nesting than Python can walk through."""
    try:
        return _load(schema, values)
    except RecursionError:
        raise errors.Invalid("The request body is nested too deeply.") from None


def _load(schema: Request | None, values: dict[str, Any]) -> dict[str, Any]:
    if schema is None:
        return values
    if request.method in ("GET", "HEAD"):
        return {**load(schema, query_arguments(schema)), **values}
    # As in the stock server: anything else could be a form that a foreign page submitted.
    if request.headers.get("Content-Type", "").partition(";")[0].strip() != "application/json":
        raise errors.Invalid("Bad Request. Content-Type must be one of ['application/json'].")
    body = bodies.read(request, mounted().settings.max_body_bytes)
    return {**load(schema, json.loads(body)), **values}


def query_arguments(schema: Request) -> dict[str, Any]:
    """The query as a JSON object: fields that the schema declares as lists keep all values."""
    lists = {
        field.data_key or name
        for name, field in schema.fields.items()
        if isinstance(field, Repeated)
    }
    arguments: dict[str, Any] = {}
    for key, found in request.args.lists():
        json.reject_nul(found)
        arguments[key] = found if key in lists else found[0]
    return arguments


def json_response(answer: Any, status: int = 200) -> Response:
    """An answer as MLflow's client wants it: exactly 200 when it went well."""
    return Response(json.dumps(answer), status, mimetype="application/json")


def error_response(status: int, code: str, message: str, retry_after: int = 0) -> Response:
    """An error as MLflow's client wants it; `retry_after` in seconds."""
    response = json_response(wire_errors.body(code, message), status)
    if retry_after or status == 503:
        response.headers["Retry-After"] = str(retry_after or wire_errors.RETRY_AFTER_SECONDS)
    if status == 401:
        response.headers["WWW-Authenticate"] = 'Bearer realm="MLflow"'
    return response


def _refuse(granted: ReadAccess | None, error: Exception) -> Response:
    if granted is not None:
        granted.session.rollback()
    known = domain_error(error)
    if known is not None:
        wait = known.seconds if isinstance(known, errors.TooMany) else 0
        return error_response(*wire_errors.status_and_code(known), str(known), wait)
    current_app.logger.exception("MLflow API: %s %s failed", request.method, request.path)
    return error_response(
        *wire_errors.INTERNAL_ERROR, "The server failed here; its log says why. Nothing was stored."
    )


def domain_error(error: Exception) -> errors.MLOpsError | None:
    """The domain error that an exception amounts to, or None for a fault of ours."""
    if isinstance(error, errors.MLOpsError):
        return error
    if isinstance(error, DataError):
        return errors.Invalid("A value does not fit into the database; nothing was stored.")
    if isinstance(error, IntegrityError):
        return errors.Unavailable("Somebody else changed the same thing; try again.")
    if isinstance(error, (DBAPIError, PoolTimeout)):
        current_app.logger.warning("MLflow API: the database failed: %s", error)
        return errors.Unavailable("The database cannot be reached at the moment; try again.")
    return None
