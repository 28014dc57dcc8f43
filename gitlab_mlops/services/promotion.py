"""Making a version of what a candidate has logged, as `mlflow.register_model` does."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import islice

from sqlalchemy import select

from gitlab_mlops.access import MaintainAccess, ReadAccess, WriteAccess
from gitlab_mlops.errors import NotFound
from gitlab_mlops.models import Candidate, LoggedModelStatus, ModelVersion, RegisteredModel
from gitlab_mlops.services import artifacts, lineage
from gitlab_mlops.services.records import CandidateRecord
from gitlab_mlops.services.registry import aliases, registered_models, versions
from gitlab_mlops.services.registry.records import VersionRecord
from gitlab_mlops.services.registry.sources import LoggedModelName, RunFolder, Source
from gitlab_mlops.storage import Storage

DESCRIPTION = "MLmodel"
"""The file that makes a folder a model."""
MAX_WALKED = 2000
"""Artifacts of a candidate among which models are looked for."""


@dataclass(frozen=True, slots=True)
class Promotable:
    """What can become a version: a logged model by its name, or a folder by its path.

    `created_at` is in milliseconds since 1970, None for a folder.
    """

    source: Source
    name: str
    kind: str = ""
    created_at: int | None = None

    @property
    def uri(self) -> str:
        """Its address, as MLflow names it."""
        return self.source.text

    @property
    def is_folder(self) -> bool:
        """Whether it is a folder among the artifacts."""
        return isinstance(self.source, RunFolder)


def logged_models(access: ReadAccess, record: CandidateRecord) -> list[Promotable]:
    """The logged models that the candidate made and whose files are there, the newest first."""
    return [
        Promotable(
            LoggedModelName(f"models:/{each.model_id}", each.model_id),
            each.name,
            each.model_type,
            each.created_at,
        )
        for each in lineage.made_by(access, record).models
        if each.status == LoggedModelStatus.READY
        # One that names another source is that one's.
        and each.source_eid in ("", record.eid)
        and not each.is_used
    ]


def folders(record: CandidateRecord, paths: Sequence[str]) -> list[Promotable]:
    """Folders of the candidate's artifacts; an empty path is all of them."""
    return [
        Promotable(
            RunFolder(
                f"runs:/{record.eid}/{path}" if path else f"runs:/{record.eid}", record.eid, path
            ),
            path,
        )
        for path in paths
    ]


def find_folders(
    access: ReadAccess, storage: Storage, record: CandidateRecord
) -> tuple[list[str], bool]:
    """The folders of the candidate's artifacts that hold a model, by path; whether these are all.

    Raises `Unavailable` if the store cannot be reached.
    """
    place = artifacts.locate(access, f"{record.experiment_iid}/{record.eid}/artifacts")
    files = list(islice(storage.walk(place.key), MAX_WALKED))
    found = (each.name.rpartition("/") for each in files)
    paths = sorted(folder for folder, _, name in found if name == DESCRIPTION)
    return paths, len(files) < MAX_WALKED


def last_name(access: ReadAccess, experiment_id: int) -> str:
    """The model that got the last version from this experiment (internal id); empty if none."""
    statement = (
        select(RegisteredModel.name)
        .join_from(ModelVersion, RegisteredModel)
        .join(Candidate, Candidate.id == ModelVersion.candidate_id)
        .where(Candidate.experiment_id == experiment_id)
        .where(ModelVersion.project_id == access.project.id)
        .order_by(ModelVersion.id.desc())
        .limit(1)
    )
    return access.session.scalar(statement) or ""


def may_set(access: WriteAccess, name: str, alias: str) -> bool:
    """Whether an alias of a model, which need not be there, is not protected from the actor."""
    if isinstance(access, MaintainAccess):
        return True
    try:
        return alias not in aliases.protected(access, name)
    except NotFound:
        return True


def promote(
    access: WriteAccess,
    record: CandidateRecord,
    source: Source,
    name: str,
    *,
    is_new: bool,
    alias: str = "",
    tags: Mapping[str, str] | None = None,
    description: str = "",
) -> VersionRecord:
    """Make a version of a source of the candidate's, of a new model or of one that is there.

    Raises as `registered_models.create`, `versions.create` and `aliases.put` do.
    """
    if is_new:
        registered_models.create(access, name, {})
    made = versions.create(
        access, name, source, run_id=record.eid, tags=tags, description=description
    )
    if alias:
        aliases.put(access, name, alias, made.version)
    return made
