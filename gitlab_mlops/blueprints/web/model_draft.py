"""What somebody makes of a model's name and card, or of a version's description."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from marshmallow import ValidationError

from gitlab_mlops.blueprints.web.forms import Field
from gitlab_mlops.errors import Invalid
from gitlab_mlops.services.registry.records import ModelRecord, VersionRecord
from gitlab_mlops.wire.registry_values import MAX_DESCRIPTION, to_model_name

T = TypeVar("T")


@dataclass(slots=True)
class Draft:
    """The form; a version has no name."""

    name: Field
    card: Field

    @property
    def problems(self) -> bool:
        """Whether anything cannot be stored as it is."""
        return bool(self.name.problem or self.card.problem)

    @property
    def conflicts(self) -> bool:
        """Whether somebody else was there meanwhile."""
        return self.name.theirs is not None or self.card.theirs is not None


def draft_of(record: ModelRecord) -> Draft:
    """The form for a model as it is sent out first."""
    return Draft(Field.of(_in_a_line(record.name)), Field.of(record.description))


def sent_draft(record: ModelRecord) -> Draft:
    """The form for a model as it came back, compared with what is stored now; raises `Invalid`."""
    draft = Draft(Field.sent("name"), Field.sent("note"))
    if draft.name.is_changed:
        draft.name.value = draft.name.value.strip()
    draft.name.meet(_in_a_line(record.name))
    draft.card.meet(record.description)
    if draft.name.is_changed and not draft.name.problem:
        draft.name.problem = _wrong_with_name(draft.name.value)
    _check_card(draft)
    return draft


def version_draft_of(record: VersionRecord) -> Draft:
    """The form for a version as it is sent out first."""
    return Draft(Field.of(""), Field.of(record.description or ""))


def sent_version_draft(record: VersionRecord) -> Draft:
    """The form for a version as it came back, compared with what is stored now."""
    draft = Draft(Field.of(""), Field.sent("note"))
    draft.card.meet(record.description or "")
    _check_card(draft)
    return draft


def checked(to: Callable[[Any, str], T], value: str, path: str) -> T:
    """What a field of MLflow's API makes of a value; `Invalid` in its words."""
    try:
        return to(value, path)
    except ValidationError as error:
        raise Invalid(" ".join(map(str, error.messages))) from None


def _check_card(draft: Draft) -> None:
    length = len(draft.card.value)
    if draft.card.is_changed and not draft.card.problem and length > MAX_DESCRIPTION:
        draft.card.problem = f"At most {MAX_DESCRIPTION:,} characters; these are {length:,}."


def _wrong_with_name(name: str) -> str:
    if not name:
        return "A model needs a name."
    try:
        checked(to_model_name, name, "name")
    except Invalid as error:
        return str(error)
    return ""


def _in_a_line(name: str) -> str:
    """The name as a browser has it in a field of one line."""
    return name.replace("\r", "").replace("\n", "")
