"""What somebody makes of a candidate's name, note and tags, next to what is stored."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from flask import request
from marshmallow import ValidationError

from gitlab_mlops.blueprints.web.facts import NOTE_TAG, OF_MLFLOW
from gitlab_mlops.blueprints.web.forms import SEEN, Field, all_typed, digest
from gitlab_mlops.services.records import CandidateRecord
from gitlab_mlops.wire.values import MAX_KEY, MAX_TAG_VALUE, to_key

MAX_NAME = 500
MAX_TAGS = 100
"""Tags that the form has fields for."""
MAX_CHARACTERS = 20_000
"""Characters of all tags in the form; forges take no forms of any size."""
CHANGED = "Somebody else changed this tag meanwhile. Save again to remove it."
GONE = "Somebody else removed this tag meanwhile. Save again to put it back."


@dataclass(slots=True)
class TagRow:
    """A tag of the form. `id` names it there, since a form changes the characters of some keys."""

    key: str
    value: Field
    is_removed: bool = False

    @property
    def id(self) -> str:
        """The part that the names of the row's fields have in common."""
        return digest(self.key)


@dataclass(slots=True)
class NewTag:
    """A tag that was not there; `problem` says why it cannot be stored."""

    key: str = ""
    value: str = ""
    problem: str = ""


@dataclass(slots=True)
class Draft:
    """The form. `others` are the names of the tags that it has no fields for."""

    name: Field
    note: Field
    tags: list[TagRow]
    new: list[NewTag] = field(default_factory=list)
    others: list[str] = field(default_factory=list)

    @property
    def problems(self) -> bool:
        """Whether anything cannot be stored as it is."""
        return any(each.problem for each in self._stored) or any(each.problem for each in self.new)

    @property
    def conflicts(self) -> bool:
        """Whether somebody else was there meanwhile."""
        return any(each.theirs is not None or each.problem == GONE for each in self._stored)

    @property
    def _stored(self) -> list[Field]:
        return [self.name, self.note, *(each.value for each in self.tags)]

    def changes(self) -> dict[str, Any]:
        """What to store, as `candidates.edit` takes it."""
        kept = [each for each in self.tags if not each.is_removed]
        store = {each.key: each.value.value for each in kept if each.value.is_changed}
        store |= {each.key: each.value for each in self.new}
        remove = [each.key for each in self.tags if each.is_removed]
        if self.note.is_changed and not self.note.value.strip():
            remove.append(NOTE_TAG)
        elif self.note.is_changed:
            store[NOTE_TAG] = self.note.value
        name = self.name.value.strip() if self.name.is_changed else None
        return {"name": name, "store": store, "remove": remove}


def draft_of(record: CandidateRecord) -> Draft:
    """The form as it is sent out first."""
    rows, others = _rows(record)
    note = dict(record.tags).get(NOTE_TAG, "")
    return Draft(Field.of(_in_a_line(record.name)), Field.of(note), rows, others=others)


def sent_draft(record: CandidateRecord) -> Draft:
    """The form as it came back, compared with what is stored now; raises `Invalid`."""
    draft = draft_of(record)
    stored_note = draft.note.value
    draft.name, draft.note = Field.sent("name"), Field.sent("note")
    draft.name.meet(_in_a_line(record.name))
    draft.note.meet(stored_note)
    for row in draft.tags:
        _receive(row)
    draft.tags += _gone(row.id for row in draft.tags)
    pairs = zip(all_typed("new-key"), all_typed("new-value"), strict=False)
    draft.new = [NewTag(key.strip(), value) for key, value in pairs if key.strip() or value.strip()]
    _check(draft, dict(record.tags))
    return draft


def _rows(record: CandidateRecord) -> tuple[list[TagRow], list[str]]:
    """The tags with a field, and the names of those for which there is no room."""
    rows: list[TagRow] = []
    others: list[str] = []
    room = MAX_CHARACTERS
    for key, value in record.tags:
        if key.startswith(OF_MLFLOW):
            continue
        if len(rows) < MAX_TAGS and len(value) <= room:
            rows.append(TagRow(key, Field.of(value)))
            room -= len(value)
        else:
            others.append(key)
    return rows, others


def _receive(row: TagRow) -> None:
    """Take what came back of a tag that is there; one that is new to the form stays as it is."""
    if SEEN + row.id not in request.form:
        return
    stored, sent = row.value.value, Field.sent(row.id)
    row.is_removed = f"remove-{row.id}" in request.form
    if not row.is_removed:
        row.value = sent
        row.value.meet(stored)
    elif sent.seen != digest(stored):
        row.value.theirs, row.value.problem = stored, CHANGED


def _gone(known: Iterable[str]) -> list[TagRow]:
    """Tags that were there when the form was sent out, were changed in it, and are gone now.

    Their digest is empty from then on, which tells that it was said.
    """
    there, rows = set(known), []
    for id_, key in zip(request.form.getlist("tag-id"), all_typed("tag-key"), strict=False):
        if id_ in there or id_ != digest(key) or f"remove-{id_}" in request.form:
            continue
        sent = Field.sent(id_)
        if sent.is_changed:
            rows.append(TagRow(key, Field(sent.value, "", GONE if sent.seen else "")))
    return rows


def _check(draft: Draft, stored: dict[str, str]) -> None:
    """Say what cannot be stored, next to it."""
    if draft.name.is_changed and not draft.name.problem:
        draft.name.problem = _wrong_with_name(draft.name.value)
    for value in (draft.note, *(row.value for row in draft.tags if not row.is_removed)):
        if value.is_changed and not value.problem:
            value.problem = _wrong_with_value(value.value)
    seen: set[str] = set()
    for new in draft.new:
        new.problem = _wrong_with_new(new, stored, seen)
        seen.add(new.key)


def _wrong_with_name(name: str) -> str:
    if not name.strip():
        return "A candidate needs a name."
    if len(name) > MAX_NAME:
        return f"A name has at most {MAX_NAME} characters; this one has {len(name):,}."
    return ""


def _wrong_with_value(value: str) -> str:
    if len(value) > MAX_TAG_VALUE:
        return f"At most {MAX_TAG_VALUE:,} characters; these are {len(value):,}."
    return ""


def _wrong_with_new(new: NewTag, stored: dict[str, str], seen: set[str]) -> str:
    if not new.key:
        return "This tag needs a name."
    if new.key.startswith(OF_MLFLOW):
        return f"Names that begin with “{OF_MLFLOW}” are for MLflow's clients."
    if new.key in stored or new.key in seen:
        return f"There is a tag “{new.key}” already; change that one."
    if len(new.key) > MAX_KEY:
        return f"A name has at most {MAX_KEY} characters; this one has {len(new.key):,}."
    try:
        to_key(new.key, "name")
    except ValidationError:
        return "A name has letters, digits, spaces, and _ - . : /, and is no path with “..”."
    return _wrong_with_value(new.value)


def _in_a_line(name: str) -> str:
    """The name as a browser has it in a field of one line."""
    return name.replace("\r", "").replace("\n", "")
