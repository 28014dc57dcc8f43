"""Where the files of a version are: what a client says, and what the server makes of it.

A client's URI is never opened. It is taken apart (`wire/sources.py`), what it names is looked up
in the project, and the address of the files is made anew from what was found.
"""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.orm import aliased

from gitlab_mlops.access import ReadAccess
from gitlab_mlops.errors import Invalid, NotFound
from gitlab_mlops.models import Candidate, Experiment, LoggedModel, ModelAlias, ModelVersion
from gitlab_mlops.services import artifacts
from gitlab_mlops.services.registry import registered_models, stages
from gitlab_mlops.services.registry.records import VersionRecord, load_versions, select_versions

SCHEME = "mlflow-artifacts:/"


@dataclass(frozen=True, slots=True)
class Placeholder:
    """`dummy-source`: a prompt, which has no files."""

    text: str


@dataclass(frozen=True, slots=True)
class RunFolder:
    """`runs:/<eid>/<path>`: a folder among the artifacts of a candidate."""

    text: str
    eid: str
    path: str


@dataclass(frozen=True, slots=True)
class LoggedModelName:
    """`models:/m-...`: a logged model."""

    text: str
    model_id: str


@dataclass(frozen=True, slots=True)
class VersionName:
    """`models:/name/7`, `/Production`, `/latest` or `@alias`: what another version stands for."""

    text: str
    name: str
    version: int | None = None
    stage: str = ""
    alias: str = ""


@dataclass(frozen=True, slots=True)
class ArtifactPath:
    """`mlflow-artifacts:/<path>`; the path has passed `wire.paths`."""

    text: str
    path: str


Source = Placeholder | RunFolder | LoggedModelName | VersionName | ArtifactPath


@dataclass(frozen=True, slots=True)
class Origin:
    """What a source stands for: its text as answered, the place, and whom the files belong to."""

    source: str
    place: str | None
    candidate_id: int | None = None
    eid: str = ""
    logged_model_id: int | None = None
    model_id: str = ""


def resolve(access: ReadAccess, source: Source, run_id: str, model_id: str) -> Origin:
    """Look up what a source names in the project.

    `run_id` and `model_id` are what the client says besides, empty if it says nothing. Raises
    `Invalid` for what does not exist here, for what is deleted, and for a run or logged model
    that is not the source's; `NotFound` for a registered model or version that is not there.
    """
    origin = _look_up(access, source)
    if model_id and model_id != origin.model_id:
        raise wrong_source(source.text, "The model_id must be that of the source.")
    if not run_id or run_id == origin.eid:
        return origin
    if origin.eid:
        raise wrong_source(source.text, "The run_id must be that of the run that made the files.")
    return _with_claimed_run(access, origin, run_id)


def _look_up(access: ReadAccess, source: Source) -> Origin:
    match source:
        case Placeholder():
            return Origin(source.text, None)
        case RunFolder():
            return _of_run(access, source.text, source.eid, source.path)
        case LoggedModelName():
            return _of_logged_model(access, source.text, source.model_id, "")
        case VersionName():
            return _of_version(access, source)
        case ArtifactPath():
            return _of_artifacts(access, source)


def wrong_source(text: str, why: str) -> Invalid:
    """MLflow's words for a source that leads nowhere, and why."""
    return Invalid(f"Invalid model version source: '{text[:500]}'. {why}")


def _of_run(access: ReadAccess, text: str, eid: str, path: str) -> Origin:
    found = access.session.execute(
        select(Candidate.id, Candidate.deleted_at, Experiment.iid)
        .join(Experiment, Experiment.id == Candidate.experiment_id)
        .where(Candidate.project_id == access.project.id, Candidate.eid == eid)
    ).one_or_none()
    if found is None:
        raise wrong_source(text, f"There is no such run in {access.project.path}.")
    if found.deleted_at is not None:
        raise wrong_source(text, "Its run is in the trash; restore it first.")
    place = f"{SCHEME}{found.iid}/{eid}/artifacts"
    return Origin(text, f"{place}/{path}" if path else place, candidate_id=found.id, eid=eid)


def _of_logged_model(access: ReadAccess, text: str, model_id: str, path: str) -> Origin:
    found = access.session.execute(
        select(LoggedModel.id, Candidate.id, Candidate.eid)
        .join(Experiment, Experiment.id == LoggedModel.experiment_id)
        .outerjoin(
            Candidate,
            (Candidate.eid == LoggedModel.source_eid) & (Candidate.project_id == access.project.id),
        )
        .where(
            LoggedModel.project_id == access.project.id,
            LoggedModel.model_id == model_id,
            LoggedModel.deleted_at.is_(None),
            Experiment.deleted_at.is_(None),
        )
    ).one_or_none()
    if found is None:
        raise wrong_source(text, f"There is no such logged model in {access.project.path}.")
    place = f"{SCHEME}models/{model_id}/artifacts"
    return Origin(
        text,
        f"{place}/{path}" if path else place,
        candidate_id=found[1],
        eid=found[2] or "",
        logged_model_id=found[0],
        model_id=model_id,
    )


def _of_artifacts(access: ReadAccess, source: ArtifactPath) -> Origin:
    try:
        place = artifacts.locate(access, source.path)
    except NotFound:
        raise wrong_source(
            source.text, f"Such a folder of a run or logged model is not in {access.project.path}."
        ) from None
    kind, owner, *_ = source.path.split("/")
    if kind == "models":
        return _of_logged_model(access, source.text, owner, place.path)
    return _of_run(access, source.text, owner, place.path)


def _of_version(access: ReadAccess, source: VersionName) -> Origin:
    version = find_version(access, source)
    if version.place is None:
        raise wrong_source(source.text, "A prompt cannot be the source of a model.")
    return Origin(
        f"models:/{version.name}/{version.version}",
        version.place,
        version.candidate_id,
        version.eid,
        version.logged_model_id,
        version.logged_model,
    )


def find_version(access: ReadAccess, named: VersionName) -> VersionRecord:
    """The version that a name stands for now, without one the newest.

    Raises `NotFound` where there is no such model or version, and `Invalid` for an alias that is
    not there and for a stage without versions.
    """
    model_id = registered_models.id_of(access, named.name)
    wanted = select_versions(access).where(ModelVersion.model_id == model_id)
    if named.version is not None:
        wanted = wanted.where(ModelVersion.version == named.version)
    elif named.alias:
        alias = (ModelAlias.model_id == model_id) & (ModelAlias.alias == named.alias)
        meant = select(ModelAlias.version_id).where(alias)
        wanted = wanted.where(ModelVersion.id == meant.scalar_subquery())
    else:
        other = aliased(ModelVersion)
        newest = select(func.max(other.version)).where(other.model_id == model_id)
        if named.stage:
            newest = newest.where(other.stage == stages.canonical(named.stage))
        wanted = wanted.where(ModelVersion.version == newest.scalar_subquery())
    found = load_versions(access, access.session.execute(wanted).all())
    if not found:
        raise _no_version(named)
    return found[0]


def _no_version(named: VersionName) -> NotFound | Invalid:
    if named.version is not None:
        return NotFound(f"Model Version (name={named.name}, version={named.version}) not found.")
    if named.alias:
        return Invalid(f"Registered model alias {named.alias} not found.")
    if named.stage:
        return Invalid(f"No versions of model {named.name} in stage {named.stage} found.")
    return NotFound(f"Latest version not found for model {named.name}.")


def _with_claimed_run(access: ReadAccess, origin: Origin, run_id: str) -> Origin:
    """The origin of files that no run is known to have made, with the run that a client says."""
    claimed = _of_run(access, origin.source, run_id, "")
    return Origin(
        origin.source,
        origin.place,
        claimed.candidate_id,
        claimed.eid,
        origin.logged_model_id,
        origin.model_id,
    )
