"""The pages of a version of a registered model: what it is, and its files."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from types import SimpleNamespace
from typing import Any, Literal

from flask import Response

from gitlab_mlops.access import MaintainAccess, ReadAccess, WriteAccess
from gitlab_mlops.blueprints.endpoint import mounted
from gitlab_mlops.blueprints.web import artifacts as sending
from gitlab_mlops.blueprints.web import formats, markdown, state
from gitlab_mlops.blueprints.web.files import UNREACHABLE, File, Look, Shelf
from gitlab_mlops.blueprints.web.frames import STYLES, may
from gitlab_mlops.blueprints.web.lineage import ASSETS as LINEAGE
from gitlab_mlops.blueprints.web.lineage import lineage_of
from gitlab_mlops.blueprints.web.links import Links
from gitlab_mlops.blueprints.web.model_snippets import PROMPT_TEXT_TAG, as_python, load_code
from gitlab_mlops.blueprints.web.models import get_model, reference_of, tags_of
from gitlab_mlops.blueprints.web.page import VERSION, page
from gitlab_mlops.blueprints.web.previews.contents import Model
from gitlab_mlops.blueprints.web.rendering import people, render
from gitlab_mlops.blueprints.web.trees import join
from gitlab_mlops.errors import NotFound, Unavailable
from gitlab_mlops.services import artifacts
from gitlab_mlops.services.artifacts import Place
from gitlab_mlops.services.registry import aliases, registered_models, versions
from gitlab_mlops.services.registry.overview import SEMVER_TAG
from gitlab_mlops.services.registry.records import ModelRecord, VersionRecord
from gitlab_mlops.services.registry.sources import SCHEME
from gitlab_mlops.services.registry.stages import ACTIVE, STAGES
from gitlab_mlops.wire import paths

Tab = Literal["overview", "files", ""]
EXAMPLES = ("input_example.json", "serving_input_example.json")
"""Names of an input example among the files of a model, those that read better first."""


MAX_MESSAGES = 100
IDS = ("Run ID", "Model ID", "Model UUID")


@dataclass(frozen=True, slots=True)
class Inside:
    """What the files of a version tell: its `MLmodel`, and an input example, if there are any."""

    model: File | None = None
    example: File | None = None
    problem: str = ""


@dataclass(frozen=True, slots=True)
class VersionShelf(Shelf):
    """The files of a version."""

    name: str
    version: int
    is_told: bool = False
    """Whether the page tells how to load the version anyway."""

    def page(self, **query: str) -> str:
        """As `Shelf.page`."""
        return self.links.version_action(self.name, self.version, "files", **query)

    def download(self, path: str) -> str:
        """As `Shelf.download`."""
        return self.links.version_file(self.name, self.version, path)

    def picture(self, path: str) -> str:
        """As `Shelf.picture`."""
        return self.links.version_picture(self.name, self.version, path)

    def archive(self, path: str) -> str:
        """As `Shelf.archive`."""
        return self.links.version_action(self.name, self.version, "archive", path=path)

    def python(self, path: str) -> str:
        """As `Shelf.python`."""
        root = f"models:/{self.name}/{self.version}"
        uri = as_python(join(root, path) if path else root)
        return f"import mlflow\n\npath = mlflow.artifacts.download_artifacts({uri})"

    def loading(self, path: str) -> str:
        """As `Shelf.loading`: only the folder of the version itself is a model to load."""
        if path or self.is_told:
            return ""
        return load_code(self.name, f"/{self.version}", is_prompt=False)

    def inside(self) -> Inside:
        """What the files tell. The page survives a store that is down."""
        try:
            files = {each.name: each for each in self._list("") if not each.is_folder}
            found = next((name for name in EXAMPLES if name in files), "")
            return Inside(
                _without_ids(self._open(files["MLmodel"], "MLmodel", ""))
                if "MLmodel" in files
                else None,
                self._open(files[found], found, "") if found else None,
            )
        except Unavailable as error:
            return Inside(problem=str(error) or UNREACHABLE)


@page(VERSION, access=ReadAccess)
def model_version(access: ReadAccess, model_name: str, version: int) -> Response:
    """What a version is: signature, flavors, example, tags, stage, and where it comes from."""
    model, record = get_version(access, model_name, version)
    place = _place(access, record, "")
    shelf = _shelf(access, record, place) if place else None
    inside = shelf.inside() if shelf else Inside()
    is_model = record.place is not None
    chain = lineage_of(access, record) if is_model else None
    card = chain.found.candidate if chain else None
    return render_version(
        access,
        "model_version.html",
        model,
        record,
        tab="overview",
        shelf=shelf,
        inside=inside,
        # As the page of a file has them, so that the previews can be included.
        look=Look("", [], file=inside.model),
        example=_example(shelf, inside),
        lineage=chain,
        metrics=card.metrics if card else [],
        tags=tags_of(record.tags),
        protected=aliases.protected(access, record.name),
        prompt=_prompt(record),
    )


@page(f"{VERSION}/files", access=ReadAccess)
def version_files(access: ReadAccess, model_name: str, version: int) -> Response:
    """A folder of a version's files, or one of them."""
    model, record = get_version(access, model_name, version)
    shelf = _shelf(access, record, _place_of(access, record, state.raw("path")))
    return render_version(
        access,
        "model_version_files.html",
        model,
        record,
        tab="files",
        shelf=replace(shelf, is_told=False),
        look=shelf.look(),
    )


@page(f"{VERSION}/artifacts/<path:artifact_path>", access=ReadAccess)
def version_file(access: ReadAccess, model_name: str, version: int, artifact_path: str) -> Response:
    """A file of a version, always as a download."""
    _, record = get_version(access, model_name, version)
    return sending.send_file(access, _place_of(access, record, artifact_path), "This version")


@page(f"{VERSION}/preview/<path:artifact_path>", access=ReadAccess)
def version_picture(
    access: ReadAccess, model_name: str, version: int, artifact_path: str
) -> Response:
    """A picture among the files of a version, for a page to show."""
    _, record = get_version(access, model_name, version)
    return sending.send_picture(access, _place_of(access, record, artifact_path), "This version")


@page(f"{VERSION}/archive", access=ReadAccess)
def version_archive(access: ReadAccess, model_name: str, version: int) -> Response:
    """A folder of a version's files, or all of them, as a zip file."""
    _, record = get_version(access, model_name, version)
    place = _place_of(access, record, state.raw("path"))
    uri = f"models:/{record.name}/{version}"
    command = f"mlflow artifacts download --artifact-uri '{uri}' --dst-path ."
    return sending.send_archive(access, place, place.name or f"version-{version}", command)


def get_version(access: ReadAccess, name: str, version: int) -> tuple[ModelRecord, VersionRecord]:
    """The model and version that an address names; raise `NotFound`."""
    model = get_model(access, name)
    return model, versions.get(access, model.name, version)


def render_version(
    access: ReadAccess,
    template: str,
    model: ModelRecord,
    record: VersionRecord,
    *,
    tab: Tab,
    **shown: Any,
) -> Response:
    """Render a page of a version; `template` extends `mlops/model_version_layout.html`."""
    is_prompt = registered_models.is_prompt(dict(model.tags))
    which = f"@{record.aliases[0]}" if record.aliases else f"/{record.version}"
    return render(
        access,
        template,
        title=f"{record.name}, version {record.version}",
        assets=(*STYLES, "files.css", "models.css", *LINEAGE),
        tab=tab,
        model=model,
        version=record,
        is_prompt=is_prompt,
        load=load_code(record.name, which, is_prompt=is_prompt),
        description=markdown.render(record.description or ""),
        reference=reference_of(record.name, f"/{record.version}"),
        semver=dict(record.tags).get(SEMVER_TAG, ""),
        semver_tag=SEMVER_TAG,
        text_tag=PROMPT_TEXT_TAG,
        author=people([record.actor_id]).get(record.actor_id or ""),
        stages=STAGES,
        active_stages=ACTIVE,
        may_write=may(access, WriteAccess),
        may_maintain=may(access, MaintainAccess),
        **shown,
    )


def _without_ids(file: File) -> File:
    """An `MLmodel` without the ids in it: the lineage leads to what they name."""
    content = file.preview.content
    if not isinstance(content, Model):
        return file
    facts = [each for each in content.facts if each[0] not in IDS]
    return replace(file, preview=replace(file.preview, content=replace(content, facts=facts)))


def _example(shelf: VersionShelf | None, inside: Inside) -> SimpleNamespace | None:
    """What the templates of previews find in `ml` for the input example."""
    if inside.example is None:
        return None
    return SimpleNamespace(shelf=shelf, look=Look("", [], file=inside.example), formats=formats)


def _shelf(access: ReadAccess, record: VersionRecord, place: Place) -> VersionShelf:
    links = Links.of(mounted().host, access.project)
    return VersionShelf(place, links, record.name, record.version, is_told=True)


def _place_of(access: ReadAccess, record: VersionRecord, path: str) -> Place:
    """Where a path among the files of a version is; `NotFound` for a version without files."""
    place = _place(access, record, path)
    if place is None:
        raise NotFound(f"Version {record.version} of {record.name} has no files.")
    return place


def _place(access: ReadAccess, record: VersionRecord, path: str) -> Place | None:
    """As `_place_of`, None instead of `NotFound`; `Invalid` for a path that there cannot be."""
    if record.place is None:
        return None
    try:
        folder = artifacts.locate(access, record.place.removeprefix(SCHEME))
    except NotFound:
        return None
    # The version ends at its folder, whatever else its candidate has.
    return replace(folder, root=folder.key, path=paths.to_read(path))


def _prompt(record: VersionRecord) -> str | list[tuple[str, str]]:
    """The template of a prompt: a text, or the (role, text) of the messages of a chat."""
    text = dict(record.tags).get(PROMPT_TEXT_TAG, "")
    try:
        said = json.loads(text)
    except (ValueError, RecursionError):
        return text
    if not isinstance(said, list) or not said:
        return text
    messages = [_message(each) for each in said[:MAX_MESSAGES] if isinstance(each, dict)]
    return messages if len(messages) == len(said) else text


def _message(said: dict[str, Any]) -> tuple[str, str]:
    role, content = said.get("role"), said.get("content")
    text = content if isinstance(content, str) else json.dumps(content, ensure_ascii=False)
    return str(role), text
