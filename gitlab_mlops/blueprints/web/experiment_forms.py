"""Changing an experiment's name, note and main metric; its ways into the trash, back, and away."""

from __future__ import annotations

from typing import Any

from flask import Response, redirect

from gitlab_mlops.access import MaintainAccess, ReadAccess, WriteAccess
from gitlab_mlops.blueprints.endpoint import mounted
from gitlab_mlops.blueprints.web.experiment_draft import Draft, draft_of, sent_draft
from gitlab_mlops.blueprints.web.frames import render_experiment
from gitlab_mlops.blueprints.web.links import Links
from gitlab_mlops.blueprints.web.page import EXPERIMENT, page
from gitlab_mlops.errors import AlreadyExists, Invalid
from gitlab_mlops.services import deletion, experiments, leaders, overview
from gitlab_mlops.services.experiment_records import ExperimentRecord
from gitlab_mlops.wire.values import MAX_EXPERIMENT_NAME, MAX_EXPERIMENT_TAG_VALUE

MAX_SUGGESTED = 200
"""Names of metrics that the form offers; others can be typed."""


@page(f"{EXPERIMENT}/edit", access=WriteAccess)
def edit_experiment(access: WriteAccess, experiment_iid: int) -> Response:
    """The form for the name, note and main metric of an experiment."""
    found = _editable(access, experiment_iid)
    return _form(access, found, draft_of(found))


@page(f"{EXPERIMENT}/edit", access=WriteAccess, method="POST")
def save_experiment(access: WriteAccess, experiment_iid: int) -> Response:
    """Store the name, note and main metric, or show the form again with what is in the way."""
    experiments.lock(access, _editable(access, experiment_iid).id)
    found = _editable(access, experiment_iid)
    draft = sent_draft(found)
    if not draft.problems:
        try:
            experiments.edit(access, experiment_iid, **draft.changes())
        except AlreadyExists:
            draft.name.problem = "Another experiment of this project has this name."
    if draft.problems:
        return _form(access, found, draft, 409 if draft.conflicts else 400)
    return _see(_links(access).experiment(experiment_iid))


@page(f"{EXPERIMENT}/trash", access=WriteAccess, method="POST")
def trash_experiment(access: WriteAccess, experiment_iid: int) -> Response:
    """Move an experiment and its candidates to the trash; one that is there stays."""
    if overview.get_experiment(access, experiment_iid).deleted_at is None:
        experiments.delete(access, experiment_iid)
    return _see(_links(access).experiment(experiment_iid))


@page(f"{EXPERIMENT}/restore", access=WriteAccess, method="POST")
def restore_experiment(access: WriteAccess, experiment_iid: int) -> Response:
    """Take an experiment and its candidates out of the trash; one that is not there stays."""
    if overview.get_experiment(access, experiment_iid).deleted_at is not None:
        experiments.restore(access, experiment_iid)
    return _see(_links(access).experiment(experiment_iid))


@page(f"{EXPERIMENT}/delete", access=MaintainAccess)
def ask_to_delete_experiment(access: MaintainAccess, experiment_iid: int) -> Response:
    """Ask whether to delete an experiment for ever, and say what that frees."""
    usage = deletion.measure_experiment(access, mounted().storage, experiment_iid)
    found = overview.get_experiment(access, experiment_iid)
    return _render(access, "experiment_delete.html", found, usage=usage)


@page(f"{EXPERIMENT}/delete", access=MaintainAccess, method="POST")
def delete_experiment(access: MaintainAccess, experiment_iid: int) -> Response:
    """Delete an experiment and its candidates for ever."""
    usage = deletion.delete_experiment(access, mounted().storage, experiment_iid)
    told = {"deleted": "1", "freed": str(usage.bytes)}
    return _see(_links(access).experiments(view="deleted", **told))


def _editable(access: WriteAccess, iid: int) -> ExperimentRecord:
    found = overview.get_experiment(access, iid)
    if found.deleted_at is not None:
        raise Invalid(f"Experiment {iid} is in the trash; restore it to change it.")
    return found


def _form(
    access: WriteAccess, found: ExperimentRecord, draft: Draft, status: int = 200
) -> Response:
    names = leaders.metric_names(access, [found.id]).get(found.id, [])
    return _render(
        access,
        "experiment_edit.html",
        found,
        status=status,
        draft=draft,
        metric_names=names[:MAX_SUGGESTED],
        max_name=MAX_EXPERIMENT_NAME,
        max_value=MAX_EXPERIMENT_TAG_VALUE,
    )


def _render(access: ReadAccess, template: str, found: ExperimentRecord, **shown: Any) -> Response:
    counts = overview.count_candidates(access, found.id)
    return render_experiment(access, template, found, counts, tab="", **shown)


def _links(access: ReadAccess) -> Links:
    return Links.of(mounted().host, access.project)


def _see(url: str) -> Response:
    return redirect(url, 303)  # type: ignore[return-value]
