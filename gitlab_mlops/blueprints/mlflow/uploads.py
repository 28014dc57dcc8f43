"""`/mlflow-artifacts/mpu/...`: files in parallel parts, and what clients ask before they try."""

from __future__ import annotations

from typing import Any

from flask import Response, current_app, request, url_for

from gitlab_mlops.access import ReadAccess, WriteAccess, grant
from gitlab_mlops.blueprints import streams
from gitlab_mlops.blueprints.endpoint import endpoint, json_response, mounted
from gitlab_mlops.blueprints.mlflow.blueprint import api
from gitlab_mlops.errors import NotFound, NotSupported
from gitlab_mlops.keys import secrets_of
from gitlab_mlops.services import artifacts, tickets, uploads
from gitlab_mlops.services.artifacts import Place
from gitlab_mlops.services.tickets import Secrets
from gitlab_mlops.services.uploads import Upload
from gitlab_mlops.wire import artifacts as wire
from gitlab_mlops.wire import paths

BASE = "/api/2.0/mlflow-artifacts"


def _secrets() -> Secrets:
    return secrets_of(current_app)


def _enabled() -> bool:
    return mounted().settings.multipart_uploads and bool(_secrets())


def _require_enabled() -> None:
    if not _enabled():
        raise NotSupported(wire.NO_MULTIPART_UPLOAD)


def _place(access: WriteAccess, folder: str, file_name: str) -> Place:
    """Where the artifact goes. Ends the transaction, like all that talks to the store."""
    path = paths.to_write(f"{folder.rstrip('/')}/{file_name}")
    _require_enabled()
    place = artifacts.locate_to_write(access, path)
    access.session.commit()
    return place


@endpoint(
    api,
    "POST",
    f"{BASE}/mpu/create/<path:folder>",
    access=WriteAccess,
    takes=wire.CreateUpload,
)
def create(access: WriteAccess, folder: str, file_name: str, parts: int) -> Any:
    """Begin an upload, and give out an address for each of its parts."""
    place = _place(access, folder, file_name)
    upload = uploads.begin(access, mounted().storage, place, parts)
    credentials = [
        {"url": _part_url(upload, number), "part_number": number} for number in range(1, parts + 1)
    ]
    return {"upload_id": tickets.sign_upload(_secrets(), upload), "credentials": credentials}


def _part_url(upload: Upload, number: int) -> str:
    """The address that the client uses as it is, with no token."""
    ticket = tickets.sign_part(_secrets(), upload, number)
    project = str(upload.project_id)
    return url_for(".uploads_put_part_put", project=project, ticket=ticket, _external=True)


@endpoint(api, "PUT", f"{BASE}/mpu/parts/<ticket>", access=None)
def put_part(ticket: str) -> Response:
    """Store a part. The client sends no token: the ticket says who began the upload.

    Who may not write to the project any more cannot go on, though the address is still good.
    """
    _require_enabled()
    mount = mounted()
    part = tickets.read_part(_secrets(), ticket, mount.settings.upload_url_seconds)
    project = mount.host.projects.by_id(part.project_id)
    actor = mount.host.identity.actors([part.actor_id]).get(part.actor_id)
    access = grant(WriteAccess, mount.host, mount.settings, actor, project)
    access.session.commit()  # no connection waits while the bytes come
    limit = mount.settings.max_artifact_bytes
    chunks, length = streams.body(request, limit)
    etag = uploads.put_part(mount.storage, part, chunks, length, limit)
    response = json_response({})
    response.set_etag(etag)
    return response


@endpoint(
    api,
    "POST",
    f"{BASE}/mpu/complete/<path:folder>",
    access=WriteAccess,
    takes=wire.CompleteUpload,
)
def complete(
    access: WriteAccess, folder: str, file_name: str, upload_id: str, etags: list[tuple[int, str]]
) -> Any:
    """Make the artifact out of its parts."""
    place = _place(access, folder, file_name)
    upload = tickets.read_upload(_secrets(), upload_id)
    mount = mounted()
    limit = mount.settings.max_artifact_bytes
    uploads.complete(access, mount.storage, place, upload, etags, limit)
    return {}


@endpoint(
    api, "POST", f"{BASE}/mpu/abort/<path:folder>", access=WriteAccess, takes=wire.AbortUpload
)
def abort(access: WriteAccess, folder: str, upload_id: str) -> Any:
    """Forget an upload."""
    paths.to_write(folder.rstrip("/"))
    _require_enabled()
    access.session.commit()
    uploads.abort(access, mounted().storage, tickets.read_upload(_secrets(), upload_id))
    return {}


@endpoint(api, "GET", f"{BASE}/presigned/<path:artifact_path>", access=ReadAccess)
def presigned(access: ReadAccess, artifact_path: str) -> Any:
    """The address in the store where MLflow 3 clients get a file in parallel parts."""
    path = paths.to_read(artifact_path)
    if not _gives_links():
        raise NotSupported(wire.NO_MULTIPART_DOWNLOAD)
    place = artifacts.locate(access, path)
    access.session.commit()
    storage, seconds = mounted().storage, mounted().settings.link_seconds
    try:
        size = storage.head(place.key).size
    except NotFound:
        raise artifacts.missing(storage, place) from None
    return {"url": storage.sign(place.key, seconds), "headers": {}, "file_size": size}


def _gives_links() -> bool:
    mount = mounted()
    return bool(mount.settings.link_seconds) and mount.storage.can_sign


@endpoint(api, "GET", "/api/3.0/mlflow/server-info", access=None)
def server_info() -> Any:
    """What this server can do. No secret: the stock server tells it without a token, too."""
    return wire.server_info(multipart_uploads=_enabled(), multipart_downloads=_gives_links())
