"""What somebody makes of an experiment's name, note and main metric, next to what is stored."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from gitlab_mlops.blueprints.web.facts import NOTE_TAG
from gitlab_mlops.blueprints.web.forms import Field
from gitlab_mlops.services.experiment_records import ExperimentRecord
from gitlab_mlops.services.objectives import DIRECTION_TAG, NAME_TAG, greater_is_better
from gitlab_mlops.wire.values import MAX_EXPERIMENT_NAME, MAX_EXPERIMENT_TAG_VALUE, MAX_KEY

HIGHER, LOWER = "True", "False"
"""As MLflow writes a direction; without any, the name of the metric tells it."""


@dataclass(slots=True)
class Draft:
    """The form."""

    name: Field
    note: Field
    metric: Field
    direction: Field

    @property
    def fields(self) -> tuple[Field, ...]:
        """All of them."""
        return (self.name, self.note, self.metric, self.direction)

    @property
    def problems(self) -> bool:
        """Whether anything cannot be stored as it is."""
        return any(each.problem for each in self.fields)

    @property
    def conflicts(self) -> bool:
        """Whether somebody else was there meanwhile."""
        return any(each.theirs is not None for each in self.fields)

    def changes(self) -> dict[str, Any]:
        """What to store, as `experiments.edit` takes it."""
        tags = {NOTE_TAG: self.note, NAME_TAG: self.metric, DIRECTION_TAG: self.direction}
        changed = {key: each.value for key, each in tags.items() if each.is_changed}
        store = {key: value for key, value in changed.items() if value.strip()}
        remove = {key for key in changed if key not in store}
        if NAME_TAG in remove:
            # A direction without a metric would be that of the next metric somebody enters.
            store.pop(DIRECTION_TAG, None)
            remove.add(DIRECTION_TAG)
        name = self.name.value.strip() if self.name.is_changed else None
        return {"name": name, "store": store, "remove": remove}


def draft_of(record: ExperimentRecord) -> Draft:
    """The form as it is sent out first."""
    return Draft(*map(Field.of, _stored(record)))


def sent_draft(record: ExperimentRecord) -> Draft:
    """The form as it came back, compared with what is stored now; raises `Invalid`."""
    draft = Draft(*map(Field.sent, ("name", "note", "metric", "direction")))
    draft.metric.value = draft.metric.value.strip()
    for field, stored in zip(draft.fields, _stored(record), strict=True):
        field.meet(stored)
    for field, problem in (
        (draft.name, _wrong_with_name(draft.name.value)),
        (draft.note, _wrong_with_note(draft.note.value)),
        (draft.metric, _wrong_with_metric(draft.metric.value)),
    ):
        if field.is_changed and not field.problem:
            field.problem = problem
    if not draft.direction.problem:
        draft.direction.problem = _wrong_with_direction(draft)
    return draft


def _stored(record: ExperimentRecord) -> tuple[str, str, str, str]:
    """The values of the form's fields, as a browser has them."""
    tags = dict(record.tags)
    return (
        record.name.replace("\r", "").replace("\n", ""),
        tags.get(NOTE_TAG, ""),
        tags.get(NAME_TAG, "").replace("\r", "").replace("\n", "").strip(),
        _direction(tags),
    )


def _direction(tags: Mapping[str, str]) -> str:
    if DIRECTION_TAG not in tags:
        return ""
    return HIGHER if tags[DIRECTION_TAG].strip().lower() == "true" else LOWER


def _wrong_with_name(name: str) -> str:
    if not name.strip():
        return "An experiment needs a name."
    if len(name) > MAX_EXPERIMENT_NAME:
        return f"A name has at most {MAX_EXPERIMENT_NAME} characters; this one has {len(name):,}."
    return ""


def _wrong_with_note(note: str) -> str:
    if len(note) > MAX_EXPERIMENT_TAG_VALUE:
        return f"At most {MAX_EXPERIMENT_TAG_VALUE:,} characters; these are {len(note):,}."
    return ""


def _wrong_with_metric(metric: str) -> str:
    return f"No metric has more than {MAX_KEY} characters." if len(metric) > MAX_KEY else ""


def _wrong_with_direction(draft: Draft) -> str:
    metric, direction = draft.metric.value, draft.direction.value
    if direction not in ("", HIGHER, LOWER):
        return "Choose one of the three."
    is_open = bool(metric) and not direction and greater_is_better(metric) is None
    if is_open and (draft.metric.is_changed or draft.direction.is_changed):
        return "The metric's name does not tell; choose whether more of it is better."
    return ""
