"""How a difference from stock that we want is written down."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

REMOVED: Final = object()
INVALID = "INVALID_PARAMETER_VALUE"
MISSING = "RESOURCE_DOES_NOT_EXIST"
NO_ENDPOINT = "ENDPOINT_NOT_FOUND"


@dataclass(frozen=True)
class Wanted:
    """Our answer, either whole or as changes to that of stock."""

    reason: str
    answer: Mapping[str, Any] | None = None
    # `{"body.metrics.0.value": "Infinity"}`, in the order in which they apply.
    changes: Mapping[str, Any] = field(default_factory=dict)
    # The names of the runs or experiments that we find, where stock finds other ones or refuses.
    found: tuple[str, ...] | None = None

    def expected(self, stock: dict[str, Any]) -> dict[str, Any]:
        if self.found is not None:
            return {"status": 200, "found": list(self.found)}
        expected = copy.deepcopy(stock if self.answer is None else dict(self.answer))
        for path, value in self.changes.items():
            change(expected, path.split("."), value)
        return expected

    def seen(self, ours: dict[str, Any]) -> dict[str, Any]:
        """Our answer, or what of it is compared."""
        if self.found is None or ours["status"] != 200:
            return ours
        runs = [run["info"]["run_name"] for run in ours["body"].get("runs", [])]
        experiments = [each["name"] for each in ours["body"].get("experiments", [])]
        models = [model["info"]["name"] for model in ours["body"].get("models", [])]
        registered = [each["name"] for each in ours["body"].get("registered_models", [])]
        return {"status": 200, "found": runs + experiments + models + registered}


def change(where: Any, path: list[str], value: Any) -> None:
    for step in path[:-1]:
        where = where[step if isinstance(where, dict) else int(step)]
    last = path[-1] if isinstance(where, dict) else int(path[-1])
    if value is REMOVED:
        del where[last]
    elif isinstance(where, list) and last == len(where):
        where.append(value)
    else:
        where[last] = value


def refused(reason: str, *names: str, status: int = 400, code: str = INVALID) -> dict[str, Wanted]:
    body = {"error_code": code, "message": "<message>"}
    return dict.fromkeys(names, Wanted(reason, {"status": status, "body": body}))


def answered(reason: str, *names: str, body: Any) -> dict[str, Wanted]:
    return dict.fromkeys(names, Wanted(reason, {"status": 200, "body": body}))


def changed(reason: str, name: str, **changes: Any) -> dict[str, Wanted]:
    """Paths are written with `__` for the dots, and lead into the body."""
    paths = {f"body.{path.replace('__', '.')}": value for path, value in changes.items()}
    return {name: Wanted(reason, changes=paths)}


def found(reason: str, name: str, *names: str) -> dict[str, Wanted]:
    return {name: Wanted(reason, found=names)}
