"""Changing a candidate's name, note and tags, and deleting it for ever."""

from __future__ import annotations

from flask import Response, redirect, request

from gitlab_mlops.access import MaintainAccess, WriteAccess
from gitlab_mlops.blueprints.endpoint import mounted
from gitlab_mlops.blueprints.web.candidate_draft import (
    MAX_NAME,
    Draft,
    NewTag,
    draft_of,
    sent_draft,
)
from gitlab_mlops.blueprints.web.candidates import see_candidate
from gitlab_mlops.blueprints.web.frames import render_candidate
from gitlab_mlops.blueprints.web.links import Links
from gitlab_mlops.blueprints.web.page import CANDIDATE, page
from gitlab_mlops.errors import Invalid
from gitlab_mlops.services import candidates, deletion, overview
from gitlab_mlops.services.records import CandidateRecord
from gitlab_mlops.wire.values import MAX_TAG_VALUE

MORE = "more"
"""The button that asks for another row, for browsers without scripts."""


@page(f"{CANDIDATE}/edit", access=WriteAccess)
def edit_candidate(access: WriteAccess, candidate_iid: int) -> Response:
    """The form for the name, note and tags of a candidate."""
    record = _editable(access, candidate_iid)
    return _form(access, record, draft_of(record))


@page(f"{CANDIDATE}/edit", access=WriteAccess, method="POST")
def save_candidate(access: WriteAccess, candidate_iid: int) -> Response:
    """Store the name, note and tags, or show the form again with what is in the way."""
    candidates.lock(access, _editable(access, candidate_iid).id)
    record = _editable(access, candidate_iid)
    draft = sent_draft(record)
    if MORE in request.form:
        return _form(access, record, draft)
    if draft.problems:
        return _form(access, record, draft, 409 if draft.conflicts else 400)
    candidates.edit(access, record.eid, **draft.changes())
    return see_candidate(access, candidate_iid)


@page(f"{CANDIDATE}/delete", access=MaintainAccess)
def ask_to_delete_candidate(access: MaintainAccess, candidate_iid: int) -> Response:
    """Ask whether to delete a candidate for ever, and say what that frees."""
    usage = deletion.measure_candidates(access, mounted().storage, [candidate_iid])
    record = candidates.get_by_iid(access, candidate_iid)
    return render_candidate(access, "candidate_delete.html", record, tab="", usage=usage)


@page(f"{CANDIDATE}/delete", access=MaintainAccess, method="POST")
def delete_candidate(access: MaintainAccess, candidate_iid: int) -> Response:
    """Delete a candidate for ever."""
    experiment_iid, _ = overview.get_eid(access, candidate_iid)
    usage = deletion.delete_candidates(access, mounted().storage, [candidate_iid])
    told = {"deleted": str(usage.candidates), "freed": str(usage.bytes)}
    links = Links.of(mounted().host, access.project)
    url = links.experiment(experiment_iid, view="deleted", **told)
    return redirect(url, 303)  # type: ignore[return-value]


def _editable(access: WriteAccess, iid: int) -> CandidateRecord:
    record = candidates.get_by_iid(access, iid)
    if record.deleted_at is not None:
        raise Invalid(f"Candidate {iid} is in the trash; restore it to change it.")
    return record


def _form(
    access: WriteAccess, record: CandidateRecord, draft: Draft, status: int = 200
) -> Response:
    draft.new.append(NewTag())
    return render_candidate(
        access,
        "candidate_edit.html",
        record,
        tab="",
        status=status,
        draft=draft,
        max_name=MAX_NAME,
        max_value=MAX_TAG_VALUE,
    )
