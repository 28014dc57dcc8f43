"""Page tokens: where the last page ended, as JSON in base64, opaque to clients.

They are not signed: a forged token can only start a page elsewhere in what its sender may read.
Whoever decodes a token checks the types of what is in it.
"""

from __future__ import annotations

import base64
import binascii
import json
import zlib
from collections.abc import Mapping, Sequence
from typing import Any

from gitlab_mlops.errors import Invalid
from gitlab_mlops.services.expressions import Order

# A position holds the values that the page is ordered by: tags have up to 8,000 characters.
MAX_LENGTH = 1_000_000


def encode(position: Mapping[str, Any]) -> str:
    """A token; NaN and the infinities are allowed in it."""
    text = json.dumps(position, separators=(",", ":"), ensure_ascii=False)
    return base64.urlsafe_b64encode(text.encode()).decode()


def decode(token: str) -> dict[str, Any]:
    """What `encode` was given; raises `Invalid` for anything that it did not make."""
    if len(token) > MAX_LENGTH:
        raise _invalid()
    try:
        position = json.loads(base64.b64decode(token, altchars=b"-_", validate=True))
    except (binascii.Error, ValueError, RecursionError):
        raise _invalid() from None
    if not isinstance(position, dict):
        raise _invalid()
    return position


def search_token(after: Sequence[Any], order: Sequence[Order]) -> str:
    """The token of the page that follows the position `after` in this order."""
    return encode({"after": after, "order": _fingerprint(order)})


def search_position(token: str, order: Sequence[Order]) -> list[Any] | None:
    """The position in a token of `search_token`, None for the empty one, the first page's.

    Raises `Invalid` if the token is of a search in another order.
    """
    if not token:
        return None
    position = decode(token)
    if position.get("order") != _fingerprint(order) or not isinstance(position.get("after"), list):
        raise Invalid("Invalid page token: it is of a search in another order; start again.")
    after: list[Any] = position["after"]
    return after


def _fingerprint(order: Sequence[Order]) -> int:
    return zlib.crc32(repr([(each.entity, each.key, each.descending) for each in order]).encode())


def _invalid() -> Invalid:
    return Invalid("Invalid page token: send a next_page_token as it was received, or none.")
