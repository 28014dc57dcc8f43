"""Changing a version of a registered model: description, stage, tags; deleting it."""

from __future__ import annotations

from flask import Response, redirect, request

from gitlab_mlops.access import ReadAccess, WriteAccess
from gitlab_mlops.blueprints.endpoint import mounted, strongest
from gitlab_mlops.blueprints.web.forms import typed
from gitlab_mlops.blueprints.web.links import Links
from gitlab_mlops.blueprints.web.model_draft import sent_version_draft, version_draft_of
from gitlab_mlops.blueprints.web.model_forms import see_model, typed_key, typed_tag
from gitlab_mlops.blueprints.web.model_versions import get_version, render_version
from gitlab_mlops.blueprints.web.page import VERSION, page
from gitlab_mlops.errors import Invalid
from gitlab_mlops.services.registry import aliases, registered_models, versions
from gitlab_mlops.services.registry.records import ModelRecord, VersionRecord
from gitlab_mlops.wire.registry_values import MAX_DESCRIPTION


@page(f"{VERSION}/edit", access=WriteAccess)
def edit_version(access: WriteAccess, model_name: str, version: int) -> Response:
    """The form for the description of a version."""
    model, record = get_version(access, model_name, version)
    return render_version(
        access,
        "model_version_edit.html",
        model,
        record,
        tab="",
        draft=version_draft_of(record),
        max_card=MAX_DESCRIPTION,
    )


@page(f"{VERSION}/edit", access=WriteAccess, method="POST")
def save_version(access: WriteAccess, model_name: str, version: int) -> Response:
    """Store the description, or show the form again with what is in the way."""
    model, record = _locked(access, model_name, version)
    draft = sent_version_draft(record)
    if draft.problems:
        return render_version(
            access,
            "model_version_edit.html",
            model,
            record,
            tab="",
            status=409 if draft.conflicts else 400,
            draft=draft,
            max_card=MAX_DESCRIPTION,
        )
    if draft.card.is_changed:
        versions.describe(access, record.name, version, draft.card.value)
    return see_version(access, record)


@page(f"{VERSION}/stage", access=WriteAccess, method="POST")
def move_to_stage(access: WriteAccess, model_name: str, version: int) -> Response:
    """Move a version to a stage, from the one in which the form's reader saw it."""
    _, record = _locked(access, model_name, version)
    if typed("seen") != record.stage and "seen" in request.form:
        raise Invalid(
            f"Version {version} is in the stage {record.stage} now, since somebody else moved it; "
            "look at it again."
        )
    others = bool(typed("archive"))
    versions.move_to_stage(access, record.name, version, typed("stage"), archive_others=others)
    return see_version(access, record)


@page(f"{VERSION}/tag", access=WriteAccess, method="POST")
def set_version_tag(access: WriteAccess, model_name: str, version: int) -> Response:
    """Set a tag of a version."""
    _, record = get_version(access, model_name, version)
    versions.set_tag(access, record.name, version, *typed_tag())
    return see_version(access, record)


@page(f"{VERSION}/remove-tag", access=WriteAccess, method="POST")
def remove_version_tag(access: WriteAccess, model_name: str, version: int) -> Response:
    """Remove a tag of a version."""
    _, record = get_version(access, model_name, version)
    versions.delete_tag(access, record.name, version, typed_key())
    return see_version(access, record)


@page(f"{VERSION}/delete", access=WriteAccess)
def ask_to_delete_version(access: WriteAccess, model_name: str, version: int) -> Response:
    """Ask whether to delete a version."""
    model, record = get_version(access, model_name, version)
    protected = set(aliases.protected(access, record.name)).intersection(record.aliases)
    return render_version(
        access, "model_version_delete.html", model, record, tab="", protected=sorted(protected)
    )


@page(f"{VERSION}/delete", access=WriteAccess, method="POST")
def delete_version(access: WriteAccess, model_name: str, version: int) -> Response:
    """Delete a version; its number does not come back, and its files stay where they are."""
    _, record = get_version(access, model_name, version)
    versions.delete(strongest(access), record.name, version)
    return see_model(access, record.name)


def see_version(access: ReadAccess, record: VersionRecord) -> Response:
    """Lead to the page of a version, after a form."""
    url = Links.of(mounted().host, access.project).version(record.name, record.version)
    return redirect(url, 303)  # type: ignore[return-value]


def _locked(access: WriteAccess, name: str, version: int) -> tuple[ModelRecord, VersionRecord]:
    """As `get_version`; nobody else changes the model until this is done."""
    registered_models.lock(access, get_version(access, name, version)[0].name)
    return get_version(access, name, version)
