"""Changing a registered model: name, card, aliases and their protection, tags; deleting it."""

from __future__ import annotations

from flask import Response, redirect, request

from gitlab_mlops.access import MaintainAccess, ReadAccess, WriteAccess
from gitlab_mlops.blueprints.endpoint import mounted, strongest
from gitlab_mlops.blueprints.web.forms import typed
from gitlab_mlops.blueprints.web.links import Links
from gitlab_mlops.blueprints.web.model_draft import Draft, checked, draft_of, sent_draft
from gitlab_mlops.blueprints.web.models import OF_MLFLOW, get_model, render_model
from gitlab_mlops.blueprints.web.page import MODEL, page
from gitlab_mlops.errors import AlreadyExists, Forbidden, Invalid
from gitlab_mlops.services.registry import aliases, overview, registered_models
from gitlab_mlops.services.registry.records import ModelRecord
from gitlab_mlops.wire.registry_values import (
    MAX_DESCRIPTION,
    MAX_NAME,
    to_alias,
    to_new_alias,
    to_registry_value,
    to_version,
)
from gitlab_mlops.wire.values import to_key


@page(f"{MODEL}/edit", access=WriteAccess)
def edit_model(access: WriteAccess, model_name: str) -> Response:
    """The form for the name and card of a model."""
    record = get_model(access, model_name)
    return _form(access, record, draft_of(record))


@page(f"{MODEL}/edit", access=WriteAccess, method="POST")
def save_model(access: WriteAccess, model_name: str) -> Response:
    """Store the name and card, or show the form again with what is in the way."""
    name = get_model(access, model_name).name
    registered_models.lock(access, name)
    record = registered_models.get(access, name)
    draft = sent_draft(record)
    if not draft.problems and draft.name.is_changed:
        _rename(access, name, draft)
    if draft.problems:
        return _form(access, record, draft, 409 if draft.conflicts else 400)
    name = draft.name.value if draft.name.is_changed else name
    if draft.card.is_changed:
        registered_models.describe(access, name, draft.card.value)
    return see_model(access, name)


@page(f"{MODEL}/delete", access=WriteAccess)
def ask_to_delete_model(access: WriteAccess, model_name: str) -> Response:
    """Ask whether to delete a model with its versions."""
    record = get_model(access, model_name)
    count = overview.count_versions(access, record.id)
    protected = aliases.protected(access, record.name)
    return render_model(access, "model_delete.html", record, count=count, protected=protected)


@page(f"{MODEL}/delete", access=WriteAccess, method="POST")
def delete_model(access: WriteAccess, model_name: str) -> Response:
    """Delete a model with its versions; the files stay with their candidates."""
    record = get_model(access, model_name)
    registered_models.delete(strongest(access), record.name)
    kind = "prompts" if registered_models.is_prompt(dict(record.tags)) else ""
    return _see(_links(access).models(kind=kind, removed=record.name))


@page(f"{MODEL}/alias", access=WriteAccess, method="POST")
def set_alias(access: WriteAccess, model_name: str) -> Response:
    """Set an alias, or move it from the version where the form's reader saw it."""
    name = get_model(access, model_name).name
    alias = checked(to_new_alias, typed("alias").strip(), "alias")
    version = checked(to_version, typed("version").strip(), "version")
    registered_models.lock(access, name)
    _require_seen(access, name, alias)
    aliases.put(strongest(access), name, alias, version)
    return see_model(access, name)


@page(f"{MODEL}/remove-alias", access=WriteAccess, method="POST")
def remove_alias(access: WriteAccess, model_name: str) -> Response:
    """Remove an alias."""
    name = get_model(access, model_name).name
    alias = checked(to_alias, typed("alias"), "alias")
    registered_models.lock(access, name)
    _require_seen(access, name, alias)
    aliases.delete(strongest(access), name, alias)
    return see_model(access, name)


@page(f"{MODEL}/protect", access=MaintainAccess, method="POST")
def protect_alias(access: MaintainAccess, model_name: str) -> Response:
    """Let only maintainers set, move and remove an alias, whether it is set or not."""
    name = get_model(access, model_name).name
    alias = checked(to_new_alias, typed("alias").strip(), "alias")
    aliases.protect(access, name, {*aliases.protected(access, name), alias})
    return see_model(access, name)


@page(f"{MODEL}/unprotect", access=MaintainAccess, method="POST")
def unprotect_alias(access: MaintainAccess, model_name: str) -> Response:
    """Let everybody who writes set, move and remove an alias."""
    name = get_model(access, model_name).name
    aliases.protect(access, name, set(aliases.protected(access, name)) - {typed("alias")})
    return see_model(access, name)


@page(f"{MODEL}/tag", access=WriteAccess, method="POST")
def set_model_tag(access: WriteAccess, model_name: str) -> Response:
    """Set a tag of a model."""
    name = get_model(access, model_name).name
    registered_models.set_tag(access, name, *typed_tag())
    return see_model(access, name)


@page(f"{MODEL}/remove-tag", access=WriteAccess, method="POST")
def remove_model_tag(access: WriteAccess, model_name: str) -> Response:
    """Remove a tag of a model."""
    name = get_model(access, model_name).name
    registered_models.delete_tag(access, name, typed_key())
    return see_model(access, name)


def typed_key() -> str:
    """The name of a tag, as a form sends it; raises `Invalid`."""
    key = checked(to_key, typed("key").strip(), "key")
    if key.startswith(OF_MLFLOW):
        raise Invalid(f"Names that begin with “{OF_MLFLOW[0]}” are for MLflow's clients.")
    return key


def typed_tag() -> tuple[str, str]:
    """A tag as a form sends it; raises `Invalid`."""
    return typed_key(), checked(to_registry_value, typed("value"), "value")


def see_model(access: ReadAccess, name: str) -> Response:
    """Lead to the page of a model, after a form."""
    return _see(_links(access).model(name))


def _rename(access: WriteAccess, name: str, draft: Draft) -> None:
    """Give the model its new name, or say in the form why it cannot have it."""
    try:
        registered_models.rename(strongest(access), name, draft.name.value)
    except AlreadyExists:
        draft.name.problem = "Another model or prompt of this project has this name."
    except Forbidden as error:
        draft.name.problem = str(error)


def _require_seen(access: ReadAccess, name: str, alias: str) -> None:
    """Raise `Invalid` if the alias is not where it was when the form was sent out."""
    if "seen" not in request.form:
        return
    there = dict(registered_models.get(access, name).aliases).get(alias)
    if typed("seen") == ("" if there is None else str(there)):
        return
    where = "was removed" if there is None else f"is at version {there} now"
    raise Invalid(f"The alias {alias} {where}, since somebody else moved it; look at it again.")


def _form(access: WriteAccess, record: ModelRecord, draft: Draft, status: int = 200) -> Response:
    return render_model(
        access,
        "model_edit.html",
        record,
        status=status,
        draft=draft,
        max_name=MAX_NAME,
        max_card=MAX_DESCRIPTION,
    )


def _links(access: ReadAccess) -> Links:
    return Links.of(mounted().host, access.project)


def _see(url: str) -> Response:
    return redirect(url, 303)  # type: ignore[return-value]
