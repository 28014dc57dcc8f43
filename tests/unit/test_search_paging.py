"""Page tokens carry positions, and what they did not carry is refused."""

from __future__ import annotations

import base64
import math

import pytest

from gitlab_mlops.errors import Invalid
from gitlab_mlops.services.expressions import Order
from gitlab_mlops.wire import paging

ORDER = (Order("metric", "acc", True),)


@pytest.mark.parametrize(
    "after", [[0.1, 5, "eid"], [None, 2**62, "é🙂\"'"], [math.inf, -math.inf, ""], [1e-320]]
)
def test_a_position_comes_back_as_it_was(after: list[object]) -> None:
    token = paging.search_token(after, ORDER)
    assert paging.search_position(token, ORDER) == after
    assert token.isascii()


def test_nan_comes_back_as_nan() -> None:
    position = paging.search_position(paging.search_token([math.nan], ORDER), ORDER)
    assert position is not None
    assert math.isnan(position[0])


def test_no_token_is_the_first_page() -> None:
    assert paging.search_position("", ORDER) is None


@pytest.mark.parametrize("other", [(), (Order("metric", "acc"),), (Order("metric", "b", True),)])
def test_a_token_of_another_order_is_refused(other: tuple[Order, ...]) -> None:
    token = paging.search_token([0.1, "eid"], ORDER)
    with pytest.raises(Invalid, match="another order"):
        paging.search_position(token, other)


def _encoded(content: bytes) -> str:
    return base64.b64encode(content).decode()


@pytest.mark.parametrize(
    "token",
    [
        "garbage", "bm8=", "é", "\x00", "\ud800", "====", " ", _encoded(b"[1]"), _encoded(b"1"),
        _encoded(b"\xff\xfe"), _encoded(b"[" * 100_000), _encoded(b'{"offset": 2}'),
        _encoded(b'{"a": ' + b"9" * 5000 + b"}"), "A" * 1_000_004,
    ],
)  # fmt: skip
def test_garbage_is_refused(token: str) -> None:
    with pytest.raises(Invalid, match=r"^Invalid page token"):
        paging.search_position(token, ORDER)
