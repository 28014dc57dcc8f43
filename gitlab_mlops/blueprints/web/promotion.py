"""Promoting a candidate: a form that makes a version of a registered model of what it logged."""

from __future__ import annotations

from dataclasses import dataclass, field

from flask import Response, redirect

from gitlab_mlops.access import WriteAccess
from gitlab_mlops.blueprints.endpoint import mounted, strongest
from gitlab_mlops.blueprints.web.files import UNREACHABLE
from gitlab_mlops.blueprints.web.frames import render_candidate
from gitlab_mlops.blueprints.web.links import Links
from gitlab_mlops.blueprints.web.page import CANDIDATE, page
from gitlab_mlops.blueprints.web.promotion_draft import MAX_SEMVER, Draft, new_draft, sent_draft
from gitlab_mlops.errors import AlreadyExists, Invalid, NotFound, Unavailable
from gitlab_mlops.services import candidates, promotion
from gitlab_mlops.services.inputs import MODELS_TAG
from gitlab_mlops.services.promotion import Promotable
from gitlab_mlops.services.records import CandidateRecord
from gitlab_mlops.services.registry import overview, registered_models
from gitlab_mlops.services.registry.records import VersionRecord
from gitlab_mlops.wire.model_history import models_of
from gitlab_mlops.wire.registry_values import MAX_ALIAS, MAX_DESCRIPTION, MAX_NAME

MAX_SUGGESTED = 200
"""Names of models that the form offers; others can be typed."""


@dataclass(frozen=True, slots=True)
class Offer:
    """What can be promoted; flavors by address, where MLflow noted them. `problem`: not all."""

    items: list[Promotable]
    flavors: dict[str, list[str]] = field(default_factory=dict)
    problem: str = ""


@page(f"{CANDIDATE}/promote", access=WriteAccess)
def ask_to_promote(access: WriteAccess, candidate_iid: int) -> Response:
    """The form: which model of the candidate, to a version of what."""
    record = _promotable(access, candidate_iid)
    offer = _offer(access, record)
    name = promotion.last_name(access, record.experiment_id)
    is_first = not overview.count_models(access).models
    return _form(access, record, offer, new_draft(offer.items, name, is_new=is_first))


@page(f"{CANDIDATE}/promote", access=WriteAccess, method="POST")
def promote_candidate(access: WriteAccess, candidate_iid: int) -> Response:
    """Make the version, or show the form again with what is in the way."""
    record = _promotable(access, candidate_iid)
    offer = _offer(access, record)
    draft = sent_draft(offer.items)
    _check_name(access, draft)
    _check_alias(access, draft)
    made = None if draft.problems else _promote(access, record, offer, draft)
    if made is None:
        return _form(access, record, offer, draft, 400)
    links = Links.of(mounted().host, access.project)
    return redirect(links.version(made.name, made.version), 303)  # type: ignore[return-value]


def _promotable(access: WriteAccess, iid: int) -> CandidateRecord:
    record = candidates.get_by_iid(access, iid)
    if record.deleted_at is not None:
        raise Invalid(f"Candidate {iid} is in the trash; restore it to promote it.")
    return record


def _offer(access: WriteAccess, record: CandidateRecord) -> Offer:
    """What the candidate has; without the store, what is known of it anyway."""
    noted = {each.path: each.flavors for each in models_of(dict(record.tags).get(MODELS_TAG, ""))}
    problem, paths = "", sorted(noted)
    try:
        found, is_whole = promotion.find_folders(access, mounted().storage, record)
        paths = found if is_whole else sorted({*found, *paths})
    except Unavailable as error:
        problem = str(error) or UNREACHABLE
    folders = promotion.folders(record, paths)
    flavors = {each.uri: noted[each.name] for each in folders if each.name in noted}
    return Offer([*promotion.logged_models(access, record), *folders], flavors, problem)


def _check_name(access: WriteAccess, draft: Draft) -> None:
    """Say if the name is not that of a model to be had, or of a new one where it should be."""
    if draft.name.problem:
        return
    try:
        found = registered_models.get(access, draft.name.value)
    except NotFound:
        if not draft.is_new:
            draft.name.problem = "There is no model of this name; tick below to make one."
        return
    if registered_models.is_prompt(dict(found.tags)):
        draft.name.problem = "A prompt has this name; choose another one."
    elif draft.is_new:
        draft.name.problem = "There is a model of this name; untick below to add a version to it."


def _check_alias(access: WriteAccess, draft: Draft) -> None:
    alias, name = draft.alias, draft.name
    if not alias.value or alias.problem or name.problem:
        return
    if not promotion.may_set(strongest(access), name.value, alias.value):
        alias.problem = "This alias is protected: only a maintainer may move it."


def _promote(
    access: WriteAccess, record: CandidateRecord, offer: Offer, draft: Draft
) -> VersionRecord | None:
    """The version; None if somebody else took the name meanwhile, which the draft then says."""
    source = next(each.source for each in offer.items if each.uri == draft.uri.value)
    try:
        return promotion.promote(
            strongest(access),
            record,
            source,
            draft.name.value,
            is_new=draft.is_new,
            alias=draft.alias.value,
            tags=draft.tags,
            description=draft.description.value,
        )
    except AlreadyExists:
        draft.name.problem = "There is a model of this name; untick below to add a version to it."
        return None


def _form(
    access: WriteAccess, record: CandidateRecord, offer: Offer, draft: Draft, status: int = 200
) -> Response:
    models, _ = overview.list_models(access, limit=MAX_SUGGESTED)
    return render_candidate(
        access,
        "candidate_promote.html",
        record,
        tab="",
        assets=("lineage.css",),
        status=status,
        offer=offer,
        draft=draft,
        names=[each.name for each in models],
        max_name=MAX_NAME,
        max_alias=MAX_ALIAS,
        max_semver=MAX_SEMVER,
        max_description=MAX_DESCRIPTION,
    )
