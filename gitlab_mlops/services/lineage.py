"""Where a version comes from, and back: what became of the models that a candidate made."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import or_, select

from gitlab_mlops.access import ReadAccess
from gitlab_mlops.host import Host, Job
from gitlab_mlops.models import LoggedModel, ModelVersion
from gitlab_mlops.services import cards, mentions
from gitlab_mlops.services.cards import CandidateCard
from gitlab_mlops.services.mentions import MentionPage
from gitlab_mlops.services.records import CandidateRecord
from gitlab_mlops.services.registry.records import VersionRecord, load_versions, select_versions
from gitlab_mlops.services.stamps import Stamp, stamps_of

MAX_MENTIONS = 20
MAX_MODELS = 100
MAX_VERSIONS = 50
"""Versions that a candidate shows, the newest ones."""

_MODEL_COLUMNS: tuple[Any, ...] = (
    LoggedModel.id,
    LoggedModel.model_id,
    LoggedModel.name,
    LoggedModel.model_type,
    LoggedModel.status,
    LoggedModel.source_eid,
    LoggedModel.actor_id,
    LoggedModel.job_id,
    LoggedModel.created_at,
    LoggedModel.deleted_at,
)


@dataclass(frozen=True, slots=True)
class MadeModel:
    """A logged model as lineage shows it; the first fields as in `models.LoggedModel`.

    `is_used`: the candidate used it and made it not. `versions` are those that it became.
    """

    id: int
    model_id: str
    name: str
    model_type: str
    status: int
    source_eid: str
    actor_id: str | None
    job_id: str | None
    created_at: int
    deleted_at: int | None
    is_used: bool = False
    versions: list[VersionRecord] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Lineage:
    """How a version came to be; None and empty where there is no such thing, or it is hidden.

    `is_claimed`: only a client says that the files of the version are the candidate's.
    `registered_by` is the job that made the version, which need not be the one that trained it.
    """

    version: VersionRecord
    logged_model: MadeModel | None
    registered_by: Job | None
    candidate: CandidateCard | None = None
    is_claimed: bool = False
    stamp: Stamp | None = None
    mentions: MentionPage = field(default_factory=lambda: MentionPage([], None))


@dataclass(frozen=True, slots=True)
class Made:
    """What a candidate made. `versions` are all of its versions, the newest first."""

    models: list[MadeModel]
    versions: list[VersionRecord]
    has_more: bool


def of_version(access: ReadAccess, host: Host, version: VersionRecord) -> Lineage:
    """Follow a version of the project back to where it is discussed.

    The number of statements does not depend on what there is.
    """
    model = _logged_model(access, version)
    job = _job(access, host, version.job_id)
    if version.candidate_iid is None:
        return Lineage(version, model, job)
    card = cards.candidate_card(access, version.candidate_iid)
    candidate_id = card.record.id
    stamp = stamps_of(access, [candidate_id]).get(candidate_id)
    return Lineage(
        version,
        model,
        job,
        card,
        _is_claimed(version, model, card.record, stamp),
        stamp,
        mentions.of(access, candidate_id, host, limit=MAX_MENTIONS),
    )


def made_by(access: ReadAccess, record: CandidateRecord) -> Made:
    """The logged models of a candidate that are there, and the versions of its files."""
    models = _models_of(access, record)
    versions, has_more = _versions_of(access, record)
    by_id = {each.id: each for each in models}
    for version in versions:
        if version.logged_model_id in by_id:
            by_id[version.logged_model_id].versions.append(version)
    return Made(models, versions, has_more)


def _logged_model(access: ReadAccess, version: VersionRecord) -> MadeModel | None:
    if version.logged_model_id is None:
        return None
    found = _read(access, LoggedModel.id == version.logged_model_id)
    return MadeModel(*found[0]) if found else None


def _models_of(access: ReadAccess, record: CandidateRecord) -> list[MadeModel]:
    """Those that name the candidate as their source, and those that it names, the newest first."""
    linked = {model_id: direction for direction, model_id, _ in record.models[: 2 * MAX_MODELS]}
    condition = LoggedModel.source_eid == record.eid
    if linked:
        condition = or_(condition, LoggedModel.model_id.in_(linked))
    return [
        MadeModel(
            **row._asdict(),
            is_used=row.source_eid != record.eid and linked.get(row.model_id) == "input",
        )
        for row in _read(access, condition & LoggedModel.deleted_at.is_(None))
    ]


def _read(access: ReadAccess, condition: Any) -> Sequence[Any]:
    statement = (
        select(*_MODEL_COLUMNS)
        .where(LoggedModel.project_id == access.project.id, condition)
        .order_by(LoggedModel.created_at.desc(), LoggedModel.id.desc())
        .limit(MAX_MODELS)
    )
    return access.session.execute(statement).all()


def _versions_of(access: ReadAccess, record: CandidateRecord) -> tuple[list[VersionRecord], bool]:
    rows: Iterable[Any] = access.session.execute(
        select_versions(access)
        .where(ModelVersion.candidate_id == record.id)
        .order_by(ModelVersion.id.desc())
        .limit(MAX_VERSIONS + 1)
    )
    found = load_versions(access, rows)
    return found[:MAX_VERSIONS], len(found) > MAX_VERSIONS


def _is_claimed(
    version: VersionRecord, model: MadeModel | None, record: CandidateRecord, stamp: Stamp | None
) -> bool:
    """Whether nothing but a client's word leads from the files to the candidate.

    A folder among its artifacts is its own. A logged model names its source as it likes: that is
    believed of the job that made the candidate, or else of the same person.
    """
    if model is None:
        return f"/{record.eid}/artifacts" not in (version.place or "")
    if model.source_eid != record.eid:
        return True
    if stamp is not None:
        return model.job_id != stamp.job_id
    return model.actor_id != record.actor_id


def _job(access: ReadAccess, host: Host, job_id: str | None) -> Job | None:
    if job_id is None:
        return None
    known = host.ci.job(access.project, job_id) if host.ci is not None else None
    return known or Job(job_id, access.project.id)
