"""JSON in and out, by orjson: strict about numbers and surrogates, and fast."""

from __future__ import annotations

from typing import Any

import orjson

from gitlab_mlops.errors import Invalid

BYTE_ORDER_MARK = b"\xef\xbb\xbf"


def loads(body: bytes) -> dict[str, Any]:
    """Parse a request body, an object; nothing at all counts as `{}`.

    Raises `Invalid` for malformed JSON, NaN and Infinity literals, numbers out of range, lone
    surrogates, nesting that is too deep, and NUL characters, which PostgreSQL cannot store.
    """
    if not body:
        return {}
    try:
        parsed = orjson.loads(body.removeprefix(BYTE_ORDER_MARK))
    except orjson.JSONDecodeError as error:
        raise Invalid(f"The request body is not valid JSON: {error}.") from None
    if not isinstance(parsed, dict):
        raise Invalid("The request body must be a JSON object.")
    if b"\\u0000" in body:
        reject_nul(parsed)
    return parsed


def dumps(value: Any) -> bytes:
    """Serialize an answer. Floats that JSON cannot express must be strings by now."""
    return orjson.dumps(value)


def reject_nul(value: Any) -> None:
    """Raise `Invalid` if any text in a parsed body contains a NUL character."""
    if isinstance(value, str):
        if "\x00" in value:
            raise Invalid("Text must not contain NUL characters (\\u0000).")
    elif isinstance(value, dict):
        for key, item in value.items():
            reject_nul(key)
            reject_nul(item)
    elif isinstance(value, list):
        for item in value:
            reject_nul(item)
