"""What webhooks can be told: MLflow's own events of its registry, and those of candidates."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Event:
    """A kind of message. `title` says to people when it is sent; `example` is what tests send.

    MLflow's client does not know the events that are not `is_mlflows`.
    """

    entity: str
    action: str
    title: str
    example: Mapping[str, Any]
    is_mlflows: bool = True

    @property
    def name(self) -> str:
        """As pages, documents and MLflow's client write it: `run.finished`."""
        return f"{self.entity}.{self.action}"


_TAGS = {"tags": {"example_key": "example_value"}}
_MODEL = {"name": "example_model"}
_MODEL_VERSION = {**_MODEL, "version": "1"}
_PROMPT = {"name": "example_prompt"}
_PROMPT_VERSION = {**_PROMPT, "version": "1"}
_KEY = {"key": "example_key"}
_PAIR = {**_KEY, "value": "example_value"}
_ALIAS = {"alias": "example_alias"}
_RUN = {
    "run_id": "0123456789abcdef0123456789abcdef",
    "run_name": "example_run",
    "iid": 1,
    "experiment_id": "1",
    "experiment_name": "example_experiment",
    "status": "RUNNING",
    "start_time": 1_700_000_000_000,
    "end_time": None,
    "user": "example_user",
    "url": "https://forge.example.org/group/project/-/ml/candidates/1",
    "params": {},
    "metrics": {},
}
_FINISHED = {
    **_RUN,
    "status": "FINISHED",
    "end_time": 1_700_000_060_000,
    "params": {"example_param": "0.1"},
    "metrics": {"example_metric": 0.98},
}


def _described(example: Mapping[str, Any], what: str) -> dict[str, Any]:
    return {**example, **_TAGS, "description": f"An example {what}"}


RUN_CREATED = Event("run", "created", "A candidate was started", _RUN, is_mlflows=False)
RUN_FINISHED = Event(
    "run", "finished", "A candidate has finished, failed or was killed", _FINISHED, is_mlflows=False
)
_EVENTS = (
    RUN_CREATED,
    RUN_FINISHED,
    Event(
        "registered_model",
        "created",
        "A model was registered",
        _described(_MODEL, "registered model"),
    ),
    Event(
        "model_version",
        "created",
        "A model has a new version",
        _described(
            {**_MODEL_VERSION, "source": "models:/123", "run_id": "abcd1234abcd5678"},
            "model version",
        ),
    ),
    Event("model_version_tag", "set", "A version was tagged", {**_MODEL_VERSION, **_PAIR}),
    Event("model_version_tag", "deleted", "A version lost a tag", {**_MODEL_VERSION, **_KEY}),
    Event(
        "model_version_alias",
        "created",
        "An alias was set, or moved to another version",
        {**_MODEL_VERSION, **_ALIAS},
    ),
    Event("model_version_alias", "deleted", "An alias was removed", {**_MODEL, **_ALIAS}),
    Event("prompt", "created", "A prompt was registered", _described(_PROMPT, "prompt")),
    Event(
        "prompt_version",
        "created",
        "A prompt has a new version",
        _described({**_PROMPT_VERSION, "template": "Hello {{name}}!"}, "prompt version"),
    ),
    Event("prompt_tag", "set", "A prompt was tagged", {**_PROMPT, **_PAIR}),
    Event("prompt_tag", "deleted", "A prompt lost a tag", {**_PROMPT, **_KEY}),
    Event(
        "prompt_version_tag",
        "set",
        "A version of a prompt was tagged",
        {**_PROMPT_VERSION, **_PAIR},
    ),
    Event(
        "prompt_version_tag",
        "deleted",
        "A version of a prompt lost a tag",
        {**_PROMPT_VERSION, **_KEY},
    ),
    Event(
        "prompt_alias",
        "created",
        "An alias of a prompt was set, or moved",
        {**_PROMPT_VERSION, **_ALIAS},
    ),
    Event("prompt_alias", "deleted", "An alias of a prompt was removed", {**_PROMPT, **_ALIAS}),
)

EVENTS: Mapping[str, Event] = {event.name: event for event in _EVENTS}
"""All of them by name, in the order that pages list them."""
