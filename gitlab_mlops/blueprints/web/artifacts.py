"""The bytes of a candidate's artifacts: a file or a folder to download, a picture to show."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from itertools import chain

from flask import Response, request

from gitlab_mlops.access import ReadAccess
from gitlab_mlops.blueprints import downloads
from gitlab_mlops.blueprints.endpoint import mounted
from gitlab_mlops.blueprints.web import state
from gitlab_mlops.blueprints.web.page import CANDIDATE, page
from gitlab_mlops.blueprints.web.previews.images import MAX_IMAGE_BYTES, image_type
from gitlab_mlops.errors import Invalid, NotFound
from gitlab_mlops.services import archive, artifacts, overview
from gitlab_mlops.services.artifacts import Place
from gitlab_mlops.storage import Blob, Entry
from gitlab_mlops.storage.labels import disposition
from gitlab_mlops.wire import paths

NO_IMAGE = "This file is no image that can be shown here; download it instead."
GUARDS = {
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "sandbox; default-src 'none'",
    "Cross-Origin-Resource-Policy": "same-origin",
}


def place_of(access: ReadAccess, experiment_iid: int, eid: str, path: str) -> Place:
    """Where a path of a candidate's artifacts is; `Invalid` for one that there cannot be."""
    plain = paths.to_read(path)
    root = f"{experiment_iid}/{eid}/artifacts"  # as in `wire.runs.artifact_uri`
    return artifacts.locate(access, f"{root}/{plain}" if plain else root)


@page(f"{CANDIDATE}/artifacts/<path:artifact_path>", access=ReadAccess)
def artifact(access: ReadAccess, candidate_iid: int, artifact_path: str) -> Response:
    """A file, always as a download."""
    experiment_iid, eid = overview.get_eid(access, candidate_iid)
    place = place_of(access, experiment_iid, eid, artifact_path)
    return send_file(access, place, f"Candidate {candidate_iid}")


@page(f"{CANDIDATE}/preview/<path:artifact_path>", access=ReadAccess)
def picture(access: ReadAccess, candidate_iid: int, artifact_path: str) -> Response:
    """A picture for a page to show: of one of few types, as its bytes tell and not its name."""
    experiment_iid, eid = overview.get_eid(access, candidate_iid)
    place = place_of(access, experiment_iid, eid, artifact_path)
    return send_picture(access, place, f"Candidate {candidate_iid}")


def send_file(access: ReadAccess, place: Place, owner: str) -> Response:
    """A file as a download; `NotFound` says that `owner` has none there."""
    access.session.commit()  # no connection waits while the bytes flow
    mount = mounted()
    seconds = mount.settings.link_seconds
    try:
        return downloads.send_file(
            request, mount.storage, place.key, place.name, link_seconds=seconds
        )
    except NotFound:
        # In the words of the page, because the API's tell the run's id.
        raise _missing(owner, place) from None


def send_picture(access: ReadAccess, place: Place, owner: str) -> Response:
    """A picture for a page to show; `Invalid` for any other file."""
    access.session.commit()
    try:
        blob = mounted().storage.open(place.key)
    except NotFound:
        raise _missing(owner, place) from None
    chunks = iter(blob.chunks)
    start = next(chunks, b"")
    media_type = image_type(start)
    if not media_type or blob.size > MAX_IMAGE_BYTES:
        blob.close()
        raise Invalid(NO_IMAGE)
    return _picture(blob, chain((start,), chunks), media_type)


def _picture(blob: Blob, chunks: Iterator[bytes], media_type: str) -> Response:
    entry = Entry("", blob.size, etag=blob.etag, modified=blob.modified)
    if status := downloads.failed_condition(request, entry):
        blob.close()
        response = Response(status=status, headers=GUARDS)
    else:
        response = Response(chunks, headers=GUARDS, direct_passthrough=True)
        response.call_on_close(blob.close)
        response.headers["Content-Type"] = media_type
        response.headers["Content-Length"] = str(blob.size)
    response.headers["Content-Disposition"] = "inline"
    response.headers["Cache-Control"] = "private, no-cache"  # a page of thumbnails asks for changes
    if blob.etag:
        response.set_etag(blob.etag)
    return response


@page(f"{CANDIDATE}/archive", access=ReadAccess)
def folder_archive(access: ReadAccess, candidate_iid: int) -> Response:
    """A folder of artifacts, or all of them, as a zip file."""
    experiment_iid, eid = overview.get_eid(access, candidate_iid)
    place = place_of(access, experiment_iid, eid, state.raw("path"))
    of_folder = f" --artifact-path {shlex.quote(place.path)}" if place.path else ""
    command = f"mlflow artifacts download --run-id {eid}{of_folder} --dst-path ."
    return send_archive(access, place, place.name or f"candidate-{candidate_iid}", command)


def send_archive(access: ReadAccess, place: Place, name: str, command: str) -> Response:
    """A folder as a zip file; `Invalid`, with a command to get it, for what is too much for one."""
    access.session.commit()
    try:
        found = archive.collect(mounted().storage, place, name)
    except Invalid as error:
        raise Invalid(f"{error} MLflow's client gets them: {command}") from None
    body = () if request.method == "HEAD" else found.chunks()
    response = Response(body, headers=GUARDS, direct_passthrough=True)
    response.headers["Content-Type"] = "application/zip"
    response.headers["Content-Length"] = str(found.size())
    response.headers["Content-Disposition"] = disposition(f"{name}.zip")
    response.headers["Cache-Control"] = "private, no-store"
    return response


def _missing(owner: str, place: Place) -> NotFound:
    return NotFound(f"{owner} has no file “{place.path}”.")
