"""Marshmallow as MLflow speaks: unknown fields and nulls are ignored, errors in MLflow's words."""

from __future__ import annotations

from typing import Any

from marshmallow import EXCLUDE, Schema, ValidationError

from gitlab_mlops.errors import Invalid


class Request(Schema):
    """Base of the request schemas."""

    class Meta:
        """A client newer than this server sends fields that it does not know; that is fine."""

        unknown = EXCLUDE

    def __init_subclass__(cls, **options: Any) -> None:
        """Inherit no `quick`: it would not read the fields that a subclass adds."""
        super().__init_subclass__(**options)
        if "quick" not in vars(cls):
            cls.quick = staticmethod(_read_nothing)  # type: ignore[assignment]

    @staticmethod
    def quick(data: dict[str, Any]) -> dict[str, Any] | None:
        """What the schema would load, read by hand; None for all that is not plainly valid.

        For the requests that come most: the schema, which knows the words of errors, is asked for
        the others only.
        """
        return None


def _read_nothing(_data: dict[str, Any]) -> None:
    return None


def load(schema: Request, data: dict[str, Any]) -> dict[str, Any]:
    """Load a request; raise `Invalid` with MLflow's text about the first field that is wrong."""
    if (plain := schema.quick(data)) is not None:
        return plain
    # Protocol buffers, MLflow's contract, do not tell null from absent.
    given = {key: value for key, value in data.items() if value is not None}
    try:
        loaded: dict[str, Any] = schema.load(given)
    except ValidationError as error:
        raise Invalid(_first_message(error.messages)) from None
    return loaded


def _first_message(messages: Any) -> str:
    while not isinstance(messages, str):
        messages = next(iter(messages.values() if isinstance(messages, dict) else messages))
    return messages
