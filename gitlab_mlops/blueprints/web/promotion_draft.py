"""What somebody chooses and types to make a version of a candidate's model."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from flask import request

from gitlab_mlops.blueprints.web import state
from gitlab_mlops.blueprints.web.forms import Field, typed
from gitlab_mlops.blueprints.web.model_draft import checked
from gitlab_mlops.errors import Invalid
from gitlab_mlops.services.promotion import Promotable
from gitlab_mlops.services.registry.overview import SEMVER_TAG
from gitlab_mlops.wire.registry_values import to_description, to_model_name, to_new_alias

_SEMVER = re.compile(
    r"(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)"
    r"(-(0|[1-9]\d*|\d*[a-zA-Z-][0-9a-zA-Z-]*)(\.(0|[1-9]\d*|\d*[a-zA-Z-][0-9a-zA-Z-]*))*)?"
    r"(\+[0-9a-zA-Z-]+(\.[0-9a-zA-Z-]+)*)?",
    re.ASCII,
)
"""A version as semver.org has it."""
MAX_SEMVER = 100


@dataclass(slots=True)
class Draft:
    """The form: `uri` says what to promote, `name` of which model, new or not, it is a version."""

    uri: Field
    name: Field
    is_new: bool
    alias: Field = field(default_factory=lambda: Field("", ""))
    semver: Field = field(default_factory=lambda: Field("", ""))
    description: Field = field(default_factory=lambda: Field("", ""))

    @property
    def problems(self) -> bool:
        """Whether anything cannot be stored as it is."""
        every = (self.uri, self.name, self.alias, self.semver, self.description)
        return any(each.problem for each in every)

    @property
    def tags(self) -> dict[str, str]:
        """The tags of the version."""
        return {SEMVER_TAG: self.semver.value} if self.semver.value else {}


def new_draft(offered: Sequence[Promotable], name: str, *, is_new: bool) -> Draft:
    """The form as it is sent out first; the address may choose what is promoted."""
    known = [each.uri for each in offered]
    chosen = state.text("source")
    uri = chosen if chosen in known else (known[0] if known else "")
    return Draft(Field(uri, ""), Field(state.text("model") or name, ""), is_new)


def sent_draft(offered: Sequence[Promotable]) -> Draft:
    """The form as it came back, with what is wrong in itself."""
    draft = Draft(
        Field(typed("source"), ""),
        Field(typed("name").strip(), ""),
        bool(request.form.get("is-new")),
        Field(typed("alias").strip().removeprefix("@"), ""),
        Field(typed("semver").strip(), ""),
        Field(typed("description"), ""),
    )
    if draft.uri.value not in [each.uri for each in offered]:
        draft.uri.problem = "Choose what to promote."
    draft.name.problem = (
        _wrong(to_model_name, draft.name.value, "name") if draft.name.value else "A name is needed."
    )
    if draft.alias.value:
        draft.alias.problem = _wrong(to_new_alias, draft.alias.value, "alias")
    if draft.semver.value and not _is_semver(draft.semver.value):
        draft.semver.problem = "A semantic version looks like 1.4.0, or like 2.0.0-rc.1."
    draft.description.problem = _wrong(to_description, draft.description.value, "description")
    return draft


def _wrong(to: Callable[..., object], value: str, path: str) -> str:
    """What is wrong with a value, in a sentence; empty if nothing is."""
    try:
        checked(to, value, path)
    except Invalid as error:
        return str(error)
    return ""


def _is_semver(text: str) -> bool:
    return len(text) <= MAX_SEMVER and _SEMVER.fullmatch(text) is not None
