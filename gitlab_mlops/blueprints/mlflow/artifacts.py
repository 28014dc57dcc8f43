"""`/mlflow-artifacts/artifacts/...` and `/mlflow/artifacts/list`: files of runs.

The transaction ends before bytes flow: a slow client must not hold a database connection.
"""

from __future__ import annotations

from typing import Any

from flask import Response, request

from gitlab_mlops.access import ReadAccess, WriteAccess
from gitlab_mlops.blueprints import downloads, streams
from gitlab_mlops.blueprints.endpoint import endpoint, mounted
from gitlab_mlops.blueprints.mlflow.blueprint import api
from gitlab_mlops.errors import NotFound
from gitlab_mlops.services import artifacts, candidates
from gitlab_mlops.wire import artifacts as wire
from gitlab_mlops.wire import paths
from gitlab_mlops.wire.runs import artifact_uri

BASE = "/api/2.0/mlflow-artifacts/artifacts"
FILE = f"{BASE}/<path:artifact_path>"


@endpoint(api, "GET", FILE, access=ReadAccess)
def download(access: ReadAccess, artifact_path: str) -> Response:
    """A file, or the part of it that the client asks for."""
    place = artifacts.locate(access, paths.to_read(artifact_path))
    access.session.commit()
    storage, seconds = mounted().storage, mounted().settings.link_seconds
    try:
        return downloads.send_file(request, storage, place.key, place.name, link_seconds=seconds)
    except NotFound:
        raise artifacts.missing(storage, place) from None


@endpoint(api, "PUT", FILE, access=WriteAccess)
def upload(access: WriteAccess, artifact_path: str) -> Any:
    """Store a file, whole or not at all."""
    place = artifacts.locate_to_write(access, paths.to_write(artifact_path))
    mount = mounted()
    chunks, length = streams.body(request, mount.settings.max_artifact_bytes)
    access.session.commit()
    artifacts.put(access, mount.storage, place, chunks, length)
    return {}


@endpoint(api, "DELETE", FILE, access=WriteAccess)
def delete(access: WriteAccess, artifact_path: str) -> Any:
    """Delete a file, or a folder with all that is in it."""
    place = artifacts.locate_to_write(access, paths.to_read(artifact_path))
    access.session.commit()
    artifacts.delete(mounted().storage, place)
    return {}


@endpoint(api, "GET", BASE, access=ReadAccess, takes=wire.ListFolder)
def list_folder(access: ReadAccess, path: str) -> Any:
    """What is in a folder; names are relative to it."""
    place = artifacts.locate(access, paths.to_read(path))
    access.session.commit()
    return wire.files(artifacts.list_folder(mounted().storage, place))


@endpoint(api, "GET", "/api/2.0/mlflow/artifacts/list", access=ReadAccess, takes=wire.ListOfRun)
def list_of_run(access: ReadAccess, run_id: str, path: str) -> Any:
    """What is in a folder of a run; names are relative to the run's artifacts."""
    folder = paths.to_read(path)
    root_uri = artifact_uri(candidates.get(access, run_id))
    root = root_uri.removeprefix("mlflow-artifacts:/")
    place = artifacts.locate(access, f"{root}/{folder}" if folder else root)
    access.session.commit()
    found = artifacts.list_folder(mounted().storage, place)
    return {"root_uri": root_uri, **wire.files(found, folder)}
