"""What webhooks are told about registered models and prompts, as MLflow's server tells it.

MLflow keeps prompts as registered models with a tag, and has events of their own for them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import select

from gitlab_mlops.hooks.signals import Deed
from gitlab_mlops.models import (
    Candidate,
    ModelVersion,
    ModelVersionTag,
    RegisteredModel,
    RegisteredModelTag,
)
from gitlab_mlops.services.webhooks import outbox

IS_PROMPT, PROMPT_TYPE, PROMPT_TEXT = (
    "mlflow.prompt.is_prompt",
    "_mlflow_prompt_type",
    "mlflow.prompt.text",
)
"""The tags of prompts that MLflow takes out of its messages."""

Pairs = Mapping[str, str]


def model_created(deed: Deed, name: str, tags: Pairs, description: str) -> None:
    """A name was registered."""
    event = "prompt.created" if _marks_prompt(tags) else "registered_model.created"
    shown = _without(tags, IS_PROMPT, PROMPT_TYPE) if _marks_prompt(tags) else dict(tags)
    data = {"name": name, "tags": shown, "description": description}
    outbox.record(deed, event, lambda: data)


def model_tag_set(deed: Deed, name: str, key: str, value: str) -> None:
    """A tag was set; MLflow tells of those of prompts only."""
    _tell(deed, name, "", "prompt_tag.set", {"name": name, "key": key, "value": value})


def model_tag_deleted(deed: Deed, name: str, key: str) -> None:
    """A tag was deleted; of prompts only, too."""
    _tell(deed, name, "", "prompt_tag.deleted", {"name": name, "key": key})


def version_created(deed: Deed, name: str, version: int) -> None:
    """A model or prompt has a new version, whose tags are stored."""

    def make() -> tuple[str, dict[str, Any]]:
        tags, data = _version(deed, name, version)
        if not _marks_prompt(tags):
            return "model_version.created", data | {"tags": tags}
        data |= {
            "template": tags.get(PROMPT_TEXT),
            "tags": _without(tags, IS_PROMPT, PROMPT_TYPE, PROMPT_TEXT),
        }
        del data["source"], data["run_id"]
        return "prompt_version.created", data

    outbox.record_one_of(deed, ("model_version.created", "prompt_version.created"), make)


def version_tag_set(deed: Deed, name: str, version: int, key: str, value: str) -> None:
    """A tag of a version was set."""
    data = {"name": name, "version": str(version), "key": key, "value": value}
    _tell(deed, name, "model_version_tag.set", "prompt_version_tag.set", data)


def version_tag_deleted(deed: Deed, name: str, version: int, key: str) -> None:
    """A tag of a version was deleted."""
    data = {"name": name, "version": str(version), "key": key}
    _tell(deed, name, "model_version_tag.deleted", "prompt_version_tag.deleted", data)


def alias_moved(deed: Deed, name: str, alias: str, new: int | None) -> None:
    """An alias means another version, or (None) none any more."""
    data = {"name": name, "alias": alias}
    if new is None:
        _tell(deed, name, "model_version_alias.deleted", "prompt_alias.deleted", data)
        return
    data["version"] = str(new)
    _tell(deed, name, "model_version_alias.created", "prompt_alias.created", data)


def _tell(deed: Deed, name: str, of_model: str, of_prompt: str, data: Mapping[str, str]) -> None:
    """Tell of one of two events, by what has this name; an empty one is not told."""
    outbox.record_one_of(
        deed,
        [each for each in (of_model, of_prompt) if each],
        lambda: (of_prompt if _is_prompt(deed, name) else of_model, data),
    )


def _is_prompt(deed: Deed, name: str) -> bool:
    tag = (
        select(RegisteredModelTag.value)
        .join(RegisteredModel, RegisteredModel.id == RegisteredModelTag.model_id)
        .where(
            RegisteredModel.project_id == deed.project.id,
            RegisteredModel.name == name,
            RegisteredModelTag.key == IS_PROMPT,
        )
    )
    return _marks_prompt({IS_PROMPT: deed.session.scalar(tag) or ""})


def _marks_prompt(tags: Pairs) -> bool:
    return tags.get(IS_PROMPT, "").lower() == "true"


def _without(tags: Pairs, *keys: str) -> dict[str, str]:
    return {key: value for key, value in tags.items() if key not in keys}


def _version(deed: Deed, name: str, version: int) -> tuple[dict[str, str], dict[str, Any]]:
    """The tags of a version, and what a message says of it."""
    statement: Any = (
        select(ModelVersion.id, ModelVersion.source, ModelVersion.description, Candidate.eid)
        .join(RegisteredModel, RegisteredModel.id == ModelVersion.model_id)
        .outerjoin(Candidate, Candidate.id == ModelVersion.candidate_id)
        .where(
            RegisteredModel.project_id == deed.project.id,
            RegisteredModel.name == name,
            ModelVersion.version == version,
        )
    )
    row = deed.session.execute(statement).one()
    of_it = select(ModelVersionTag.key, ModelVersionTag.value).where(
        ModelVersionTag.version_id == row.id
    )
    data = {
        "name": name,
        "version": str(version),
        "source": row.source,
        "run_id": row.eid,
        "description": row.description or None,
    }
    return {each.key: each.value for each in deed.session.execute(of_it)}, data
