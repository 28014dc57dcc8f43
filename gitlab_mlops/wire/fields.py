"""Fields of the request schemas: a scalar or a list, checked by a function of `wire/values.py`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from marshmallow import ValidationError, fields
from marshmallow import missing as absent

from gitlab_mlops.wire.values import invalid, missing


class Value(fields.Field[Any]):
    """A scalar that `convert(value, path)` checks. Required: there, and not an empty string."""

    def __init__(self, convert: Callable[[Any, str], Any], **options: Any) -> None:
        super().__init__(**options)
        self.convert = convert

    def _validate_missing(self, value: Any) -> None:
        if self.required and (value is absent or (isinstance(value, str) and not value)):
            raise missing(self.data_key or str(self.name))

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> Any:
        return self.convert(value, attr or str(self.name))


class Repeated(Value):
    """A list whose items `convert(item, path)` checks, with `path` like `metrics[3]`.

    In a query string the values of the repeated argument are the list. `filled` refuses an
    empty list; `request` is what a message calls the request.
    """

    def __init__(
        self,
        convert: Callable[[Any, str], Any],
        *,
        limit: int = 0,
        filled: bool = False,
        request: str = "request",
        **options: Any,
    ) -> None:
        if not options.get("required"):
            options.setdefault("load_default", list)
        super().__init__(convert, **options)
        self.limit = limit
        self.filled = filled
        self.request = request

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> list[Any]:
        path = attr or str(self.name)
        if self.filled and value == []:
            raise missing(path)
        if not isinstance(value, list):
            raise invalid(path, value, "It must be a list.")
        if self.limit and len(value) > self.limit:
            raise ValidationError(
                f"A {self.request} can contain at most {self.limit} {path}. "
                f"Got {len(value)} {path}. Please split up {path} across multiple requests and "
                "try again."
            )
        return [self.convert(item, f"{path}[{index}]") for index, item in enumerate(value)]
