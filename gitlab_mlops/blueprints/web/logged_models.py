"""The pages of a logged model of MLflow 3: its files, registered or not."""

from __future__ import annotations

from dataclasses import dataclass

from flask import Response

from gitlab_mlops.access import ReadAccess, WriteAccess
from gitlab_mlops.blueprints.endpoint import mounted
from gitlab_mlops.blueprints.web import artifacts as sending
from gitlab_mlops.blueprints.web import state
from gitlab_mlops.blueprints.web.files import Shelf
from gitlab_mlops.blueprints.web.frames import STYLES, may
from gitlab_mlops.blueprints.web.links import Links
from gitlab_mlops.blueprints.web.model_snippets import as_python
from gitlab_mlops.blueprints.web.page import LOGGED_MODEL, page
from gitlab_mlops.blueprints.web.rendering import people, render
from gitlab_mlops.blueprints.web.trees import join
from gitlab_mlops.services import artifacts, search
from gitlab_mlops.services.artifacts import Place
from gitlab_mlops.services.logged_models import life
from gitlab_mlops.wire import paths


@dataclass(frozen=True, slots=True)
class LoggedModelShelf(Shelf):
    """The files of a logged model."""

    model_id: str

    def page(self, **query: str) -> str:
        """As `Shelf.page`."""
        return self.links.logged_model(self.model_id, **query)

    def download(self, path: str) -> str:
        """As `Shelf.download`."""
        return self.links.logged_model_file(self.model_id, "artifacts", path)

    def picture(self, path: str) -> str:
        """As `Shelf.picture`."""
        return self.links.logged_model_file(self.model_id, "preview", path)

    def archive(self, path: str) -> str:
        """As `Shelf.archive`."""
        return self.links.logged_model_archive(self.model_id, path=path)

    def python(self, path: str) -> str:
        """As `Shelf.python`."""
        root = f"models:/{self.model_id}"
        uri = as_python(join(root, path) if path else root)
        return f"import mlflow\n\npath = mlflow.artifacts.download_artifacts({uri})"

    def loading(self, path: str) -> str:
        """As `Shelf.loading`: only the folder of the model itself is a model to load."""
        if path:
            return ""
        uri = as_python(f"models:/{self.model_id}")
        return f"import mlflow\n\nmodel = mlflow.pyfunc.load_model({uri})"


@page(f"{LOGGED_MODEL}/files", access=ReadAccess)
def logged_model_files(access: ReadAccess, model_id: str) -> Response:
    """A folder of a logged model's files, or one of them."""
    record = life.get(access, model_id)
    links = Links.of(mounted().host, access.project)
    shelf = LoggedModelShelf(_place(access, model_id, state.raw("path")), links, model_id)
    source = record.source_eid
    return render(
        access,
        "logged_model_files.html",
        title=record.name,
        assets=(*STYLES, "files.css"),
        model=record,
        maker=search.find_parents(access, [source]).get(source) if source else None,
        author=people([record.actor_id]).get(record.actor_id or ""),
        may_write=may(access, WriteAccess),
        shelf=shelf,
        look=shelf.look(),
    )


@page(f"{LOGGED_MODEL}/artifacts/<path:artifact_path>", access=ReadAccess)
def logged_model_file(access: ReadAccess, model_id: str, artifact_path: str) -> Response:
    """A file of a logged model, always as a download."""
    place = _place(access, life.get(access, model_id).model_id, artifact_path)
    return sending.send_file(access, place, "This model")


@page(f"{LOGGED_MODEL}/preview/<path:artifact_path>", access=ReadAccess)
def logged_model_picture(access: ReadAccess, model_id: str, artifact_path: str) -> Response:
    """A picture among the files of a logged model, for a page to show."""
    place = _place(access, life.get(access, model_id).model_id, artifact_path)
    return sending.send_picture(access, place, "This model")


@page(f"{LOGGED_MODEL}/archive", access=ReadAccess)
def logged_model_archive(access: ReadAccess, model_id: str) -> Response:
    """A folder of a logged model's files, or all of them, as a zip file."""
    place = _place(access, life.get(access, model_id).model_id, state.raw("path"))
    command = f"mlflow artifacts download --artifact-uri models:/{model_id} --dst-path ."
    return sending.send_archive(access, place, place.name or model_id, command)


def _place(access: ReadAccess, model_id: str, path: str) -> Place:
    """Where a path among the files of a logged model is; `Invalid` for one there cannot be."""
    plain = paths.to_read(path)
    root = f"models/{model_id}/artifacts"
    return artifacts.locate(access, f"{root}/{plain}" if plain else root)
